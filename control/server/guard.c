/* SPDX-License-Identifier: Apache-2.0 */
#include "control/server/guard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mutex.h"
#include "control/server/rates.h"
#include "control/server/server_metrics.h"

/* A method with its guard in front. */
struct guarded {
	struct kp_service_method inner;
	struct kp_rpc_method method; /* with the limit of this server */
};

struct kp_guard {
	struct kp_audit *audit;
	struct kp_metrics *metrics;
	struct guarded *guarded;
	struct kp_rpc_endpoint *endpoints; /* one for each of guarded */
	size_t num;
	struct kp_log_limiter unasked; /* lines that a peer can cause without
					  any bound by its rate */

	struct kp_mutex lock; /* guards what follows */
	struct kp_roles *roles;
	struct kp_rates *rates;
};

/* The unary call that this thread is at; handlers find it here. */
struct visit {
	struct kp_rpc_call *call;
	struct kp_guard *guard;
	struct kp_roles *roles;
	char identity[KP_IDENTITY_SIZE];
	bool is_recorded;
};

static _Thread_local struct visit *current;

static struct kp_guard *
guard_of(const struct kp_rpc_call *call)
{
	const struct kp_services *services = kp_rpc_call_owner(call);

	return services->guard;
}

static const struct guarded *
guarded_of(const struct kp_guard *guard, const struct kp_rpc_call *call)
{
	const struct kp_rpc_method *method = kp_rpc_call_method(call);

	for (size_t i = 0; i < guard->num; i++) {
		if (&guard->guarded[i].method == method)
			return &guard->guarded[i];
	}
	kp_assert(false);
	return NULL;
}

static bool
is_change(const struct guarded *guarded)
{
	return guarded->inner.role == KP_ROLE_EDITOR ||
	       guarded->inner.role == KP_ROLE_ADMIN;
}

static struct kp_roles *
roles_now(struct kp_guard *guard)
{
	struct kp_roles *roles;

	kp_mutex_lock(&guard->lock);
	roles = kp_roles_ref(guard->roles);
	kp_mutex_unlock(&guard->lock);
	return roles;
}

static bool
is_within_rate(struct kp_guard *guard, const char *identity)
{
	bool is_ok;

	kp_mutex_lock(&guard->lock);
	is_ok = kp_rates_take(guard->rates, identity, kp_now_ms());
	kp_mutex_unlock(&guard->lock);
	return is_ok;
}

/* "Resources/Apply" of "/kproxy.control.v1.Resources/Apply" */
static const char *
short_name(const char *method)
{
	const char *dot = strrchr(method, '.');

	return dot == NULL ? method : dot + 1;
}

static void
count_end(struct kp_guard *guard, const char *name, enum kp_rpc_code code,
    int64_t took_ms, bool is_stream)
{
	unsigned method = kp_server_method_series(name);
	struct kp_stripe stripe = kp_metrics_stripe(guard->metrics, method);

	kp_stripe_add(&stripe, KP_SM_CALLS,
	    kp_server_call_series(method, (unsigned)code), 1);
	if (!is_stream)
		kp_stripe_observe(
		    &stripe, KP_SM_CALL_SECONDS, method, took_ms * 1000000);
}

static void
record(struct kp_guard *guard, const struct kp_rpc_call *call,
    struct kp_audit_line *line, bool is_synced)
{
	line->address = kp_rpc_call_peer(call)->address;
	line->took_ms = kp_now_ms() - kp_rpc_call_begun_ms(call);
	kp_audit_write(guard->audit, line, is_synced);
}

/* A call that its handlers are not to see. */
static void
refuse(struct kp_guard *guard, struct kp_rpc_call *call, const char *identity,
    const struct kp_rpc_status *status, enum kp_server_refusal why)
{
	const struct guarded *guarded = guarded_of(guard, call);
	struct kp_audit_line line = {
		.identity = identity,
		.method = short_name(guarded->method.name),
		.code = status->code,
		.message = status->sentence,
	};

	kp_metrics_add(guard->metrics, 0, KP_SM_REFUSED, why, 1);
	count_end(guard, guarded->method.name, status->code,
	    kp_now_ms() - kp_rpc_call_begun_ms(call),
	    guarded->method.kind == KP_RPC_STREAM);
	if (why != KP_SERVER_REFUSED_RATE ||
	    kp_log_admit(&guard->unasked, &line.num_suppressed))
		record(guard, call, &line, false);
	kp_rpc_call_finish(call, status);
}

