/* SPDX-License-Identifier: Apache-2.0 */
#include "control/server/server_metrics.h"

#include <stdio.h>
#include <string.h>

#include "control/api/methods.h"
#include "control/rpc/status.h"

static const struct kp_rpc_method *const methods[] = {
	&kp_api_apply,
	&kp_api_validate,
	&kp_api_get,
	&kp_api_list,
	&kp_api_delete,
	&kp_api_watch,
	&kp_api_history,
	&kp_api_diff,
	&kp_api_rollback,
	&kp_api_sync,
	&kp_api_list_nodes,
	&kp_api_get_node,
	&kp_api_cordon,
	&kp_api_health_check,
	&kp_api_health_watch,
};
#define NUM_METHODS (sizeof(methods) / sizeof(methods[0]))
_Static_assert(NUM_METHODS < KP_SERVER_MAX_METHODS, "no place for others");

unsigned
kp_server_method_series(const char *method)
{
	for (unsigned i = 0; i < NUM_METHODS; i++) {
		if (strcmp(methods[i]->name, method) == 0)
			return i;
	}
	return NUM_METHODS;
}

unsigned
kp_server_call_series(unsigned method, unsigned code)
{
	return method * KP_SERVER_NUM_CODES + code;
}

/* "Resources/Apply" */
static const char *
short_name(unsigned method)
{
	return method < NUM_METHODS ? strrchr(methods[method]->name, '.') + 1
				    : "unknown";
}

static void
method_label(unsigned series, char *out, size_t size)
{
	out[0] = '\0';
	if (series <= NUM_METHODS)
		(void)snprintf(out, size, "method=\"%s\"", short_name(series));
}

static void
call_labels(unsigned series, char *out, size_t size)
{
	unsigned method = series / KP_SERVER_NUM_CODES;

	out[0] = '\0';
	if (method <= NUM_METHODS)
		(void)snprintf(out, size, "method=\"%s\",code=\"%s\"",
		    short_name(method),
		    kp_rpc_code_name(
			(enum kp_rpc_code)(series % KP_SERVER_NUM_CODES)));
}

static void
refusal_label(unsigned series, char *out, size_t size)
{
	static const char *const names[] = {
		[KP_SERVER_REFUSED_ROLE] = "role",
		[KP_SERVER_REFUSED_RATE] = "rate",
		[KP_SERVER_REFUSED_AUDIT] = "audit",
	};

	(void)snprintf(out, size, "reason=\"%s\"", names[series]);
}

static void
result_label(unsigned series, char *out, size_t size)
{
	(void)snprintf(
	    out, size, "result=\"%s\"", series == 0 ? "ok" : "failed");
}

static const struct kp_metric list[] = {
	[KP_SM_CALLS] = { "kproxy_server_calls_total",
	    "Calls that have ended, by method and code.", KP_METRIC_COUNTER,
	    KP_SERVER_MAX_METHODS *KP_SERVER_NUM_CODES, call_labels, true },
	[KP_SM_CALL_SECONDS] = { "kproxy_server_call_seconds",
	    "How long calls took that are no streams.", KP_METRIC_HISTOGRAM,
	    KP_SERVER_MAX_METHODS, method_label, true },
	[KP_SM_REFUSED] = { "kproxy_server_refused_total",
	    "Calls that were not let in: no such role, too many in a second, "
	    "no room in the audit file.",
	    KP_METRIC_COUNTER, KP_NUM_SERVER_REFUSALS, refusal_label, false },
	[KP_SM_STREAMS] = { "kproxy_server_streams",
	    "Streams that are open now.", KP_METRIC_GAUGE,
	    KP_SERVER_MAX_METHODS, method_label, true },
	[KP_SM_CHANGES] = { "kproxy_server_changes_total",
	    "Revisions that this server has made.", KP_METRIC_COUNTER, 1, NULL,
	    false },
	[KP_SM_RELOADS] = { "kproxy_server_reloads_total",
	    "Times that certificates, roles or the audit file were taken "
	    "anew.",
	    KP_METRIC_COUNTER, 2, result_label, false },
};

const struct kp_metric_table kp_server_metrics = {
	.metrics = list,
	.num_metrics = KP_NUM_SERVER_METRICS,
};
