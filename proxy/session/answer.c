/* SPDX-License-Identifier: Apache-2.0 */
/* What happens to each frame of a broker. */
#include "proto/kafka/reader.h"
#include "proxy/session/govern.h"
#include "proxy/session/visitors.h"

/* Correlation id. */
#define MIN_ANSWER_LEN 4

static void
count_answer(struct kp_session *session, int16_t api_key, size_t len)
{
	unsigned series = kp_metric_of_api(api_key);

	kp_session_count(session, KP_M_RESPONSES, series, 1);
	kp_session_count(session, KP_M_RESPONSE_BYTES, series, (int64_t)len);
}

static void
pop(struct kp_session *session)
{
	kp_session_pop(session);
	kp_session_count(session, KP_M_IN_FLIGHT, 0, -1);
}

static enum kp_begin
begin_local(
    struct kp_session *session, struct kp_flow *flow, struct kp_pending *head)
{
	count_answer(session, head->api_key, head->answer.len);
	kp_flow_add_answer(flow, &head->answer);
	pop(session);
	return KP_BEGIN_OK;
}

static void
log_authenticated(struct kp_session *session)
{
	kp_log(KP_LOG_INFO, "client_authenticated", KP_INT("conn", session->id),
	    KP_STR("peer", session->peer),
	    KP_STR("principal", session->sasl.principal),
	    KP_STR("mechanism", session->sasl.mechanism_name));
}

static enum kp_begin
begin_token(struct kp_session *session, struct kp_flow *flow, size_t total_len)
{
	pop(session);
	kp_sasl_on_token_answer(&session->sasl);
	if (session->sasl.phase == KP_SASL_DONE)
		log_authenticated(session);
	kp_flow_pass(flow, total_len);
	return KP_BEGIN_OK;
}

static enum kp_begin
broken(struct kp_session *session, struct kp_error *err, const char *what,
    long long number)
{
	kp_session_fail(session, KP_CLOSE_PROTOCOL_ERROR, err, KP_ERR_PROTOCOL,
	    "broker sent %s (%lld)", what, number);
	return KP_BEGIN_FAILED;
}

static bool
collect(struct kp_session *session, struct kp_flow *flow, size_t total_len,
    struct kp_error *err)
{
	if (kp_flow_collect(flow, total_len, err))
		return true;
	session->reason = kp_session_memory_reason(session);
	return false;
}

/*
 * The head that goes to the client. Tagged fields of the answer's header are
 * left out: no version of Kafka defines any, and what is not known could carry
 * an address. Returns its length.
 */
static size_t
write_head(struct kp_flow *flow, const uint8_t *frame, size_t body_len)
{
	bool is_flexible =
	    kp_response_header_is_flexible(flow->api_key, flow->api_version);
	size_t header_len = MIN_ANSWER_LEN + (is_flexible ? 1 : 0);
	size_t len = header_len + body_len;

	flow->head[0] = (uint8_t)(len >> 24);
	flow->head[1] = (uint8_t)(len >> 16);
	flow->head[2] = (uint8_t)(len >> 8);
	flow->head[3] = (uint8_t)len;
	kp_copy(flow->head + KP_FRAME_PREFIX_LEN, frame + KP_FRAME_PREFIX_LEN,
	    MIN_ANSWER_LEN);
	flow->head[KP_FRAME_PREFIX_LEN + MIN_ANSWER_LEN] = 0;
	return KP_FRAME_PREFIX_LEN + header_len;
}

/* The head goes on, then the body as it comes. Returns the body's length. */
static size_t
send_head(struct kp_session *session, struct kp_flow *flow,
    const uint8_t *frame, size_t total_len)
{
	size_t head_len = KP_FRAME_PREFIX_LEN + flow->header_len;
	size_t body_len = total_len - head_len;
	size_t new_len = write_head(flow, frame, body_len);

	kp_flow_take_head(flow, head_len, new_len == head_len ? 0 : new_len);
	count_answer(session, flow->api_key, new_len + body_len);
	return body_len;
}

static void
begin_pieces(struct kp_session *session, struct kp_flow *flow,
    const uint8_t *frame, size_t total_len)
{
	struct kp_visitor pieces = kp_visit_answer_pieces(session);
	struct kp_visitor whole = kp_visit_answer(session);
	size_t body_len = send_head(session, flow, frame, total_len);

	kp_flow_pieces(flow, body_len, kp_api_find(flow->api_key)->response,
	    &pieces, &whole);
}

