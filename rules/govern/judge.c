/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/govern/judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/glob.h"
#include "base/utf8.h"
#include "rules/govern/judge_priv.h"

static struct kp_cel_value
text(const char *borrowed)
{
	return kp_cel_string(kp_bytes_of(borrowed));
}

static struct kp_cel_value
get_api(const struct kp_facts *facts)
{
	return text(kp_api_name(facts->api_key));
}

static struct kp_cel_value
get_version(const struct kp_facts *facts)
{
	return kp_cel_int(facts->api_version);
}

static struct kp_cel_value
get_client_id(const struct kp_facts *facts)
{
	if (!kp_utf8_is_valid(facts->client_id))
		return kp_cel_error("the client id is not UTF-8");
	return kp_cel_string(facts->client_id);
}

/* Kafka calls those whom nobody knows so. */
static struct kp_cel_value
get_principal(const struct kp_facts *facts)
{
	if (facts->principal[0] == '\0')
		return text("ANONYMOUS");
	if (!kp_utf8_is_valid(kp_bytes_of(facts->principal)))
		return kp_cel_error("the principal is not UTF-8");
	return text(facts->principal);
}

static struct kp_cel_value
get_virtual_cluster(const struct kp_facts *facts)
{
	return text(facts->virtual_cluster);
}

static struct kp_cel_value
get_listener(const struct kp_facts *facts)
{
	return text(facts->listener);
}

static struct kp_cel_value
get_address(const struct kp_facts *facts)
{
	return text(facts->address);
}

const struct kp_fact kp_facts_table[] = {
	{ "request.api", "string", get_api },
	{ "request.version", "int", get_version },
	{ "request.clientId", "string", get_client_id },
	{ "principal.name", "string", get_principal },
	{ "virtualCluster.name", "string", get_virtual_cluster },
	{ "connection.listener", "string", get_listener },
	{ "connection.address", "string", get_address },
};
const size_t kp_num_facts = sizeof(kp_facts_table) / sizeof(*kp_facts_table);

/* What is left of the request's steps bounds each expression. */
bool
kp_judge_run(struct kp_judge *judge, const struct kp_cel_program *program,
    struct kp_cel_scratch *scratch, struct kp_cel_value *out,
    struct kp_cel_fault *fault)
{
	bool ok;

	scratch->meter.max = judge->steps_left < KP_JUDGE_MAX_STEPS
				 ? judge->steps_left
				 : KP_JUDGE_MAX_STEPS;
	ok = kp_cel_program_run(program, &judge->input, scratch, out, fault);
	judge->steps_left -= scratch->meter.used < judge->steps_left
				 ? scratch->meter.used
				 : judge->steps_left;
	return ok;
}

/* Only variables before it can be named in a variable, so this ends. */
static struct kp_cel_value
get_own(struct kp_judge *judge, size_t index)
{
	struct kp_lazy *lazy = &judge->variables[index];
	struct kp_cel_fault fault;

	if (lazy->is_known)
		return lazy->value;
	lazy->is_known = true;
	if (!kp_judge_run(judge, judge->rule->variables[index], &lazy->scratch,
		&lazy->value, &fault)) {
		kp_copy(lazy->fault, fault.text, sizeof(lazy->fault));
		lazy->value = kp_cel_error(lazy->fault);
	}
	if (judge->observer != NULL)
		judge->observer->variable(
		    judge->observer->ctx, index, lazy->value);
	return lazy->value;
}

static struct kp_cel_value
get(const struct kp_cel_input *input, size_t variable)
{
	/* the host of input is the judge, who made it */
	struct kp_judge *judge = (struct kp_judge *)(uintptr_t)input->host;

	if (variable < kp_num_facts)
		return kp_facts_table[variable].get(judge->facts);
	if (variable == KP_RULE_ITEM)
		return judge->object;
	return get_own(judge, variable - KP_RULE_FIRST_VARIABLE);
}

struct kp_judge *
kp_judge_new(const struct kp_policies *policies, const struct kp_facts *facts)
{
	struct kp_judge *judge = kp_alloc(1, sizeof(*judge));

	judge->input = (struct kp_cel_input){ .get = get, .host = judge };
	judge->policies = policies;
	judge->facts = facts;
	judge->steps_left = KP_JUDGE_MAX_REQUEST_STEPS;
	judge->changes = kp_alloc(
	    kp_judge_rules(judge)->num_overrides + 1, sizeof(*judge->changes));
	kp_cel_scratch_init(
	    &judge->scratch, KP_JUDGE_MAX_STEPS, KP_JUDGE_MAX_MEMORY);
	for (size_t i = 0; i < KP_POLICY_MAX_VARIABLES; i++)
		kp_cel_scratch_init(&judge->variables[i].scratch,
		    KP_JUDGE_MAX_STEPS, KP_JUDGE_MAX_MEMORY);
	return judge;
}

