/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kp_measure_rules prints what sets of resources cost, in milliseconds of
 * processor time: the best of some runs, for 1000 and for 10000 resources.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/support/declared.h"
#include "tests/support/many.h"

#define RUNS 7

struct figures {
	int64_t parse, check, compile, pack, unpack, change;
};

static void
keep_least(int64_t *least, int64_t from)
{
	int64_t took = kp_test_cpu_ns() - from;

	if (*least == 0 || took < *least)
		*least = took;
}

static struct kp_tables *
compile(const struct kp_resources *set)
{
	struct kp_diagnostics diagnostics = { 0 };
	struct kp_limits limits;
	const struct kp_compile_input input = {
		.resources = set,
		.limits = &limits,
		.read_secret = kp_test_read_secret,
	};
	struct kp_tables *tables;

	kp_limits_default(&limits);
	tables = kp_compile(&input, &diagnostics);
	kp_assert(tables != NULL);
	return tables;
}

static void
measure_tables(const struct kp_tables *tables, struct figures *out)
{
	struct kp_tables *again;
	struct kp_error err;
	struct kp_buf packed;
	int64_t from = kp_test_cpu_ns();

	kp_buf_init(&packed, 64u << 20);
	kp_assert(kp_tables_pack(&packed, tables, true));
	keep_least(&out->pack, from);
	from = kp_test_cpu_ns();
	again = kp_tables_unpack(kp_buf_bytes(&packed), &err);
	keep_least(&out->unpack, from);
	kp_assert(again != NULL);
	kp_tables_free(again);
	kp_buf_fini(&packed);
}

/* One document is parsed anew; all others are shared with the set before. */
static void
measure_change(const struct kp_resource **many, size_t num, struct figures *out)
{
	struct kp_diagnostics diagnostics = { 0 };
	int64_t from = kp_test_cpu_ns(), middle;
	struct kp_resources *set;
	struct kp_tables *tables;

	kp_resource_unref(many[num / 2]);
	many[num / 2] = kp_test_many_one(KP_TEST_BY_PORT, num / 2);
	middle = kp_test_cpu_ns();
	set = kp_test_many_set(many, num);
	kp_assert(kp_resources_check(set, &diagnostics));
	keep_least(&out->check, middle);
	middle = kp_test_cpu_ns();
	tables = compile(set);
	keep_least(&out->compile, middle);
	keep_least(&out->change, from);
	measure_tables(tables, out);
	kp_tables_free(tables);
	kp_resources_free(set);
}

static void
measure(size_t num)
{
	struct figures figures = { 0 };

	for (int i = 0; i < RUNS; i++) {
		int64_t from = kp_test_cpu_ns();
		const struct kp_resource **many =
		    kp_test_many(KP_TEST_BY_PORT, num);

		keep_least(&figures.parse, from);
		measure_change(many, num, &figures);
		kp_test_many_free(many, num);
	}
	(void)printf("%9zu %8.2f %8.2f %8.2f %8.2f %8.2f %8.2f\n", num,
	    (double)figures.parse / 1e6, (double)figures.check / 1e6,
	    (double)figures.compile / 1e6, (double)figures.pack / 1e6,
	    (double)figures.unpack / 1e6, (double)figures.change / 1e6);
}

int
main(void)
{
	(void)printf("%9s %8s %8s %8s %8s %8s %8s\n", "resources", "parse",
	    "check", "compile", "pack", "unpack", "change");
	measure(KP_MAX_RESOURCES / 10);
	measure(KP_MAX_RESOURCES);
	return EXIT_SUCCESS;
}
