/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole conversation through a session: at first as it should go, then with
 * each of its system calls interrupted, short or failing, one after the other,
 * and with each allocation refused. After each of them all memory, pipes and
 * descriptors are back: the bridge sees to it. integration/ shows the same with
 * real peers, but cannot choose where it breaks.
 */
#include <criterion/criterion.h>

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "tests/support/frames.h"
#include "tests/unit/proxy/session/conversation.h"

#define RECEIVE (1u << KP_CALL_RECEIVE)
#define SEND (1u << KP_CALL_SEND)
#define SPLICE (1u << KP_CALL_SPLICE)
#define BYTES (RECEIVE | SEND | SPLICE)
#define WAIT (1u << KP_CALL_WAIT)
#define SOCKET (1u << KP_CALL_SOCKET)
#define CONNECT (1u << KP_CALL_CONNECT)
#define PIPE (1u << KP_CALL_PIPE)
#define MEMORY (1u << KP_CALL_MEMORY)
#define TLS_MEMORY (1u << KP_CALL_TLS_MEMORY)

#define ALL_TLS (KP_BRIDGE_CLIENT_TLS | KP_BRIDGE_BROKER_TLS)

/* More of them would be a sweep that does not end. */
#define MAX_POSITIONS 20000

#define QUARTER (int64_t)(KP_BUFFER_LEN / 4)

struct world {
	struct kp_test_bridge bridge;
	struct kp_conversation conversation;
	bool is_fresh; /* each connection: neither end knows a TLS session */
	struct kp_buf to_client, to_broker; /* as it should be */
	unsigned step;                      /* of a sweep */
};

static void
run(struct world *world)
{
	if (world->is_fresh) {
		kp_test_world_start(&world->bridge.world);
		world->bridge.is_changed = true;
	}
	kp_conversation_run(&world->conversation);
}

static bool
is_complete(const struct world *world)
{
	const struct kp_test_bridge *bridge = &world->bridge;

	return bridge->reason == KP_CLOSE_CLIENT_CLOSED &&
	       bridge->calls.num_timeouts == 0 &&
	       kp_bytes_equal(kp_buf_bytes(&bridge->client.received),
		   kp_buf_bytes(&world->to_client)) &&
	       kp_bytes_equal(kp_buf_bytes(&bridge->broker.received),
		   kp_buf_bytes(&world->to_broker));
}

/* The conversation is there; what it is like undisturbed is noted. */
static void
init_rest(struct world *world)
{
	struct kp_bytes heard;

	world->step = 0;
	kp_buf_init(&world->to_client, KP_FAR_MAX_LEN);
	kp_buf_init(&world->to_broker, KP_FAR_MAX_LEN);
	kp_conversation_requests(&world->conversation, &world->to_broker);
	run(world);
	heard = kp_buf_bytes(&world->bridge.client.received);
	kp_buf_add(&world->to_client, heard.data, heard.len);
	cr_assert(is_complete(world), "%s",
	    kp_close_reason_name(world->bridge.reason));
}

static void
init(struct world *world, unsigned options, bool is_long)
{
	world->is_fresh = !is_long;
	kp_bridge_init(&world->bridge, options, NULL);
	kp_conversation_init(&world->conversation, &world->bridge, is_long);
	init_rest(world);
}

static void
init_changed(struct world *world, unsigned options)
{
	world->is_fresh = false;
	kp_bridge_init(&world->bridge, options, NULL);
	kp_conversation_init(&world->conversation, &world->bridge, false);
	kp_conversation_add_changed(&world->conversation);
	init_rest(world);
}

static void
fini(struct world *world)
{
	kp_buf_fini(&world->to_client);
	kp_buf_fini(&world->to_broker);
	kp_conversation_fini(&world->conversation);
	kp_bridge_fini(&world->bridge);
}

/* The answers are those to the client's requests, in their order. */
static void
check_order(const struct world *world)
{
	struct kp_bytes rest = kp_buf_bytes(&world->to_client), frame;

	for (unsigned i = 0; i < world->conversation.num; i++) {
		const struct kp_exchange *exchange =
		    &world->conversation.exchanges[i];

		if (exchange->answered == KP_BY_NOBODY)
			continue;
		cr_assert(kp_test_next_frame(&frame, &rest));
		cr_assert_eq(memcmp(frame.data + KP_FRAME_PREFIX_LEN,
				 exchange->request.data + 8, 4),
		    0, "answer %u", i);
	}
	cr_assert_eq(rest.len, 0);
}

static bool
contains(const struct kp_buf *bytes, const char *text)
{
	return memmem(bytes->data, bytes->len, text, strlen(text)) != NULL;
}