void
kp_judge_free(struct kp_judge *judge)
{
	if (judge == NULL)
		return;
	kp_cel_scratch_fini(&judge->scratch);
	for (size_t i = 0; i < KP_POLICY_MAX_VARIABLES; i++)
		kp_cel_scratch_fini(&judge->variables[i].scratch);
	free(judge->changes);
	free(judge);
}

void
kp_judge_may_change(struct kp_judge *judge, struct kp_judge_changes *changes)
{
	judge->may_change = changes;
}

void
kp_judge_observe(struct kp_judge *judge, const struct kp_observer *observer)
{
	judge->observer = observer;
}

static bool
matches_any(char *const *patterns, size_t num, struct kp_bytes name)
{
	for (size_t i = 0; i < num; i++)
		if (kp_glob_matches(patterns[i], name))
			return true;
	return num == 0;
}

static bool
is_for(const struct kp_tables_policy *policy, const char *virtual_cluster)
{
	return matches_any(policy->virtual_clusters,
	    policy->num_virtual_clusters, kp_bytes_of(virtual_cluster));
}

bool
kp_policies_govern(const struct kp_policies *policies, int16_t api_key,
    const char *virtual_cluster)
{
	const struct kp_rules *rules;

	if (policies == NULL)
		return false;
	rules = &policies->of_api[api_key];
	for (size_t i = 0; i < rules->num; i++)
		if (is_for(rules->list[i].policy, virtual_cluster))
			return true;
	return false;
}

bool
kp_policies_override(const struct kp_policies *policies, int16_t api_key,
    const char *virtual_cluster)
{
	const struct kp_rules *rules = &policies->of_api[api_key];

	for (size_t i = 0; i < rules->num; i++)
		if (rules->list[i].policy->num_overrides > 0 &&
		    is_for(rules->list[i].policy, virtual_cluster))
			return true;
	return false;
}

/* A topic that is not known may be any: then the policy is asked. */
static enum kp_match
match(const struct kp_judge *judge, const struct kp_tables_policy *policy)
{
	struct kp_bytes topic;

	if (!is_for(policy, judge->facts->virtual_cluster))
		return KP_MATCH_NOT_VIRTUAL_CLUSTER;
	if (policy->num_topics == 0 || !kp_item_topic(judge->item, &topic))
		return KP_MATCH_ALL;
	if (topic.data != NULL &&
	    matches_any(policy->topics, policy->num_topics, topic))
		return KP_MATCH_ALL;
	return KP_MATCH_NOT_TOPIC;
}

static bool
applies(const struct kp_judge *judge, const struct kp_tables_policy *policy)
{
	enum kp_match found = match(judge, policy);

	if (judge->observer != NULL)
		judge->observer->policy(judge->observer->ctx, policy, found);
	return found == KP_MATCH_ALL;
}

static void
copy_text(char out[KP_JUDGE_MAX_TEXT_LEN], struct kp_bytes from)
{
	size_t len = from.len < KP_JUDGE_MAX_TEXT_LEN
			 ? from.len
			 : KP_JUDGE_MAX_TEXT_LEN - 1;

	/* not within a character */
	while (len < from.len && len > 0 && (from.data[len] & 0xc0) == 0x80)
		len--;
	kp_copy(out, from.data, len);
	out[len] = '\0';
}

/* What the operator says of a validation that is not so. */
static void
say(struct kp_judge *judge, const struct kp_rule_validation *validation,
    char out[KP_JUDGE_MAX_TEXT_LEN])
{
	struct kp_cel_value value;
	struct kp_cel_fault fault;
	char fallback[KP_JUDGE_MAX_TEXT_LEN];
	struct kp_bytes source = kp_cel_program_source(validation->expression);

	if (validation->message != NULL &&
	    kp_judge_run(
		judge, validation->message, &judge->scratch, &value, &fault) &&
	    value.type == KP_CEL_STRING && value.extra > 0) {
		copy_text(out, kp_cel_content(value));
		return;
	}
	if (validation->text != NULL) {
		copy_text(out, kp_bytes_of(validation->text));
		return;
	}
	(void)snprintf(fallback, sizeof(fallback), "failed expression: %.*s",
	    (int)source.len, source.data);
	copy_text(out, kp_bytes_of(fallback));
}

