/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/watch.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cli/escape.h"
#include "cli/fetch.h"
#include "cli/news.h"
#include "cli/output.h"
#include "cli/pause.h"
#include "control/rpc/backoff.h"
#include "proto/control/unpack.h"

#define WRITE_TIMEOUT_MS 60000
/* While nothing comes, we look so often whether anybody still reads us; whether
 * the server is there is looked after by the channel's keepalive. */
#define READ_TIMEOUT_MS 1000
/* Between two attempts to come back. */
#define FIRST_PAUSE_MS 200
#define MAX_PAUSE_MS 5000
/* Attempts that may fail without a word: the stream that was lost, and one that
 * is told to list first. */
#define SILENT_FAILURES 2

struct watcher {
	struct kp_connection connection;
	struct kp_news news;
	struct kp_rpc_backoff backoff;
	bool must_list;        /* no stream can go on after what is known */
	bool was_older;        /* the last list was older than what is known */
	unsigned num_failures; /* since a stream held */
	bool is_said;          /* that there were */
};

/* Writes what is news; is_ok and err are how that was found out. */
static enum kp_exit
show(struct kp_buf *out, bool is_ok, const struct kp_error *err)
{
	enum kp_exit result;

	kp_output_write(out);
	result = kp_output_finish(KP_EXIT_OK);
	if (is_ok || result != KP_EXIT_OK)
		return result;
	kp_output_problem("%s", err->text);
	return KP_EXIT_FAILED;
}

/*
 * Another server may be a moment behind the one that we had: what it lists is
 * no news. One that lists the same after a while has been put back.
 */
static bool
is_late(struct watcher *w, const struct kp_listed *listed,
    struct kp_rpc_status *why)
{
	w->was_older = listed->revision < w->news.revision && !w->was_older;
	if (!w->was_older)
		return false;
	kp_rpc_status_set(why, KP_RPC_UNAVAILABLE,
	    "it has not heard of revision %llu",
	    (unsigned long long)w->news.revision);
	return true;
}

static enum kp_exit
take_list(struct watcher *w, const struct kp_listed *listed)
{
	struct kp_error err;
	struct kp_buf out;
	bool is_ok;

	kp_buf_init(&out, KP_OUTPUT_MAX_LEN);
	is_ok = kp_news_list(&w->news, &out, listed, &err);
	return show(&out, is_ok, &err);
}

/* Shows what differs from what is known. Without a list why says why. */
static enum kp_exit
look(struct watcher *w, struct kp_rpc_status *why)
{
	const struct kp_query query = {
		.kind = kp_news_kind(&w->news),
		.selector = kp_args_text(w->news.args, "selector"),
		.is_names_only = kp_output_is(w->news.args, "name"),
	};
	struct kp_listed listed;
	enum kp_exit result =
	    kp_fetch_resources_why(&w->connection, &listed, &query, why);

	if (result == KP_EXIT_OK && why->code == KP_RPC_OK) {
		w->must_list = false;
		if (!is_late(w, &listed, why))
			result = take_list(w, &listed);
	}
	kp_listed_fini(&listed);
	return result;
}

/* A stream of what comes after what is known. */
static struct kp_rpc_stream *
begin(struct watcher *w)
{
	const char *kind = kp_news_kind(&w->news);
	struct kp_rpc_stream *stream =
	    kp_rpc_stream_new(w->connection.channel, &kp_api_watch, KP_NEVER);
	int64_t deadline_ms = kp_now_ms() + WRITE_TIMEOUT_MS;
	Kproxy__Control__V1__WatchRequest request;
	struct kp_error err;

	kproxy__control__v1__watch_request__init(&request);
	request.after = w->news.revision;
	request.kind = (char *)(uintptr_t)(kind == NULL ? "" : kind);
	request.with_documents = kp_news_has_documents(&w->news);
	if (!kp_rpc_stream_write(stream, &request.base, deadline_ms, &err) ||
	    !kp_rpc_stream_half_close(stream, deadline_ms, &err))
		kp_rpc_stream_cancel(stream);
	return stream;
}

static void
has_held(struct watcher *w)
{
	w->num_failures = 0;
	w->is_said = false;
	w->was_older = false;
}

static enum kp_exit
take(struct watcher *w, const ProtobufCMessage *message)
{
	const Kproxy__Control__V1__WatchResponse *response =
	    (const Kproxy__Control__V1__WatchResponse *)message;
	struct kp_error err;
	struct kp_buf out;
	bool is_ok;

	has_held(w);
	if (response->revision == NULL)
		return KP_EXIT_OK;
	kp_buf_init(&out, KP_OUTPUT_MAX_LEN);
	is_ok = kp_news_revision(&w->news, &out, response->revision, &err);
	return show(&out, is_ok, &err);
}

