/* SPDX-License-Identifier: Apache-2.0 */
/* Policy: what requests that change something must be like. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "rules/compile_priv.h"
#include "rules/govern/policy.h"
#include "rules/kinds/kinds.h"

#define MAX_EXPRESSION_LEN 16384
#define MAX_MESSAGE_LEN 1000
#define MAX_PATTERN_LEN 255
#define MAX_FIELD_LEN 200

/* Those that rules/govern/objects.h has; a test holds both together. */
const struct kp_setting_word kp_policy_api_words[] = {
	{ .word = "CreateTopics", .value = 19 },
	{ .word = "Metadata", .value = 3 },
	{ .word = "DeleteTopics", .value = 20 },
	{ .word = "DeleteRecords", .value = 21 },
	{ .word = "JoinGroup", .value = 11 },
	{ .word = "ConsumerGroupHeartbeat", .value = 68 },
	{ .word = "ShareGroupHeartbeat", .value = 76 },
	{ .word = "StreamsGroupHeartbeat", .value = 88 },
	{ .word = "OffsetCommit", .value = 8 },
	{ .word = "TxnOffsetCommit", .value = 28 },
	{ .word = "OffsetDelete", .value = 47 },
	{ .word = "AlterShareGroupOffsets", .value = 91 },
	{ .word = "DeleteShareGroupOffsets", .value = 92 },
	{ .word = "AddPartitionsToTxn", .value = 24 },
	{ .word = "InitProducerId", .value = 22 },
	{ .word = "EndTxn", .value = 26 },
	{ .word = "CreateAcls", .value = 30 },
	{ .word = "DeleteAcls", .value = 31 },
	{ .word = "AlterConfigs", .value = 33 },
	{ .word = "CreatePartitions", .value = 37 },
	{ .word = "DeleteGroups", .value = 42 },
	{ .word = "IncrementalAlterConfigs", .value = 44 },
	{ .word = "AlterPartitionReassignments", .value = 45 },
	{ .word = "AlterClientQuotas", .value = 49 },
	{ .word = "UnregisterBroker", .value = 64 },
	{ .word = "AddRaftVoter", .value = 80 },
	{ .word = "RemoveRaftVoter", .value = 81 },
	{ .word = "UnregisterController", .value = 94 },
	{ .word = "ElectLeaders", .value = 43 },
	{ .word = "AlterReplicaLogDirs", .value = 34 },
	{ .word = "CreateDelegationToken", .value = 38 },
	{ .word = "RenewDelegationToken", .value = 39 },
	{ .word = "ExpireDelegationToken", .value = 40 },
	{ .word = "AlterUserScramCredentials", .value = 51 },
	{ .word = "UpdateFeatures", .value = 57 },
	{ .word = NULL },
};

static const struct kp_setting_word actions[] = {
	{ .word = "deny", .value = KP_POLICY_DENY },
	{ .word = "warn", .value = KP_POLICY_WARN },
	{ .word = "throttle", .refused = "is not supported in this version" },
	{ .word = NULL },
};

static const struct kp_setting_word failures[] = {
	{ .word = "fail", .value = KP_POLICY_FAIL },
	{ .word = "ignore", .value = KP_POLICY_IGNORE },
	{ .word = NULL },
};

