/* SPDX-License-Identifier: Apache-2.0 */
/* The PEM files of kpserver.yaml's tls, read. @thread one at a time */
#ifndef KP_CONTROL_SERVER_IDENTITY_H
#define KP_CONTROL_SERVER_IDENTITY_H

#include "base/bytes.h"
#include "control/rpc/identity.h"
#include "rules/server_config.h"

struct kp_server_identity {
	struct kp_buf ca, certificate, key;
};

/* kp_server_identity_read: to be ended with kp_server_identity_fini always. */
bool kp_server_identity_read(struct kp_server_identity *out,
    const struct kp_server_config *config, struct kp_error *err) KP_MUST_CHECK;
/* The same of files that are named one by one. */
bool kp_server_identity_read_files(struct kp_server_identity *out,
    const char *ca, const char *certificate, const char *key,
    struct kp_error *err) KP_MUST_CHECK;
void kp_server_identity_fini(struct kp_server_identity *identity);

/* kp_server_identity_is_same: do both say the same? */
bool kp_server_identity_is_same(
    const struct kp_server_identity *a, const struct kp_server_identity *b);

/* Borrowed from identity. */
struct kp_rpc_identity kp_server_identity_pem(
    const struct kp_server_identity *identity);

#endif
