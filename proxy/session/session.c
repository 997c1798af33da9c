/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/session/session.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include "base/alloc.h"
#include "base/clock.h"

bool
kp_session_fail(struct kp_session *session, enum kp_close_reason reason,
    struct kp_error *err, enum kp_error_kind kind, const char *fmt, ...)
{
	va_list args;

	session->reason = reason;
	err->kind = kind;
	err->sys_errno = 0;
	va_start(args, fmt);
	if (vsnprintf(err->text, sizeof(err->text), fmt, args) < 0)
		err->text[0] = '\0';
	va_end(args);
	return false;
}

static void
on_learned(void *context, const struct kp_node *node)
{
	struct kp_session *session = context;

	kp_log(KP_LOG_INFO, "node_learned",
	    KP_STR("cluster", session->endpoint->cluster->name),
	    KP_INT("node", node->id), KP_STR("host", node->host),
	    KP_INT("port", node->port));
	session->shared->reports.learned(session->shared->reports.context,
	    session->endpoint->cluster->name, node);
}

static void
name_peer(struct kp_session *session, int fd)
{
	struct kp_address address = { .len = 0 };
	struct kp_error err;

	if (!kp_address_of_peer(&address, fd, &err))
		address.len = 0;
	kp_address_format(&address, session->peer);
	kp_address_format_host(&address, session->roster.host);
}

static void
init_flows(struct kp_session *session)
{
	const struct kp_flow_owner of_requests = {
		.ready = kp_request_ready,
		.begin = kp_request_begin,
		.collected = kp_request_collected,
		.session = session,
		.part = KP_MEMORY_REQUESTS,
	};
	const struct kp_flow_owner of_answers = {
		.ready = kp_answer_ready,
		.begin = kp_answer_begin,
		.collected = kp_answer_collected,
		.session = session,
		.part = KP_MEMORY_ANSWERS,
	};

	kp_flow_init(&session->requests, &of_requests, &session->client,
	    &session->broker, &session->memory, session->shared->pipes,
	    &session->now_ns);
	kp_flow_init(&session->answers, &of_answers, &session->broker,
	    &session->client, &session->memory, session->shared->pipes,
	    &session->now_ns);
}

struct kp_session *
kp_session_new(struct kp_shared *shared, struct kp_snapshot **snapshot,
    const struct kp_endpoint *endpoint, int32_t node_id, int fd)
{
	struct kp_session *session = kp_alloc(1, sizeof(*session));
	struct kp_error err;

	session->shared = shared;
	session->id = atomic_fetch_add(&shared->next_id, 1) + 1;
	session->counters =
	    kp_metrics_stripe(shared->metrics, (unsigned)session->id);
	session->snapshot = *snapshot;
	*snapshot = NULL;
	session->endpoint = endpoint;
	session->limits = &session->snapshot->tables->limits;
	session->node_id = node_id;
	session->opened_ms = kp_now_ms();
	session->activity_ms = session->opened_ms;
	session->reason = KP_NUM_CLOSE_REASONS;
	session->memory = (struct kp_share){ .pool = shared->pool,
		.limit_len = (uint64_t)kp_session_limit(
		    session, KP_LIMIT_MEMORY_PER_CONNECTION) };
	name_peer(session, fd);
	kp_in_flight_init(&session->in_flight,
	    (uint32_t)kp_session_limit(session, KP_LIMIT_IN_FLIGHT));
	kp_versions_init(&session->versions);
	kp_rename_init(&session->rename, endpoint->listener, endpoint->topology,
	    on_learned, session);
	kp_record_account_init(
	    &session->sent, &session->counters, KP_TRAFFIC_REQUEST);
	kp_record_account_init(
	    &session->received, &session->counters, KP_TRAFFIC_ANSWER);
	init_flows(session);
	if (!kp_stream_init_plain(&session->client, fd, &err)) {
		kp_session_free(session);
		return NULL;
	}
	return session;
}

void
kp_session_pop(struct kp_session *session)
{
	kp_share_uncharge(&session->memory, KP_MEMORY_ANSWERS,
	    kp_in_flight_head(&session->in_flight)->charged_len);
	kp_in_flight_pop(&session->in_flight);
}

void
kp_session_free(struct kp_session *session)
{
	while (session->in_flight.num > 0)
		kp_session_pop(session);
	kp_buf_fini(&session->refused);
	kp_flow_fini(&session->requests);
	kp_flow_fini(&session->answers);
	kp_stream_fini(&session->client);
	kp_stream_fini(&session->broker);
	kp_in_flight_fini(&session->in_flight);
	kp_rename_fini(&session->rename);
	kp_snapshot_unref(session->snapshot);
	free(session);
}

