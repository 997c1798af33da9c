/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks policies about the items of a request. Evaluation is bounded by steps
 * and memory, for each expression and for all of a request; at a bound the
 * failurePolicy decides. @thread any, one at a time
 */
#ifndef KP_RULES_GOVERN_JUDGE_H
#define KP_RULES_GOVERN_JUDGE_H

#include "rules/govern/override.h"
#include "rules/govern/policy.h"
#include "rules/govern/view.h"

/* Steps of one expression, and of all expressions for one request. */
#define KP_JUDGE_MAX_STEPS 100000
#define KP_JUDGE_MAX_REQUEST_STEPS 100000000
/* Bytes that the values of one expression may take. */
#define KP_JUDGE_MAX_MEMORY (256u << 10)

/* Bytes of the sentence of one validation, in all. */
#define KP_JUDGE_MAX_TEXT_LEN 1024

/* What is known beside the request. Borrowed. */
struct kp_facts {
	int16_t api_key, api_version;
	struct kp_bytes client_id; /* empty: none */
	const char *principal;     /* "": nobody knows */
	const char *virtual_cluster;
	const char *listener;
	const char *address; /* of the client, without port */
};

/*
 * What a policy set in an item that passes. Borrowed: before and after as long
 * as the room of kp_judge_changes.
 */
struct kp_change {
	const char *policy;
	const char *field;      /* as the policy names it */
	struct kp_bytes before; /* data NULL: it had no value */
	struct kp_bytes after;
};

typedef void (*kp_changed)(void *ctx, const struct kp_change *change);

/* What a policy says against an item. */
struct kp_finding {
	const char *policy;
	enum kp_policy_action action;
	bool is_failure; /* an expression could not be evaluated */
	const char *text;
};
typedef void (*kp_found)(void *ctx, const struct kp_finding *finding);

/* Is a policy asked about an item, or what of its match does not fit? */
enum kp_match {
	KP_MATCH_NOT_API,
	KP_MATCH_NOT_VIRTUAL_CLUSTER,
	KP_MATCH_NOT_TOPIC,
	KP_MATCH_ALL, /* it is asked */
};

enum kp_override_outcome {
	KP_OVERRIDE_UNMET, /* when is not so */
	KP_OVERRIDE_SAME,  /* the field has that value */
	KP_OVERRIDE_SET,
	KP_OVERRIDE_WOULD_SET, /* but the policy only warns */
	KP_OVERRIDE_FAILED,
};

/* What an override comes to. */
struct kp_override_seen {
	size_t index;
	enum kp_override_outcome outcome;
	const struct kp_change *change;   /* of SET and WOULD_SET, or NULL */
	const struct kp_finding *finding; /* of WOULD_SET and FAILED, or NULL */
	/* Why an expression of it has no value, or NULL, and which one. */
	const struct kp_cel_fault *fault;
	struct kp_bytes source;
};

/*
 * Who wants to see how a judge comes to what it finds, in the order in which it
 * does. What is shown is valid during the call.
 */
struct kp_observer {
	/* A policy for requests of the API, before it is asked: about what
	 * it sets, if it sets anything, and then about what is to be so. */
	void (*policy)(void *ctx, const struct kp_tables_policy *policy,
	    enum kp_match match);
	/* A variable of that policy, when it is needed; ERROR if it has no
	 * value. Again, where something was set since. */
	void (*variable)(void *ctx, size_t index, struct kp_cel_value value);
	/* An override of it. */
	void (*override)(void *ctx, const struct kp_override_seen *seen);
	/* A validation of it: finding is NULL if it is true, and fault if it
	 * could be evaluated. */
	void (*validation)(void *ctx, size_t index,
	    const struct kp_finding *finding, const struct kp_cel_fault *fault);
	void *ctx;
};

/*
 * kp_policies_govern: may any policy have something to say of requests of that
 * API in that virtual cluster? policies may be NULL: none.
 */
bool kp_policies_govern(const struct kp_policies *policies, int16_t api_key,
    const char *virtual_cluster);

/* kp_policies_override: may any of them set something? */
bool kp_policies_override(const struct kp_policies *policies, int16_t api_key,
    const char *virtual_cluster);

struct kp_judge;

/* policies and facts are borrowed until free. */
struct kp_judge *kp_judge_new(
    const struct kp_policies *policies, const struct kp_facts *facts);
void kp_judge_free(struct kp_judge *judge);

/* kp_judge_observe: observer, borrowed until free, changes nothing. */
void kp_judge_observe(
    struct kp_judge *judge, const struct kp_observer *observer);

/* How items may be changed. */
struct kp_judge_changes {
	struct kp_override_room room;
	/* What was set in an item that passes; NULL: nobody asks. */
	kp_changed changed;
	void *ctx;
};

/*
 * kp_judge_may_change: changes, borrowed until free, is where overrides find
 * room for what they set in the requests of items. Without this an override
 * that would change something has failed: such items cannot be changed.
 */
void kp_judge_may_change(
    struct kp_judge *judge, struct kp_judge_changes *changes);

/*
 * kp_judge_item lets all policies set what they want in item, then shows all
 * findings against what it is now, and returns false if one of them denies it:
 * it must not go on then, since only a part of it may have been set. An
 * override for which there is no room denies it, whatever failurePolicy says.
 */
bool kp_judge_item(struct kp_judge *judge, const struct kp_item *item,
    kp_found found, void *ctx) KP_MUST_CHECK;

#endif
