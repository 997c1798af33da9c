/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/session/govern.h"

#include "proto/kafka/writer.h"
#include "proxy/govern/govern.h"
#include "proxy/session/govern_priv.h"

/* Correlation id and, in flexible versions, no tagged fields. */
#define MAX_HEADER_LEN 5

bool
kp_session_governs(const struct kp_session *session, int16_t api_key)
{
	return kp_policies_govern(session->snapshot->policies, api_key,
	    session->endpoint->virtual_cluster->name);
}

bool
kp_session_can_judge(const struct kp_request_header *header)
{
	return header->api_version <=
	       kp_object_max_version(kp_object_api_find(header->api_key));
}

bool
kp_session_must_judge(struct kp_session *session)
{
	const struct kp_pending *newest =
	    kp_in_flight_newest(&session->in_flight);

	return newest != NULL && newest->kind == KP_PENDING_JUDGED;
}

void
kp_session_log_finding(const struct kp_session *session, struct kp_bytes item,
    const struct kp_finding *finding, const struct kp_facts *facts)
{
	static struct kp_log_limiter limiter;
	bool is_denied = finding->action == KP_POLICY_DENY;
	uint64_t suppressed;

	if (!kp_log_is_on(KP_LOG_WARN) || !kp_log_admit(&limiter, &suppressed))
		return;
	kp_log_write(KP_LOG_WARN, is_denied ? "policy_denied" : "policy_warned",
	    (const struct kp_log_field[]){ KP_INT("conn", session->id),
		KP_STR("peer", session->peer),
		KP_STR("principal", facts->principal),
		KP_BYTES("client_id", facts->client_id),
		KP_STR("virtual_cluster", facts->virtual_cluster),
		KP_STR("api", kp_api_name(facts->api_key)),
		KP_BYTES("item", item), KP_STR("policy", finding->policy),
		KP_STR("detail", finding->text),
		KP_INT("is_failure", finding->is_failure),
		KP_INT("suppressed", suppressed), { 0 } });
}

/* What a request is judged with. */
struct judging {
	struct kp_session *session;
	struct kp_facts facts;
	uint64_t num_warned;
};

static void
note_finding(
    void *ctx, const struct kp_item *item, const struct kp_finding *finding)
{
	struct judging *judging = ctx;

	if (finding->action == KP_POLICY_WARN)
		judging->num_warned++;
	kp_session_log_finding(
	    judging->session, kp_item_name(item), finding, &judging->facts);
}

/* What the client said may be a password of a broker. */
static void
note_change(
    void *ctx, const struct kp_item *item, const struct kp_change *change)
{
	static struct kp_log_limiter limiter;
	const struct judging *judging = ctx;
	const struct kp_session *session = judging->session;
	const struct kp_facts *facts = &judging->facts;
	uint64_t suppressed;

	if (!kp_log_is_on(KP_LOG_INFO) || !kp_log_admit(&limiter, &suppressed))
		return;
	kp_log_write(KP_LOG_INFO, "policy_overrode",
	    (const struct kp_log_field[]){ KP_INT("conn", session->id),
		KP_STR("peer", session->peer),
		KP_STR("principal", facts->principal),
		KP_BYTES("client_id", facts->client_id),
		KP_STR("virtual_cluster", facts->virtual_cluster),
		KP_STR("api", kp_api_name(facts->api_key)),
		KP_BYTES("item", kp_item_name(item)),
		KP_STR("policy", change->policy),
		KP_STR("field", change->field),
		KP_BYTES("value", change->after),
		KP_INT("suppressed", suppressed), { 0 } });
}

/* A name that the broker has not confirmed is nobody's. */
struct kp_facts
kp_session_facts(const struct kp_session *session, const struct kp_flow *flow,
    struct kp_bytes client_id)
{
	const struct kp_sasl *sasl = &session->sasl;

	return (struct kp_facts){
		.api_key = flow->api_key,
		.api_version = flow->api_version,
		.client_id = client_id,
		.principal = sasl->phase == KP_SASL_DONE ? sasl->principal : "",
		.virtual_cluster = session->endpoint->virtual_cluster->name,
		.listener = session->endpoint->listener->name,
		.address = session->roster.host,
	};
}

static bool
end_frame(struct kp_buf *out, size_t begin, struct kp_bytes body,
    struct kp_error *err)
{
	kp_buf_add(out, body.data, body.len);
	kp_write_end_int32(out, begin);
	return !out->failed || kp_error_set(err, KP_ERR_LIMIT,
				   "no memory for %zu bytes", out->max_len);
}

static bool
make_request(struct kp_buf *out, struct kp_bytes header, struct kp_bytes body,
    struct kp_error *err)
{
	size_t begin;

