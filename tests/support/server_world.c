/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/server_world.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "control/server/health.h"
#include "control/server/hub.h"
#include "control/server/nodes_service.h"
#include "control/server/resources.h"
#include "control/server/server_metrics.h"
#include "control/server/sqlite.h"
#include "control/server/watches.h"

#define MAX_WATCHES 100
#define WATCH_TIMEOUT_MS 10000
#define QUIET_MS 600000

static const struct kp_service_method *const services[] = {
	kp_resources_methods, kp_nodes_methods, kp_health_methods, NULL
};

static const char roles_text[] =
    "listen: [\"127.0.0.1:1\"]\nstore: {sqlite: x}\n"
    "tls: {ca: a, certificate: b, key: c}\nroles:\n"
    "  - {role: admin, identities: [\"CN:ada\"]}\n"
    "  - {role: node, identities: [\"CN:edge-1\"]}\n";

/* As the policy server's own does. */
static void
on_changed(void *ctx, const struct kp_items *items, int64_t committed_ms)
{
	struct kp_test_server *world = ctx;

	kp_watches_changed(world->services.watches, items->revision);
	kp_hub_changed(world->services.hub, items, committed_ms);
}

static void
open_store(struct kp_test_server *world)
{
	char path[KP_TEST_PATH_LEN];
	struct kp_error err = { 0 };
	int fd = kp_metrics_new_segment(&kp_server_metrics, &err);

	kp_test_folder(world->folder);
	kp_test_path(path, world->folder, "kpserver.db");
	world->store = kp_sqlite_open(path, &err);
	cr_assert_not_null(world->store, "%s", err.text);
	kp_test_path(path, world->folder, "audit.jsonl");
	world->audit = kp_audit_open(path, &err);
	cr_assert_not_null(world->audit, "%s", err.text);
	cr_assert(fd >= 0);
	world->metrics = kp_metrics_map(&kp_server_metrics, fd, &err);
	(void)close(fd);
}

static void
open_guard(struct kp_test_server *world)
{
	const struct kp_guard_config guard = { .services = services,
		.audit = world->audit,
		.metrics = world->metrics,
		.rate = 1000000,
		.rate_burst = 1000000,
		.max_message_len = KP_API_MAX_REQUEST };
	struct kp_diagnostics diagnostics = { 0 };
	struct kp_server_config config;
	struct kp_roles *roles;

	cr_assert(kp_server_config_parse(
	    &config, "", kp_bytes_of(roles_text), &diagnostics));
	roles = kp_roles_new(&config.roles, config.num_roles);
	config.num_roles = 0;
	kp_server_config_fini(&config);
	world->services.guard = kp_guard_new(&guard, &roles);
}

static void
open_services(struct kp_test_server *world)
{
	const struct kp_desk_config desk = { .store = world->store,
		.max_changes = 4,
		.changed = on_changed,
		.ctx = world };
	struct kp_hub_config hub;
	struct kp_error err = { 0 };

	kp_hub_config_default(&hub);
	hub.store = world->store;
	hub.server_identity = "server-1";
	hub.version = "1.2.3";
	/* nodes are as quiet as a test wants */
	hub.lost_after_ms = hub.answer_ms = QUIET_MS;
	world->services.hub = kp_hub_new(&hub, &err);
	cr_assert_not_null(world->services.hub, "%s", err.text);
	world->services.desk = kp_desk_new(&desk, &err);
	cr_assert_not_null(world->services.desk, "%s", err.text);
	world->services.watches =
	    kp_watches_new(world->services.desk, MAX_WATCHES, WATCH_TIMEOUT_MS);
	world->services.health = kp_health_new();
	open_guard(world);
	kp_desk_start(world->services.desk);
}

static struct kp_rpc_identity
identity_of(const struct kp_test_server *world, const struct kp_key_pair *pair)
{
	return (struct kp_rpc_identity){ .ca_pem = kp_test_ca_pem(world->ca),
		.certificate_pem = pair->certificate_pem,
		.key_pem = pair->key_pem };
}

