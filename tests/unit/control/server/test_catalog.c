/* SPDX-License-Identifier: Apache-2.0 */
#include "control/server/catalog.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "control/server/sqlite.h"
#include "tests/support/folder.h"

#define CLUSTER(name_) \
	"apiVersion: kproxy/v1\nkind: Cluster\nmetadata: {name: " name_ "}\n" \
	"spec: {bootstrap: [\"broker:9092\"]}\n"
#define OTHER_CLUSTER \
	"apiVersion: kproxy/v1\nkind: Cluster\nmetadata: {name: c}\n" \
	"spec: {bootstrap: [\"other:9092\"]}\n"
#define LISTENER(port_) \
	"apiVersion: kproxy/v1\nkind: Listener\nmetadata: {name: l}\n" \
	"spec: {bind: 127.0.0.1, advertisedHost: localhost,\n" \
	"  ports: {bootstrap: " port_ ", first: 19093, count: 4}}\n"
#define VIRTUAL(cluster_) \
	"apiVersion: kproxy/v1\nkind: VirtualCluster\nmetadata: {name: v}\n" \
	"spec: {cluster: " cluster_ ", listener: l}\n"
#define ALL CLUSTER("c") "---\n" LISTENER("19092") "---\n" VIRTUAL("c")

static const struct kp_store_note note = { "ada", "because", 1234 };

struct fixture {
	char folder[KP_TEST_PATH_LEN];
	struct kp_store *store;
	struct kp_catalog *catalog;
	struct kp_catalog_result result;
	struct kp_error err;
};

static void
set_up(struct fixture *f)
{
	char path[KP_TEST_PATH_LEN];

	*f = (struct fixture){ .err = { 0 } };
	kp_test_folder(f->folder);
	kp_test_path(path, f->folder, "kproxy.db");
	f->store = kp_sqlite_open(path, &f->err);
	cr_assert_not_null(f->store, "%s", f->err.text);
	f->catalog = kp_catalog_open(f->store, &f->err);
	cr_assert_not_null(f->catalog, "%s", f->err.text);
}

static void
tear_down(struct fixture *f)
{
	kp_catalog_result_fini(&f->result);
	kp_catalog_close(f->catalog);
	kp_store_close(f->store);
	kp_test_folder_remove(f->folder);
}

static enum kp_verdict
apply(struct fixture *f, struct kp_catalog_wish wish)
{
	kp_catalog_result_fini(&f->result);
	wish.note = note;
	return kp_catalog_apply(
	    f->catalog, &wish, KP_NEVER, &f->result, &f->err);
}

static enum kp_verdict
apply_text(struct fixture *f, const char *text)
{
	const struct kp_catalog_file file = { "f.yaml", kp_bytes_of(text) };

	return apply(
	    f, (struct kp_catalog_wish){ .files = &file, .num_files = 1 });
}

static enum kp_verdict delete (
    struct fixture *f, const char *kind, const char *name) {
	const struct kp_catalog_id id = { kind, name };

	return apply(f,
	    (struct kp_catalog_wish){ .deletions = &id, .num_deletions = 1 });
}

static void
expect_outcomes(const struct fixture *f, const char *wanted)
{
	static const char *const words[] = { "created", "configured",
		"unchanged", "deleted" };
	struct kp_buf text;

	kp_buf_init(&text, 4096);
	for (size_t i = 0; i < f->result.num_outcomes; i++)
		kp_buf_printf(&text, "%s/%s %s ", f->result.outcomes[i].kind,
		    f->result.outcomes[i].name,
		    words[f->result.outcomes[i].outcome]);
	kp_buf_add(&text, "", 1);
	cr_assert_str_eq(
	    (const char *)text.data, wanted, "%s", (const char *)text.data);
	kp_buf_fini(&text);
}

static void
expect_problem(const struct fixture *f, const char *wanted)
{
	cr_assert_eq(kp_diagnostics_count(&f->result.problems), 1);
	cr_assert_str_eq(f->result.problems.lines[0], wanted, "%s",
	    f->result.problems.lines[0]);
}

