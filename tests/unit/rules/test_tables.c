/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/tables.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "rules/tables_priv.h"
#include "tests/support/declared.h"

#define RESOURCE(kind, name, spec) \
	"{apiVersion: kproxy/v1, kind: " kind ", metadata: {name: " name \
	"},\nspec: {" spec "}}\n---\n"

/* Every field of the tables is used. */
static const char sample[] = KP_TEST_CLUSTER KP_TEST_LISTENER RESOURCE(
    "Cluster", "t",
    "bootstrap: [a:1, b:2], tls: {ca: {file: ca}, certificate: {file: "
    "cert}, key: {file: key}}") RESOURCE("Listener", "s",
    "bind: 0.0.0.0, sni: {port: 443, bootstrap: k.x, broker: "
    "'b{node}.x'}, proxyProtocol: true, tls: {certificate: {file: "
    "cert}, key: {file: key}, clientCa: {file: ca}, clientAuth: "
    "optional, additionalCertificates: [{certificate: {env: CERT}, "
    "key: {env: KEY}}]}") RESOURCE("VirtualCluster", "v",
    "cluster: t, listener: s, limits: {connections: 3}")
    RESOURCE("VirtualCluster", "w",
	"cluster: c, listener: l, auth: {mode: none}") RESOURCE("Policy", "p",
	"match: {apis: [CreateTopics, DeleteTopics], topics: ['a*'], "
	"virtualClusters: [v]}, variables: [{name: n, expression: "
	"topic.name}], validations: [{expression: variables.n != 'x', "
	"message: no x, messageExpression: variables.n}, {expression: "
	"'true'}], action: warn, failurePolicy: ignore") RESOURCE("Policy", "q",
	"match: {apis: [CreateTopics]}, overrides: [{field: "
	"topic.partitions, expression: '6'}, {field: "
	"\"topic.configs['a']\", expression: topic.name, when: "
	"topic.partitions > 6}]");

static struct kp_tables *
sample_tables(void)
{
	struct kp_diagnostics diagnostics = { 0 };
	struct kp_tables *tables = kp_test_compile(sample, &diagnostics);

	cr_assert_not_null(tables);
	tables->clusters[0].nodes =
	    kp_alloc(1, sizeof(*tables->clusters[0].nodes));
	tables->clusters[0].num_nodes = 1;
	tables->clusters[0].nodes[0].id = 4;
	tables->clusters[0].nodes[0].address.host = kp_strdup("n4");
	tables->clusters[0].nodes[0].address.port = 9094;
	return tables;
}

static struct kp_buf
pack(const struct kp_tables *tables, bool with_secrets)
{
	struct kp_buf packed;

	kp_buf_init(&packed, 1u << 20);
	cr_assert(kp_tables_pack(&packed, tables, with_secrets));
	return packed;
}

Test(tables, pack_and_unpack_give_the_same)
{
	struct kp_tables *tables = sample_tables(), *again;
	struct kp_buf packed = pack(tables, true), repacked;
	struct kp_error err;

	again = kp_tables_unpack(kp_buf_bytes(&packed), &err);
	cr_assert_not_null(again, "%s", err.text);
	repacked = pack(again, true);
	cr_assert(
	    kp_bytes_equal(kp_buf_bytes(&packed), kp_buf_bytes(&repacked)));
	for (int i = 0; i < KP_NUM_LIMITS; i++)
		cr_assert_eq(again->limits.of[i], tables->limits.of[i]);
	cr_assert_eq(again->generation, 7);
	cr_assert_eq(again->log_level, KP_LOG_WARN);
	cr_assert_eq(again->clusters[0].nodes[0].id, 4);
	cr_assert_str_eq(again->clusters[0].nodes[0].address.host, "n4");
	cr_assert_null(again->clusters[0].ca_ref);
	cr_assert_str_eq(
	    again->listeners[0].certificates[1].key_ref, "env:KEY");
	cr_assert(kp_bytes_equal(again->listeners[0].certificates[1].key_pem,
	    kp_bytes_of(KP_TEST_KEY)));
	cr_assert_null(again->listeners[0].advertised_host);
	cr_assert_str_eq(again->listeners[1].advertised_host, "127.0.0.1");
	cr_assert_eq(again->virtual_clusters[1].auth, KP_AUTH_NONE);
	cr_assert_eq(again->num_policies, 2);
	for (size_t i = 0; i < 2; i++)
		cr_assert(kp_tables_policy_equal(
		    &again->policies[i], &tables->policies[i]));
	cr_assert_str_eq(
	    again->policies[1].overrides[1].field, "topic.configs['a']");
	cr_assert_null(again->policies[1].overrides[0].when);
	kp_buf_fini(&packed);
	kp_buf_fini(&repacked);
	kp_tables_free(again);
	kp_tables_free(tables);
}

