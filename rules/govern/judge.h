/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks policies about the items of a request. Evaluation is bounded by steps
 * and memory, for each expression and for all of a request; at a bound the
 * failurePolicy decides. @thread any, one at a time
 */
#ifndef KP_RULES_GOVERN_JUDGE_H
#define KP_RULES_GOVERN_JUDGE_H

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

/*
 * Who wants to see how a judge comes to what it finds, in the order in which it
 * does. What is shown is valid during the call.
 */
struct kp_observer {
	/* A policy for requests of the API, before it is asked. */
	void (*policy)(void *ctx, const struct kp_tables_policy *policy,
	    enum kp_match match);
	/* A variable of that policy, when it is needed; ERROR if it has no
	 * value. */
	void (*variable)(void *ctx, size_t index, struct kp_cel_value value);
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

struct kp_judge;

/* policies and facts are borrowed until free. */
struct kp_judge *kp_judge_new(
    const struct kp_policies *policies, const struct kp_facts *facts);
void kp_judge_free(struct kp_judge *judge);

/* kp_judge_observe: observer, borrowed until free, changes nothing. */
void kp_judge_observe(
    struct kp_judge *judge, const struct kp_observer *observer);

/*
 * kp_judge_item shows all findings against item and returns false if one of
 * them denies it.
 */
bool kp_judge_item(struct kp_judge *judge, const struct kp_item *item,
    kp_found found, void *ctx) KP_MUST_CHECK;

#endif
