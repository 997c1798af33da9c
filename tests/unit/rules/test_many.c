/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ten times as many resources take about ten times as long. What compares each
 * with each other takes a hundred times; the bound lies between, so that a busy
 * machine does not matter.
 */
#include <criterion/criterion.h>

#include "tests/support/declared.h"
#include "tests/support/many.h"

#define FEW 600
#define MANY 6000
#define MAX_GROWTH 33
#define RUNS 3

/* Checks and compiles the set; the time that this took. */
static int64_t
judge(const struct kp_resource *const *many, size_t num)
{
	struct kp_diagnostics diagnostics = { 0 };
	struct kp_limits limits;
	int64_t from = kp_test_cpu_ns();
	struct kp_resources *set = kp_test_many_set(many, num);
	const struct kp_compile_input input = {
		.resources = set,
		.limits = &limits,
		.read_secret = kp_test_read_secret,
	};
	struct kp_tables *tables = NULL;

	kp_limits_default(&limits);
	if (kp_resources_check(set, &diagnostics)) {
		tables = kp_compile(&input, &diagnostics);
		cr_assert_eq(tables->num_listeners, num / 3);
	}
	kp_tables_free(tables);
	kp_resources_free(set);
	kp_diagnostics_fini(&diagnostics);
	return kp_test_cpu_ns() - from;
}

static int64_t
least(const struct kp_resource *const *many, size_t num)
{
	int64_t best = INT64_MAX;

	for (int i = 0; i < RUNS; i++) {
		int64_t took = judge(many, num);

		best = took < best ? took : best;
	}
	return best;
}

Test(many, ten_times_as_many_take_about_ten_times_as_long)
{
	for (int shape = 0; shape < KP_TEST_NUM_SHAPES; shape++) {
		const struct kp_resource **many =
		    kp_test_many((enum kp_test_shape)shape, MANY);
		int64_t few = least(many, FEW);
		int64_t all = least(many, MANY);

		cr_expect(all < MAX_GROWTH * few, "shape %d: %lld ns, %lld ns",
		    shape, (long long)few, (long long)all);
		kp_test_many_free(many, MANY);
	}
}

/* Only what is meant to have problems has any. */
Test(many, the_shapes_are_what_they_are_called)
{
	for (int shape = 0; shape < KP_TEST_NUM_SHAPES; shape++) {
		const struct kp_resource **many =
		    kp_test_many((enum kp_test_shape)shape, 99);
		struct kp_resources *set = kp_test_many_set(many, 99);
		struct kp_diagnostics diagnostics = { 0 };

		cr_assert_eq(kp_resources_check(set, &diagnostics),
		    shape<KP_TEST_CLASHING, "shape %d: %s", shape,
			diagnostics.num_lines> 0
			? diagnostics.lines[0]
			: "");
		kp_diagnostics_fini(&diagnostics);
		kp_resources_free(set);
		kp_test_many_free(many, 99);
	}
}
