/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kp_bench_agents: many agents of a policy server in one process, each with a
 * connection and a stream of its own, as far as the server can tell. They take
 * what is pushed and acknowledge it; nothing is compiled. When all have
 * acknowledged a revision, a line says how long after its commit each did.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "bench/control.h"
#include "bench/options.h"
#include "control/api/methods.h"
#include "control/rpc/backoff.h"
#include "control/rpc/channel.h"
#include "control/rpc/stream.h"
#include "proto/control/unpack.h"

/* Agents that share a certificate: each is one of its DNS names. */
#define PER_CERTIFICATE 31
#define STACK_LEN ((size_t)256 << 10)
#define CONNECT_MS 20000
#define WRITE_MS 20000
#define FIRST_WAIT_MS 200
#define MAX_WAIT_MS 5000
#define MAX_PATH_LEN 512

struct fleet {
	uint64_t num_agents, at_once;
	const char *server, *server_name, *ca, *pairs;
	struct kp_mutex lock;   /* guards what follows */
	struct kp_cond changed; /* num_connecting */
	uint64_t num_connecting;
	uint64_t num_connected;
	uint64_t revision; /* the newest that was acknowledged */
	uint64_t num_acks; /* of it */
	int64_t *lags_ms;
};

struct agent {
	struct fleet *fleet;
	struct kp_rpc_channel *channel;
	struct kp_rpc_stream *stream;
	char name[32];
	uint64_t revision;
	uint8_t digest[KP_API_SHA256_LEN];
	int64_t heartbeat_ms, next_heartbeat_ms;
};

static int
compare_lags(const void *left, const void *right)
{
	const int64_t *a = left, *b = right;

	return (*a > *b) - (*a < *b);
}

static void
tell_revision(struct fleet *fleet)
{
	int64_t *lags = fleet->lags_ms;
	size_t num = fleet->num_agents;

	qsort(lags, num, sizeof(*lags), compare_lags);
	kp_control_say("revision",
	    ",\"revision\":%llu,\"median_ms\":%lld,\"p99_ms\":%lld,"
	    "\"max_ms\":%lld",
	    (unsigned long long)fleet->revision, (long long)lags[num / 2],
	    (long long)lags[num * 99 / 100], (long long)lags[num - 1]);
}

static void
note_ack(struct fleet *fleet, uint64_t revision, int64_t lag_ms)
{
	bool are_all;

	kp_mutex_lock(&fleet->lock);
	if (revision > fleet->revision) {
		fleet->revision = revision;
		fleet->num_acks = 0;
	}
	if (revision == fleet->revision)
		fleet->lags_ms[fleet->num_acks++] = lag_ms;
	are_all =
	    revision == fleet->revision && fleet->num_acks == fleet->num_agents;
	if (are_all)
		tell_revision(fleet);
	kp_mutex_unlock(&fleet->lock);
}

static void
note_connected(struct fleet *fleet, int delta)
{
	kp_mutex_lock(&fleet->lock);
	fleet->num_connected += (uint64_t)delta;
	if (delta > 0 && fleet->num_connected == fleet->num_agents)
		kp_control_say("connected", ",\"agents\":%llu",
		    (unsigned long long)fleet->num_connected);
	kp_mutex_unlock(&fleet->lock);
}

static bool
say(struct agent *agent, const Kproxy__Control__V1__SyncRequest *request)
{
	struct kp_error err;

	return kp_rpc_stream_write(
	    agent->stream, &request->base, kp_now_ms() + WRITE_MS, &err);
}

static bool
say_hello(struct agent *agent)
{
	Kproxy__Control__V1__SyncRequest request;
	Kproxy__Control__V1__Hello hello;
	char version[] = "bench";

	kproxy__control__v1__sync_request__init(&request);
	kproxy__control__v1__hello__init(&hello);
	request.body_case = KPROXY__CONTROL__V1__SYNC_REQUEST__BODY_HELLO;
	request.hello = &hello;
	hello.node = agent->name;
	hello.version = version;
	hello.revision = agent->revision;
	hello.sha256.data = agent->digest;
	hello.sha256.len = agent->revision == 0 ? 0 : KP_API_SHA256_LEN;
	return say(agent, &request);
}

