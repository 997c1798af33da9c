/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/rpc_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/alloc.h"
#include "base/clock.h"

/* clang-format off */
#define METHOD(name_, kind_, max_len_, timeout_ms_) \
	{ \
		.name = (name_), .kind = (kind_), \
		.request = &kp__test__request__descriptor, \
		.response = &kp__test__answer__descriptor, \
		.max_request_len = (max_len_), .max_response_len = (max_len_), \
		.timeout_ms = (timeout_ms_), \
	}

const struct kp_rpc_method
    kp_test_echo = METHOD("/kp.test.Test/Echo", KP_RPC_UNARY,
	KP_TEST_MAX_MESSAGE, 0),
    kp_test_wait = METHOD("/kp.test.Test/Wait", KP_RPC_UNARY,
	KP_TEST_MAX_MESSAGE, 0),
    kp_test_chat = METHOD("/kp.test.Test/Chat", KP_RPC_STREAM,
	KP_TEST_MAX_MESSAGE, 0),
    kp_test_short = METHOD("/kp.test.Test/Short", KP_RPC_UNARY,
	KP_TEST_SHORT_MESSAGE, 0),
    kp_test_hasty = METHOD("/kp.test.Test/Hasty", KP_RPC_UNARY,
	KP_TEST_SHORT_MESSAGE, 50),
    kp_test_unknown = METHOD("/kp.test.Test/Unknown", KP_RPC_UNARY,
	KP_TEST_MAX_MESSAGE, 0);
/* clang-format on */

static void
end_with_code(struct kp_rpc_call *call, const Kp__Test__Request *request)
{
	struct kp_rpc_status status = { .code = KP_RPC_OK };
	Kp__Test__Reason reason;

	kp_rpc_status_set(
	    &status, (enum kp_rpc_code)request->code, "%s", request->text);
	kp__test__reason__init(&reason);
	reason.field = request->reason;
	reason.line = 7;
	if (request->reason[0] != '\0')
		/* unless there is no memory for it */
		(void)!kp_rpc_status_add(&status, &reason.base);
	kp_rpc_call_finish(call, &status);
	kp_rpc_status_fini(&status);
}

static void
echo(struct kp_rpc_call *call, const ProtobufCMessage *message)
{
	const Kp__Test__Request *request = (const Kp__Test__Request *)message;
	const struct kp_rpc_peer *peer = kp_rpc_call_peer(call);
	char *names[KP_RPC_MAX_NAMES];
	Kp__Test__Answer answer;

	if (request->code != 0) {
		end_with_code(call, request);
		return;
	}
	kp__test__answer__init(&answer);
	answer.text = request->text;
	answer.common_name = peer->common_name;
	for (size_t i = 0; i < peer->num_names; i++)
		names[i] = peer->names[i];
	answer.names = names;
	answer.n_names = peer->num_names;
	answer.padding.len = request->answer_len;
	answer.padding.data = kp_alloc(1, (size_t)request->answer_len + 1);
	kp_rpc_call_reply(call, &answer.base);
	free(answer.padding.data);
}

static void
pause_shortly(void)
{
	const struct timespec pause = { .tv_nsec = 1000000 };

	(void)nanosleep(&pause, NULL);
}

static void
wait_for_gate(struct kp_rpc_call *call, const ProtobufCMessage *message)
{
	struct kp_test_rpc *world = kp_rpc_call_owner(call);

	atomic_fetch_add(&world->num_waiting, 1);
	while (!atomic_load(&world->is_gate_open)) {
		if (kp_rpc_call_is_over(call)) {
			atomic_fetch_add(&world->num_given_up, 1);
			return;
		}
		pause_shortly();
	}
	echo(call, message);
}

static void
chat_opened(struct kp_rpc_call *call)
{
	struct kp_test_rpc *world = kp_rpc_call_owner(call);

	kp_mutex_lock(&world->lock);
	world->stream = kp_rpc_call_ref(call);
	kp_mutex_unlock(&world->lock);
	kp_rpc_call_set_data(call, kp_alloc(1, sizeof(uint64_t)));
	atomic_fetch_add(&world->num_opened, 1);
}

static void
chat_message(struct kp_rpc_call *call, const ProtobufCMessage *message)
{
	const Kp__Test__Request *request = (const Kp__Test__Request *)message;
	struct kp_test_rpc *world = kp_rpc_call_owner(call);
	uint64_t *number = kp_rpc_call_data(call);
	struct kp_rpc_packet *packet;
	Kp__Test__Answer answer;
	struct kp_error err;

	atomic_fetch_add(&world->num_messages, 1);
	if (strcmp(request->text, "end") == 0) {
		kp_rpc_call_end(call, KP_RPC_OK, "%s", "");
		return;
	}
	kp__test__answer__init(&answer);
	answer.text = request->text;
	answer.number = (*number)++;
	packet = kp_rpc_packet_new(&answer.base, KP_TEST_MAX_MESSAGE, &err);
	kp_assert(packet != NULL);
	if (!kp_rpc_call_send(call, packet, &err))
		kp_rpc_call_abort(call);
	kp_rpc_packet_unref(packet);
}

static void
chat_half_closed(struct kp_rpc_call *call)
{
	struct kp_test_rpc *world = kp_rpc_call_owner(call);

	atomic_fetch_add(&world->num_half_closed, 1);
	kp_rpc_call_end(call, KP_RPC_OK, "%s", "");
}

static void
chat_sent(struct kp_rpc_call *call)
{
	struct kp_test_rpc *world = kp_rpc_call_owner(call);

	atomic_fetch_add(&world->num_sent, 1);
}

