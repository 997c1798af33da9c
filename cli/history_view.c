/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/history_view.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/yaml_tree.h"
#include "base/yaml_write.h"
#include "cli/color.h"
#include "cli/diff.h"
#include "cli/escape.h"
#include "cli/output.h"
#include "cli/table.h"
#include "cli/targets.h"
#include "cli/times.h"
#include "proto/control/unpack.h"

#define MAX_CELL_LEN 4096
/* In a table; -o wide shows all. */
#define MAX_CHANGES_SHOWN 3
#define NUM_OUTCOMES 5

const char *
kp_outcome(Kproxy__Control__V1__Outcome outcome)
{
	static const char *const words[NUM_OUTCOMES] = { "changed", "created",
		"configured", "unchanged", "deleted" };

	return words[(size_t)outcome < NUM_OUTCOMES ? outcome : 0];
}

enum kp_exit
kp_history_fetch(struct kp_connection *connection,
    Kproxy__Control__V1__HistoryResponse **out,
    const struct kp_history_query *query)
{
	Kproxy__Control__V1__HistoryRequest request;
	ProtobufCMessage *answer;
	enum kp_exit result;

	kproxy__control__v1__history_request__init(&request);
	if (query->kind != NULL)
		request.kind = (char *)(uintptr_t)query->kind;
	if (query->name != NULL)
		request.name = (char *)(uintptr_t)query->name;
	request.before = query->before;
	request.limit = query->limit;
	request.with_documents = query->has_documents;
	result = kp_connection_call(
	    connection, &kp_api_history, &answer, &request.base);
	*out = (Kproxy__Control__V1__HistoryResponse *)answer;
	return result;
}

static void
add_what(struct kp_buf *out, const Kproxy__Control__V1__Revision *revision,
    size_t max_shown)
{
	size_t num = revision->n_changes;

	for (size_t i = 0; i < num && i < max_shown; i++) {
		const Kproxy__Control__V1__Change *change =
		    revision->changes[i];

		kp_buf_add_text(out, i > 0 ? ", " : "");
		kp_kind_title(out, change->kind, change->name);
		kp_buf_printf(out, " %s", kp_outcome(change->outcome));
	}
	if (num > max_shown)
		kp_buf_printf(out, ", and %zu more", num - max_shown);
}

void
kp_history_what(
    struct kp_buf *out, const Kproxy__Control__V1__Revision *revision)
{
	add_what(out, revision, SIZE_MAX);
}

void
kp_history_describe(
    struct kp_buf *out, const Kproxy__Control__V1__Revision *revision)
{
	char when[KP_TIME_SIZE];

	kp_time_format(when, revision->time_ms);
	kp_buf_printf(out, "Last change:  revision %" PRIu64 ", %s\n",
	    revision->number, when);
	kp_buf_add_text(out, "By:           ");
	kp_escape_add(out, revision->identity);
	kp_buf_add_text(out, "\n");
	if (revision->reason[0] == '\0')
		return;
	kp_buf_add_text(out, "Reason:       ");
	kp_escape_add(out, revision->reason);
	kp_buf_add_text(out, "\n");
}

static const struct kp_table_column columns[] = {
	{ .name = "REVISION" },
	{ .name = "WHEN" },
	{ .name = "WHO" },
	{ .name = "WHAT" },
	{ .name = "WHY" },
	{ .name = NULL },
};

static void
add_row(struct kp_table *table, const Kproxy__Control__V1__Revision *revision,
    bool is_wide)
{
	char number[24], when[KP_TIME_SIZE];
	char *who = kp_escape_dup(revision->identity);
	char *why = kp_escape_dup(revision->reason), *what;
	struct kp_buf text;

	kp_buf_init(&text, is_wide ? KP_OUTPUT_MAX_LEN : MAX_CELL_LEN);
	add_what(&text, revision, is_wide ? SIZE_MAX : MAX_CHANGES_SHOWN);
	what = kp_view_dup(&text);
	(void)snprintf(number, sizeof(number), "%" PRIu64, revision->number);
	kp_time_format(when, revision->time_ms);
	kp_table_add(
	    table, (const char *const[]){ number, when, who, what, why });
	free(who);
	free(why);
	free(what);
}

static void
add_table(struct kp_buf *out, const struct kp_view *view,
    Kproxy__Control__V1__Revision *const *list, size_t num)
{
	struct kp_table table = { .columns = columns,
		.has_no_heading = kp_args_is(view->args, "no-headers") };
	bool is_wide = kp_output_is(view->args, "wide");

	for (size_t i = 0; i < num; i++)
		add_row(&table, list[i], is_wide);
	kp_table_print(out, &table, is_wide);
	kp_table_fini(&table);
}

