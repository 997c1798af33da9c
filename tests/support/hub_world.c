/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/hub_world.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "control/server/sqlite.h"
#include "proto/control/unpack.h"

#define PATIENCE_MS 60000
#define NOTHING_MS 100
#define NO_STATE KPROXY__CONTROL__V1__NODE_STATE__NODE_STATE_UNSPECIFIED

static int64_t
patience(void)
{
	return kp_now_ms() + PATIENCE_MS;
}

static struct kp_rpc_identity
identity_of(const struct kp_test_hub *world, const struct kp_key_pair *pair)
{
	return (struct kp_rpc_identity){ .ca_pem = kp_test_ca_pem(world->ca),
		.certificate_pem = pair->certificate_pem,
		.key_pem = pair->key_pem };
}

static void
init(struct kp_test_hub *out)
{
	const struct kp_test_cert server = { .common_name = "server",
		.names = "DNS:localhost,IP:127.0.0.1" };
	const struct kp_test_cert viewer = { .common_name = "ada" };

	*out = (struct kp_test_hub){ .ca = kp_test_ca_new("Test CA") };
	kp_test_issue(&out->server_pair, out->ca, &server);
	kp_test_issue(&out->operator_pair, out->ca, &viewer);
	kp_hub_config_default(&out->config);
	out->config.server_identity = "server-1";
	out->config.version = "1.2.3";
	kp_rpc_limits_default(&out->limits);
}

void
kp_test_hub_init(struct kp_test_hub *out)
{
	char path[KP_TEST_PATH_LEN];
	struct kp_error err = { 0 };

	init(out);
	kp_test_folder(out->folder);
	kp_test_path(path, out->folder, "kpserver.db");
	out->store = kp_sqlite_open(path, &err);
	cr_assert_not_null(out->store, "%s", err.text);
	out->config.store = out->store;
}

void
kp_test_hub_init_beside(struct kp_test_hub *out, struct kp_test_hub *other)
{
	init(out);
	out->config.store = other->store;
	out->config.server_identity = "server-2";
	kp_items_copy(&out->items, &other->items);
}

static size_t
fill_endpoints(struct kp_test_hub *world)
{
	size_t num = 0;

	for (; kp_nodes_methods[num].method != NULL; num++)
		world->endpoints[num] =
		    (struct kp_rpc_endpoint){ kp_nodes_methods[num].method,
			    kp_nodes_methods[num].handlers };
	return num;
}

static struct kp_rpc_channel *
channel_of(const struct kp_test_hub *world, const struct kp_key_pair *pair)
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
kp_test_hub_start(struct kp_test_hub *world)
{
	static const char *const any_port[] = { "127.0.0.1:0" };
	struct kp_rpc_server_config config = { .addresses = any_port,
		.num_addresses = 1,
		.identity = identity_of(world, &world->server_pair),
		.endpoints = world->endpoints,
		.num_endpoints = fill_endpoints(world),
		.limits = world->limits,
		.owner = &world->services };
	struct kp_error err = { 0 };

	world->hub = kp_hub_new(&world->config, &err);
	cr_assert_not_null(world->hub, "%s", err.text);
	world->services.hub = world->hub;
	world->server = kp_rpc_server_new(&config, &err);
	cr_assert_not_null(world->server, "%s", err.text);
	(void)snprintf(world->address, sizeof(world->address), "127.0.0.1:%d",
	    kp_rpc_server_port(world->server, 0));
	world->viewer = channel_of(world, &world->operator_pair);
}

void
kp_test_hub_stop(struct kp_test_hub *world)
{
	if (world->server == NULL)
		return;
	kp_rpc_channel_free(world->viewer);
	kp_rpc_server_free(world->server, 0);
	kp_hub_free(world->hub);
	world->server = NULL;
	world->hub = NULL;
}

void
kp_test_hub_fini(struct kp_test_hub *world)
{
	kp_test_hub_stop(world);
	kp_items_fini(&world->items);
	kp_test_key_pair_fini(&world->server_pair);
	kp_test_key_pair_fini(&world->operator_pair);
	kp_test_ca_free(world->ca);
	if (world->store == NULL)
		return;
	kp_store_close(world->store);
	kp_test_folder_remove(world->folder);
}

void
kp_test_hub_tell(struct kp_test_hub *world)
{
	kp_hub_changed(world->hub, &world->items, kp_wall_ms());
}

