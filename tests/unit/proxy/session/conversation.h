/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A conversation of a client with a broker that has a bit of everything:
 * version negotiation, SASL, addresses to rewrite, answers of our own between
 * those of the broker, requests without an answer, long records in both
 * directions. Both sides keep to their text; it is over when the client has all
 * its answers.
 * @thread main
 */
#ifndef KP_TESTS_PROXY_SESSION_CONVERSATION_H
#define KP_TESTS_PROXY_SESSION_CONVERSATION_H

#include "tests/support/bridge.h"

#define KP_MAX_EXCHANGES 24

/* Whole batches in answers of a long one. */
#define KP_CONVERSATION_BATCHES 24

enum kp_answered { KP_BY_BROKER, KP_BY_PROXY, KP_BY_NOBODY };

/* A request and its answer, as the client and the broker send them. */
struct kp_exchange {
	enum kp_answered answered;
	bool is_pipelined; /* sent before the answer to the one before it */
	struct kp_buf request, answer;
	/* What arrives at the broker instead of the request, if not the same.
	 */
	struct kp_bytes forwarded;
};

struct kp_conversation {
	struct kp_test_bridge *bridge;
	struct kp_exchange exchanges[KP_MAX_EXCHANGES];
	unsigned num;

	/* After so many turns both sides fall silent; 0: never. */
	unsigned max_turns;

	/* of the connection */
	unsigned num_turns;
	unsigned num_asked;  /* requests that the client has sent */
	unsigned num_heard;  /* … and answers that came */
	unsigned num_served; /* exchanges that are over for the broker */
	size_t client_pos, broker_pos; /* in what they received */
};

/*
 * kp_conversation_init writes the text: all of it, or no more than two
 * exchanges. bridge is borrowed.
 */
void kp_conversation_init(
    struct kp_conversation *out, struct kp_test_bridge *bridge, bool is_long);
/* kp_conversation_add_changed adds a request that arrives at the broker as the
 * policy of the bridge changes it. */
void kp_conversation_add_changed(struct kp_conversation *conversation);
void kp_conversation_fini(struct kp_conversation *conversation);

/* kp_conversation_run has it once, over one connection of the bridge. */
void kp_conversation_run(struct kp_conversation *conversation);

/* All that the broker is to receive, to the byte, added to out. */
void kp_conversation_requests(
    const struct kp_conversation *conversation, struct kp_buf *out);

#endif
