/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A policy server that does what it is told on its standard input, above all
 * what none should do: the misbehaving peer of agents.
 *
 *	kp_sync_peer PORT CA CERTIFICATE KEY
 *
 *	set KIND NAME FILE          into the next push
 *	delete KIND NAME            the same
 *	push REVISION BASE WORD...  words: part, rollback, wrong (digest), more
 *	                            (the same again and again)
 *	garbage                     a message that is none
 *	silent on|off               welcome nobody
 *	answers on|off              to heartbeats, as the next welcome says
 *	hung on|off                 take everything and say nothing
 *	end                         the stream
 *
 * Each thing that the agent does is a line on the standard output.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/files.h"
#include "base/mutex.h"
#include "control/agent/intake.h"
#include "control/api/methods.h"
#include "control/rpc/server.h"
#include "tests/support/pushes.h"

#define HEARTBEAT_MS 500
#define MAX_LINE 1024
/* Of the same part, as fast as it is read. */
#define MANY 200

struct peer {
	struct kp_test_push push; /* what set and delete have made so far */
	struct kp_held *mirror;   /* what the agent is told to hold */
	atomic_bool is_silent, answers, is_hung;
	struct kp_mutex lock; /* guards what follows */
	struct kp_rpc_call *stream;
};

static void
send(struct peer *peer, const ProtobufCMessage *message)
{
	struct kp_rpc_packet *packet;
	struct kp_rpc_call *call;
	struct kp_error err;

	kp_mutex_lock(&peer->lock);
	call = peer->stream == NULL ? NULL : kp_rpc_call_ref(peer->stream);
	kp_mutex_unlock(&peer->lock);
	if (call == NULL)
		return;
	while (kp_rpc_call_num_queued(call) > 4)
		continue;
	packet = kp_rpc_packet_new(message, KP_API_MAX_PUSH, &err);
	kp_assert(packet != NULL);
	if (!kp_rpc_call_send(call, packet, &err))
		(void)printf("not sent\n");
	kp_rpc_packet_unref(packet);
	kp_rpc_call_unref(call);
}

static void
welcome(struct peer *peer)
{
	Kproxy__Control__V1__SyncResponse response;
	Kproxy__Control__V1__Welcome body;

	kproxy__control__v1__sync_response__init(&response);
	kproxy__control__v1__welcome__init(&body);
	response.body_case = KPROXY__CONTROL__V1__SYNC_RESPONSE__BODY_WELCOME;
	response.welcome = &body;
	body.heartbeat_ms = HEARTBEAT_MS;
	body.answers_heartbeats = atomic_load(&peer->answers);
	send(peer, &response.base);
}

static void
answer(struct peer *peer)
{
	Kproxy__Control__V1__SyncResponse response;
	Kproxy__Control__V1__Alive body;

	if (!atomic_load(&peer->answers) || atomic_load(&peer->is_hung))
		return;
	kproxy__control__v1__sync_response__init(&response);
	kproxy__control__v1__alive__init(&body);
	response.body_case = KPROXY__CONTROL__V1__SYNC_RESPONSE__BODY_ALIVE;
	response.alive = &body;
	send(peer, &response.base);
}

static void
opened(struct kp_rpc_call *call)
{
	struct peer *peer = kp_rpc_call_owner(call);

	kp_mutex_lock(&peer->lock);
	if (peer->stream != NULL)
		kp_rpc_call_unref(peer->stream);
	peer->stream = kp_rpc_call_ref(call);
	kp_mutex_unlock(&peer->lock);
}

/* One line, whatever else is printed meanwhile. */
static void
print_nack(const Kproxy__Control__V1__Nack *nack)
{
	flockfile(stdout);
	(void)printf("nack %llu", (unsigned long long)nack->revision);
	for (size_t i = 0; i < nack->problems->n_problems; i++) {
		const Kproxy__Control__V1__Problem *problem =
		    nack->problems->problems[i];

		(void)printf(" | %s %s %s: %s", problem->file, problem->kind,
		    problem->name, problem->message);
	}
	(void)printf("\n");
	funlockfile(stdout);
}