void
kp_test_hub_commit_all(struct kp_test_hub *world,
    const struct kp_store_change *changes, size_t num)
{
	const struct kp_store_note note = { "ada", "", kp_wall_ms() };
	struct kp_items next = { .num = 0 };
	struct kp_error err = { 0 };
	uint64_t number;

	cr_assert_eq(kp_store_commit(world->store, world->items.revision, &note,
			 changes, num, &number, &err),
	    KP_STORE_OK, "%s", err.text);
	cr_assert(
	    kp_items_next(&next, &world->items, number, changes, num, &err));
	kp_items_take(&world->items, &next);
	if (world->hub != NULL)
		kp_test_hub_tell(world);
}

void
kp_test_hub_commit(struct kp_test_hub *world, const char *name,
    const char *nodes, unsigned port)
{
	char text[512];
	struct kp_store_change change = { "Cluster", name, { 0 }, true };

	(void)snprintf(text, sizeof(text),
	    "apiVersion: kproxy/v1\nkind: Cluster\nmetadata:\n  name: %s\n"
	    "spec:\n  bootstrap:\n    - 127.0.0.1:%u\n%s%s\n",
	    name, port, nodes[0] == '\0' ? "" : "  nodes:\n    ", nodes);
	if (port != 0)
		change.text = kp_bytes_of(text);
	kp_test_hub_commit_all(world, &change, 1);
}

void
kp_test_agent_init(struct kp_test_agent *out, const struct kp_test_hub *world,
    const char *name)
{
	const struct kp_test_cert cert = { .common_name = name };

	*out = (struct kp_test_agent){ .name = name };
	kp_test_issue(&out->pair, world->ca, &cert);
	out->channel = channel_of(world, &out->pair);
}

void
kp_test_agent_move(struct kp_test_agent *agent, const struct kp_test_hub *world)
{
	kp_test_agent_close(agent);
	kp_rpc_channel_free(agent->channel);
	agent->channel = channel_of(world, &agent->pair);
}

void
kp_test_agent_open(struct kp_test_agent *agent)
{
	struct kp_error err = { 0 };

	cr_assert(kp_rpc_channel_connect(agent->channel, patience(), &err),
	    "%s", err.text);
	agent->stream =
	    kp_rpc_stream_new(agent->channel, &kp_api_sync, KP_NEVER);
}

void
kp_test_agent_close(struct kp_test_agent *agent)
{
	if (agent->stream != NULL)
		kp_rpc_stream_free(agent->stream);
	agent->stream = NULL;
}

static void
clear_set(struct kp_test_agent *agent)
{
	for (size_t i = 0; i < agent->num; i++) {
		free(agent->set[i].kind);
		free(agent->set[i].name);
		free(agent->set[i].document);
	}
	agent->num = 0;
}

void
kp_test_agent_fini(struct kp_test_agent *agent)
{
	kp_test_agent_close(agent);
	kp_rpc_channel_free(agent->channel);
	kp_test_key_pair_fini(&agent->pair);
	clear_set(agent);
	free(agent->set);
}

void
kp_test_agent_say(
    struct kp_test_agent *agent, Kproxy__Control__V1__SyncRequest *request)
{
	struct kp_error err = { 0 };

	cr_assert(kp_rpc_stream_write(
		      agent->stream, &request->base, patience(), &err),
	    "%s", err.text);
}

static ProtobufCBinaryData
sha_of(struct kp_test_agent *agent)
{
	return (ProtobufCBinaryData){ .data = agent->digest.bytes,
		.len = agent->revision == 0 ? 0 : KP_DIGEST_LEN };
}

void
kp_test_agent_hello(
    struct kp_test_agent *agent, const char *node, const char *label)
{
	Kproxy__Control__V1__SyncRequest request;
	Kproxy__Control__V1__Hello hello;
	Kproxy__Control__V1__Label one, *list[] = { &one };
	char name[64] = "", value[64] = "";

	kproxy__control__v1__sync_request__init(&request);
	kproxy__control__v1__hello__init(&hello);
	kproxy__control__v1__label__init(&one);
	if (label != NULL)
		cr_assert_eq(sscanf(label, "%63[^=]=%63s", name, value), 2);
	one.name = name;
	one.value = value;
	hello.node = (char *)(uintptr_t)node;
	hello.version = name; /* any text */
	hello.labels = list;
	hello.n_labels = label != NULL;
	hello.revision = agent->revision;
	hello.sha256 = sha_of(agent);
	request.body_case = KPROXY__CONTROL__V1__SYNC_REQUEST__BODY_HELLO;
	request.hello = &hello;
	kp_test_agent_say(agent, &request);
}