static void
chat_closed(struct kp_rpc_call *call)
{
	struct kp_test_rpc *world = kp_rpc_call_owner(call);

	free(kp_rpc_call_data(call));
	kp_mutex_lock(&world->lock);
	if (world->stream == call)
		world->stream = NULL;
	kp_mutex_unlock(&world->lock);
	kp_rpc_call_unref(call);
	atomic_fetch_add(&world->num_closed, 1);
}

static const struct kp_rpc_endpoint endpoints[] = {
	{ &kp_test_echo, { .request = echo } },
	{ &kp_test_wait, { .request = wait_for_gate } },
	{ &kp_test_short, { .request = echo } },
	{ &kp_test_hasty, { .request = wait_for_gate } },
	{ &kp_test_chat, { .opened = chat_opened,
			     .message = chat_message,
			     .half_closed = chat_half_closed,
			     .sent = chat_sent,
			     .closed = chat_closed } },
};

static const char *const any_port[] = { "127.0.0.1:0" };

struct kp_rpc_identity
kp_test_identity(const struct kp_test_ca *ca, const struct kp_key_pair *pair)
{
	return (struct kp_rpc_identity){ .ca_pem = kp_test_ca_pem(ca),
		.certificate_pem = pair->certificate_pem,
		.key_pem = pair->key_pem };
}

void
kp_test_rpc_init(struct kp_test_rpc *out)
{
	const struct kp_test_cert server = { .common_name = "server",
		.names = "DNS:localhost,IP:127.0.0.1" };
	const struct kp_test_cert client = { .common_name = "agent-1",
		.names = "DNS:a.example,URI:spiffe://kp/agent-1" };

	*out = (struct kp_test_rpc){ .ca = kp_test_ca_new("Test CA"),
		.other_ca = kp_test_ca_new("Other CA") };
	kp_test_issue(&out->server_pair, out->ca, &server);
	kp_test_issue(&out->client_pair, out->ca, &client);
	kp_mutex_init(&out->lock, KP_RANK_CHANNEL);
	out->config = (struct kp_rpc_server_config){
		.addresses = any_port,
		.num_addresses = 1,
		.identity = kp_test_identity(out->ca, &out->server_pair),
		.endpoints = endpoints,
		.num_endpoints = sizeof(endpoints) / sizeof(endpoints[0]),
		.owner = out,
	};
	kp_rpc_limits_default(&out->config.limits);
}

void
kp_test_rpc_start(struct kp_test_rpc *world)
{
	world->server = kp_rpc_server_new(&world->config, &world->err);
	if (world->server == NULL)
		(void)fprintf(stderr, "%s\n", world->err.text);
	kp_assert(world->server != NULL);
	(void)snprintf(world->address, sizeof(world->address), "127.0.0.1:%d",
	    kp_rpc_server_port(world->server, 0));
}

void
kp_test_rpc_stop(struct kp_test_rpc *world, int64_t grace_ms)
{
	kp_rpc_server_free(world->server, grace_ms);
	world->server = NULL;
}

void
kp_test_rpc_fini(struct kp_test_rpc *world)
{
	atomic_store(&world->is_gate_open, true);
	kp_test_rpc_stop(world, 0);
	kp_mutex_fini(&world->lock);
	kp_test_key_pair_fini(&world->server_pair);
	kp_test_key_pair_fini(&world->client_pair);
	kp_test_ca_free(world->ca);
	kp_test_ca_free(world->other_ca);
}

struct kp_rpc_channel *
kp_test_rpc_channel_as(
    struct kp_test_rpc *world, const struct kp_rpc_identity *identity)
{
	const char *addresses[] = { world->address };
	const struct kp_rpc_channel_config config = { .addresses = addresses,
		.num_addresses = 1,
		.identity = *identity };
	struct kp_rpc_channel *channel =
	    kp_rpc_channel_new(&config, &world->err);

	kp_assert(channel != NULL);
	return channel;
}

struct kp_rpc_channel *
kp_test_rpc_channel(struct kp_test_rpc *world)
{
	const struct kp_rpc_identity identity =
	    kp_test_identity(world->ca, &world->client_pair);

	return kp_test_rpc_channel_as(world, &identity);
}

bool
kp_test_rpc_ask(struct kp_rpc_channel *channel,
    const struct kp_rpc_method *method, struct kp_rpc_result *out,
    const char *text)
{
	Kp__Test__Request request;
	char *copy = kp_strdup(text);
	bool is_ok;

	kp__test__request__init(&request);
	request.text = copy;
	is_ok = kp_rpc_channel_call(channel, method, out, &request.base,
	    kp_test_in(KP_TEST_PATIENCE_MS), NULL);
	free(copy);
	return is_ok;
}

struct kp_rpc_call *
kp_test_rpc_stream(struct kp_test_rpc *world)
{
	struct kp_rpc_call *call;

	kp_mutex_lock(&world->lock);
	call = world->stream;
	if (call != NULL)
		(void)kp_rpc_call_ref(call);
	kp_mutex_unlock(&world->lock);
	return call;
}

bool
kp_test_reaches(atomic_int *counter, int wanted)
{
	int64_t deadline_ms = kp_test_in(KP_TEST_PATIENCE_MS);

	while (atomic_load(counter) < wanted) {
		if (kp_now_ms() >= deadline_ms)
			return false;
		pause_shortly();
	}
	return true;
}

int64_t
kp_test_in(int64_t ms)
{
	return kp_now_ms() + ms;
}
