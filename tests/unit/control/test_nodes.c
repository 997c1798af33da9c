/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "control/agent/nodes.h"

/* Tables with these clusters, whose bootstrap servers are host:9092. */
struct fixture {
	struct kp_tables tables;
	struct kp_tables_cluster clusters[2];
	struct kp_host_port bootstrap[2];
	char names[2][16], hosts[2][16];
};

static void
set_up(struct fixture *f, const char *first, const char *second)
{
	const char *names[] = { first, second };

	*f = (struct fixture){ .tables = { .num_clusters = 0 } };
	for (unsigned i = 0; i < 2 && names[i] != NULL; i++) {
		(void)snprintf(
		    f->names[i], sizeof(f->names[i]), "%s", names[i]);
		(void)snprintf(
		    f->hosts[i], sizeof(f->hosts[i]), "b-%s", names[i]);
		f->bootstrap[i] =
		    (struct kp_host_port){ .host = f->hosts[i], .port = 9092 };
		f->clusters[i].name = f->names[i];
		f->clusters[i].bootstrap = &f->bootstrap[i];
		f->clusters[i].num_bootstrap = 1;
		f->tables.num_clusters++;
	}
	f->tables.clusters = f->clusters;
}

static void
tear_down(struct fixture *f)
{
	for (unsigned i = 0; i < 2; i++) {
		for (size_t n = 0; n < f->clusters[i].num_nodes; n++)
			free(f->clusters[i].nodes[n].address.host);
		free(f->clusters[i].nodes);
	}
}

Test(nodes, what_was_learned_is_put_into_tables)
{
	struct kp_nodes *nodes = kp_nodes_new();
	struct fixture f, again;

	set_up(&f, "one", "two");
	kp_nodes_adopt(nodes, &f.tables);
	cr_assert_eq(f.clusters[0].num_nodes, 0);
	cr_assert(kp_nodes_learn(nodes, "two", 5, "h5", 9093));
	cr_assert(!kp_nodes_learn(nodes, "two", 5, "h5", 9093), "no news");
	cr_assert(kp_nodes_learn(nodes, "two", 5, "h5", 9094));
	cr_assert(kp_nodes_learn(nodes, "two", 5, "h6", 9094));
	set_up(&again, "two", "one");
	kp_nodes_adopt(nodes, &again.tables);
	cr_assert_eq(again.clusters[0].num_nodes, 1);
	cr_assert_eq(again.clusters[0].nodes[0].id, 5);
	cr_assert_str_eq(again.clusters[0].nodes[0].address.host, "h6");
	cr_assert_eq(again.clusters[0].nodes[0].address.port, 9094);
	cr_assert_eq(again.clusters[1].num_nodes, 0);
	/* a second time into the same tables */
	kp_nodes_adopt(nodes, &again.tables);
	cr_assert_eq(again.clusters[0].num_nodes, 1);
	tear_down(&f);
	tear_down(&again);
	kp_nodes_free(nodes);
	kp_nodes_free(NULL);
}

Test(nodes, want_of_memory_makes_no_node_unknown)
{
	struct kp_nodes *nodes = kp_nodes_new();
	struct fixture f;

	set_up(&f, "one", NULL);
	kp_nodes_adopt(nodes, &f.tables);
	cr_assert(kp_nodes_learn(nodes, "one", 5, "h5", 9093));
	kp_alloc_fail_after(1);
	kp_nodes_adopt(nodes, &f.tables);
	kp_alloc_fail_after(0);
	cr_assert_eq(f.clusters[0].num_nodes, 1);
	kp_nodes_adopt(nodes, &f.tables);
	cr_assert_eq(f.clusters[0].num_nodes, 1);
	tear_down(&f);
	kp_nodes_free(nodes);
}

Test(nodes, a_cluster_with_other_bootstrap_servers_is_another_cluster)
{
	struct kp_nodes *nodes = kp_nodes_new();
	struct fixture f;

	set_up(&f, "one", NULL);
	kp_nodes_adopt(nodes, &f.tables);
	cr_assert(kp_nodes_learn(nodes, "one", 1, "h", 1));
	f.bootstrap[0].port = 9999;
	kp_nodes_adopt(nodes, &f.tables);
	cr_assert_eq(f.clusters[0].num_nodes, 0);
	tear_down(&f);
	kp_nodes_free(nodes);
}

