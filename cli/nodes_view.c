/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/nodes_view.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/yaml_tree.h"
#include "base/yaml_write.h"
#include "cli/escape.h"
#include "cli/output.h"
#include "cli/problems.h"
#include "cli/table.h"
#include "cli/targets.h"
#include "cli/times.h"
#include "rules/resource.h"

#define MAX_CELL_LEN 4096
#define NUM_STATES 6

static const char *const states[NUM_STATES] = {
	[KPROXY__CONTROL__V1__NODE_STATE__NODE_STATE_UNSPECIFIED] = "unknown",
	[KPROXY__CONTROL__V1__NODE_STATE__NODE_STATE_CURRENT] = "current",
	[KPROXY__CONTROL__V1__NODE_STATE__NODE_STATE_BEHIND] = "behind",
	[KPROXY__CONTROL__V1__NODE_STATE__NODE_STATE_REFUSED] = "refused",
	[KPROXY__CONTROL__V1__NODE_STATE__NODE_STATE_DRIFTED] = "drifted",
	[KPROXY__CONTROL__V1__NODE_STATE__NODE_STATE_LOST] = "lost",
};

/* A newer server may know more states. */
static size_t
index_of(const Kproxy__Control__V1__Node *node)
{
	size_t index = (size_t)node->state;

	return index < NUM_STATES ? index : 0;
}

const char *
kp_node_state(const Kproxy__Control__V1__Node *node)
{
	return states[index_of(node)];
}

bool
kp_node_is_settled(const Kproxy__Control__V1__Node *node)
{
	return node->state ==
		   KPROXY__CONTROL__V1__NODE_STATE__NODE_STATE_CURRENT ||
	       node->is_cordoned;
}

void
kp_node_reason(struct kp_buf *out, const Kproxy__Control__V1__Node *node)
{
	const Kproxy__Control__V1__Problems *problems = node->problems;
	size_t num = kp_problems_count(problems);

	if (node->is_cordoned) {
		kp_escape_add(out, node->cordon_reason);
		return;
	}
	if (node->state ==
		KPROXY__CONTROL__V1__NODE_STATE__NODE_STATE_CURRENT ||
	    problems == NULL || problems->n_problems == 0)
		return;
	kp_problems_add(out, problems->problems[0]);
	if (num > 1)
		kp_buf_printf(out, " (and %zu more)", num - 1);
}

static const struct kp_table_column columns[] = {
	{ .name = "NAME" },
	{ .name = "STATE" },
	{ .name = "REVISION" },
	{ .name = "LAG" },
	{ .name = "SEEN" },
	{ .name = "VERSION", .is_wide = true },
	{ .name = "ADDRESS", .is_wide = true },
	{ .name = "SERVER", .is_wide = true },
	{ .name = "LABELS", .is_wide = true },
	{ .name = "REASON" },
	{ .name = NULL },
};

#define LABELS_COLUMN 8

static char *
state_cell(const Kproxy__Control__V1__Node *node)
{
	char *text = NULL;

	kp_assert(asprintf(&text, "%s%s", kp_node_state(node),
		      node->is_cordoned ? ",cordoned" : "") >= 0);
	return text;
}

/* How many revisions there are that it does not have yet. */
static void
lag_cell(char out[24], const Kproxy__Control__V1__Node *node)
{
	uint64_t lag = node->wanted_revision > node->revision
			   ? node->wanted_revision - node->revision
			   : 0;

	(void)snprintf(out, 24, "%" PRIu64, lag);
}

static void
add_row(struct kp_table *table, const Kproxy__Control__V1__Node *node)
{
	char revision[24], lag[24], seen[KP_TIME_SIZE];
	struct kp_buf labels, reason;
	char *cells[] = { kp_escape_dup(node->name), state_cell(node), revision,
		lag, seen, kp_escape_dup(node->version),
		kp_escape_dup(node->address), kp_escape_dup(node->server), NULL,
		NULL };

	kp_buf_init(&labels, MAX_CELL_LEN);
	kp_buf_init(&reason, MAX_CELL_LEN);
	kp_view_labels(&labels, node->labels, node->n_labels);
	kp_node_reason(&reason, node);
	cells[8] = kp_view_dup(&labels);
	cells[9] = kp_view_dup(&reason);
	(void)snprintf(revision, sizeof(revision), "%" PRIu64, node->revision);
	lag_cell(lag, node);
	kp_time_ago(seen, node->seen_ms, kp_wall_ms());
	kp_table_add(table, (const char *const *)cells);
	for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++) {
		if (i < 2 || i > 4)
			free(cells[i]);
	}
}