/* An answer that fits into the window is rewritten whole: nothing is lost. */
static enum kp_begin
begin_body(struct kp_session *session, struct kp_flow *flow,
    const uint8_t *frame, size_t total_len, struct kp_error *err)
{
	enum kp_need need = kp_plan_answer(
	    &session->shared->plan, flow->api_key, flow->api_version);

	if (session->refused.len > 0)
		need = KP_NEED_WHOLE;
	if (need == KP_NEED_PIECES && total_len <= KP_BUFFER_LEN)
		need = KP_NEED_WHOLE;
	switch (need) {
	case KP_NEED_NOTHING:
		kp_flow_pass(flow, send_head(session, flow, frame, total_len));
		return KP_BEGIN_OK;
	case KP_NEED_PIECES:
		begin_pieces(session, flow, frame, total_len);
		return KP_BEGIN_OK;
	case KP_NEED_WHOLE:
		break;
	}
	return collect(session, flow, total_len, err) ? KP_BEGIN_OK
						      : KP_BEGIN_FAILED;
}

static enum kp_begin
begin_answer(struct kp_session *session, struct kp_flow *flow,
    struct kp_bytes frame, size_t total_len, struct kp_error *err)
{
	struct kp_pending *head = kp_in_flight_head(&session->in_flight);
	struct kp_response_header header = { .api_key = head->api_key,
		.api_version = head->api_version };

	switch (kp_response_header_read(&header,
	    frame.data + KP_FRAME_PREFIX_LEN, frame.len - KP_FRAME_PREFIX_LEN,
	    total_len - KP_FRAME_PREFIX_LEN, err)) {
	case KP_HEADER_MORE:
		return KP_BEGIN_MORE;
	case KP_HEADER_UNKNOWN:
	case KP_HEADER_FAILED:
		return broken(
		    session, err, "an answer with a bad header", head->api_key);
	case KP_HEADER_OK:
		break;
	}
	if (header.correlation_id != head->correlation_id)
		return broken(session, err, "the wrong correlation id",
		    header.correlation_id);
	if (head->kind == KP_PENDING_TWICE) {
		head->kind = KP_PENDING_MERGED;
		kp_flow_discard(flow, total_len);
		return KP_BEGIN_OK;
	}
	flow->api_key = header.api_key;
	flow->api_version = header.api_version;
	flow->header_len = header.len;
	flow->num_begun++;
	session->refused = head->answer;
	head->answer = (struct kp_buf){ 0 };
	pop(session);
	return begin_body(session, flow, frame.data, total_len, err);
}

/* An answer of ours whose turn it is needs nothing from the broker. */
enum kp_ready
kp_answer_ready(void *context)
{
	struct kp_session *session = context;
	const struct kp_pending *head = kp_in_flight_head(&session->in_flight);

	return head != NULL && head->kind == KP_PENDING_LOCAL ? KP_READY_DUE
							      : KP_READY;
}

enum kp_begin
kp_answer_begin(void *context, struct kp_flow *flow, const uint8_t *data,
    size_t len, struct kp_error *err)
{
	struct kp_session *session = context;
	struct kp_pending *head = kp_in_flight_head(&session->in_flight);
	struct kp_bytes frame = { data, len };
	struct kp_reader reader;
	int32_t frame_len;
	size_t total_len;

	if (head != NULL && head->kind == KP_PENDING_LOCAL)
		return begin_local(session, flow, head);
	if (len < KP_FRAME_PREFIX_LEN)
		return KP_BEGIN_MORE;
	kp_reader_init(&reader, frame);
	frame_len = kp_read_int32(&reader);
	if (head == NULL || head->kind == KP_PENDING_JUDGED)
		return broken(
		    session, err, "an answer nobody asked for", frame_len);
	if (frame_len < (head->kind == KP_PENDING_TOKEN ? 0 : MIN_ANSWER_LEN))
		return broken(session, err, "a frame of bad length", frame_len);
	if (frame_len > kp_session_limit(session, KP_LIMIT_FRAME)) {
		kp_session_fail(session, KP_CLOSE_FRAME_TOO_LARGE, err,
		    KP_ERR_LIMIT,
		    "broker's frame of %d bytes, the limit is %lld", frame_len,
		    (long long)kp_session_limit(session, KP_LIMIT_FRAME));
		return KP_BEGIN_FAILED;
	}
	total_len = KP_FRAME_PREFIX_LEN + (size_t)frame_len;
	if (head->kind == KP_PENDING_TOKEN)
		return begin_token(session, flow, total_len);
	if (frame.len > total_len)
		frame.len = total_len;
	return begin_answer(session, flow, frame, total_len, err);
}