/* May the caller in? Otherwise the call has ended. */
static bool
admit(struct kp_guard *guard, struct kp_rpc_call *call,
    const struct kp_roles *roles, char identity[KP_IDENTITY_SIZE])
{
	const struct guarded *guarded = guarded_of(guard, call);
	struct kp_rpc_status status = { .code = KP_RPC_OK };

	bool has_role = kp_roles_has(
	    roles, kp_rpc_call_peer(call), guarded->inner.role, identity);

	if (!is_within_rate(guard, identity)) {
		kp_rpc_status_set(&status, KP_RPC_RESOURCE_EXHAUSTED,
		    "\"%s\" calls too often: see limits.rate and "
		    "limits.rateBurst",
		    identity);
		refuse(guard, call, identity, &status, KP_SERVER_REFUSED_RATE);
		return false;
	}
	if (has_role)
		return true;
	kp_rpc_status_set(&status, KP_RPC_PERMISSION_DENIED,
	    "%s needs the role \"%s\", which \"%s\" does not have",
	    short_name(guarded->method.name), kp_role_name(guarded->inner.role),
	    identity);
	refuse(guard, call, identity, &status, KP_SERVER_REFUSED_ROLE);
	return false;
}

/* Room for the line of a change, without which there is none. */
static bool
reserve(struct kp_guard *guard, struct kp_rpc_call *call, const char *identity)
{
	struct kp_rpc_status status = { .code = KP_RPC_OK };
	struct kp_error err;

	if (kp_audit_reserve(guard->audit, &err))
		return true;
	kp_rpc_status_set(&status, KP_RPC_UNAVAILABLE,
	    "no change can be made now, it could not be recorded: %s",
	    err.text);
	refuse(guard, call, identity, &status, KP_SERVER_REFUSED_AUDIT);
	return false;
}

/* The line of a call whose handler has returned. */
static void
record_end(struct visit *visit, const struct guarded *guarded)
{
	char sentence[KP_RPC_SENTENCE_SIZE];
	enum kp_rpc_code code = kp_rpc_call_code(visit->call, sentence);
	struct kp_audit_line line = {
		.identity = visit->identity,
		.method = short_name(guarded->method.name),
		.code = code,
		.message = sentence,
	};

	count_end(visit->guard, guarded->method.name, code,
	    kp_now_ms() - kp_rpc_call_begun_ms(visit->call), false);
	if (!visit->is_recorded)
		record(visit->guard, visit->call, &line, is_change(guarded));
}

static void
serve(struct visit *visit, const ProtobufCMessage *request)
{
	struct kp_guard *guard = visit->guard;
	const struct guarded *guarded = guarded_of(guard, visit->call);

	if (!admit(guard, visit->call, visit->roles, visit->identity))
		return;
	if (is_change(guarded) && !reserve(guard, visit->call, visit->identity))
		return;
	guarded->inner.handlers.request(visit->call, request);
	record_end(visit, guarded);
	if (is_change(guarded))
		kp_audit_release(guard->audit);
}

static void
on_request(struct kp_rpc_call *call, const ProtobufCMessage *request)
{
	struct kp_guard *guard = guard_of(call);
	struct visit visit = {
		.call = call, .guard = guard, .roles = roles_now(guard)
	};

	current = &visit;
	serve(&visit, request);
	current = NULL;
	kp_roles_unref(visit.roles);
}

/* Streams that were not let in have no data and end at once: their handlers
 * must not hear of them. */
static bool
is_let_in(const struct kp_rpc_call *call)
{
	return kp_rpc_call_is_marked(call);
}

