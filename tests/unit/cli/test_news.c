/* SPDX-License-Identifier: Apache-2.0 */
/* What a watch remembers, and what of lists and revisions is news. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "base/alloc.h"
#include "cli/news.h"
#include "cli/output.h"

#define MAX_LEN (64u << 20)
#define T(text) ((char *)(uintptr_t)(text))

/* A watch that was asked for with some words. */
struct world {
	struct kp_args args;
	struct kp_targets targets;
	struct kp_news news;
};

static void
begin(struct world *w, const char *const *words, size_t num_words)
{
	struct kp_error err;

	cr_assert(kp_args_parse(&w->args, &kp_kpctl, words, num_words, &err));
	cr_assert(kp_targets_parse(
	    &w->targets, w->args.operands, w->args.num_operands, &err));
	cr_assert(kp_news_init(&w->news, &w->args, &w->targets, &err));
}

static void
end(struct world *w)
{
	kp_news_fini(&w->news);
	kp_targets_fini(&w->targets);
	kp_args_fini(&w->args);
}

/* A revision of that number changes the only one or two of list. */
static bool
change(struct world *w, uint64_t number, struct kp_buf *out,
    Kproxy__Control__V1__Change *list, size_t num)
{
	Kproxy__Control__V1__Change **changes = kp_alloc(num, sizeof(*changes));
	Kproxy__Control__V1__Revision revision;
	struct kp_error err;
	bool is_ok;

	kproxy__control__v1__revision__init(&revision);
	revision.number = number;
	revision.changes = changes;
	revision.n_changes = num;
	for (size_t i = 0; i < num; i++)
		changes[i] = &list[i];
	kp_buf_init(out, MAX_LEN);
	is_ok = kp_news_revision(&w->news, out, &revision, &err);
	if (!is_ok)
		cr_assert(
		    err.kind == KP_ERR_LIMIT || err.kind == KP_ERR_SYSTEM);
	free(changes);
	return is_ok;
}

/* One change, and what is to be said of it. */
static void
expect(struct world *w, uint64_t number, const char *kind, const char *name,
    const char *document, const char *wanted)
{
	Kproxy__Control__V1__Change one;
	struct kp_buf out;

	kproxy__control__v1__change__init(&one);
	one.kind = T(kind);
	one.name = T(name);
	one.document = T(document == NULL ? "" : document);
	if (document == NULL)
		one.outcome = KPROXY__CONTROL__V1__OUTCOME__OUTCOME_DELETED;
	cr_assert(change(w, number, &out, &one, 1));
	cr_assert_str_eq(kp_buf_text(&out), wanted);
	kp_buf_fini(&out);
}

Test(news, only_kinds_and_names_that_were_asked_for_are_news)
{
	static const char *const words[] = { "get", "-w", "-o", "name",
		"cluster/a", "listener/b" };
	struct world w;

	begin(&w, words, 6);
	cr_assert_null(kp_news_kind(&w.news));
	cr_assert(!kp_news_has_documents(&w.news));
	expect(&w, 1, "Cluster", "a", "", "ADDED      cluster/a\n");
	expect(&w, 2, "Cluster", "b", "", "");
	expect(&w, 3, "Listener", "a", "", "");
	expect(&w, 4, "Listener", "b", "", "ADDED      listener/b\n");
	expect(&w, 5, "VirtualCluster", "b", "", "");
	expect(&w, 6, "Cluster", "b", NULL, "");
	expect(&w, 7, "Cluster", "a", NULL, "DELETED    cluster/a\n");
	cr_assert_eq(w.news.num, 1);
	end(&w);
}

