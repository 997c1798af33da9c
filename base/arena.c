/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/alloc.h"

#define CHUNK_SIZE 4096
#define ALIGNMENT 16

struct kp_arena_block {
	_Alignas(ALIGNMENT) struct kp_arena_block *next;
	size_t len; /* of the bytes behind this header */
};

void
kp_arena_init(struct kp_arena *arena, size_t max_len)
{
	*arena = (struct kp_arena){ .max_len = max_len };
}

static void
free_chunks(struct kp_arena_block *chunk)
{
	while (chunk != NULL) {
		struct kp_arena_block *next = chunk->next;

		free(chunk);
		chunk = next;
	}
}

void
kp_arena_fini(struct kp_arena *arena)
{
	free_chunks(arena->chunks);
	*arena = (struct kp_arena){ .max_len = 0 };
}

void
kp_arena_reset(struct kp_arena *arena)
{
	struct kp_arena_block *kept = arena->chunks;

	arena->used = arena->taken = 0;
	arena->failed = false;
	if (kept == NULL)
		return;
	free_chunks(kept->next);
	kept->next = NULL;
	arena->left = kept->len;
}

static bool
add_chunk(struct kp_arena *arena, size_t len)
{
	struct kp_arena_block *chunk = kp_try_alloc(sizeof(*chunk) + len);

	if (chunk == NULL)
		return false;
	*chunk = (struct kp_arena_block){ .next = arena->chunks, .len = len };
	arena->chunks = chunk;
	arena->used = 0;
	arena->left = len;
	return true;
}

void
kp_arena_begin(struct kp_arena *arena, size_t len)
{
	kp_assert(arena->chunks == NULL);
	if (!add_chunk(arena, len))
		arena->failed = true;
}

static void *
take(struct kp_arena *arena, size_t len)
{
	uint8_t *bytes = (uint8_t *)(arena->chunks + 1) + arena->used;

	arena->used += len;
	arena->left -= len;
	arena->taken += len;
	return bytes;
}

void *
kp_arena_get(struct kp_arena *arena, size_t count, size_t size)
{
	size_t room = arena->max_len - arena->taken, len;

	if (arena->failed || __builtin_mul_overflow(count, size, &len) ||
	    len > room) {
		arena->failed = true;
		return NULL;
	}
	len = (len + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	if (len == 0)
		len = ALIGNMENT;
	if (len > room ||
	    (len > arena->left &&
		!add_chunk(arena, len < CHUNK_SIZE ? CHUNK_SIZE : len))) {
		arena->failed = true;
		return NULL;
	}
	return take(arena, len);
}

char *
kp_arena_copy(struct kp_arena *arena, struct kp_bytes bytes)
{
	char *copy = NULL;

	if (bytes.len < SIZE_MAX)
		copy = kp_arena_get(arena, bytes.len + 1, 1);
	if (copy == NULL)
		return NULL;
	kp_copy(copy, bytes.data, bytes.len);
	copy[bytes.len] = '\0';
	return copy;
}
