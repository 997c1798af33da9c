/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/control/node_metrics.h"

#include <stdio.h>

#include "proto/kafka/schema.h"

_Static_assert(KP_NUM_API_SERIES == KP_MAX_API_KEY + 2,
    "one series for each API key and one for the rest");

#define LABEL(id, label) label,

static const char *const close_names[] = { KP_CLOSE_REASONS(LABEL) };
static const char *const local_names[] = { KP_LOCAL_ANSWERS(LABEL) };
static const char *const decision_names[] = { KP_DECISIONS(LABEL) };
static const char *const rewrite_names[] = { KP_REWRITES(LABEL) };
static const char *const direction_names[] = { KP_TRAFFIC_DIRECTIONS(LABEL) };
static const char *const codec_names[] = { KP_CODEC_LABELS(LABEL) };
static const char *const side_names[] = { KP_TLS_SIDES(LABEL) };
static const char *const child_names[] = { KP_CHILDREN(LABEL) };

static const struct {
	const char *result, *resumed;
} tls_results[] = {
#define RESULT(id, result, resumed) { result, resumed },
	KP_TLS_RESULTS(RESULT)
#undef RESULT
};

static void
label(char *out, size_t out_size, const char *name, const char *value)
{
	(void)snprintf(out, out_size, "%s=\"%s\"", name, value);
}

static void
close_labels(unsigned series, char *out, size_t out_size)
{
	label(out, out_size, "reason", close_names[series]);
}

static void
local_labels(unsigned series, char *out, size_t out_size)
{
	label(out, out_size, "reason", local_names[series]);
}

static void
decision_labels(unsigned series, char *out, size_t out_size)
{
	label(out, out_size, "decision", decision_names[series]);
}

static void
rewrite_labels(unsigned series, char *out, size_t out_size)
{
	label(out, out_size, "kind", rewrite_names[series]);
}

static void
direction_labels(unsigned series, char *out, size_t out_size)
{
	label(out, out_size, "direction", direction_names[series]);
}

static void
codec_labels(unsigned series, char *out, size_t out_size)
{
	(void)snprintf(out, out_size, "direction=\"%s\",codec=\"%s\"",
	    direction_names[series / KP_NUM_CODEC_LABELS],
	    codec_names[series % KP_NUM_CODEC_LABELS]);
}

static void
child_labels(unsigned series, char *out, size_t out_size)
{
	label(out, out_size, "process", child_names[series]);
}

/* KP_ERR_NONE is no error: its series stays hidden. */
static void
error_labels(unsigned series, char *out, size_t out_size)
{
	enum kp_error_kind kind = (enum kp_error_kind)series;

	if (kind == KP_ERR_NONE)
		out[0] = '\0';
	else
		label(out, out_size, "reason", kp_error_kind_name(kind));
}

/* Keys that no table knows share the series "unknown". */
static void
api_labels(unsigned series, char *out, size_t out_size)
{
	bool is_known =
	    series <= KP_MAX_API_KEY && kp_api_find((int16_t)series) != NULL;

	if (is_known)
		label(out, out_size, "api", kp_api_name((int16_t)series));
	else if (series == KP_MAX_API_KEY + 1)
		label(out, out_size, "api", "unknown");
	else
		out[0] = '\0';
}

static void
tls_labels(unsigned series, char *out, size_t out_size)
{
	unsigned side = series / KP_NUM_TLS_RESULTS;
	unsigned result = series % KP_NUM_TLS_RESULTS;

	(void)snprintf(out, out_size,
	    "side=\"%s\",result=\"%s\",resumed=\"%s\"", side_names[side],
	    tls_results[result].result, tls_results[result].resumed);
}

static const struct kp_metric metrics[] = {
#define ROW(id, name_, kind_, series_, labels_, sparse_, help_) \
	[KP_M_##id] = { .name = (name_), \
		.help = (help_), \
		.kind = KP_METRIC_##kind_, \
		.num_series = (series_), \
		.labels = (labels_), \
		.is_sparse = (sparse_) },
	KP_NODE_METRICS(ROW)
#undef ROW
};

const struct kp_metric_table kp_node_metrics = { metrics, KP_NUM_NODE_METRICS };

const char *
kp_close_reason_name(enum kp_close_reason reason)
{
	return close_names[reason];
}

unsigned
kp_metric_of_api(int16_t api_key)
{
	if (kp_api_find(api_key) == NULL)
		return KP_MAX_API_KEY + 1;
	return (unsigned)api_key;
}

unsigned
kp_metric_of_codec(enum kp_traffic direction, int codec)
{
	unsigned label = codec >= 0 && codec < KP_CODEC_LABEL_UNKNOWN
			     ? (unsigned)codec
			     : KP_CODEC_LABEL_UNKNOWN;

	return (unsigned)direction * KP_NUM_CODEC_LABELS + label;
}

unsigned
kp_metric_of_tls(enum kp_tls_side side, enum kp_tls_result result)
{
	return (unsigned)side * KP_NUM_TLS_RESULTS + (unsigned)result;
}