static void
record_stream(struct kp_guard *guard, struct kp_rpc_call *call,
    const char *identity, const char *event)
{
	char sentence[KP_RPC_SENTENCE_SIZE] = "";
	struct kp_audit_line line = {
		.identity = identity,
		.method = short_name(kp_rpc_call_method(call)->name),
		.event = event,
		.code = KP_RPC_OK,
		.message = sentence,
	};

	if (strcmp(event, "ended") == 0)
		line.code = kp_rpc_call_code(call, sentence);

	record(guard, call, &line, false);
}

static void
count_stream(struct kp_guard *guard, const struct kp_rpc_call *call, int delta)
{
	kp_metrics_add(guard->metrics, 0, KP_SM_STREAMS,
	    kp_server_method_series(kp_rpc_call_method(call)->name), delta);
}

static void
on_opened(struct kp_rpc_call *call)
{
	struct kp_guard *guard = guard_of(call);
	const struct guarded *guarded = guarded_of(guard, call);
	struct kp_roles *roles = roles_now(guard);
	char identity[KP_IDENTITY_SIZE];

	if (admit(guard, call, roles, identity)) {
		kp_rpc_call_mark(call);
		count_stream(guard, call, 1);
		record_stream(guard, call, identity, "opened");
		if (guarded->inner.handlers.opened != NULL)
			guarded->inner.handlers.opened(call);
	}
	kp_roles_unref(roles);
}

static void
on_message(struct kp_rpc_call *call, const ProtobufCMessage *message)
{
	if (is_let_in(call))
		guarded_of(guard_of(call), call)
		    ->inner.handlers.message(call, message);
}

static void
on_half_closed(struct kp_rpc_call *call)
{
	const struct guarded *guarded = guarded_of(guard_of(call), call);

	if (is_let_in(call) && guarded->inner.handlers.half_closed != NULL)
		guarded->inner.handlers.half_closed(call);
}

static void
on_sent(struct kp_rpc_call *call)
{
	const struct guarded *guarded = guarded_of(guard_of(call), call);

	if (is_let_in(call) && guarded->inner.handlers.sent != NULL)
		guarded->inner.handlers.sent(call);
}

static void
on_closed(struct kp_rpc_call *call)
{
	struct kp_guard *guard = guard_of(call);
	const struct guarded *guarded = guarded_of(guard, call);
	enum kp_rpc_code code = kp_rpc_call_code(call, NULL);
	struct kp_roles *roles;
	char identity[KP_IDENTITY_SIZE];

	if (!is_let_in(call))
		return;
	roles = roles_now(guard);
	(void)kp_roles_has(
	    roles, kp_rpc_call_peer(call), guarded->inner.role, identity);
	kp_roles_unref(roles);
	record_stream(guard, call, identity, "ended");
	count_end(guard, guarded->method.name, code, 0, true);
	count_stream(guard, call, -1);
	/* last: the server may go once it has run */
	if (guarded->inner.handlers.closed != NULL)
		guarded->inner.handlers.closed(call);
}

static size_t
count_methods(const struct kp_service_method *const *services)
{
	size_t num = 0;

	for (; *services != NULL; services++) {
		for (size_t i = 0; (*services)[i].method != NULL; i++)
			num++;
	}
	return num;
}

static void
add_method(struct kp_guard *guard, const struct kp_service_method *method,
    size_t max_message_len)
{
	struct guarded *guarded = &guard->guarded[guard->num];
	struct kp_rpc_endpoint *endpoint = &guard->endpoints[guard->num++];

	guarded->inner = *method;
	guarded->method = *method->method;
	if (guarded->method.max_request_len > max_message_len)
		guarded->method.max_request_len = max_message_len;
	endpoint->method = &guarded->method;
	endpoint->handlers =
	    guarded->method.kind == KP_RPC_UNARY
		? (struct kp_rpc_handlers){ .request = on_request }
		: (struct kp_rpc_handlers){ .opened = on_opened,
			  .message = on_message,
			  .half_closed = on_half_closed,
			  .sent = on_sent,
			  .closed = on_closed };
}