/* Of a cluster with these servers, is what was learned kept for those? */
static bool
keeps(const struct kp_host_port *before, size_t num_before,
    const struct kp_host_port *after, size_t num_after)
{
	struct kp_nodes *nodes = kp_nodes_new();
	struct kp_host_port servers[2][3];
	struct fixture f;
	bool is_kept;

	set_up(&f, "one", NULL);
	kp_copy(servers[0], before, num_before * sizeof(*before));
	kp_copy(servers[1], after, num_after * sizeof(*after));
	f.clusters[0].bootstrap = servers[0];
	f.clusters[0].num_bootstrap = num_before;
	kp_nodes_adopt(nodes, &f.tables);
	cr_assert(kp_nodes_learn(nodes, "one", 1, "h", 1));
	f.clusters[0].bootstrap = servers[1];
	f.clusters[0].num_bootstrap = num_after;
	kp_nodes_adopt(nodes, &f.tables);
	is_kept = f.clusters[0].num_nodes == 1;
	tear_down(&f);
	kp_nodes_free(nodes);
	return is_kept;
}

Test(nodes, bootstrap_servers_are_compared_to_the_last_character)
{
	static char a[] = "a", ab[] = "ab", v6[] = "::1", longer[] = "::1:1";
	const struct kp_host_port many[] = { { a, 9092 }, { v6, 1 },
		{ ab, 65535 } };
	struct kp_host_port other[3];

	cr_assert(keeps(many, 3, many, 3));
	cr_assert(!keeps(many, 3, many, 2));
	cr_assert(!keeps(many, 2, many, 3));
	for (unsigned i = 0; i < 3; i++) {
		kp_copy(other, many, sizeof(other));
		other[i].port--;
		cr_assert(!keeps(many, 3, other, 3));
		other[i].port = 909;
		cr_assert(!keeps(many, 3, other, 3));
		kp_copy(other, many, sizeof(other));
		other[i].host = i == 0 ? ab : i == 1 ? longer : a;
		cr_assert(!keeps(many, 3, other, 3));
		cr_assert(!keeps(other, 3, many, 3));
	}
	kp_copy(other, many, sizeof(other));
	other[0] = many[1];
	other[1] = many[0];
	cr_assert(!keeps(many, 3, other, 3));
}

Test(nodes, what_cannot_be_is_not_believed)
{
	static const struct {
		const char *cluster;
		int32_t id;
		const char *host;
		uint32_t port;
	} bad[] = {
		{ "unknown", 1, "h", 1 },
		{ "one", -1, "h", 1 },
		{ "one", 1, "", 1 },
		{ "one", 1, "a b", 1 },
		{ "one", 1, "a\nb", 1 },
		{ "one", 1, "h", 0 },
		{ "one", 1, "h", 65536 },
	};
	struct kp_nodes *nodes = kp_nodes_new();
	struct fixture f;
	char host[300];

	set_up(&f, "one", NULL);
	kp_nodes_adopt(nodes, &f.tables);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect(!kp_nodes_learn(nodes, bad[i].cluster, bad[i].id,
			      bad[i].host, bad[i].port),
		    "%zu", i);
	memset(host, 'a', sizeof(host));
	host[254] = '\0';
	cr_assert(!kp_nodes_learn(nodes, "one", 1, host, 1));
	host[253] = '\0';
	cr_assert(kp_nodes_learn(nodes, "one", 1, host, 1));
	for (int32_t id = 2; id <= KP_NODES_MAX; id++)
		cr_assert(kp_nodes_learn(nodes, "one", id, "h", 1));
	cr_assert(!kp_nodes_learn(nodes, "one", 0, "h", 1), "too many");
	tear_down(&f);
	kp_nodes_free(nodes);
}

Test(nodes, they_survive_packing_and_damage_is_refused)
{
	struct kp_nodes *nodes = kp_nodes_new(), *copy = kp_nodes_new();
	struct kp_error err = { 0 };
	struct kp_bytes bytes;
	struct kp_buf packed;
	struct fixture f;

	set_up(&f, "one", "two");
	kp_nodes_adopt(nodes, &f.tables);
	cr_assert(kp_nodes_learn(nodes, "one", 1, "h1", 1));
	cr_assert(kp_nodes_learn(nodes, "two", 2, "h2", 2));
	kp_buf_init(&packed, 1000);
	cr_assert(kp_nodes_pack(nodes, &packed));
	bytes = kp_buf_bytes(&packed);
	cr_assert(kp_nodes_unpack(copy, bytes, &err), "%s", err.text);
	kp_nodes_adopt(copy, &f.tables);
	cr_assert_eq(f.clusters[1].num_nodes, 1);
	cr_assert_str_eq(f.clusters[1].nodes[0].address.host, "h2");
	/* the last byte is the port */
	packed.data[packed.len - 1] = 0;
	cr_assert(!kp_nodes_unpack(copy, bytes, &err));
	bytes.len--;
	cr_assert(!kp_nodes_unpack(copy, bytes, &err));
	cr_assert(!kp_nodes_learn(copy, "two", 2, "h2", 2), "still known");
	kp_buf_fini(&packed);
	tear_down(&f);
	kp_nodes_free(nodes);
	kp_nodes_free(copy);
}
