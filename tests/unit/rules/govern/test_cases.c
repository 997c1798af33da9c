/* SPDX-License-Identifier: Apache-2.0 */
/* Cases of policies: what is written is what policies see, in each version. */
#include "rules/govern/cases.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/yaml_write.h"
#include "rules/example.h"
#include "rules/govern/view.h"
#include "tests/support/governed.h"

#define MAX_TEXT 8192

static struct kp_cases *
read_text(const char *text, struct kp_diagnostics *diagnostics)
{
	return kp_cases_new("t.yaml", kp_bytes_of(text), diagnostics);
}

/* A file with one case, whose request and item are in YAML's flow style. */
static struct kp_cases *
read_one(const char *request, const char *item, const char *expected)
{
	struct kp_diagnostics diagnostics = { 0 };
	struct kp_cases *cases;
	char text[MAX_TEXT];

	(void)snprintf(text, sizeof(text),
	    "cases:\n- {name: n, request: {%s}, item: {%s}, %s}\n", request,
	    item, expected);
	cases = read_text(text, &diagnostics);
	cr_assert(cases != NULL, "%s: %s", item,
	    diagnostics.num_lines > 0 ? diagnostics.lines[0] : "");
	cr_assert_eq(kp_diagnostics_count(&diagnostics), 0);
	return cases;
}

/* Can a client send it? Then it is read as what was written. */
static void
check_is_sent(const struct kp_tree *request)
{
	struct kp_arena arena;
	struct kp_tree again;
	struct kp_error err = { 0 };
	struct kp_buf body, body_again;

	kp_buf_init(&body, 1u << 20);
	kp_buf_init(&body_again, 1u << 20);
	kp_arena_init(&arena, 1u << 20);
	kp_tree_write(request, &body);
	cr_assert(
	    !body.failed, "%s v%d", request->message->name, request->version);
	cr_assert(kp_tree_read(&again, request->message, request->version,
		      kp_buf_bytes(&body), &arena, &err),
	    "%s", err.text);
	kp_tree_write(&again, &body_again);
	cr_assert(
	    kp_bytes_equal(kp_buf_bytes(&body), kp_buf_bytes(&body_again)));
	kp_arena_fini(&arena);
	kp_buf_fini(&body_again);
	kp_buf_fini(&body);
}

static struct kp_case_result
run_with(const struct kp_cases *cases, const char *spec)
{
	struct kp_policies *policies = kp_test_policies(spec);
	struct kp_case_result result;

	kp_case_run(&cases->list[0], policies, &result);
	/* what it borrows is not looked at any more */
	for (size_t i = 0; i < result.num_findings; i++)
		result.findings[i].policy = "p";
	kp_policies_unref(policies);
	return result;
}

static void
expect_seen(const char *request, const char *item, const char *expression)
{
	struct kp_cases *cases = read_one(request, item, "expect: allow");
	struct kp_case_result result;
	char spec[MAX_TEXT];

	check_is_sent(&cases->list[0].request);
	(void)snprintf(spec, sizeof(spec),
	    "{match: {apis: [%s]}, validations: [{expression: \"%s\"}]}",
	    kp_api_name(cases->list[0].api->key), expression);
	result = run_with(cases, spec);
	cr_assert(kp_case_is_right(&result), "%s: %s", expression,
	    result.num_findings > 0 ? result.findings[0].text : "");
	kp_case_result_fini(&result);
	kp_cases_free(cases);
}

