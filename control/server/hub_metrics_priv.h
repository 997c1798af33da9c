/* SPDX-License-Identifier: Apache-2.0 */
/* What the hub counts. Only for control/server/hub*.c, node*.c. @thread any */
#ifndef KP_CONTROL_SERVER_HUB_METRICS_PRIV_H
#define KP_CONTROL_SERVER_HUB_METRICS_PRIV_H

#include "base/metrics.h"

enum kp_hub_metric {
	KP_HUB_CONNECTED,
	KP_HUB_NODES,
	KP_HUB_PUSHES,
	KP_HUB_ACKS,
	KP_HUB_NACKS,
	KP_HUB_DRIFTS,
	KP_HUB_LOST,
	KP_HUB_RECORD_FAILURES,
	KP_HUB_LAG,
	KP_HUB_NUM_METRICS,
};

/* To be freed with kp_metrics_free. */
struct kp_metrics *kp_hub_metrics_new(struct kp_error *err);

void kp_hub_count(
    struct kp_metrics *metrics, enum kp_hub_metric metric, int64_t n);
/* From a commit to an ack. */
void kp_hub_observe_lag(struct kp_metrics *metrics, int64_t lag_ms);

#endif
