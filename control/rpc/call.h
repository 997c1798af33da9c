/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A call in the hands of the server: what its handlers see and may do.
 *
 * Handlers run in the server's pool of threads and may block; those of one call
 * never run at the same time. A stream is not a thread: 1 000 of them that wait
 * cost no thread at all. Everything else here may be called from any thread,
 * and never waits: what is sent is queued, and a thread of the server writes
 * it.
 */
#ifndef KP_CONTROL_RPC_CALL_H
#define KP_CONTROL_RPC_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/rpc/method.h"
#include "control/rpc/packet.h"
#include "control/rpc/peer.h"
#include "control/rpc/status.h"

struct kp_rpc_call;

/*
 * What a method does. A unary method has request alone: it must reply or finish
 * before it returns. A stream has message, and the others if it wants them:
 * opened first; message for each one, half_closed when the client sends no
 * more; sent when nothing is queued any more, so that the owner may send what
 * it held back; closed exactly once and last, whoever ended it. Messages are
 * the layer's, valid until the handler returns; the next one is read after
 * that.
 */
struct kp_rpc_handlers {
	void (*request)(
	    struct kp_rpc_call *call, const ProtobufCMessage *request);
	void (*opened)(struct kp_rpc_call *call);
	void (*message)(
	    struct kp_rpc_call *call, const ProtobufCMessage *message);
	void (*half_closed)(struct kp_rpc_call *call);
	void (*sent)(struct kp_rpc_call *call);
	void (*closed)(struct kp_rpc_call *call);
};

/* The method, the caller's verified identity, and the server's owner. */
const struct kp_rpc_method *kp_rpc_call_method(const struct kp_rpc_call *call);
const struct kp_rpc_peer *kp_rpc_call_peer(const struct kp_rpc_call *call);
void *kp_rpc_call_owner(const struct kp_rpc_call *call);

/* Of kp_now_ms; KP_NEVER for a stream without one. */
int64_t kp_rpc_call_deadline_ms(const struct kp_rpc_call *call);

/* When it came, of kp_now_ms. */
int64_t kp_rpc_call_begun_ms(const struct kp_rpc_call *call);

/*
 * kp_rpc_call_code is how it was ended; CANCELLED or DEADLINE_EXCEEDED if
 * nobody here has done so. out_sentence, of KP_RPC_SENTENCE_SIZE bytes, becomes
 * the sentence that was said with it; NULL: not wanted.
 */
enum kp_rpc_code kp_rpc_call_code(struct kp_rpc_call *call, char *out_sentence);

/*
 * kp_rpc_call_is_over: nobody waits for an answer any more (cancelled, deadline
 * passed, connection lost, server stopping). A handler that takes long asks.
 */
bool kp_rpc_call_is_over(const struct kp_rpc_call *call);

/* The owner's own pointer, NULL at first. @thread handlers */
void kp_rpc_call_set_data(struct kp_rpc_call *call, void *data);
void *kp_rpc_call_data(const struct kp_rpc_call *call);

/* A mark of what stands in front of the owner's handlers. @thread handlers */
void kp_rpc_call_mark(struct kp_rpc_call *call);
bool kp_rpc_call_is_marked(const struct kp_rpc_call *call);

/*
 * A handler needs no reference. Who keeps a call elsewhere does, and gives it
 * back when closed has run at the latest: the server does not stop before.
 */
struct kp_rpc_call *kp_rpc_call_ref(struct kp_rpc_call *call);
void kp_rpc_call_unref(struct kp_rpc_call *call);

/*
 * kp_rpc_call_reply ends a unary call with an answer. One that is longer than
 * the method allows ends it with RESOURCE_EXHAUSTED instead.
 */
void kp_rpc_call_reply(
    struct kp_rpc_call *call, const ProtobufCMessage *answer);

/*
 * kp_rpc_call_send queues a message on a stream, sharing the packet. Fails with
 * KP_ERR_LIMIT if the queue is full, because the peer reads too slowly, and
 * with KP_ERR_CLOSED if the stream has ended.
 */
bool kp_rpc_call_send(struct kp_rpc_call *call, struct kp_rpc_packet *packet,
    struct kp_error *err) KP_MUST_CHECK;

/* How many messages wait, the one that is being written among them. */
size_t kp_rpc_call_num_queued(struct kp_rpc_call *call);

/*
 * kp_rpc_call_finish ends a call; only the first end counts. After OK what is
 * queued is sent before, otherwise it is dropped. A peer that has not read it
 * all after ten seconds is cut off. status is copied.
 */
void kp_rpc_call_finish(
    struct kp_rpc_call *call, const struct kp_rpc_status *status);

/* The same with code and sentence only; the sentence for OK is "". */
void kp_rpc_call_end(struct kp_rpc_call *call, enum kp_rpc_code code,
    const char *fmt, ...) KP_PRINTF(3, 4);

/*
 * kp_rpc_call_abort ends a stream at once, for a peer that does not read: its
 * status would have to wait behind what is being written. The peer sees
 * CANCELLED.
 */
void kp_rpc_call_abort(struct kp_rpc_call *call);

#endif