static const struct {
	const char *request, *item, *expression;
} seen[] = {
	{ "api: CreateTopics",
	    "name: t, partitions: 3, replicationFactor: 2, configs: "
	    "{a.b: 1, c: ''}, validateOnly: true",
	    "topic.name == 't' && topic.partitions == 3 && "
	    "topic.replicationFactor == 2 && topic.configs == {'a.b': "
	    "'1', 'c': ''} && topic.validateOnly" },
	{ "api: CreateTopics, version: 0",
	    "name: t, assignments: [{partition: 0, replicas: [1, 2]}, "
	    "{partition: 1, replicas: [3]}]",
	    "topic.partitions == 2 && topic.replicationFactor == 1 && "
	    "topic.assignments[0].replicas == [1, 2] && "
	    "topic.assignments[1].partition == 1" },
	{ "api: DeleteTopics", "name: t", "topic.name == 't'" },
	{ "api: DeleteTopics, version: 5", "name: t", "topic.name == 't'" },
	{ "api: DeleteRecords",
	    "name: t, partitions: [{partition: 7, offset: "
	    "9223372036854775807}]",
	    "topic.partitions[0].partition == 7 && "
	    "topic.partitions[0].offset == 9223372036854775807" },
	{ "api: JoinGroup",
	    "groupId: g, groupInstanceId: i, sessionTimeoutMs: 5, "
	    "rebalanceTimeoutMs: 6, protocolType: consumer, protocols: "
	    "[{name: range}, {name: mine}]",
	    "member.groupId == 'g' && member.groupInstanceId == 'i' && "
	    "member.sessionTimeoutMs == 5 && member.rebalanceTimeoutMs == 6 "
	    "&& member.protocolType == 'consumer' && "
	    "member.protocols.map(p, p.name) == ['range', 'mine']" },
	{ "api: JoinGroup, version: 0",
	    "groupId: g, sessionTimeoutMs: 5, protocolType: connect",
	    "!has(member.groupInstanceId) && member.rebalanceTimeoutMs == -1 "
	    "&& member.protocols == []" },
	{ "api: ConsumerGroupHeartbeat",
	    "groupId: g, groupInstanceId: i, memberEpoch: 0, rackId: r, "
	    "rebalanceTimeoutMs: 6, subscribedTopicNames: [a, b], "
	    "subscribedTopicRegex: c.*, serverAssignor: uniform",
	    "member.groupId == 'g' && member.groupInstanceId == 'i' && "
	    "member.memberEpoch == 0 && member.rackId == 'r' && "
	    "member.rebalanceTimeoutMs == 6 && member.subscribedTopicNames == "
	    "['a', 'b'] && member.subscribedTopicRegex == 'c.*' && "
	    "member.serverAssignor == 'uniform'" },
	{ "api: ShareGroupHeartbeat",
	    "groupId: g, memberEpoch: -1, rackId: r, subscribedTopicNames: "
	    "[]",
	    "member.groupId == 'g' && member.memberEpoch == -1 && "
	    "member.rackId == 'r' && has(member.subscribedTopicNames) && "
	    "member.subscribedTopicNames == []" },
	{ "api: StreamsGroupHeartbeat",
	    "groupId: g, groupInstanceId: i, memberEpoch: 3, rackId: r, "
	    "rebalanceTimeoutMs: 6",
	    "member.groupId == 'g' && member.groupInstanceId == 'i' && "
	    "member.memberEpoch == 3 && member.rackId == 'r' && "
	    "member.rebalanceTimeoutMs == 6" },
	{ "api: OffsetCommit, version: 9",
	    "topic: t, partitions: [{partition: 1, offset: 5000000000, "
	    "metadata: m}, {partition: 2, offset: 0}], groupId: g, "
	    "groupInstanceId: i, generation: 3",
	    "offsets.topic == 't' && offsets.partitions[0].partition == 1 && "
	    "offsets.partitions[0].offset == 5000000000 && "
	    "offsets.partitions[0].metadata == 'm' && "
	    "!has(offsets.partitions[1].metadata) && offsets.groupId == 'g' "
	    "&& offsets.groupInstanceId == 'i' && offsets.generation == 3" },
	{ "api: OffsetCommit", "groupId: g",
	    "offsets.groupId == 'g' && offsets.generation == -1 && "
	    "offsets.partitions == [] && !has(offsets.groupInstanceId)" },
	{ "api: TxnOffsetCommit, version: 5",
	    "topic: t, partitions: [{partition: 1, offset: 5000000000, "
	    "metadata: m}], groupId: g, groupInstanceId: i, generation: 3, "
	    "transactionalId: x",
	    "offsets.topic == 't' && offsets.partitions[0].partition == 1 && "
	    "offsets.partitions[0].offset == 5000000000 && "
	    "offsets.partitions[0].metadata == 'm' && offsets.groupId == 'g' "
	    "&& offsets.groupInstanceId == 'i' && offsets.generation == 3 && "
	    "offsets.transactionalId == 'x'" },
	{ "api: TxnOffsetCommit", "groupId: g, transactionalId: x",
	    "offsets.groupId == 'g' && offsets.generation == -1 && "
	    "offsets.partitions == [] && !has(offsets.groupInstanceId)" },
	{ "api: OffsetDelete",
	    "topic: t, partitions: [{partition: 1}, {partition: 2}], groupId: "
	    "g",
	    "offsets.topic == 't' && offsets.partitions.map(p, p.partition) "
	    "== [1, 2] && offsets.groupId == 'g'" },
	{ "api: AlterShareGroupOffsets",
	    "topic: t, partitions: [{partition: 1, startOffset: 7}], groupId: "
	    "g",
	    "offsets.topic == 't' && offsets.partitions[0].partition == 1 && "
	    "offsets.partitions[0].startOffset == 7 && offsets.groupId == "
	    "'g'" },
	{ "api: DeleteShareGroupOffsets", "topic: t, groupId: g",
	    "offsets.topic == 't' && offsets.groupId == 'g'" },
	{ "api: AddPartitionsToTxn",
	    "name: t, partitions: [0, 7], transactionalId: x",
	    "topic.name == 't' && topic.partitions == [0, 7] && "
	    "topic.transactionalId == 'x' && request.version == 3" },
	{ "api: InitProducerId", "transactionalId: x, transactionTimeoutMs: 5",
	    "producer.transactionalId == 'x' && "
	    "producer.transactionTimeoutMs == 5" },
	{ "api: EndTxn", "transactionalId: x, isCommitted: true",
	    "transaction.transactionalId == 'x' && "
	    "transaction.isCommitted" },
	{ "api: CreateAcls",
	    "resourceType: transactionalId, resourceName: r, "
	    "principal: 'User:a', host: '*', operation: "
	    "idempotentWrite, permission: deny",
	    "acl.resourceType == 'transactionalId' && acl.resourceName "
	    "== 'r' && acl.patternType == 'literal' && acl.principal "
	    "== 'User:a' && acl.host == '*' && acl.operation == "
	    "'idempotentWrite' && acl.permission == 'deny'" },
	{ "api: DeleteAcls",
	    "resourceType: any, patternType: match, host: h, "
	    "operation: any, permission: any",
	    "acl.resourceType == 'any' && acl.patternType == 'match' "
	    "&& acl.host == 'h' && !has(acl.principal) && "
	    "!has(acl.resourceName)" },
	{ "api: AlterConfigs",
	    "resourceType: broker, name: '', configs: {a: b}",
	    "config.resourceType == 'broker' && config.name == '' && "
	    "config.configs['a'] == 'b' && !config.validateOnly" },
	{ "api: CreatePartitions",
	    "name: t, partitions: 9, assignments: [{replicas: [1]}]",
	    "topic.partitions == 9 && topic.assignments[0].replicas "
	    "== [1]" },
	{ "api: DeleteGroups", "name: g", "group.name == 'g'" },
	{ "api: IncrementalAlterConfigs",
	    "resourceType: topic, name: t, changes: [{name: a, "
	    "operation: append, value: b}, {name: c, operation: "
	    "delete}]",
	    "config.changes[0].operation == 'append' && "
	    "config.changes[0].value == 'b' && config.changes[1].name "
	    "== 'c' && !has(config.changes[1].value)" },
	{ "api: AlterPartitionReassignments",
	    "name: t, partitions: [{partition: 1, replicas: []}, "
	    "{partition: 2}]",
	    "has(reassignment.partitions[0].replicas) && "
	    "!has(reassignment.partitions[1].replicas)" },
	{ "api: AlterClientQuotas",
	    "entities: [{type: user, name: u}, {type: ip}], changes: "
	    "[{key: k, value: 1.5}, {key: l, value: -2e3, isRemoved: "
	    "true}], validateOnly: true",
	    "quota.entities[0].name == 'u' && "
	    "!has(quota.entities[1].name) && quota.changes[0].value "
	    "== 1.5 && quota.changes[1].value == -2000.0 && "
	    "quota.changes[1].isRemoved && quota.validateOnly" },
	{ "api: UnregisterBroker", "id: 4", "broker.id == 4" },
	{ "api: AddRaftVoter", "id: 4", "voter.id == 4" },
	{ "api: RemoveRaftVoter", "id: 4", "voter.id == 4" },
	{ "api: UnregisterController", "id: 4", "controller.id == 4" },
	{ "api: ElectLeaders",
	    "topic: t, partitions: [0, 7], electionType: unclean",
	    "election.topic == 't' && election.partitions == [0, 7] && "
	    "election.electionType == 'unclean'" },
	{ "api: ElectLeaders, version: 0", "topic: t",
	    "has(election.topic) && election.partitions.size() == 0 && "
	    "election.electionType == 'preferred'" },
	{ "api: ElectLeaders", "electionType: preferred",
	    "!has(election.topic) && !has(election.partitions) && "
	    "election.electionType == 'preferred'" },
	{ "api: AlterReplicaLogDirs", "path: /d, topic: t, partitions: [3]",
	    "replicaMove.path == '/d' && replicaMove.topic == 't' && "
	    "replicaMove.partitions == [3]" },
	{ "api: CreateDelegationToken",
	    "ownerType: User, owner: a, renewers: [{type: User, name: b}, "
	    "{type: User, name: c}], maxLifetimeMs: 9223372036854775807",
	    "delegationToken.ownerType == 'User' && delegationToken.owner == "
	    "'a' && delegationToken.renewers[0].type == 'User' && "
	    "delegationToken.renewers[1].name == 'c' && "
	    "delegationToken.maxLifetimeMs == 9223372036854775807" },
	{ "api: CreateDelegationToken", "maxLifetimeMs: -1",
	    "!has(delegationToken.ownerType) && !has(delegationToken.owner) "
	    "&& delegationToken.renewers.size() == 0" },
	{ "api: CreateDelegationToken, version: 2", "maxLifetimeMs: -1",
	    "!has(delegationToken.ownerType) && !has(delegationToken.owner) "
	    "&& delegationToken.owner == ''" },
	{ "api: RenewDelegationToken", "renewTimePeriodMs: 5",
	    "delegationToken.renewTimePeriodMs == 5" },
	{ "api: ExpireDelegationToken", "expiryTimePeriodMs: -1",
	    "delegationToken.expiryTimePeriodMs == -1" },
	{ "api: AlterUserScramCredentials",
	    "user: a, mechanism: SCRAM-SHA-512, operation: upsert, "
	    "iterations: 4096",
	    "credential.user == 'a' && credential.mechanism == "
	    "'SCRAM-SHA-512' && credential.operation == 'upsert' && "
	    "has(credential.iterations) && credential.iterations == 4096" },
	{ "api: AlterUserScramCredentials",
	    "user: a, mechanism: SCRAM-SHA-256, operation: delete",
	    "credential.user == 'a' && credential.mechanism == "
	    "'SCRAM-SHA-256' && credential.operation == 'delete' && "
	    "!has(credential.iterations) && credential.iterations == 0" },
	{ "api: UpdateFeatures",
	    "name: f, maxVersionLevel: 7, upgradeType: unsafeDowngrade, "
	    "validateOnly: true",
	    "feature.name == 'f' && feature.maxVersionLevel == 7 && "
	    "feature.upgradeType == 'unsafeDowngrade' && "
	    "!feature.allowDowngrade && feature.validateOnly" },
	{ "api: UpdateFeatures", "name: f, maxVersionLevel: 7",
	    "feature.upgradeType == 'upgrade' && !feature.validateOnly" },
	{ "api: UpdateFeatures, version: 0", "name: f, maxVersionLevel: 7",
	    "feature.upgradeType == 'upgrade' && !feature.allowDowngrade" },
	{ "api: UpdateFeatures, version: 0",
	    "name: f, maxVersionLevel: 7, allowDowngrade: true",
	    "feature.upgradeType == 'safeDowngrade' && "
	    "feature.allowDowngrade" },
};

