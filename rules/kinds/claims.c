/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A walk through the claims by where they begin. Those that have not ended yet
 * lie in buckets by place and by one label of their nodes, the one that tells
 * most of them apart, so that each claim is compared with few others.
 */
#include "rules/kinds/claims.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* Claims that may still clash with later ones. */
struct bucket {
	uint32_t *list;
	size_t num, max;
};

/* Claims told apart by a text; bucket 0 has those without one. */
struct shelf {
	uint32_t *bucket_of; /* each claim's */
	struct bucket *buckets;
	size_t num;
};

struct walk {
	const struct kp_claim *claims;
	size_t num;
	struct shelf by_place, by_label;
	struct bucket all;
	kp_visit_clash visit;
	void *ctx;
};

/* A claim's text, NULL if it has none. */
struct keyed {
	const char *text;
	uint32_t claim;
};

/* By where they begin, then in the order in which they were said. */
static int
compare_claims(const void *left, const void *right)
{
	const struct kp_claim *a = left, *b = right;

	if (a->first != b->first)
		return a->first < b->first ? -1 : 1;
	return a->position < b->position ? -1 : a->position > b->position;
}

static int
compare_keyed(const void *left, const void *right)
{
	const struct keyed *a = left, *b = right;

	if (a->text == NULL || b->text == NULL)
		return (a->text != NULL) - (b->text != NULL);
	return strcmp(a->text, b->text);
}

/* Gives each text a bucket of its own. keys are sorted on the way. */
static void
shelf_init(struct shelf *shelf, struct keyed *keys, size_t num)
{
	uint32_t bucket = 0;

	qsort(keys, num, sizeof(*keys), compare_keyed);
	shelf->bucket_of = kp_alloc(num, sizeof(*shelf->bucket_of));
	for (size_t i = 0; i < num; i++) {
		if (keys[i].text != NULL &&
		    (i == 0 || compare_keyed(&keys[i - 1], &keys[i]) != 0))
			bucket++;
		shelf->bucket_of[keys[i].claim] = bucket;
	}
	shelf->num = (size_t)bucket + 1;
	shelf->buckets = kp_alloc(shelf->num, sizeof(*shelf->buckets));
}

static void
shelf_fini(struct shelf *shelf)
{
	for (size_t i = 0; i < shelf->num; i++)
		free(shelf->buckets[i].list);
	free(shelf->buckets);
	free(shelf->bucket_of);
}

static int
compare_pairs(const void *left, const void *right)
{
	const struct kp_label *a = left, *b = right;
	int order = strcmp(a->name, b->name);

	return order != 0 ? order : strcmp(a->value, b->value);
}

/* The name with the most values among sorted pairs; NULL if there are none. */
static const char *
most_telling(const struct kp_label *pairs, size_t num)
{
	const char *best = NULL;
	size_t most = 0, num_values = 0;

	for (size_t i = 0; i < num; i++) {
		if (i == 0 || strcmp(pairs[i - 1].name, pairs[i].name) != 0)
			num_values = 1;
		else
			num_values +=
			    strcmp(pairs[i - 1].value, pairs[i].value) != 0;
		if (num_values > most) {
			most = num_values;
			best = pairs[i].name;
		}
	}
	return best;
}

static const char *
choose_label(const struct kp_claim *claims, size_t num)
{
	struct kp_label *pairs;
	const char *best;
	size_t num_pairs = 0;

	for (size_t i = 0; i < num; i++)
		num_pairs += claims[i].by->nodes.num;
	pairs = kp_alloc(num_pairs, sizeof(*pairs));
	num_pairs = 0;
	for (size_t i = 0; i < num; i++) {
		const struct kp_labels *nodes = &claims[i].by->nodes;

		for (size_t k = 0; k < nodes->num; k++)
			pairs[num_pairs++] = nodes->list[k];
	}
	qsort(pairs, num_pairs, sizeof(*pairs), compare_pairs);
	best = most_telling(pairs, num_pairs);
	free(pairs);
	return best;
}

