/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/bridge.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "rules/compile.h"
#include "tests/support/socketpair.h"

#define MAX_PIPES 4
#define STEP_NS 2000000000 /* between two connections */
#define LEARNED_NODE 7
#define MAX_RULES_LEN (1u << 20)

static const char rules_format[] =
    "{apiVersion: kproxy/v1, kind: Cluster, metadata: {name: c},\n"
    "spec: {bootstrap: [b.example:9092]%s}}\n---\n"
    "{apiVersion: kproxy/v1, kind: Listener, metadata: {name: l},\n"
    "spec: {bind: 127.0.0.1, %s%s%s}}\n---\n"
    "{apiVersion: kproxy/v1, kind: VirtualCluster, metadata: {name: %s},\n"
    "spec: {cluster: c, listener: l}}\n---\n"
    "{apiVersion: kproxy/v1, kind: Policy, metadata: {name: p},\n"
    "spec: {match: {apis: [IncrementalAlterConfigs]}, overrides: [{field: "
    "\"config.changes['a']\", expression: \"'set'\"}]}}\n";

static void
ignore_learned(void *context, const char *cluster, const struct kp_node *node)
{
	(void)context;
	(void)cluster;
	(void)node;
}

static void
ignore_wish(void *context, const char *host)
{
	(void)context;
	(void)host;
}

static const struct kp_reports no_reports = { ignore_learned, ignore_wish,
	NULL };

static bool
read_secret(void *context, const struct kp_secret_ref *ref, struct kp_buf *out,
    struct kp_error *err)
{
	const struct kp_test_world *world = context;
	struct kp_bytes content = kp_test_ca_pem(world->ca);

	(void)err;
	if (strstr(ref->name, "cert") != NULL)
		content = world->pair.certificate_pem;
	if (strstr(ref->name, "key") != NULL)
		content = world->pair.key_pem;
	kp_buf_add(out, content.data, content.len);
	return true;
}

static void
write_rules(const struct kp_test_bridge *bridge, bool has_cluster, char *out,
    size_t out_size)
{
	unsigned options = bridge->options;

	(void)snprintf(out, out_size, rules_format,
	    (options & KP_BRIDGE_BROKER_TLS) != 0 ? ", tls: {ca: {file: ca}}"
						  : "",
	    (options & KP_BRIDGE_SNI) != 0
		? "sni: {port: 9092, bootstrap: b.example, broker: "
		  "'b{node}.example'}"
		: "advertisedHost: proxy.example, ports: {bootstrap: 9092, "
		  "first: 9100, count: 8}",
	    (options & KP_BRIDGE_CLIENT_TLS) != 0
		? ", tls: {certificate: {file: cert}, key: {file: key}}"
		: "",
	    (options & KP_BRIDGE_PROXY_HEADER) != 0 ? ", proxyProtocol: true"
						    : "",
	    has_cluster ? "v" : "w");
}

static void
compile(struct kp_test_bridge *bridge, bool has_cluster)
{
	struct kp_diagnostics diagnostics = { 0 };
	struct kp_resources *set = kp_resources_new();
	struct kp_limits usual;
	const struct kp_compile_input input = {
		.resources = set,
		.limits = &usual,
		.read_secret = read_secret,
		.ctx = &bridge->world,
	};
	struct kp_buf *out = &bridge->rules[has_cluster];
	struct kp_tables *tables;
	char text[2048];

	kp_limits_default(&usual);
	write_rules(bridge, has_cluster, text, sizeof(text));
	kp_resources_add_file(set, "r.yaml", kp_bytes_of(text), &diagnostics);
	kp_assert(kp_resources_check(set, &diagnostics));
	tables = kp_compile(&input, &diagnostics);
	kp_assert(tables != NULL);
	kp_buf_init(out, MAX_RULES_LEN);
	kp_assert(kp_tables_pack(out, tables, true));
	kp_tables_free(tables);
	kp_diagnostics_fini(&diagnostics);
	kp_resources_free(set);
}