Test(cases, items_are_what_policies_see)
{
	for (size_t i = 0; i < sizeof(seen) / sizeof(*seen); i++)
		expect_seen(seen[i].request, seen[i].item, seen[i].expression);
}

Test(cases, what_nobody_says_is_what_clients_send)
{
	expect_seen("api: CreateTopics", "name: t",
	    "topic.partitions == -1 && topic.replicationFactor == -1 && "
	    "topic.configs.size() == 0 && topic.assignments.size() == 0 && "
	    "!topic.validateOnly && request.version == 7 && request.clientId "
	    "== '' && principal.name == 'ANONYMOUS' && virtualCluster.name == "
	    "''");
	expect_seen("api: InitProducerId", "transactionTimeoutMs: 1",
	    "!has(producer.transactionalId)");
}

Test(cases, requests_come_from_somebody)
{
	expect_seen("api: CreateTopics, version: 4, clientId: app, principal: "
		    "alice, virtualCluster: shop, listener: public, address: "
		    "10.0.0.1",
	    "name: t",
	    "request.api == 'CreateTopics' && request.version == 4 && "
	    "request.clientId == 'app' && principal.name == 'alice' && "
	    "virtualCluster.name == 'shop' && connection.listener == 'public' "
	    "&& connection.address == '10.0.0.1'");
}