static void
make_shelves(struct walk *w)
{
	const char *label = choose_label(w->claims, w->num);
	struct keyed *keys = kp_alloc(w->num, sizeof(*keys));

	for (size_t i = 0; i < w->num; i++)
		keys[i] = (struct keyed){ w->claims[i].place, (uint32_t)i };
	shelf_init(&w->by_place, keys, w->num);
	for (size_t i = 0; i < w->num; i++) {
		keys[i] = (struct keyed){ NULL, (uint32_t)i };
		if (label != NULL)
			keys[i].text =
			    kp_labels_find(&w->claims[i].by->nodes, label);
	}
	shelf_init(&w->by_label, keys, w->num);
	free(keys);
}

static void
put(struct bucket *bucket, uint32_t claim)
{
	if (bucket->num == bucket->max) {
		bucket->max = 2 * bucket->max + 4;
		bucket->list = kp_realloc(
		    bucket->list, bucket->max, sizeof(*bucket->list));
	}
	bucket->list[bucket->num++] = claim;
}

static bool
is_clash(const struct kp_claim *a, const struct kp_claim *b)
{
	return a->by != b->by &&
	       (a->place == NULL || b->place == NULL ||
		   strcmp(a->place, b->place) == 0) &&
	       !kp_labels_contradict(&a->by->nodes, &b->by->nodes);
}

/* Throws out what has ended. Returns false if no more is to be heard of late.
 */
static bool
search(struct walk *w, struct bucket *bucket, const struct kp_claim *late)
{
	size_t num_kept = 0, i = 0;
	bool goes_on = true;

	while (goes_on && i < bucket->num) {
		const struct kp_claim *early = &w->claims[bucket->list[i]];

		if (early->last >= late->first) {
			bucket->list[num_kept++] = bucket->list[i];
			if (is_clash(early, late))
				goes_on = w->visit(w->ctx, early, late);
		}
		i++;
	}
	if (num_kept != i)
		kp_move(&bucket->list[num_kept], &bucket->list[i],
		    (bucket->num - i) * sizeof(*bucket->list));
	bucket->num -= i - num_kept;
	return goes_on;
}

static struct bucket *
bucket_of(struct shelf *shelf, size_t claim)
{
	return &shelf->buckets[shelf->bucket_of[claim]];
}

/* How many a search by this shelf looks at. */
static size_t
count(const struct walk *w, struct shelf *shelf, size_t claim)
{
	if (shelf->bucket_of[claim] == 0)
		return w->all.num;
	return bucket_of(shelf, claim)->num + shelf->buckets[0].num;
}

static void
search_all(struct walk *w, size_t claim)
{
	const struct kp_claim *late = &w->claims[claim];
	struct shelf *shelf = &w->by_place;

	if (count(w, &w->by_label, claim) < count(w, shelf, claim))
		shelf = &w->by_label;
	if (shelf->bucket_of[claim] == 0)
		(void)search(w, &w->all, late);
	else if (search(w, bucket_of(shelf, claim), late))
		(void)search(w, &shelf->buckets[0], late);
}

void
kp_claims_visit(
    struct kp_claim *claims, size_t num, kp_visit_clash visit, void *ctx)
{
	struct walk w = { .claims = claims, .num = num, .visit = visit };

	w.ctx = ctx;
	if (num == 0)
		return;
	qsort(claims, num, sizeof(*claims), compare_claims);
	make_shelves(&w);
	for (size_t i = 0; i < num; i++) {
		search_all(&w, i);
		put(&w.all, (uint32_t)i);
		put(bucket_of(&w.by_place, i), (uint32_t)i);
		put(bucket_of(&w.by_label, i), (uint32_t)i);
	}
	shelf_fini(&w.by_place);
	shelf_fini(&w.by_label);
	free(w.all.list);
}
