/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each allocation of a push is refused in turn, from the server's bytes to its
 * hearing of the verdict. A push is in force, or refused with that reason, or
 * the stream ends with it; the set before stays, and the same push then works.
 */
#include <criterion/criterion.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "control/api/problems.h"
#include "tests/support/sync_world.h"

#define ACK KPROXY__CONTROL__V1__SYNC_REQUEST__BODY_ACK
#define NACK KPROXY__CONTROL__V1__SYNC_REQUEST__BODY_NACK
#define HELLO KPROXY__CONTROL__V1__SYNC_REQUEST__BODY_HELLO
#define MAX_REPORT 4096
/* No push here needs as many. */
#define MANY 1000

struct fixture {
	struct kp_test_sync world;
	struct kp_held *held;
	uint64_t revision; /* pushed last */
	size_t num_heard;  /* before that */
	unsigned num_lost, num_refused;
};

static size_t
num_heard(struct kp_test_sync *world)
{
	size_t num;

	kp_mutex_lock(&world->lock);
	num = world->num_heard;
	kp_mutex_unlock(&world->lock);
	return num;
}

static void
open_link(struct fixture *f)
{
	atomic_store(&f->world.is_silent, false);
	kp_test_sync_open(&f->world, f->held);
	kp_test_sync_connected(&f->world, true);
}

/* Without the pause that a link makes before it connects anew. */
static void
open_again(struct fixture *f)
{
	kp_link_grpc.close(f->world.link);
	f->world.link = NULL;
	open_link(f);
}

static void
set_up(struct fixture *f)
{
	*f = (struct fixture){ .held = NULL };
	kp_test_sync_init(&f->world);
	open_link(f);
}

static void
tear_down(struct fixture *f)
{
	kp_held_unref(f->held);
	kp_test_sync_fini(&f->world);
}

/*
 * With a resource that changes, one that goes, and one that comes. Should it
 * end the stream, the next one is not welcomed before the test has seen the
 * end; and it may find that the stream has ended already.
 */
static void
push(struct fixture *f)
{
	uint64_t base = f->held == NULL ? 0 : kp_held_revision(f->held);
	Kproxy__Control__V1__SyncResponse response;
	struct kp_test_push made;
	char gone[16], come[16];

	f->num_heard = num_heard(&f->world);
	f->revision++;
	(void)snprintf(gone, sizeof(gone), "c%u", (unsigned)base);
	(void)snprintf(come, sizeof(come), "c%u", (unsigned)f->revision);
	kp_test_push_init(&made, f->revision, base);
	kp_test_push_cluster(&made, "a",
	    f->revision % 2 == 0 ? "127.0.0.1:9092" : "127.0.0.2:9092");
	kp_test_push_cluster(&made, come, "127.0.0.1:9092");
	if (f->held != NULL)
		kp_test_push_delete(&made, gone);
	kp_test_push_digest(&made, f->held);
	atomic_store(&f->world.is_silent, true);
	kproxy__control__v1__sync_response__init(&response);
	response.body_case = KPROXY__CONTROL__V1__SYNC_RESPONSE__BODY_PUSH;
	response.push = &made.message;
	(void)kp_test_sync_say(&f->world, &response.base);
	kp_test_push_fini(&made);
}

static bool
is_connected(struct fixture *f)
{
	struct kp_link_state state;

	kp_link_grpc.state(f->world.link, &state);
	return state.is_connected;
}

/* Waits for an offer; false if the stream ended before. */
static bool
take(struct fixture *f, struct kp_link_offer *out)
{
	struct pollfd item = { .fd = kp_link_grpc.fd(f->world.link),
		.events = POLLIN };
	int64_t deadline_ms = kp_test_in(KP_TEST_PATIENCE_MS);

	for (;;) {
		bool was_connected = is_connected(f);

		if (kp_link_grpc.take(f->world.link, out))
			return true;
		if (!was_connected)
			return false;
		cr_assert(kp_now_ms() < deadline_ms);
		(void)poll(&item, 1, 100);
	}
}

static void
refuse(struct fixture *f, const struct kp_diagnostics *diagnostics)
{
	struct kp_api_problems problems;

	kp_api_problems_init(&problems, diagnostics, MAX_REPORT);
	kp_link_grpc.settle(f->world.link, f->held, &problems.message);
	kp_api_problems_fini(&problems);
	f->num_refused++;
}

static void
accept(struct fixture *f, struct kp_link_offer *offer)
{
	kp_held_unref(f->held);
	f->held = kp_held_ref(offer->held);
	cr_assert_eq(kp_held_count(f->held), 2);
	kp_link_grpc.settle(f->world.link, f->held, NULL);
}

/* The verdict that the server heard; false if the stream ended before. */
static bool
hear(struct fixture *f, bool is_good)
{
	const Kproxy__Control__V1__SyncRequest *request;
	int64_t deadline_ms = kp_test_in(KP_TEST_PATIENCE_MS);

	while (num_heard(&f->world) == f->num_heard) {
		struct pollfd item = { .fd = kp_link_grpc.fd(f->world.link),
			.events = POLLIN };

		if (!is_connected(f))
			return false;
		cr_assert(kp_now_ms() < deadline_ms);
		(void)poll(&item, 1, 1);
	}
	request = kp_test_sync_heard(&f->world, f->num_heard);
	/* the next stream's: this one ended before that was heard */
	if (request->body_case == HELLO)
		return false;
	cr_assert_eq(request->body_case, is_good ? ACK : NACK);
	cr_assert_eq(is_good ? request->ack->revision : request->nack->revision,
	    f->revision);
	cr_assert(is_good || request->nack->problems->n_problems == 1);
	return true;
}

