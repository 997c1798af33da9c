/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that is given back all at once, behind a limit in bytes: for trees of
 * many small parts that live and die together. A failure is sticky, so that
 * whoever fills a structure asks once. @thread any, one at a time
 */
#ifndef KP_BASE_ARENA_H
#define KP_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

struct kp_arena_block;

/*
 * The zero state gives nothing. failed: the limit was reached, or the system
 * has no more. The limit is on what was taken; ends of chunks that were too
 * short for something are not counted, at most as much again.
 */
struct kp_arena {
	struct kp_arena_block *chunks; /* the newest first */
	size_t used, left;             /* of the newest chunk */
	size_t taken, max_len;         /* of all */
	bool failed;
};

void kp_arena_init(struct kp_arena *arena, size_t max_len);
void kp_arena_fini(struct kp_arena *arena);

/*
 * kp_arena_begin makes the first chunk, of len bytes instead of 4 KiB: for
 * small arenas of which there are many. No need to ask: failed tells.
 */
void kp_arena_begin(struct kp_arena *arena, size_t len);

/* kp_arena_reset takes all back and keeps one chunk for the next use. */
void kp_arena_reset(struct kp_arena *arena);

/*
 * kp_arena_get returns count objects of size bytes, aligned for any, not
 * initialized, valid until reset or fini; NULL if the limit is reached.
 */
void *kp_arena_get(struct kp_arena *arena, size_t count, size_t size);

/* kp_arena_copy copies bytes and adds a NUL; NULL as above. */
char *kp_arena_copy(struct kp_arena *arena, struct kp_bytes bytes);

#endif
