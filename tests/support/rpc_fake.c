/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/rpc_fake.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"
#include "control/rpc/packet.h"
#include "proto/control/unpack.h"

const struct kp_rpc_method *
kp_rpc_call_method(const struct kp_rpc_call *call)
{
	return call->endpoint->method;
}

const struct kp_rpc_peer *
kp_rpc_call_peer(const struct kp_rpc_call *call)
{
	return &call->peer;
}

void *
kp_rpc_call_owner(const struct kp_rpc_call *call)
{
	return call->owner;
}

int64_t
kp_rpc_call_deadline_ms(const struct kp_rpc_call *call)
{
	return call->deadline_ms;
}

int64_t
kp_rpc_call_begun_ms(const struct kp_rpc_call *call)
{
	(void)call;
	return kp_now_ms();
}

enum kp_rpc_code
kp_rpc_call_code(struct kp_rpc_call *call, char *out_sentence)
{
	if (out_sentence != NULL)
		(void)snprintf(
		    out_sentence, KP_RPC_SENTENCE_SIZE, "%s", call->sentence);
	return call->num_ends > 0 ? call->code : KP_RPC_CANCELLED;
}

bool
kp_rpc_call_is_over(const struct kp_rpc_call *call)
{
	return call->num_ends > 0;
}

void
kp_rpc_call_set_data(struct kp_rpc_call *call, void *data)
{
	call->data = data;
}

void *
kp_rpc_call_data(const struct kp_rpc_call *call)
{
	return call->data;
}

void
kp_rpc_call_mark(struct kp_rpc_call *call)
{
	call->is_marked = true;
}

bool
kp_rpc_call_is_marked(const struct kp_rpc_call *call)
{
	return call->is_marked;
}

struct kp_rpc_call *
kp_rpc_call_ref(struct kp_rpc_call *call)
{
	call->num_refs++;
	return call;
}

void
kp_rpc_call_unref(struct kp_rpc_call *call)
{
	kp_assert(call->num_refs > 0);
	call->num_refs--;
}

static void
end(struct kp_rpc_call *call, enum kp_rpc_code code, const char *sentence)
{
	if (call->num_ends++ > 0)
		return;
	call->code = code;
	(void)snprintf(call->sentence, sizeof(call->sentence), "%s", sentence);
}

void
kp_rpc_call_reply(struct kp_rpc_call *call, const ProtobufCMessage *answer)
{
	struct kp_error err;
	struct kp_rpc_packet *packet = kp_rpc_packet_new(
	    answer, call->endpoint->method->max_response_len, &err);

	if (packet == NULL) {
		end(call, KP_RPC_RESOURCE_EXHAUSTED, err.text);
		return;
	}
	call->answer_len = kp_rpc_packet_len(packet);
	kp_rpc_packet_unref(packet);
	end(call, KP_RPC_OK, "");
}

bool
kp_rpc_call_send(struct kp_rpc_call *call, struct kp_rpc_packet *packet,
    struct kp_error *err)
{
	(void)packet;
	if (call->num_ends > 0)
		return kp_error_set(err, KP_ERR_CLOSED, "it has ended");
	call->num_sent++;
	return true;
}

size_t
kp_rpc_call_num_queued(struct kp_rpc_call *call)
{
	(void)call;
	return 0;
}

void
kp_rpc_call_finish(struct kp_rpc_call *call, const struct kp_rpc_status *status)
{
	end(call, status->code, status->sentence);
}

void
kp_rpc_call_end(
    struct kp_rpc_call *call, enum kp_rpc_code code, const char *fmt, ...)
{
	char sentence[KP_RPC_SENTENCE_SIZE];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(sentence, sizeof(sentence), fmt, args);
	va_end(args);
	end(call, code, sentence);
}

void
kp_rpc_call_abort(struct kp_rpc_call *call)
{
	end(call, KP_RPC_CANCELLED, "");
}

bool
kp_fake_call(struct kp_rpc_call *call, struct kp_bytes packed)
{
	const struct kp_rpc_method *method = call->endpoint->method;
	const struct kp_rpc_handlers *handlers = &call->endpoint->handlers;
	struct kp_error err;
	ProtobufCMessage *message = kp_unpack(
	    method->request, packed, KP_RPC_UNFOLD * (packed.len + 8192), &err);

	if (message == NULL)
		return false;
	if (method->kind == KP_RPC_UNARY) {
		handlers->request(call, message);
	} else {
		handlers->opened(call);
		handlers->message(call, message);
		handlers->closed(call);
	}
	kp_unpacked_free(message);
	kp_assert(call->num_refs == 0);
	return true;
}
