/* SPDX-License-Identifier: Apache-2.0 */
/*
 * May this request pass, and which of its items? Policies are asked about each
 * item; what is refused never reaches the broker and is told in the answer, in
 * the place where the client expects it. @thread connection
 */
#ifndef KP_PROXY_GOVERN_GOVERN_H
#define KP_PROXY_GOVERN_GOVERN_H

#include "rules/govern/judge.h"

/*
 * Memory that a message of len bytes may take while it is judged or merged: as
 * trees (rows of a few numbers take about 16 times as much), as views of one
 * item, as a tree of the answer, and as what is written; for each a part.
 */
#define KP_GOVERN_PART_LEN(len) (32 * (size_t)(len) + (128u << 10))
#define KP_GOVERN_MEMORY(len) (4 * KP_GOVERN_PART_LEN(len))

/* What overrides set, where there are any, takes this in addition; a quarter of
 * it is what the request may grow by. Ten settings in each of a thousand topics
 * find room. */
#define KP_GOVERN_CHANGES_MEMORY(len) (64 * (size_t)(len) + (2u << 20))
#define KP_GOVERN_MAX_GROWTH(len) (KP_GOVERN_CHANGES_MEMORY(len) / 4)

/* Bytes of all sentences about one request; an item beyond has this one. */
#define KP_GOVERN_TEXTS_LEN(len) (8 * (size_t)(len) + (64u << 10))
#define KP_GOVERN_UNSAID \
	"refused by policies; of fewer items in one request it is said why"

enum kp_ruling_kind {
	KP_RULING_PASS,    /* all of it, as it is */
	KP_RULING_CHANGED, /* all of it, as policies changed it */
	KP_RULING_PART,    /* without the items that are refused */
	KP_RULING_REFUSED, /* nothing of it */
};

struct kp_ruling {
	enum kp_ruling_kind kind;
	struct kp_buf request; /* CHANGED, PART: the body that goes on */
	/* PART: what kp_govern_merge needs; REFUSED: the body of the answer */
	struct kp_buf answer;
	uint32_t num_items, num_refused;
	uint32_t num_changed; /* items that go on */
};

/* What a policy says against an item; once for each finding. */
typedef void (*kp_govern_found)(
    void *ctx, const struct kp_item *item, const struct kp_finding *finding);

/* What a policy set in an item that goes on; once for each field. */
typedef void (*kp_govern_changed)(
    void *ctx, const struct kp_item *item, const struct kp_change *change);

struct kp_govern {
	const struct kp_policies *policies;
	const struct kp_facts *facts;
	size_t max_body_len; /* of what overrides make longer */
	kp_govern_found found;
	kp_govern_changed changed;
	void *ctx;
};

/*
 * kp_govern_request judges the body of a request of an API that is governed, of
 * a version up to kp_object_max_version.
 * KP_ERR_PROTOCOL if it is malformed, KP_ERR_LIMIT if it takes too much memory:
 * it must not be passed on then. End *out with kp_ruling_fini, also on failure.
 */
bool kp_govern_request(const struct kp_govern *govern, struct kp_bytes body,
    struct kp_ruling *out, struct kp_error *err) KP_MUST_CHECK;
void kp_ruling_fini(struct kp_ruling *ruling);

/*
 * kp_govern_merge adds to out the body of an answer that tells of all items, in
 * the order of the request: refused is the ruling's answer, body the broker's
 * of the others. Errors as above.
 */
bool kp_govern_merge(int16_t api_key, int16_t api_version,
    struct kp_bytes refused, struct kp_bytes body, struct kp_buf *out,
    struct kp_error *err) KP_MUST_CHECK;

#endif
