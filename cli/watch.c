/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/yaml_tree.h"
#include "base/yaml_write.h"
#include "cli/fetch.h"
#include "cli/output.h"
#include "cli/pause.h"
#include "cli/table.h"
#include "cli/view.h"
#include "control/rpc/backoff.h"
#include "proto/control/unpack.h"

/* A server that says nothing for that long is asked whether it is there: the
 * channel's keepalive does so. */
#define READ_TIMEOUT_MS 60000
/* Between two attempts to come back. */
#define FIRST_PAUSE_MS 200
#define MAX_PAUSE_MS 5000

struct watcher {
	const struct kp_args *args;
	const struct kp_targets *targets;
	struct kp_connection connection;
	struct kp_listed known;
	bool has_known; /* the first list has been shown */
};

/* What a change is called, in tables and for programs. */
enum event { ADDED, MODIFIED, DELETED };
static const char *const event_names[] = { "ADDED", "MODIFIED", "DELETED" };

static int
compare(const void *a, const void *b)
{
	const Kproxy__Control__V1__Resource *const *x = a, *const *y = b;
	int order = strcmp((*x)->kind, (*y)->kind);

	return order != 0 ? order : strcmp((*x)->name, (*y)->name);
}

static bool
is_wanted(
    const struct watcher *w, const Kproxy__Control__V1__Resource *resource)
{
	for (size_t i = 0; i < w->targets->num; i++) {
		const struct kp_target *target = &w->targets->list[i];

		if (target->kind != NULL &&
		    strcmp(target->kind, resource->kind) != 0)
			continue;
		if (target->name == NULL ||
		    strcmp(target->name, resource->name) == 0)
			return true;
	}
	return false;
}

static void
add_tree(struct kp_buf *out, const struct watcher *w, enum event event,
    const Kproxy__Control__V1__Resource *resource)
{
	struct kp_yaml *root = kp_yaml_new_map();
	struct kp_yaml *tree = kp_view_tree(resource);

	kp_yaml_put(root, "type", kp_yaml_new_text(event_names[event]));
	kp_yaml_put(
	    root, "revision", kp_view_number(resource->resource_version));
	kp_yaml_put(root, "object", tree == NULL ? kp_yaml_new_null() : tree);
	if (kp_output_is(w->args, "yaml"))
		kp_buf_add_text(out, "---\n");
	kp_output_add_tree(out, w->args, root);
	kp_yaml_free(root);
}

static void
add_line(struct kp_buf *out, const struct watcher *w, enum event event,
    Kproxy__Control__V1__Resource *resource)
{
	const struct kp_view view = { w->args, false, 0 };
	struct kp_buf row;

	kp_buf_printf(out, "%-8s   ", event_names[event]);
	if (kp_output_is(w->args, "name")) {
		kp_kind_title(out, resource->kind, resource->name);
		kp_buf_add_text(out, "\n");
		return;
	}
	/* the heading would be said for each; a row says enough */
	kp_buf_init(&row, KP_OUTPUT_MAX_LEN);
	kp_view_table(&row, &view, &resource, 1, true);
	if (!kp_args_is(w->args, "no-headers") && row.len > 0) {
		const uint8_t *end = memchr(row.data, '\n', row.len);
		size_t skip = (size_t)(end - row.data) + 1;

		kp_buf_add(out, row.data + skip, row.len - skip);
	} else {
		kp_buf_add(out, row.data, row.len);
	}
	kp_buf_fini(&row);
}

static void
add_event(struct kp_buf *out, const struct watcher *w, enum event event,
    Kproxy__Control__V1__Resource *resource)
{
	if (!is_wanted(w, resource))
		return;
	if (kp_output_is(w->args, "json") || kp_output_is(w->args, "yaml"))
		add_tree(out, w, event, resource);
	else
		add_line(out, w, event, resource);
}

/* What makes the known list the new one; both are sorted. */
static void
add_events(
    struct kp_buf *out, const struct watcher *w, const struct kp_listed *next)
{
	const struct kp_listed *known = &w->known;
	size_t a = 0, b = 0;

	while (a < known->num || b < next->num) {
		int order = a == known->num ? 1
			    : b == next->num
				? -1
				: compare(&known->list[a], &next->list[b]);

		if (order < 0)
			add_event(out, w, DELETED, known->list[a]);
		else if (order > 0)
			add_event(out, w, ADDED, next->list[b]);
		else if (known->list[a]->resource_version !=
			 next->list[b]->resource_version)
			add_event(out, w, MODIFIED, next->list[b]);
		a += order <= 0;
		b += order >= 0;
	}
}