/* What the server was told last, in a NACK. */
static const char *
said(struct fixture *f)
{
	return kp_test_sync_heard(&f->world, f->num_heard)
	    ->nack->problems->problems[0]
	    ->message;
}

/* A stream that ended says that it did for want of memory. */
static void
expect_reason(struct fixture *f)
{
	struct kp_link_state state;

	kp_test_sync_connected(&f->world, false);
	kp_link_grpc.state(f->world.link, &state);
	cr_assert_not_null(
	    strstr(state.reason, "no memory"), "%s", state.reason);
	f->num_lost++;
}

/* Is the push in force, and does the server know? */
static bool
follow(struct fixture *f)
{
	struct kp_link_offer offer;
	bool is_good;

	if (!take(f, &offer)) {
		expect_reason(f);
		return false;
	}
	is_good = offer.held != NULL;
	cr_assert_eq(offer.revision, f->revision);
	if (is_good)
		accept(f, &offer);
	else
		refuse(f, &offer.diagnostics);
	kp_link_offer_fini(&offer);
	if (!hear(f, is_good)) {
		expect_reason(f);
		return false;
	}
	cr_assert(is_good || strstr(said(f), "memory") != NULL);
	return is_good;
}

/* The stream may have ended, or may be about to. */
static void
go_on(struct fixture *f)
{
	if (!is_connected(f))
		open_again(f);
}

Test(agent_link_faults, a_push_is_in_force_or_refused_for_want_of_memory)
{
	struct fixture f;
	unsigned n = 0, left = 0;

	set_up(&f);
	push(&f);
	cr_assert(follow(&f));
	while (left == 0) {
		bool is_good;

		cr_assert(++n < MANY);
		kp_alloc_fail_after(n);
		push(&f);
		is_good = follow(&f);
		left = kp_alloc_fail_after(0);
		cr_assert(is_good || left == 0);
		if (is_good)
			continue;
		go_on(&f);
		push(&f);
		if (follow(&f))
			continue;
		/* the stream was about to end */
		go_on(&f);
		push(&f);
		cr_assert(follow(&f));
	}
	cr_assert(n > 20, "%u", n);
	cr_assert(f.num_lost > 5 && f.num_refused > 5, "%u, %u", f.num_lost,
	    f.num_refused);
	tear_down(&f);
}

/* As the main thread does with a set that cannot be in force; false if the
 * stream ended. */
static bool
refuse_push(struct fixture *f, unsigned n)
{
	const struct kp_origin at = { .file = "node" };
	struct kp_diagnostics diagnostics = { .num_lines = 0 };
	struct kp_link_offer offer;

	push(f);
	cr_assert(take(f, &offer));
	kp_diagnostics_add(&diagnostics, &at, "no such port");
	kp_alloc_fail_after(n);
	refuse(f, &diagnostics);
	kp_diagnostics_fini(&diagnostics);
	kp_link_offer_fini(&offer);
	return hear(f, false);
}

Test(agent_link_faults, a_refusal_is_never_taken_for_consent)
{
	struct fixture f;
	unsigned n = 0, num_unsaid = 0, left = 0;

	set_up(&f);
	while (left == 0) {
		bool is_heard;

		cr_assert(++n < MANY);
		is_heard = refuse_push(&f, n);
		left = kp_alloc_fail_after(0);
		if (!is_heard)
			expect_reason(&f);
		else if (strcmp(said(&f), "no such port") != 0)
			num_unsaid++;
		go_on(&f);
	}
	cr_assert_eq(num_unsaid, 1);
	cr_assert(n > 5 && f.num_lost == n - 2, "%u %u", n, f.num_lost);
	push(&f);
	cr_assert(follow(&f));
	tear_down(&f);
}

/* A server had no memory for a hello, or the node none for the welcome. */
Test(agent_link_faults, a_link_is_connected_or_says_why_not)
{
	struct kp_link_state state;
	struct fixture f;
	unsigned n = 0, left = 0;

	set_up(&f);
	while (left == 0) {
		int64_t deadline_ms = kp_test_in(KP_TEST_PATIENCE_MS);

		cr_assert(++n < MANY);
		kp_link_grpc.close(f.world.link);
		kp_alloc_fail_after(n);
		kp_test_sync_open(&f.world, f.held);
		do {
			cr_assert(kp_now_ms() < deadline_ms);
			kp_link_grpc.state(f.world.link, &state);
		} while (!state.is_connected && state.reason[0] == '\0');
		left = kp_alloc_fail_after(0);
		/* connected: what failed came after */
		cr_assert(state.is_connected ||
			      (left == 0 &&
				  strstr(state.reason, "no memory") != NULL),
		    "%u: %s", n, state.reason);
	}
	cr_assert(n > 5, "%u", n);
	push(&f);
	cr_assert(follow(&f));
	tear_down(&f);
}

Test(agent_link_faults, a_link_comes_back_by_itself)
{
	struct fixture f;

	set_up(&f);
	kp_alloc_fail_after(1);
	push(&f);
	cr_assert(!follow(&f));
	cr_assert_eq(f.num_lost, 1);
	atomic_store(&f.world.is_silent, false);
	kp_test_sync_connected(&f.world, true);
	push(&f);
	cr_assert(follow(&f));
	tear_down(&f);
}
