/* SPDX-License-Identifier: Apache-2.0 */
/* Metadata requests that policies are asked about; see proxy/govern/creation.h.
 */
#include "proxy/govern/creation.h"

#include "proto/kafka/writer.h"
#include "proxy/session/govern_priv.h"

/* Where the header of a request has its version. */
#define VERSION_AT sizeof(int16_t)

/* The header goes with other bodies, and perhaps as another version. */
static void
add_request(struct kp_buf *out, struct kp_bytes header, int16_t version,
    const struct kp_buf *body)
{
	size_t begin = kp_write_begin_int32(out);
	size_t rest = VERSION_AT + sizeof(version);

	kp_buf_add(out, header.data, VERSION_AT);
	kp_write_int16(out, version);
	kp_buf_add(out, header.data + rest, header.len - rest);
	kp_buf_add(out, body->data, body->len);
	kp_write_end_int32(out, begin);
}

static bool
send_both(struct kp_flow *flow, struct kp_bytes header,
    const struct kp_creation *creation, struct kp_error *err)
{
	struct kp_buf requests;

	kp_buf_init(&requests, 2 * (KP_FRAME_PREFIX_LEN + header.len) +
				   creation->first.len + creation->second.len);
	if (creation->first.len > 0)
		add_request(
		    &requests, header, flow->api_version, &creation->first);
	add_request(&requests, header, creation->version, &creation->second);
	if (requests.failed) {
		kp_buf_fini(&requests);
		return kp_error_set(err, KP_ERR_LIMIT,
		    "no memory for %zu bytes", requests.max_len);
	}
	kp_flow_add_answer(flow, &requests);
	return true;
}

/* Where some policy says something, the answer is looked at. */
static bool
carry_out(struct kp_session *session, struct kp_flow *flow,
    struct kp_bytes frame, struct kp_creation *creation, struct kp_error *err)
{
	struct kp_pending *pending = kp_in_flight_newest(&session->in_flight);
	struct kp_bytes header = { frame.data + KP_FRAME_PREFIX_LEN,
		flow->header_len };
	enum kp_pending_kind kind =
	    creation->first.len > 0 ? KP_PENDING_TWICE : KP_PENDING_MERGED;

	kp_assert(pending != NULL && pending->kind == KP_PENDING_JUDGED);
	pending->kind = KP_PENDING_BROKER;
	if (creation->notes.len > 0 &&
	    !kp_session_keep(session, pending, kind, &creation->notes, err))
		return false;
	if (creation->is_changed)
		return send_both(flow, header, creation, err);
	kp_flow_add(flow, frame.data, frame.len);
	return true;
}

bool
kp_session_judge_creation(struct kp_session *session, struct kp_flow *flow,
    struct kp_bytes frame, const struct kp_facts *facts, struct kp_error *err)
{
	const struct kp_govern govern = {
		.policies = session->snapshot->policies, .facts = facts
	};
	size_t before = KP_FRAME_PREFIX_LEN + flow->header_len;
	struct kp_creation creation;
	bool ok;

	ok = kp_creation_judge(&govern,
		 (struct kp_bytes){ frame.data + before, frame.len - before },
		 &creation, err) &&
	     carry_out(session, flow, frame, &creation, err);
	kp_creation_fini(&creation);
	return ok;
}

struct telling {
	const struct kp_session *session;
	struct kp_facts facts;
};

static void
note_finding(void *ctx, struct kp_bytes topic, const struct kp_finding *finding)
{
	const struct telling *telling = ctx;

	kp_session_log_finding(
	    telling->session, topic, finding, &telling->facts);
}

static bool
tell(struct kp_session *session, struct kp_flow *flow, struct kp_bytes *body,
    struct kp_error *err)
{
	struct kp_bytes notes = kp_buf_bytes(&session->refused);
	struct telling telling = { session,
		kp_session_facts(session, flow, kp_creation_client_id(notes)) };
	struct kp_creation_told told = { .found = note_finding,
		.ctx = &telling };
	struct kp_buf answer;
	bool ok;

	/* an older version says a part of it */
	kp_buf_init(&answer, body->len);
	ok = kp_creation_answer(
	    notes, flow->api_version, *body, &answer, &told, err);
	kp_session_count(session, KP_M_DECISIONS, KP_DECIDED_DENIED,
	    (int64_t)told.num_denied);
	kp_session_count(session, KP_M_DECISIONS, KP_DECIDED_WARNED,
	    (int64_t)told.num_warned);
	if (ok && answer.len > 0)
		*body = kp_flow_keep(flow, &answer);
	kp_buf_fini(&answer);
	return ok;
}

bool
kp_session_tell_creation(struct kp_session *session, struct kp_flow *flow,
    struct kp_bytes *body, struct kp_error *err)
{
	size_t len = kp_creation_memory(
	    kp_buf_bytes(&session->refused), flow->api_version, body->len);
	bool ok;

	if (!kp_share_charge(&session->memory, KP_MEMORY_ANSWERS, len))
		return kp_error_set(err, KP_ERR_LIMIT,
		    "no memory within the limit to look at an answer of %zu "
		    "bytes",
		    body->len);
	ok = tell(session, flow, body, err);
	kp_share_uncharge(&session->memory, KP_MEMORY_ANSWERS, len);
	kp_buf_fini(&session->refused);
	session->refused = (struct kp_buf){ 0 };
	return ok;
}