/* Shows what has changed since the last time. */
static enum kp_exit
look(struct watcher *w)
{
	const struct kp_query query = {
		.kind = w->targets->num == 1 ? w->targets->list[0].kind : NULL,
		.selector = kp_args_text(w->args, "selector"),
	};
	struct kp_listed next;
	struct kp_buf out;
	enum kp_exit result = kp_fetch_resources(&w->connection, &next, &query);

	if (result != KP_EXIT_OK) {
		kp_listed_fini(&next);
		return result;
	}
	if (next.num > 0)
		qsort(next.list, next.num, sizeof(*next.list), compare);
	kp_buf_init(&out, KP_OUTPUT_MAX_LEN);
	add_events(&out, w, &next);
	kp_output_write(&out);
	result = kp_output_finish(KP_EXIT_OK);
	kp_listed_fini(&w->known);
	w->known = next;
	return result;
}

/* Looks again after every revision; returns when the stream has ended. */
static enum kp_exit
follow(struct watcher *w, struct kp_rpc_status *why)
{
	struct kp_rpc_stream *stream =
	    kp_rpc_stream_new(w->connection.channel, &kp_api_watch, KP_NEVER);
	Kproxy__Control__V1__WatchRequest request;
	enum kp_exit result = KP_EXIT_OK;
	ProtobufCMessage *message;
	struct kp_error err;

	kproxy__control__v1__watch_request__init(&request);
	request.after = w->known.revision;
	if (!kp_rpc_stream_write(
		stream, &request.base, kp_now_ms() + READ_TIMEOUT_MS, &err) ||
	    !kp_rpc_stream_half_close(
		stream, kp_now_ms() + READ_TIMEOUT_MS, &err))
		kp_rpc_stream_cancel(stream);
	while (result == KP_EXIT_OK) {
		enum kp_rpc_read read = kp_rpc_stream_read(
		    stream, &message, kp_now_ms() + READ_TIMEOUT_MS);

		if (read == KP_RPC_READ_END) {
			kp_rpc_status_copy(why, kp_rpc_stream_status(stream));
			break;
		}
		if (read == KP_RPC_READ_NOTHING)
			continue;
		kp_unpacked_free(message);
		result = look(w);
	}
	kp_rpc_stream_free(stream);
	return result;
}

/* Is the end of a stream one that a new stream may get over? */
static bool
is_passing(const struct kp_rpc_status *why)
{
	return why->code == KP_RPC_OK || why->code == KP_RPC_UNAVAILABLE ||
	       why->code == KP_RPC_OUT_OF_RANGE ||
	       why->code == KP_RPC_CANCELLED ||
	       why->code == KP_RPC_RESOURCE_EXHAUSTED;
}

/* Comes back to a server, however long that takes. */
static void
come_back(struct watcher *w, struct kp_rpc_backoff *backoff)
{
	bool has_said = false;

	do {
		kp_pause(kp_rpc_backoff_next(backoff));
		if (kp_connection_again(&w->connection))
			return;
		if (!has_said)
			kp_output_problem("no server can be reached; trying "
					  "again until one can");
		has_said = true;
	} while (true);
}

static enum kp_exit
watch(struct watcher *w)
{
	struct kp_rpc_backoff backoff = { .first_ms = FIRST_PAUSE_MS,
		.max_ms = MAX_PAUSE_MS };
	enum kp_exit result = kp_connection_open(&w->connection, w->args);

	if (result == KP_EXIT_OK)
		result = look(w);
	while (result == KP_EXIT_OK) {
		struct kp_rpc_status why = { .code = KP_RPC_OK };
		int64_t begun_ms = kp_now_ms();

		result = follow(w, &why);
		if (result == KP_EXIT_OK && !is_passing(&why))
			result = kp_connection_complain(&w->connection, &why);
		kp_rpc_status_fini(&why);
		/* one that held for a while is no reason to wait longer */
		if (kp_now_ms() - begun_ms > MAX_PAUSE_MS)
			kp_rpc_backoff_reset(&backoff);
		while (result == KP_EXIT_OK || result == KP_EXIT_NO_SERVER) {
			come_back(w, &backoff);
			result = look(w);
			if (result == KP_EXIT_OK)
				break;
		}
	}
	return result;
}

static bool
can_be_watched(const struct kp_args *args, const struct kp_targets *targets)
{
	for (size_t i = 0; i < targets->num; i++) {
		const char *kind = targets->list[i].kind;

		if (kind == NULL || strcmp(kind, KP_KIND_NODE) != 0)
			continue;
		kp_output_problem(
		    "nodes are watched with kpctl status --watch");
		return false;
	}
	if (kp_args_text(args, "revision") == NULL)
		return true;
	kp_output_problem("an old revision does not change: --watch and "
			  "--revision do not go together");
	return false;
}

enum kp_exit
kp_watch_run(const struct kp_args *args, const struct kp_targets *targets)
{
	struct watcher w = { .args = args, .targets = targets };
	enum kp_exit result;

	if (!can_be_watched(args, targets))
		return KP_EXIT_USAGE;
	result = watch(&w);
	kp_listed_fini(&w.known);
	kp_connection_close(&w.connection);
	return result;
}
