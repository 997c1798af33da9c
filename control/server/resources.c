/* SPDX-License-Identifier: Apache-2.0 */
#include "control/server/resources.h"

#include "control/server/resources_priv.h"
#include "control/server/watches.h"

const struct kp_service_method kp_resources_methods[] = {
	{ &kp_api_apply, KP_ROLE_EDITOR, { .request = kp_resources_apply } },
	{ &kp_api_validate, KP_ROLE_VIEWER,
	    { .request = kp_resources_validate } },
	{ &kp_api_get, KP_ROLE_VIEWER, { .request = kp_resources_get } },
	{ &kp_api_list, KP_ROLE_VIEWER, { .request = kp_resources_list } },
	{ &kp_api_delete, KP_ROLE_EDITOR, { .request = kp_resources_delete } },
	{ &kp_api_watch, KP_ROLE_VIEWER,
	    { .message = kp_watches_message,
		.sent = kp_watches_sent,
		.closed = kp_watches_closed } },
	{ &kp_api_history, KP_ROLE_VIEWER,
	    { .request = kp_resources_history } },
	{ &kp_api_diff, KP_ROLE_VIEWER, { .request = kp_resources_diff } },
	{ &kp_api_rollback, KP_ROLE_EDITOR,
	    { .request = kp_resources_rollback } },
	{ .method = NULL },
};

struct kp_desk *
kp_resources_desk(const struct kp_rpc_call *call)
{
	const struct kp_services *services = kp_rpc_call_owner(call);

	return services->desk;
}

char *
kp_resources_text(const char *text)
{
	return (char *)(uintptr_t)text;
}

void
kp_resources_end(struct kp_rpc_call *call, enum kp_store_result result,
    const struct kp_error *err)
{
	enum kp_rpc_code code = KP_RPC_UNAVAILABLE;

	if (result == KP_STORE_COMPACTED || result == KP_STORE_INVALID)
		code = KP_RPC_OUT_OF_RANGE;
	if (result == KP_STORE_FAILED && err->kind == KP_ERR_LIMIT)
		code = KP_RPC_RESOURCE_EXHAUSTED;
	if (result == KP_STORE_LATE)
		code = KP_RPC_DEADLINE_EXCEEDED;
	kp_rpc_call_end(call, code, "%s", err->text);
}

Kproxy__Control__V1__Outcome
kp_outcome_of(enum kp_outcome outcome)
{
	static const Kproxy__Control__V1__Outcome outcomes[] = {
		[KP_OUTCOME_CREATED] =
		    KPROXY__CONTROL__V1__OUTCOME__OUTCOME_CREATED,
		[KP_OUTCOME_CONFIGURED] =
		    KPROXY__CONTROL__V1__OUTCOME__OUTCOME_CONFIGURED,
		[KP_OUTCOME_UNCHANGED] =
		    KPROXY__CONTROL__V1__OUTCOME__OUTCOME_UNCHANGED,
		[KP_OUTCOME_DELETED] =
		    KPROXY__CONTROL__V1__OUTCOME__OUTCOME_DELETED,
	};

	return outcomes[outcome];
}
