/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Topics that brokers create because a client names them in a Metadata request
 * (auto.create.topics.enable). Each name is judged like a topic of CreateTopics
 * with nothing but a name. A topic that exists must stay usable whatever its
 * name is, so nothing is taken out: the request goes on with auto-creation
 * switched off. If some of its topics may be created, another one that names
 * only those goes before it, and nobody sees the answer to that.
 *
 * Whether a topic exists is known once the answer is there: until then what
 * policies say waits in notes. @thread connection
 */
#ifndef KP_PROXY_GOVERN_CREATION_H
#define KP_PROXY_GOVERN_CREATION_H

#include "proxy/govern/govern.h"

/* The first version whose requests can switch auto-creation off. */
#define KP_CREATION_MIN_VERSION 4

struct kp_creation {
	bool is_changed;      /* these go on instead of the request: */
	struct kp_buf first;  /* body, in the client's version; empty: none */
	struct kp_buf second; /* body of the one that the client is answered */
	int16_t version;      /* … of that */
	struct kp_buf notes;  /* empty: no policy says anything */
};

/*
 * kp_creation_judge judges the body of a Metadata request; govern->found is not
 * called. Errors as kp_govern_request. End *out with kp_creation_fini, also on
 * failure.
 */
bool kp_creation_judge(const struct kp_govern *govern, struct kp_bytes body,
    struct kp_creation *out, struct kp_error *err) KP_MUST_CHECK;
void kp_creation_fini(struct kp_creation *creation);

/* What policies say of a topic that did not exist, and what came of it. */
typedef void (*kp_creation_found)(
    void *ctx, struct kp_bytes topic, const struct kp_finding *finding);

struct kp_creation_told {
	kp_creation_found found;
	void *ctx;
	uint64_t num_denied; /* topics */
	uint64_t num_warned; /* findings */
};

/* kp_creation_client_id is that of the client who asked; borrowed. */
struct kp_bytes kp_creation_client_id(struct kp_bytes notes);

/*
 * kp_creation_memory is what kp_creation_answer may take for a body of len
 * bytes, to a client that asked in that version.
 */
size_t kp_creation_memory(struct kp_bytes notes, int16_t version, size_t len);

/*
 * kp_creation_answer tells what the notes have of topics of which the broker's
 * answer says that they did not exist. If the broker was asked in another
 * version than the client's, which is version, the answer in that is added to
 * out, which stays empty otherwise. Errors as above.
 */
bool kp_creation_answer(struct kp_bytes notes, int16_t version,
    struct kp_bytes body, struct kp_buf *out, struct kp_creation_told *told,
    struct kp_error *err) KP_MUST_CHECK;

#endif
