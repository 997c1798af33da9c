/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A folder with all that a server for development needs: a certificate
 * authority, certificates, kpserver.yaml, a context for kpctl, a node's
 * configuration. Nothing that is there is replaced. @thread main
 */
#ifndef KP_CONTROL_SERVER_INIT_H
#define KP_CONTROL_SERVER_INIT_H

#include <stddef.h>

#include "base/error.h"

/*
 * kp_init makes the folder; names are of the server, for its certificate:
 * without any it serves this machine alone.
 */
bool kp_init(const char *folder, const char *const *names, size_t num_names,
    struct kp_error *err) KP_MUST_CHECK;

/* kp_init_node and kp_init_user add one more certificate to it. */
bool kp_init_node(
    const char *folder, const char *name, struct kp_error *err) KP_MUST_CHECK;
bool kp_init_user(
    const char *folder, const char *name, struct kp_error *err) KP_MUST_CHECK;

#endif
