/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/rename/view.h"

#include <criterion/criterion.h>

static char name[] = "main", bind[] = "0.0.0.0", host[] = "kafka.example";
static char boot[] = "boot.example", pattern[] = "b{node}.example";

static const struct kp_tables_listener ports = {
	.name = name,
	.bind = bind,
	.advertised_host = host,
	.strategy = KP_LISTEN_PORTS,
	.bootstrap_port = 9092,
	.first_port = 9100,
	.num_ports = 3,
	.first_node_id = 5,
};

static const struct kp_tables_listener sni = {
	.name = name,
	.bind = bind,
	.strategy = KP_LISTEN_SNI,
	.bootstrap_port = 443,
	.sni_bootstrap = boot,
	.sni_broker = pattern,
};

Test(view, ports_follow_node_ids_within_the_range)
{
	static const struct {
		int32_t id;
		uint16_t port; /* 0: has none */
	} cases[] = { { 5, 9100 }, { 7, 9102 }, { 4, 0 }, { 8, 0 }, { -1, 0 },
		{ INT32_MAX, 0 }, { INT32_MIN, 0 } };
	struct kp_node node;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_assert_eq(kp_view_of_node(&ports, cases[i].id, &node),
		    cases[i].port != 0);
		if (cases[i].port == 0)
			continue;
		cr_assert_eq(node.port, cases[i].port);
		cr_assert_str_eq(node.host, "kafka.example");
	}
}

Test(view, every_port_leads_back_to_its_node)
{
	struct kp_node node;
	int32_t id;

	for (int32_t n = 5; n < 8; n++) {
		cr_assert(kp_view_of_node(&ports, n, &node));
		cr_assert(kp_view_node_of_port(&ports, node.port, &id));
		cr_assert_eq(id, n);
	}
	cr_assert(kp_view_node_of_port(&ports, 9092, &id));
	cr_assert_eq(id, KP_NO_NODE);
	cr_assert(!kp_view_node_of_port(&ports, 9099, &id));
	cr_assert(!kp_view_node_of_port(&ports, 9103, &id));
}

Test(view, every_server_name_leads_back_to_its_node)
{
	static const int32_t ids[] = { 0, 7, 1234567, INT32_MAX };
	struct kp_node node;
	int32_t id;

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		cr_assert(kp_view_of_node(&sni, ids[i], &node));
		cr_assert_eq(node.port, 443);
		cr_assert(kp_view_node_of_name(&sni, node.host, &id));
		cr_assert_eq(id, ids[i]);
	}
	kp_view_of_bootstrap(&sni, &node);
	cr_assert_str_eq(node.host, "boot.example");
}

Test(view, server_names_compare_without_case_and_nothing_else_matches)
{
	static const struct {
		const char *name;
		int32_t id; /* -2: none of ours */
	} cases[] = { { "B7.Example", 7 }, { "BOOT.example", KP_NO_NODE },
		{ "b.example", -2 }, { "bx.example", -2 },
		{ "b-1.example", -2 }, { "b1.example.org", -2 },
		{ "ab1.example", -2 }, { "", -2 },
		{ "b99999999999.example", -2 }, { "b4294967296.example", -2 },
		{ "b+1.example", -2 }, { "b 1.example", -2 } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int32_t id = -2;

		cr_assert_eq(kp_view_node_of_name(&sni, cases[i].name, &id),
		    cases[i].id != -2, "%s", cases[i].name);
		cr_assert_eq(id, cases[i].id, "%s", cases[i].name);
	}
}
