/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PEM files that are in use, and read again when they change. What is missing
 * or of no use changes nothing, and is told of once. @thread main
 */
#ifndef KP_CONTROL_SERVER_RENEWAL_H
#define KP_CONTROL_SERVER_RENEWAL_H

#include "control/host/watch.h"
#include "control/server/server_identity.h"

/* ca NULL: there are none, and never will be. */
struct kp_renewal {
	const char *ca, *certificate, *key; /* paths, borrowed */
	/* Uses identity from now on, or fails and goes on with what it had. */
	bool (*take)(void *owner, const struct kp_rpc_identity *identity,
	    struct kp_error *err);
	void *owner;
	struct kp_server_identity files; /* as they are in use */
	struct kp_error refused; /* why others are not; kind NONE: no others */
};

enum kp_renewal_result {
	KP_RENEWAL_SAME,
	KP_RENEWAL_TAKEN,
	KP_RENEWAL_REFUSED,       /* err says why */
	KP_RENEWAL_STILL_REFUSED, /* as err said the last time */
};

/*
 * kp_renewal_judge says what an attempt comes to, from whether it went well and
 * found what is in use already, and keeps in *refused why it did not.
 */
enum kp_renewal_result kp_renewal_judge(struct kp_error *refused, bool is_ok,
    bool is_same, const struct kp_error *err);

/* kp_renewal_look reads the files again and has them taken if they are new. */
enum kp_renewal_result kp_renewal_look(
    struct kp_renewal *renewal, struct kp_error *err);

/* kp_renewal_watch says that the files are to be watched. */
void kp_renewal_watch(const struct kp_renewal *renewal, struct kp_watch *watch);

void kp_renewal_fini(struct kp_renewal *renewal);

#endif
