/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a client with a certificate may send to the policy server: each method's
 * request through decoding, guard and handlers, on a small store. The first
 * byte says which method, and as whom. The store begins anew now and then, so
 * that what one input left is not there for good.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "control/server/desk.h"
#include "control/server/guard.h"
#include "control/server/health.h"
#include "control/server/resources.h"
#include "control/server/server_metrics.h"
#include "control/server/sqlite.h"
#include "control/server/watches.h"
#include "tests/support/rpc_fake.h"

#define INPUTS_PER_WORLD 500

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct world {
	char folder[64];
	char store_path[96], audit_path[96];
	struct kp_store *store;
	struct kp_audit *audit;
	struct kp_metrics *metrics;
	struct kp_services services;
	unsigned num_inputs;
} world;

static const struct kp_service_method *const services[] = {
	kp_resources_methods, kp_health_methods, NULL
};

static const char config_text[] =
    "listen: [\"127.0.0.1:1\"]\nstore: {sqlite: x}\n"
    "tls: {ca: a, certificate: b, key: c}\nroles:\n"
    "  - {role: admin, identities: [\"CN:admin\"]}\n"
    "  - {role: editor, identities: [\"CN:e\"], labels: {a: b}}\n";

static struct kp_roles *
make_roles(void)
{
	struct kp_diagnostics diagnostics = { 0 };
	struct kp_server_config config;
	struct kp_roles *roles;

	kp_assert(kp_server_config_parse(
	    &config, "", kp_bytes_of(config_text), &diagnostics));
	roles = kp_roles_new(&config.roles, config.num_roles);
	config.num_roles = 0;
	kp_server_config_fini(&config);
	return roles;
}

static void
make_guard(void)
{
	struct kp_guard_config config = { .services = services,
		.audit = world.audit,
		.metrics = world.metrics,
		.rate = 1000000,
		.rate_burst = 1000000,
		.max_message_len = 1u << 20 };
	struct kp_roles *roles = make_roles();

	world.services.guard = kp_guard_new(&config, &roles);
}

static void
begin_world(void)
{
	struct kp_desk_config config = { .max_changes = 4 };
	struct kp_error err;
	int fd = kp_metrics_new_segment(&kp_server_metrics, &err);

	(void)snprintf(
	    world.folder, sizeof(world.folder), "/tmp/kp-fuzz-server-XXXXXX");
	kp_assert(mkdtemp(world.folder) != NULL);
	(void)snprintf(
	    world.store_path, sizeof(world.store_path), "%s/db", world.folder);
	(void)snprintf(world.audit_path, sizeof(world.audit_path), "%s/audit",
	    world.folder);
	world.store = kp_sqlite_open(world.store_path, &err);
	kp_assert(world.store != NULL);
	world.audit = kp_audit_open(world.audit_path, &err);
	kp_assert(world.audit != NULL && fd >= 0);
	world.metrics = kp_metrics_map(&kp_server_metrics, fd, &err);
	(void)close(fd);
	config.store = world.store;
	world.services.desk = kp_desk_new(&config, &err);
	kp_assert(world.services.desk != NULL);
	world.services.watches = kp_watches_new(world.services.desk, 4, 1000);
	world.services.health = kp_health_new();
	make_guard();
}

static void
end_world(void)
{
	kp_desk_stop(world.services.desk);
	kp_watches_free(world.services.watches);
	kp_health_free(world.services.health);
	kp_guard_free(world.services.guard);
	kp_desk_free(world.services.desk);
	kp_audit_close(world.audit);
	kp_store_close(world.store);
	kp_metrics_free(world.metrics);
	(void)unlink(world.store_path);
	(void)unlink(world.audit_path);
	(void)rmdir(world.folder);
	world = (struct world){ .num_inputs = 0 };
}

/* What the handlers did with it must be an end of the call. */
static void
check_end(const struct kp_rpc_call *call)
{
	bool is_unary = call->endpoint->method->kind == KP_RPC_UNARY;

	kp_assert(!is_unary || call->num_ends == 1);
	kp_assert(
	    call->code != KP_RPC_INTERNAL && call->code != KP_RPC_UNKNOWN);
	kp_assert(call->code != KP_RPC_UNAVAILABLE);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "admin", "e" };
	struct kp_rpc_call call = { .owner = &world.services,
		.deadline_ms = KP_NEVER };
	const struct kp_rpc_endpoint *endpoints;
	char name[8], address[] = "test";
	size_t num;

	if (size == 0)
		return 0;
	if (world.num_inputs == 0) {
		kp_log_init("fuzz", KP_LOG_JSON, KP_LOG_ERROR);
		begin_world();
	}
	endpoints = kp_guard_endpoints(world.services.guard, &num);
	(void)snprintf(name, sizeof(name), "%s", names[data[0] >> 7]);
	call.peer.common_name = name;
	call.peer.address = address;
	call.endpoint = &endpoints[(data[0] & 0x7f) % num];
	if (kp_fake_call(&call, (struct kp_bytes){ data + 1, size - 1 }))
		check_end(&call);
	if (++world.num_inputs == INPUTS_PER_WORLD)
		end_world();
	return 0;
}
