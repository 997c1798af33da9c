/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/govern/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "rules/govern/policy_priv.h"

/* "variables.NAME" */
#define VARIABLE_SIZE 80

/* Types of the host, in the form in which the checker takes them. */
#define MAX_TYPES 64
#define MAX_FIELDS 12
struct host_types {
	struct kp_cel_object_type types[MAX_TYPES];
	struct kp_cel_field fields[MAX_TYPES][MAX_FIELDS];
	size_t num;
};

/* What expressions of one rule can name so far. */
struct scope {
	const struct kp_tables_policy *policy;
	const struct kp_object_api *api;
	const struct host_types *host;
	const char **names, **types;
	size_t num;
	char (*texts)[VARIABLE_SIZE]; /* names of the policy's variables */
};

/* Where faults go. */
struct complaints {
	kp_policy_complain complain;
	void *ctx;
	int16_t api_key;
	bool is_any;
};

static void
fill_type(struct host_types *host, const struct kp_object_type *type)
{
	struct kp_cel_field *fields = host->fields[host->num];
	size_t num = 0;

	for (const struct kp_object_field *f = type->fields;
	     f->how != KP_OBJECT_END; f++) {
		kp_assert(num < MAX_FIELDS);
		fields[num++] = (struct kp_cel_field){ f->name, f->type };
	}
	host->types[host->num++] =
	    (struct kp_cel_object_type){ type->name, fields, num };
}

static void
fill_types(struct host_types *host)
{
	host->num = 0;
	for (size_t i = 0; kp_object_types[i] != NULL; i++) {
		kp_assert(host->num < MAX_TYPES);
		fill_type(host, kp_object_types[i]);
	}
}

static struct kp_cel_program *
compile(struct complaints *to, const struct scope *scope,
    enum kp_policy_part part, size_t index, const char *text,
    const char *result)
{
	struct kp_cel_env env = {
		.variables = scope->names,
		.num_variables = scope->num,
		.types = scope->types,
		.objects = scope->host->types,
		.num_objects = scope->host->num,
		.result = result,
	};
	struct kp_cel_fault fault;
	struct kp_policy_fault out = { part, index, to->api_key,
		kp_bytes_of(text), &fault };
	struct kp_cel_program *program =
	    kp_cel_program_new(out.source, &env, &fault);

	if (program == NULL) {
		to->is_any = true;
		to->complain(to->ctx, &out);
	}
	return program;
}

static void
add_name(struct scope *scope, const char *name, const char *type)
{
	scope->names[scope->num] = name;
	scope->types[scope->num++] = type;
}

static void
open_scope(struct scope *scope, const struct kp_tables_policy *policy,
    const struct kp_object_api *api, const struct host_types *host)
{
	size_t num = kp_num_facts + 1 + policy->num_variables;

	*scope = (struct scope){ .policy = policy, .api = api, .host = host };
	scope->names = kp_alloc(num, sizeof(*scope->names));
	scope->types = kp_alloc(num, sizeof(*scope->types));
	scope->texts = kp_alloc(policy->num_variables + 1, VARIABLE_SIZE);
	for (size_t i = 0; i < kp_num_facts; i++)
		add_name(scope, kp_facts_table[i].name, kp_facts_table[i].type);
	add_name(scope, api->variable, api->type->name);
}

static void
close_scope(struct scope *scope)
{
	free(scope->names);
	free(scope->types);
	free(scope->texts);
}

/* A variable that is none is dyn to others, so that they are judged as well. */
static void
make_variable(struct complaints *to, struct scope *scope, size_t index,
    struct kp_rule *out)
{
	const struct kp_tables_variable *variable =
	    &scope->policy->variables[index];
	struct kp_cel_program *program = compile(
	    to, scope, KP_POLICY_VARIABLE, index, variable->expression, NULL);

	(void)snprintf(
	    scope->texts[index], VARIABLE_SIZE, "variables.%s", variable->name);
	add_name(scope, scope->texts[index],
	    program == NULL ? "dyn" : kp_cel_program_type(program));
	out->variables[index] = program;
}

static void
make_validation(struct complaints *to, struct scope *scope, size_t index,
    struct kp_rule *out)
{
	const struct kp_tables_validation *from =
	    &scope->policy->validations[index];
	struct kp_rule_validation *made = &out->validations[index];

	made->expression = compile(
	    to, scope, KP_POLICY_VALIDATION, index, from->expression, "bool");
	if (from->message_expression != NULL)
		made->message = compile(to, scope, KP_POLICY_MESSAGE, index,
		    from->message_expression, "string");
	made->text = from->message;
}

static void
refuse_field(struct complaints *to, size_t index, const char *text,
    const struct kp_cel_fault *fault)
{
	struct kp_policy_fault out = { KP_POLICY_FIELD, index, to->api_key,
		kp_bytes_of(text), fault };

	to->is_any = true;
	to->complain(to->ctx, &out);
}

static void
make_override(struct complaints *to, struct scope *scope, size_t index,
    struct kp_rule *out)
{
	const struct kp_tables_override *from =
	    &scope->policy->overrides[index];
	struct kp_rule_override *made = &out->overrides[index];
	struct kp_cel_fault fault;

	if (!kp_override_target_init(
		&made->target, scope->api, kp_bytes_of(from->field), &fault)) {
		refuse_field(to, index, from->field, &fault);
		return;
	}
	made->expression = compile(to, scope, KP_POLICY_VALUE, index,
	    from->expression, kp_override_type(&made->target));
	if (from->when != NULL)
		made->when = compile(
		    to, scope, KP_POLICY_WHEN, index, from->when, "bool");
}