Test(catalog, what_is_given_is_created_configured_or_unchanged)
{
	struct fixture f;

	set_up(&f);
	cr_assert_eq(apply_text(&f, ALL), KP_VERDICT_OK);
	expect_outcomes(&f,
	    "Cluster/c created Listener/l created VirtualCluster/v created ");
	cr_assert_eq(f.result.revision, 1);
	/* other words for the same are no change, and make no revision */
	cr_assert_eq(apply_text(&f, "{kind: Cluster, apiVersion: kproxy/v1,\n"
				    "metadata: {name: c}, spec: {bootstrap: "
				    "[broker:9092]}}"),
	    KP_VERDICT_OK);
	expect_outcomes(&f, "Cluster/c unchanged ");
	cr_assert_eq(f.result.revision, 1);
	cr_assert_eq(apply_text(&f, LISTENER("19192")), KP_VERDICT_OK);
	expect_outcomes(&f, "Listener/l configured ");
	cr_assert_eq(f.result.revision, 2);
	cr_assert_eq(kp_items_find(kp_catalog_items(f.catalog), "Listener", "l")
			 ->revision,
	    2);
	cr_assert_eq(kp_items_find(kp_catalog_items(f.catalog), "Cluster", "c")
			 ->revision,
	    1);
	tear_down(&f);
}

Test(catalog, all_that_is_wrong_is_said_and_nothing_stored)
{
	struct fixture f;

	set_up(&f);
	cr_assert_eq(apply_text(&f, VIRTUAL("c") "---\n" LISTENER("70000")),
	    KP_VERDICT_INVALID);
	cr_assert_eq(kp_diagnostics_count(&f.result.problems), 2);
	cr_assert_eq(kp_catalog_items(f.catalog)->num, 0);
	/* against what is there: the port of a second listener */
	cr_assert_eq(apply_text(&f, ALL), KP_VERDICT_OK);
	cr_assert_eq(
	    apply_text(&f, "apiVersion: kproxy/v1\nkind: Listener\n"
			   "metadata: {name: other}\nspec: {bind: 127.0.0.1, "
			   "advertisedHost: x,\n  ports: {bootstrap: 19094, "
			   "first: 20000, count: 1}}\n"),
	    KP_VERDICT_INVALID);
	cr_assert_not_null(strstr(f.result.problems.lines[0], "19094"), "%s",
	    f.result.problems.lines[0]);
	cr_assert_eq(f.result.revision, 0);
	cr_assert_eq(kp_catalog_items(f.catalog)->revision, 1);
	tear_down(&f);
}

Test(catalog, what_is_referred_to_is_not_deleted)
{
	const struct kp_catalog_id both[] = { { "VirtualCluster", "v" },
		{ "Cluster", "c" } };
	struct fixture f;

	set_up(&f);
	cr_assert_eq(apply_text(&f, ALL), KP_VERDICT_OK);
	cr_assert_eq(delete (&f, "Cluster", "c"), KP_VERDICT_INVALID);
	expect_problem(&f,
	    "VirtualCluster/v:6:12: VirtualCluster \"v\": there is no Cluster "
	    "\"c\"");
	cr_assert_eq(delete (&f, "Cluster", "d"), KP_VERDICT_NOT_FOUND);
	cr_assert_str_eq(f.err.text, "there is no Cluster \"d\"");
	cr_assert_eq(apply(&f, (struct kp_catalog_wish){ .deletions = both,
				   .num_deletions = 2 }),
	    KP_VERDICT_OK);
	expect_outcomes(&f, "VirtualCluster/v deleted Cluster/c deleted ");
	cr_assert_eq(kp_catalog_items(f.catalog)->num, 1);
	tear_down(&f);
}

Test(catalog, a_name_is_given_or_deleted_once)
{
	const struct kp_catalog_id id[] = { { "Cluster", "c" },
		{ "Cluster", "c" } };
	const struct kp_catalog_file file = { "f.yaml",
		kp_bytes_of(CLUSTER("c")) };
	struct fixture f;

	set_up(&f);
	cr_assert_eq(apply_text(&f, CLUSTER("c")), KP_VERDICT_OK);
	cr_assert_eq(apply(&f, (struct kp_catalog_wish){ .deletions = id,
				   .num_deletions = 2 }),
	    KP_VERDICT_INVALID);
	expect_problem(&f,
	    "request: Cluster \"c\": is to be deleted, and named once more");
	cr_assert_eq(apply(&f, (struct kp_catalog_wish){ .files = &file,
				   .num_files = 1,
				   .deletions = id,
				   .num_deletions = 1 }),
	    KP_VERDICT_INVALID);
	tear_down(&f);
}

