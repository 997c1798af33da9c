/* SPDX-License-Identifier: Apache-2.0 */
/* Between govern.c, which judges, and refuse.c, which writes answers. */
#ifndef KP_PROXY_GOVERN_GOVERN_PRIV_H
#define KP_PROXY_GOVERN_GOVERN_PRIV_H

#include "proxy/govern/govern.h"

/* A request that has been judged. */
struct kp_judged {
	const struct kp_object_api *api;
	struct kp_tree request;
	struct kp_items items;
	struct kp_bytes *texts; /* why an item is refused; data NULL: it passes
				 */
	uint32_t num_refused;
	uint32_t num_changed; /* of the others */
	size_t texts_left;    /* bytes for more of them */
	size_t max_repeated;  /* bytes for the same in rows of partitions */
};

/*
 * kp_refuse_all adds the body of an answer in which all items that have a text
 * are refused, or, where it tells of all at once, all.
 */
bool kp_refuse_all(const struct kp_judged *judged, struct kp_buf *out,
    struct kp_error *err) KP_MUST_CHECK;

/* kp_refuse_some adds what kp_govern_merge takes. */
bool kp_refuse_some(const struct kp_judged *judged, struct kp_buf *out,
    struct kp_error *err) KP_MUST_CHECK;

#endif
