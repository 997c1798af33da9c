/* SPDX-License-Identifier: Apache-2.0 */
/* What a snapshot takes over of the one before, and what it makes anew. */
#include "proxy/session/snapshot.h"

#include <criterion/criterion.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/declared.h"
#include "tests/support/many.h"
#include "tests/support/streams.h"
#include "tests/support/tls_world.h"

#define NUM 3 /* clusters, listeners and virtual clusters */
#define PUBLISHED 1000
#define FEW 600
#define MANY 6000
#define MAX_GROWTH 33

/* Borrowed parts, which tests change before tables are made of them. */
struct world {
	struct kp_test_world tls;
	struct kp_host_port bootstrap;
	struct kp_tables tables;
	struct kp_tables_cluster clusters[NUM];
	struct kp_tables_listener listeners[NUM];
	struct kp_tables_virtual_cluster virtual[NUM];
	struct kp_snapshot *current;
};

static char clusters[NUM][4] = { "c0", "c1", "c2" };
static char listeners[NUM][4] = { "l0", "l1", "l2" };
static char names[NUM][4] = { "v0", "v1", "v2" };
static char host[] = "b.example", address[] = "127.0.0.1";

/* v0 and v1 lead to c0, v2 to c2; all of it with TLS. */
static void
set_up(struct world *w)
{
	*w = (struct world){ .current = NULL };
	kp_test_world_init(&w->tls, &kp_test_broker);
	w->bootstrap = (struct kp_host_port){ host, 9092 };
	for (uint32_t i = 0; i < NUM; i++) {
		w->clusters[i] = w->tls.cluster;
		w->clusters[i].name = clusters[i];
		w->clusters[i].bootstrap = &w->bootstrap;
		w->clusters[i].num_bootstrap = 1;
		w->clusters[i].connect_timeout_ms = 1000;
		w->listeners[i] = w->tls.listener;
		w->listeners[i].name = listeners[i];
		w->listeners[i].bind = w->listeners[i].advertised_host =
		    address;
		w->listeners[i].bootstrap_port = (uint16_t)(1000 + 10 * i);
		w->listeners[i].first_port = (uint16_t)(1001 + 10 * i);
		w->listeners[i].num_ports = 1;
		w->virtual[i].name = names[i];
		w->virtual[i].listener = i;
		w->virtual[i].cluster = i == 2 ? 2 : 0;
	}
	kp_limits_default(&w->tables.limits);
	w->tables.clusters = w->clusters;
	w->tables.listeners = w->listeners;
	w->tables.virtual_clusters = w->virtual;
	w->tables.num_clusters = w->tables.num_listeners =
	    w->tables.num_virtual_clusters = NUM;
}

/* A snapshot of the tables as they are, as the worker makes it. */
static struct kp_snapshot *
build(struct world *w, const struct kp_snapshot *before)
{
	struct kp_snapshot *snapshot = NULL;
	struct kp_tables *tables = NULL;
	struct kp_error err = { 0 };
	struct kp_buf packed;

	kp_buf_init(&packed, 1 << 20);
	cr_assert(kp_tables_pack(&packed, &w->tables, true));
	tables = kp_tables_unpack(kp_buf_bytes(&packed), &err);
	cr_assert_not_null(tables, "%s", err.text);
	snapshot = kp_snapshot_new(&tables, before, w->tls.tickets, NULL, &err);
	cr_assert_not_null(snapshot, "%s", err.text);
	kp_buf_fini(&packed);
	return snapshot;
}

static void
publish(struct world *w)
{
	struct kp_snapshot *next = build(w, w->current);

	kp_snapshot_unref(w->current);
	w->current = next;
}

static void
tear_down(struct world *w)
{
	kp_snapshot_unref(w->current);
	kp_test_world_fini(&w->tls);
}

static const struct kp_endpoint *
endpoint(const struct kp_snapshot *snapshot, size_t i)
{
	const struct kp_endpoint *found = kp_snapshot_find(snapshot, names[i]);

	cr_assert_not_null(found);
	return found;
}

/* Which parts of which endpoint are the same in both, as bits. */
enum { SERVER = 1, CLIENT = 2, TOPOLOGY = 4, ALL = 7 };

static unsigned
same(const struct kp_snapshot *a, const struct kp_snapshot *b, size_t i)
{
	const struct kp_endpoint *x = endpoint(a, i), *y = endpoint(b, i);

	return (x->tls_server == y->tls_server ? SERVER : 0) |
	       (x->tls_client == y->tls_client ? CLIENT : 0) |
	       (x->topology == y->topology ? TOPOLOGY : 0);
}