Test(news, one_kind_of_all_targets_is_that_of_the_watch)
{
	static const struct {
		const char *words[4];
		const char *kind;
	} cases[] = {
		{ { "get", "clusters" }, "Cluster" },
		{ { "get", "cluster", "a", "b" }, "Cluster" },
		{ { "get", "cluster/a", "cluster/b" }, "Cluster" },
		{ { "get", "cluster/a", "listener/a" }, NULL },
		{ { "get", "all" }, NULL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct world w;
		size_t num = 0;

		while (num < 4 && cases[i].words[num] != NULL)
			num++;
		begin(&w, cases[i].words, num);
		cr_assert_eq(kp_news_kind(&w.news) == NULL,
		    cases[i].kind == NULL, "case %zu", i);
		if (cases[i].kind != NULL)
			cr_assert_str_eq(kp_news_kind(&w.news), cases[i].kind);
		cr_assert(kp_news_has_documents(&w.news));
		end(&w);
	}
}

Test(news, a_revision_that_is_known_says_nothing)
{
	static const char *const words[] = { "get", "all", "-w", "-o", "name" };
	struct world w;

	begin(&w, words, 5);
	expect(&w, 5, "Cluster", "a", "", "ADDED      cluster/a\n");
	expect(&w, 5, "Cluster", "b", "", "");
	expect(&w, 4, "Cluster", "a", NULL, "");
	expect(&w, 6, "Cluster", "a", "", "MODIFIED   cluster/a\n");
	end(&w);
}

Test(news, labels_are_those_of_the_document)
{
	static const char *const words[] = { "get", "clusters", "-w", "-o",
		"name", "-l", "team=red,!old" };
	struct world w;

	begin(&w, words, 7);
	cr_assert(kp_news_has_documents(&w.news));
	expect(&w, 1, "Cluster", "a", "metadata: {labels: {team: red}}",
	    "ADDED      cluster/a\n");
	expect(&w, 2, "Cluster", "a",
	    "metadata: {labels: {team: red, old: \"\"}}",
	    "DELETED    cluster/a\n");
	expect(&w, 3, "Cluster", "a", "spec: {labels: {team: red}}", "");
	expect(&w, 4, "Cluster", "a", "metadata: {labels: [team, red]}", "");
	expect(&w, 5, "Cluster", "a", "metadata: {labels: {team: [red]}}", "");
	/* what cannot be read has no labels, as the server finds it, too */
	expect(&w, 6, "Cluster", "a", "metadata: {labels: {team: red}", "");
	expect(&w, 7, "Cluster", "a", "a\n---\nmetadata: 1", "");
	expect(&w, 8, "Cluster", "a", "", "");
	expect(&w, 9, "Cluster", "a", "metadata: {labels: {team: red}}",
	    "ADDED      cluster/a\n");
	expect(&w, 10, "Cluster", "a", "metadata: {labels: {team: red}",
	    "DELETED    cluster/a\n");
	end(&w);
}

Test(news, more_labels_than_there_can_be_are_left_out)
{
	static const char *const words[] = { "get", "clusters", "-w",
		"--show-labels" };
	Kproxy__Control__V1__Change one;
	struct kp_buf document, out;
	struct world w;

	begin(&w, words, 4);
	kp_buf_init(&document, MAX_LEN);
	kp_buf_add_text(&document, "metadata:\n  labels:\n");
	for (int i = 0; i < 2 * KP_MAX_LABELS; i++)
		kp_buf_printf(&document, "    l%d: v\n", i);
	kproxy__control__v1__change__init(&one);
	one.kind = T("Cluster");
	one.name = T("a");
	one.document = T(kp_buf_text(&document));
	cr_assert(change(&w, 1, &out, &one, 1));
	cr_assert_not_null(strstr(kp_buf_text(&out), ",l63=v\n"));
	kp_buf_fini(&out);
	kp_buf_fini(&document);
	end(&w);
}

Test(news, what_is_said_twice_counts_once)
{
	static const char *const words[] = { "get", "all", "-w", "-o", "name" };
	Kproxy__Control__V1__Change list[3];
	struct kp_buf out;
	struct world w;

	begin(&w, words, 5);
	for (size_t i = 0; i < 3; i++) {
		kproxy__control__v1__change__init(&list[i]);
		list[i].kind = T("Cluster");
		list[i].name = T("a");
	}
	cr_assert(change(&w, 1, &out, list, 3));
	cr_assert_str_eq(kp_buf_text(&out), "ADDED      cluster/a\n");
	cr_assert_eq(w.news.num, 1);
	kp_buf_fini(&out);
	cr_assert(change(&w, 2, &out, list, 3));
	cr_assert_str_eq(kp_buf_text(&out), "MODIFIED   cluster/a\n");
	cr_assert_eq(w.news.num, 1);
	kp_buf_fini(&out);
	end(&w);
}

/* Changes of one revision are said by kind and name, as those of a list. */
Test(news, changes_and_lists_are_said_in_the_same_order)
{
	static const char *const words[] = { "get", "all", "-w", "-o", "name" };
	Kproxy__Control__V1__Resource all[2], *list[2] = { &all[0], &all[1] };
	struct kp_listed listed = { .list = list, .num = 2, .revision = 9 };
	Kproxy__Control__V1__Change changes[3];
	struct kp_error err;
	struct kp_buf out;
	struct world w;

	begin(&w, words, 5);
	for (size_t i = 0; i < 3; i++) {
		kproxy__control__v1__change__init(&changes[i]);
		changes[i].kind = T(i == 0 ? "Listener" : "Cluster");
		changes[i].name = T(i == 1 ? "b" : "a");
	}
	cr_assert(change(&w, 1, &out, changes, 3));
	cr_assert_str_eq(kp_buf_text(&out), "ADDED      cluster/a\n"
					    "ADDED      cluster/b\n"
					    "ADDED      listener/a\n");
	kp_buf_fini(&out);
	/* a list without the first, and with a newer third one */
	for (size_t i = 0; i < 2; i++) {
		kproxy__control__v1__resource__init(&all[i]);
		all[i].kind = T(i == 0 ? "Listener" : "Cluster");
		all[i].name = T(i == 0 ? "a" : "b");
		all[i].resource_version = i == 0 ? 9 : 1;
	}
	kp_buf_init(&out, MAX_LEN);
	cr_assert(kp_news_list(&w.news, &out, &listed, &err));
	cr_assert_str_eq(kp_buf_text(&out), "DELETED    cluster/a\n"
					    "MODIFIED   listener/a\n");
	cr_assert_eq(w.news.revision, 9);
	kp_buf_fini(&out);
	end(&w);
}

Test(news, what_is_remembered_is_bounded_in_number)
{
	static const char *const words[] = { "get", "all", "-w", "-o", "name" };
	const size_t num = KP_FETCH_MAX_RESOURCES;
	Kproxy__Control__V1__Change *list = kp_alloc(num, sizeof(*list));
	char(*names)[16] = kp_alloc(num, sizeof(*names));
	struct kp_buf out;
	struct world w;

	begin(&w, words, 5);
	for (size_t i = 0; i < num; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "%zu", i);
		kproxy__control__v1__change__init(&list[i]);
		list[i].kind = T("Cluster");
		list[i].name = names[i];
	}
	cr_assert(change(&w, 1, &out, list, num));
	kp_buf_fini(&out);
	cr_assert(change(&w, 2, &out, list, num));
	kp_buf_fini(&out);
	list[0].name = T("one more");
	cr_assert(!change(&w, 3, &out, list, 1));
	kp_buf_fini(&out);
	end(&w);
	free(names);
	free(list);
}