/* Shows every revision, until the stream has ended: why says how. */
static enum kp_exit
follow(struct watcher *w, struct kp_rpc_status *why)
{
	struct kp_rpc_stream *stream = begin(w);
	int64_t begun_ms = kp_now_ms();
	enum kp_exit result = KP_EXIT_OK;
	ProtobufCMessage *message;

	while (result == KP_EXIT_OK) {
		enum kp_rpc_read read = kp_rpc_stream_read(
		    stream, &message, kp_now_ms() + READ_TIMEOUT_MS);

		if (read == KP_RPC_READ_END) {
			kp_rpc_status_copy(why, kp_rpc_stream_status(stream));
			break;
		}
		if (read == KP_RPC_READ_MESSAGE) {
			result = take(w, message);
			kp_unpacked_free(message);
		}
		if (result == KP_EXIT_OK)
			result = kp_output_check();
	}
	kp_rpc_stream_free(stream);
	/* one that held for a while is no reason to wait longer */
	if (kp_now_ms() - begun_ms > MAX_PAUSE_MS) {
		kp_rpc_backoff_reset(&w->backoff);
		has_held(w);
	}
	return result;
}

/*
 * Can a new attempt get over that? UNKNOWN is how gRPC calls some of the ways
 * in which a connection breaks.
 */
static bool
is_passing(const struct kp_rpc_status *why)
{
	return why->code == KP_RPC_OK || why->code == KP_RPC_CANCELLED ||
	       why->code == KP_RPC_UNKNOWN ||
	       why->code == KP_RPC_DEADLINE_EXCEEDED ||
	       why->code == KP_RPC_RESOURCE_EXHAUSTED ||
	       why->code == KP_RPC_OUT_OF_RANGE ||
	       why->code == KP_RPC_UNAVAILABLE;
}

/* Says once that it does not go on; why is NULL if nobody can be reached. */
static void
say(struct watcher *w, const struct kp_rpc_status *why)
{
	char *sentence;

	if (w->is_said)
		return;
	w->is_said = true;
	if (why == NULL) {
		kp_output_problem("no server can be reached; trying again "
				  "until one can");
		return;
	}
	sentence = kp_escape_dup(why->sentence);
	kp_output_problem("%s: %s; trying again until it goes on",
	    w->connection.address,
	    sentence[0] == '\0' ? "it ended the watch"
				: kp_connection_reason(sentence));
	free(sentence);
}

/* Comes back to a server, however long that takes. */
static enum kp_exit
come_back(struct watcher *w, const struct kp_rpc_status *why)
{
	enum kp_exit result = KP_EXIT_OK;

	if (!is_passing(why))
		return kp_connection_complain(&w->connection, why);
	if (why->code == KP_RPC_OUT_OF_RANGE ||
	    why->code == KP_RPC_RESOURCE_EXHAUSTED)
		w->must_list = true;
	if (++w->num_failures > SILENT_FAILURES)
		say(w, why);
	while (result == KP_EXIT_OK) {
		kp_pause(kp_rpc_backoff_next(&w->backoff));
		if (kp_connection_again(&w->connection))
			break;
		say(w, NULL);
		result = kp_output_check();
	}
	return result;
}

static enum kp_exit
watch(struct watcher *w)
{
	struct kp_rpc_status why = { .code = KP_RPC_OK };
	enum kp_exit result = look(w, &why);

	if (result == KP_EXIT_OK && why.code != KP_RPC_OK)
		result = kp_connection_complain(&w->connection, &why);
	kp_rpc_status_fini(&why);
	while (result == KP_EXIT_OK) {
		why = (struct kp_rpc_status){ .code = KP_RPC_OK };
		if (w->must_list)
			result = look(w, &why);
		if (result == KP_EXIT_OK && why.code == KP_RPC_OK)
			result = follow(w, &why);
		if (result == KP_EXIT_OK)
			result = come_back(w, &why);
		kp_rpc_status_fini(&why);
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
	struct watcher w = { .backoff = { .first_ms = FIRST_PAUSE_MS,
				 .max_ms = MAX_PAUSE_MS } };
	enum kp_exit result = KP_EXIT_USAGE;
	struct kp_error err;

	if (!can_be_watched(args, targets))
		return result;
	if (!kp_news_init(&w.news, args, targets, &err))
		kp_output_problem("--selector: %s", err.text);
	else
		result = kp_connection_open(&w.connection, args);
	if (result == KP_EXIT_OK)
		result = watch(&w);
	kp_news_fini(&w.news);
	kp_connection_close(&w.connection);
	return result;
}