static void
open_server(struct kp_test_server *world)
{
	static const char *const any_port[] = { "127.0.0.1:0" };
	struct kp_rpc_server_config config = { .addresses = any_port,
		.num_addresses = 1,
		.identity = identity_of(world, &world->server_pair),
		.refused = kp_guard_refused,
		.owner = &world->services };
	struct kp_error err = { 0 };

	kp_rpc_limits_default(&config.limits);
	config.limits.queued_len = KP_API_MAX_ANSWER;
	config.endpoints =
	    kp_guard_endpoints(world->services.guard, &config.num_endpoints);
	world->server = kp_rpc_server_new(&config, &err);
	cr_assert_not_null(world->server, "%s", err.text);
	(void)snprintf(world->address, sizeof(world->address), "127.0.0.1:%d",
	    kp_rpc_server_port(world->server, 0));
}

static struct kp_rpc_channel *
channel_of(const struct kp_test_server *world, const struct kp_key_pair *pair)
{
	const char *addresses[] = { world->address };
	const struct kp_rpc_channel_config config = { .addresses = addresses,
		.num_addresses = 1,
		.identity = identity_of(world, pair) };
	struct kp_error err = { 0 };
	struct kp_rpc_channel *channel = kp_rpc_channel_new(&config, &err);

	cr_assert_not_null(channel, "%s", err.text);
	return channel;
}

void
kp_test_server_start(struct kp_test_server *out)
{
	const struct kp_test_cert server = { .common_name = "server",
		.names = "DNS:localhost,IP:127.0.0.1" };
	const struct kp_test_cert ada = { .common_name = "ada" };
	const struct kp_test_cert edge = { .common_name = "edge-1" };

	*out = (struct kp_test_server){ .ca = kp_test_ca_new("Test CA") };
	kp_test_issue(&out->server_pair, out->ca, &server);
	kp_test_issue(&out->ada_pair, out->ca, &ada);
	kp_test_issue(&out->edge_pair, out->ca, &edge);
	open_store(out);
	open_services(out);
	open_server(out);
	out->ada = channel_of(out, &out->ada_pair);
	out->edge = channel_of(out, &out->edge_pair);
}

bool
kp_test_server_call(struct kp_test_server *world,
    const struct kp_rpc_method *method, const ProtobufCMessage *request,
    struct kp_rpc_result *out)
{
	return kp_rpc_channel_call(world->ada, method, out, request,
	    kp_now_ms() + KP_TEST_SERVER_PATIENCE_MS, NULL);
}

void
kp_test_server_stop(struct kp_test_server *world)
{
	kp_rpc_channel_free(world->ada);
	kp_rpc_channel_free(world->edge);
	kp_desk_stop(world->services.desk);
	kp_rpc_server_free(world->server, 0);
	kp_watches_free(world->services.watches);
	kp_health_free(world->services.health);
	kp_guard_free(world->services.guard);
	kp_desk_free(world->services.desk);
	kp_hub_free(world->services.hub);
	kp_audit_close(world->audit);
	kp_store_close(world->store);
	kp_metrics_free(world->metrics);
	kp_test_key_pair_fini(&world->server_pair);
	kp_test_key_pair_fini(&world->ada_pair);
	kp_test_key_pair_fini(&world->edge_pair);
	kp_test_ca_free(world->ca);
	kp_test_folder_remove(world->folder);
}

bool
kp_test_server_apply(struct kp_test_server *world, const char *text)
{
	static char name[] = "f.yaml";
	Kproxy__Control__V1__ApplyRequest request;
	Kproxy__Control__V1__File file, *files = &file;
	struct kp_rpc_result result;
	bool ok;

	kproxy__control__v1__apply_request__init(&request);
	kproxy__control__v1__file__init(&file);
	file.name = name;
	file.text =
	    (ProtobufCBinaryData){ strlen(text), (uint8_t *)(uintptr_t)text };
	request.files = &files;
	request.n_files = 1;
	ok = kp_test_server_call(world, &kp_api_apply, &request.base, &result);
	kp_rpc_result_fini(&result);
	return ok;
}