static void
heard(struct kp_rpc_call *call, const ProtobufCMessage *message)
{
	const Kproxy__Control__V1__SyncRequest *request =
	    (const Kproxy__Control__V1__SyncRequest *)message;
	struct peer *peer = kp_rpc_call_owner(call);
	unsigned body = request->body_case;

	if (body == KPROXY__CONTROL__V1__SYNC_REQUEST__BODY_HELLO) {
		if (!atomic_load(&peer->is_silent))
			welcome(peer);
		(void)printf("hello %s %llu %s\n", request->hello->node,
		    (unsigned long long)request->hello->revision,
		    kp_rpc_call_peer(call)->common_name);
	} else if (body == KPROXY__CONTROL__V1__SYNC_REQUEST__BODY_ACK) {
		(void)printf(
		    "ack %llu\n", (unsigned long long)request->ack->revision);
	} else if (body == KPROXY__CONTROL__V1__SYNC_REQUEST__BODY_NACK) {
		print_nack(request->nack);
	} else {
		(void)printf("heartbeat %llu %zu\n",
		    (unsigned long long)request->heartbeat->revision,
		    request->heartbeat->n_counters);
		answer(peer);
	}
}

static void
closed(struct kp_rpc_call *call)
{
	struct peer *peer = kp_rpc_call_owner(call);
	bool is_ours;

	kp_mutex_lock(&peer->lock);
	is_ours = peer->stream == call;
	if (is_ours)
		peer->stream = NULL;
	kp_mutex_unlock(&peer->lock);
	if (is_ours)
		kp_rpc_call_unref(call);
	(void)printf("closed\n");
}

static void
set(struct peer *peer, const char *kind, const char *name, const char *path)
{
	struct kp_buf document;
	struct kp_error err;

	kp_buf_init(&document, KP_API_MAX_PUSH);
	kp_assert(kp_file_read(&document, path, &err));
	kp_buf_add(&document, "", 1);
	kp_test_push_add(&peer->push, kind, name, (const char *)document.data);
	kp_buf_fini(&document);
}

/* From here on the agent is thought to hold what was pushed. */
static void
mirror(struct peer *peer)
{
	struct kp_diagnostics diagnostics = { .num_lines = 0 };
	struct kp_held *base =
	    peer->push.message.based_on == 0 ? NULL : peer->mirror;
	struct kp_intake *intake = kp_intake_new(base, "/");
	struct kp_error err;
	struct kp_held *held = NULL;
	Kproxy__Control__V1__Push whole = peer->push.message;

	whole.is_last = true;
	if (base != NULL)
		whole.based_on = kp_held_revision(base);
	whole.is_rollback = true;
	if (kp_intake_add(intake, &whole, &err))
		held = kp_intake_finish(intake, &diagnostics, &err);
	if (held != NULL) {
		kp_held_unref(peer->mirror);
		peer->mirror = held;
	}
	kp_intake_free(intake);
	kp_diagnostics_fini(&diagnostics);
}

static void
push(struct peer *peer, const char *words)
{
	Kproxy__Control__V1__SyncResponse response;
	Kproxy__Control__V1__Push *message = &peer->push.message;
	char *rest;

	message->revision = strtoull(words, &rest, 10);
	message->based_on = strtoull(rest, &rest, 10);
	message->is_last = strstr(rest, "part") == NULL;
	message->is_rollback = strstr(rest, "rollback") != NULL;
	kp_test_push_digest(
	    &peer->push, message->based_on == 0 ? NULL : peer->mirror);
	kproxy__control__v1__sync_response__init(&response);
	response.body_case = KPROXY__CONTROL__V1__SYNC_RESPONSE__BODY_PUSH;
	response.push = message;
	if (strstr(rest, "wrong") != NULL)
		peer->push.digest[0] ^= 1;
	for (int i = strstr(rest, "more") == NULL ? MANY - 1 : 0; i < MANY; i++)
		send(peer, &response.base);
	if (message->is_last && strstr(rest, "wrong") == NULL)
		mirror(peer);
	kp_test_push_fini(&peer->push);
	kp_test_push_init(&peer->push, 0, 0);
}

