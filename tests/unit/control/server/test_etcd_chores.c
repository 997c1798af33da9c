/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the leader does for a store in a real etcd when something fails: each
 * allocation of a snapshot, a sweep and a compaction in turn, alone and with
 * all after it. What can be read stays readable, nothing is left of what came
 * to nothing, and the next attempt does it.
 */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "control/server/etcd.h"
#include "control/server/etcd_priv.h"
#include "tests/support/etcd.h"
#include "tests/support/store.h"

/* Nothing here needs as many. */
#define MANY 1000
#define PATIENCE_MS 60000
/* Of a request while there is no memory for it: until then it is tried again.
 */
#define SHORT_MS 100
/* Two of them are more than a part. */
#define LONG_LEN (600u << 10)
/* Then only every so many-th failure is gone through. */
#define STEP 3
#define PREFIX "/kproxy/"
/* etcd's own least is about as long. */
#define LEASE_MS 2000
#define BEAT_MS 600

/* A store whose keeper is the test, and who leads. */
struct fixture {
	struct kp_test_etcd etcd;
	struct kp_etcd inside;
	char *text; /* of LONG_LEN */
	uint64_t newest;
};

static const struct kp_store_ops no_ops;

static void
open_inside(struct fixture *f)
{
	const char *endpoint = f->etcd.endpoint;
	const struct kp_etcd_config config = { .endpoints = &endpoint,
		.num_endpoints = 1 };
	struct kp_etcd *etcd = &f->inside;
	struct kp_error err = { 0 };

	*etcd = (struct kp_etcd){
		.client = kp_etcd_client_new(&config, &err),
		.prefix = kp_strdup(PREFIX),
		.timeout_ms = PATIENCE_MS,
		.max_commit_len = 64u << 20,
		.max_state_len = 64u << 20,
		.snapshot_len = 1,
		.keep_cancel = kp_rpc_cancel_new(),
	};
	cr_assert_not_null(etcd->client, "%s", err.text);
	kp_store_init(&etcd->store, &no_ops);
	kp_etcd_attempt_new(etcd->id);
	kp_mutex_init(&etcd->lock, KP_RANK_ETCD);
	kp_cond_init(&etcd->told);
}

static void
put(struct fixture *f, const struct kp_etcd_key *key, const char *value)
{
	struct kp_error err = { 0 };

	cr_assert(
	    kp_etcd_write(&f->inside, key, kp_bytes_of(value), NULL, &err),
	    "%s", err.text);
}

static void
commit(struct fixture *f, const char *name, const char *text)
{
	const struct kp_store_change change = kp_test_put(name, text);
	struct kp_error err = { 0 };
	uint64_t number = 0;

	cr_assert_eq(kp_etcd_store_commit(&f->inside.store, f->newest,
			 &kp_test_note, &change, 1, &number, &err),
	    KP_STORE_OK, "%s", err.text);
	cr_assert_eq(number, ++f->newest);
}

static void
set_up(struct fixture *f)
{
	struct kp_etcd_key leader = kp_etcd_key_state(PREFIX, "leader");

	*f = (struct fixture){ .newest = 0 };
	kp_test_etcd_start(&f->etcd);
	open_inside(f);
	put(f, &leader, f->inside.id);
	f->text = kp_alloc(LONG_LEN + 1, 1);
	(void)memset(f->text, 'x', LONG_LEN);
}

static void
tear_down(struct fixture *f)
{
	struct kp_etcd *etcd = &f->inside;

	free(f->text);
	kp_rpc_cancel_free(etcd->keep_cancel);
	kp_cond_fini(&etcd->told);
	kp_mutex_fini(&etcd->lock);
	kp_cond_fini(&etcd->store.news);
	kp_mutex_fini(&etcd->store.news_mutex);
	kp_etcd_client_free(etcd->client);
	free(etcd->prefix);
	kp_test_etcd_stop(&f->etcd);
}

static void
remove_from(struct fixture *f, enum kp_etcd_family family, uint64_t from)
{
	struct kp_etcd_span span = kp_test_etcd_span(PREFIX, family, from);
	struct kp_error err = { 0 };

	cr_assert(kp_etcd_remove(&f->inside, &span.from, &span.to, &err));
}

static void
count_item(void *ctx, const struct kp_store_item *item)
{
	(void)item;
	++*(size_t *)ctx;
}