static struct kp_yaml *
tree_of_change(const Kproxy__Control__V1__Change *change)
{
	const Kproxy__Control__V1__Resource resource = { .document =
							     change->document };
	struct kp_yaml *map = kp_yaml_new_map(), *document = NULL;

	kp_yaml_put(map, "kind", kp_yaml_new_text(change->kind));
	kp_yaml_put(map, "name", kp_yaml_new_text(change->name));
	kp_yaml_put(
	    map, "outcome", kp_yaml_new_text(kp_outcome(change->outcome)));
	if (change->document[0] != '\0')
		document = kp_view_tree(&resource);
	if (document != NULL)
		kp_yaml_put(map, "document", document);
	return map;
}

/* The form is a promise: fields are added, none is changed. */
static struct kp_yaml *
tree_of(const Kproxy__Control__V1__Revision *revision)
{
	struct kp_yaml *map = kp_yaml_new_map(), *changes;
	char when[KP_TIME_SIZE];

	kp_time_format(when, revision->time_ms);
	kp_yaml_put(map, "revision", kp_view_number(revision->number));
	kp_yaml_put(map, "time", kp_yaml_new_text(when));
	kp_yaml_put(map, "identity", kp_yaml_new_text(revision->identity));
	kp_yaml_put(map, "reason", kp_yaml_new_text(revision->reason));
	changes = kp_yaml_put(map, "changes", kp_yaml_new_list());
	for (size_t i = 0; i < revision->n_changes; i++)
		kp_yaml_append(changes, tree_of_change(revision->changes[i]));
	return map;
}

static void
add_tree(struct kp_buf *out, const struct kp_view *view,
    Kproxy__Control__V1__Revision *const *list, size_t num)
{
	struct kp_yaml *root = kp_yaml_new_map(), *items;

	kp_yaml_put(root, "kind", kp_yaml_new_text("RevisionList"));
	items = kp_yaml_put(root, "items", kp_yaml_new_list());
	for (size_t i = 0; i < num; i++)
		kp_yaml_append(items, tree_of(list[i]));
	kp_output_add_tree(
	    out, view->args, view->is_one && num == 1 ? items->items[0] : root);
	kp_yaml_free(root);
}

void
kp_history_add(struct kp_buf *out, const struct kp_view *view,
    Kproxy__Control__V1__Revision *const *list, size_t num)
{
	if (kp_output_is(view->args, "json") ||
	    kp_output_is(view->args, "yaml"))
		add_tree(out, view, list, num);
	else
		add_table(out, view, list, num);
}

/* A document in a form that a terminal is safe from. */
static void
add_document(struct kp_buf *out, const char *document)
{
	const Kproxy__Control__V1__Resource resource = {
		.document = (char *)(uintptr_t)document
	};
	struct kp_yaml *tree;

	if (document[0] == '\0')
		return;
	tree = kp_view_tree(&resource);
	if (tree != NULL)
		kp_yaml_write(out, tree);
	else
		kp_escape_add(out, document);
	kp_yaml_free(tree);
}

void
kp_difference_add(struct kp_buf *out,
    const Kproxy__Control__V1__Difference *difference, const char *before,
    const char *after)
{
	struct kp_buf old, new, titles[2];
	char *names[2];

	kp_buf_init(&old, KP_OUTPUT_MAX_LEN);
	kp_buf_init(&new, KP_OUTPUT_MAX_LEN);
	add_document(&old, difference->before);
	add_document(&new, difference->after);
	kp_output_part(&old);
	kp_output_part(&new);
	for (int i = 0; i < 2; i++) {
		kp_buf_init(&titles[i], MAX_CELL_LEN);
		kp_buf_printf(&titles[i], "%s/", i == 0 ? before : after);
		kp_kind_title(&titles[i], difference->kind, difference->name);
		names[i] = kp_view_dup(&titles[i]);
	}
	(void)kp_diff_print(out,
	    &(struct kp_diff_side){ names[0], kp_buf_bytes(&old) },
	    &(struct kp_diff_side){ names[1], kp_buf_bytes(&new) },
	    kp_color_is_wanted(STDOUT_FILENO));
	free(names[0]);
	free(names[1]);
	kp_buf_fini(&old);
	kp_buf_fini(&new);
}