Test(news, what_is_remembered_is_bounded_in_bytes)
{
	static const char *const words[] = { "get", "all", "-w" };
	const size_t len = 16u << 20;
	char *document = kp_alloc(1, len + 1);
	uint64_t number = 0;
	Kproxy__Control__V1__Change one;
	char name[16];
	struct kp_buf out;
	struct world w;
	bool is_ok = true;

	begin(&w, words, 3);
	/* too long for a reader of YAML, but not for a message */
	for (size_t i = 0; i < len; i++)
		document[i] = '#';
	kproxy__control__v1__change__init(&one);
	one.kind = T("Cluster");
	one.name = name;
	one.document = document;
	while (is_ok && number < 20) {
		(void)snprintf(name, sizeof(name), "%d", (int)++number);
		is_ok = change(&w, number, &out, &one, 1);
		kp_buf_fini(&out);
	}
	cr_assert_eq(number, KP_FETCH_MAX_LEN / len);
	end(&w);
	free(document);
}

/* No resource is taken for another one, or for none, for want of memory. */
Test(news, memory_that_is_refused_is_said)
{
	static const char *const words[] = { "get", "all", "-w", "-o", "name",
		"-l", "team=red" };
	Kproxy__Control__V1__Change one;
	unsigned n = 0;
	bool is_ok = false;

	kproxy__control__v1__change__init(&one);
	one.kind = T("Cluster");
	one.name = T("a");
	one.document = T("metadata: {labels: {team: red}}");
	while (!is_ok && n < 100) {
		struct kp_buf out;
		struct world w;

		begin(&w, words, 7);
		kp_alloc_fail_after(++n);
		is_ok = change(&w, 1, &out, &one, 1) && !out.is_refused;
		kp_alloc_fail_after(0);
		if (is_ok)
			cr_assert_str_eq(
			    kp_buf_text(&out), "ADDED      cluster/a\n");
		kp_buf_fini(&out);
		end(&w);
	}
	cr_assert_gt(n, 10);
	cr_assert_lt(n, 100);
}
