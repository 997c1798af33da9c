/* SPDX-License-Identifier: Apache-2.0 */
/* What a policy server counts. @thread any: all of it is constant */
#ifndef KP_CONTROL_SERVER_METRICS_H
#define KP_CONTROL_SERVER_METRICS_H

#include "base/metrics.h"

enum kp_server_metric {
	KP_SM_CALLS,        /* series: method and code, kp_server_call_series */
	KP_SM_CALL_SECONDS, /* series: method; of unary calls */
	KP_SM_REFUSED,      /* series: enum kp_server_refusal */
	KP_SM_STREAMS,      /* series: method */
	KP_SM_CHANGES,
	KP_SM_RELOADS, /* series: 0 went well, 1 did not */
	KP_NUM_SERVER_METRICS,
};

/* Why the guard let a call not in. */
enum kp_server_refusal {
	KP_SERVER_REFUSED_ROLE,
	KP_SERVER_REFUSED_RATE,
	KP_SERVER_REFUSED_AUDIT,
	KP_NUM_SERVER_REFUSALS,
};

extern const struct kp_metric_table kp_server_metrics;

/* The methods that are counted by name; of another one it is the last. */
#define KP_SERVER_MAX_METHODS 16
#define KP_SERVER_NUM_CODES 17

/* The index of a method, "/package.Service/Method". */
unsigned kp_server_method_series(const char *method);

unsigned kp_server_call_series(unsigned method, unsigned code);

#endif
