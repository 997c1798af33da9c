/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/session/visitors.h"

struct kp_visitor
kp_visit_request(struct kp_session *session)
{
	struct kp_visitor visitor = {
		.interest = KP_RECORD_ACCOUNT_INTEREST,
		.visit = kp_record_account_visit,
		.context = &session->sent,
	};

	return visitor;
}

static enum kp_verdict
visit_pieces(void *context, const struct kp_visit *visit,
    struct kp_replacement *out, struct kp_error *err)
{
	struct kp_session *session = context;
	struct kp_visitor rename;

	if (visit->field->entity == KP_E_RECORDS)
		return kp_record_account_visit(
		    &session->received, visit, out, err);
	rename = kp_rename_pieces(&session->rename);
	return rename.visit(rename.context, visit, out, err);
}

struct kp_visitor
kp_visit_answer_pieces(struct kp_session *session)
{
	struct kp_visitor visitor = kp_rename_pieces(&session->rename);

	visitor.interest |= KP_RECORD_ACCOUNT_INTEREST;
	visitor.visit = visit_pieces;
	visitor.context = session;
	return visitor;
}

struct kp_visitor
kp_visit_answer(struct kp_session *session)
{
	return kp_rename_whole(&session->rename);
}

struct look {
	struct kp_record_account *account;
	bool may_stop; /* nothing has to be counted */
	bool has_something;
};

static enum kp_verdict
visit_looking(void *context, const struct kp_visit *visit,
    struct kp_replacement *out, struct kp_error *err)
{
	struct look *look = context;

	if (visit->field->entity == KP_E_RECORDS)
		return kp_record_account_visit(look->account, visit, out, err);
	if (!kp_rename_concerns(visit))
		return KP_KEEP;
	look->has_something = true;
	return look->may_stop ? KP_FAIL : KP_KEEP;
}

bool
kp_look_at_answer(struct kp_session *session, struct kp_bytes body,
    bool *out_is_clean, struct kp_error *err)
{
	const struct kp_flow *flow = &session->answers;
	const struct kp_message *message = kp_api_find(flow->api_key)->response;
	struct look look = { .account = &session->received,
		.may_stop =
		    kp_plan_answer(&session->shared->plan, flow->api_key,
			flow->api_version) != KP_NEED_PIECES };
	const struct kp_visitor visitor = {
		.interest =
		    KP_RENAME_ANSWER_INTEREST | KP_RECORD_ACCOUNT_INTEREST,
		.visit = visit_looking,
		.context = &look,
	};
	bool has_unknown = false;
	bool is_sound = kp_walk_look(
	    message, flow->api_version, body, &visitor, &has_unknown, err);

	*out_is_clean = is_sound && !look.has_something && !has_unknown;
	return is_sound || look.has_something;
}
