/* SPDX-License-Identifier: Apache-2.0 */
/*
 * glibc's malloc reads two files when threads use it, each once: the number of
 * processors, before it makes more heaps, and how freely the kernel gives
 * memory, before the heap of a thread shrinks for the first time. Both happen
 * here instead of some time in the life of a worker.
 */
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/alloc.h"
#include "proxy/link/sandbox_priv.h"

/* A heap keeps this much at its end, and holds no block that is longer. */
#define KEEP_LEN (128 * 1024)

/* Each too large to be kept for reuse, together more than a heap keeps free. */
#define NUM_BLOCKS 8
#define BLOCK_LEN 65536

/* A heap for each of two threads, so that malloc has to think of a limit. */
static void *
use_heap(void *is_last)
{
	void *blocks[NUM_BLOCKS];
	pthread_t other;

	for (unsigned i = 0; i < NUM_BLOCKS; i++)
		blocks[i] = kp_alloc(1, BLOCK_LEN);
	if (is_last == NULL) {
		kp_must(pthread_create(&other, NULL, use_heap, blocks));
		kp_must(pthread_join(other, NULL));
	}
	for (unsigned i = 0; i < NUM_BLOCKS; i++)
		free(blocks[i]);
	return NULL;
}

void
kp_warm_up(void)
{
	pthread_t thread;

	/* UTC in our log, too, makes the library look for the time zone */
	tzset();
	/* not only at the ninth heap; what the environment says stays */
	(void)mallopt(M_ARENA_TEST, 1);
	/*
	 * What is longer, such as a frame that is held, comes from the system
	 * and goes back to it; nor does any of the heaps keep more at its end.
	 * By itself malloc learns from the longest blocks to keep such ones.
	 */
	(void)mallopt(M_MMAP_THRESHOLD, KEEP_LEN);
	(void)mallopt(M_TRIM_THRESHOLD, KEEP_LEN);
	kp_must(pthread_create(&thread, NULL, use_heap, NULL));
	kp_must(pthread_join(thread, NULL));
}