void
kp_judge_find(const struct kp_judge *judge, bool is_failure, const char *words,
    struct kp_finding *out)
{
	const struct kp_tables_policy *policy = judge->rule->policy;

	*out = (struct kp_finding){
		.policy = policy->name,
		.action = policy->action,
		.is_failure = is_failure,
		.text = words,
	};
	if (is_failure && policy->failure == KP_POLICY_IGNORE)
		out->action = KP_POLICY_WARN;
}

/* Is there a finding? Its text is in words or in fault. */
static bool
finds(struct kp_judge *judge, const struct kp_rule_validation *validation,
    struct kp_cel_fault *fault, char words[KP_JUDGE_MAX_TEXT_LEN],
    struct kp_finding *out)
{
	struct kp_cel_value value;

	if (!kp_judge_run(judge, validation->expression, &judge->scratch,
		&value, fault)) {
		kp_judge_find(judge, true, fault->text, out);
		return true;
	}
	if (value.type == KP_CEL_BOOL && value.as.truth)
		return false;
	if (value.type == KP_CEL_BOOL) {
		say(judge, validation, words);
		kp_judge_find(judge, false, words, out);
		return true;
	}
	(void)kp_cel_fault_set(
	    fault, KP_CEL_FAULT_VALUE, 0, "the value is not a bool");
	kp_judge_find(judge, true, fault->text, out);
	return true;
}

/* Returns whether the item may pass. */
static bool
judge_validation(
    struct kp_judge *judge, size_t index, kp_found found, void *ctx)
{
	const struct kp_observer *observer = judge->observer;
	struct kp_cel_fault fault;
	char words[KP_JUDGE_MAX_TEXT_LEN];
	struct kp_finding finding;
	bool is_found = finds(
	    judge, &judge->rule->validations[index], &fault, words, &finding);

	if (observer != NULL)
		observer->validation(observer->ctx, index,
		    is_found ? &finding : NULL,
		    is_found && finding.is_failure ? &fault : NULL);
	if (!is_found)
		return true;
	found(ctx, &finding);
	return finding.action != KP_POLICY_DENY;
}

void
kp_judge_begin_rule(struct kp_judge *judge, const struct kp_rule *rule)
{
	judge->rule = rule;
	for (size_t i = 0; i < rule->policy->num_variables; i++)
		judge->variables[i].is_known = false;
}

static bool
judge_rule(struct kp_judge *judge, const struct kp_rule *rule, kp_found found,
    void *ctx)
{
	bool may_pass = true;

	kp_judge_begin_rule(judge, rule);
	for (size_t i = 0; i < rule->policy->num_validations; i++)
		if (!judge_validation(judge, i, found, ctx))
			may_pass = false;
	return may_pass;
}

static bool
override_all(struct kp_judge *judge, kp_found found, void *ctx)
{
	const struct kp_rules *rules = kp_judge_rules(judge);
	bool may_pass = true;

	judge->num_tried = judge->num_changes = 0;
	for (size_t i = 0; i < rules->num && rules->num_overrides > 0; i++) {
		const struct kp_rule *rule = &rules->list[i];

		if (rule->policy->num_overrides > 0 &&
		    applies(judge, rule->policy) &&
		    !kp_judge_override(judge, rule, found, ctx))
			may_pass = false;
	}
	return may_pass;
}

static void
tell_changes(const struct kp_judge *judge)
{
	const struct kp_judge_changes *to = judge->may_change;

	for (size_t i = 0; i < judge->num_changes && to->changed != NULL; i++)
		to->changed(to->ctx, &judge->changes[i]);
}

bool
kp_judge_item(struct kp_judge *judge, const struct kp_item *item,
    kp_found found, void *ctx)
{
	const struct kp_rules *rules = kp_judge_rules(judge);
	bool may_pass;

	judge->item = item;
	judge->object = kp_item_object(item);
	may_pass = override_all(judge, found, ctx);
	for (size_t i = 0; i < rules->num; i++) {
		const struct kp_rule *rule = &rules->list[i];

		if (applies(judge, rule->policy) &&
		    !judge_rule(judge, rule, found, ctx))
			may_pass = false;
	}
	if (may_pass)
		tell_changes(judge);
	return may_pass;
}