/* Later heartbeats do not say what has not changed. */
Test(cases, what_a_heartbeat_does_not_say_is_not_set)
{
	static const char *const apis[] = { "ConsumerGroupHeartbeat",
		"ShareGroupHeartbeat", "StreamsGroupHeartbeat" };

	for (size_t i = 0; i < sizeof(apis) / sizeof(*apis); i++) {
		char request[64];

		(void)snprintf(request, sizeof(request), "api: %s", apis[i]);
		expect_seen(request, "groupId: g, memberEpoch: 7",
		    "member.groupId.startsWith('g') && member.memberEpoch == 7 "
		    "&& !has(member.rackId) && member.rackId == ''");
	}
	expect_seen("api: ConsumerGroupHeartbeat", "groupId: g, memberEpoch: 7",
	    "!has(member.groupInstanceId) && !has(member.subscribedTopicNames) "
	    "&& member.subscribedTopicNames == [] && "
	    "!has(member.subscribedTopicRegex) && !has(member.serverAssignor) "
	    "&& member.rebalanceTimeoutMs == -1");
	expect_seen("api: ShareGroupHeartbeat", "groupId: g, memberEpoch: 7",
	    "!has(member.subscribedTopicNames) && "
	    "member.subscribedTopicNames.all(t, t == 'x')");
	expect_seen("api: StreamsGroupHeartbeat", "groupId: g, memberEpoch: 7",
	    "!has(member.groupInstanceId) && member.rebalanceTimeoutMs == -1");
}

