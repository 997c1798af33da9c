/* SPDX-License-Identifier: Apache-2.0 */
/* From a channel to a connection: addresses in turn. */
#include "base/clock.h"
#include "control/rpc/channel_priv.h"

/* A failed connection is known: asking for the reason takes no time, unless
 * the machine has none. */
#define REASON_TIMEOUT_MS 5000

static bool
is_final(grpc_connectivity_state state)
{
	return state == GRPC_CHANNEL_READY ||
	       state == GRPC_CHANNEL_TRANSIENT_FAILURE ||
	       state == GRPC_CHANNEL_SHUTDOWN;
}

/*
 * The state of the connection, SHUTDOWN for a channel that was closed. Unless
 * it is final, another state than that is an event of tag: both of the same
 * connection, which another thread may replace at any time.
 */
static grpc_connectivity_state
look(struct kp_rpc_channel *channel, grpc_completion_queue *queue,
    int64_t deadline_ms, void *tag)
{
	grpc_connectivity_state state = GRPC_CHANNEL_SHUTDOWN;

	kp_mutex_lock(&channel->lock);
	if (!channel->is_closed)
		state =
		    grpc_channel_check_connectivity_state(channel->channel, 1);
	if (!is_final(state)) {
		kp_rpc_tag_sent(tag);
		grpc_channel_watch_connectivity_state(channel->channel, state,
		    kp_rpc_core_time(deadline_ms), queue, tag);
	}
	kp_mutex_unlock(&channel->lock);
	return state;
}

/* READY if the current address is connected before the deadline. */
static grpc_connectivity_state
reach(struct kp_rpc_channel *channel, grpc_completion_queue *queue,
    int64_t deadline_ms)
{
	grpc_connectivity_state state;
	int tag;

	do {
		state = look(channel, queue, deadline_ms, &tag);
		if (!is_final(state))
			(void)kp_rpc_wait(queue, &tag, KP_NEVER, NULL);
	} while (!is_final(state) && kp_now_ms() < deadline_ms);
	return state;
}

void
kp_rpc_channel_move_on(struct kp_rpc_channel *channel)
{
	kp_mutex_lock(&channel->lock);
	channel->current = (channel->current + 1) % channel->num_addresses;
	kp_rpc_channel_renew_locked(channel);
	kp_mutex_unlock(&channel->lock);
}

/* Who waits for the state of a connection is told when it goes. */
void
kp_rpc_channel_close(struct kp_rpc_channel *channel)
{
	kp_mutex_lock(&channel->lock);
	channel->is_closed = true;
	kp_rpc_channel_renew_locked(channel);
	kp_mutex_unlock(&channel->lock);
}

static bool
is_closed(struct kp_rpc_channel *channel)
{
	bool closed;

	kp_mutex_lock(&channel->lock);
	closed = channel->is_closed;
	kp_mutex_unlock(&channel->lock);
	return closed;
}

static int64_t
part_of(int64_t deadline_ms, size_t num_left)
{
	int64_t now_ms = kp_now_ms();

	if (deadline_ms == KP_NEVER)
		return KP_NEVER;
	return now_ms + (deadline_ms - now_ms) / (int64_t)num_left;
}

/* What gRPC says about the connection that could not be made: a call that it
 * refuses at once. If it goes through after all, nobody has that method. */
static void
ask_why(struct kp_rpc_channel *channel, grpc_completion_queue *queue,
    int64_t deadline_ms, struct kp_rpc_status *out)
{
	static const struct kp_rpc_method nothing = { .name = "/" };
	int64_t latest_ms = kp_now_ms() + REASON_TIMEOUT_MS;
	grpc_call *call = kp_rpc_channel_begin(channel, &nothing, queue,
	    deadline_ms < latest_ms ? deadline_ms : latest_ms);
	struct kp_rpc_end end;
	grpc_op ops[2] = { { .op = GRPC_OP_SEND_INITIAL_METADATA } };

	kp_rpc_end_init(&end);
	ops[1] = kp_rpc_end_op(&end);
	kp_rpc_tag_sent(call);
	kp_must((int)grpc_call_start_batch(call, ops, 2, call, NULL));
	(void)kp_rpc_wait(queue, call, KP_NEVER, NULL);
	kp_rpc_end_status(&end, out);
	kp_rpc_end_fini(&end);
	grpc_call_unref(call);
}

bool
kp_rpc_channel_connect(
    struct kp_rpc_channel *channel, int64_t deadline_ms, struct kp_error *err)
{
	grpc_completion_queue *queue =
	    grpc_completion_queue_create_for_pluck(NULL);
	struct kp_rpc_status why = { .code = KP_RPC_OK };
	size_t left = channel->num_addresses;
	grpc_connectivity_state state;
	bool is_there = false;

	while (left > 0 && !is_there) {
		state = reach(channel, queue, part_of(deadline_ms, left));
		is_there = state == GRPC_CHANNEL_READY;
		left--;
		if (is_there || is_closed(channel) ||
		    kp_now_ms() >= deadline_ms)
			break;
		if (state == GRPC_CHANNEL_TRANSIENT_FAILURE)
			ask_why(channel, queue, deadline_ms, &why);
		kp_rpc_channel_move_on(channel);
	}
	kp_rpc_queue_free(queue);
	if (!is_there && is_closed(channel))
		(void)kp_error_set(
		    err, KP_ERR_CLOSED, "the channel was closed");
	else if (!is_there)
		(void)kp_error_set(err,
		    left > 0 ? KP_ERR_TIMEOUT : KP_ERR_UNAVAILABLE,
		    "no server could be reached: %s",
		    why.code != KP_RPC_OK ? why.sentence
					  : "none answered in time");
	kp_rpc_status_fini(&why);
	return is_there;
}
