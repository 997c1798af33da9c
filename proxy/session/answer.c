/* SPDX-License-Identifier: Apache-2.0 */
/* What happens to each frame of a broker. */
#include "proto/kafka/reader.h"
#include "proxy/session/session.h"

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
	kp_in_flight_pop(&session->in_flight);
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
	session->reason = KP_CLOSE_MEMORY_LIMIT;
	return false;
}

static void
begin_pieces(struct kp_session *session, struct kp_flow *flow, size_t total_len)
{
	struct kp_visitor pieces = kp_rename_pieces(&session->rename);
	struct kp_visitor whole = kp_rename_whole(&session->rename);

	kp_flow_pieces(flow, total_len, kp_api_find(flow->api_key)->response,
	    &pieces, &whole);
	count_answer(session, flow->api_key, total_len);
}

/* An answer that fits into the window is rewritten whole: nothing is lost. */
static enum kp_begin
begin_body(struct kp_session *session, struct kp_flow *flow, size_t total_len,
    struct kp_error *err)
{
	enum kp_need need = kp_plan_answer(
	    &session->shared->plan, flow->api_key, flow->api_version);

	if (need == KP_NEED_PIECES && total_len <= KP_BUFFER_LEN)
		need = KP_NEED_WHOLE;
	switch (need) {
	case KP_NEED_NOTHING:
		kp_flow_pass(flow, total_len);
		count_answer(session, flow->api_key, total_len);
		return KP_BEGIN_OK;
	case KP_NEED_PIECES:
		begin_pieces(session, flow, total_len);
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
	const struct kp_pending *head = kp_in_flight_head(&session->in_flight);
	int32_t correlation_id;
	size_t header_len;

	switch (kp_response_header_read(&correlation_id, &header_len,
	    head->api_key, head->api_version, frame.data + KP_FRAME_PREFIX_LEN,
	    frame.len - KP_FRAME_PREFIX_LEN, total_len - KP_FRAME_PREFIX_LEN,
	    err)) {
	case KP_HEADER_MORE:
		return KP_BEGIN_MORE;
	case KP_HEADER_UNKNOWN:
	case KP_HEADER_FAILED:
		return broken(
		    session, err, "an answer with a bad header", head->api_key);
	case KP_HEADER_OK:
		break;
	}
	if (correlation_id != head->correlation_id)
		return broken(
		    session, err, "the wrong correlation id", correlation_id);
	flow->api_key = head->api_key;
	flow->api_version = head->api_version;
	flow->header_len = header_len;
	flow->num_begun++;
	pop(session);
	return begin_body(session, flow, total_len, err);
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
	if (head == NULL)
		return broken(
		    session, err, "an answer nobody asked for", frame_len);
	if (frame_len < (head->kind == KP_PENDING_TOKEN ? 0 : MIN_ANSWER_LEN))
		return broken(session, err, "a frame of bad length", frame_len);
	if ((uint32_t)frame_len > session->limits->frame_len) {
		kp_session_fail(session, KP_CLOSE_FRAME_TOO_LARGE, err,
		    KP_ERR_LIMIT, "broker's frame of %d bytes, the limit is %u",
		    frame_len, session->limits->frame_len);
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
	struct kp_visitor visitor = kp_rename_whole(&session->rename);

	if (flow->api_key == KP_API_VERSIONS)
		return kp_versions_rewrite(&session->versions,
		    flow->api_version, body, &flow->rewrite, err);
	return kp_walk_whole(kp_api_find(flow->api_key)->response,
	    flow->api_version, body, &visitor, &flow->rewrite, err);
}

static void
add_rewritten(struct kp_flow *flow, struct kp_bytes frame)
{
	size_t len = flow->header_len + flow->rewrite.total_len;

	flow->prefix[0] = (uint8_t)(len >> 24);
	flow->prefix[1] = (uint8_t)(len >> 16);
	flow->prefix[2] = (uint8_t)(len >> 8);
	flow->prefix[3] = (uint8_t)len;
	kp_flow_add(flow, flow->prefix, sizeof(flow->prefix));
	kp_flow_add(flow, frame.data + KP_FRAME_PREFIX_LEN, flow->header_len);
	kp_flow_add_rewrite(flow);
}

bool
kp_answer_collected(void *context, struct kp_flow *flow, struct kp_bytes frame,
    struct kp_error *err)
{
	struct kp_session *session = context;
	size_t before = KP_FRAME_PREFIX_LEN + flow->header_len;
	struct kp_bytes body = { frame.data + before, frame.len - before };

	if (is_versions_fallback(flow, body)) {
		kp_flow_add(flow, frame.data, frame.len);
		count_answer(session, flow->api_key, frame.len);
		return true;
	}
	if (!admit(session, flow, body, err) ||
	    !rewrite(session, flow, body, err)) {
		session->reason = KP_CLOSE_PROTOCOL_ERROR;
		return kp_error_prefix(err, "broker's answer to %s version %d",
		    kp_api_name(flow->api_key), flow->api_version);
	}
	add_rewritten(flow, frame);
	count_answer(session, flow->api_key, before + flow->rewrite.total_len);
	return true;
}