static const struct kp_field *
find(const struct kp_field *fields, const char *name)
{
	while (fields->kind != KP_END && strcmp(fields->name, name) != 0)
		fields++;
	return fields->kind == KP_END ? NULL : fields;
}

/* Of the structs of the request down to the item, does one have the field in
 * that version, or is the item no struct? */
static bool
is_said(const struct kp_object_api *api, int16_t version,
    const struct kp_object_field *field)
{
	const struct kp_field *fields = kp_api_find(api->key)->request->fields;
	const char *path[] = { NULL, api->inner, NULL };

	if (field->how == KP_OBJECT_ARRAY)
		return true; /* where the item stands says it */
	for (size_t i = 0; api->items != NULL && api->items[i] != NULL; i++)
		if (kp_field_in(find(fields, api->items[i]), version))
			path[0] = api->items[i]; /* the last has all fields */
	for (size_t i = 0;; i++) {
		const struct kp_field *of =
		    fields == NULL ? NULL : find(fields, field->from);

		if (fields == NULL || (of != NULL && kp_field_in(of, version)))
			return true;
		if (path[i] == NULL)
			return false;
		fields = find(fields, path[i])->fields;
	}
}

/* What that version of an API has of its item, in YAML's flow style. */
static void
write_least(
    char *out, size_t size, const struct kp_object_api *api, int16_t version)
{
	const struct kp_object_field *field = api->type->fields;
	size_t len = 0;

	out[0] = '\0';
	for (; field->how != KP_OBJECT_END; field++) {
		const char *value = "x";

		if (field->words != NULL)
			value = field->words[1].word;
		else if (strcmp(field->type, "int") == 0)
			value = "1";
		else if (strcmp(field->type, "string") != 0)
			continue;
		if (!is_said(api, version, field))
			continue;
		len += (size_t)snprintf(out + len, size - len, "%s%s: %s",
		    len > 0 ? ", " : "", field->name, value);
	}
}