Test(session, a_conversation_is_passed_on_in_order_and_without_addresses)
{
	for (unsigned options = 0; options < KP_NUM_BRIDGES; options++) {
		struct world world;

		if ((options & KP_BRIDGE_SNI) != 0 &&
		    (options & KP_BRIDGE_CLIENT_TLS) == 0)
			continue;
		init(&world, options, true);
		check_order(&world);
		cr_assert(
		    contains(&world.bridge.broker.to_send, KP_BRIDGE_SECRET));
		cr_assert(!contains(&world.to_client, KP_BRIDGE_SECRET));
		/* with TLS sessions that are resumed */
		run(&world);
		cr_assert(is_complete(&world));
		fini(&world);
	}
}

/* Whether that is how a connection may end after the fault at that step. */
typedef void (*judge_fn)(const struct world *world);

/* One run for each call that there is. */
static void
sweep(struct world *world, struct kp_test_fault fault, judge_fn judge)
{
	struct kp_test_calls *calls = &world->bridge.calls;

	world->step = 0;
	do {
		fault.nth = ++world->step;
		calls->fault = fault;
		run(world);
		judge(world);
		cr_assert(world->step < MAX_POSITIONS);
	} while (calls->num_calls >= world->step);
	cr_assert(world->step > 1);
}

static void
require_complete(const struct world *world)
{
	cr_assert(is_complete(world), "call %u: %s, %u waits in vain",
	    world->step, kp_close_reason_name(world->bridge.reason),
	    world->bridge.calls.num_timeouts);
}

static void
sweep_harmless(unsigned options, bool is_long)
{
	static const struct kp_test_fault faults[] = {
		{ BYTES, .max_len = 1 },
		{ BYTES, .reason = EINTR },
		{ BYTES, .reason = EAGAIN },
	};
	struct world world;

	init(&world, options, is_long);
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		sweep(&world, faults[i], require_complete);
	fini(&world);
}

Test(session, bytes_that_come_and_go_one_by_one_change_nothing)
{
	sweep_harmless(0, true);
}

Test(session, bytes_one_by_one_change_nothing_with_tls)
{
	sweep_harmless(ALL_TLS | KP_BRIDGE_PROXY_HEADER, true);
	sweep_harmless(ALL_TLS | KP_BRIDGE_PROXY_HEADER, false);
}

Test(session, small_pieces_change_nothing)
{
	for (unsigned options = 0; options < KP_BRIDGE_SNI; options++) {
		struct world world;

		init(&world, options, true);
		for (size_t max_len = 997; max_len < 5000; max_len += 1000) {
			world.bridge.calls.fault =
			    (struct kp_test_fault){ BYTES, .max_len = max_len };
			run(&world);
			require_complete(&world);
		}
		fini(&world);
	}
}

Test(session, a_wait_that_is_interrupted_changes_nothing)
{
	struct world world;

	init(&world, ALL_TLS, true);
	sweep(&world, (struct kp_test_fault){ WAIT, .reason = EINTR },
	    require_complete);
	fini(&world);
}

Test(session, without_pipes_long_records_are_copied)
{
	struct world world;

	init(&world, 0, true);
	sweep(&world, (struct kp_test_fault){ PIPE, .reason = EMFILE },
	    require_complete);
	fini(&world);
}

static int64_t
count_batches(const struct world *world)
{
	return kp_metrics_read(world->bridge.metrics, KP_M_BATCHES,
	    kp_metric_of_codec(KP_TRAFFIC_ANSWER, KP_CODEC_NONE));
}

/* Moved past us with and without a copy to look at, read, decrypted. */
Test(session, batches_are_counted_however_they_pass)
{
	static const struct kp_test_fault faults[] = {
		{ BYTES, .max_len = 1000000 },
		{ BYTES, .max_len = 997 },
		{ PIPE, .nth = 1, .reason = EMFILE },
		{ PIPE, .nth = 2, .reason = EMFILE },
	};

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		for (unsigned options = 0; options <= ALL_TLS; options++) {
			struct world world;
			int64_t before;

			init(&world, options, true);
			cr_assert_eq(
			    count_batches(&world), KP_CONVERSATION_BATCHES);
			before = count_batches(&world);
			world.bridge.calls.fault = faults[i];
			run(&world);
			require_complete(&world);
			cr_assert_eq(count_batches(&world) - before,
			    KP_CONVERSATION_BATCHES);
			fini(&world);
		}
	}
}

static bool
is_beginning(const struct kp_buf *part, const struct kp_buf *whole)
{
	return part->len <= whole->len &&
	       (part->len == 0 ||
		   memcmp(part->data, whole->data, part->len) == 0);
}

