/* SPDX-License-Identifier: Apache-2.0 */
/* What operands may be where a server knows it. A shell waits: not for long. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/complete.h"
#include "cli/fetch.h"
#include "cli/run.h"
#include "cli/targets.h"
#include "rules/resource.h"

#define TIMEOUT_MS 500
#define WORD_SIZE 512

/* Only what is one word to every shell, and plain to every terminal. */
static bool
is_plain(const char *name)
{
	return name[0] != '\0' &&
	       strspn(name,
		   "abcdefghijklmnopqrstuvwxyz"
		   "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._") == strlen(name);
}

static void
add_name(struct kp_candidates *out, const char *prefix, const char *name)
{
	char word[WORD_SIZE];

	(void)snprintf(word, sizeof(word), "%s%s", prefix, name);
	if (is_plain(name))
		(void)kp_candidates_add(out, word, "");
}

static void
add_resources(struct kp_candidates *out, struct kp_connection *connection,
    const char *kind, const char *prefix)
{
	const struct kp_query query = { .kind = kind, .is_names_only = true };
	struct kp_listed listed;

	if (kp_fetch_resources(connection, &listed, &query) == KP_EXIT_OK) {
		for (size_t i = 0; i < listed.num; i++)
			add_name(out, prefix, listed.list[i]->name);
	}
	kp_listed_fini(&listed);
}

static void
add_nodes(struct kp_candidates *out, struct kp_connection *connection,
    const char *prefix)
{
	struct kp_listed_nodes nodes;

	if (kp_fetch_nodes(connection, &nodes, NULL, true) == KP_EXIT_OK) {
		for (size_t i = 0; i < nodes.num; i++)
			add_name(out, prefix, nodes.list[i]->name);
	}
	kp_listed_nodes_fini(&nodes);
}

/* prefix stands in front of each name: "cluster/", or nothing. */
static void
add_names(struct kp_candidates *out, const struct kp_args *args,
    const char *kind, const char *prefix)
{
	int64_t deadline_ms = kp_now_ms() + TIMEOUT_MS, left_ms;
	struct kp_connection connection;
	enum kp_exit result =
	    kp_connection_open_until(&connection, args, deadline_ms);

	left_ms = deadline_ms - kp_now_ms();
	if (result == KP_EXIT_OK && left_ms > 0) {
		connection.settings.timeout_ms = left_ms;
		if (strcmp(kind, KP_KIND_NODE) == 0)
			add_nodes(out, &connection, prefix);
		else
			add_resources(out, &connection, kind, prefix);
	}
	kp_connection_close(&connection);
}

static void
add_kinds(struct kp_candidates *out)
{
	for (size_t i = 0; kp_resource_kinds[i] != NULL; i++) {
		char lower[KP_KIND_SIZE];

		kp_kind_lower(lower, kp_resource_kinds[i]->name);
		(void)kp_candidates_add(
		    out, lower, kp_resource_kinds[i]->document.help);
	}
}

void
kp_complete_targets(
    struct kp_candidates *out, const struct kp_args *args, const char *begun)
{
	const char *stroke = strchr(begun, '/'), *kind;
	char prefix[KP_KIND_SIZE + 2];

	if (stroke != NULL) {
		kind = kp_kind_of(begun, (size_t)(stroke - begun));
		(void)snprintf(prefix, sizeof(prefix), "%.*s",
		    (int)(stroke - begun) + 1, begun);
		if (kind != NULL)
			add_names(out, args, kind, prefix);
	} else if (args->num_operands == 0) {
		add_kinds(out);
		(void)kp_candidates_add(out, "node", "");
		(void)kp_candidates_add(out, "all", "");
	} else {
		kind = kp_kind_of(args->operands[0], strlen(args->operands[0]));
		if (kind != NULL)
			add_names(out, args, kind, "");
	}
}

void
kp_complete_node(
    struct kp_candidates *out, const struct kp_args *args, const char *begun)
{
	(void)begun;
	add_names(out, args, KP_KIND_NODE, "");
}
