/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of a link. Two threads: the reader connects, greets, receives and
 * builds sets; the writer sends verdicts and heartbeats while the reader says
 * that it may. The reader makes and frees streams, and waits for the writer
 * before it frees one.
 */
#ifndef KP_CONTROL_AGENT_LINK_PRIV_H
#define KP_CONTROL_AGENT_LINK_PRIV_H

#include "base/mutex.h"
#include "control/agent/link.h"
#include "control/rpc/backoff.h"
#include "control/rpc/stream.h"

/* What waits to be said about one push; the newest replaces an older one. */
struct kp_link_verdict {
	bool is_waiting;
	bool is_good; /* it is in force */
	uint64_t revision;
	struct kp_buf problems; /* packed; failed: there was no memory */
};

struct kp_link {
	/* constant */
	char *node, *folder;
	struct kp_labels labels;
	const struct kp_metrics *metrics;
	size_t num_addresses;
	struct kp_rpc_channel *channel;
	int event_fd;
	pthread_t reader, writer;

	/* the reader's */
	struct kp_rpc_backoff backoff;
	struct kp_intake *intake; /* NULL between pushes */
	int64_t push_deadline_ms; /* while there is an intake */
	bool wants_whole;         /* the next hello says revision 0 */
	int64_t silence_ms;       /* of a server that answers heartbeats; 0:
				     it may be silent for ever */
	int64_t log_failure_at_ms;

	struct kp_mutex lock; /* guards what follows */
	struct kp_cond changed;
	bool is_stopping;
	struct kp_rpc_stream *stream; /* NULL: there is none */
	bool may_write;               /* the writer */
	bool is_writing;
	int64_t heartbeat_ms, heartbeat_at_ms;
	struct kp_link_verdict verdict;

	struct kp_held *held; /* as settle said last */
	bool is_open;         /* settle was called */
	bool has_offer, is_taken;
	struct kp_link_offer offer;
	unsigned epoch; /* of the stream; counts them */
	unsigned offer_epoch, taken_epoch;
	uint64_t taken_revision;
	struct kp_link_state state;
};

/* The writer's thread; link_send.c. */
void *kp_link_write(void *arg);

/* kp_link_hello sends it; false with err if that took too long. */
bool kp_link_hello(struct kp_link *link, struct kp_rpc_stream *stream,
    struct kp_error *err) KP_MUST_CHECK;

/* kp_link_wake tells the main thread that there is something. */
void kp_link_wake(const struct kp_link *link);

#endif
