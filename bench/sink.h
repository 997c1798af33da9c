/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A broker that costs as little as possible: it frames what it is sent, throws
 * record batches away in the kernel, and answers from memory files. One thread,
 * one epoll. What it counts is what the report says, and nothing is counted
 * twice. @thread main
 */
#ifndef KP_BENCH_SINK_H
#define KP_BENCH_SINK_H

#include "bench/answer.h"
#include "bench/protocol.h"

/* What epoll hands back. handle returns false once the source is gone. */
struct kp_sink;
struct kp_sink_source {
	bool (*handle)(struct kp_sink *sink, struct kp_sink_source *source,
	    uint32_t events);
	int fd;
};

/* The body of an answer in a memory file, for sendfile(2). */
struct kp_sink_body {
	int fd;
	size_t len;
	uint32_t topic, max_bytes; /* of Fetch: what it was made for */
};

#define KP_SINK_MAX_BODIES 16

struct kp_sink_counter {
	uint64_t requests;
	uint64_t request_bytes, answer_bytes; /* whole frames */
};

struct kp_sink {
	struct kp_bench_cluster cluster;
	bool is_verifying;    /* decode what is thrown away otherwise */
	uint64_t stall_after; /* bytes of one request, then read no more; 0:
			       * never */
	int epoll;
	struct kp_sink_source listeners[KP_BENCH_MAX_NODES];
	struct kp_sink_source signals;
	struct kp_sink_connection *connections; /* a list */
	struct kp_sink_body all_topics;
	struct kp_sink_body bodies[KP_SINK_MAX_BODIES]; /* of Fetch */
	uint32_t num_bodies;
	struct kp_sink_counter counters[KP_NUM_BENCH_APIS];
	uint64_t num_accepted, num_open, num_stalled;
	uint64_t num_records; /* seen while verifying */
	uint64_t moved_bytes; /* in and out of sockets */
};

/* A piece of what waits to be sent: out up to at, then the body. */
struct kp_sink_piece {
	const struct kp_sink_body *body;
	size_t at;   /* in out */
	size_t sent; /* of the body */
};

struct kp_sink_connection {
	struct kp_sink_source source;
	struct kp_sink_connection *next, **link;
	uint16_t peer_port;
	bool has_traffic; /* since the last report */
	bool is_stalled;
	uint32_t events;    /* that epoll watches */
	struct kp_buf head; /* of a frame that is not all here */
	uint64_t frame_len; /* of the frame being read, with its length */
	uint64_t skip;      /* of it, still to be thrown away */
	struct kp_buf out;
	size_t out_sent;
	size_t out_ready; /* up to here the requests have been read */
	struct kp_sink_piece *pieces;
	uint32_t first_piece, num_pieces, max_pieces;
	uint32_t ready_pieces;
};

/* kp_sink_accept takes every connection that waits at a listener. */
bool kp_sink_accept(
    struct kp_sink *sink, struct kp_sink_source *listener, uint32_t events);

/*
 * kp_sink_wanted is how many bytes of the frame that begins at data are needed
 * to answer it: more than len if len is too few, 0 if it is no frame.
 */
size_t kp_sink_wanted(
    const struct kp_sink *sink, const uint8_t *data, size_t len);

/*
 * kp_sink_answer queues the answer to a frame of which as many bytes as wanted
 * are here.
 */
bool kp_sink_answer(struct kp_sink *sink, struct kp_sink_connection *connection,
    struct kp_bytes frame, struct kp_error *err) KP_MUST_CHECK;

/* kp_sink_flush sends what is ready; false when the connection is broken. */
bool kp_sink_flush(
    struct kp_sink *sink, struct kp_sink_connection *connection) KP_MUST_CHECK;

/* kp_sink_watch makes epoll watch for what the connection now waits for. */
void kp_sink_watch(struct kp_sink *sink, struct kp_sink_connection *connection);

#endif