Test(tables, without_secrets_no_secret_is_in_the_bytes)
{
	struct kp_tables *tables = sample_tables(), *bare;
	struct kp_buf packed = pack(tables, false);
	struct kp_error err;

	cr_assert_null(memmem(packed.data, packed.len, "BEGIN", 5));
	cr_assert_not_null(memmem(packed.data, packed.len, "conf/key", 8));
	bare = kp_tables_unpack(kp_buf_bytes(&packed), &err);
	cr_assert_not_null(bare);
	cr_assert_eq(bare->listeners[0].num_certificates, 2);
	cr_assert_eq(bare->listeners[0].certificates[0].key_pem.len, 0);
	kp_buf_fini(&packed);
	kp_tables_free(bare);
	kp_tables_free(tables);
}

/* Protobuf has no length of the whole: the last field says that it is there. */
Test(tables, a_prefix_is_refused)
{
	struct kp_tables *tables = sample_tables();
	struct kp_buf packed = pack(tables, true);

	for (size_t len = 0; len < packed.len; len++) {
		struct kp_bytes prefix = { packed.data, len };
		struct kp_error err;

		cr_assert_null(kp_tables_unpack(prefix, &err));
	}
	kp_buf_fini(&packed);
	kp_tables_free(tables);
}

/* Tag and value of the two fields that can be the last. */
#define END_LEN 3
static const uint8_t is_whole[END_LEN] = { 0xc0, 0x3e, 1 };
static const uint8_t needs_overrides[END_LEN] = { 0xc8, 0x3e, 1 };

static bool
ends_with(const struct kp_buf *packed, const uint8_t end[END_LEN])
{
	return memcmp(packed->data + packed->len - END_LEN, end, END_LEN) == 0;
}

/* A version that leaves them out finds no end, and refuses the tables. */
Test(tables, overrides_are_not_left_out_by_who_does_not_know_them)
{
	struct kp_tables *tables = sample_tables();
	struct kp_buf packed = pack(tables, true), without;
	struct kp_bytes cut = { packed.data, packed.len - END_LEN };
	struct kp_error err;

	cr_assert(ends_with(&packed, needs_overrides));
	cr_assert_null(memmem(packed.data, packed.len, is_whole, END_LEN));
	cr_assert_null(kp_tables_unpack(cut, &err));
	cr_assert_str_eq(err.text, "rule tables have no end");
	/* something that comes after them */
	packed.data[packed.len - 1] = KP_TABLES_NEED_OVERRIDES + 1;
	cr_assert_null(kp_tables_unpack(kp_buf_bytes(&packed), &err));
	cr_assert_str_eq(
	    err.text, "rule tables say what this version does not know");
	kp_tables_policy_fini(&tables->policies[--tables->num_policies]);
	without = pack(tables, true);
	cr_assert(ends_with(&without, is_whole));
	kp_buf_fini(&without);
	kp_buf_fini(&packed);
	kp_tables_free(tables);
}

static bool
overrides_differ(const char *field, const char *expression, const char *when)
{
	struct kp_tables *tables = sample_tables();
	struct kp_tables_policy copy;
	struct kp_tables_override *one;
	bool differ;

	kp_tables_policy_copy(&copy, &tables->policies[1]);
	cr_assert(kp_tables_policy_equal(&copy, &tables->policies[1]));
	one = &copy.overrides[1];
	free(one->field);
	free(one->expression);
	free(one->when);
	*one = (struct kp_tables_override){ kp_strdup(field),
		kp_strdup(expression), when == NULL ? NULL : kp_strdup(when) };
	differ = !kp_tables_policy_equal(&copy, &tables->policies[1]);
	kp_tables_policy_fini(&copy);
	kp_tables_free(tables);
	return differ;
}

/* Or a change of them would not reach the worker's programs. */
Test(tables, policies_with_other_overrides_are_others)
{
	const char *field = "topic.configs['a']",
		   *when = "topic.partitions > 6";

	cr_assert(!overrides_differ(field, "topic.name", when));
	cr_assert(overrides_differ("topic.configs['b']", "topic.name", when));
	cr_assert(overrides_differ(field, "'x'", when));
	cr_assert(overrides_differ(field, "topic.name", NULL));
}

Test(tables, a_buffer_without_room_is_a_failure)
{
	struct kp_tables *tables = sample_tables();
	struct kp_buf packed;

	kp_buf_init(&packed, 100);
	cr_assert(!kp_tables_pack(&packed, tables, true));
	cr_assert_eq(packed.len, 0);
	kp_buf_fini(&packed);
	kp_tables_free(tables);
}

