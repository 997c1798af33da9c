/* SPDX-License-Identifier: Apache-2.0 */
/* What happens to each frame of a client. */
#include "proto/kafka/reader.h"
#include "proxy/session/govern.h"
#include "proxy/session/visitors.h"

#define PRODUCE 0

/* flow->api_key of a frame that is a bare SASL token. */
#define BARE_TOKEN (-1)

/* Key, version, correlation id and the length of a client id. */
#define MIN_REQUEST_LEN 10

/* A request between its header and the decision what to do with it. */
struct request {
	struct kp_request_header header;
	struct kp_bytes frame; /* what is there of it, with the prefix */
	size_t total_len;      /* with the prefix */
};

/*
 * The newest rule tables count from the next request on. If they take the
 * virtual cluster away, or put another cluster behind it, this connection ends
 * with its last answer, and the client finds its way anew.
 */
static void
refresh_rules(struct kp_session *session)
{
	struct kp_snapshot *next;
	const struct kp_endpoint *endpoint;

	if (kp_snapshot_is_current(
		&session->shared->snapshots, session->snapshot))
		return;
	next = kp_snapshot_acquire(&session->shared->snapshots);
	endpoint = kp_snapshot_find(next, session->roster.group->name);
	if (endpoint == NULL ||
	    endpoint->topology != session->endpoint->topology ||
	    strcmp(endpoint->listener->name,
		session->endpoint->listener->name) != 0) {
		session->is_ending = true;
		kp_snapshot_unref(next);
		return;
	}
	kp_snapshot_unref(session->snapshot);
	session->snapshot = next;
	session->endpoint = endpoint;
	session->limits = &next->tables->limits;
	session->rename.scrub.listener = endpoint->listener;
}

bool
kp_request_is_held(struct kp_session *session)
{
	if (atomic_load_explicit(
		&session->shared->is_draining, memory_order_relaxed))
		session->is_ending = true;
	/* what follows a handshake depends on its answer */
	return session->is_ending ||
	       kp_in_flight_is_full(&session->in_flight) ||
	       session->sasl.phase == KP_SASL_ASKED;
}

static enum kp_begin
fail(struct kp_session *session, enum kp_close_reason reason)
{
	session->reason = reason;
	return KP_BEGIN_FAILED;
}

static struct kp_pending *
push(struct kp_session *session, enum kp_pending_kind kind,
    const struct kp_request_header *header)
{
	struct kp_pending *pending = kp_in_flight_push(&session->in_flight);

	pending->kind = kind;
	pending->api_key = header->api_key;
	pending->api_version = header->api_version;
	pending->correlation_id = header->correlation_id;
	kp_session_count(session, KP_M_IN_FLIGHT, 0, 1);
	return pending;
}

static int64_t
frame_limit(const struct kp_session *session, int16_t api_key)
{
	if (api_key == KP_API_VERSIONS || api_key == KP_SASL_HANDSHAKE ||
	    api_key == KP_SASL_AUTHENTICATE ||
	    kp_sasl_is_pending(&session->sasl))
		return kp_session_limit(session, KP_LIMIT_FRAME_BEFORE_AUTH);
	return kp_session_limit(session, KP_LIMIT_FRAME);
}

static bool
check_len(struct kp_session *session, int64_t len, int64_t min, int64_t max,
    struct kp_error *err)
{
	if (len < min)
		return kp_session_fail(session, KP_CLOSE_PROTOCOL_ERROR, err,
		    KP_ERR_PROTOCOL, "frame length %lld", (long long)len);
	if (len > max)
		return kp_session_fail(session, KP_CLOSE_FRAME_TOO_LARGE, err,
		    KP_ERR_LIMIT, "frame of %lld bytes, the limit is %lld",
		    (long long)len, (long long)max);
	return true;
}

static enum kp_begin
begin_token(struct kp_session *session, struct kp_flow *flow, size_t len,
    struct kp_error *err)
{
	if (!check_len(session, (int64_t)len, 0,
		kp_session_limit(session, KP_LIMIT_FRAME_BEFORE_AUTH), err))
		return KP_BEGIN_FAILED;
	flow->api_key = BARE_TOKEN;
	if (!kp_flow_collect(flow, KP_FRAME_PREFIX_LEN + len, err))
		return fail(session, kp_session_memory_reason(session));
	return KP_BEGIN_OK;
}

