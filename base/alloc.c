/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

/* Beside the number of allocations until one fails: all after it do, too. */
#define FROM (1u << 31)

static atomic_uint fail_after; /* 0: none fails; FROM alone: all do */

/* Several threads count the same allocations, and one of them fails first. */
static bool
is_failing_now(void)
{
	unsigned at = atomic_load_explicit(&fail_after, memory_order_relaxed);

	while (at != 0 && at != FROM) {
		if (atomic_compare_exchange_weak_explicit(&fail_after, &at,
			at - 1, memory_order_relaxed, memory_order_relaxed))
			return at % FROM == 1;
	}
	return at == FROM;
}

static unsigned
arm(unsigned at)
{
	return atomic_exchange_explicit(&fail_after, at, memory_order_relaxed) %
	       FROM;
}

unsigned
kp_alloc_fail_after(unsigned n)
{
	return arm(n);
}

unsigned
kp_alloc_fail_from(unsigned n)
{
	return arm(n == 0 ? 0 : FROM | n);
}

void *
kp_alloc(size_t count, size_t size)
{
	void *memory = calloc(count, size);

	kp_assert(memory != NULL || count == 0 || size == 0);
	return memory;
}

void *
kp_realloc(void *old, size_t count, size_t size)
{
	void *memory = reallocarray(old, count, size);

	kp_assert(memory != NULL || count == 0 || size == 0);
	return memory;
}

char *
kp_strdup(const char *text)
{
	return kp_strndup(text, strlen(text));
}

char *
kp_strndup(const char *text, size_t len)
{
	char *copy = strndup(text, len);

	kp_assert(copy != NULL);
	return copy;
}

void *
kp_try_alloc(size_t size)
{
	return is_failing_now() ? NULL : malloc(size);
}

void *
kp_try_realloc(void *old, size_t size)
{
	return is_failing_now() ? NULL : realloc(old, size);
}
