/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One end of a message stream between two processes of a node. A message is a
 * 4-byte big-endian length and a packed Envelope (node.proto); a descriptor may
 * travel with it. Nothing blocks unless a deadline says so: what is sent is
 * queued and goes out with kp_channel_flush, so two ends that send at the same
 * time cannot wait for each other. The other end may be a process that an
 * attacker took over: lengths, counts and descriptors are bounded.
 * @thread one, except where the owner says otherwise
 */
#ifndef KP_PROTO_CONTROL_CHANNEL_H
#define KP_PROTO_CONTROL_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "proto/control/node.pb-c.h"

/* The largest message: rule tables with all certificates. */
#define KP_CHANNEL_MAX_MESSAGE (64u << 20)
/* What one message may take in memory. */
#define KP_CHANNEL_MAX_UNPACKED (256u << 20)
/* Enough for every message but tables. */
#define KP_CHANNEL_SMALL_MESSAGE (1u << 20)
/* What may wait for a peer that does not read. */
#define KP_CHANNEL_MAX_QUEUED (2 * (size_t)KP_CHANNEL_MAX_MESSAGE)
/* Descriptors that arrived ahead of their message. */
#define KP_CHANNEL_MAX_FDS 4

struct kp_channel_frame;

/* The zero state is a channel that is not there; see kp_channel_is_open. */
struct kp_channel {
	bool is_open;
	int fd;
	size_t max_message;
	struct kp_buf in;
	size_t in_pos; /* what was parsed already */
	int fds[KP_CHANNEL_MAX_FDS];
	unsigned num_fds;
	struct kp_channel_frame *first, *last; /* to be sent */
	size_t queued_len;
};

struct kp_channel_message {
	Kp__Node__Envelope *envelope;
	int fd; /* -1 without */
};

enum kp_channel_result {
	KP_CHANNEL_MESSAGE,
	KP_CHANNEL_NOTHING, /* none until the deadline */
	KP_CHANNEL_FAILED,  /* err says why; KP_ERR_CLOSED: the peer is gone */
};

/* kp_channel_pair makes both ends, non-blocking and closed on exec. */
bool kp_channel_pair(int out_fds[2], struct kp_error *err) KP_MUST_CHECK;

/*
 * kp_channel_init takes over fd. Messages from the peer that are longer than
 * max_message (at most KP_CHANNEL_MAX_MESSAGE) end the channel.
 */
void kp_channel_init(struct kp_channel *channel, int fd, size_t max_message);
void kp_channel_fini(struct kp_channel *channel);

/*
 * kp_channel_queue puts a message at the end of what is to be sent. fd, unless
 * -1, goes along; it is duplicated and stays the caller's.
 */
bool kp_channel_queue(struct kp_channel *channel,
    const Kp__Node__Envelope *envelope, int fd,
    struct kp_error *err) KP_MUST_CHECK;

/*
 * kp_channel_flush sends what is queued. At the deadline it fails with
 * KP_ERR_TIMEOUT; with deadline 0 it sends what goes without waiting, and that
 * something is left is no failure.
 */
bool kp_channel_flush(struct kp_channel *channel, int64_t deadline_ms,
    struct kp_error *err) KP_MUST_CHECK;

/* Is something left to send, so that POLLOUT is of interest? */
bool kp_channel_has_queued(const struct kp_channel *channel);

/*
 * kp_channel_receive returns the next message, waiting for it until the
 * deadline (0: not at all). End it with kp_channel_message_fini.
 */
enum kp_channel_result kp_channel_receive(struct kp_channel *channel,
    struct kp_channel_message *out, int64_t deadline_ms,
    struct kp_error *err) KP_MUST_CHECK;

/* kp_channel_message_fini frees the message and closes its descriptor. */
void kp_channel_message_fini(struct kp_channel_message *message);

/* kp_channel_message_take_fd hands the descriptor over, -1 if there is none. */
int kp_channel_message_take_fd(struct kp_channel_message *message);

#endif