static void
add_table(struct kp_buf *out, const struct kp_view *view,
    Kproxy__Control__V1__Node *const *list, size_t num)
{
	struct kp_table_column shown[sizeof(columns) / sizeof(columns[0])];
	struct kp_table table = { .columns = shown,
		.has_no_heading = kp_args_is(view->args, "no-headers") };

	kp_copy(shown, columns, sizeof(columns));
	if (kp_args_is(view->args, "show-labels"))
		shown[LABELS_COLUMN].is_wide = false;
	for (size_t i = 0; i < num; i++)
		add_row(&table, list[i]);
	kp_table_print(out, &table, kp_output_is(view->args, "wide"));
	kp_table_fini(&table);
}

static void
put_time(struct kp_yaml *map, const char *key, int64_t ms)
{
	char text[KP_TIME_SIZE];

	kp_time_format(text, ms);
	kp_yaml_put(map, key,
	    text[0] != '\0' ? kp_yaml_new_text(text) : kp_yaml_new_null());
}

/* Numbers that JSON has no form for are texts. */
static struct kp_yaml *
number_tree(double value)
{
	char text[40];

	(void)snprintf(text, sizeof(text), "%.17g", value);
	return isfinite(value) ? kp_yaml_new_word(text)
			       : kp_yaml_new_text(text);
}

static struct kp_yaml *
counters_tree(const Kproxy__Control__V1__Node *node)
{
	struct kp_yaml *map = kp_yaml_new_map();

	for (size_t i = 0; i < node->n_counters && i < KP_VIEW_MAX_PAIRS; i++) {
		if (kp_yaml_get(map, node->counters[i]->name) == NULL)
			kp_yaml_put(map, node->counters[i]->name,
			    number_tree(node->counters[i]->value));
	}
	return map;
}

/* The form is a promise: fields are added, none is changed. */
static struct kp_yaml *
tree_of(const Kproxy__Control__V1__Node *node)
{
	struct kp_yaml *root = kp_yaml_new_map(), *map;

	kp_yaml_put(
	    root, "apiVersion", kp_yaml_new_text(KP_RESOURCE_API_VERSION));
	kp_yaml_put(root, "kind", kp_yaml_new_text(KP_KIND_NODE));
	map = kp_yaml_put(root, "metadata", kp_yaml_new_map());
	kp_yaml_put(map, "name", kp_yaml_new_text(node->name));
	kp_yaml_put(
	    map, "labels", kp_view_labels_tree(node->labels, node->n_labels));
	map = kp_yaml_put(root, "status", kp_yaml_new_map());
	kp_yaml_put(map, "state", kp_yaml_new_text(kp_node_state(node)));
	kp_yaml_put(map, "version", kp_yaml_new_text(node->version));
	kp_yaml_put(map, "address", kp_yaml_new_text(node->address));
	kp_yaml_put(map, "server", kp_yaml_new_text(node->server));
	kp_yaml_put(map, "cordoned", kp_yaml_new_bool(node->is_cordoned));
	kp_yaml_put(map, "cordonReason", kp_yaml_new_text(node->cordon_reason));
	kp_yaml_put(map, "revision", kp_view_number(node->revision));
	kp_yaml_put(
	    map, "wantedRevision", kp_view_number(node->wanted_revision));
	kp_yaml_put(
	    map, "refusedRevision", kp_view_number(node->refused_revision));
	kp_yaml_put(map, "problems", kp_problems_tree(node->problems));
	put_time(map, "connected", node->connected_ms);
	put_time(map, "seen", node->seen_ms);
	put_time(map, "applied", node->applied_ms);
	kp_yaml_put(map, "counters", counters_tree(node));
	return root;
}

static void
add_tree(struct kp_buf *out, const struct kp_view *view,
    Kproxy__Control__V1__Node *const *list, size_t num)
{
	struct kp_yaml *items, *root = kp_view_list(view->revision, &items);

	for (size_t i = 0; i < num; i++)
		kp_yaml_append(items, tree_of(list[i]));
	kp_output_add_tree(
	    out, view->args, view->is_one && num == 1 ? items->items[0] : root);
	kp_yaml_free(root);
}