Test(snapshot, what_did_not_change_is_taken_over)
{
	struct kp_tables_listener first_listener;
	struct kp_tables_cluster first_cluster;
	struct kp_snapshot *next;
	struct world w;

	set_up(&w);
	publish(&w);
	first_listener = w.listeners[0];
	first_cluster = w.clusters[0];
	next = build(&w, w.current);
	for (size_t i = 0; i < NUM; i++)
		cr_assert_eq(same(w.current, next, i), ALL);
	kp_snapshot_unref(next);
	/* in another order, and one less */
	w.clusters[2] = first_cluster;
	w.clusters[0].name = clusters[2];
	w.listeners[0].name = listeners[1];
	w.listeners[1] = first_listener;
	w.virtual[0].name = names[2];
	w.virtual[0].cluster = 0;
	w.virtual[0].listener = 2;
	w.virtual[1].cluster = 2;
	w.virtual[1].listener = 0;
	w.tables.num_virtual_clusters = 2;
	next = build(&w, w.current);
	cr_assert_eq(same(w.current, next, 1), ALL);
	cr_assert_eq(same(w.current, next, 2), ALL);
	kp_snapshot_unref(next);
	tear_down(&w);
}

Test(snapshot, endpoints_of_one_cluster_share_what_leads_to_it)
{
	const struct kp_endpoint *e[NUM];
	struct world w;

	set_up(&w);
	publish(&w);
	for (size_t i = 0; i < NUM; i++)
		e[i] = endpoint(w.current, i);
	cr_assert_eq(e[0]->tls_client, e[1]->tls_client);
	cr_assert_eq(e[0]->topology, e[1]->topology);
	cr_assert(e[0]->tls_server != e[1]->tls_server);
	cr_assert(e[0]->tls_client != e[2]->tls_client);
	cr_assert(e[0]->topology != e[2]->topology);
	/* one more of a cluster that was there, under a new listener */
	w.virtual[2].cluster = 0;
	publish(&w);
	e[0] = endpoint(w.current, 0);
	e[2] = endpoint(w.current, 2);
	cr_assert_eq(e[0]->tls_client, e[2]->tls_client);
	cr_assert_eq(e[0]->topology, e[2]->topology);
	tear_down(&w);
}

/* Each of the changes after which something is not the same. */
static void
change(struct world *w, unsigned which, struct kp_key_pair *other)
{
	static char renamed[] = "l9", elsewhere[] = "elsewhere.example";
	static struct kp_key_pair pairs[2];

	switch (which) {
	case 0:
		w->listeners[0].certificates = other;
		break;
	case 1:
		pairs[0] = w->tls.pair;
		pairs[1] = *other;
		w->listeners[0].certificates = pairs;
		w->listeners[0].num_certificates = 2;
		break;
	case 2:
		w->listeners[0].client_auth = KP_CLIENT_AUTH_REQUIRED;
		break;
	case 3:
		w->listeners[0].client_ca_pem = kp_test_ca_pem(w->tls.other_ca);
		break;
	case 4:
		w->listeners[0].name = renamed;
		break;
	case 5:
		w->clusters[0].ca_pem = kp_test_ca_pem(w->tls.other_ca);
		break;
	case 6:
		w->clusters[0].client = *other;
		break;
	case 7:
		w->clusters[0].is_hostname_verified = false;
		break;
	case 8:
		w->clusters[0].has_tls = false;
		break;
	case 9:
		w->bootstrap.host = elsewhere;
		break;
	default:
		w->clusters[0].connect_timeout_ms = 2000;
		w->listeners[0].has_proxy_protocol = true;
		w->listeners[0].certificates = &pairs[0];
		pairs[0] = w->tls.pair;
		pairs[0].key_ref = pairs[0].certificate_ref = elsewhere;
	}
}

Test(snapshot, what_changed_is_made_anew_and_nothing_else)
{
	static const unsigned expected[] = { ALL - SERVER, ALL - SERVER,
		ALL - SERVER, ALL - SERVER, ALL - SERVER, ALL - CLIENT,
		ALL - CLIENT, ALL - CLIENT, ALL - CLIENT, ALL - TOPOLOGY, ALL };

	for (unsigned i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		struct kp_key_pair other;
		struct kp_snapshot *next;
		struct world w;

		set_up(&w);
		kp_test_issue(&other, w.tls.ca, &kp_test_broker);
		publish(&w);
		change(&w, i, &other);
		next = build(&w, w.current);
		cr_expect(same(w.current, next, 0) == expected[i], "%u", i);
		cr_expect(
		    same(w.current, next, 2) == (i == 9 ? ALL - TOPOLOGY : ALL),
		    "%u", i);
		kp_snapshot_unref(next);
		tear_down(&w);
		kp_test_key_pair_fini(&other);
	}
}

/* A key of another certificate; the same key with another certificate. */
Test(snapshot, a_key_alone_that_changed_is_not_overlooked)
{
	struct kp_key_pair other, mixed;
	struct kp_tables_listener a, b;
	struct world w;

	set_up(&w);
	kp_test_issue(&other, w.tls.ca, &kp_test_broker);
	a = b = w.tls.listener;
	b.certificates = &mixed;
	mixed = w.tls.pair;
	cr_assert(kp_tls_server_is_same(&a, &b));
	mixed.key_pem = other.key_pem;
	cr_assert(!kp_tls_server_is_same(&a, &b));
	mixed = w.tls.pair;
	mixed.certificate_pem = other.certificate_pem;
	cr_assert(!kp_tls_server_is_same(&a, &b));
	kp_test_key_pair_fini(&other);
	tear_down(&w);
}