/* GSSAPI does not announce its last token, nor whether it gets an answer. */
static void
end_tokens(struct kp_session *session)
{
	const struct kp_pending *head;

	kp_sasl_on_token_end(&session->sasl);
	while ((head = kp_in_flight_head(&session->in_flight)) != NULL &&
	       head->kind == KP_PENDING_TOKEN &&
	       session->sasl.mechanism == KP_SASL_OTHER) {
		kp_session_pop(session);
		kp_session_count(session, KP_M_IN_FLIGHT, 0, -1);
	}
}

/* The answer waits for its turn; the request goes no further. */
static void
answer_locally(struct kp_session *session, struct kp_flow *flow,
    const struct request *request, struct kp_buf *answer)
{
	struct kp_pending *pending =
	    push(session, KP_PENDING_LOCAL, &request->header);

	pending->answer = *answer;
	kp_session_count(
	    session, KP_M_LOCAL_ANSWERS, KP_LOCAL_UNSUPPORTED_VERSION, 1);
	kp_flow_discard(flow, request->total_len);
}

/*
 * The client is to learn which versions of ApiVersions both we and its broker
 * know, and only the broker knows its own. It must not see the client's request
 * though: it may understand it, and we not its answer.
 */
static enum kp_begin
ask_versions(struct kp_session *session, struct kp_flow *flow,
    const struct request *request)
{
	struct kp_request_header asked = request->header;

	asked.api_version = 0;
	kp_request_unknown_versions(flow->head, asked.correlation_id);
	kp_flow_take_head(flow, KP_FRAME_PREFIX_LEN, KP_EMPTY_REQUEST_LEN);
	kp_flow_discard(flow, request->total_len - KP_FRAME_PREFIX_LEN);
	(void)push(session, KP_PENDING_BROKER, &asked);
	return KP_BEGIN_OK;
}

/*
 * Kafka closes the connection on a version it does not know. Where the answer
 * has a place for the error, say it: clients then know what to do.
 */
static enum kp_begin
refuse_version(struct kp_session *session, struct kp_flow *flow,
    const struct request *request, struct kp_error *err)
{
	const struct kp_request_header *header = &request->header;
	struct kp_buf answer;
	bool has_place;

	if (header->api_key == KP_API_VERSIONS)
		return ask_versions(session, flow, request);
	kp_buf_init(&answer, KP_BUFFER_LEN);
	has_place =
	    kp_answer_error(&answer, header->api_key, header->api_version,
		header->correlation_id, KP_KAFKA_UNSUPPORTED_VERSION);
	if (has_place && !answer.failed) {
		answer_locally(session, flow, request, &answer);
		return KP_BEGIN_OK;
	}
	kp_buf_fini(&answer);
	if (has_place) {
		kp_error_set(err, KP_ERR_LIMIT, "no memory for an answer");
		return fail(session, KP_CLOSE_MEMORY_LIMIT);
	}
	kp_session_fail(session, KP_CLOSE_UNSUPPORTED_API, err,
	    KP_ERR_UNSUPPORTED, "request %s (key %d) version %d",
	    kp_api_name(header->api_key), header->api_key, header->api_version);
	return KP_BEGIN_FAILED;
}

/*
 * Acks of a Produce request: with 0 there will be no answer. It stands at the
 * beginning of the body, after the transactional id since v3 (KIP-98).
 */
static enum kp_begin
read_acks(struct kp_session *session, const struct request *request,
    int16_t *out_acks, struct kp_error *err)
{
	size_t before = KP_FRAME_PREFIX_LEN + request->header.len;
	struct kp_bytes body = { request->frame.data + before,
		request->frame.len - before };
	struct kp_reader reader;

	kp_reader_init(&reader, body);
	if (request->header.api_version >= 9)
		(void)kp_read_compact(&reader);
	else if (request->header.api_version >= 3)
		(void)kp_read_string(&reader);
	*out_acks = kp_read_int16(&reader);
	if (!reader.failed)
		return KP_BEGIN_OK;
	if (reader.is_short && request->frame.len < request->total_len)
		return KP_BEGIN_MORE;
	kp_session_fail(session, KP_CLOSE_PROTOCOL_ERROR, err, KP_ERR_PROTOCOL,
	    "Produce request without acks");
	return KP_BEGIN_FAILED;
}

/* The header goes on, then the body as it comes. */
static void
begin_pieces(struct kp_session *session, struct kp_flow *flow,
    const struct request *request)
{
	struct kp_visitor visitor = kp_visit_request(session);
	size_t head_len = KP_FRAME_PREFIX_LEN + request->header.len;

	flow->api_version = request->header.api_version;
	kp_flow_take_head(flow, head_len, 0);
	kp_flow_pieces(flow, request->total_len - head_len,
	    kp_api_find(request->header.api_key)->request, &visitor, NULL);
}

