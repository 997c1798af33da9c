/* SPDX-License-Identifier: Apache-2.0 */
#include "control/server/rates.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* Tokens are counted in thousandths, as time is in milliseconds. */
#define TOKEN 1000
/* Places that are looked at; the quietest of them goes when all are taken. */
#define PROBES 8

struct bucket {
	char *identity; /* NULL: empty */
	int64_t tokens;
	int64_t filled_ms;
};

struct kp_rates {
	int64_t rate, max_tokens;
	struct bucket *buckets;
	size_t num; /* a power of two */
};

struct kp_rates *
kp_rates_new(int64_t rate, int64_t burst, size_t max)
{
	struct kp_rates *rates = kp_alloc(1, sizeof(*rates));

	rates->rate = rate;
	rates->max_tokens = burst * TOKEN;
	for (rates->num = PROBES; rates->num < max; rates->num *= 2)
		;
	rates->buckets = kp_alloc(rates->num, sizeof(*rates->buckets));
	return rates;
}

void
kp_rates_free(struct kp_rates *rates)
{
	if (rates == NULL)
		return;
	for (size_t i = 0; i < rates->num; i++)
		free(rates->buckets[i].identity);
	free(rates->buckets);
	free(rates);
}

/* FNV-1a: identities are signed by the CA, nobody picks them to collide. */
static size_t
hash(const char *text)
{
	uint64_t value = UINT64_C(14695981039346656037);

	for (; *text != '\0'; text++)
		value = (value ^ (uint8_t)*text) * UINT64_C(1099511628211);
	return (size_t)(value ^ value >> 32);
}

static struct bucket *
find(struct kp_rates *rates, const char *identity)
{
	struct bucket *quietest = NULL;
	size_t first = hash(identity);

	for (size_t i = 0; i < PROBES; i++) {
		struct bucket *b =
		    &rates->buckets[(first + i) & (rates->num - 1)];

		if (b->identity != NULL && strcmp(b->identity, identity) == 0)
			return b;
		if (quietest == NULL || b->identity == NULL ||
		    (quietest->identity != NULL &&
			b->filled_ms < quietest->filled_ms))
			quietest = b;
	}
	free(quietest->identity);
	*quietest = (struct bucket){ .identity = kp_strdup(identity),
		.tokens = rates->max_tokens };
	return quietest;
}

bool
kp_rates_take(struct kp_rates *rates, const char *identity, int64_t now_ms)
{
	struct bucket *bucket = find(rates, identity);
	int64_t quiet_ms = now_ms - bucket->filled_ms;
	int64_t missing = rates->max_tokens - bucket->tokens;

	/* a quantity that fits: rate is of a second, and so is TOKEN */
	if (quiet_ms > missing / rates->rate)
		bucket->tokens = rates->max_tokens;
	else if (quiet_ms > 0)
		bucket->tokens += quiet_ms * rates->rate;
	bucket->filled_ms = now_ms;
	if (bucket->tokens < TOKEN)
		return false;
	bucket->tokens -= TOKEN;
	return true;
}
