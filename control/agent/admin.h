/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The admin address: /metrics, /livez and /readyz (control/host/pages.h).
 * @thread main
 */
#ifndef KP_CONTROL_AGENT_ADMIN_H
#define KP_CONTROL_AGENT_ADMIN_H

#include "base/error.h"
#include "base/metrics.h"
#include "control/agent/status.h"
#include "rules/tables.h"

struct kp_admin;

/*
 * kp_admin_new listens on address; status and metrics are borrowed. Returns
 * NULL with err if that is not possible.
 */
struct kp_admin *kp_admin_new(const struct kp_host_port *address,
    struct kp_status *status, const struct kp_metrics *metrics,
    struct kp_error *err);
void kp_admin_free(struct kp_admin *admin);

#endif