void
kp_test_agent_ack(struct kp_test_agent *agent)
{
	Kproxy__Control__V1__SyncRequest request;
	Kproxy__Control__V1__Ack ack;

	kproxy__control__v1__sync_request__init(&request);
	kproxy__control__v1__ack__init(&ack);
	ack.revision = agent->revision;
	request.body_case = KPROXY__CONTROL__V1__SYNC_REQUEST__BODY_ACK;
	request.ack = &ack;
	kp_test_agent_say(agent, &request);
}

void
kp_test_agent_nack(
    struct kp_test_agent *agent, uint64_t revision, const char *why)
{
	Kproxy__Control__V1__SyncRequest request;
	Kproxy__Control__V1__Nack nack;
	Kproxy__Control__V1__Problem problem, *list[] = { &problem };
	Kproxy__Control__V1__Problems problems;

	kproxy__control__v1__sync_request__init(&request);
	kproxy__control__v1__nack__init(&nack);
	kproxy__control__v1__problem__init(&problem);
	kproxy__control__v1__problems__init(&problems);
	problem.message = (char *)(uintptr_t)why;
	problems.problems = list;
	problems.n_problems = 1;
	nack.revision = revision;
	nack.problems = &problems;
	request.body_case = KPROXY__CONTROL__V1__SYNC_REQUEST__BODY_NACK;
	request.nack = &nack;
	kp_test_agent_say(agent, &request);
}

void
kp_test_agent_heartbeat(struct kp_test_agent *agent)
{
	Kproxy__Control__V1__SyncRequest request;
	Kproxy__Control__V1__Heartbeat heartbeat;
	Kproxy__Control__V1__Counter counter, *list[] = { &counter };
	char name[] = "kproxy_requests_total";

	kproxy__control__v1__sync_request__init(&request);
	kproxy__control__v1__heartbeat__init(&heartbeat);
	kproxy__control__v1__counter__init(&counter);
	counter.name = name;
	counter.value = 7;
	heartbeat.revision = agent->revision;
	heartbeat.sha256 = sha_of(agent);
	heartbeat.counters = list;
	heartbeat.n_counters = 1;
	request.body_case = KPROXY__CONTROL__V1__SYNC_REQUEST__BODY_HEARTBEAT;
	request.heartbeat = &heartbeat;
	agent->num_beats++;
	kp_test_agent_say(agent, &request);
}

static bool
is_alive(const ProtobufCMessage *message)
{
	const Kproxy__Control__V1__SyncResponse *response =
	    (const Kproxy__Control__V1__SyncResponse *)message;

	return response->body_case ==
	       KPROXY__CONTROL__V1__SYNC_RESPONSE__BODY_ALIVE;
}

static enum kp_rpc_read
hear(struct kp_test_agent *agent, ProtobufCMessage **out, int64_t until_ms)
{
	enum kp_rpc_read result;

	while ((result = kp_rpc_stream_read(agent->stream, out, until_ms)) ==
		   KP_RPC_READ_MESSAGE &&
	       is_alive(*out)) {
		agent->num_alive++;
		kp_unpacked_free(*out);
	}
	return result;
}

void
kp_test_agent_answered(struct kp_test_agent *agent)
{
	ProtobufCMessage *message;

	for (; agent->num_alive < agent->num_beats; agent->num_alive++) {
		cr_assert_eq(
		    kp_rpc_stream_read(agent->stream, &message, patience()),
		    KP_RPC_READ_MESSAGE);
		cr_assert(is_alive(message));
		kp_unpacked_free(message);
	}
}

Kproxy__Control__V1__SyncResponse *
kp_test_agent_hear(struct kp_test_agent *agent)
{
	ProtobufCMessage *message;
	enum kp_rpc_read result = hear(agent, &message, patience());

	if (result == KP_RPC_READ_END)
		cr_assert(false, "%s: %s",
		    kp_rpc_code_name(kp_rpc_stream_status(agent->stream)->code),
		    kp_rpc_stream_status(agent->stream)->sentence);
	cr_assert_eq(result, KP_RPC_READ_MESSAGE);
	return (Kproxy__Control__V1__SyncResponse *)message;
}

bool
kp_test_agent_welcome(struct kp_test_agent *agent)
{
	Kproxy__Control__V1__SyncResponse *response = kp_test_agent_hear(agent);
	bool is_cordoned;

	cr_assert_eq(response->body_case,
	    KPROXY__CONTROL__V1__SYNC_RESPONSE__BODY_WELCOME);
	cr_assert_str_eq(response->welcome->version, "1.2.3");
	cr_assert(response->welcome->answers_heartbeats);
	is_cordoned = response->welcome->is_cordoned != 0;
	kp_unpacked_free(&response->base);
	return is_cordoned;
}

