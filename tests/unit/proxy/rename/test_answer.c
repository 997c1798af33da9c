/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/rename/answer.h"

#include <criterion/criterion.h>

#include "tests/support/cluster.h"
#include "tests/support/message.h"

#define METADATA 3
#define FIND_COORDINATOR 10
#define DESCRIBE_CONFIGS 32

struct fixture {
	struct kp_rename rename;
	struct kp_buf body, wanted, got;
	unsigned num_learned;
};

static void
on_learned(void *context, const struct kp_node *node)
{
	struct fixture *f = context;

	(void)node;
	f->num_learned++;
}

static void
init(struct fixture *f)
{
	*f = (struct fixture){ .num_learned = 0 };
	kp_rename_init(&f->rename, &kp_test_listener,
	    kp_topology_new(&kp_test_cluster), on_learned, f);
	kp_buf_init(&f->body, 65536);
	kp_buf_init(&f->wanted, 65536);
	kp_buf_init(&f->got, 65536);
}

static void
fini(struct fixture *f)
{
	kp_topology_unref(f->rename.scrub.topology);
	kp_rename_fini(&f->rename);
	kp_buf_fini(&f->body);
	kp_buf_fini(&f->wanted);
	kp_buf_fini(&f->got);
}

/* Rewrites body and expects wanted. */
static void
expect(struct fixture *f, int16_t key, int16_t version)
{
	struct kp_visitor visitor = kp_rename_whole(&f->rename);
	struct kp_rewrite rewrite = { 0 };
	struct kp_error err = { 0 };

	cr_assert(kp_walk_whole(kp_api_find(key)->response, version,
		      kp_buf_bytes(&f->body), &visitor, &rewrite, &err),
	    "%s", err.text);
	kp_buf_clear(&f->got);
	for (unsigned i = 0; i < rewrite.num_spans; i++)
		kp_buf_add(&f->got, rewrite.spans[i].iov_base,
		    rewrite.spans[i].iov_len);
	cr_assert_eq(f->got.len, rewrite.total_len);
	cr_assert(
	    kp_bytes_equal(kp_buf_bytes(&f->got), kp_buf_bytes(&f->wanted)));
	kp_rewrite_fini(&rewrite);
}

static void
put_broker(struct kp_buf *out, int32_t id, const char *host, int32_t port)
{
	put_int32(out, id);
	put_string(out, host);
	put_int32(out, port);
	put_int16(out, -1);
}

/* What follows the brokers in Metadata v1: controller, no topics. */
static void
put_rest(struct kp_buf *out)
{
	put_int32(out, 1);
	put_int32(out, 0);
}

Test(answer, metadata_shows_our_addresses_and_teaches_the_real_ones)
{
	struct fixture f;
	struct kp_node node;

	init(&f);
	put_int32(&f.body, 2);
	put_broker(&f.body, 1, "kafka-1.internal", 19092);
	put_broker(&f.body, 2, "kafka-2.internal", 19092);
	put_rest(&f.body);
	put_int32(&f.wanted, 2);
	put_broker(&f.wanted, 1, "proxy.example", 9101);
	put_broker(&f.wanted, 2, "proxy.example", 9102);
	put_rest(&f.wanted);
	expect(&f, METADATA, 1);
	expect(&f, METADATA, 1);
	cr_assert_eq(f.num_learned, 2);
	cr_assert_eq(f.rename.counts.addresses, 4);
	cr_assert(kp_topology_find(f.rename.scrub.topology, 2, &node));
	cr_assert_str_eq(node.host, "kafka-2.internal");
	cr_assert_eq(node.port, 19092);
	fini(&f);
}

Test(answer, a_node_without_an_address_of_ours_is_left_out)
{
	struct fixture f;

	init(&f);
	put_int32(&f.body, 3);
	put_broker(&f.body, 1, "kafka-1.internal", 19092);
	put_broker(&f.body, 100, "kafka-100.internal", 19092);
	put_broker(&f.body, 2, "kafka-2.internal", 19092);
	put_rest(&f.body);
	put_int32(&f.wanted, 2);
	put_broker(&f.wanted, 1, "proxy.example", 9101);
	put_broker(&f.wanted, 2, "proxy.example", 9102);
	put_rest(&f.wanted);
	expect(&f, METADATA, 1);
	cr_assert_eq(f.rename.counts.unmapped, 1);
	fini(&f);
}

static void
put_coordinator(
    struct kp_buf *out, int16_t error, int32_t id, const char *host, int port)
{
	put_int16(out, error);
	put_int32(out, id);
	put_string(out, host);
	put_int32(out, port);
}

Test(answer, a_coordinator_is_rewritten_and_an_error_stays_as_it_is)
{
	struct fixture f;

	init(&f);
	put_coordinator(&f.body, 0, 1, "kafka-1.internal", 19092);
	put_coordinator(&f.wanted, 0, 1, "proxy.example", 9101);
	expect(&f, FIND_COORDINATOR, 0);
	kp_buf_clear(&f.body);
	kp_buf_clear(&f.wanted);
	put_coordinator(&f.body, 15, -1, "", -1);
	put_coordinator(&f.wanted, 15, -1, "", -1);
	expect(&f, FIND_COORDINATOR, 0);
	/* out of range: better the bootstrap address than the real one */
	kp_buf_clear(&f.body);
	kp_buf_clear(&f.wanted);
	put_coordinator(&f.body, 0, 100, "kafka-100.internal", 19092);
	put_coordinator(&f.wanted, 0, 100, "proxy.example", 9092);
	expect(&f, FIND_COORDINATOR, 0);
	fini(&f);
}

static void
put_config(struct kp_buf *out, const char *key, const char *value)
{
	put_string(out, key);
	put_string(out, value);
	put_int8(out, 0); /* read only */
	put_int8(out, 5); /* source */
	put_int8(out, 0); /* sensitive */
	put_int32(out, 1);
	put_string(out, key);
	put_string(out, value);
	put_int8(out, 5);
}

static void
put_configs(struct kp_buf *out, int8_t type, const char *name,
    const char *listeners, const char *voters, const char *other)
{
	put_int32(out, 0); /* throttle time */
	put_int32(out, 1);
	put_int16(out, 0);
	put_int16(out, -1);
	put_int8(out, type);
	put_string(out, name);
	put_int32(out, 3);
	put_config(out, "advertised.listeners", listeners);
	put_config(out, "controller.quorum.voters", voters);
	put_config(out, "broker.rack", other);
}

Test(answer, configurations_of_a_broker_name_no_real_address)
{
	struct fixture f;

	init(&f);
	kp_topology_learn(
	    f.rename.scrub.topology, 1, kp_bytes_of("kafka-1.internal"), 19092);
	put_configs(&f.body, 4, "1", "PLAINTEXT://kafka-1.internal:19092",
	    "9@controller.internal:9093", "rack of kafka-1.internal");
	put_configs(&f.wanted, 4, "1", "PLAINTEXT://proxy.example:9101", "",
	    "rack of proxy.example");
	expect(&f, DESCRIBE_CONFIGS, 1);
	fini(&f);
}

Test(answer, configurations_of_a_topic_stay_as_they_are)
{
	struct fixture f;

	init(&f);
	put_configs(&f.body, 2, "1", "a", "b", "c");
	put_configs(&f.wanted, 2, "1", "a", "b", "c");
	expect(&f, DESCRIBE_CONFIGS, 1);
	fini(&f);
}