/* Policies are asked once all of it is there. */
static bool
begin_governed(struct kp_session *session, struct kp_flow *flow,
    const struct request *request, struct kp_error *err)
{
	if (!check_len(session, (int64_t)request->total_len, 0,
		kp_session_limit(session, KP_LIMIT_GOVERNED_REQUEST), err))
		return false;
	if (kp_flow_collect(flow, request->total_len, err))
		return true;
	session->reason = kp_session_memory_reason(session);
	return false;
}

/* What stages want to see of it decides how it goes on. */
static bool
begin_body(struct kp_session *session, struct kp_flow *flow,
    const struct request *request, struct kp_error *err)
{
	switch (kp_plan_request(&session->shared->plan, request->header.api_key,
	    request->header.api_version)) {
	case KP_NEED_NOTHING:
		kp_flow_pass(flow, request->total_len);
		return true;
	case KP_NEED_PIECES:
		begin_pieces(session, flow, request);
		return true;
	case KP_NEED_WHOLE:
		break;
	}
	if (kp_flow_collect(flow, request->total_len, err))
		return true;
	session->reason = kp_session_memory_reason(session);
	return false;
}

static enum kp_begin
forward(struct kp_session *session, struct kp_flow *flow,
    const struct request *request, struct kp_error *err)
{
	const struct kp_request_header *header = &request->header;
	int16_t acks = 1;
	bool is_governed = kp_session_governs(session, header->api_key);
	enum kp_begin begin = KP_BEGIN_OK;

	if (is_governed && !kp_session_can_judge(header))
		return refuse_version(session, flow, request, err);
	if (header->api_key == PRODUCE)
		begin = read_acks(session, request, &acks, err);
	if (begin != KP_BEGIN_OK)
		return begin;
	if (is_governed ? !begin_governed(session, flow, request, err)
			: !begin_body(session, flow, request, err))
		return KP_BEGIN_FAILED;
	if (acks != 0)
		(void)push(session,
		    is_governed ? KP_PENDING_JUDGED : KP_PENDING_BROKER,
		    header);
	return KP_BEGIN_OK;
}

static void
note_request(struct kp_session *session, struct kp_flow *flow,
    const struct request *request)
{
	unsigned series = kp_metric_of_api(request->header.api_key);

	if (!session->has_request)
		kp_roster_opened(&session->shared->roster, &session->roster);
	session->has_request = true;
	flow->api_key = request->header.api_key;
	flow->api_version = request->header.api_version;
	flow->header_len = request->header.len;
	flow->num_begun++;
	kp_session_count(session, KP_M_REQUESTS, series, 1);
	kp_session_count(
	    session, KP_M_REQUEST_BYTES, series, (int64_t)request->total_len);
	if (kp_log_is_on(KP_LOG_DEBUG))
		kp_log_write(KP_LOG_DEBUG, "request",
		    (const struct kp_log_field[]){ KP_INT("conn", session->id),
			KP_STR("api", kp_api_name(flow->api_key)),
			KP_INT("version", flow->api_version),
			KP_INT("len", request->total_len),
			KP_BYTES("client_id", request->header.client_id),
			{ 0 } });
}

static enum kp_begin
begin_request(struct kp_session *session, struct kp_flow *flow,
    struct request *request, struct kp_error *err)
{
	const struct kp_request_header *header = &request->header;
	size_t len = request->total_len - KP_FRAME_PREFIX_LEN;
	enum kp_begin begin = KP_BEGIN_OK;

	switch (kp_request_header_read(&request->header,
	    request->frame.data + KP_FRAME_PREFIX_LEN,
	    request->frame.len - KP_FRAME_PREFIX_LEN, len, err)) {
	case KP_HEADER_MORE:
		return KP_BEGIN_MORE;
	case KP_HEADER_FAILED:
		return fail(session, KP_CLOSE_PROTOCOL_ERROR);
	case KP_HEADER_UNKNOWN:
		begin = refuse_version(session, flow, request, err);
		break;
	case KP_HEADER_OK:
		if (!check_len(session, (int64_t)len, 0,
			frame_limit(session, header->api_key), err))
			return KP_BEGIN_FAILED;
		if (session->sasl.phase == KP_SASL_TOKENS)
			end_tokens(session);
		begin = kp_versions_allow(&session->versions, header->api_key,
			    header->api_version)
			    ? forward(session, flow, request, err)
			    : refuse_version(session, flow, request, err);
		break;
	}
	if (begin == KP_BEGIN_OK)
		note_request(session, flow, request);
	return begin;
}