void
kp_nodes_add(struct kp_buf *out, const struct kp_view *view,
    Kproxy__Control__V1__Node *const *list, size_t num)
{
	if (kp_output_is(view->args, "json") ||
	    kp_output_is(view->args, "yaml")) {
		add_tree(out, view, list, num);
		return;
	}
	if (!kp_output_is(view->args, "name")) {
		add_table(out, view, list, num);
		return;
	}
	for (size_t i = 0; i < num; i++) {
		kp_kind_title(out, KP_KIND_NODE, list[i]->name);
		kp_buf_add_text(out, "\n");
	}
}

void
kp_nodes_summary(struct kp_buf *out, Kproxy__Control__V1__Node *const *list,
    size_t num, uint64_t revision)
{
	size_t counts[NUM_STATES] = { 0 }, num_cordoned = 0;
	const char *gap = ": ";

	for (size_t i = 0; i < num; i++) {
		counts[index_of(list[i])]++;
		num_cordoned += list[i]->is_cordoned != 0;
	}
	kp_buf_printf(out, "%zu node%s", num, num == 1 ? "" : "s");
	for (size_t i = 1; i <= NUM_STATES; i++) {
		size_t state = i % NUM_STATES;

		if (counts[state] == 0)
			continue;
		kp_buf_printf(
		    out, "%s%zu %s", gap, counts[state], states[state]);
		gap = ", ";
	}
	if (num_cordoned > 0)
		kp_buf_printf(out, " (%zu cordoned)", num_cordoned);
	kp_buf_printf(out, "; revision %" PRIu64 "\n", revision);
}

static void
add_line(struct kp_buf *out, const char *title, const char *text)
{
	kp_buf_printf(out, "%-14s", title);
	kp_escape_add(out, text[0] != '\0' ? text : "<none>");
	kp_buf_add_text(out, "\n");
}

static void
add_time(struct kp_buf *out, const char *title, int64_t ms)
{
	char when[KP_TIME_SIZE], ago[KP_TIME_SIZE], text[2 * KP_TIME_SIZE + 8];

	kp_time_format(when, ms);
	kp_time_ago(ago, ms, kp_wall_ms());
	if (when[0] == '\0')
		return;
	(void)snprintf(text, sizeof(text), "%s (%s ago)", when, ago);
	add_line(out, title, text);
}

static void
add_revisions(struct kp_buf *out, const Kproxy__Control__V1__Node *node)
{
	kp_buf_printf(out, "%-14s%" PRIu64 " of %" PRIu64 "\n",
	    "Revision:", node->revision, node->wanted_revision);
	if (node->refused_revision > 0)
		kp_buf_printf(out, "%-14s%" PRIu64 "\n",
		    "Refused:", node->refused_revision);
	if (kp_problems_count(node->problems) == 0)
		return;
	kp_buf_add_text(out, "Problems:\n");
	for (size_t i = 0; i < node->problems->n_problems; i++) {
		kp_buf_add_text(out, "  ");
		kp_problems_add(out, node->problems->problems[i]);
		kp_buf_add_text(out, "\n");
	}
	if (node->problems->left_out > 0)
		kp_buf_printf(out, "  and %u more\n", node->problems->left_out);
}

void
kp_node_describe(struct kp_buf *out, const Kproxy__Control__V1__Node *node)
{
	struct kp_buf labels;
	char *text;

	kp_buf_init(&labels, MAX_CELL_LEN);
	kp_view_labels(&labels, node->labels, node->n_labels);
	text = kp_view_dup(&labels);
	add_line(out, "Name:", node->name);
	kp_buf_printf(out, "%-14s%s\n", "Labels:", text[0] ? text : "<none>");
	free(text);
	text = state_cell(node);
	add_line(out, "State:", text);
	free(text);
	if (node->is_cordoned)
		add_line(out, "Cordoned:", node->cordon_reason);
	add_line(out, "Version:", node->version);
	add_line(out, "Address:", node->address);
	add_line(out, "Server:", node->server);
	add_time(out, "Connected:", node->connected_ms);
	add_time(out, "Seen:", node->seen_ms);
	add_time(out, "Applied:", node->applied_ms);
	add_revisions(out, node);
	if (node->n_counters > 0)
		kp_buf_add_text(out, "Counters:\n");
	for (size_t i = 0; i < node->n_counters; i++) {
		kp_buf_add_text(out, "  ");
		kp_escape_add(out, node->counters[i]->name);
		kp_buf_printf(out, " %.17g\n", node->counters[i]->value);
	}
}
