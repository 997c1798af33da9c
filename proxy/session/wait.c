/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waiting for the two sockets of a connection, and what ends the wait: events,
 * a deadline, or the worker.
 *
 * A timer of the kernel for each wait costs about a tenth of a small request.
 * Deadlines of a connection are far away as a rule, so the acceptor looks after
 * those (kp_roster_wake_late), now and then; only near ones are timed.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "proxy/session/session.h"

/* From here on a deadline is far away; the acceptor may be late by its tick. */
#define FAR_MS 2000

/* After this long without an event a connection rests. */
#define REST_MS 5000

#define PAGE_LEN 4096u
/* Less than what the acceptor gives a thread (acceptor.c). */
#define TRIM_LEN (128u * 1024)
/* More than trim_stack and madvise need themselves. */
#define OWN_LEN 512u

/* What ends the connection if nothing happens before. */
struct deadline {
	int64_t at_ms;
	enum kp_close_reason reason;
};

static void
sooner(struct deadline *deadline, int64_t at_ms, enum kp_close_reason reason)
{
	if (at_ms < deadline->at_ms)
		*deadline = (struct deadline){ at_ms, reason };
}

/* since 0: nothing is waited for. */
static void
limit_wait(const struct kp_session *session, struct deadline *deadline,
    int64_t since_ms, enum kp_limit limit, enum kp_close_reason reason)
{
	if (since_ms != 0)
		sooner(deadline, since_ms + kp_session_limit(session, limit),
		    reason);
}

static void
flow_deadline(const struct kp_session *session, struct deadline *deadline,
    const struct kp_flow *flow, enum kp_flow_status status)
{
	limit_wait(session, deadline, flow->begun_ms, KP_LIMIT_FRAME_TIMEOUT,
	    KP_CLOSE_FRAME_TIMEOUT);
	if (status == KP_FLOW_WANTS_WRITE)
		limit_wait(session, deadline, flow->blocked_ms,
		    KP_LIMIT_WRITE_TIMEOUT, KP_CLOSE_WRITE_TIMEOUT);
	if (status == KP_FLOW_WANTS_READ)
		limit_wait(session, deadline, flow->progress_ms,
		    KP_LIMIT_REQUEST_TIMEOUT, KP_CLOSE_REQUEST_TIMEOUT);
}

static struct deadline
next_deadline(const struct kp_session *session)
{
	struct deadline deadline = {
		.at_ms = atomic_load_explicit(
		    &session->shared->hard_stop_ms, memory_order_relaxed),
		.reason = KP_CLOSE_DRAIN,
	};

	limit_wait(session, &deadline, session->activity_ms,
	    KP_LIMIT_IDLE_TIMEOUT, KP_CLOSE_IDLE_TIMEOUT);
	if (!session->has_request)
		limit_wait(session, &deadline, session->opened_ms,
		    KP_LIMIT_FIRST_REQUEST_TIMEOUT,
		    KP_CLOSE_FIRST_REQUEST_TIMEOUT);
	flow_deadline(
	    session, &deadline, &session->requests, session->of_requests);
	flow_deadline(
	    session, &deadline, &session->answers, session->of_answers);
	return deadline;
}

static pthread_once_t awake_once = PTHREAD_ONCE_INIT;
static sigset_t awake; /* only while waiting may the signal come through */

static void
make_awake(void)
{
	(void)sigfillset(&awake);
	(void)sigdelset(&awake, KP_WAKE_SIGNAL);
}

void
kp_session_prepare_wait(void)
{
	kp_must(pthread_once(&awake_once, make_awake));
}

/* left_ms below 0: for ever. Returns what ppoll(2) does, 0 for a wake-up. */
static int
poll_for(struct pollfd *fds, unsigned num_fds, int left_ms)
{
	struct timespec timeout;
	int num;

	if (left_ms >= 0)
		timeout = (struct timespec){ .tv_sec = left_ms / 1000,
			.tv_nsec = (long)(left_ms % 1000) * 1000000 };
	num = ppoll(fds, num_fds, left_ms < 0 ? NULL : &timeout, &awake);
	if (num < 0) {
		kp_assert(errno == EINTR || errno == ENOMEM);
		for (unsigned i = 0; i < num_fds; i++)
			fds[i].revents = 0;
		return 0;
	}
	return num;
}

