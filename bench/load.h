/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The load generator: some connections, on each so many requests in flight, in
 * a closed loop or on a timetable. One thread, one epoll.
 *
 * load_main.c      options and the report
 * load_phases.c    bootstrap, opening, what comes after what
 * load_traffic.c   when a request is sent, what an answer means
 * load_connection.c  bytes in and out of one connection
 */
#ifndef KP_BENCH_LOAD_H
#define KP_BENCH_LOAD_H

#include <netinet/in.h>

#include "bench/histogram.h"
#include "bench/link.h"
#include "bench/protocol.h"
#include "bench/verdict.h"

enum kp_load_op {
	KP_LOAD_PRODUCE,
	KP_LOAD_FETCH,
	KP_LOAD_METADATA, /* of all topics */
	KP_LOAD_HEARTBEAT,
	KP_LOAD_IDLE,  /* connections that do nothing */
	KP_LOAD_CHURN, /* connect, ApiVersions, close, and again */
	KP_NUM_LOAD_OPS
};

struct kp_load_options {
	struct sockaddr_in bootstrap;
	enum kp_load_op op;
	bool is_staying; /* at the bootstrap address, whatever Metadata says */
	bool is_tls;
	bool is_verifying; /* compare every byte of every answer */
	bool is_stepping;  /* go on, or end, at a line on stdin */
	const char *ca;
	uint64_t num_connections, max_in_flight;
	uint64_t bytes; /* of records in a Produce request or Fetch answer */
	int64_t warmup_ms, duration_ms;
	uint64_t max_requests; /* instead of a duration; 0: none */
	uint64_t rate;         /* requests/s on a timetable; 0: closed loop */
	uint64_t stall_after;  /* bytes of one answer, then read no more */
	int64_t still_ms;      /* end once nothing has moved for that long, and
				* with stall_after all connections stalled */
};

struct kp_load;
struct kp_load_connection;

enum kp_load_state {
	KP_LOAD_CLOSED,
	KP_LOAD_OPENING,
	KP_LOAD_SETTING_UP, /* one request at a time, answers read whole */
	KP_LOAD_READY,
};

struct kp_load_flight {
	int32_t correlation_id;
	int64_t since_ns; /* sent, or should have been */
};

struct kp_load_connection {
	struct kp_link link;
	enum kp_load_state state;
	uint32_t index;
	uint32_t events; /* that epoll watches */
	int64_t opened_ns;
	/* what is being sent: a frame that all connections share */
	struct kp_buf *frame; /* NULL: nothing */
	size_t sent;
	int32_t correlation_id;         /* of the request that was begun last */
	struct kp_load_flight *flights; /* a ring of max_in_flight */
	uint64_t first_flight, num_flights;
	uint64_t num_due, num_begun; /* of a timetable */
	/* the answer being read */
	uint8_t head[8]; /* length and correlation id */
	size_t head_len;
	uint64_t answer_len, left; /* whole frame; still to come */
	bool is_stalled;
	struct kp_buf answer; /* where answers are read whole */
	/* what to do with the answer of the request in set-up */
	bool (*on_answer)(struct kp_load *load, struct kp_load_connection *c,
	    struct kp_bytes body, struct kp_error *err);
};

struct kp_load {
	struct kp_load_options options;
	struct kp_link_tls *tls;
	int epoll;
	struct kp_load_connection *connections;
	struct sockaddr_in target;
	struct kp_bench_versions versions;
	struct kp_bench_leader leader;
	struct kp_buf api_versions, topic, request; /* frames */
	struct kp_buf sample; /* the answer that all others must equal */
	bool is_sending;      /* new requests may begin */
	bool is_done, is_told_to_go_on;
	int64_t begin_ns, measure_ns, end_ns; /* of traffic */
	int64_t last_move_ns;
	uint64_t num_opening, num_ready, num_opened, num_stalled;
	uint64_t num_failed; /* refused or lost, where that is no failure */
	uint64_t num_begun, num_answered;
	uint64_t num_due; /* of a timetable, over all connections */
	uint64_t num_measured;
	uint64_t request_bytes, answer_bytes; /* of the operation */
	struct kp_histogram latency, lateness;
};

/* -- load_connection.c */

/*
 * kp_load_open begins a connection to address that becomes ready after
 * ApiVersions. Failures end up in kp_load_lost.
 */
void kp_load_open(struct kp_load *load, struct kp_load_connection *connection,
    const struct sockaddr_in *address);
void kp_load_close(struct kp_load *load, struct kp_load_connection *connection);

/* kp_load_ask sends one request in set-up; on_answer gets the body. */
void kp_load_ask(struct kp_load *load, struct kp_load_connection *connection,
    struct kp_buf *frame,
    bool (*on_answer)(struct kp_load *load, struct kp_load_connection *c,
	struct kp_bytes body, struct kp_error *err));

/* kp_load_handle does what can be done after epoll said events. */
void kp_load_handle(struct kp_load *load, struct kp_load_connection *connection,
    uint32_t events);

/* kp_load_pump begins and sends what may be sent. */
void kp_load_pump(struct kp_load *load, struct kp_load_connection *connection);

/* -- load_traffic.c */

/* kp_load_may_begin: may this connection begin a request now? */
bool kp_load_may_begin(
    const struct kp_load *load, const struct kp_load_connection *connection);
/* kp_load_begin does so. */
void kp_load_begin(struct kp_load *load, struct kp_load_connection *connection);

/* kp_load_check_answer looks at the head of an answer: is it the expected? */
bool kp_load_check_answer(const struct kp_load *load,
    const struct kp_load_connection *connection,
    struct kp_error *err) KP_MUST_CHECK;
/* kp_load_answered accounts for it once it has been read. */
void kp_load_answered(
    struct kp_load *load, struct kp_load_connection *connection);

/* kp_load_churn opens a connection that is closed once it was answered. */
void kp_load_churn(struct kp_load *load, struct kp_load_connection *connection);

/* kp_load_start begins the traffic. */
void kp_load_start(struct kp_load *load);
/* kp_load_tick goes by the clock; returns how long to wait for events, ns. */
int64_t kp_load_tick(struct kp_load *load);

/* -- load_phases.c */

/* kp_load_run goes through all phases; false with err if one failed. */
bool kp_load_run(struct kp_load *load, struct kp_error *err) KP_MUST_CHECK;

/* kp_load_became_ready is called when a connection's set-up has ended. */
void kp_load_became_ready(
    struct kp_load *load, struct kp_load_connection *connection);

/* kp_load_lost is called for a connection that could not go on. It ends the
 * process where every connection matters. */
void kp_load_lost(struct kp_load *load, struct kp_load_connection *connection,
    const struct kp_error *err);

/* -- load_main.c */

void kp_load_say_ready(const struct kp_load *load);
void kp_load_say_done(const struct kp_load *load);
_Noreturn void kp_load_die(const struct kp_error *err);

#endif