/* Once each time the client has to wait for its own answers. */
static void
note_full(struct kp_session *session)
{
	static struct kp_log_limiter limiter;
	uint64_t suppressed;

	if (session->is_full || !kp_in_flight_is_full(&session->in_flight))
		return;
	session->is_full = true;
	kp_session_count(session, KP_M_IN_FLIGHT_REACHED, 0, 1);
	if (kp_log_admit(&limiter, &suppressed))
		kp_log(KP_LOG_INFO, "in_flight_limit_reached",
		    KP_INT("conn", session->id), KP_STR("peer", session->peer),
		    KP_INT("in_flight", session->in_flight.num),
		    KP_INT("suppressed", suppressed));
}

enum kp_ready
kp_request_ready(void *context)
{
	struct kp_session *session = context;

	if (kp_request_is_held(session)) {
		note_full(session);
		return KP_READY_HOLD;
	}
	session->is_full = false;
	return KP_READY;
}

enum kp_begin
kp_request_begin(void *context, struct kp_flow *flow, const uint8_t *data,
    size_t len, struct kp_error *err)
{
	struct kp_session *session = context;
	struct request request = { .frame = { data, len } };
	struct kp_reader reader;
	int32_t frame_len;

	if (len < KP_FRAME_PREFIX_LEN)
		return KP_BEGIN_MORE;
	refresh_rules(session);
	if (session->is_ending)
		return KP_BEGIN_HOLD;
	kp_reader_init(&reader, request.frame);
	frame_len = kp_read_int32(&reader);
	if (!check_len(session, frame_len, 0,
		kp_session_limit(session, KP_LIMIT_FRAME), err))
		return KP_BEGIN_FAILED;
	request.total_len = KP_FRAME_PREFIX_LEN + (size_t)frame_len;
	if (request.frame.len > request.total_len)
		request.frame.len = request.total_len;
	if (session->sasl.phase == KP_SASL_TOKENS &&
	    kp_sasl_is_token(&session->sasl,
		(struct kp_bytes){ data + KP_FRAME_PREFIX_LEN,
		    request.frame.len - KP_FRAME_PREFIX_LEN },
		(size_t)frame_len))
		return begin_token(session, flow, (size_t)frame_len, err);
	if (!check_len(session, frame_len, MIN_REQUEST_LEN,
		kp_session_limit(session, KP_LIMIT_FRAME), err))
		return KP_BEGIN_FAILED;
	return begin_request(session, flow, &request, err);
}

static bool
note_token(
    struct kp_session *session, struct kp_bytes frame, struct kp_error *err)
{
	const struct kp_request_header header = { .api_key = BARE_TOKEN };
	struct kp_bytes token = { frame.data + KP_FRAME_PREFIX_LEN,
		frame.len - KP_FRAME_PREFIX_LEN };

	if (!kp_sasl_on_token(&session->sasl, token, err))
		return false;
	(void)push(session, KP_PENDING_TOKEN, &header);
	return true;
}

static bool
admit(struct kp_session *session, const struct kp_flow *flow,
    struct kp_bytes frame, struct kp_error *err)
{
	size_t before = KP_FRAME_PREFIX_LEN + flow->header_len;
	struct kp_bytes body = { frame.data + before, frame.len - before };

	if (flow->api_key == BARE_TOKEN)
		return note_token(session, frame, err);
	if (flow->api_key == KP_SASL_HANDSHAKE)
		return kp_sasl_on_handshake(
		    &session->sasl, flow->api_version, body, err);
	if (flow->api_key == KP_SASL_AUTHENTICATE)
		return kp_sasl_on_authenticate(
		    &session->sasl, flow->api_version, body, err);
	return true;
}

bool
kp_request_collected(void *context, struct kp_flow *flow, struct kp_bytes frame,
    struct kp_error *err)
{
	struct kp_session *session = context;

	if (!admit(session, flow, frame, err)) {
		session->reason = KP_CLOSE_PROTOCOL_ERROR;
		return false;
	}
	if (kp_session_must_judge(session))
		return kp_session_judge(session, flow, frame, err);
	kp_flow_add(flow, frame.data, frame.len);
	return true;
}
