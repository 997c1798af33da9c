/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of a call on the server, and what call and server tell each other.
 *
 * Life: the server asks gRPC for the next call of each method, which arms one
 * (kp_rpc_call_arm). When it comes, the next is armed first, and the call is
 * admitted or refused. From then on there is one operation for its end
 * (RECV_CLOSE), at most one for receiving and at most one for sending. Each
 * operation that is under way, each piece of work that waits for a thread, and
 * the life of the call hold a reference.
 *
 * Batches that send write to the socket, so only the server's writer starts
 * them, and none is started under a lock.
 */
#ifndef KP_CONTROL_RPC_CALL_PRIV_H
#define KP_CONTROL_RPC_CALL_PRIV_H

#include <stdatomic.h>

#include <grpc/grpc.h>

#include "base/mutex.h"
#include "control/rpc/call.h"
#include "control/rpc/server_priv.h"

/* What a completion queue hands back. */
struct kp_rpc_tag {
	void (*run)(void *object, bool is_good);
	void *object;
};

/* What handlers have yet to be told, in this order. */
enum kp_rpc_event {
	KP_RPC_OPENED = 1 << 0,
	KP_RPC_MESSAGE = 1 << 1,
	KP_RPC_HALF_CLOSED = 1 << 2,
	KP_RPC_SENT = 1 << 3,
	KP_RPC_CLOSED = 1 << 4,
};

struct kp_rpc_queued {
	struct kp_rpc_queued *next;
	struct kp_rpc_packet *packet;
};

struct kp_rpc_call {
	struct kp_rpc_server *server;
	const struct kp_rpc_endpoint *endpoint; /* NULL: unknown method */
	struct kp_rpc_call *prev, *next;        /* the server's list */
	atomic_uint refs;
	grpc_call *call;
	struct kp_rpc_peer peer;
	gpr_timespec deadline;
	grpc_call_details details; /* of an unknown method */
	grpc_metadata_array metadata;
	int64_t begun_ms, deadline_ms;
	bool has_our_deadline; /* the client gave none */
	bool is_admitted;
	int was_cancelled; /* gRPC writes it before close_tag comes back */
	struct kp_rpc_tag new_tag, close_tag, receive_tag, send_tag;
	struct kp_rpc_work handling, writing;
	grpc_byte_buffer *incoming; /* receive operation, then handlers */
	void *data;
	bool is_marked;
	atomic_bool is_over;
	_Atomic int64_t
	    abort_ms; /* when its status must be sent; 0: no end yet */

	struct kp_mutex lock; /* guards what follows */
	struct kp_rpc_queued *first, *last;
	size_t num_queued, queued_len;
	grpc_byte_buffer *outgoing; /* of the batch under way */
	unsigned events;
	bool is_closed;   /* handlers know: nothing is told any more */
	bool is_handled;  /* handling waits or runs */
	bool is_written;  /* writing waits or runs */
	bool is_sending;  /* a batch that sends is under way */
	bool has_headers; /* sent, or in that batch */
	bool has_status;  /* the same */
	bool is_finished; /* status is what the call ends with */
	struct kp_rpc_status status;
};

/* kp_rpc_call_arm asks for the next call of an endpoint, NULL for any other. */
void kp_rpc_call_arm(
    struct kp_rpc_server *server, const struct kp_rpc_endpoint *endpoint);

/* kp_rpc_call_refuse ends a call that handlers know nothing of. */
void kp_rpc_call_refuse(
    struct kp_rpc_call *call, const struct kp_rpc_status *status);

/* kp_rpc_call_tell has handlers called; events is of enum kp_rpc_event. */
void kp_rpc_call_tell(struct kp_rpc_call *call, unsigned events);

/* kp_rpc_call_handle calls handlers until they know all. @thread pool */
void kp_rpc_call_handle(void *call);

/* kp_rpc_call_receive asks for the next message. */
void kp_rpc_call_receive(struct kp_rpc_call *call);

/* kp_rpc_call_push wakes the writer if there is something to write. */
void kp_rpc_call_push(struct kp_rpc_call *call);

/* kp_rpc_call_write starts the batch that is due. @thread writer */
void kp_rpc_call_write(void *call);

/* kp_rpc_call_sent is the completion of that batch. @thread poller */
void kp_rpc_call_sent(void *call, bool is_good);

/* kp_rpc_call_drop forgets what is queued. @locks call->lock */
void kp_rpc_call_drop_locked(struct kp_rpc_call *call);

/* kp_rpc_call_start starts a batch that tag comes back from. */
void kp_rpc_call_start(struct kp_rpc_call *call, const grpc_op *ops,
    size_t num_ops, struct kp_rpc_tag *tag);

#endif