Test(catalog, a_dry_run_changes_nothing)
{
	const struct kp_catalog_file file = { "f.yaml", kp_bytes_of(ALL) };
	struct fixture f;

	set_up(&f);
	cr_assert_eq(apply(&f, (struct kp_catalog_wish){ .files = &file,
				   .num_files = 1,
				   .is_dry_run = true }),
	    KP_VERDICT_OK);
	expect_outcomes(&f,
	    "Cluster/c created Listener/l created VirtualCluster/v created ");
	cr_assert_eq(f.result.revision, 0);
	cr_assert_eq(kp_catalog_items(f.catalog)->num, 0);
	tear_down(&f);
}

static enum kp_verdict
apply_if(struct fixture *f, const char *text, uint64_t revision)
{
	const struct kp_catalog_file file = { "f.yaml", kp_bytes_of(text) };
	const struct kp_catalog_precondition precondition = {
		{ "Cluster", "c" }, revision
	};

	return apply(f, (struct kp_catalog_wish){ .files = &file,
			    .num_files = 1,
			    .preconditions = &precondition,
			    .num_preconditions = 1 });
}

Test(catalog, preconditions_hold_or_nothing_happens)
{
	struct fixture f;

	set_up(&f);
	cr_assert_eq(apply_if(&f, CLUSTER("c"), 1), KP_VERDICT_CONFLICT);
	cr_assert_eq(apply_if(&f, CLUSTER("c"), 0), KP_VERDICT_OK);
	cr_assert_eq(apply_if(&f, ALL, 0), KP_VERDICT_CONFLICT);
	cr_assert_str_eq(f.err.text,
	    "Cluster \"c\" has changed meanwhile: it is of revision 1, not 0; "
	    "get it again");
	cr_assert_eq(apply_if(&f, ALL, 1), KP_VERDICT_OK);
	tear_down(&f);
}

Test(catalog, a_reason_beyond_its_bound_is_the_callers_mistake)
{
	static char reason[KP_STORE_MAX_NOTE_LEN + 2];
	const struct kp_catalog_file file = { "f.yaml", kp_bytes_of(ALL) };
	const struct kp_catalog_wish wish = { .files = &file,
		.num_files = 1,
		.note = { .identity = "ada", .reason = reason } };
	struct fixture f;

	set_up(&f);
	(void)memset(reason, 'r', sizeof(reason) - 1);
	cr_assert_eq(
	    kp_catalog_apply(f.catalog, &wish, KP_NEVER, &f.result, &f.err),
	    KP_VERDICT_INVALID);
	expect_problem(&f,
	    "request: too many bytes of identity or reason, at most 1024 are "
	    "allowed");
	kp_catalog_result_fini(&f.result);
	reason[KP_STORE_MAX_NOTE_LEN] = '\0';
	cr_assert_eq(
	    kp_catalog_apply(f.catalog, &wish, KP_NEVER, &f.result, &f.err),
	    KP_VERDICT_OK);
	tear_down(&f);
}

static enum kp_verdict
roll_back(struct fixture *f, uint64_t to)
{
	kp_catalog_result_fini(&f->result);
	const struct kp_catalog_return back = { .to = to, .note = note };

	return kp_catalog_rollback(
	    f->catalog, &back, KP_NEVER, &f->result, &f->err);
}

