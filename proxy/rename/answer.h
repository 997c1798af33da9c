/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Address rewriting of answers: hosts and ports of brokers become those of our
 * listener, nodes that have none there are left out, texts and configurations
 * that name a broker are cleaned. What is seen on the way is learned. The
 * address map that this follows is docs/protocol/addresses.md. @thread
 * connection
 */
#ifndef KP_PROXY_RENAME_ANSWER_H
#define KP_PROXY_RENAME_ANSWER_H

#include "proto/kafka/walker.h"
#include "proxy/rename/scrub.h"

/* The entities of answers that addresses hide in. */
#define KP_RENAME_ANSWER_INTEREST \
	(KP_ENTITY_BIT(KP_E_HOST) | KP_ENTITY_BIT(KP_E_PORT) | \
	    KP_ENTITY_BIT(KP_E_ENDPOINTS) | \
	    KP_ENTITY_BIT(KP_E_ENDPOINT_NODE) | \
	    KP_ENTITY_BIT(KP_E_ERROR_TEXT) | \
	    KP_ENTITY_BIT(KP_E_RESOURCE_TYPE) | \
	    KP_ENTITY_BIT(KP_E_RESOURCE_NAME) | \
	    KP_ENTITY_BIT(KP_E_CONFIG_NAME) | \
	    KP_ENTITY_BIT(KP_E_CONFIG_VALUE))

/*
 * Entities without which the others need no look: an answer with resource names
 * but no configuration values has nothing for us.
 */
#define KP_RENAME_ANSWER_TRIGGER \
	(KP_ENTITY_BIT(KP_E_HOST) | KP_ENTITY_BIT(KP_E_PORT) | \
	    KP_ENTITY_BIT(KP_E_ENDPOINTS) | KP_ENTITY_BIT(KP_E_ERROR_TEXT) | \
	    KP_ENTITY_BIT(KP_E_CONFIG_VALUE))

/* What happened to addresses, for metrics and the log. */
struct kp_rename_counts {
	uint32_t addresses; /* host fields replaced */
	uint32_t unmapped;  /* nodes left out: the listener has no address */
	uint32_t texts;     /* texts and configurations cleaned */
};

/* News about nodes is told to this function. */
typedef void (*kp_learned_fn)(void *context, const struct kp_node *node);

struct kp_rename {
	struct kp_scrub scrub; /* listener and topology */
	kp_learned_fn learned;
	void *context;
	struct kp_rename_counts counts;

	/* of the row that is being walked */
	struct kp_node seen; /* as the broker said */
	struct kp_node view; /* as clients are told */
	bool has_view;
	int8_t resource_type;
	int32_t resource_node;
	bool is_address_config;
	struct kp_buf text; /* the replacement of the current value */
};

void kp_rename_init(struct kp_rename *rename,
    const struct kp_tables_listener *listener, struct kp_topology *topology,
    kp_learned_fn learned, void *context);
void kp_rename_fini(struct kp_rename *rename);

/* kp_rename_concerns: would something be done to what is shown? */
bool kp_rename_concerns(const struct kp_visit *visit);

/* kp_rename_whole is the visitor for kp_walk_whole and kp_walk_tail. */
struct kp_visitor kp_rename_whole(struct kp_rename *rename);

/*
 * kp_rename_pieces is the visitor for kp_walk_feed, which may not change
 * lengths: texts are blanked in place; endpoints are in the tail.
 */
struct kp_visitor kp_rename_pieces(struct kp_rename *rename);

/*
 * kp_rename_action is what is done to a field of that message, as one word for
 * the coverage matrix: "rewrite", "learn", "clean", "narrow", "empty", "pass".
 */
const char *kp_rename_action(const struct kp_message *message,
    const struct kp_field *field, int16_t version);

#endif
