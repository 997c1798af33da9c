/* SPDX-License-Identifier: Apache-2.0 */
#include "control/server/hub_metrics_priv.h"

#include <unistd.h>

#define NS_PER_MS 1000000

/* clang-format off */
static const struct kp_metric list[KP_HUB_NUM_METRICS] = {
	[KP_HUB_CONNECTED] = { "kproxy_server_agents_connected",
		"Streams of agents at this server.",
		KP_METRIC_GAUGE, 1, NULL, false },
	[KP_HUB_NODES] = { "kproxy_server_nodes",
		"Nodes that are known, lost ones among them.",
		KP_METRIC_GAUGE, 1, NULL, false },
	[KP_HUB_PUSHES] = { "kproxy_server_pushes_total",
		"Revisions that were sent to an agent.",
		KP_METRIC_COUNTER, 1, NULL, false },
	[KP_HUB_ACKS] = { "kproxy_server_acks_total",
		"Pushes that came into force.",
		KP_METRIC_COUNTER, 1, NULL, false },
	[KP_HUB_NACKS] = { "kproxy_server_nacks_total",
		"Pushes that an agent refused.",
		KP_METRIC_COUNTER, 1, NULL, false },
	[KP_HUB_DRIFTS] = { "kproxy_server_nodes_drifted_total",
		"Nodes that ran something else than they were given.",
		KP_METRIC_COUNTER, 1, NULL, false },
	[KP_HUB_LOST] = { "kproxy_server_agents_lost_total",
		"Streams that the server ended, as the agent was silent.",
		KP_METRIC_COUNTER, 1, NULL, false },
	[KP_HUB_RECORD_FAILURES] = { "kproxy_server_record_failures_total",
		"Times that what is known of nodes could not be stored or read.",
		KP_METRIC_COUNTER, 1, NULL, false },
	[KP_HUB_LAG] = { "kproxy_server_push_lag_seconds",
		"From a commit until an agent that was current has it in force.",
		KP_METRIC_HISTOGRAM, 1, NULL, false },
};
/* clang-format on */

static const struct kp_metric_table table = { list, KP_HUB_NUM_METRICS };

/* The segment is never shared: it is what the renderer wants. */
struct kp_metrics *
kp_hub_metrics_new(struct kp_error *err)
{
	int fd = kp_metrics_new_segment(&table, err);
	struct kp_metrics *metrics;

	if (fd < 0)
		return NULL;
	metrics = kp_metrics_map(&table, fd, err);
	(void)close(fd);
	return metrics;
}

void
kp_hub_count(struct kp_metrics *metrics, enum kp_hub_metric metric, int64_t n)
{
	kp_metrics_add(metrics, 0, metric, 0, n);
}

void
kp_hub_observe_lag(struct kp_metrics *metrics, int64_t lag_ms)
{
	struct kp_stripe stripe = kp_metrics_stripe(metrics, 0);

	kp_stripe_observe(
	    &stripe, KP_HUB_LAG, 0, lag_ms < 0 ? 0 : lag_ms * NS_PER_MS);
}