Test(catalog, an_old_state_comes_back_as_a_new_revision)
{
	struct fixture f;
	struct kp_items before = { .num = 0 };

	set_up(&f);
	cr_assert_eq(apply_text(&f, ALL), KP_VERDICT_OK);
	cr_assert_eq(apply_text(&f, LISTENER("19192") "---\n" CLUSTER("d")),
	    KP_VERDICT_OK);
	cr_assert_eq(delete (&f, "VirtualCluster", "v"), KP_VERDICT_OK);
	cr_assert_eq(roll_back(&f, 1), KP_VERDICT_OK);
	expect_outcomes(&f,
	    "Cluster/d deleted Listener/l configured VirtualCluster/v "
	    "created ");
	cr_assert_eq(f.result.revision, 4);
	cr_assert_eq(
	    kp_items_load(&before, f.store, 1, KP_NEVER, &f.err), KP_STORE_OK);
	cr_assert_eq(before.num, kp_catalog_items(f.catalog)->num);
	for (size_t i = 0; i < before.num; i++)
		cr_assert(kp_bytes_equal(kp_buf_bytes(&before.list[i]->text),
		    kp_buf_bytes(&kp_catalog_items(f.catalog)->list[i]->text)));
	kp_items_fini(&before);
	/* to where one is already: no change */
	cr_assert_eq(roll_back(&f, 1), KP_VERDICT_OK);
	expect_outcomes(&f, "");
	cr_assert_eq(f.result.revision, 4);
	cr_assert_eq(roll_back(&f, 9), KP_VERDICT_NOT_FOUND);
	cr_assert_eq(kp_store_compact(f.store, 3, &f.err), KP_STORE_OK);
	cr_assert_eq(roll_back(&f, 2), KP_VERDICT_COMPACTED);
	tear_down(&f);
}

Test(catalog, another_server_was_faster)
{
	const struct kp_store_change change = { "Cluster", "other",
		kp_bytes_of(CLUSTER("other")), true };
	struct fixture f;
	uint64_t number;

	set_up(&f);
	cr_assert_eq(apply_text(&f, ALL), KP_VERDICT_OK);
	cr_assert_eq(
	    kp_store_commit(f.store, 1, &note, &change, 1, &number, &f.err),
	    KP_STORE_OK);
	cr_assert_eq(apply_text(&f, LISTENER("19192")), KP_VERDICT_OK);
	cr_assert_eq(f.result.revision, 3);
	cr_assert_not_null(
	    kp_items_find(kp_catalog_items(f.catalog), "Cluster", "other"));
	tear_down(&f);
}

Test(catalog, it_is_there_again_after_a_restart)
{
	struct fixture f;

	set_up(&f);
	cr_assert_eq(apply_text(&f, ALL), KP_VERDICT_OK);
	kp_catalog_close(f.catalog);
	f.catalog = kp_catalog_open(f.store, &f.err);
	cr_assert_not_null(f.catalog);
	cr_assert_eq(apply_text(&f, ALL), KP_VERDICT_OK);
	expect_outcomes(&f,
	    "Cluster/c unchanged Listener/l unchanged VirtualCluster/v "
	    "unchanged ");
	tear_down(&f);
}

/* A copy stays what it was, whatever becomes of the original. */
Test(catalog, items_are_shared_not_changed)
{
	struct fixture f;
	struct kp_items copy = { .num = 0 };
	const struct kp_items *now;

	set_up(&f);
	cr_assert_eq(apply_text(&f, ALL), KP_VERDICT_OK);
	kp_items_copy(&copy, kp_catalog_items(f.catalog));
	cr_assert_eq(apply_text(&f, LISTENER("19192")), KP_VERDICT_OK);
	cr_assert_eq(delete (&f, "VirtualCluster", "v"), KP_VERDICT_OK);
	now = kp_catalog_items(f.catalog);
	cr_assert_eq(copy.num, now->num + 1);
	cr_assert_eq(copy.revision, 1);
	cr_assert_not_null(kp_items_find(&copy, "VirtualCluster", "v"));
	cr_assert_eq(kp_items_find(&copy, "Cluster", "c"),
	    kp_items_find(now, "Cluster", "c"));
	cr_assert_neq(
	    kp_items_find(&copy, "Listener", "l")->digest.bytes[0] +
		256 * kp_items_find(&copy, "Listener", "l")->digest.bytes[1],
	    kp_items_find(now, "Listener", "l")->digest.bytes[0] +
		256 * kp_items_find(now, "Listener", "l")->digest.bytes[1]);
	kp_items_fini(&copy);
	tear_down(&f);
}

static const struct kp_resource *
parsed(const struct fixture *f, const char *kind, const char *name)
{
	const struct kp_item *item =
	    kp_items_find(kp_catalog_items(f->catalog), kind, name);

	return atomic_load(&item->parsed);
}

