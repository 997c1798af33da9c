/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kp_bench_hub: a policy server without roles, of the parts that kpserver is
 * made of: store, catalog, hub, RPC. Commands come on stdin: "change N" changes
 * N resources in one transaction, "load" reads all from the store anew.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "bench/control.h"
#include "bench/options.h"
#include "control/server/catalog.h"
#include "control/server/hub.h"
#include "control/server/nodes_service.h"
#include "control/server/sqlite.h"

#define MAX_METHODS 8
#define MAX_TEXT_LEN ((size_t)16 << 20)
#define AT_ONCE 1000

struct bench {
	const char *store_path, *ca, *certificate, *key, *listen;
	uint64_t num_resources;
	struct kp_store *store;
	struct kp_catalog *catalog;
	struct kp_hub *hub;
	struct kp_rpc_server *server;
	struct kp_services services;
	struct kp_rpc_endpoint endpoints[MAX_METHODS];
	unsigned port; /* in resources: another one for each change */
};

/* Changes num resources from first on; how long it took. */
static double
apply(struct bench *bench, size_t first, size_t num)
{
	struct kp_catalog_result result = { 0 };
	struct kp_catalog_file file = { .name = "bench.yaml" };
	struct kp_catalog_wish wish = { .files = &file,
		.num_files = 1,
		.note = { "bench", "", kp_wall_ms() } };
	struct kp_error err = { 0 };
	struct kp_buf text;
	int64_t start_ns;

	kp_buf_init(&text, MAX_TEXT_LEN);
	bench->port = bench->port % 60000 + 1;
	kp_control_resources(&text, first, num, bench->port);
	file.text = kp_buf_bytes(&text);
	start_ns = kp_now_ns();
	if (kp_catalog_apply(bench->catalog, &wish, &result, &err) !=
	    KP_VERDICT_OK)
		kp_control_die("apply", &err);
	kp_hub_changed(
	    bench->hub, kp_catalog_items(bench->catalog), wish.note.time_ms);
	kp_catalog_result_fini(&result);
	kp_buf_fini(&text);
	return (double)(kp_now_ns() - start_ns) / 1e6;
}

static void
open_store(struct bench *bench)
{
	struct kp_hub_config config;
	struct kp_error err = { 0 };

	bench->store = kp_sqlite_open(bench->store_path, &err);
	if (bench->store == NULL)
		kp_control_die("store", &err);
	bench->catalog = kp_catalog_open(bench->store, &err);
	if (bench->catalog == NULL)
		kp_control_die("catalog", &err);
	kp_hub_config_default(&config);
	config.store = bench->store;
	config.server_identity = "bench";
	config.version = "bench";
	bench->hub = kp_hub_new(&config, &err);
	if (bench->hub == NULL)
		kp_control_die("hub", &err);
	bench->services.hub = bench->hub;
}

static void
fill_store(struct bench *bench)
{
	size_t there = kp_catalog_items(bench->catalog)->num;

	while (there < bench->num_resources) {
		size_t num = bench->num_resources - there;

		num = num > AT_ONCE ? AT_ONCE : num;
		(void)apply(bench, there, num);
		there += num;
	}
	kp_hub_changed(
	    bench->hub, kp_catalog_items(bench->catalog), kp_wall_ms());
}

static void
serve(struct bench *bench)
{
	const struct kp_rpc_identity identity =
	    kp_control_identity(bench->ca, bench->certificate, bench->key);
	struct kp_rpc_server_config config = { .addresses = &bench->listen,
		.num_addresses = 1,
		.identity = identity,
		.endpoints = bench->endpoints,
		.owner = &bench->services };
	struct kp_error err = { 0 };

	for (; kp_nodes_methods[config.num_endpoints].method != NULL;
	     config.num_endpoints++)
		bench->endpoints[config.num_endpoints] =
		    (struct kp_rpc_endpoint){
			    kp_nodes_methods[config.num_endpoints].method,
			    kp_nodes_methods[config.num_endpoints].handlers
		    };
	kp_rpc_limits_default(&config.limits);
	bench->server = kp_rpc_server_new(&config, &err);
	if (bench->server == NULL)
		kp_control_die("server", &err);
	kp_control_say(
	    "listening", ",\"port\":%d", kp_rpc_server_port(bench->server, 0));
}

/* How long it takes to read all resources from the store. */
static double
load(struct bench *bench)
{
	struct kp_items items = { .num = 0 };
	uint64_t revision = kp_catalog_items(bench->catalog)->revision;
	struct kp_error err = { 0 };
	int64_t start_ns = kp_now_ns();

	if (kp_items_load(&items, bench->store, revision, &err) != KP_STORE_OK)
		kp_control_die("load", &err);
	kp_items_fini(&items);
	return (double)(kp_now_ns() - start_ns) / 1e6;
}

static void
obey(struct bench *bench)
{
	unsigned long number;
	char word[32];

	while (kp_control_command(word, &number)) {
		double ms;

		if (strcmp(word, "load") == 0) {
			ms = load(bench);
			kp_control_say("loaded", ",\"ms\":%.1f", ms);
			continue;
		}
		ms = apply(bench, 0, number);
		kp_control_say("applied", ",\"ms\":%.1f,\"revision\":%llu", ms,
		    (unsigned long long)kp_catalog_items(bench->catalog)
			->revision);
	}
}

int
main(int argc, char **argv)
{
	struct bench bench = { .num_resources = 100, .listen = "127.0.0.1:0" };
	const struct kp_option options[] = {
		{ "listen", KP_OPTION_TEXT, &bench.listen, "host:port" },
		{ "store", KP_OPTION_TEXT, &bench.store_path, "file" },
		{ "resources", KP_OPTION_COUNT, &bench.num_resources,
		    "how many the store is filled up to" },
		{ "ca", KP_OPTION_TEXT, &bench.ca, "file" },
		{ "certificate", KP_OPTION_TEXT, &bench.certificate, "file" },
		{ "key", KP_OPTION_TEXT, &bench.key, "file" },
		{ .name = NULL },
	};

	kp_options_parse(options, "a policy server without roles", argc, argv);
	/* a line for each agent would fill the pipe that nobody reads */
	kp_log_init("bench", KP_LOG_JSON, KP_LOG_WARN);
	open_store(&bench);
	fill_store(&bench);
	serve(&bench);
	obey(&bench);
	kp_rpc_server_free(bench.server, 0);
	kp_hub_free(bench.hub);
	kp_catalog_close(bench.catalog);
	kp_store_close(bench.store);
	return EXIT_SUCCESS;
}
