/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Valid bodies of any message in any version, made from its table with a
 * pseudo-random generator: equal seeds give equal bodies. It shares no code
 * with the walker but the tables and the writer. @thread any
 */
#ifndef KP_TESTS_SUPPORT_SAMPLE_H
#define KP_TESTS_SUPPORT_SAMPLE_H

#include "base/bytes.h"
#include "proto/kafka/schema.h"

#define KP_SAMPLE_MAX_LEN (1u << 20)

struct kp_sample {
	uint64_t random;       /* the seed, and then the state */
	bool has_unknown_tags; /* add tagged fields that no table knows */
	bool is_full;          /* no empty arrays, no nulls, all known tags */
	/* Of every node, all of which have ids from 0 to 7; NULL: anything. */
	const char *host;
	size_t records_len; /* of all records; 0: as short as other bytes */
};

/* kp_sample_random is a number from 0 to below bound. */
uint32_t kp_sample_random(struct kp_sample *sample, uint32_t bound);

/* kp_sample_body adds a body to out. */
void kp_sample_body(struct kp_sample *sample, struct kp_buf *out,
    const struct kp_message *message, int16_t version);

#endif
