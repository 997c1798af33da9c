/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/cel/arena.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/alloc.h"

#define CHUNK_SIZE 4096
#define ALIGNMENT 16

struct kp_cel_chunk {
	_Alignas(ALIGNMENT) struct kp_cel_chunk *next;
	size_t len; /* of the bytes behind this header */
};

void
kp_cel_arena_init(struct kp_cel_arena *arena, size_t max_len)
{
	*arena = (struct kp_cel_arena){ .max_len = max_len };
}

static void
free_chunks(struct kp_cel_chunk *chunk)
{
	while (chunk != NULL) {
		struct kp_cel_chunk *next = chunk->next;

		free(chunk);
		chunk = next;
	}
}

void
kp_cel_arena_fini(struct kp_cel_arena *arena)
{
	free_chunks(arena->chunks);
	*arena = (struct kp_cel_arena){ .max_len = 0 };
}

void
kp_cel_arena_reset(struct kp_cel_arena *arena)
{
	struct kp_cel_chunk *kept = arena->chunks;

	arena->used = arena->taken = 0;
	arena->failed = false;
	if (kept == NULL)
		return;
	free_chunks(kept->next);
	kept->next = NULL;
	arena->left = kept->len;
}

static bool
add_chunk(struct kp_cel_arena *arena, size_t len)
{
	struct kp_cel_chunk *chunk;

	if (len < CHUNK_SIZE)
		len = CHUNK_SIZE;
	chunk = kp_try_alloc(sizeof(*chunk) + len);
	if (chunk == NULL)
		return false;
	*chunk = (struct kp_cel_chunk){ .next = arena->chunks, .len = len };
	arena->chunks = chunk;
	arena->used = 0;
	arena->left = len;
	return true;
}

static void *
take(struct kp_cel_arena *arena, size_t len)
{
	uint8_t *bytes = (uint8_t *)(arena->chunks + 1) + arena->used;

	arena->used += len;
	arena->left -= len;
	arena->taken += len;
	return bytes;
}

void *
kp_cel_arena_get(struct kp_cel_arena *arena, size_t count, size_t size)
{
	size_t room = arena->max_len - arena->taken, len;

	if (arena->failed || (size > 0 && count > room / size)) {
		arena->failed = true;
		return NULL;
	}
	len = (count * size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	if (len == 0)
		len = ALIGNMENT;
	if (len > room || (len > arena->left && !add_chunk(arena, len))) {
		arena->failed = true;
		return NULL;
	}
	return take(arena, len);
}

char *
kp_cel_arena_copy(struct kp_cel_arena *arena, struct kp_bytes bytes)
{
	char *copy = NULL;

	if (bytes.len < SIZE_MAX)
		copy = kp_cel_arena_get(arena, bytes.len + 1, 1);
	if (copy == NULL)
		return NULL;
	kp_copy(copy, bytes.data, bytes.len);
	copy[bytes.len] = '\0';
	return copy;
}