static size_t
num_at(struct fixture *f, uint64_t at)
{
	struct kp_error err = { 0 };
	size_t num = 0;

	cr_assert_eq(kp_etcd_store_load(&f->inside.store, at, count_item, &num,
			 KP_NEVER, &err),
	    KP_STORE_OK, "%s", err.text);
	return num;
}

/* A piece of a keeper's work. */
typedef bool (*chore)(
    struct fixture *f, struct kp_etcd_chores *chores, struct kp_error *err);

/* Where memory stays short it is asked for until time is up, which may be what
 * the endpoint is known for last. */
static bool
has_reason(const struct kp_error *err, bool is_short)
{
	return strstr(err->text, "memory") != NULL ||
	       (is_short && strstr(err->text, ": 127.0.0.1:") != NULL);
}

/*
 * Tries it while the n-th allocation fails, and all after it if memory stays
 * short; how far away that one still was. *out_is_ok: was it done?
 */
static unsigned
try_without(struct fixture *f, chore run, struct kp_etcd_chores *chores,
    unsigned n, bool is_short, bool *out_is_ok)
{
	struct kp_error err = { 0 };
	unsigned left;

	f->inside.timeout_ms = is_short ? SHORT_MS : PATIENCE_MS;
	(void)(is_short ? kp_alloc_fail_from(n) : kp_alloc_fail_after(n));
	*out_is_ok = run(f, chores, &err);
	left = kp_alloc_fail_after(0);
	f->inside.timeout_ms = PATIENCE_MS;
	cr_assert(*out_is_ok || left == 0 || is_short, "%u: %s", n, err.text);
	cr_assert(
	    *out_is_ok || has_reason(&err, is_short), "%u: %s", n, err.text);
	return left;
}

/* Has it been done, the second time at the latest? */
static void
must_do(struct fixture *f, chore run, struct kp_etcd_chores *chores)
{
	struct kp_error err = { 0 };

	cr_assert(run(f, chores, &err), "%s", err.text);
}

static bool
make_snapshot(
    struct fixture *f, struct kp_etcd_chores *chores, struct kp_error *err)
{
	return kp_etcd_snapshot(&f->inside, chores, err);
}

/* Of revisions 1 to 3, and a snapshot as of 2, of one part. */
static void
fill(struct fixture *f)
{
	struct kp_etcd_chores chores = { .swept = 0 };

	commit(f, "a", "1");
	commit(f, "b", f->text);
	must_do(f, make_snapshot, &chores);
	cr_assert_eq(chores.snapshot, 2);
	commit(f, "c", f->text);
	commit(f, "d", "longer than that of a");
}

/* The first of one or two is as it was, of one part; the other, as of the
 * newest, is of two. is_clean: there is nothing else. */
static void
expect_snapshots(struct fixture *f, size_t num, bool is_clean)
{
	cr_assert_eq(kp_test_etcd_count(&f->inside, KP_ETCD_SNAPSHOTS), num);
	if (is_clean)
		cr_assert_eq(
		    kp_test_etcd_count(&f->inside, KP_ETCD_SNAPSHOT_PARTS),
		    num == 1 ? 1 : 3);
	cr_assert_eq(num_at(f, 2), 2);
	cr_assert_eq(num_at(f, f->newest), 4);
}

static void
go_through_snapshot(bool is_short)
{
	struct fixture f;
	unsigned n = 0, num_refused = 0, left = 0;
	bool is_ok = true;

	set_up(&f);
	fill(&f);
	/* what failed for want of time has not come to that allocation */
	while (left == 0 || !is_ok) {
		struct kp_etcd_chores chores = { .swept = 0 };

		n += is_short ? STEP : 1;
		cr_assert(n < MANY);
		left = try_without(
		    &f, make_snapshot, &chores, n, is_short, &is_ok);
		num_refused += !is_ok;
		/* etcd's answer may be what there was no memory for */
		if (is_ok || !is_short)
			expect_snapshots(&f, is_ok ? 2 : 1, !is_short);
		cr_assert_eq(num_at(&f, f.newest), 4);
		if (!is_ok)
			must_do(&f, make_snapshot, &chores);
		expect_snapshots(&f, 2, !is_short);
		cr_assert_eq(chores.snapshot, f.newest);
		remove_from(&f, KP_ETCD_SNAPSHOTS, 3);
		remove_from(&f, KP_ETCD_SNAPSHOT_PARTS, 3);
	}
	cr_assert(n > 40 && num_refused > 10, "%u, %u", n, num_refused);
	tear_down(&f);
}

Test(etcd_chores, a_snapshot_is_made_or_nothing_is_left_of_it)
{
	go_through_snapshot(false);
}