/* The place of a name in the set, or where it would be. */
static size_t
place_of(const struct kp_test_agent *agent, const char *kind, const char *name)
{
	size_t low = 0, high = agent->num;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct kp_test_document *at = &agent->set[middle];

		if (kp_items_compare(at->kind, at->name, kind, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool
is_at(const struct kp_test_agent *agent, size_t place, const char *kind,
    const char *name)
{
	return place < agent->num &&
	       kp_items_compare(agent->set[place].kind, agent->set[place].name,
		   kind, name) == 0;
}

static void
put(struct kp_test_agent *agent, const Kproxy__Control__V1__Resource *resource)
{
	size_t place = place_of(agent, resource->kind, resource->name);

	if (is_at(agent, place, resource->kind, resource->name)) {
		free(agent->set[place].document);
		agent->set[place].document = kp_strdup(resource->document);
		return;
	}
	agent->set =
	    kp_try_realloc(agent->set, (agent->num + 1) * sizeof(*agent->set));
	cr_assert_not_null(agent->set);
	kp_move(&agent->set[place + 1], &agent->set[place],
	    (agent->num - place) * sizeof(*agent->set));
	agent->num++;
	agent->set[place] = (struct kp_test_document){
		kp_strdup(resource->kind),
		kp_strdup(resource->name),
		kp_strdup(resource->document),
	};
}

static void
take_out(
    struct kp_test_agent *agent, const Kproxy__Control__V1__ResourceName *name)
{
	size_t place = place_of(agent, name->kind, name->name);

	cr_assert(is_at(agent, place, name->kind, name->name),
	    "%s is deleted, and was not there", name->name);
	free(agent->set[place].kind);
	free(agent->set[place].name);
	free(agent->set[place].document);
	agent->num--;
	kp_move(&agent->set[place], &agent->set[place + 1],
	    (agent->num - place) * sizeof(*agent->set));
}

static void
take_part(struct kp_test_agent *agent, const Kproxy__Control__V1__Push *push)
{
	if (agent->num_parts++ == 0 && push->based_on == 0)
		clear_set(agent);
	agent->based_on = push->based_on;
	agent->is_rollback = push->is_rollback != 0;
	agent->num_changed += push->n_changed;
	agent->num_deleted += push->n_deleted;
	for (size_t i = 0; i < push->n_changed; i++)
		put(agent, push->changed[i]);
	for (size_t i = 0; i < push->n_deleted; i++)
		take_out(agent, push->deleted[i]);
}

static void
digest_set(struct kp_test_agent *agent)
{
	struct kp_digest *list = kp_alloc(agent->num, sizeof(*list));

	for (size_t i = 0; i < agent->num; i++)
		kp_digest_resource(&list[i], agent->set[i].kind,
		    agent->set[i].name, kp_bytes_of(agent->set[i].document));
	kp_digest_set(&agent->digest, list, agent->num);
	free(list);
}

void
kp_test_agent_take(struct kp_test_agent *agent, uint64_t revision)
{
	bool is_last = false;

	agent->num_parts = agent->num_changed = agent->num_deleted = 0;
	while (!is_last) {
		Kproxy__Control__V1__SyncResponse *response =
		    kp_test_agent_hear(agent);
		const Kproxy__Control__V1__Push *push = response->push;

		cr_assert_eq(response->body_case,
		    KPROXY__CONTROL__V1__SYNC_RESPONSE__BODY_PUSH);
		cr_assert_eq(push->revision, revision, "revision %llu",
		    (unsigned long long)push->revision);
		cr_assert(
		    push->based_on == 0 || push->based_on == agent->revision);
		take_part(agent, push);
		is_last = push->is_last != 0;
		if (is_last) {
			digest_set(agent);
			cr_assert_eq(push->sha256.len, KP_DIGEST_LEN);
			cr_assert_eq(memcmp(push->sha256.data,
					 agent->digest.bytes, KP_DIGEST_LEN),
			    0);
		}
		kp_unpacked_free(&response->base);
	}
	agent->revision = revision;
}

void
kp_test_agent_follow(struct kp_test_agent *agent, uint64_t revision)
{
	kp_test_agent_take(agent, revision);
	kp_test_agent_ack(agent);
}

void
kp_test_agent_join(struct kp_test_agent *agent, const char *label)
{
	kp_test_agent_open(agent);
	kp_test_agent_hello(agent, agent->name, label);
	(void)kp_test_agent_welcome(agent);
}

void
kp_test_agent_hears_nothing(struct kp_test_agent *agent)
{
	ProtobufCMessage *message;

	cr_assert_eq(hear(agent, &message, kp_now_ms() + NOTHING_MS),
	    KP_RPC_READ_NOTHING);
}

void
kp_test_agent_expect_end(
    struct kp_test_agent *agent, enum kp_rpc_code code, const char *sentence)
{
	const struct kp_rpc_status *status;
	enum kp_rpc_read result;
	ProtobufCMessage *message;

	/* what was queued before may be there, or dropped */
	while ((result = kp_rpc_stream_read(agent->stream, &message,
		    patience())) == KP_RPC_READ_MESSAGE)
		kp_unpacked_free(message);
	cr_assert_eq(result, KP_RPC_READ_END);
	status = kp_rpc_stream_status(agent->stream);
	cr_assert_eq(status->code, code, "%s: %s",
	    kp_rpc_code_name(status->code), status->sentence);
	cr_assert_not_null(
	    strstr(status->sentence, sentence), "%s", status->sentence);
}

static bool
get_node(struct kp_test_hub *world, const char *name, struct kp_rpc_result *out)
{
	Kproxy__Control__V1__GetNodeRequest request;

	kproxy__control__v1__get_node_request__init(&request);
	request.name = (char *)(uintptr_t)name;
	return kp_rpc_channel_call(world->viewer, &kp_api_get_node, out,
	    &request.base, patience(), NULL);
}

Kproxy__Control__V1__GetNodeResponse *
kp_test_hub_get(struct kp_test_hub *world, const char *name)
{
	struct kp_rpc_result result;

	cr_assert(get_node(world, name, &result), "%s", result.status.sentence);
	kp_rpc_status_fini(&result.status);
	return (Kproxy__Control__V1__GetNodeResponse *)result.answer;
}

/* Of one that the server has not heard of yet: none. */
static Kproxy__Control__V1__NodeState
state_of(struct kp_test_hub *world, const char *name)
{
	Kproxy__Control__V1__NodeState state = NO_STATE;
	const Kproxy__Control__V1__GetNodeResponse *response;
	struct kp_rpc_result result;

	if (get_node(world, name, &result)) {
		response =
		    (const Kproxy__Control__V1__GetNodeResponse *)result.answer;
		state = response->node->state;
	}
	cr_assert(result.status.code == KP_RPC_OK ||
		      result.status.code == KP_RPC_NOT_FOUND,
	    "%s", result.status.sentence);
	kp_rpc_result_fini(&result);
	return state;
}

void
kp_test_hub_expect_state(struct kp_test_hub *world, const char *name,
    Kproxy__Control__V1__NodeState state)
{
	const struct timespec pause = { .tv_nsec = 2000000 };
	int64_t deadline_ms = patience();
	Kproxy__Control__V1__NodeState found;

	while ((found = state_of(world, name)) != state) {
		cr_assert(kp_now_ms() < deadline_ms,
		    "%s is in state %d, not %d", name, (int)found, (int)state);
		(void)nanosleep(&pause, NULL);
	}
}

enum kp_rpc_code
kp_test_hub_cordon(
    struct kp_test_hub *world, const char *name, bool is_cordoned)
{
	Kproxy__Control__V1__CordonRequest request;
	struct kp_rpc_result result;
	enum kp_rpc_code code;
	char why[] = "why";

	kproxy__control__v1__cordon_request__init(&request);
	request.name = (char *)(uintptr_t)name;
	request.is_cordoned = is_cordoned;
	request.reason = why;
	(void)!kp_rpc_channel_call(world->viewer, &kp_api_cordon, &result,
	    &request.base, patience(), NULL);
	code = result.status.code;
	kp_rpc_result_fini(&result);
	return code;
}

double
kp_test_hub_metric(struct kp_test_hub *world, const char *name)
{
	struct kp_buf text;
	const char *at;
	char line[128];
	double value;

	kp_buf_init(&text, 1 << 16);
	kp_hub_render(world->hub, &text);
	kp_buf_add(&text, "", 1);
	(void)snprintf(line, sizeof(line), "\n%s ", name);
	at = strstr((const char *)text.data, line);
	cr_assert_not_null(at, "%s", (const char *)text.data);
	value = strtod(at + strlen(line), NULL);
	kp_buf_fini(&text);
	return value;
}