static bool
say_ack(struct agent *agent)
{
	Kproxy__Control__V1__SyncRequest request;
	Kproxy__Control__V1__Ack ack;

	kproxy__control__v1__sync_request__init(&request);
	kproxy__control__v1__ack__init(&ack);
	request.body_case = KPROXY__CONTROL__V1__SYNC_REQUEST__BODY_ACK;
	request.ack = &ack;
	ack.revision = agent->revision;
	return say(agent, &request);
}

static bool
say_heartbeat(struct agent *agent)
{
	Kproxy__Control__V1__SyncRequest request;
	Kproxy__Control__V1__Heartbeat heartbeat;

	kproxy__control__v1__sync_request__init(&request);
	kproxy__control__v1__heartbeat__init(&heartbeat);
	request.body_case = KPROXY__CONTROL__V1__SYNC_REQUEST__BODY_HEARTBEAT;
	request.heartbeat = &heartbeat;
	heartbeat.revision = agent->revision;
	heartbeat.sha256.data = agent->digest;
	heartbeat.sha256.len = agent->revision == 0 ? 0 : KP_API_SHA256_LEN;
	agent->next_heartbeat_ms = kp_now_ms() + agent->heartbeat_ms;
	return say(agent, &request);
}

static bool
take_push(struct agent *agent, const Kproxy__Control__V1__Push *push)
{
	if (!push->is_last)
		return true;
	if (push->sha256.len != KP_API_SHA256_LEN)
		return false;
	agent->revision = push->revision;
	kp_copy(agent->digest, push->sha256.data, KP_API_SHA256_LEN);
	if (!say_ack(agent))
		return false;
	note_ack(
	    agent->fleet, push->revision, kp_wall_ms() - push->committed_ms);
	return true;
}

static bool
take(struct agent *agent, const Kproxy__Control__V1__SyncResponse *response)
{
	if (response->body_case ==
	    KPROXY__CONTROL__V1__SYNC_RESPONSE__BODY_PUSH)
		return take_push(agent, response->push);
	if (response->body_case ==
	    KPROXY__CONTROL__V1__SYNC_RESPONSE__BODY_WELCOME)
		agent->heartbeat_ms = response->welcome->heartbeat_ms;
	agent->next_heartbeat_ms = kp_now_ms() + agent->heartbeat_ms;
	return true;
}

/* Until the stream ends. */
static void
follow(struct agent *agent)
{
	enum kp_rpc_read result = KP_RPC_READ_NOTHING;
	bool goes_on = true, is_counted = false;

	while (goes_on && result != KP_RPC_READ_END) {
		ProtobufCMessage *message;

		result = kp_rpc_stream_read(
		    agent->stream, &message, agent->next_heartbeat_ms);
		if (result == KP_RPC_READ_NOTHING)
			goes_on = say_heartbeat(agent);
		if (result != KP_RPC_READ_MESSAGE)
			continue;
		if (!is_counted)
			note_connected(agent->fleet, 1);
		is_counted = true;
		goes_on = take(
		    agent, (const Kproxy__Control__V1__SyncResponse *)message);
		kp_unpacked_free(message);
	}
	if (is_counted)
		note_connected(agent->fleet, -1);
}

static void
pause_ms(int64_t ms)
{
	const struct timespec pause = { .tv_sec = ms / 1000,
		.tv_nsec = ms % 1000 * 1000000 };

	(void)nanosleep(&pause, NULL);
}

/* One machine plays all agents: its handshakes must not time out for want of
 * processors that the real ones would have. */
static bool
connect_in_turn(struct agent *agent)
{
	struct fleet *fleet = agent->fleet;
	struct kp_error err;
	bool is_ok;

	kp_mutex_lock(&fleet->lock);
	while (fleet->num_connecting >= fleet->at_once)
		(void)kp_cond_wait(&fleet->changed, &fleet->lock, KP_NEVER);
	fleet->num_connecting++;
	kp_mutex_unlock(&fleet->lock);
	is_ok = kp_rpc_channel_connect(
	    agent->channel, kp_now_ms() + CONNECT_MS, &err);
	kp_mutex_lock(&fleet->lock);
	fleet->num_connecting--;
	kp_cond_signal(&fleet->changed);
	kp_mutex_unlock(&fleet->lock);
	return is_ok;
}