Test(cases, all_versions_can_be_said)
{
	for (size_t i = 0; i < kp_num_object_apis; i++) {
		const struct kp_object_api *api = &kp_object_apis[i];
		const struct kp_message *of = kp_api_find(api->key)->request;
		int16_t max_version = kp_object_max_version(api);
		char item[MAX_TEXT];

		for (int16_t v = of->min_version; v <= max_version; v++) {
			struct kp_cases *cases;
			char request[128];

			if (api->stands_for != 0)
				(void)snprintf(item, sizeof(item), "name: x");
			else
				write_least(item, sizeof(item), api, v);
			(void)snprintf(request, sizeof(request),
			    "api: %s, version: %d", kp_api_name(api->key), v);
			cases = read_one(request, item, "expect: allow");
			check_is_sent(&cases->list[0].request);
			kp_cases_free(cases);
		}
	}
}

/* It may be any topic. */
Test(cases, a_topic_can_be_named_by_its_id)
{
	struct kp_cases *cases = read_one(
	    "api: DeleteTopics", "", "expect: deny, message: the name");
	struct kp_case_result result = run_with(cases,
	    "{match: {apis: [DeleteTopics], topics: [a]}, validations: "
	    "[{expression: topic.name != 'a'}]}");

	cr_assert(kp_case_is_right(&result));
	cr_assert(result.findings[0].is_failure);
	kp_case_result_fini(&result);
	kp_cases_free(cases);
}

/* The same of a version that has names no more. */
Test(cases, a_version_can_name_topics_by_id_only)
{
	struct kp_cases *cases = read_one("api: OffsetCommit, version: 10",
	    "groupId: g", "expect: deny, message: the name");
	struct kp_case_result result = run_with(cases,
	    "{match: {apis: [OffsetCommit], topics: [a]}, validations: "
	    "[{expression: offsets.topic != 'a'}]}");

	cr_assert(kp_case_is_right(&result));
	cr_assert(result.findings[0].is_failure);
	kp_case_result_fini(&result);
	kp_cases_free(cases);
}

/* All else is up to the cluster, and policies for CreateTopics hold. */
Test(cases, a_topic_that_is_named_is_one_with_nothing_else)
{
	struct kp_cases *cases = read_one("api: Metadata, version: 1",
	    "name: a", "expect: deny, message: Metadata 1 a -1 -1 0 0");
	struct kp_case_result result = run_with(cases,
	    "{match: {apis: [CreateTopics], topics: [a]}, validations: "
	    "[{expression: 'false', messageExpression: request.api + ' ' + "
	    "string(request.version) + ' ' + topic.name + ' ' + "
	    "string(topic.partitions) + ' ' + "
	    "string(topic.replicationFactor) + ' ' + "
	    "string(size(topic.configs)) + ' ' + "
	    "string(size(topic.assignments))}]}");

	cr_assert(kp_case_is_right(&result));
	cr_assert_eq(result.num_findings, 1);
	kp_case_result_fini(&result);
	kp_cases_free(cases);
}