void
kp_bridge_publish(struct kp_test_bridge *bridge, bool has_cluster)
{
	struct kp_shared *shared = &bridge->shared;
	struct kp_error err;
	struct kp_tables *tables =
	    kp_tables_unpack(kp_buf_bytes(&bridge->rules[has_cluster]), &err);
	struct kp_snapshot *snapshot;

	kp_assert(tables != NULL);
	tables->generation = ++bridge->generation;
	tables->limits = bridge->limits; /* tests go below what is sensible */
	snapshot = kp_snapshot_new(&tables, shared->snapshots.current,
	    bridge->world.tickets, bridge->metrics, &err);
	kp_assert(snapshot != NULL);
	kp_snapshot_publish(&shared->snapshots, &snapshot);
	bridge->is_changed = true;
}

static void
init_metrics(struct kp_test_bridge *bridge)
{
	struct kp_error err;
	int fd = kp_metrics_new_segment(&kp_node_metrics, &err);

	kp_assert(fd >= 0);
	bridge->metrics = kp_metrics_map(&kp_node_metrics, fd, &err);
	kp_assert(bridge->metrics != NULL);
	(void)close(fd);
}

static void
end_shared(struct kp_shared *shared)
{
	struct kp_endpoint *endpoint = &shared->snapshots.current->endpoints[0];

	kp_topology_unref(endpoint->topology);
	endpoint->topology = kp_topology_new(endpoint->cluster);
	kp_pipes_free(shared->pipes);
	shared->pipes = NULL;
	kp_pool_free(shared->pool);
	shared->pool = NULL;
}

void
kp_bridge_init(struct kp_test_bridge *bridge, unsigned options,
    const struct kp_limits *limits)
{
	*bridge = (struct kp_test_bridge){ .options = options };
	kp_limits_default(&bridge->limits);
	if (limits != NULL)
		bridge->limits = *limits;
	(void)signal(SIGPIPE, SIG_IGN);
	kp_log_init("test", KP_LOG_JSON, KP_LOG_DEBUG);
	kp_test_world_init(&bridge->world, &kp_test_broker);
	kp_test_world_start(&bridge->world);
	init_metrics(bridge);
	kp_shared_init(&bridge->shared, bridge->metrics, &no_reports);
	kp_names_set(bridge->shared.names, "b.example",
	    (const char *const[]){ "10.9.8.7" }, 1);
	kp_pool_set_limit(
	    bridge->shared.pool, (uint64_t)bridge->limits.of[KP_LIMIT_MEMORY]);
	compile(bridge, false);
	compile(bridge, true);
	kp_bridge_publish(bridge, true);
	end_shared(&bridge->shared);
	bridge->is_changed = false;
	bridge->calls.now_ns = STEP_NS;
	kp_far_init(&bridge->client);
	kp_far_init(&bridge->broker);
}

void
kp_bridge_fini(struct kp_test_bridge *bridge)
{
	kp_far_fini(&bridge->client);
	kp_far_fini(&bridge->broker);
	kp_shared_fini(&bridge->shared);
	kp_metrics_free(bridge->metrics);
	kp_test_world_fini(&bridge->world);
	kp_buf_fini(&bridge->rules[0]);
	kp_buf_fini(&bridge->rules[1]);
}

/* The broker is there as soon as the session has a socket to reach it. */
static void
accept_broker(struct kp_test_bridge *bridge)
{
	int fd = bridge->calls.far_fd;
	bool has_tls = (bridge->options & KP_BRIDGE_BROKER_TLS) != 0;

	if (fd < 0)
		return;
	bridge->calls.far_fd = -1;
	kp_far_reset(&bridge->broker);
	kp_far_connect(
	    &bridge->broker, fd, has_tls ? bridge->world.server : NULL, NULL);
}

static bool
have_turn(void *context)
{
	struct kp_test_bridge *bridge = context;

	accept_broker(bridge);
	return bridge->turn(bridge->context);
}

/* The acceptor is not here to look after deadlines that are far away. */
static int64_t
late_ns(void *context)
{
	const struct kp_test_bridge *bridge = context;
	int64_t wake_ms = atomic_load(&bridge->session->roster.wake_ms);

	return wake_ms == KP_NEVER ? INT64_MAX : wake_ms * 1000000;
}

