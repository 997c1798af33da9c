/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/session/roster.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>

#include "base/bytes.h"

#define MANY 8

static const struct kp_roster_limits none = { 0 };

static void
set_host(struct kp_roster_entry *entry, const char *host)
{
	*entry = (struct kp_roster_entry){ .next = NULL };
	kp_copy(entry->host, host, strlen(host) + 1);
}

Test(roster, each_limit_has_its_verdict)
{
	const struct kp_roster_limits limits = {
		.in_all = 4, .per_host = 2, .per_group = 3
	};
	static const struct {
		const char *host, *group;
		enum kp_roster_verdict verdict;
	} table[] = {
		{ "10.0.0.1", "a", KP_ROSTER_IN },
		{ "10.0.0.1", "a", KP_ROSTER_IN },
		{ "10.0.0.1", "b", KP_ROSTER_HOST_FULL },
		{ "10.0.0.2", "a", KP_ROSTER_IN },
		{ "10.0.0.3", "a", KP_ROSTER_GROUP_FULL },
		{ "10.0.0.3", "b", KP_ROSTER_IN },
		{ "10.0.0.4", "c", KP_ROSTER_FULL },
	};
	struct kp_roster_entry entries[MANY];
	struct kp_roster roster;

	kp_roster_init(&roster);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		set_host(&entries[i], table[i].host);
		cr_assert_eq(kp_roster_add(
				 &roster, &entries[i], table[i].group, &limits),
		    table[i].verdict, "row %zu", i);
	}
	cr_assert_eq(kp_roster_count(&roster), 4);
	/* who leaves makes room in every count */
	kp_roster_end(&roster, &entries[0]);
	cr_assert_eq(
	    kp_roster_add(&roster, &entries[2], "b", &limits), KP_ROSTER_IN);
	cr_assert_eq(kp_roster_take_ended(&roster), &entries[0]);
	cr_assert_null(kp_roster_take_ended(&roster));
	kp_roster_fini(&roster);
}

static unsigned
num_evicted(struct kp_roster_entry *entries)
{
	unsigned num = 0;

	for (unsigned i = 0; i < MANY; i++)
		num += atomic_load(&entries[i].is_evicted);
	return num;
}

Test(roster, the_oldest_that_is_opening_makes_room)
{
	const struct kp_roster_limits limits = { .opening = 3 };
	struct kp_roster_entry entries[MANY];
	struct kp_roster roster;

	kp_roster_init(&roster);
	for (unsigned i = 0; i < MANY; i++)
		set_host(&entries[i], "10.0.0.1");
	for (unsigned i = 0; i < 3; i++)
		cr_assert_eq(kp_roster_add(&roster, &entries[i], "a", &limits),
		    KP_ROSTER_IN);
	cr_assert_eq(num_evicted(entries), 0);
	/* one in the middle has sent its first request */
	kp_roster_opened(&roster, &entries[1]);
	kp_roster_opened(&roster, &entries[1]);
	cr_assert_eq(kp_roster_count_opening(&roster), 2);
	cr_assert_eq(
	    kp_roster_add(&roster, &entries[3], "a", &limits), KP_ROSTER_IN);
	cr_assert_eq(num_evicted(entries), 0);
	cr_assert_eq(
	    kp_roster_add(&roster, &entries[4], "a", &limits), KP_ROSTER_IN);
	cr_assert(atomic_load(&entries[0].is_evicted));
	cr_assert_eq(num_evicted(entries), 1);
	/* the youngest one goes by itself, the evicted one afterwards */
	kp_roster_cancel(&roster, &entries[4]);
	kp_roster_end(&roster, &entries[0]);
	cr_assert_eq(kp_roster_count_opening(&roster), 2);
	for (unsigned i = 5; i < MANY; i++)
		cr_assert_eq(kp_roster_add(&roster, &entries[i], "a", &limits),
		    KP_ROSTER_IN);
	cr_assert(atomic_load(&entries[2].is_evicted));
	cr_assert(atomic_load(&entries[3].is_evicted));
	cr_assert(!atomic_load(&entries[1].is_evicted));
	cr_assert_eq(kp_roster_count_opening(&roster), 3);
	cr_assert_eq(kp_roster_count(&roster), 7);
	kp_roster_fini(&roster);
}

static struct kp_roster threaded;
static struct kp_roster_entry waiting;
static atomic_bool is_awake;

static void
on_wake(int number)
{
	(void)number;
	atomic_store(&is_awake, true);
}

static void *
wait_for_signal(void *argument)
{
	(void)argument;
	kp_roster_started(&threaded, &waiting);
	while (!atomic_load(&is_awake))
		(void)sched_yield();
	return NULL;
}

static void
expect_wakes(void)
{
	struct sigaction action = { .sa_handler = on_wake };

	atomic_store(&is_awake, false);
	cr_assert_eq(sigaction(KP_WAKE_SIGNAL, &action, NULL), 0);
}

static pthread_t
start_waiting(const struct kp_roster_limits *limits)
{
	pthread_t thread;

	expect_wakes();
	kp_roster_init(&threaded);
	set_host(&waiting, "10.0.0.1");
	cr_assert_eq(
	    kp_roster_add(&threaded, &waiting, "a", limits), KP_ROSTER_IN);
	cr_assert_eq(pthread_create(&thread, NULL, wait_for_signal, NULL), 0);
	for (bool is_running = false; !is_running;) {
		kp_mutex_lock(&threaded.list_mutex);
		is_running = waiting.is_running;
		kp_mutex_unlock(&threaded.list_mutex);
	}
	return thread;
}

/* A signal of a thread to itself has come when its sending returns. */
Test(roster, a_thread_whose_time_has_come_is_woken)
{
	expect_wakes();
	kp_roster_init(&threaded);
	set_host(&waiting, "10.0.0.1");
	cr_assert_eq(
	    kp_roster_add(&threaded, &waiting, "a", &none), KP_ROSTER_IN);
	kp_roster_started(&threaded, &waiting);
	kp_roster_wake_late(&threaded, 4000);
	atomic_store(&waiting.wake_ms, 4001);
	kp_roster_wake_late(&threaded, 4000);
	cr_assert(!atomic_load(&is_awake));
	kp_roster_wake_late(&threaded, 4001);
	cr_assert(atomic_load(&is_awake));
	kp_roster_fini(&threaded);
}

Test(roster, an_evicted_thread_is_woken)
{
	const struct kp_roster_limits limits = { .opening = 1 };
	struct kp_roster_entry next;
	pthread_t thread = start_waiting(&limits);

	set_host(&next, "10.0.0.1");
	cr_assert_eq(
	    kp_roster_add(&threaded, &next, "a", &limits), KP_ROSTER_IN);
	cr_assert_eq(pthread_join(thread, NULL), 0);
	cr_assert(atomic_load(&waiting.is_evicted));
	kp_roster_fini(&threaded);
}

Test(roster, without_limits_all_are_taken)
{
	struct kp_roster_entry entries[MANY];
	struct kp_roster roster;

	kp_roster_init(&roster);
	for (unsigned i = 0; i < MANY; i++) {
		set_host(&entries[i], "10.0.0.1");
		cr_assert_eq(kp_roster_add(&roster, &entries[i], "a", &none),
		    KP_ROSTER_IN);
	}
	cr_assert_eq(num_evicted(entries), 0);
	kp_roster_fini(&roster);
}
