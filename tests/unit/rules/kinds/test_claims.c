/* SPDX-License-Identifier: Apache-2.0 */
/* Claims that clash, against every pair compared with every other. */
#include "rules/kinds/claims.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "tests/support/declared.h"

#define NUM_RESOURCES 40
#define NUM_CLAIMS 60
#define ROUNDS 300

static const char *const places[] = { NULL, "p", "q", "r" };

/* Pairs of positions that clashed, each in both orders. */
struct seen {
	bool clash[NUM_RESOURCES][NUM_RESOURCES];
	bool is_enough; /* the first clash of a claim ends its search */
	size_t num_visits;
};

static uint64_t
draw(uint64_t *state, uint64_t below)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state % below;
}

/* Clusters, each for nodes with some of three labels. */
static struct kp_resources *
make_resources(uint64_t *state)
{
	static const char *const names[] = { "site", "tier", "node" };
	struct kp_resources *set;
	struct kp_buf text;

	kp_buf_init(&text, 1u << 16);
	for (int i = 0; i < NUM_RESOURCES; i++) {
		kp_buf_printf(&text,
		    "---\n{apiVersion: kproxy/v1, kind: Cluster, metadata: "
		    "{name: c%d}, spec: {bootstrap: [a:1], nodes: {",
		    i);
		for (size_t k = 0; k < 3; k++) {
			if (draw(state, 2) == 0)
				kp_buf_printf(&text, "%s: v%d, ", names[k],
				    (int)draw(state, k == 2 ? 9 : 2));
		}
		kp_buf_add_text(&text, "}}}\n");
	}
	kp_buf_add(&text, "", 1);
	set = kp_test_resources((const char *)text.data);
	kp_buf_fini(&text);
	return set;
}

static bool
note(void *ctx, const struct kp_claim *early, const struct kp_claim *late)
{
	struct seen *seen = ctx;

	cr_assert(
	    early->first < late->first ||
	    (early->first == late->first && early->position < late->position));
	seen->clash[early->position][late->position] = true;
	seen->clash[late->position][early->position] = true;
	seen->num_visits++;
	return !seen->is_enough;
}

static bool
is_clash(const struct kp_claim *a, const struct kp_claim *b)
{
	if (a->by == b->by || a->last < b->first || b->last < a->first)
		return false;
	if (a->place != NULL && b->place != NULL &&
	    strcmp(a->place, b->place) != 0)
		return false;
	return !kp_labels_contradict(&a->by->nodes, &b->by->nodes);
}

static void
compare(const struct kp_claim *claims, const struct seen *seen)
{
	struct seen wanted = { .num_visits = 0 };

	for (size_t i = 0; i < NUM_CLAIMS; i++) {
		for (size_t k = 0; k < NUM_CLAIMS; k++)
			wanted.clash[claims[i].position][claims[k].position] |=
			    is_clash(&claims[i], &claims[k]);
	}
	cr_assert(memcmp(wanted.clash, seen->clash, sizeof(wanted.clash)) == 0);
}

static void
fill(struct kp_claim *claims, const struct kp_resources *set, uint64_t *state)
{
	for (size_t i = 0; i < NUM_CLAIMS; i++) {
		size_t position = i % NUM_RESOURCES;
		int64_t first = (int64_t)draw(state, 60);

		claims[i] = (struct kp_claim){
			.by = kp_resources_at(set, position),
			.position = position,
			.place = places[draw(state, 4)],
			.first = first,
			.last = first + (int64_t)draw(state, 8),
		};
	}
}

Test(claims, every_clash_is_found_and_no_other)
{
	uint64_t state = UINT64_C(88172645463325252);

	for (int round = 0; round < ROUNDS; round++) {
		struct kp_resources *set = make_resources(&state);
		struct kp_claim claims[NUM_CLAIMS];
		struct seen seen = { .num_visits = 0 };

		fill(claims, set, &state);
		kp_claims_visit(claims, NUM_CLAIMS, note, &seen);
		compare(claims, &seen);
		kp_resources_free(set);
	}
}

Test(claims, one_that_heard_enough_is_left_alone)
{
	uint64_t state = 1;
	struct kp_resources *set = make_resources(&state);
	struct kp_claim claims[NUM_RESOURCES];
	struct seen seen = { .is_enough = true };

	for (size_t i = 0; i < NUM_RESOURCES; i++)
		claims[i] = (struct kp_claim){
			.by = kp_resources_at(set, i),
			.position = i,
			.last = 9,
		};
	kp_claims_visit(claims, NUM_RESOURCES, note, &seen);
	cr_assert(seen.num_visits > 0);
	cr_assert(seen.num_visits < NUM_RESOURCES);
	kp_resources_free(set);
}

Test(claims, nothing_claimed_is_nothing_to_visit)
{
	kp_claims_visit(NULL, 0, note, NULL);
}