/* A change parses what has changed, and nothing else. */
Test(catalog, what_stays_is_parsed_once)
{
	struct fixture f;
	const struct kp_resource *cluster, *listener;

	set_up(&f);
	cr_assert_eq(apply_text(&f, ALL), KP_VERDICT_OK);
	cr_assert_null(parsed(&f, "Cluster", "c"));
	cr_assert_eq(apply_text(&f, LISTENER("19192")), KP_VERDICT_OK);
	cluster = parsed(&f, "Cluster", "c");
	cr_assert_not_null(cluster);
	cr_assert_str_eq(cluster->name, "c");
	cr_assert_str_eq(cluster->at.file, "Cluster/c");
	cr_assert_null(parsed(&f, "Listener", "l"));
	cr_assert_eq(apply_text(&f, VIRTUAL("c")), KP_VERDICT_OK);
	listener = parsed(&f, "Listener", "l");
	cr_assert_eq(kp_value_number(listener->spec, "ports.bootstrap"), 19192);
	cr_assert_eq(parsed(&f, "Cluster", "c"), cluster);
	tear_down(&f);
}

/* What another server has not touched is not parsed again either. */
Test(catalog, commits_of_others_leave_the_rest_parsed)
{
	const struct kp_store_change change = { "Listener", "l",
		kp_bytes_of(LISTENER("19192")), true };
	struct fixture f;
	const struct kp_resource *cluster;
	uint64_t number;

	set_up(&f);
	cr_assert_eq(apply_text(&f, ALL), KP_VERDICT_OK);
	cr_assert_eq(apply_text(&f, CLUSTER("b")), KP_VERDICT_OK);
	cluster = parsed(&f, "Cluster", "c");
	cr_assert_not_null(cluster);
	cr_assert_not_null(parsed(&f, "Listener", "l"));
	cr_assert_eq(
	    kp_store_commit(f.store, 2, &note, &change, 1, &number, &f.err),
	    KP_STORE_OK);
	cr_assert(kp_catalog_refresh(f.catalog, &f.err));
	cr_assert_eq(kp_catalog_items(f.catalog)->num, 4);
	cr_assert_eq(parsed(&f, "Cluster", "c"), cluster);
	cr_assert_null(parsed(&f, "Listener", "l"));
	tear_down(&f);
}

/* A newer version may see what the one that stored it did not. */
Test(catalog, what_is_stored_with_a_problem_is_told_each_time)
{
	const struct kp_store_change change = { "Cluster", "old",
		kp_bytes_of("apiVersion: kproxy/v1\nkind: Cluster\n"
			    "metadata: {name: old}\nspec: {bootstrap: []}\n"),
		true };
	struct fixture f;
	uint64_t number;

	set_up(&f);
	cr_assert_eq(
	    kp_store_commit(f.store, 0, &note, &change, 1, &number, &f.err),
	    KP_STORE_OK);
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(apply_text(&f, CLUSTER("c")), KP_VERDICT_INVALID);
		expect_problem(&f,
		    "Cluster/old:4:19: Cluster \"old\": spec.bootstrap: must "
		    "have at least one item");
	}
	cr_assert_null(parsed(&f, "Cluster", "old"));
	tear_down(&f);
}

static void *
parse(void *ctx)
{
	struct kp_item *item = ctx;
	const struct kp_resource *resource = kp_item_resource(item, NULL);

	kp_assert(resource != NULL && strcmp(resource->name, "c") == 0);
	return atomic_load(&item->parsed) == resource ? ctx : NULL;
}

Test(catalog, threads_that_parse_at_once_find_the_same)
{
	struct fixture f;

	set_up(&f);
	for (int round = 0; round < 20; round++) {
		const struct kp_items *items;
		pthread_t threads[4];

		cr_assert_eq(apply_text(&f,
				 round % 2 == 0 ? CLUSTER("c") : OTHER_CLUSTER),
		    KP_VERDICT_OK);
		items = kp_catalog_items(f.catalog);
		cr_assert_null(atomic_load(&items->list[0]->parsed));
		for (int i = 0; i < 4; i++)
			kp_must(pthread_create(
			    &threads[i], NULL, parse, items->list[0]));
		for (int i = 0; i < 4; i++) {
			void *found;

			kp_must(pthread_join(threads[i], &found));
			cr_assert_not_null(found);
		}
	}
	tear_down(&f);
}