static void
make_rule(struct complaints *to, const struct kp_tables_policy *policy,
    int16_t api_key, struct kp_rule *out)
{
	struct host_types host;
	struct scope scope;

	to->api_key = api_key;
	fill_types(&host);
	open_scope(&scope, policy, kp_object_api_find(api_key), &host);
	*out = (struct kp_rule){ .policy = policy };
	out->variables =
	    kp_alloc(policy->num_variables + 1, sizeof(*out->variables));
	out->validations =
	    kp_alloc(policy->num_validations + 1, sizeof(*out->validations));
	out->overrides =
	    kp_alloc(policy->num_overrides + 1, sizeof(*out->overrides));
	for (size_t i = 0; i < policy->num_variables; i++)
		make_variable(to, &scope, i, out);
	for (size_t i = 0; i < policy->num_overrides; i++)
		make_override(to, &scope, i, out);
	for (size_t i = 0; i < policy->num_validations; i++)
		make_validation(to, &scope, i, out);
	close_scope(&scope);
}

static void
rule_fini(struct kp_rule *rule)
{
	for (size_t i = 0; i < rule->policy->num_variables; i++)
		kp_cel_program_free(rule->variables[i]);
	for (size_t i = 0; i < rule->policy->num_validations; i++) {
		kp_cel_program_free(rule->validations[i].expression);
		kp_cel_program_free(rule->validations[i].message);
	}
	for (size_t i = 0; i < rule->policy->num_overrides; i++) {
		kp_override_target_fini(&rule->overrides[i].target);
		kp_cel_program_free(rule->overrides[i].expression);
		kp_cel_program_free(rule->overrides[i].when);
	}
	free(rule->variables);
	free(rule->validations);
	free(rule->overrides);
}

bool
kp_policy_check(const struct kp_tables_policy *policy,
    kp_policy_complain complain, void *ctx)
{
	struct complaints to = { .complain = complain, .ctx = ctx };
	struct kp_rule rule;

	for (size_t i = 0; i < policy->num_apis && !to.is_any; i++) {
		make_rule(&to, policy, policy->apis[i], &rule);
		rule_fini(&rule);
	}
	return !to.is_any;
}

/* Tables were checked before they were sent: this is for those that were not
 * ours. */
static void
remember(void *ctx, const struct kp_policy_fault *fault)
{
	(void)kp_error_set(ctx, KP_ERR_CONFIG, "an expression is not valid: %s",
	    fault->fault->text);
}

static void
add_rule(struct kp_policies *out, struct complaints *to,
    const struct kp_tables_policy *policy, int16_t api_key)
{
	struct kp_rules *rules = &out->of_api[api_key];

	rules->list =
	    kp_realloc(rules->list, rules->num + 1, sizeof(*rules->list));
	make_rule(to, policy, api_key, &rules->list[rules->num++]);
	rules->num_overrides += policy->num_overrides;
}

static bool
names(const struct kp_tables_policy *policy, int16_t api_key)
{
	for (size_t i = 0; i < policy->num_apis; i++)
		if (policy->apis[i] == api_key)
			return true;
	return false;
}

/*
 * What holds for requests of an API holds for whatever stands for them, or that
 * would be a way around; once, if a policy names both.
 */
static bool
make_policy(struct kp_policies *out, const struct kp_tables_policy *policy,
    struct kp_error *err)
{
	struct complaints to = { .complain = remember, .ctx = err };

	for (size_t i = 0; i < policy->num_apis && !to.is_any; i++)
		add_rule(out, &to, policy, policy->apis[i]);
	for (size_t i = 0; i < kp_num_object_apis && !to.is_any; i++) {
		const struct kp_object_api *api = &kp_object_apis[i];

		if (api->stands_for != 0 && names(policy, api->stands_for) &&
		    !names(policy, api->key))
			add_rule(out, &to, policy, api->key);
	}
	if (to.is_any)
		return kp_error_prefix(err, "policy \"%s\"", policy->name);
	return true;
}

static void
policies_free(struct kp_policies *policies)
{
	for (size_t key = 0; key <= KP_MAX_API_KEY; key++) {
		struct kp_rules *rules = &policies->of_api[key];

		for (size_t i = 0; i < rules->num; i++)
			rule_fini(&rules->list[i]);
		free(rules->list);
	}
	for (size_t i = 0; i < policies->num_policies; i++)
		kp_tables_policy_fini(&policies->policies[i]);
	free(policies->policies);
	free(policies);
}

struct kp_policies *
kp_policies_new(const struct kp_tables_policy *policies, size_t num_policies,
    struct kp_error *err)
{
	struct kp_policies *made = kp_alloc(1, sizeof(*made));

	atomic_init(&made->refs, 1);
	made->policies = kp_alloc(num_policies + 1, sizeof(*made->policies));
	for (; made->num_policies < num_policies; made->num_policies++)
		kp_tables_policy_copy(&made->policies[made->num_policies],
		    &policies[made->num_policies]);
	for (size_t i = 0; i < num_policies; i++) {
		if (make_policy(made, &made->policies[i], err))
			continue;
		policies_free(made);
		return NULL;
	}
	return made;
}

struct kp_policies *
kp_policies_ref(struct kp_policies *policies)
{
	(void)atomic_fetch_add(&policies->refs, 1);
	return policies;
}

void
kp_policies_unref(struct kp_policies *policies)
{
	if (policies != NULL && atomic_fetch_sub(&policies->refs, 1) == 1)
		policies_free(policies);
}

bool
kp_policies_are_of(const struct kp_policies *policies,
    const struct kp_tables_policy *of, size_t num_of)
{
	if (policies->num_policies != num_of)
		return false;
	for (size_t i = 0; i < num_of; i++)
		if (!kp_tables_policy_equal(&policies->policies[i], &of[i]))
			return false;
	return true;
}
