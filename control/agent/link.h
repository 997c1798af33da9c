/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent's link to its policy servers: one connection, one stream, sets in
 * and verdicts out, for as long as the agent lives. It has threads of its own;
 * what it received is taken by the main thread, which is woken by a descriptor.
 *
 * Only a program with gRPC has a link (kp_link_grpc): the agent's other files
 * reach it through struct kp_link_api, so that an agent with files as its
 * source does not load what takes longer than its whole start.
 */
#ifndef KP_CONTROL_AGENT_LINK_H
#define KP_CONTROL_AGENT_LINK_H

#include "base/metrics.h"
#include "control/agent/held.h"
#include "proto/control/v1/types.pb-c.h"
#include "rules/node_config.h"

#define KP_LINK_MAX_TEXT 256

/* PEM texts, borrowed where they are a parameter. */
struct kp_link_identity {
	struct kp_bytes ca_pem, certificate_pem, key_pem;
};

struct kp_link_config {
	const struct kp_node_config *node; /* used by open alone */
	const char *folder; /* that paths in resources are relative to */
	struct kp_link_identity identity;
	const struct kp_metrics
	    *metrics; /* for heartbeats; borrowed for good */
};

/* What a push came to; the zero state is none. */
struct kp_link_offer {
	uint64_t revision;
	struct kp_held *held; /* NULL: diagnostics say why */
	struct kp_diagnostics diagnostics;
};

void kp_link_offer_fini(struct kp_link_offer *offer);

/* How it is, for people. */
struct kp_link_state {
	char address[KP_LINK_MAX_TEXT]; /* connected to, or tried next */
	bool is_connected;
	bool is_cordoned; /* the server said so when it welcomed us */
	int64_t since_ms; /* wall clock, that it is connected, or is not */
	uint64_t num_connects;
	uint64_t num_silences;     /* streams left as nothing came in time */
	uint64_t refused_revision; /* the last one; 0: none was */
	char refusal[KP_LINK_MAX_TEXT];
	char reason[KP_LINK_MAX_TEXT]; /* of the last disconnect */
	/* Of our own certificate; seconds since 1970, 0: not known. */
	int64_t valid_from, valid_until;
};

struct kp_link;

struct kp_link_api {
	/*
	 * check fails with KP_ERR_TLS if the identity cannot be used. It says
	 * nothing of dates and signatures.
	 */
	bool (*check)(
	    const struct kp_link_identity *identity, struct kp_error *err);

	/*
	 * open starts the threads. NULL if the identity cannot be used. Nothing
	 * is said to a server before the first call of settle.
	 */
	struct kp_link *(*open)(
	    const struct kp_link_config *config, struct kp_error *err);
	void (*close)(struct kp_link *link);

	/* Readable when there is an offer, or another state. */
	int (*fd)(const struct kp_link *link);

	/*
	 * take returns whether there was an offer, the newest one alone: each
	 * must be settled, and no other is taken before.
	 */
	bool (*take)(struct kp_link *link, struct kp_link_offer *out);

	/*
	 * settle says what is held now (NULL: nothing), and what became of the
	 * offer that was taken. problems is NULL if that is in force. Without
	 * an offer it only says what is held.
	 */
	void (*settle)(struct kp_link *link, struct kp_held *held,
	    const Kproxy__Control__V1__Problems *problems);

	void (*state)(struct kp_link *link, struct kp_link_state *out);

	/* reload takes a new identity, for the next connection. */
	bool (*reload)(struct kp_link *link,
	    const struct kp_link_identity *identity, struct kp_error *err);
};

extern const struct kp_link_api kp_link_grpc;

#endif
