/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The admin address of a policy server: /metrics, /livez and /readyz
 * (control/host/pages.h). @thread main
 */
#ifndef KP_CONTROL_SERVER_ADMIN_H
#define KP_CONTROL_SERVER_ADMIN_H

#include <stdatomic.h>

#include "base/metrics.h"
#include "control/server/audit.h"
#include "control/server/desk.h"
#include "rules/tables.h"

struct kp_hub;
struct kp_server_admin;

/* What the pages show; borrowed. */
struct kp_server_facts {
	struct kp_desk *desk;
	struct kp_hub *hub;
	struct kp_audit *audit;
	const struct kp_metrics *metrics;
	atomic_bool is_draining;
	int64_t started_ms; /* of kp_wall_ms */
};

struct kp_server_admin *kp_server_admin_new(const struct kp_host_port *address,
    struct kp_server_facts *facts, struct kp_error *err);
void kp_server_admin_free(struct kp_server_admin *admin);

/* The pages alone, for their tests. */
bool kp_server_ready(struct kp_server_facts *facts, struct kp_buf *out);
void kp_server_render(struct kp_server_facts *facts, struct kp_buf *out);

#endif
