/* SPDX-License-Identifier: Apache-2.0 */
/* The policy server from its first to its last line. @thread main */
#ifndef KP_CONTROL_SERVER_SERVER_H
#define KP_CONTROL_SERVER_SERVER_H

#include "rules/server_config.h"

/* Exit code for a configuration that is refused. */
#define KP_SERVER_EXIT_REFUSED 3

/*
 * kp_server_main serves until a signal ends it. is_restored: a backup was put
 * back, nodes may be told to go back to older revisions. Returns the exit code:
 * 0, 1 if something failed, KP_SERVER_EXIT_REFUSED.
 */
int kp_server_main(const char *config_path, bool is_restored);

/* kp_server_check says what is wrong with the files; returns the exit code. */
int kp_server_check(const char *config_path);

/*
 * kp_server_load reads kpserver.yaml and tells all problems with event, to the
 * log; to be ended with kp_server_config_fini.
 */
bool kp_server_load(struct kp_server_config *out, const char *path,
    const char *event) KP_MUST_CHECK;

#endif
