/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A certificate authority for development: ECDSA over P-256, keys in plain
 * files that only their owner can read. What it has to do is over once there is
 * a real one. @thread main
 */
#ifndef KP_CONTROL_SERVER_ISSUE_H
#define KP_CONTROL_SERVER_ISSUE_H

#include "base/bytes.h"
#include "base/error.h"

#define KP_ISSUE_MAX_NAMES 32

struct kp_issue {
	const char *common_name;
	const char *const *names; /* host names and addresses */
	size_t num_names;
	bool is_server; /* may be one; each may be a client */
};

/* kp_issue_ca makes ca.pem and ca.key in a folder. No file is ever replaced. */
bool kp_issue_ca(int dir_fd, struct kp_error *err) KP_MUST_CHECK;

/* kp_issue makes FILE.pem and FILE.key, signed by ca.key of that folder. */
bool kp_issue(int dir_fd, const char *file, const struct kp_issue *what,
    struct kp_error *err) KP_MUST_CHECK;

/* kp_issue_write makes a file, for its owner only if is_secret. */
bool kp_issue_write(int dir_fd, const char *name, const struct kp_bytes *bytes,
    bool is_secret, struct kp_error *err) KP_MUST_CHECK;

#endif