static bool
shakes_hands(const struct kp_endpoint *server, struct kp_tls_client *client)
{
	struct kp_test_streams streams;
	bool is_done;

	kp_test_tls(&streams, server->tls_server, client, "b.example");
	is_done = kp_test_handshake(&streams) &&
		  kp_test_say(&streams.client, &streams.server, "hello") &&
		  kp_test_say(&streams.server, &streams.client, "welcome");
	kp_test_streams_fini(&streams);
	return is_done;
}

/* Without a session, which would not be verified again. */
static bool
is_trusted(const struct kp_endpoint *server, struct kp_test_world *tls)
{
	struct kp_tls_client *client =
	    kp_tls_client_new(&tls->cluster, &tls->err);
	bool is_done = shakes_hands(server, client);

	kp_tls_client_unref(client);
	return is_done;
}

Test(snapshot, handshakes_work_after_the_snapshot_before_is_gone)
{
	struct kp_key_pair other;
	struct world w;

	set_up(&w);
	kp_test_issue(&other, w.tls.other_ca, &kp_test_broker);
	for (unsigned i = 0; i < 3; i++) {
		const struct kp_endpoint *v0;

		publish(&w);
		v0 = endpoint(w.current, 0);
		cr_assert(shakes_hands(v0, v0->tls_client));
		cr_assert(is_trusted(v0, &w.tls));
	}
	w.listeners[0].certificates = &other;
	publish(&w);
	cr_assert(!is_trusted(endpoint(w.current, 0), &w.tls));
	cr_assert(is_trusted(endpoint(w.current, 1), &w.tls));
	w.clusters[0].ca_pem = kp_test_ca_pem(w.tls.other_ca);
	publish(&w);
	cr_assert(shakes_hands(
	    endpoint(w.current, 0), endpoint(w.current, 0)->tls_client));
	cr_assert(!shakes_hands(
	    endpoint(w.current, 1), endpoint(w.current, 0)->tls_client));
	kp_test_key_pair_fini(&other);
	tear_down(&w);
}

static void
publish_often(struct world *w, int number)
{
	for (int i = 0; i < number; i++) {
		w->clusters[0].connect_timeout_ms = 1000 + i % 2;
		publish(w);
	}
}

/* The least that malloc gives out, for each change, would be more. */
Test(snapshot, a_thousand_changes_leave_no_memory_behind)
{
	struct world w;
	size_t before;

	set_up(&w);
	publish_often(&w, 100);
	before = mallinfo2().uordblks;
	publish_often(&w, PUBLISHED);
	cr_assert(mallinfo2().uordblks < before + PUBLISHED * 16, "%zu, %zu",
	    before, (size_t)mallinfo2().uordblks);
	tear_down(&w);
}

/* The time that a snapshot takes that is like the one before. */
static int64_t
measure(const struct kp_resource *const *many, size_t num)
{
	struct kp_diagnostics diagnostics = { 0 };
	struct kp_limits limits;
	struct kp_resources *set = kp_test_many_set(many, num);
	const struct kp_compile_input input = { .resources = set,
		.limits = &limits,
		.read_secret = kp_test_read_secret };
	struct kp_snapshot *snapshots[2] = { NULL, NULL };
	struct kp_error err = { 0 };
	int64_t took = 0;

	kp_limits_default(&limits);
	cr_assert(kp_resources_check(set, &diagnostics));
	for (unsigned i = 0; i < 2; i++) {
		struct kp_tables *tables = kp_compile(&input, &diagnostics);

		cr_assert_eq(tables->num_virtual_clusters, num / 3);
		took = kp_test_cpu_ns();
		snapshots[i] =
		    kp_snapshot_new(&tables, snapshots[0], NULL, NULL, &err);
		took = kp_test_cpu_ns() - took;
		cr_assert_not_null(snapshots[i]);
	}
	kp_snapshot_unref(snapshots[0]);
	kp_snapshot_unref(snapshots[1]);
	kp_resources_free(set);
	kp_diagnostics_fini(&diagnostics);
	return took;
}

static int64_t
least(const struct kp_resource *const *many, size_t num)
{
	int64_t best = INT64_MAX;

	for (int i = 0; i < 5; i++) {
		int64_t took = measure(many, num);

		best = took < best ? took : best;
	}
	return best;
}

/* As tests/unit/rules/test_many.c has it: a hundred times would be too long. */
Test(snapshot, ten_times_as_many_take_about_ten_times_as_long)
{
	const struct kp_resource **many = kp_test_many(KP_TEST_BY_PORT, MANY);
	int64_t few = least(many, FEW);
	int64_t all = least(many, MANY);

	cr_assert(all < MAX_GROWTH * few, "%lld ns, %lld ns", (long long)few,
	    (long long)all);
	kp_test_many_free(many, MANY);
}