/* Neither side has received anything that it would not have otherwise. */
static void
check_beginnings(const struct world *world)
{
	const struct kp_test_bridge *bridge = &world->bridge;

	cr_assert(is_beginning(&bridge->client.received, &world->to_client),
	    "call %u", world->step);
	cr_assert(is_beginning(&bridge->broker.received, &world->to_broker),
	    "call %u", world->step);
}

static bool
is_end_of_client(const struct kp_test_bridge *bridge)
{
	if (bridge->reason == KP_CLOSE_CLIENT_CLOSED)
		return true;
	if (bridge->client.received.len > 0)
		return false;
	return (bridge->reason == KP_CLOSE_TLS_ERROR &&
		   (bridge->options & KP_BRIDGE_CLIENT_TLS) != 0) ||
	       (bridge->reason == KP_CLOSE_PROXY_PROTOCOL &&
		   (bridge->options & KP_BRIDGE_PROXY_HEADER) != 0);
}

static bool
is_end_of_broker(const struct kp_test_bridge *bridge)
{
	if (bridge->reason == KP_CLOSE_BROKER_CLOSED)
		return true;
	return bridge->reason == KP_CLOSE_UPSTREAM_UNAVAILABLE &&
	       bridge->broker.received.len == 0 &&
	       (bridge->options & KP_BRIDGE_BROKER_TLS) != 0;
}

/* Once the connection has ended, the goodbye of TLS may fail as well. */
static void
require_end_of_faulty_side(const struct world *world)
{
	const struct kp_test_bridge *bridge = &world->bridge;
	int fd = bridge->calls.faulty_fd;

	check_beginnings(world);
	cr_assert_eq(bridge->calls.num_timeouts, 0, "call %u", world->step);
	if (is_complete(world))
		return;
	cr_assert(fd == bridge->client_fd ? is_end_of_client(bridge)
					  : is_end_of_broker(bridge),
	    "call %u of the %s: %s", world->step,
	    fd == bridge->client_fd ? "client" : "broker",
	    kp_close_reason_name(bridge->reason));
}

static void
sweep_broken(unsigned options, bool is_long)
{
	static const struct kp_test_fault faults[] = {
		{ BYTES, .reason = ECONNRESET },
		{ BYTES, .reason = EPIPE },
	};
	struct world world;

	init(&world, options, is_long);
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		sweep(&world, faults[i], require_end_of_faulty_side);
	fini(&world);
}

Test(session, whoever_breaks_off_is_named)
{
	sweep_broken(0, true);
}

Test(session, whoever_breaks_off_is_named_with_tls)
{
	sweep_broken(ALL_TLS | KP_BRIDGE_PROXY_HEADER, true);
	sweep_broken(ALL_TLS | KP_BRIDGE_PROXY_HEADER, false);
}

static void
require_unavailable(const struct world *world)
{
	check_beginnings(world);
	cr_assert(is_complete(world) ||
		      world->bridge.reason == KP_CLOSE_UPSTREAM_UNAVAILABLE,
	    "call %u: %s", world->step,
	    kp_close_reason_name(world->bridge.reason));
}

Test(session, a_broker_that_cannot_be_reached_is_unavailable)
{
	static const struct kp_test_fault faults[] = {
		{ SOCKET, .reason = EMFILE },
		{ CONNECT, .reason = ECONNREFUSED },
		{ CONNECT, .reason = ENETUNREACH },
	};
	struct world world;

	init(&world, 0, false);
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		sweep(&world, faults[i], require_unavailable);
		world.bridge.calls.fault = faults[i];
		run(&world);
		cr_assert(!is_complete(&world));
	}
	fini(&world);
}

Test(session, a_broker_that_takes_its_time_is_waited_for)
{
	static const struct kp_test_fault faults[] = {
		{ CONNECT, .reason = EINPROGRESS },
		{ CONNECT, .reason = EINTR },
	};
	struct world world;

	init(&world, 0, false);
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		sweep(&world, faults[i], require_complete);
	fini(&world);
}

/* Refused by the system, not by a limit of the connection. */
static void
require_memory_limit(const struct world *world)
{
	check_beginnings(world);
	cr_assert(
	    is_complete(world) || world->bridge.reason == KP_CLOSE_MEMORY_LIMIT,
	    "allocation %u: %s", world->step,
	    kp_close_reason_name(world->bridge.reason));
}

static void
sweep_memory(unsigned options)
{
	struct world world;

	init(&world, options, true);
	sweep(&world, (struct kp_test_fault){ .calls = MEMORY },
	    require_memory_limit);
	fini(&world);
}

Test(session, memory_that_is_refused_ends_the_connection)
{
	sweep_memory(0);
}

