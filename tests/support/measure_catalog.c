/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kp_measure_catalog prints what changes of a catalog over SQLite take, in
 * milliseconds of real time, its disk included: the best of some runs.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "control/server/catalog.h"
#include "control/server/sqlite.h"
#include "tests/support/folder.h"
#include "tests/support/many.h"

#define RUNS 5
#define MAX_TEXT_LEN (8u << 20)
#define SOME 1000

struct figures {
	int64_t open, add_some, change_one, refuse_one;
};

static void
keep_least(int64_t *least, int64_t from)
{
	int64_t took = kp_now_ms() - from;

	if (*least < 0 || took < *least)
		*least = took;
}

/* Applies the resources from first on, num of them, in one file. */
static enum kp_verdict
apply(struct kp_catalog *catalog, enum kp_test_shape shape, size_t first,
    size_t num)
{
	struct kp_catalog_result result;
	struct kp_catalog_file file = { .name = "many.yaml" };
	const struct kp_catalog_wish wish = {
		.files = &file,
		.num_files = 1,
		.note = { "ada", "measured", 1 },
	};
	struct kp_error err;
	struct kp_buf text;
	enum kp_verdict verdict;

	kp_buf_init(&text, MAX_TEXT_LEN);
	for (size_t i = first; i < first + num; i++) {
		kp_buf_add_text(&text, "---\n");
		kp_test_many_text(&text, shape, i);
	}
	file.text = kp_buf_bytes(&text);
	verdict = kp_catalog_apply(catalog, &wish, KP_NEVER, &result, &err);
	kp_catalog_result_fini(&result);
	kp_buf_fini(&text);
	return verdict;
}

/* The catalog has all but some; these come in one transaction. */
static void
measure_changes(struct kp_catalog *catalog, size_t num, struct figures *out)
{
	int64_t from = kp_now_ms();

	kp_assert(
	    apply(catalog, KP_TEST_BY_PORT, num - SOME, SOME) == KP_VERDICT_OK);
	keep_least(&out->add_some, from);
	/* what was added is parsed once */
	kp_assert(apply(catalog, KP_TEST_BY_ADDRESS, 4, 1) == KP_VERDICT_OK);
	from = kp_now_ms();
	kp_assert(apply(catalog, KP_TEST_BY_PORT, 4, 1) == KP_VERDICT_OK);
	keep_least(&out->change_one, from);
	from = kp_now_ms();
	kp_assert(apply(catalog, KP_TEST_ASTRAY, 5, 1) == KP_VERDICT_INVALID);
	keep_least(&out->refuse_one, from);
}

static void
measure(size_t num, struct figures *out)
{
	char folder[KP_TEST_PATH_LEN], path[KP_TEST_PATH_LEN];
	struct kp_catalog *catalog;
	struct kp_store *store;
	struct kp_error err;
	int64_t from;

	kp_test_folder(folder);
	kp_test_path(path, folder, "measure.db");
	store = kp_sqlite_open(path, &err);
	kp_assert(store != NULL);
	catalog = kp_catalog_open(store, &err);
	kp_assert(catalog != NULL);
	kp_assert(
	    apply(catalog, KP_TEST_BY_PORT, 0, num - SOME) == KP_VERDICT_OK);
	kp_catalog_close(catalog);
	from = kp_now_ms();
	catalog = kp_catalog_open(store, &err);
	keep_least(&out->open, from);
	measure_changes(catalog, num, out);
	kp_catalog_close(catalog);
	kp_store_close(store);
	kp_test_folder_remove(folder);
}

int
main(void)
{
	static const size_t nums[] = { 2000, KP_MAX_RESOURCES };

	(void)printf("%9s %8s %8s %8s %8s\n", "resources", "open", "add 1000",
	    "change 1", "refuse 1");
	for (size_t i = 0; i < 2; i++) {
		struct figures figures = { -1, -1, -1, -1 };

		for (int run = 0; run < RUNS; run++)
			measure(nums[i], &figures);
		(void)printf("%9zu %8lld %8lld %8lld %8lld\n", nums[i],
		    (long long)figures.open, (long long)figures.add_some,
		    (long long)figures.change_one,
		    (long long)figures.refuse_one);
	}
	return EXIT_SUCCESS;
}