/* Nobody may touch listeners; what is asked is noted. */
static bool
may_edit(void *ctx, const struct kp_catalog_edit *edit, struct kp_error *err)
{
	struct kp_buf *asked = ctx;

	kp_buf_printf(asked, "%s/%s%s%s ", edit->id.kind, edit->id.name,
	    edit->before.data == NULL ? " new" : "",
	    edit->after.data == NULL ? " gone" : "");
	return strcmp(edit->id.kind, "Listener") != 0 ||
	       kp_error_set(err, KP_ERR_CONFIG, "no");
}

static void
expect_asked(struct kp_buf *asked, const char *wanted)
{
	kp_buf_add(asked, "", 1);
	cr_assert_str_eq(
	    (const char *)asked->data, wanted, "%s", (const char *)asked->data);
	kp_buf_clear(asked);
}

Test(catalog, a_judge_sees_every_edit_and_one_refusal_is_enough)
{
	const struct kp_catalog_file file = { "f.yaml", kp_bytes_of(ALL) };
	const struct kp_catalog_id gone = { "Listener", "l" };
	struct kp_catalog_return back = { .to = 0, .note = note };
	struct kp_buf asked;
	struct fixture f;

	set_up(&f);
	kp_buf_init(&asked, 4096);
	back.judge = (struct kp_catalog_judge){ may_edit, &asked };
	cr_assert_eq(apply(&f, (struct kp_catalog_wish){ .files = &file,
				   .num_files = 1,
				   .judge = back.judge }),
	    KP_VERDICT_FORBIDDEN);
	cr_assert_str_eq(f.err.text, "no");
	expect_asked(&asked, "Cluster/c new Listener/l new ");
	cr_assert_eq(kp_catalog_items(f.catalog)->revision, 0);
	cr_assert_eq(apply_text(&f, CLUSTER("c") "---\n" LISTENER("19092")),
	    KP_VERDICT_OK);
	/* what does not change is nobody's business */
	cr_assert_eq(apply(&f, (struct kp_catalog_wish){ .files = &file,
				   .num_files = 1,
				   .judge = back.judge }),
	    KP_VERDICT_OK);
	expect_asked(&asked, "VirtualCluster/v new ");
	cr_assert_eq(delete (&f, "VirtualCluster", "v"), KP_VERDICT_OK);
	cr_assert_eq(apply(&f, (struct kp_catalog_wish){ .deletions = &gone,
				   .num_deletions = 1,
				   .is_dry_run = true,
				   .judge = back.judge }),
	    KP_VERDICT_FORBIDDEN);
	expect_asked(&asked, "Listener/l gone ");
	kp_catalog_result_fini(&f.result);
	cr_assert_eq(
	    kp_catalog_rollback(f.catalog, &back, KP_NEVER, &f.result, &f.err),
	    KP_VERDICT_FORBIDDEN);
	expect_asked(&asked, "Cluster/c gone Listener/l gone ");
	kp_buf_fini(&asked);
	tear_down(&f);
}

Test(catalog, documents_before_and_after_are_told_where_they_are_wanted)
{
	const struct kp_catalog_file file = { "f.yaml",
		kp_bytes_of(LISTENER("19090") "---\n" CLUSTER("c")) };
	const struct kp_catalog_wish wish = {
		.files = &file, .num_files = 1, .with_documents = true
	};
	struct fixture f;

	set_up(&f);
	cr_assert_eq(apply_text(&f, CLUSTER("c")), KP_VERDICT_OK);
	cr_assert_null(f.result.outcomes[0].after);
	cr_assert_eq(apply(&f, wish), KP_VERDICT_OK);
	cr_assert_null(f.result.outcomes[0].before);
	cr_assert_not_null(strstr(f.result.outcomes[0].after, "19090"));
	cr_assert_null(f.result.outcomes[1].before, "unchanged");
	cr_assert_null(f.result.outcomes[1].after);
	tear_down(&f);
}

static void
take_time(void *ctx, const struct kp_store_revision *revision)
{
	*(int64_t *)ctx = revision->note.time_ms;
}

