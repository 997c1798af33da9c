/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One client connection: its thread, the client's stream, the broker's stream,
 * and everything that is known of it. The thread waits for both sockets at once
 * and never blocks anywhere else but while it connects. @thread connection
 */
#ifndef KP_PROXY_SESSION_SESSION_H
#define KP_PROXY_SESSION_SESSION_H

#include "base/log.h"
#include "proto/control/node_metrics.h"
#include "proxy/account/records.h"
#include "proxy/admit/sasl.h"
#include "proxy/frame/in_flight.h"
#include "proxy/frame/versions.h"
#include "proxy/rename/answer.h"
#include "proxy/session/flow.h"
#include "proxy/session/shared.h"

struct kp_session {
	struct kp_roster_entry roster; /* first: the roster knows only it */
	struct kp_shared *shared;
	struct kp_stripe counters;
	uint64_t id;
	char peer[KP_ADDRESS_TEXT_LEN]; /* the client, as PROXY said or the
					 * socket does */
	uint16_t local_port;

	struct kp_snapshot *snapshot;
	const struct kp_endpoint *endpoint; /* of the snapshot */
	const struct kp_limits *limits;     /* of the snapshot */
	int32_t node_id;            /* whom the client wants, KP_NO_NODE: any */
	struct kp_node broker_node; /* whom we are connected to */

	struct kp_share memory;
	struct kp_stream client, broker;
	struct kp_flow requests, answers;
	enum kp_flow_status of_requests, of_answers; /* what they came to */
	struct kp_in_flight in_flight;
	struct kp_buf refused; /* to be merged into the answer at hand; govern.c
				*/
	struct kp_versions versions;
	struct kp_sasl sasl;
	struct kp_rename rename;
	struct kp_record_account sent, received; /* by the client */
	int64_t opened_ms, activity_ms;
	int64_t now_ns;   /* when it last woke up */
	bool is_resting;  /* for long, and takes less memory since */
	bool has_request; /* the first one has come */
	bool is_full;     /* the next one waits for answers, and is counted */
	bool is_ending;   /* takes no more requests */
	enum kp_close_reason reason;
	struct kp_error last_error; /* to be reported once all is answered */
};

/*
 * kp_session_new takes over the accepted socket fd and one share of *snapshot
 * (NULL afterwards); endpoint is of that snapshot.
 */
struct kp_session *kp_session_new(struct kp_shared *shared,
    struct kp_snapshot **snapshot, const struct kp_endpoint *endpoint,
    int32_t node_id, int fd);

/* kp_session_free is for after its thread has been joined, or never ran. */
void kp_session_free(struct kp_session *session);

/* kp_session_run is the thread's function; argument is the session. */
void *kp_session_run(void *argument);

/*
 * kp_request_is_held tells whether the next request has to wait: for answers,
 * or for ever because the connection is ending.
 */
bool kp_request_is_held(struct kp_session *session);

/* What the flows of a session do with frames: request.c and answer.c. */
enum kp_ready kp_request_ready(void *session);
enum kp_ready kp_answer_ready(void *session);
enum kp_begin kp_request_begin(void *session, struct kp_flow *flow,
    const uint8_t *data, size_t len, struct kp_error *err);
bool kp_request_collected(void *session, struct kp_flow *flow,
    struct kp_bytes frame, struct kp_error *err);
enum kp_begin kp_answer_begin(void *session, struct kp_flow *flow,
    const uint8_t *data, size_t len, struct kp_error *err);
bool kp_answer_collected(void *session, struct kp_flow *flow,
    struct kp_bytes frame, struct kp_error *err);

/* kp_session_pop takes the oldest request out of those in flight. */
void kp_session_pop(struct kp_session *session);

/* kp_session_open makes client and broker streams ready; open.c. */
bool kp_session_open(
    struct kp_session *session, struct kp_error *err) KP_MUST_CHECK;

static inline int64_t
kp_session_limit(const struct kp_session *session, enum kp_limit limit)
{
	return session->limits->of[limit];
}

/* kp_session_memory_reason: which limit refused memory just now. */
enum kp_close_reason kp_session_memory_reason(const struct kp_session *session);

/* kp_session_is_evicted: it has to make room for others; fills err then. */
bool kp_session_is_evicted(struct kp_session *session, struct kp_error *err);

/* kp_session_prepare_wait comes once before all waiting. @thread any */
void kp_session_prepare_wait(void);

/*
 * kp_session_wait waits until either stream has something to say, or the worker
 * wakes the thread (*out_is_nudged then). False when the connection is over:
 * somebody hung up, or a deadline has passed; wait.c.
 */
bool kp_session_wait(struct kp_session *session, bool *out_is_nudged,
    struct kp_error *err) KP_MUST_CHECK;

/*
 * kp_session_poll waits for events on one or both streams (fd -1: not that
 * one), or until deadline_ms, or until the worker wakes the thread. Returns
 * what ppoll(2) does, with 0 also for a wake-up.
 */
struct pollfd;
int kp_session_poll(struct pollfd *fds, unsigned num_fds, int64_t deadline_ms);

/* kp_session_count adds n to a counter or gauge of the worker. */
static inline void
kp_session_count(const struct kp_session *session, enum kp_node_metric metric,
    unsigned series, int64_t n)
{
	kp_stripe_add(&session->counters, metric, series, n);
}

/*
 * kp_session_fail notes why the connection will end and fills err; returns
 * false.
 */
bool kp_session_fail(struct kp_session *session, enum kp_close_reason reason,
    struct kp_error *err, enum kp_error_kind kind, const char *fmt, ...)
    KP_PRINTF(5, 6);

#endif