Test(session, memory_that_is_refused_ends_the_connection_with_tls)
{
	sweep_memory(ALL_TLS | KP_BRIDGE_PROXY_HEADER);
}

/* The one request that policies change comes last. */
static void
require_changed_or_refused(const struct world *world)
{
	const struct kp_test_bridge *bridge = &world->bridge;

	cr_assert(is_beginning(&bridge->broker.received, &world->to_broker),
	    "allocation %u", world->step);
	cr_assert(is_complete(world) ||
		      bridge->reason == KP_CLOSE_MEMORY_LIMIT ||
		      contains(&bridge->client.received, "cannot be set"),
	    "allocation %u: %s", world->step,
	    kp_close_reason_name(bridge->reason));
}

Test(session, what_policies_change_arrives_so_or_not_at_all)
{
	static const struct kp_test_fault harmless[] = {
		{ BYTES, .max_len = 1 },
		{ BYTES, .reason = EINTR },
	};

	for (unsigned options = 0; options <= ALL_TLS; options += ALL_TLS) {
		struct world world;

		init_changed(&world, options);
		for (size_t i = 0; i < sizeof(harmless) / sizeof(*harmless);
		     i++)
			sweep(&world, harmless[i], require_complete);
		sweep(&world, (struct kp_test_fault){ .calls = MEMORY },
		    require_changed_or_refused);
		fini(&world);
	}
}

static void
require_tls_error(const struct world *world)
{
	enum kp_close_reason reason = world->bridge.reason;

	check_beginnings(world);
	cr_assert(is_complete(world) || reason == KP_CLOSE_TLS_ERROR,
	    "allocation %u: %s", world->step, kp_close_reason_name(reason));
}

/*
 * Not towards a broker: BoringSSL itself does not survive it where it parses a
 * certificate of the peer (x509_name_get_cache).
 */
Test(session, memory_that_is_refused_to_tls_ends_the_connection)
{
	struct world world;

	init(&world, KP_BRIDGE_CLIENT_TLS, false);
	sweep(&world, (struct kp_test_fault){ .calls = TLS_MEMORY },
	    require_tls_error);
	fini(&world);
}

/* More and more memory, until it is enough. */
static void
sweep_limit(enum kp_limit limit, enum kp_close_reason reason)
{
	struct world world;

	init(&world, 0, true);
	do {
		world.bridge.limits.of[limit] = world.step++ * QUARTER;
		world.bridge.is_changed = true;
		run(&world);
		check_beginnings(&world);
		cr_assert(is_complete(&world) || world.bridge.reason == reason,
		    "%u quarters: %s", world.step,
		    kp_close_reason_name(world.bridge.reason));
		cr_assert(world.step < MAX_POSITIONS);
	} while (!is_complete(&world));
	cr_assert(world.step > 4);
	fini(&world);
}

Test(session, the_limit_that_was_reached_is_named)
{
	sweep_limit(KP_LIMIT_MEMORY, KP_CLOSE_MEMORY_LIMIT);
	sweep_limit(KP_LIMIT_MEMORY_PER_CONNECTION, KP_CLOSE_CONNECTION_MEMORY);
}

static bool
is_timeout(const struct kp_test_bridge *bridge)
{
	switch ((int)bridge->reason) {
	case KP_CLOSE_HANDSHAKE_TIMEOUT:
	case KP_CLOSE_UPSTREAM_UNAVAILABLE: /* the broker's handshake */
	case KP_CLOSE_FIRST_REQUEST_TIMEOUT:
	case KP_CLOSE_REQUEST_TIMEOUT:
	case KP_CLOSE_WRITE_TIMEOUT:
	case KP_CLOSE_IDLE_TIMEOUT:
		return bridge->calls.num_timeouts == 1u + bridge->was_resting;
	default:
		return false;
	}
}

static void
sweep_silence(unsigned options, bool is_long)
{
	struct world world;

	init(&world, options, is_long);
	world.conversation.max_turns = 0;
	do {
		world.conversation.max_turns++;
		run(&world);
		check_beginnings(&world);
		cr_assert(is_complete(&world) || is_timeout(&world.bridge),
		    "turn %u: %s after %u waits", world.conversation.max_turns,
		    kp_close_reason_name(world.bridge.reason),
		    world.bridge.calls.num_timeouts);
	} while (!is_complete(&world));
	cr_assert(world.conversation.max_turns > 4);
	fini(&world);
}

Test(session, whoever_falls_silent_is_waited_for_once)
{
	sweep_silence(0, true);
	sweep_silence(ALL_TLS | KP_BRIDGE_PROXY_HEADER, false);
}