Test(etcd_chores, a_snapshot_is_made_once_there_is_memory_again)
{
	go_through_snapshot(true);
}

/* Parts of an attempt that came to nothing. */
static void
plant(struct fixture *f, enum kp_etcd_family family, uint64_t number)
{
	char dead[KP_ETCD_ATTEMPT_LEN + 1];
	struct kp_etcd_key parts, key;

	kp_etcd_attempt_new(dead);
	parts = kp_etcd_key_parts(PREFIX, family, number, dead);
	for (uint64_t i = 0; i < 2; i++) {
		key = kp_etcd_key_part(&parts, i);
		put(f, &key, "left");
	}
}

static bool
sweep(struct fixture *f, struct kp_etcd_chores *chores, struct kp_error *err)
{
	return kp_etcd_sweep(&f->inside, chores, err);
}

static void
go_through_sweep(bool is_short)
{
	struct fixture f;
	unsigned n = 0, num_refused = 0, left = 0;
	bool is_ok = true;

	set_up(&f);
	fill(&f);
	while (left == 0 || !is_ok) {
		struct kp_etcd_chores chores = { .swept = 0 };

		plant(&f, KP_ETCD_PARTS, 1);
		plant(&f, KP_ETCD_PARTS, 3);
		plant(&f, KP_ETCD_SNAPSHOT_PARTS, 2);
		n += is_short ? STEP : 1;
		cr_assert(n < MANY);
		left = try_without(&f, sweep, &chores, n, is_short, &is_ok);
		num_refused += !is_ok;
		cr_assert_eq(chores.swept, is_ok ? f.newest : 0);
		if (!is_ok)
			must_do(&f, sweep, &chores);
		/* those of revisions 2 and 3 */
		cr_assert_eq(
		    kp_test_etcd_count(&f.inside, KP_ETCD_PARTS), 2, "%u", n);
		expect_snapshots(&f, 1, true);
	}
	cr_assert(n > 40 && num_refused > 3, "%u, %u", n, num_refused);
	tear_down(&f);
}

Test(etcd_chores, a_sweep_takes_what_is_left_and_nothing_else)
{
	go_through_sweep(false);
}

Test(etcd_chores, a_sweep_is_done_once_there_is_memory_again)
{
	go_through_sweep(true);
}

static bool
compact(struct fixture *f, struct kp_etcd_chores *chores, struct kp_error *err)
{
	(void)chores;
	return kp_etcd_store_compact(&f->inside.store, f->newest, err) ==
	       KP_STORE_OK;
}

/* Revisions as long as what there is, and a snapshot of the newest. */
static void
go_on(struct fixture *f)
{
	struct kp_etcd_chores chores = { .swept = 0 };

	commit(f, "a", "1");
	commit(f, "b", "2");
	commit(f, "a", "3");
	must_do(f, make_snapshot, &chores);
	cr_assert_eq(chores.snapshot, f->newest);
}

static void
go_through_compaction(bool is_short)
{
	struct kp_etcd_chores none = { .swept = 0 };
	struct fixture f;
	unsigned n = 0, num_refused = 0, left = 0;
	bool is_ok = true;

	set_up(&f);
	while (left == 0 || !is_ok) {
		go_on(&f);
		n += is_short ? STEP : 1;
		cr_assert(n < MANY);
		left = try_without(&f, compact, &none, n, is_short, &is_ok);
		num_refused += !is_ok;
		cr_assert_eq(num_at(&f, f.newest), 2);
		if (!is_ok)
			must_do(&f, compact, &none);
		cr_assert_eq(num_at(&f, f.newest), 2);
		cr_assert_eq(
		    kp_test_etcd_count(&f.inside, KP_ETCD_REVISIONS), 0);
		cr_assert_eq(
		    kp_test_etcd_count(&f.inside, KP_ETCD_SNAPSHOTS), 1);
	}
	cr_assert(n > 20 && num_refused > 0, "%u, %u", n, num_refused);
	tear_down(&f);
}

Test(etcd_chores, a_compaction_is_made_or_made_again)
{
	go_through_compaction(false);
}

Test(etcd_chores, a_compaction_is_made_once_there_is_memory_again)
{
	go_through_compaction(true);
}