enum kp_close_reason
kp_session_memory_reason(const struct kp_session *session)
{
	return session->memory.is_exceeded ? KP_CLOSE_CONNECTION_MEMORY
					   : KP_CLOSE_MEMORY_LIMIT;
}

/* Why it ended, if whoever noticed did not say. */
static enum kp_close_reason
reason_of(const struct kp_session *session, const struct kp_error *err,
    enum kp_close_reason closed)
{
	if (err->kind == KP_ERR_LIMIT)
		return kp_session_memory_reason(session);
	if (err->kind == KP_ERR_TLS)
		return KP_CLOSE_TLS_ERROR;
	if (err->kind == KP_ERR_PROTOCOL)
		return KP_CLOSE_PROTOCOL_ERROR;
	return closed;
}

/*
 * A request that must not be answered ends the connection as Kafka does: after
 * the answers to those before it.
 */
static bool
ends_after_answers(struct kp_session *session, enum kp_flow_status of_requests,
    const struct kp_error *err)
{
	if (of_requests != KP_FLOW_FAILED ||
	    session->requests.mode != KP_FLOW_BEGIN ||
	    session->in_flight.num == 0 || session->is_ending ||
	    (err->kind != KP_ERR_PROTOCOL && err->kind != KP_ERR_UNSUPPORTED))
		return false;
	session->is_ending = true;
	session->last_error = *err;
	return true;
}

/*
 * Returns whether the connection goes on with this flow. reader and writer say
 * whose closing it is when reading or writing ends.
 */
static bool
goes_on(struct kp_session *session, enum kp_flow_status status,
    enum kp_close_reason reader, enum kp_close_reason writer,
    const struct kp_error *err)
{
	if (status != KP_FLOW_CLOSED && status != KP_FLOW_FAILED &&
	    status != KP_FLOW_BROKEN)
		return true;
	if (session->reason == KP_NUM_CLOSE_REASONS)
		session->reason = reason_of(
		    session, err, status == KP_FLOW_BROKEN ? writer : reader);
	return false;
}

static void
report_flow(
    struct kp_session *session, struct kp_flow *flow, enum kp_traffic direction)
{
	if (flow->added_ns == 0)
		return;
	kp_stripe_observe(
	    &session->counters, KP_M_ADDED_TIME, direction, flow->added_ns);
	flow->added_ns = 0;
	flow->num_begun = 0;
}

static void
report_renamed(struct kp_session *session)
{
	struct kp_rename_counts *counts = &session->rename.counts;

	kp_session_count(
	    session, KP_M_REWRITES, KP_REWRITE_ADDRESS, counts->addresses);
	kp_session_count(
	    session, KP_M_REWRITES, KP_REWRITE_TEXT, counts->texts);
	kp_session_count(
	    session, KP_M_REWRITES, KP_REWRITE_LEFT_OUT, counts->unmapped);
	kp_session_count(session, KP_M_NODES_UNMAPPED, 0, counts->unmapped);
	if (counts->unmapped > 0)
		kp_log(KP_LOG_ERROR, "node_without_address",
		    KP_STR("listener", session->endpoint->listener->name),
		    KP_STR("cluster", session->endpoint->cluster->name),
		    KP_INT("num_nodes", counts->unmapped),
		    KP_STR("hint", "make the listener's ports.count larger"));
	*counts = (struct kp_rename_counts){ 0 };
}

static void
report(struct kp_session *session)
{
	const struct kp_rename_counts *counts = &session->rename.counts;

	report_flow(session, &session->requests, KP_TRAFFIC_REQUEST);
	report_flow(session, &session->answers, KP_TRAFFIC_ANSWER);
	if ((counts->addresses | counts->texts | counts->unmapped) != 0)
		report_renamed(session);
}

/* Is there anything that the flow can do now? */
static bool
can_run(const struct kp_flow *flow, enum kp_flow_status status)
{
	if (status == KP_FLOW_WANTS_READ)
		return !kp_stream_is_empty(flow->from);
	if (status == KP_FLOW_WANTS_WRITE)
		return !kp_stream_is_full(flow->to);
	return true;
}

static bool
run_requests(struct kp_session *session, struct kp_error *err)
{
	session->of_requests = kp_flow_run(&session->requests, err);
	if (ends_after_answers(session, session->of_requests, err))
		session->of_requests = KP_FLOW_HELD;
	return goes_on(session, session->of_requests, KP_CLOSE_CLIENT_CLOSED,
	    KP_CLOSE_BROKER_CLOSED, err);
}

static bool
run_answers(struct kp_session *session, struct kp_error *err)
{
	session->of_answers = kp_flow_run(&session->answers, err);
	return goes_on(session, session->of_answers, KP_CLOSE_BROKER_CLOSED,
	    KP_CLOSE_CLIENT_CLOSED, err);
}