static bool
admit(struct kp_session *session, const struct kp_flow *flow,
    struct kp_bytes body, struct kp_error *err)
{
	struct kp_sasl *sasl = &session->sasl;

	if (flow->api_key == KP_SASL_HANDSHAKE)
		return kp_sasl_on_handshake_answer(
		    sasl, flow->api_version, body, err);
	if (flow->api_key != KP_SASL_AUTHENTICATE)
		return true;
	if (!kp_sasl_on_authenticate_answer(sasl, flow->api_version, body, err))
		return false;
	if (sasl->phase == KP_SASL_DONE)
		log_authenticated(session);
	return true;
}

/*
 * A broker that does not know the version of an ApiVersions request answers
 * with a v0 body and this error, whatever was asked (KIP-511).
 */
static bool
is_versions_fallback(const struct kp_flow *flow, struct kp_bytes body)
{
	struct kp_reader reader;

	kp_reader_init(&reader, body);
	return flow->api_key == KP_API_VERSIONS &&
	       kp_read_int16(&reader) == KP_KAFKA_UNSUPPORTED_VERSION;
}

static bool
rewrite(struct kp_session *session, struct kp_flow *flow, struct kp_bytes body,
    struct kp_error *err)
{
	struct kp_visitor visitor = kp_visit_answer(session);

	if (is_versions_fallback(flow, body))
		return kp_versions_narrow(body, &flow->rewrite, err);
	if (flow->api_key == KP_API_VERSIONS)
		return kp_versions_rewrite(&session->versions,
		    flow->api_version, body, &flow->rewrite, err);
	return kp_walk_whole(kp_api_find(flow->api_key)->response,
	    flow->api_version, body, &visitor, &flow->rewrite, err);
}

/* A body that goes on as it is; its head may be another. */
static void
send_clean(struct kp_session *session, struct kp_flow *flow,
    struct kp_bytes frame, struct kp_bytes body)
{
	size_t head_len = write_head(flow, frame.data, body.len);

	count_answer(session, flow->api_key, head_len + body.len);
	if (frame.data + head_len == body.data) {
		kp_flow_add(flow, frame.data, frame.len);
		return;
	}
	kp_flow_add_head(flow, head_len);
	kp_flow_add(flow, body.data, body.len);
}

static bool
send_rewritten(struct kp_session *session, struct kp_flow *flow,
    struct kp_bytes frame, struct kp_error *err)
{
	size_t head_len = write_head(flow, frame.data, flow->rewrite.total_len);

	kp_flow_add_head(flow, head_len);
	count_answer(
	    session, flow->api_key, head_len + flow->rewrite.total_len);
	if (kp_flow_add_rewrite(flow, err))
		return true;
	session->reason = kp_session_memory_reason(session);
	return false;
}

static bool
refuse_answer(struct kp_session *session, const struct kp_flow *flow,
    struct kp_error *err)
{
	if (err->kind != KP_ERR_LIMIT)
		session->reason = KP_CLOSE_PROTOCOL_ERROR;
	return kp_error_prefix(err, "broker's answer to %s version %d",
	    kp_api_name(flow->api_key), flow->api_version);
}

bool
kp_answer_collected(void *context, struct kp_flow *flow, struct kp_bytes frame,
    struct kp_error *err)
{
	struct kp_session *session = context;
	size_t before = KP_FRAME_PREFIX_LEN + flow->header_len;
	struct kp_bytes body = { frame.data + before, frame.len - before };
	bool is_clean = false;

	if (session->refused.len > 0 &&
	    !kp_session_merge(session, flow, &body, err))
		return refuse_answer(session, flow, err);
	if (!admit(session, flow, body, err))
		return refuse_answer(session, flow, err);
	if (flow->api_key != KP_API_VERSIONS &&
	    !kp_look_at_answer(session, body, &is_clean, err))
		return refuse_answer(session, flow, err);
	if (is_clean) {
		send_clean(session, flow, frame, body);
		return true;
	}
	if (!rewrite(session, flow, body, err))
		return refuse_answer(session, flow, err);
	return send_rewritten(session, flow, frame, err);
}
