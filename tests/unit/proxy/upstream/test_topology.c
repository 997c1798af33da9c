/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/upstream/topology.h"

#include <criterion/criterion.h>

#include "tests/support/cluster.h"

Test(topology, learns_nodes_in_any_order_and_says_what_is_news)
{
	struct kp_topology *topology = kp_topology_new(&kp_test_cluster);
	static const int32_t ids[] = { 7, 3, 9, 1, 5, 0, 8, 2, 6, 4 };
	struct kp_bytes host = kp_bytes_of("kafka.internal");
	struct kp_node node;

	for (int i = 0; i < 10; i++)
		cr_assert(kp_topology_learn(
		    topology, ids[i], host, (uint16_t)(1000 + ids[i])));
	for (int32_t id = 0; id < 10; id++) {
		cr_assert(kp_topology_find(topology, id, &node));
		cr_assert_eq(node.id, id);
		cr_assert_eq(node.port, 1000 + id);
		cr_assert(!kp_topology_learn(
		    topology, id, host, (uint16_t)(1000 + id)));
	}
	cr_assert(kp_topology_learn(topology, 4, host, 2000));
	cr_assert(kp_topology_learn(topology, 4, kp_bytes_of("moved"), 2000));
	cr_assert(kp_topology_find(topology, 4, &node));
	cr_assert_str_eq(node.host, "moved");
	kp_topology_unref(topology);
}

Test(topology, does_not_believe_impossible_nodes)
{
	struct kp_topology *topology = kp_topology_new(&kp_test_cluster);
	char long_host[KP_HOST_MAX + 2];
	struct kp_bytes with_nul = { (const uint8_t *)"a\0b", 3 };
	struct kp_bytes host = kp_bytes_of("kafka");
	struct kp_node node;

	memset(long_host, 'x', sizeof(long_host) - 1);
	long_host[sizeof(long_host) - 1] = '\0';
	cr_assert(!kp_topology_learn(topology, -1, host, 9092));
	cr_assert(!kp_topology_learn(topology, 1, host, 0));
	cr_assert(!kp_topology_learn(topology, 1, kp_bytes_of(""), 9092));
	cr_assert(!kp_topology_learn(topology, 1, with_nul, 9092));
	cr_assert(
	    !kp_topology_learn(topology, 1, kp_bytes_of(long_host), 9092));
	cr_assert(!kp_topology_find(topology, 1, &node));
	kp_topology_unref(topology);
}

Test(topology, holds_a_bounded_number_of_nodes)
{
	struct kp_topology *topology = kp_topology_new(&kp_test_cluster);
	struct kp_bytes host = kp_bytes_of("kafka");

	for (int32_t id = 0; id < KP_TOPOLOGY_MAX_NODES; id++)
		cr_assert(kp_topology_learn(topology, id, host, 9092));
	cr_assert(
	    !kp_topology_learn(topology, KP_TOPOLOGY_MAX_NODES, host, 9092));
	kp_topology_unref(topology);
}

Test(topology, belongs_to_one_definition_of_a_cluster)
{
	struct kp_topology *topology = kp_topology_new(&kp_test_cluster);
	struct kp_tables_cluster other = kp_test_cluster;
	char name[] = "other";

	cr_assert(kp_topology_is_of(topology, &kp_test_cluster));
	other.num_bootstrap = 1;
	cr_assert(!kp_topology_is_of(topology, &other));
	other = kp_test_cluster;
	other.name = name;
	cr_assert(!kp_topology_is_of(topology, &other));
	kp_topology_unref(topology);
}