/*
 * Runs both directions until both have to wait; false when it is over. A
 * direction whose sockets have nothing new is left alone, unless something else
 * may have changed for it (is_nudged).
 */
static bool
run_flows(struct kp_session *session, bool is_nudged, struct kp_error *err)
{
	bool is_released;

	do {
		if ((is_nudged ||
			can_run(&session->requests, session->of_requests)) &&
		    !run_requests(session, err))
			return false;
		if ((is_nudged || kp_answer_ready(session) == KP_READY_DUE ||
			can_run(&session->answers, session->of_answers)) &&
		    !run_answers(session, err))
			return false;
		report(session);
		is_released = session->of_requests == KP_FLOW_HELD &&
			      !kp_request_is_held(session);
	} while (is_released);
	return true;
}

/* All that was taken in has been answered, and no more is taken in. */
static bool
is_finished(const struct kp_session *session)
{
	return session->is_ending && session->in_flight.num == 0 &&
	       session->requests.mode == KP_FLOW_BEGIN &&
	       !kp_flow_has_unwritten(&session->requests) &&
	       kp_flow_is_idle(&session->answers);
}

static void
finish(struct kp_session *session, struct kp_error *err)
{
	if (session->last_error.kind != KP_ERR_NONE)
		*err = session->last_error;
	else
		kp_session_fail(session, KP_CLOSE_DRAIN, err,
		    KP_ERR_UNAVAILABLE, "no more requests are taken");
}

static void
serve(struct kp_session *session, struct kp_error *err)
{
	bool is_nudged = true;

	while (run_flows(session, is_nudged, err)) {
		if (is_finished(session)) {
			finish(session, err);
			return;
		}
		if (!kp_session_wait(session, &is_nudged, err))
			return;
	}
}

/* Ends that everybody expects are of no interest by default. */
static enum kp_log_level
level_of(enum kp_close_reason reason)
{
	switch ((int)reason) {
	case KP_CLOSE_CLIENT_CLOSED:
	case KP_CLOSE_BROKER_CLOSED:
	case KP_CLOSE_IDLE_TIMEOUT:
	case KP_CLOSE_DRAIN:
		return KP_LOG_DEBUG;
	default:
		return KP_LOG_WARN;
	}
}

static void
log_end(const struct kp_session *session, const struct kp_error *err)
{
	static struct kp_log_limiter limiter;
	enum kp_log_level level = level_of(session->reason);
	uint64_t suppressed = 0;

	if (!kp_log_is_on(level) ||
	    (level == KP_LOG_WARN && !kp_log_admit(&limiter, &suppressed)))
		return;
	kp_log_write(level, "connection_closed",
	    (const struct kp_log_field[]){ KP_INT("conn", session->id),
		KP_STR("peer", session->peer),
		KP_STR("listener", session->endpoint->listener->name),
		KP_STR("principal", session->sasl.principal),
		KP_STR("reason", kp_close_reason_name(session->reason)),
		KP_STR("detail", err->text),
		KP_INT("sent_len", session->requests.written_len),
		KP_INT("received_len", session->answers.written_len),
		KP_INT("suppressed", suppressed), { 0 } });
}

static void
note_end(struct kp_session *session, const struct kp_error *err)
{
	if (session->reason == KP_NUM_CLOSE_REASONS)
		session->reason =
		    reason_of(session, err, KP_CLOSE_CLIENT_CLOSED);
	kp_session_count(
	    session, KP_M_IN_FLIGHT, 0, -(int64_t)session->in_flight.num);
	kp_session_count(session, KP_M_CLOSED, session->reason, 1);
	if (level_of(session->reason) == KP_LOG_WARN)
		kp_session_count(session, KP_M_ERRORS, err->kind, 1);
	log_end(session, err);
}

void *
kp_session_run(void *argument)
{
	struct kp_session *session = argument;
	struct kp_shared *shared = session->shared;
	struct kp_error err = { .kind = KP_ERR_NONE };

	kp_roster_started(&shared->roster, &session->roster);
	if (kp_session_open(session, &err)) {
		session->now_ns = kp_now_ns();
		session->activity_ms = session->now_ns / 1000000;
		serve(session, &err);
	}
	report(session);
	note_end(session, &err);
	/* a client that sees the end finds its place free if it comes again */
	kp_roster_end(&shared->roster, &session->roster);
	kp_session_count(session, KP_M_CONNECTIONS, 0, -1);
	/* not only when it is joined: there may be many ahead of it */
	kp_flow_fini(&session->requests);
	kp_flow_fini(&session->answers);
	kp_stream_fini(&session->client);
	kp_stream_fini(&session->broker);
	/* A full counter wakes the acceptor as well. */
	(void)eventfd_write(shared->ended_event, 1);
	return NULL;
}