/* A name that "variables.NAME" can select. */
static const char *
complain_variable(const char *text)
{
	static const char letters[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";

	if (text[0] == '\0' || strchr(letters, text[0]) == NULL ||
	    text[strspn(text, letters) +
		 strspn(text + strspn(text, letters), "0123456789")] != '\0')
		return "must be letters, then digits";
	return NULL;
}

static const struct kp_setting match_fields[] = {
	{ .name = "apis",
	    .type = KP_SETTING_ENUM,
	    .is_list = true,
	    .is_required = true,
	    .words = kp_policy_api_words,
	    .help = "Requests that are judged, by their names in Kafka's "
		    "protocol." },
	{ .name = "topics",
	    .type = KP_SETTING_STRING,
	    .is_list = true,
	    .min = 1,
	    .max = MAX_PATTERN_LEN,
	    .example = "orders.*",
	    .help = "Names of topics, in which \"*\" is any text. Without "
		    "any all, and requests that name no topic." },
	{ .name = "virtualClusters",
	    .type = KP_SETTING_STRING,
	    .is_list = true,
	    .min = 1,
	    .max = MAX_PATTERN_LEN,
	    .help = "Names of virtual clusters, in which \"*\" is any text. "
		    "Without any all." },
	{ .type = KP_SETTING_END },
};

static const struct kp_setting variable_fields[] = {
	{ .name = "name",
	    .type = KP_SETTING_STRING,
	    .is_required = true,
	    .min = 1,
	    .max = 63,
	    .complaint = complain_variable,
	    .example = "owner",
	    .help = "Expressions after it know it as variables.NAME." },
	{ .name = "expression",
	    .type = KP_SETTING_STRING,
	    .is_required = true,
	    .min = 1,
	    .max = MAX_EXPRESSION_LEN,
	    .example = "topic.name.split('.')[0]",
	    .help = "Its value, in CEL; evaluated when it is needed." },
	{ .type = KP_SETTING_END },
};

static const struct kp_setting validation_fields[] = {
	{ .name = "expression",
	    .type = KP_SETTING_STRING,
	    .is_required = true,
	    .min = 1,
	    .max = MAX_EXPRESSION_LEN,
	    .example = "topic.replicationFactor >= 3",
	    .help = "What must be true, in CEL." },
	{ .name = "message",
	    .type = KP_SETTING_STRING,
	    .min = 1,
	    .max = MAX_MESSAGE_LEN,
	    .help = "What the client is told where it is not. Without it the "
		    "expression." },
	{ .name = "messageExpression",
	    .type = KP_SETTING_STRING,
	    .min = 1,
	    .max = MAX_EXPRESSION_LEN,
	    .example =
		"'replication factor is ' + string(topic.replicationFactor)",
	    .help = "The same as a text made in CEL; goes before message, "
		    "which is for when it has no value." },
	{ .type = KP_SETTING_END },
};

static const struct kp_setting override_fields[] = {
	{ .name = "field",
	    .type = KP_SETTING_STRING,
	    .is_required = true,
	    .min = 1,
	    .max = MAX_FIELD_LEN,
	    .example = "topic.configs['min.insync.replicas']",
	    .help = "What is set: one of the fields of docs/policies.md." },
	{ .name = "expression",
	    .type = KP_SETTING_STRING,
	    .is_required = true,
	    .min = 1,
	    .max = MAX_EXPRESSION_LEN,
	    .example = "'2'",
	    .help = "To what, in CEL: a number (int) or, of a setting, a "
		    "text." },
	{ .name = "when",
	    .type = KP_SETTING_STRING,
	    .min = 1,
	    .max = MAX_EXPRESSION_LEN,
	    .example = "topic.replicationFactor >= 3",
	    .help = "Only where this is true, in CEL. Without it always." },
	{ .type = KP_SETTING_END },
};

static const struct kp_setting spec_fields[] = {
	{ .name = "match",
	    .type = KP_SETTING_OBJECT,
	    .is_required = true,
	    .fields = match_fields,
	    .help = "What is judged." },
	{ .name = "variables",
	    .type = KP_SETTING_OBJECT,
	    .is_list = true,
	    .fields = variable_fields,
	    .help = "Names for values that expressions share. At most 32." },
	{ .name = "overrides",
	    .type = KP_SETTING_OBJECT,
	    .is_list = true,
	    .fields = override_fields,
	    .help = "What is set in the request, before any policy judges it. "
		    "At most 32." },
	{ .name = "validations",
	    .type = KP_SETTING_OBJECT,
	    .is_list = true,
	    .fields = validation_fields,
	    .example = "[{expression: topic.replicationFactor >= 3}]",
	    .help = "All of them must be true. At most 100; none only where "
		    "there are overrides." },
	{ .name = "action",
	    .type = KP_SETTING_ENUM,
	    .words = actions,
	    .fallback = "deny",
	    .help = "deny: what is not so is refused. warn: it passes, and "
		    "is logged and counted; nothing is set." },
	{ .name = "failurePolicy",
	    .type = KP_SETTING_ENUM,
	    .words = failures,
	    .fallback = "fail",
	    .help = "What an expression that cannot be evaluated means. fail: "
		    "it counts as false, and what could not be set refuses the "
		    "item. ignore: it is logged and counted." },
	KP_RESOURCE_NODES,
	{ .type = KP_SETTING_END },
};

static const struct kp_setting document_fields[] = {
	KP_RESOURCE_ENVELOPE,
	{ .name = "spec",
	    .type = KP_SETTING_OBJECT,
	    .is_required = true,
	    .fields = spec_fields,
	    .help = "Which requests, and what must be true of them." },
	{ .type = KP_SETTING_END },
};

static size_t
count_of(const struct kp_value *list)
{
	return list == NULL ? 0 : list->num_items;
}

static char *
text_of(const struct kp_value *object, const char *path)
{
	const char *text = kp_value_text(object, path);

	return text == NULL ? NULL : kp_strdup(text);
}

static char **
texts_of(const struct kp_value *list)
{
	char **texts = kp_alloc(count_of(list) + 1, sizeof(*texts));

	for (size_t i = 0; i < count_of(list); i++)
		texts[i] = kp_strdup(list->items[i]->text);
	return texts;
}

static void
fill_match(struct kp_tables_policy *out, const struct kp_value *spec)
{
	const struct kp_value *named = kp_value_get(spec, "match.apis");
	const struct kp_value *topics = kp_value_get(spec, "match.topics");
	const struct kp_value *clusters =
	    kp_value_get(spec, "match.virtualClusters");

	out->num_apis = count_of(named);
	out->apis = kp_alloc(out->num_apis + 1, sizeof(*out->apis));
	for (size_t i = 0; i < out->num_apis; i++)
		out->apis[i] = (int16_t)named->items[i]->number;
	out->topics = texts_of(topics);
	out->num_topics = count_of(topics);
	out->virtual_clusters = texts_of(clusters);
	out->num_virtual_clusters = count_of(clusters);
}

static void
fill_expressions(struct kp_tables_policy *out, const struct kp_value *spec)
{
	const struct kp_value *variables = kp_value_get(spec, "variables");
	const struct kp_value *validations = kp_value_get(spec, "validations");

	out->num_variables = count_of(variables);
	out->variables =
	    kp_alloc(out->num_variables + 1, sizeof(*out->variables));
	for (size_t i = 0; i < out->num_variables; i++)
		out->variables[i] = (struct kp_tables_variable){
			.name = text_of(variables->items[i], "name"),
			.expression =
			    text_of(variables->items[i], "expression"),
		};
	out->num_validations = count_of(validations);
	out->validations =
	    kp_alloc(out->num_validations + 1, sizeof(*out->validations));
	for (size_t i = 0; i < out->num_validations; i++) {
		const struct kp_value *from = validations->items[i];

		out->validations[i] = (struct kp_tables_validation){
			.expression = text_of(from, "expression"),
			.message = text_of(from, "message"),
			.message_expression =
			    text_of(from, "messageExpression"),
		};
	}
}

static void
fill_overrides(struct kp_tables_policy *out, const struct kp_value *spec)
{
	const struct kp_value *overrides = kp_value_get(spec, "overrides");

	out->num_overrides = count_of(overrides);
	out->overrides =
	    kp_alloc(out->num_overrides + 1, sizeof(*out->overrides));
	for (size_t i = 0; i < out->num_overrides; i++) {
		const struct kp_value *from = overrides->items[i];

		out->overrides[i] = (struct kp_tables_override){
			.field = text_of(from, "field"),
			.expression = text_of(from, "expression"),
			.when = text_of(from, "when"),
		};
	}
}

static void
fill(struct kp_tables_policy *out, const struct kp_resource *resource)
{
	const struct kp_value *spec = resource->spec;

	*out = (struct kp_tables_policy){
		.name = kp_strdup(resource->name),
		.action =
		    (enum kp_policy_action)kp_value_number(spec, "action"),
		.failure = (enum kp_policy_failure)kp_value_number(
		    spec, "failurePolicy"),
	};
	fill_match(out, spec);
	fill_expressions(out, spec);
	fill_overrides(out, spec);
}

/* Where faults of expressions go. */
struct report {
	const struct kp_resource *resource;
	struct kp_diagnostics *diagnostics;
};

static const struct kp_value *
expression_at(const struct kp_value *spec, const struct kp_policy_fault *fault)
{
	static const struct {
		const char *list, *field;
	} places[] = {
		[KP_POLICY_VARIABLE] = { "variables", "expression" },
		[KP_POLICY_VALIDATION] = { "validations", "expression" },
		[KP_POLICY_MESSAGE] = { "validations", "messageExpression" },
		[KP_POLICY_FIELD] = { "overrides", "field" },
		[KP_POLICY_VALUE] = { "overrides", "expression" },
		[KP_POLICY_WHEN] = { "overrides", "when" },
	};
	const struct kp_value *list =
	    kp_value_get(spec, places[fault->part].list);

	return kp_value_get(
	    list->items[fault->index], places[fault->part].field);
}

static void
report_fault(void *ctx, const struct kp_policy_fault *fault)
{
	const struct report *report = ctx;
	const struct kp_value *at =
	    expression_at(report->resource->spec, fault);
	struct kp_buf text;

	kp_buf_init(&text, 4096);
	kp_cel_render(&text, fault->source, fault->fault);
	kp_resource_problem(report->resource, &at->at, report->diagnostics,
	    "for %s: %s", kp_api_name(fault->api_key), kp_buf_text(&text));
	kp_buf_fini(&text);
}

static bool
check_count(const struct kp_resource *resource, const char *path, size_t max,
    struct kp_diagnostics *diagnostics)
{
	const struct kp_value *list = kp_value_get(resource->spec, path);

	if (count_of(list) <= max)
		return true;
	kp_resource_problem(resource, &list->at, diagnostics,
	    "%zu items, at most %zu are allowed", list->num_items, max);
	return false;
}

/* What is there twice would be asked twice, or hide what is there before. */
static bool
check_twice(const struct kp_resource *resource, const struct kp_value *list,
    const char *path, struct kp_diagnostics *diagnostics)
{
	bool ok = true;

	for (size_t i = 0; i < count_of(list); i++) {
		const struct kp_value *one = list->items[i];
		const char *text =
		    path == NULL ? one->text : kp_value_text(one, path);

		for (size_t k = 0; k < i; k++) {
			const struct kp_value *early = list->items[k];

			if (strcmp(text, path == NULL
					     ? early->text
					     : kp_value_text(early, path)) != 0)
				continue;
			kp_resource_problem(resource, &one->at, diagnostics,
			    "\"%s\" is there twice", text);
			ok = false;
			break;
		}
	}
	return ok;
}

/* Patterns that select nothing would make a policy that never acts. */
static bool
check_topics(
    const struct kp_resource *resource, struct kp_diagnostics *diagnostics)
{
	const struct kp_value *topics =
	    kp_value_get(resource->spec, "match.topics");
	const struct kp_value *named =
	    kp_value_get(resource->spec, "match.apis");
	bool ok = true;

	for (size_t i = 0; topics != NULL && i < named->num_items; i++) {
		const struct kp_value *one = named->items[i];
		const struct kp_object_api *api =
		    kp_object_api_find((int16_t)one->number);

		if (api->topic != NULL)
			continue;
		kp_resource_problem(resource, &one->at, diagnostics,
		    "%s names no topics, and match.topics is said", one->text);
		ok = false;
	}
	return ok;
}

/* What changes nothing must not look as if it did. */
static bool
check_overridden(
    const struct kp_resource *resource, struct kp_diagnostics *diagnostics)
{
	const struct kp_value *named =
	    kp_value_get(resource->spec, "match.apis");
	bool ok = true;

	if (count_of(kp_value_get(resource->spec, "overrides")) == 0)
		return true;
	for (size_t i = 0; i < named->num_items; i++) {
		const struct kp_value *one = named->items[i];

		if (kp_object_api_find((int16_t)one->number)->overrides != NULL)
			continue;
		kp_resource_problem(resource, &one->at, diagnostics,
		    "nothing can be set in %s, and overrides are said",
		    one->text);
		ok = false;
	}
	return ok;
}

static bool
check_purpose(
    const struct kp_resource *resource, struct kp_diagnostics *diagnostics)
{
	const struct kp_value *spec = resource->spec;

	if (count_of(kp_value_get(spec, "validations")) > 0 ||
	    count_of(kp_value_get(spec, "overrides")) > 0)
		return true;
	kp_resource_problem(resource, &spec->at, diagnostics,
	    "validations or overrides must be said");
	return false;
}

static void
check(const struct kp_resource *resource, struct kp_diagnostics *diagnostics)
{
	struct report report = { resource, diagnostics };
	const struct kp_value *spec = resource->spec;
	struct kp_tables_policy policy;
	bool ok;

	ok = check_count(
	    resource, "variables", KP_POLICY_MAX_VARIABLES, diagnostics);
	ok &= check_count(
	    resource, "validations", KP_POLICY_MAX_VALIDATIONS, diagnostics);
	ok &= check_count(
	    resource, "overrides", KP_POLICY_MAX_OVERRIDES, diagnostics);
	ok &= check_count(
	    resource, "match.topics", KP_POLICY_MAX_PATTERNS, diagnostics);
	ok &= check_count(resource, "match.virtualClusters",
	    KP_POLICY_MAX_PATTERNS, diagnostics);
	ok &= check_twice(
	    resource, kp_value_get(spec, "match.apis"), NULL, diagnostics);
	ok &= check_twice(
	    resource, kp_value_get(spec, "variables"), "name", diagnostics);
	ok &= check_twice(
	    resource, kp_value_get(spec, "overrides"), "field", diagnostics);
	ok &= check_topics(resource, diagnostics);
	ok &= check_overridden(resource, diagnostics);
	ok &= check_purpose(resource, diagnostics);
	if (!ok)
		return;
	fill(&policy, resource);
	(void)kp_policy_check(&policy, report_fault, &report);
	kp_tables_policy_fini(&policy);
}

static void
compile(struct kp_compiler *compiler, const struct kp_resource *resource)
{
	struct kp_tables *tables = compiler->tables;

	fill(&tables->policies[tables->num_policies++], resource);
}

const struct kp_resource_kind kp_kind_policy = {
	.name = "Policy",
	.document = { .name = "",
	    .type = KP_SETTING_OBJECT,
	    .since = "0.1",
	    .fields = document_fields,
	    .help = "What requests that change something must be like, as "
		    "expressions over them: docs/policies.md." },
	.check = check,
	.compile = compile,
};