int
kp_session_poll(struct pollfd *fds, unsigned num_fds, int64_t deadline_ms)
{
	return poll_for(fds, num_fds, kp_ms_left(deadline_ms));
}

static int64_t
rest_ms(const struct kp_session *session)
{
	return session->is_resting ? KP_NEVER : session->activity_ms + REST_MS;
}

/*
 * Whoever waits needs little of its stack, but has used much of it, above all
 * while opening: TLS handshakes up to TRIM_LEN. Those pages go back.
 */
static void
trim_stack(void)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0) - OWN_LEN;
	uintptr_t end = here & ~(uintptr_t)(PAGE_LEN - 1);

	(void)madvise((void *)(end - TRIM_LEN), TRIM_LEN, MADV_DONTNEED);
}

static void
rest(struct kp_session *session)
{
	if (session->now_ns / 1000000 < rest_ms(session))
		return;
	trim_stack();
	session->is_resting = true;
}

/* For how long poll is to wait, now that it is now_ms. */
static int
time_to_wait(
    struct kp_session *session, const struct deadline *deadline, int64_t now_ms)
{
	int64_t wake_ms = deadline->at_ms < rest_ms(session) ? deadline->at_ms
							     : rest_ms(session);

	if (session->of_requests == KP_FLOW_YIELD ||
	    session->of_answers == KP_FLOW_YIELD)
		return 0;
	/* said before it waits: who passes the deadline is woken */
	atomic_store_explicit(
	    &session->roster.wake_ms, wake_ms, memory_order_relaxed);
	if (deadline->at_ms - now_ms >= FAR_MS)
		return -1;
	return (int)(deadline->at_ms - now_ms);
}

bool
kp_session_is_evicted(struct kp_session *session, struct kp_error *err)
{
	if (!atomic_load_explicit(
		&session->roster.is_evicted, memory_order_relaxed))
		return false;
	(void)kp_session_fail(session, KP_CLOSE_OPENING_LIMIT, err,
	    KP_ERR_LIMIT, "too many connections without a request");
	return true;
}

static bool
has_hung_up(const struct pollfd *fd)
{
	return (fd->revents & (POLLHUP | POLLERR)) != 0 &&
	       (fd->events & (POLLIN | POLLOUT)) == 0;
}

/* Asked before each wait: somebody who always has more to say ends too. */
static bool
may_wait(struct kp_session *session, const struct deadline *deadline,
    struct kp_error *err)
{
	if (kp_session_is_evicted(session, err))
		return false;
	if (session->now_ns / 1000000 < deadline->at_ms)
		return true;
	return kp_session_fail(session, deadline->reason, err, KP_ERR_TIMEOUT,
	    "%s", kp_close_reason_name(deadline->reason));
}

bool
kp_session_wait(
    struct kp_session *session, bool *out_is_nudged, struct kp_error *err)
{
	struct deadline deadline = next_deadline(session);
	struct kp_stream *client = &session->client, *broker = &session->broker;
	struct pollfd fds[2] = {
		{ .fd = client->fd,
		    .events = kp_stream_events(client,
			session->of_requests == KP_FLOW_WANTS_READ,
			session->of_answers == KP_FLOW_WANTS_WRITE) },
		{ .fd = broker->fd,
		    .events = kp_stream_events(broker,
			session->of_answers == KP_FLOW_WANTS_READ,
			session->of_requests == KP_FLOW_WANTS_WRITE) },
	};
	int num;

	if (!may_wait(session, &deadline, err))
		return false;
	num = poll_for(fds, 2,
	    time_to_wait(session, &deadline, session->now_ns / 1000000));
	session->now_ns = kp_now_ns();
	*out_is_nudged = num == 0;
	if (num == 0) {
		rest(session);
		return true;
	}
	session->is_resting = false;
	session->activity_ms = session->now_ns / 1000000;
	kp_stream_woke(client, fds[0].revents);
	kp_stream_woke(broker, fds[1].revents);
	if (has_hung_up(&fds[0]))
		return kp_session_fail(session, KP_CLOSE_CLIENT_CLOSED, err,
		    KP_ERR_CLOSED, "client hung up");
	if (has_hung_up(&fds[1]))
		return kp_session_fail(session, KP_CLOSE_BROKER_CLOSED, err,
		    KP_ERR_CLOSED, "broker hung up");
	return true;
}