/* As many as take more than one piece of memory to be packed. */
static void
add_nodes(struct kp_tables_cluster *cluster, size_t num)
{
	size_t all = cluster->num_nodes + num;

	cluster->nodes =
	    kp_try_realloc(cluster->nodes, all * sizeof(*cluster->nodes));
	cr_assert_not_null(cluster->nodes);
	for (; cluster->num_nodes < all; cluster->num_nodes++)
		cluster->nodes[cluster->num_nodes] = (struct kp_tables_node){
			.id = (int32_t)cluster->num_nodes + 100,
			.address = { kp_strdup("many"), 9092 },
		};
}

Test(tables, much_is_packed_in_several_pieces_of_memory)
{
	struct kp_tables *tables = sample_tables(), *again;
	struct kp_buf packed = { 0 }, repacked;
	struct kp_error err;
	unsigned n = 0;
	bool is_packed = false;

	add_nodes(&tables->clusters[0], 5000);
	while (!is_packed) {
		kp_buf_fini(&packed);
		kp_buf_init(&packed, 1u << 20);
		kp_alloc_fail_after(++n);
		is_packed = kp_tables_pack(&packed, tables, true);
		kp_alloc_fail_after(0);
	}
	cr_assert(n > 4);
	again = kp_tables_unpack(kp_buf_bytes(&packed), &err);
	cr_assert_not_null(again, "%s", err.text);
	cr_assert_eq(again->clusters[0].num_nodes, 5001);
	repacked = pack(again, true);
	cr_assert(
	    kp_bytes_equal(kp_buf_bytes(&packed), kp_buf_bytes(&repacked)));
	kp_buf_fini(&packed);
	kp_buf_fini(&repacked);
	kp_tables_free(again);
	kp_tables_free(tables);
}

Test(tables, a_failing_allocation_is_an_error)
{
	struct kp_tables *tables = sample_tables();
	struct kp_buf packed = { 0 };
	unsigned n = 1, num_unpack = 1;

	for (;; n++) {
		bool ok;

		kp_buf_fini(&packed);
		kp_buf_init(&packed, 1u << 20);
		kp_alloc_fail_after(n);
		ok = kp_tables_pack(&packed, tables, true);
		kp_alloc_fail_after(0);
		if (ok)
			break;
		cr_assert(packed.failed && packed.is_refused);
	}
	cr_assert(n > 1);
	for (;; num_unpack++) {
		struct kp_error err;
		struct kp_tables *again;

		kp_alloc_fail_after(num_unpack);
		again = kp_tables_unpack(kp_buf_bytes(&packed), &err);
		kp_alloc_fail_after(0);
		if (again != NULL) {
			kp_tables_free(again);
			break;
		}
		cr_assert_eq(err.kind, KP_ERR_LIMIT, "%s", err.text);
		cr_assert_str_eq(err.text, "no memory for rule tables");
	}
	cr_assert(num_unpack > 50);
	kp_buf_fini(&packed);
	kp_tables_free(tables);
}

/* Each fault is planted in sound tables, packed, and must not come back. */
enum fault {
	NO_LIMIT,
	NO_TIMEOUT,
	NO_BOOTSTRAP,
	BAD_HOST,
	PORT_ZERO,
	BAD_NODE,
	NO_CONNECT_TIMEOUT,
	BAD_BIND,
	PORTS_BEYOND_END,
	BOOTSTRAP_IN_RANGE,
	BAD_FIRST_NODE,
	TLS_WITHOUT_CERTIFICATE,
	AUTH_WITHOUT_TLS,
	SNI_WITHOUT_PATTERN,
	BAD_CLUSTER,
	BAD_LISTENER,
	LISTENER_TWICE,
	BAD_STRATEGY,
	BAD_AUTH,
	BAD_LEVEL,
	NUM_FAULTS,
};

static void
plant_in_listeners(struct kp_tables *tables, enum fault fault)
{
	struct kp_tables_listener *sni = &tables->listeners[0];
	struct kp_tables_listener *ports = &tables->listeners[1];

	if (fault == BAD_BIND)
		ports->bind[0] = 'x';
	if (fault == PORTS_BEYOND_END)
		ports->first_port = 65534;
	if (fault == BOOTSTRAP_IN_RANGE)
		ports->bootstrap_port = 4;
	if (fault == BAD_FIRST_NODE)
		ports->first_node_id = INT32_MAX - 1;
	if (fault == TLS_WITHOUT_CERTIFICATE)
		ports->has_tls = true;
	if (fault == AUTH_WITHOUT_TLS)
		ports->client_auth = KP_CLIENT_AUTH_REQUIRED;
	if (fault == SNI_WITHOUT_PATTERN)
		sni->sni_broker[1] = 'x';
	if (fault == BAD_STRATEGY)
		sni->strategy = (enum kp_listener_strategy)2;
}

