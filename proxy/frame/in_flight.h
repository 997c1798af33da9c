/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The requests of one connection that have no answer yet, in the order they
 * came in. Kafka answers in that order, and so do we: an answer that the proxy
 * makes itself waits its turn in the same queue. @thread connection
 */
#ifndef KP_PROXY_FRAME_IN_FLIGHT_H
#define KP_PROXY_FRAME_IN_FLIGHT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

enum kp_pending_kind {
	KP_PENDING_BROKER, /* the broker will answer */
	KP_PENDING_MERGED, /* so it will; answer is what we have to say, too */
	KP_PENDING_TWICE,  /* it will twice: nobody is to see the first answer,
			    * and the second is one of KP_PENDING_MERGED */
	KP_PENDING_JUDGED, /* not sent yet: nobody can answer */
	KP_PENDING_LOCAL,  /* answer holds the whole frame */
	KP_PENDING_TOKEN,  /* the broker may answer with a bare SASL token */
};

struct kp_pending {
	enum kp_pending_kind kind;
	int16_t api_key, api_version;
	int32_t correlation_id;
	struct kp_buf answer; /* owned; not of _BROKER, _JUDGED, _TOKEN */
	size_t charged_len;   /* for it */
};

/* Most connections never have more than a few: no heap until then. */
#define KP_IN_FLIGHT_INLINE 4

struct kp_in_flight {
	struct kp_pending inline_ring[KP_IN_FLIGHT_INLINE];
	struct kp_pending *ring; /* inline_ring or heap */
	uint32_t capacity;       /* a power of two */
	uint32_t first, num;
	uint32_t max; /* limit: reading from the client stops there */
};

void kp_in_flight_init(struct kp_in_flight *queue, uint32_t max);
void kp_in_flight_fini(struct kp_in_flight *queue);

bool kp_in_flight_is_full(const struct kp_in_flight *queue);

/*
 * kp_in_flight_push adds a zeroed entry at the end and returns it, valid until
 * the next push. The queue must not be full.
 */
struct kp_pending *kp_in_flight_push(struct kp_in_flight *queue);

/* The oldest entry, NULL if there is none; valid until the next push or pop. */
struct kp_pending *kp_in_flight_head(struct kp_in_flight *queue);

/* The newest entry, NULL if there is none; valid as above. */
struct kp_pending *kp_in_flight_newest(struct kp_in_flight *queue);

/* kp_in_flight_pop removes the oldest entry and frees its answer. */
void kp_in_flight_pop(struct kp_in_flight *queue);

#endif
