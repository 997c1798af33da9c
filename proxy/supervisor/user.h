/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who the worker shall be. It needs no file and no privilege after its start,
 * so root gives it an identity that owns nothing. @thread main
 */
#ifndef KP_PROXY_SUPERVISOR_USER_H
#define KP_PROXY_SUPERVISOR_USER_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

/* Whom root takes if nothing is said: the first of both that there is. */
#define KP_USER_OWN "kproxy"
#define KP_USER_NOBODY "nobody"
/* nobody where no list of users is: containers without any file. */
#define KP_USER_NOBODY_ID 65534

struct kp_user {
	bool is_other; /* to be become; false: the worker stays who starts it */
	uid_t uid;
	gid_t gid;
};

/*
 * kp_user_choose finds out who wanted is: a name, "UID:GID", or NULL for what
 * is best for a process of user self. Only root can become another: for anybody
 * else that is KP_ERR_CONFIG, as is a name that is not known.
 */
bool kp_user_choose(struct kp_user *out, const char *wanted, uid_t self,
    struct kp_error *err) KP_MUST_CHECK;

#endif