static void *
run_agent(void *arg)
{
	struct kp_rpc_backoff backoff = { .first_ms = FIRST_WAIT_MS,
		.max_ms = MAX_WAIT_MS };
	struct agent *agent = arg;

	for (;;) {
		if (connect_in_turn(agent)) {
			agent->stream = kp_rpc_stream_new(
			    agent->channel, &kp_api_sync, KP_NEVER);
			agent->next_heartbeat_ms = kp_now_ms() + CONNECT_MS;
			if (say_hello(agent)) {
				follow(agent);
				kp_rpc_backoff_reset(&backoff);
			}
			kp_rpc_stream_free(agent->stream);
		}
		pause_ms(kp_rpc_backoff_next(&backoff));
	}
	return NULL;
}

static struct kp_rpc_identity
identity_of(const struct fleet *fleet, size_t group)
{
	char certificate[MAX_PATH_LEN], key[MAX_PATH_LEN];

	(void)snprintf(certificate, sizeof(certificate), "%s/agents-%zu.crt",
	    fleet->pairs, group);
	(void)snprintf(
	    key, sizeof(key), "%s/agents-%zu.key", fleet->pairs, group);
	return kp_control_identity(fleet->ca, certificate, key);
}

static void
start_agent(struct fleet *fleet, size_t number,
    const struct kp_rpc_identity *identity, const pthread_attr_t *attr)
{
	const char *addresses[] = { fleet->server };
	const struct kp_rpc_channel_config config = { .addresses = addresses,
		.num_addresses = 1,
		.server_name = fleet->server_name,
		.identity = *identity };
	struct agent *agent = kp_alloc(1, sizeof(*agent));
	struct kp_error err = { 0 };
	pthread_t thread;

	agent->fleet = fleet;
	(void)snprintf(agent->name, sizeof(agent->name), "agent-%zu", number);
	agent->channel = kp_rpc_channel_new(&config, &err);
	if (agent->channel == NULL)
		kp_control_die("channel", &err);
	kp_must(pthread_create(&thread, attr, run_agent, agent));
}

static void
start_all(struct fleet *fleet)
{
	struct kp_rpc_identity identity = { 0 };
	pthread_attr_t attr;

	kp_must(pthread_attr_init(&attr));
	kp_must(pthread_attr_setstacksize(&attr, STACK_LEN));
	for (size_t i = 0; i < fleet->num_agents; i++) {
		if (i % PER_CERTIFICATE == 0)
			identity = identity_of(fleet, i / PER_CERTIFICATE);
		start_agent(fleet, i, &identity, &attr);
	}
	kp_must(pthread_attr_destroy(&attr));
}

static void
raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int
main(int argc, char **argv)
{
	struct fleet fleet = { .num_agents = 1000, .at_once = 32 };
	const struct kp_option options[] = {
		{ "agents", KP_OPTION_COUNT, &fleet.num_agents,
		    "how many there are" },
		{ "at-once", KP_OPTION_COUNT, &fleet.at_once,
		    "how many connect at the same time" },
		{ "server", KP_OPTION_TEXT, &fleet.server, "host:port" },
		{ "server-name", KP_OPTION_TEXT, &fleet.server_name,
		    "that its certificate is for" },
		{ "ca", KP_OPTION_TEXT, &fleet.ca, "file" },
		{ "pairs", KP_OPTION_TEXT, &fleet.pairs,
		    "folder of agents-N.crt and .key, each for 31 agents: "
		    "DNS:agent-0 to DNS:agent-30 in the first" },
		{ .name = NULL },
	};
	char word[32];
	unsigned long number;

	kp_options_parse(options, "agents of a policy server", argc, argv);
	raise_limit();
	kp_mutex_init(&fleet.lock, KP_RANK_TEST);
	kp_cond_init(&fleet.changed);
	fleet.lags_ms = kp_alloc(fleet.num_agents, sizeof(*fleet.lags_ms));
	start_all(&fleet);
	while (kp_control_command(word, &number))
		;
	_exit(EXIT_SUCCESS); /* its threads wait for the server */
}