/* A store with a keeper of its own. */
static struct kp_etcd *
open_store(struct fixture *f)
{
	const char *endpoint = f->etcd.endpoint;
	const struct kp_etcd_config config = {
		.endpoints = &endpoint, .num_endpoints = 1, .lease_ms = LEASE_MS
	};
	struct kp_error err = { 0 };
	struct kp_store *store = kp_etcd_open(&config, &err);

	cr_assert_not_null(store, "%s", err.text);
	return (struct kp_etcd *)store;
}

static struct kp_etcd *
open_leader(struct fixture *f)
{
	struct kp_etcd *etcd = open_store(f);
	int64_t deadline_ms = kp_now_ms() + PATIENCE_MS;

	while (!kp_store_leads(&etcd->store))
		kp_test_etcd_pause(deadline_ms);
	return etcd;
}

/* Until the keeper has renewed its lease so often. */
static void
wait_for_beats(struct kp_etcd *etcd, unsigned num)
{
	int64_t deadline_ms = kp_now_ms() + PATIENCE_MS;

	while (num > 0) {
		int64_t until_ms = atomic_load(&etcd->leads_until_ms);

		while (atomic_load(&etcd->leads_until_ms) == until_ms)
			kp_test_etcd_pause(deadline_ms);
		num--;
	}
}

static void
remove_one(struct fixture *f, const struct kp_etcd_key *key)
{
	const struct kp_etcd_key alone = { "" };
	struct kp_error err = { 0 };

	cr_assert(kp_etcd_remove(&f->inside, key, &alone, &err));
}

static void
give_up_lead(struct fixture *f)
{
	struct kp_etcd_key leader = kp_etcd_key_state(PREFIX, "leader");

	remove_one(f, &leader);
}

Test(etcd_chores, a_sweep_that_failed_is_done_again)
{
	struct fixture f;
	struct kp_etcd *leader;
	struct kp_etcd_key strange;
	int64_t deadline_ms;

	set_up(&f);
	give_up_lead(&f);
	strange = kp_etcd_key_number(PREFIX, KP_ETCD_PARTS, 1);
	put(&f, &strange, "what is this?");
	plant(&f, KP_ETCD_PARTS, 1);
	commit(&f, "a", "1");
	leader = open_leader(&f);
	wait_for_beats(leader, 2);
	cr_assert_eq(kp_test_etcd_count(&f.inside, KP_ETCD_PARTS), 3);
	remove_one(&f, &strange);
	deadline_ms = kp_now_ms() + PATIENCE_MS;
	while (kp_test_etcd_count(&f.inside, KP_ETCD_PARTS) > 0)
		kp_test_etcd_pause(deadline_ms);
	kp_store_close(&leader->store);
	tear_down(&f);
}

/* What it does between two beats is bounded. */
Test(etcd_chores, a_keeper_that_cannot_work_waits)
{
	const unsigned most = 1000000;
	struct fixture f;
	struct kp_etcd *leader;
	struct kp_etcd_key record;
	int64_t began_ms, num_beats;
	unsigned left;

	set_up(&f);
	give_up_lead(&f);
	commit(&f, "a", "1");
	record = kp_etcd_key_number(PREFIX, KP_ETCD_REVISIONS, 1);
	put(&f, &record, "damaged");
	leader = open_leader(&f);
	began_ms = kp_now_ms();
	(void)kp_alloc_fail_after(most);
	wait_for_beats(leader, 2);
	left = kp_alloc_fail_after(0);
	/* some may have been missed */
	num_beats = 2 + (kp_now_ms() - began_ms) / BEAT_MS;
	cr_assert(most - left < 100 * num_beats, "%u allocations", most - left);
	kp_store_close(&leader->store);
	tear_down(&f);
}

static int64_t
cpu_ms(pthread_t thread)
{
	struct timespec used;
	clockid_t clock;

	kp_must(pthread_getcpuclockid(thread, &clock));
	kp_must(clock_gettime(clock, &used));
	return used.tv_sec * 1000 + used.tv_nsec / 1000000;
}

/* It may have led when the sweep became due. */
Test(etcd_chores, a_keeper_that_does_not_lead_waits)
{
	struct fixture f;
	struct kp_etcd *leader, *other;
	struct kp_error err = { 0 };

	set_up(&f);
	give_up_lead(&f);
	commit(&f, "a", "1");
	leader = open_leader(&f);
	other = open_store(&f);
	cr_assert_eq(kp_store_compact(&other->store, 1, &err), KP_STORE_OK);
	wait_for_beats(leader, 2);
	cr_assert(cpu_ms(other->keeper) < 100);
	kp_store_close(&other->store);
	kp_store_close(&leader->store);
	tear_down(&f);
}