struct kp_guard *
kp_guard_new(const struct kp_guard_config *config, struct kp_roles **roles)
{
	struct kp_guard *guard = kp_alloc(1, sizeof(*guard));
	size_t num = count_methods(config->services);

	guard->audit = config->audit;
	guard->metrics = config->metrics;
	guard->guarded = kp_alloc(num, sizeof(*guard->guarded));
	guard->endpoints = kp_alloc(num, sizeof(*guard->endpoints));
	for (size_t i = 0; config->services[i] != NULL; i++) {
		for (size_t k = 0; config->services[i][k].method != NULL; k++)
			add_method(guard, &config->services[i][k],
			    config->max_message_len);
	}
	kp_mutex_init(&guard->lock, KP_RANK_GUARD);
	guard->roles = *roles;
	*roles = NULL;
	guard->rates = kp_rates_new(
	    config->rate, config->rate_burst, KP_GUARD_MAX_IDENTITIES);
	return guard;
}

void
kp_guard_free(struct kp_guard *guard)
{
	if (guard == NULL)
		return;
	kp_rates_free(guard->rates);
	kp_roles_unref(guard->roles);
	kp_mutex_fini(&guard->lock);
	free(guard->endpoints);
	free(guard->guarded);
	free(guard);
}

void
kp_guard_set_roles(struct kp_guard *guard, struct kp_roles **roles)
{
	struct kp_roles *old;

	kp_mutex_lock(&guard->lock);
	old = guard->roles;
	guard->roles = *roles;
	kp_mutex_unlock(&guard->lock);
	*roles = NULL;
	kp_roles_unref(old);
}

const struct kp_rpc_endpoint *
kp_guard_endpoints(const struct kp_guard *guard, size_t *out_num)
{
	*out_num = guard->num;
	return guard->endpoints;
}

void
kp_guard_refused(struct kp_rpc_call *call, const char *method,
    const struct kp_rpc_status *status)
{
	struct kp_guard *guard = guard_of(call);
	const struct kp_rpc_peer *peer = kp_rpc_call_peer(call);
	struct kp_roles *roles = roles_now(guard);
	char identity[KP_IDENTITY_SIZE] = "";
	struct kp_audit_line line = { .identity = identity,
		.method = short_name(method),
		.code = status->code,
		.message = status->sentence };

	if (peer->common_name != NULL)
		(void)kp_roles_has(roles, peer, KP_ROLE_ANYBODY, identity);
	kp_roles_unref(roles);
	count_end(guard, method, status->code, 0, true);
	if (kp_log_admit(&guard->unasked, &line.num_suppressed))
		record(guard, call, &line, false);
}

static struct visit *
visit_of(const struct kp_rpc_call *call)
{
	kp_assert(current != NULL && current->call == call);
	return current;
}

const char *
kp_guard_identity(const struct kp_rpc_call *call)
{
	return visit_of(call)->identity;
}

static bool
may_edit(void *ctx, const struct kp_catalog_edit *edit, struct kp_error *err)
{
	const struct visit *visit = ctx;

	return kp_roles_may_edit(
	    visit->roles, kp_rpc_call_peer(visit->call), edit, err);
}

struct kp_catalog_judge
kp_guard_judge(const struct kp_rpc_call *call)
{
	return (struct kp_catalog_judge){ may_edit, visit_of(call) };
}

void
kp_guard_changed(struct kp_rpc_call *call, const struct kp_guard_change *change)
{
	struct visit *visit = visit_of(call);
	struct kp_audit_line line = {
		.identity = visit->identity,
		.method = short_name(kp_rpc_call_method(call)->name),
		.code = KP_RPC_OK,
		.revision = change->revision,
		.reason = change->reason,
		.is_dry_run = change->is_dry_run,
		.names = change->names,
		.num_names = change->num_names,
	};

	if (change->revision > 0 && !change->is_dry_run &&
	    change->num_names > 0)
		kp_metrics_add(visit->guard->metrics, 0, KP_SM_CHANGES, 0, 1);
	record(visit->guard, call, &line, true);
	visit->is_recorded = true;
}