/* Nothing that one connection learned or used is there for the next. */
static void
begin_shared(struct kp_test_bridge *bridge)
{
	struct kp_shared *shared = &bridge->shared;

	if (bridge->is_changed)
		kp_bridge_publish(bridge, true);
	bridge->is_changed = false;
	(void)kp_topology_learn(
	    shared->snapshots.current->endpoints[0].topology, LEARNED_NODE,
	    kp_bytes_of(KP_BRIDGE_SECRET), 9092);
	shared->pool =
	    kp_pool_new((uint64_t)bridge->limits.of[KP_LIMIT_MEMORY]);
	shared->pipes = kp_pipes_new(MAX_PIPES);
	atomic_init(&shared->hard_stop_ms, KP_NEVER);
	atomic_init(&shared->is_draining, false);
	kp_far_reset(&bridge->client);
	kp_far_reset(&bridge->broker);
}

static void
open_session(struct kp_test_bridge *bridge, struct kp_bytes proxy_header)
{
	static const struct kp_roster_limits no_limits = { 0 };
	struct kp_shared *shared = &bridge->shared;
	struct kp_snapshot *snapshot = kp_snapshot_acquire(&shared->snapshots);
	const struct kp_endpoint *endpoint = &snapshot->endpoints[0];
	bool has_tls = (bridge->options & KP_BRIDGE_CLIENT_TLS) != 0;
	int fds[2];

	kp_test_socketpair(fds);
	bridge->client_fd = fds[1];
	bridge->calls.num_open += 2;
	kp_assert(write(fds[0], proxy_header.data, proxy_header.len) ==
		  (ssize_t)proxy_header.len);
	kp_test_calls_set_far(true);
	kp_far_connect(&bridge->client, fds[0], NULL,
	    has_tls ? bridge->world.client : NULL);
	kp_test_calls_set_far(false);
	bridge->session =
	    kp_session_new(shared, &snapshot, endpoint, KP_NO_NODE, fds[1]);
	kp_assert(bridge->session != NULL);
	kp_assert(
	    kp_roster_add(&shared->roster, &bridge->session->roster,
		endpoint->virtual_cluster->name, &no_limits) == KP_ROSTER_IN);
	kp_metrics_add(bridge->metrics, 0, KP_M_CONNECTIONS, 0, 1);
}

static void
end_session(struct kp_test_bridge *bridge)
{
	struct kp_session *session = bridge->session;

	kp_assert(
	    kp_roster_take_ended(&bridge->shared.roster) == &session->roster);
	bridge->reason = session->reason;
	bridge->was_resting = session->is_resting;
	kp_assert(bridge->reason < KP_NUM_CLOSE_REASONS);
	kp_session_free(session);
	bridge->session = NULL;
	kp_assert(kp_metrics_read(bridge->metrics, KP_M_CONNECTIONS, 0) == 0);
	kp_assert(kp_metrics_read(bridge->metrics, KP_M_IN_FLIGHT, 0) == 0);
}

static void
hang_up(struct kp_test_bridge *bridge)
{
	accept_broker(bridge);
	(void)kp_far_pump(&bridge->client);
	(void)kp_far_pump(&bridge->broker);
	kp_far_close(&bridge->client);
	kp_far_close(&bridge->broker);
}

void
kp_bridge_run(struct kp_test_bridge *bridge, struct kp_bytes proxy_header)
{
	begin_shared(bridge);
	bridge->calls.now_ns += STEP_NS;
	bridge->calls.turn = have_turn;
	bridge->calls.late_ns = late_ns;
	bridge->calls.context = bridge;
	kp_test_calls_begin(&bridge->calls);
	open_session(bridge, proxy_header);
	(void)kp_session_run(bridge->session);
	bridge->calls.fault.calls = 0;
	end_session(bridge);
	hang_up(bridge);
	end_shared(&bridge->shared);
	kp_test_calls_end();
	kp_assert(bridge->calls.num_open == 0);
}