/* It may be of any, whatever match.topics says. */
Test(cases, an_election_of_all_is_of_every_topic)
{
	static const char spec[] =
	    "{match: {apis: [ElectLeaders], topics: [a]}, validations: "
	    "[{expression: has(election.topic), message: name them}]}";
	static const struct {
		const char *item, *expected;
	} cases[] = {
		{ "electionType: preferred", "expect: deny, message: name" },
		{ "topic: a, electionType: preferred", "expect: allow" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct kp_cases *file = read_one(
		    "api: ElectLeaders", cases[i].item, cases[i].expected);
		struct kp_case_result result = run_with(file, spec);

		cr_assert(kp_case_is_right(&result));
		kp_case_result_fini(&result);
		kp_cases_free(file);
	}
}

static char *
problems_of(const char *text)
{
	struct kp_diagnostics diagnostics = { 0 };
	struct kp_cases *cases = read_text(text, &diagnostics);
	struct kp_buf joined;
	char *problems;

	cr_assert_eq(cases == NULL, kp_diagnostics_count(&diagnostics) > 0);
	kp_cases_free(cases);
	kp_buf_init(&joined, 1u << 16);
	kp_diagnostics_print(&diagnostics, &joined);
	problems = kp_strdup(kp_buf_text(&joined));
	kp_buf_fini(&joined);
	kp_diagnostics_fini(&diagnostics);
	return problems;
}

static const struct {
	const char *text, *problems;
} wrong[] = {
	{ "case: []\n", "t.yaml:1:1: unknown field \"case\"; did you mean "
			"\"cases\"?\nt.yaml:1:1: \"cases\" is missing\n" },
	{ "cases: []\n", "t.yaml:1:8: cases: must have at least one item\n" },
	{ "cases:\n- {name: n, request: {api: CreateTopic}, item: [], "
	  "expect: no}\n",
	    "t.yaml:2:28: cases[0].request.api: unknown word "
	    "\"CreateTopic\"; did you mean \"CreateTopics\"?\n"
	    "t.yaml:2:48: cases[0].item: must be an object, not a "
	    "list\n"
	    "t.yaml:2:60: cases[0].expect: must be one of \"allow\", "
	    "\"warn\", \"deny\", not \"no\"\n" },
	{ "cases:\n- {name: n, request: {api: CreateTopics}, expect: "
	  "deny,\n   item: {nam: t, partitions: x, configs: [], "
	  "assignments: [{partition: 0, replicas: [1, a]}]}}\n",
	    "t.yaml:3:11: cases[0].item: unknown field \"nam\"; did "
	    "you mean \"name\"?\n"
	    "t.yaml:3:31: cases[0].item.partitions: must be a whole "
	    "number, not \"x\"\n"
	    "t.yaml:3:43: cases[0].item.configs: must be a map of "
	    "texts, not a list\n"
	    "t.yaml:3:90: cases[0].item.assignments[0].replicas[1]: "
	    "must be a whole number, not \"a\"\n"
	    "t.yaml:3:10: cases[0].item: \"name\" is missing\n" },
	/* one case does not hide the next */
	{ "cases:\n- {name: n, request: {api: CreateAcls}, expect: "
	  "deny,\n   item: {resourceType: topik, resourceName: r, "
	  "principal: p, host: h, operation: read, permission: "
	  "allow}}\n- {name: n, request: {api: UnregisterBroker}, "
	  "expect: deny,\n   item: {id: 2147483648}}\n",
	    "t.yaml:3:25: cases[0].item.resourceType: unknown word "
	    "\"topik\"; did you mean \"topic\"?\n"
	    "t.yaml:5:15: cases[1].item.id: 2147483648 is out of "
	    "range, -2147483648 to 2147483647 are allowed\n" },
	{ "cases:\n- {name: n, request: {api: CreateTopics, version: "
	  "0}, expect: deny,\n   item: {name: t, validateOnly: "
	  "true}}\n",
	    "t.yaml:3:20: cases[0].item: \"validateOnly\" is not in "
	    "version 0 of CreateTopics\n" },
	{ "cases:\n- {name: n, request: {api: CreateTopics, version: "
	  "99}, expect: deny, item: {name: t}}\n",
	    "t.yaml:2:51: cases[0].request.version: CreateTopics has "
	    "the versions 0 to 7\n" },
	{ "cases:\n- {name: n, request: {api: AddPartitionsToTxn, "
	  "version: 4}, expect: deny, item: {name: t}}\n",
	    "t.yaml:2:57: cases[0].request.version: "
	    "AddPartitionsToTxn has the versions 0 to 3\n" },
	{ "cases:\n- {name: n, request: {api: CreateTopics}, expect: "
	  "deny,\n   item: {name: t, partitions: 3, assignments: "
	  "[{partition: 0}]}}\n",
	    "t.yaml:3:32: cases[0].item.partitions: is counted from "
	    "assignments, and must not be said\n" },
	{ "cases:\n- {name: n, request: {api: AlterClientQuotas}, "
	  "expect: deny,\n   item: {changes: [{key: a, value: nan}, "
	  "{key: b, value: 1e999}]}}\n",
	    "t.yaml:3:37: cases[0].item.changes[0].value: \"nan\" "
	    "must be a number\n"
	    "t.yaml:3:59: cases[0].item.changes[1].value: \"1e999\" "
	    "must be a number\n" },
	{ "cases:\n- {name: n, request: {api: "
	  "AlterUserScramCredentials}, expect: deny,\n   item: {user: "
	  "a, mechanism: SCRAM-SHA-256, operation: delete, iterations: "
	  "4096}}\n",
	    "t.yaml:3:77: cases[0].item.iterations: is no part of that "
	    "operation, and must not be said\n" },
	{ "{a: 1}\n---\n{b: 1}\n",
	    "t.yaml: must hold one YAML document, not 2\n" },
	{ "a: [\n", "t.yaml:2:1: did not find expected node content\n" },
};

Test(cases, problems_have_a_place)
{
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		char *problems = problems_of(wrong[i].text);

		cr_assert_str_eq(problems, wrong[i].problems);
		free(problems);
	}
}

