/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/many.h"

#include <stdlib.h>
#include <time.h>

#include "base/alloc.h"

#define HEAD(kind, letter) \
	"apiVersion: kproxy/v1\nkind: " kind "\nmetadata:\n  name: " letter \
	"-%zu\n  labels: {team: t%zu}\nspec:\n"

static void
add_cluster(struct kp_buf *out, size_t i)
{
	kp_buf_printf(out,
	    HEAD("Cluster",
		"c") "  bootstrap:\n    - broker-1.c%zu.example.com:9092\n"
		     "    - broker-2.c%zu.example.com:9092\n"
		     "  connectTimeout: 5s\n",
	    i, i % 50, i, i);
}

static void
add_nodes(struct kp_buf *out, enum kp_test_shape shape, size_t i)
{
	if (shape == KP_TEST_BY_NODE)
		kp_buf_printf(out, "  nodes: {node: n%zu}\n", i);
}

static void
add_listener(struct kp_buf *out, enum kp_test_shape shape, size_t i)
{
	size_t port = shape == KP_TEST_BY_PORT ? 3 * i + 1 : 9000;
	size_t host = shape == KP_TEST_BY_ADDRESS ? i : 0;

	kp_buf_printf(out,
	    HEAD("Listener",
		"l") "  bind: 10.0.%zu.%zu\n  advertisedHost: "
		     "kafka.example.com\n  ports: {bootstrap: %zu, first: "
		     "%zu, count: 2}\n",
	    i, i % 50, host / 256, host % 256, port, port + 1);
	add_nodes(out, shape, i);
}

static void
add_virtual_cluster(struct kp_buf *out, enum kp_test_shape shape, size_t i)
{
	kp_buf_printf(out,
	    HEAD("VirtualCluster", "v") "  cluster: %s-%zu\n  listener: l-%zu\n"
					"  limits: {connections: 100}\n",
	    i, i % 50, shape == KP_TEST_ASTRAY ? "x" : "c", i,
	    shape < KP_TEST_CLASHING ? i : 0);
	add_nodes(out, shape, i);
}

void
kp_test_many_text(struct kp_buf *out, enum kp_test_shape shape, size_t index)
{
	if (index % 3 == 0)
		add_cluster(out, index / 3);
	else if (index % 3 == 1)
		add_listener(out, shape, index / 3);
	else
		add_virtual_cluster(out, shape, index / 3);
	kp_assert(!out->failed);
}

const struct kp_resource *
kp_test_many_one(enum kp_test_shape shape, size_t index)
{
	struct kp_diagnostics diagnostics = { 0 };
	struct kp_resources *set = kp_resources_new();
	const struct kp_resource *resource;
	struct kp_buf text;

	kp_buf_init(&text, 4096);
	kp_test_many_text(&text, shape, index);
	kp_resources_add_file(
	    set, "many.yaml", kp_buf_bytes(&text), &diagnostics);
	kp_assert(kp_diagnostics_count(&diagnostics) == 0);
	resource = kp_resource_ref(kp_resources_at(set, 0));
	kp_resources_free(set);
	kp_buf_fini(&text);
	return resource;
}

const struct kp_resource **
kp_test_many(enum kp_test_shape shape, size_t num)
{
	const struct kp_resource **many = kp_alloc(num, sizeof(*many));

	for (size_t i = 0; i < num; i++)
		many[i] = kp_test_many_one(shape, i);
	return many;
}

void
kp_test_many_free(const struct kp_resource **many, size_t num)
{
	for (size_t i = 0; i < num; i++)
		kp_resource_unref(many[i]);
	free(many);
}

struct kp_resources *
kp_test_many_set(const struct kp_resource *const *many, size_t num)
{
	struct kp_resources *set = kp_resources_new();

	for (size_t i = 0; i < num; i++)
		kp_resources_add_shared(set, many[i]);
	return set;
}

int64_t
kp_test_cpu_ns(void)
{
	struct timespec now;

	kp_assert(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now) == 0);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}