Test(catalog, time_never_goes_back_in_history)
{
	static const struct {
		int64_t time_ms, wanted_ms;
	} commits[] = { { 5000, 5000 }, { 4000, 5000 }, { 6000, 6000 },
		{ 1, 6000 } };
	struct fixture f;
	int64_t time_ms;

	set_up(&f);
	for (uint64_t i = 0; i < 4; i++) {
		const char *texts[] = { CLUSTER("a"), CLUSTER("b"),
			CLUSTER("c"), CLUSTER("d") };
		const struct kp_catalog_file file = { "f.yaml",
			kp_bytes_of(texts[i]) };
		struct kp_catalog_wish wish = { .files = &file,
			.num_files = 1,
			.note = { "ada", "", commits[i].time_ms } };

		/* as after a start: what counts is in the store */
		kp_catalog_close(f.catalog);
		f.catalog = kp_catalog_open(f.store, &f.err);
		kp_catalog_result_fini(&f.result);
		cr_assert_eq(kp_catalog_apply(
				 f.catalog, &wish, KP_NEVER, &f.result, &f.err),
		    KP_VERDICT_OK);
		cr_assert_eq(kp_store_history(f.store, i, i + 1, take_time,
				 &time_ms, KP_NEVER, &f.err),
		    KP_STORE_OK);
		cr_assert_eq(time_ms, commits[i].wanted_ms);
		cr_assert_eq(kp_catalog_newest_ms(f.catalog), time_ms);
	}
	tear_down(&f);
}

/* Another server, which is faster each time that it is given a chance. */
struct rival {
	struct kp_store *store;
	uint64_t newest;
};

static bool
be_faster(void *ctx, const struct kp_catalog_edit *edit, struct kp_error *err)
{
	struct rival *rival = ctx;
	const struct kp_store_change change = { "Cluster", "rival",
		kp_bytes_of(CLUSTER("rival")), false };

	(void)edit;
	cr_assert_eq(kp_store_commit(rival->store, rival->newest, &note,
			 &change, 1, &rival->newest, err),
	    KP_STORE_OK);
	return true;
}

Test(catalog, who_is_slower_each_time_is_told_by_the_deadline)
{
	static const int64_t patience_ms[] = { 50, 0 };
	const struct kp_catalog_file file = { "f.yaml", kp_bytes_of(ALL) };
	struct fixture f;

	set_up(&f);
	cr_assert_eq(apply_text(&f, CLUSTER("a")), KP_VERDICT_OK);
	for (size_t i = 0; i < 4; i++) {
		struct rival rival = { f.store, 0 };
		struct kp_catalog_judge judge = { be_faster, &rival };
		const struct kp_catalog_wish wish = { .files = &file,
			.num_files = 1,
			.note = note,
			.judge = judge };
		const struct kp_catalog_return back = {
			.to = 0, .note = note, .judge = judge
		};
		int64_t deadline_ms;
		struct kp_store_range range;

		cr_assert_eq(kp_store_range(f.store, &range, KP_NEVER, &f.err),
		    KP_STORE_OK);
		rival.newest = range.newest;
		kp_catalog_result_fini(&f.result);
		deadline_ms = kp_now_ms() + patience_ms[i % 2];
		cr_assert_eq(i < 2 ? kp_catalog_apply(f.catalog, &wish,
					 deadline_ms, &f.result, &f.err)
				   : kp_catalog_rollback(f.catalog, &back,
					 deadline_ms, &f.result, &f.err),
		    KP_VERDICT_LATE, "%s", f.err.text);
		cr_assert_not_null(strstr(f.err.text, "nothing was changed"),
		    "%s", f.err.text);
	}
	tear_down(&f);
}

Test(catalog, who_is_slower_each_time_gives_up_in_the_end)
{
	const struct kp_catalog_file file = { "f.yaml", kp_bytes_of(ALL) };
	struct fixture f;
	struct rival rival;

	set_up(&f);
	rival = (struct rival){ f.store, 0 };
	cr_assert_eq(apply(&f, (struct kp_catalog_wish){ .files = &file,
				   .num_files = 1,
				   .judge = { be_faster, &rival } }),
	    KP_VERDICT_UNAVAILABLE);
	cr_assert_str_eq(f.err.text,
	    "other servers were faster 16 times; nothing was changed, try "
	    "again");
	tear_down(&f);
}
