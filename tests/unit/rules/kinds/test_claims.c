/* SPDX-License-Identifier: Apache-2.0 */
/* Claims that clash, against every pair compared with every other. */
#include "rules/kinds/claims.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "tests/support/declared.h"
#include "tests/support/many.h"

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

/* How num claims are kept apart: by place, by nodes or by range. */
enum apart { BY_PLACE, BY_NODES, BY_RANGE, NUM_APART };

static bool
no_clash(void *ctx, const struct kp_claim *early, const struct kp_claim *late)
{
	(void)ctx;
	(void)early;
	(void)late;
	cr_assert(false, "a clash where there is none");
	return false;
}

/* The least time that a visit of num claims takes. */
static int64_t
time_visit(const struct kp_resource *const *many, size_t num, enum apart apart)
{
	struct kp_claim *claims = kp_alloc(num, sizeof(*claims));
	int64_t best = INT64_MAX;

	for (int run = 0; run < 5; run++) {
		int64_t took, from;

		for (size_t i = 0; i < num; i++)
			claims[i] = (struct kp_claim){
				.by = many[i],
				.position = i,
				.place =
				    apart == BY_PLACE ? many[i]->name : "p",
				.first = apart == BY_RANGE ? (int64_t)i : 0,
				.last = apart == BY_RANGE ? (int64_t)i : 9,
			};
		from = kp_test_cpu_ns();
		kp_claims_visit(claims, num, no_clash, NULL);
		took = kp_test_cpu_ns() - from;
		best = took < best ? took : best;
	}
	free(claims);
	return best;
}

/* Listeners, each for a node of its own or all of them for every node. */
static const struct kp_resource **
make_many(enum apart apart, size_t num)
{
	const struct kp_resource **many = kp_alloc(num, sizeof(*many));

	for (size_t i = 0; i < num; i++)
		many[i] = kp_test_many_one(
		    apart == BY_NODES ? KP_TEST_BY_NODE : KP_TEST_BY_ADDRESS,
		    3 * i + 1);
	return many;
}

/* Comparing each with each other would take a hundred times as long. */
Test(claims, ten_times_as_many_take_about_ten_times_as_long)
{
	const size_t num = 10000;

	for (int i = 0; i < NUM_APART; i++) {
		enum apart apart = (enum apart)i;
		const struct kp_resource **many = make_many(apart, num);
		int64_t few = time_visit(many, num / 10, apart);
		int64_t all = time_visit(many, num, apart);

		cr_expect(all < 33 * few, "%d: %lld ns, %lld ns", i,
		    (long long)few, (long long)all);
		kp_test_many_free(many, num);
	}
}