	kp_buf_init(out, KP_FRAME_PREFIX_LEN + header.len + body.len);
	begin = kp_write_begin_int32(out);
	kp_buf_add(out, header.data, header.len);
	return end_frame(out, begin, body, err);
}

static bool
make_answer(struct kp_buf *out, const struct kp_pending *pending,
    struct kp_bytes body, struct kp_error *err)
{
	size_t begin;

	kp_buf_init(out, KP_FRAME_PREFIX_LEN + MAX_HEADER_LEN + body.len);
	begin = kp_write_begin_int32(out);
	kp_write_int32(out, pending->correlation_id);
	if (kp_response_header_is_flexible(
		pending->api_key, pending->api_version))
		kp_write_uvarint(out, 0);
	return end_frame(out, begin, body, err);
}

bool
kp_session_keep(struct kp_session *session, struct kp_pending *pending,
    enum kp_pending_kind kind, struct kp_buf *answer, struct kp_error *err)
{
	if (!kp_share_charge(&session->memory, KP_MEMORY_ANSWERS, answer->len))
		return kp_error_set(err, KP_ERR_LIMIT,
		    "no memory within the limit for an answer of %zu bytes",
		    answer->len);
	pending->kind = kind;
	pending->charged_len = answer->len;
	pending->answer = *answer;
	*answer = (struct kp_buf){ 0 };
	return true;
}

static bool
refuse(struct kp_session *session, struct kp_pending *pending,
    struct kp_ruling *ruling, struct kp_error *err)
{
	struct kp_buf answer;
	bool ok =
	    make_answer(&answer, pending, kp_buf_bytes(&ruling->answer), err) &&
	    kp_session_keep(session, pending, KP_PENDING_LOCAL, &answer, err);

	kp_buf_fini(&answer);
	if (ok)
		kp_session_count(
		    session, KP_M_LOCAL_ANSWERS, KP_LOCAL_REFUSED, 1);
	return ok;
}

static bool
send_request(struct kp_flow *flow, struct kp_bytes header,
    const struct kp_ruling *ruling, struct kp_error *err)
{
	struct kp_buf request;

	if (!make_request(
		&request, header, kp_buf_bytes(&ruling->request), err)) {
		kp_buf_fini(&request);
		return false;
	}
	kp_flow_add_answer(flow, &request);
	return true;
}

static bool
send_part(struct kp_session *session, struct kp_flow *flow,
    struct kp_pending *pending, struct kp_bytes header,
    struct kp_ruling *ruling, struct kp_error *err)
{
	return kp_session_keep(
		   session, pending, KP_PENDING_MERGED, &ruling->answer, err) &&
	       send_request(flow, header, ruling, err);
}

static bool
carry_out(struct kp_session *session, struct kp_flow *flow,
    struct kp_bytes frame, struct kp_ruling *ruling, struct kp_error *err)
{
	struct kp_pending *pending = kp_in_flight_newest(&session->in_flight);
	struct kp_bytes header = { frame.data + KP_FRAME_PREFIX_LEN,
		flow->header_len };

	kp_assert(pending != NULL && pending->kind == KP_PENDING_JUDGED);
	switch (ruling->kind) {
	case KP_RULING_REFUSED:
		return refuse(session, pending, ruling, err);
	case KP_RULING_PART:
		return send_part(session, flow, pending, header, ruling, err);
	case KP_RULING_CHANGED:
		pending->kind = KP_PENDING_BROKER;
		return send_request(flow, header, ruling, err);
	case KP_RULING_PASS:
		break;
	}
	pending->kind = KP_PENDING_BROKER;
	kp_flow_add(flow, frame.data, frame.len);
	return true;
}

static void
count_ruling(const struct kp_session *session, const struct kp_ruling *ruling,
    uint64_t num_warned)
{
	kp_session_count(
	    session, KP_M_DECISIONS, KP_DECIDED_DENIED, ruling->num_refused);
	kp_session_count(session, KP_M_DECISIONS, KP_DECIDED_ALLOWED,
	    (int64_t)ruling->num_items - ruling->num_refused);
	kp_session_count(
	    session, KP_M_DECISIONS, KP_DECIDED_WARNED, (int64_t)num_warned);
	kp_session_count(session, KP_M_DECISIONS, KP_DECIDED_OVERRIDDEN,
	    ruling->num_changed);
}