static void
plant(struct kp_tables *tables, enum fault fault)
{
	struct kp_tables_cluster *cluster = &tables->clusters[0];

	plant_in_listeners(tables, fault);
	if (fault == NO_LIMIT)
		tables->limits.of[KP_LIMIT_IN_FLIGHT] = 0;
	if (fault == NO_TIMEOUT)
		tables->limits.of[KP_LIMIT_IDLE_TIMEOUT] = -1;
	if (fault == NO_BOOTSTRAP)
		cluster->bootstrap[0].host[0] = '\0';
	if (fault == BAD_HOST)
		cluster->bootstrap[0].host[0] = '/';
	if (fault == PORT_ZERO)
		cluster->bootstrap[0].port = 0;
	if (fault == BAD_NODE)
		cluster->nodes[0].id = -1;
	if (fault == NO_CONNECT_TIMEOUT)
		cluster->connect_timeout_ms = 0;
	if (fault == BAD_CLUSTER)
		tables->virtual_clusters[0].cluster = 2;
	if (fault == BAD_LISTENER)
		tables->virtual_clusters[0].listener = UINT32_MAX;
	if (fault == LISTENER_TWICE)
		tables->virtual_clusters[0].listener = 1;
	if (fault == BAD_AUTH)
		tables->virtual_clusters[0].auth = (enum kp_auth_mode)2;
	if (fault == BAD_LEVEL)
		tables->log_level = (enum kp_log_level)4;
}

Test(tables, whatever_is_not_sound_is_refused)
{
	static const char *const texts[NUM_FAULTS] = {
		[NO_LIMIT] = "a limit is out of its bounds",
		[NO_TIMEOUT] = "a limit is out of its bounds",
		[NO_BOOTSTRAP] = "a bootstrap address is not valid",
		[BAD_HOST] = "a bootstrap address is not valid",
		[PORT_ZERO] = "a bootstrap address is not valid",
		[BAD_NODE] = "a node's address is not valid",
		[NO_CONNECT_TIMEOUT] = "a time limit is not positive",
		[BAD_BIND] = "an address to listen on is not valid",
		[PORTS_BEYOND_END] = "a range of ports is not valid",
		[BOOTSTRAP_IN_RANGE] = "a bootstrap port is a broker's port",
		[BAD_FIRST_NODE] = "a first node id is not valid",
		[TLS_WITHOUT_CERTIFICATE] =
		    "TLS and certificates do not go together",
		[AUTH_WITHOUT_TLS] = "client certificates need TLS",
		[SNI_WITHOUT_PATTERN] = "a pattern of host names has no {node}",
		[BAD_CLUSTER] = "a virtual cluster has no cluster",
		[BAD_LISTENER] = "a virtual cluster has no listener",
		[LISTENER_TWICE] = "a listener is used twice",
		[BAD_STRATEGY] = "a number is out of range",
		[BAD_AUTH] = "a number is out of range",
		[BAD_LEVEL] = "a number is out of range",
	};

	for (enum fault fault = 0; fault < NUM_FAULTS; fault++) {
		struct kp_tables *tables = sample_tables();
		struct kp_buf packed;
		struct kp_error err = { 0 };
		char wanted[128];

		plant(tables, fault);
		packed = pack(tables, true);
		cr_assert_null(kp_tables_unpack(kp_buf_bytes(&packed), &err));
		(void)snprintf(wanted, sizeof(wanted),
		    "rule tables are not valid: %s", texts[fault]);
		cr_assert_str_eq(err.text, wanted);
		kp_buf_fini(&packed);
		kp_tables_free(tables);
	}
}

Test(tables, bytes_that_are_no_tables_are_refused)
{
	static const char *const cases[] = { "", "x", "\xff\xff\xff\xff",
		"\x22\x00", "\x0a\xff\xff\xff\xff\x0f" };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kp_error err = { 0 };

		cr_assert_null(kp_tables_unpack(kp_bytes_of(cases[i]), &err));
		cr_assert(err.kind != KP_ERR_NONE);
	}
}

/* A short text that unfolds to more memory than tables may take. */
Test(tables, unfolding_is_bounded)
{
	struct kp_error err;
	struct kp_buf bomb;
	size_t num = 3u << 20;

	kp_buf_init(&bomb, 64u << 20);
	for (size_t i = 0; i < num; i++)
		kp_buf_add(&bomb, "\x22\x00", 2);
	cr_assert_null(kp_tables_unpack(kp_buf_bytes(&bomb), &err));
	cr_assert_str_eq(
	    err.text, "rule tables of 6291456 bytes could not be read");
	kp_buf_fini(&bomb);
}

Test(tables, nothing_is_freed_without_harm)
{
	kp_tables_free(NULL);
	kp_tables_free(kp_alloc(1, sizeof(struct kp_tables)));
}
