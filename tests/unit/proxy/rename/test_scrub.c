/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/rename/scrub.h"

#include <criterion/criterion.h>

#include "tests/support/cluster.h"

static struct kp_scrub
scrub_new(void)
{
	struct kp_scrub scrub = { .listener = &kp_test_listener,
		.topology = kp_topology_new(&kp_test_cluster) };

	kp_topology_learn(scrub.topology, 1, kp_bytes_of("kafka-1"), 19092);
	kp_topology_learn(scrub.topology, 2, kp_bytes_of("10.9.8.7"), 19092);
	kp_topology_learn(scrub.topology, 3, kp_bytes_of("10.9.8.7"), 19093);
	kp_topology_learn(scrub.topology, 77, kp_bytes_of("kafka-77"), 19092);
	return scrub;
}

Test(scrub, texts_name_the_addresses_that_clients_know)
{
	static const struct {
		const char *text;
		const char *clean; /* NULL: is clean */
	} cases[] = {
		{ "nothing to see", NULL },
		{ "", NULL },
		{ "no answer from kafka-1:19092.",
		    "no answer from proxy.example:9101." },
		{ "kafka-1", "proxy.example" },
		{ "kafka-1.", "proxy.example." },
		{ "kafka-10 kafka-1x xkafka-1 kafka-1.example", NULL },
		{ "10.9.8.7:19092, 10.9.8.7:19093 and 10.9.8.7:1",
		    "proxy.example:9102, proxy.example:9103 and "
		    "proxy.example:1" },
		{ "10.9.8.70 110.9.8.7", NULL },
		/* a node without an address of ours: where clients begin */
		{ "(kafka-77:19092)", "(proxy.example:9092)" },
		{ "seed-1.internal:19092", "proxy.example:9092" },
		{ "kafka-1:190921", "proxy.example:190921" },
	};
	struct kp_scrub scrub = scrub_new();
	struct kp_buf out;

	kp_buf_init(&out, 4096);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool has_changed =
		    kp_scrub_text(&scrub, kp_bytes_of(cases[i].text), &out);

		cr_assert_eq(
		    has_changed, cases[i].clean != NULL, "%s", cases[i].text);
		if (has_changed)
			cr_assert(kp_bytes_equal(kp_buf_bytes(&out),
				      kp_bytes_of(cases[i].clean)),
			    "%.*s", (int)out.len, (char *)out.data);
		kp_buf_clear(&out);
	}
	kp_buf_fini(&out);
	kp_topology_unref(scrub.topology);
}

Test(scrub, in_place_the_length_stays)
{
	struct kp_scrub scrub = scrub_new();
	char text[] = "from kafka-1:19092 to kafka-10 by 10.9.8.7";
	char clean[] = "ask kafka-2";

	cr_assert(kp_scrub_in_place(&scrub, (uint8_t *)text, sizeof(text) - 1));
	cr_assert_str_eq(text, "from ************* to kafka-10 by ********");
	cr_assert(
	    !kp_scrub_in_place(&scrub, (uint8_t *)clean, sizeof(clean) - 1));
	cr_assert_str_eq(clean, "ask kafka-2");
	kp_topology_unref(scrub.topology);
}

Test(scrub, listeners_of_a_broker_become_ours)
{
	static const struct {
		int32_t node;
		const char *value, *clean;
	} cases[] = {
		{ 1, "PLAINTEXT://kafka-1:19092,SSL://other:1",
		    "PLAINTEXT://proxy.example:9101,SSL://proxy.example:9101" },
		{ 1, "1@controller:9093", "" },
		{ 1, "", "" },
		{ 77, "PLAINTEXT://kafka-77:19092", "" },
		{ KP_NO_NODE, "PLAINTEXT://kafka-1:19092", "" },
	};
	struct kp_scrub scrub = scrub_new();
	struct kp_buf out;

	kp_buf_init(&out, 4096);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		kp_buf_clear(&out);
		kp_scrub_listeners(
		    &scrub, cases[i].node, kp_bytes_of(cases[i].value), &out);
		cr_assert(kp_bytes_equal(
		    kp_buf_bytes(&out), kp_bytes_of(cases[i].clean)));
	}
	kp_buf_fini(&out);
	kp_topology_unref(scrub.topology);
}

Test(scrub, configurations_with_endpoints_are_known)
{
	cr_assert(
	    kp_scrub_is_address_config(kp_bytes_of("advertised.listeners")));
	cr_assert(kp_scrub_is_address_config(
	    kp_bytes_of("controller.quorum.voters")));
	cr_assert(!kp_scrub_is_address_config(kp_bytes_of("log.dirs")));
	cr_assert(!kp_scrub_is_address_config(kp_bytes_of("")));
}