/* All that is expected must be so. */
Test(cases, results_are_compared_with_what_is_expected)
{
	static const char spec[] =
	    "{match: {apis: [CreateTopics]}, validations: [{expression: "
	    "topic.partitions < 10, message: too many}], action: %s}";
	static const struct {
		const char *action, *item, *expected;
		bool is_decision, are_policies, is_message;
	} cases[] = {
		{ "deny", "partitions: 9", "expect: allow", true, true, true },
		{ "deny", "partitions: 9", "expect: deny", false, true, true },
		{ "deny", "partitions: 9", "expect: warn", false, true, true },
		{ "deny", "partitions: 10", "expect: deny", true, true, true },
		{ "deny", "partitions: 10", "expect: allow", false, true,
		    true },
		{ "warn", "partitions: 10", "expect: warn", true, true, true },
		{ "warn", "partitions: 10", "expect: deny", false, true, true },
		{ "warn", "partitions: 10", "expect: allow", false, true,
		    true },
		{ "deny", "partitions: 10",
		    "expect: deny, policies: [p], message: o many", true, true,
		    true },
		{ "deny", "partitions: 10", "expect: deny, policies: [q]", true,
		    false, true },
		{ "deny", "partitions: 10", "expect: deny, policies: [p, q]",
		    true, false, true },
		{ "deny", "partitions: 10", "expect: deny, policies: []", true,
		    false, true },
		{ "deny", "partitions: 9", "expect: allow, policies: []", true,
		    true, true },
		{ "deny", "partitions: 9", "expect: allow, policies: [p]", true,
		    false, true },
		{ "deny", "partitions: 10", "expect: deny, message: few", true,
		    true, false },
		{ "deny", "partitions: 9", "expect: allow, message: many", true,
		    true, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct kp_case_result result;
		struct kp_cases *file;
		char item[64], full[256];

		(void)snprintf(
		    item, sizeof(item), "name: t, %s", cases[i].item);
		(void)snprintf(full, sizeof(full), spec, cases[i].action);
		file = read_one("api: CreateTopics", item, cases[i].expected);
		result = run_with(file, full);
		cr_assert_eq(result.is_decision_right, cases[i].is_decision);
		cr_assert_eq(result.are_policies_right, cases[i].are_policies);
		cr_assert_eq(result.is_message_right, cases[i].is_message);
		cr_assert_eq(kp_case_is_right(&result),
		    cases[i].is_decision && cases[i].are_policies &&
			cases[i].is_message);
		kp_case_result_fini(&result);
		kp_cases_free(file);
	}
}

Test(cases, files_are_told_from_resources)
{
	cr_assert(kp_cases_are_in(kp_bytes_of("cases: []\n")));
	cr_assert(kp_cases_are_in(kp_bytes_of("case: []\n")));
	cr_assert(!kp_cases_are_in(kp_bytes_of("kind: Policy\n")));
	cr_assert(!kp_cases_are_in(kp_bytes_of("apiVersion: kproxy/v1\n")));
	cr_assert(!kp_cases_are_in(kp_bytes_of("a: [\n")));
	cr_assert(!kp_cases_are_in(kp_bytes_of("")));
}

/* What explain shows is a file that can be tried. */
Test(cases, the_example_is_one)
{
	struct kp_yaml *tree = kp_example_new(&kp_cases_setting);
	struct kp_buf text;
	char *problems;

	kp_buf_init(&text, 1u << 16);
	kp_yaml_write(&text, tree);
	problems = problems_of(kp_buf_text(&text));
	cr_assert_str_eq(problems, "");
	free(problems);
	kp_buf_fini(&text);
	kp_yaml_free(tree);
}
