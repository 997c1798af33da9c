/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/cluster.h"

static char listener_name[] = "main", bind[] = "127.0.0.1";
static char advertised[] = "proxy.example", cluster_name[] = "prod";
static char seed_1[] = "seed-1.internal", seed_2[] = "10.9.8.7";

static struct kp_host_port bootstrap[] = { { seed_1, 19092 },
	{ seed_2, 19092 } };

const struct kp_tables_listener kp_test_listener = {
	.name = listener_name,
	.bind = bind,
	.advertised_host = advertised,
	.strategy = KP_LISTEN_PORTS,
	.bootstrap_port = 9092,
	.first_port = 9100,
	.num_ports = 8,
};

const struct kp_tables_cluster kp_test_cluster = {
	.name = cluster_name,
	.bootstrap = bootstrap,
	.num_bootstrap = 2,
	.connect_timeout_ms = 1000,
};