/* A request must not become longer than a client may send it. */
static size_t
max_body_len(const struct kp_session *session, const struct kp_flow *flow)
{
	int64_t max = kp_session_limit(session, KP_LIMIT_GOVERNED_REQUEST);
	int64_t frame = kp_session_limit(session, KP_LIMIT_FRAME) +
			(int64_t)KP_FRAME_PREFIX_LEN;
	int64_t before = (int64_t)(KP_FRAME_PREFIX_LEN + flow->header_len);

	if (frame < max)
		max = frame;
	return max < before ? 0 : (size_t)(max - before);
}

/* What it takes to judge the request that flow is at. */
static size_t
memory_of(
    const struct kp_session *session, const struct kp_flow *flow, size_t len)
{
	bool may_change = kp_policies_override(session->snapshot->policies,
	    flow->api_key, session->endpoint->virtual_cluster->name);

	return KP_GOVERN_MEMORY(len) +
	       (may_change ? KP_GOVERN_CHANGES_MEMORY(len) : 0);
}

static bool
judge_charged(struct kp_session *session, struct kp_flow *flow,
    struct kp_bytes frame, struct kp_error *err)
{
	struct kp_request_header header;
	struct judging judging = { .session = session };
	struct kp_govern govern = { .policies = session->snapshot->policies,
		.facts = &judging.facts,
		.max_body_len = max_body_len(session, flow),
		.found = note_finding,
		.changed = note_change,
		.ctx = &judging };
	struct kp_ruling ruling;
	size_t before = KP_FRAME_PREFIX_LEN + flow->header_len;
	bool ok;

	/* it was read before */
	kp_assert(
	    kp_request_header_read(&header, frame.data + KP_FRAME_PREFIX_LEN,
		frame.len - KP_FRAME_PREFIX_LEN,
		frame.len - KP_FRAME_PREFIX_LEN, err) == KP_HEADER_OK);
	judging.facts = kp_session_facts(session, flow, header.client_id);
	if (flow->api_key == KP_METADATA)
		return kp_session_judge_creation(
		    session, flow, frame, &judging.facts, err);
	ok = kp_govern_request(&govern,
	    (struct kp_bytes){ frame.data + before, frame.len - before },
	    &ruling, err);
	if (ok) {
		count_ruling(session, &ruling, judging.num_warned);
		ok = carry_out(session, flow, frame, &ruling, err);
	}
	kp_ruling_fini(&ruling);
	return ok;
}

static bool
fail(struct kp_session *session, const struct kp_error *err)
{
	session->reason = err->kind == KP_ERR_LIMIT
			      ? kp_session_memory_reason(session)
			      : KP_CLOSE_PROTOCOL_ERROR;
	return false;
}

bool
kp_session_judge(struct kp_session *session, struct kp_flow *flow,
    struct kp_bytes frame, struct kp_error *err)
{
	size_t len = memory_of(session, flow, frame.len);
	bool ok;

	/* no client sends it then, and it would be judged as nobody's */
	if (kp_sasl_is_pending(&session->sasl)) {
		(void)kp_error_set(err, KP_ERR_PROTOCOL,
		    "a request that policies are asked about came before the "
		    "broker said who sends it");
		return fail(session, err);
	}
	if (!kp_share_charge(&session->memory, KP_MEMORY_REQUESTS, len)) {
		(void)kp_error_set(err, KP_ERR_LIMIT,
		    "no memory within the limit to ask policies about a "
		    "request of %zu bytes",
		    frame.len);
		return fail(session, err);
	}
	ok = judge_charged(session, flow, frame, err);
	kp_share_uncharge(&session->memory, KP_MEMORY_REQUESTS, len);
	return ok || fail(session, err);
}

bool
kp_session_merge(struct kp_session *session, struct kp_flow *flow,
    struct kp_bytes *body, struct kp_error *err)
{
	size_t len = KP_GOVERN_MEMORY(body->len + session->refused.len);
	struct kp_buf merged;
	bool ok;

	if (flow->api_key == KP_METADATA)
		return kp_session_tell_creation(session, flow, body, err) ||
		       fail(session, err);
	if (!kp_share_charge(&session->memory, KP_MEMORY_ANSWERS, len)) {
		(void)kp_error_set(err, KP_ERR_LIMIT,
		    "no memory within the limit to merge answers");
		return fail(session, err);
	}
	kp_buf_init(
	    &merged, KP_GOVERN_PART_LEN(body->len + session->refused.len));
	ok = kp_govern_merge(flow->api_key, flow->api_version,
	    kp_buf_bytes(&session->refused), *body, &merged, err);
	kp_share_uncharge(&session->memory, KP_MEMORY_ANSWERS, len);
	kp_buf_fini(&session->refused);
	session->refused = (struct kp_buf){ 0 };
	if (ok)
		*body = kp_flow_keep(flow, &merged);
	kp_buf_fini(&merged);
	return ok || fail(session, err);
}
