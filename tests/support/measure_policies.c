/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What policies cost, in processor time: a CreateTopics of many topics, judged
 *by many policies of four clauses each.
 *
 *	kp_measure_policies [topics [policies]]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/govern/govern.h"
#include "tests/support/many.h"

#define CREATE_TOPICS 19
#define NEWEST 7

static char rule[] =
    "topic.name.startsWith('team-') && topic.partitions <= 64 && "
    "topic.replicationFactor == 3 && topic.configs['retention.ms'] != '-1'";

static struct kp_policies *
make_policies(size_t num)
{
	static int16_t key = CREATE_TOPICS;
	static struct kp_tables_validation validation = { .expression = rule };
	struct kp_tables_policy *policies = calloc(num, sizeof(*policies));
	struct kp_policies *made;
	struct kp_error err;

	kp_assert(policies != NULL);
	for (size_t i = 0; i < num; i++)
		policies[i] = (struct kp_tables_policy){ .name = rule,
			.apis = &key,
			.num_apis = 1,
			.validations = &validation,
			.num_validations = 1 };
	made = kp_policies_new(policies, num, &err);
	kp_assert(made != NULL);
	free(policies);
	return made;
}

static void
fill_topic(const struct kp_tree *tree, const struct kp_field *fields,
    struct kp_tree_value *topic, size_t number)
{
	struct kp_tree_value *configs;
	const struct kp_field *of_config =
	    fields[kp_tree_find(fields, "Configs")].fields;
	char name[48];

	kp_assert(kp_tree_fill(tree, fields, topic));
	(void)snprintf(name, sizeof(name), "team-orders-%zu", number);
	kp_tree_get(topic, fields, "Name")->text = (struct kp_bytes){
		(const uint8_t *)kp_arena_copy(tree->arena, kp_bytes_of(name)),
		strlen(name)
	};
	kp_tree_get(topic, fields, "NumPartitions")->number = 12;
	kp_tree_get(topic, fields, "ReplicationFactor")->number = 3;
	configs = kp_tree_get(topic, fields, "Configs");
	kp_assert(kp_tree_reserve(tree, configs, 1) != NULL);
	kp_assert(kp_tree_fill(tree, of_config, &configs->items[0]));
	kp_tree_get(&configs->items[0], of_config, "Name")->text =
	    kp_bytes_of("retention.ms");
	kp_tree_get(&configs->items[0], of_config, "Value")->text =
	    kp_bytes_of("86400000");
}

static void
make_request(struct kp_buf *out, size_t num)
{
	const struct kp_message *message = kp_api_find(CREATE_TOPICS)->request;
	struct kp_arena arena;
	struct kp_tree tree;
	size_t at = kp_tree_find(message->fields, "Topics");

	kp_arena_init(&arena, 1u << 30);
	kp_tree_make(&tree, message, NEWEST, &arena);
	kp_assert(kp_tree_reserve(&tree, &tree.root.items[at], num) != NULL);
	for (size_t i = 0; i < num; i++)
		fill_topic(&tree, message->fields[at].fields,
		    &tree.root.items[at].items[i], i);
	kp_tree_write(&tree, out);
	kp_assert(!out->failed);
	kp_arena_fini(&arena);
}

static void
ignore(void *ctx, const struct kp_item *item, const struct kp_finding *finding)
{
	(void)ctx;
	(void)item;
	(void)finding;
}

static size_t
number_of(int argc, char **argv, int index, size_t fallback)
{
	return argc > index ? (size_t)strtoul(argv[index], NULL, 10) : fallback;
}

int
main(int argc, char **argv)
{
	size_t num_topics = number_of(argc, argv, 1, 1000);
	size_t num_policies = number_of(argc, argv, 2, 100);
	struct kp_policies *policies = make_policies(num_policies);
	struct kp_facts facts = { .api_key = CREATE_TOPICS,
		.api_version = NEWEST,
		.principal = "alice",
		.virtual_cluster = "shop",
		.listener = "l",
		.address = "10.0.0.1" };
	struct kp_govern govern = {
		.policies = policies, .facts = &facts, .found = ignore
	};
	struct kp_ruling ruling;
	struct kp_error err;
	struct kp_buf request;
	int64_t begun, took;

	kp_buf_init(&request, 64u << 20);
	make_request(&request, num_topics);
	begun = kp_test_cpu_ns();
	kp_assert(
	    kp_govern_request(&govern, kp_buf_bytes(&request), &ruling, &err));
	took = kp_test_cpu_ns() - begun;
	kp_assert(ruling.kind == KP_RULING_PASS);
	(void)printf("%zu topics, %zu policies: %.1f ms, %.0f ns each\n",
	    num_topics, num_policies, (double)took / 1e6,
	    (double)took / (double)(num_topics * num_policies));
	kp_ruling_fini(&ruling);
	kp_buf_fini(&request);
	kp_policies_unref(policies);
	return 0;
}