static void
garbage(struct peer *peer)
{
	Kproxy__Control__V1__Problem other;
	char text[] = "\xff\xff\xff";

	kproxy__control__v1__problem__init(&other);
	other.kind = text;
	other.message = text;
	send(peer, &other.base);
}

/* As the policy server does. */
static void
half_closed(struct kp_rpc_call *call)
{
	kp_rpc_call_end(call, KP_RPC_OK, "%s", "");
}

static void
end(struct peer *peer)
{
	kp_mutex_lock(&peer->lock);
	if (peer->stream != NULL)
		kp_rpc_call_end(
		    peer->stream, KP_RPC_UNAVAILABLE, "the test says so");
	kp_mutex_unlock(&peer->lock);
}

static void
obey(struct peer *peer, char *line)
{
	char *words[4] = { NULL, NULL, NULL, NULL }, *rest = NULL;

	line[strcspn(line, "\n")] = '\0';
	if (strncmp(line, "push ", 5) == 0) {
		push(peer, line + 5);
		return;
	}
	for (int i = 0; i < 4; i++)
		words[i] = strtok_r(i == 0 ? line : NULL, " ", &rest);
	if (words[0] == NULL)
		return;
	if (strcmp(words[0], "set") == 0 && words[3] != NULL)
		set(peer, words[1], words[2], words[3]);
	else if (strcmp(words[0], "delete") == 0 && words[2] != NULL)
		kp_test_push_delete(&peer->push, words[2]);
	else if (strcmp(words[0], "silent") == 0 && words[1] != NULL)
		atomic_store(&peer->is_silent, strcmp(words[1], "on") == 0);
	else if (strcmp(words[0], "answers") == 0 && words[1] != NULL)
		atomic_store(&peer->answers, strcmp(words[1], "on") == 0);
	else if (strcmp(words[0], "hung") == 0 && words[1] != NULL)
		atomic_store(&peer->is_hung, strcmp(words[1], "on") == 0);
	else if (strcmp(words[0], "garbage") == 0)
		garbage(peer);
	else if (strcmp(words[0], "end") == 0)
		end(peer);
}

static void
read_pem(struct kp_buf *out, const char *path)
{
	struct kp_error err;

	kp_buf_init(out, 1u << 20);
	kp_assert(kp_file_read(out, path, &err));
}

static const struct kp_rpc_endpoint endpoints[] = {
	{ &kp_api_sync, { .opened = opened,
			    .message = heard,
			    .half_closed = half_closed,
			    .closed = closed } },
};

int
main(int argc, char **argv)
{
	struct peer peer = { .mirror = NULL };
	struct kp_rpc_server_config config = { .num_addresses = 1,
		.endpoints = endpoints,
		.num_endpoints = 1,
		.owner = &peer };
	char line[MAX_LINE], address[64];
	const char *addresses[] = { address };
	struct kp_rpc_server *server;
	struct kp_buf pem[3];
	struct kp_error err;

	if (argc != 5)
		return EXIT_FAILURE;
	setlinebuf(stdout);
	kp_mutex_init(&peer.lock, KP_RANK_CHANNEL);
	kp_test_push_init(&peer.push, 0, 0);
	for (int i = 0; i < 3; i++)
		read_pem(&pem[i], argv[2 + i]);
	(void)snprintf(address, sizeof(address), "127.0.0.1:%s", argv[1]);
	config.addresses = addresses;
	config.identity = (struct kp_rpc_identity){ kp_buf_bytes(&pem[0]),
		kp_buf_bytes(&pem[1]), kp_buf_bytes(&pem[2]) };
	kp_rpc_limits_default(&config.limits);
	server = kp_rpc_server_new(&config, &err);
	if (server == NULL) {
		(void)fprintf(stderr, "%s\n", err.text);
		return EXIT_FAILURE;
	}
	(void)printf("port %d\n", kp_rpc_server_port(server, 0));
	while (fgets(line, sizeof(line), stdin) != NULL)
		obey(&peer, line);
	kp_rpc_server_free(server, 0);
	for (int i = 0; i < 3; i++)
		kp_buf_fini(&pem[i]);
	kp_held_unref(peer.mirror);
	kp_test_push_fini(&peer.push);
	kp_mutex_fini(&peer.lock);
	return EXIT_SUCCESS;
}
