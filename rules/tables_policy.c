/* SPDX-License-Identifier: Apache-2.0 */
/* Policies among the rule tables: copied, compared, checked, freed. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "rules/govern/objects.h"
#include "rules/tables_priv.h"

static void
free_texts(char **texts, size_t num)
{
	for (size_t i = 0; i < num; i++)
		free(texts[i]);
	free(texts);
}

void
kp_tables_policy_fini(struct kp_tables_policy *policy)
{
	free_texts(policy->topics, policy->num_topics);
	free_texts(policy->virtual_clusters, policy->num_virtual_clusters);
	for (size_t i = 0; i < policy->num_variables; i++) {
		free(policy->variables[i].name);
		free(policy->variables[i].expression);
	}
	for (size_t i = 0; i < policy->num_validations; i++) {
		free(policy->validations[i].expression);
		free(policy->validations[i].message);
		free(policy->validations[i].message_expression);
	}
	for (size_t i = 0; i < policy->num_overrides; i++) {
		free(policy->overrides[i].field);
		free(policy->overrides[i].expression);
		free(policy->overrides[i].when);
	}
	free(policy->variables);
	free(policy->validations);
	free(policy->overrides);
	free(policy->apis);
	free(policy->name);
	*policy = (struct kp_tables_policy){ 0 };
}

static char *
copy_text(const char *text)
{
	return text == NULL ? NULL : kp_strdup(text);
}

static char **
copy_texts(char *const *texts, size_t num)
{
	char **copy = kp_alloc(num + 1, sizeof(*copy));

	for (size_t i = 0; i < num; i++)
		copy[i] = kp_strdup(texts[i]);
	return copy;
}

static void
copy_expressions(
    struct kp_tables_policy *out, const struct kp_tables_policy *from)
{
	out->variables =
	    kp_alloc(from->num_variables + 1, sizeof(*out->variables));
	for (size_t i = 0; i < from->num_variables; i++) {
		out->variables[i].name = kp_strdup(from->variables[i].name);
		out->variables[i].expression =
		    kp_strdup(from->variables[i].expression);
	}
	out->validations =
	    kp_alloc(from->num_validations + 1, sizeof(*out->validations));
	for (size_t i = 0; i < from->num_validations; i++) {
		const struct kp_tables_validation *one = &from->validations[i];

		out->validations[i] = (struct kp_tables_validation){
			.expression = kp_strdup(one->expression),
			.message = copy_text(one->message),
			.message_expression =
			    copy_text(one->message_expression),
		};
	}
}

static void
copy_overrides(
    struct kp_tables_policy *out, const struct kp_tables_policy *from)
{
	out->overrides =
	    kp_alloc(from->num_overrides + 1, sizeof(*out->overrides));
	for (size_t i = 0; i < from->num_overrides; i++) {
		const struct kp_tables_override *one = &from->overrides[i];

		out->overrides[i] = (struct kp_tables_override){
			.field = kp_strdup(one->field),
			.expression = kp_strdup(one->expression),
			.when = copy_text(one->when),
		};
	}
}

void
kp_tables_policy_copy(
    struct kp_tables_policy *out, const struct kp_tables_policy *from)
{
	*out = *from;
	out->name = kp_strdup(from->name);
	out->apis = kp_alloc(from->num_apis + 1, sizeof(*out->apis));
	kp_copy(out->apis, from->apis, from->num_apis * sizeof(*out->apis));
	out->topics = copy_texts(from->topics, from->num_topics);
	out->virtual_clusters =
	    copy_texts(from->virtual_clusters, from->num_virtual_clusters);
	copy_expressions(out, from);
	copy_overrides(out, from);
}

static bool
is_same(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return strcmp(a, b) == 0;
}

static bool
are_same(char *const *a, size_t num_a, char *const *b, size_t num_b)
{
	for (size_t i = 0; i < num_a && i < num_b; i++)
		if (!is_same(a[i], b[i]))
			return false;
	return num_a == num_b;
}

static bool
have_same_expressions(
    const struct kp_tables_policy *a, const struct kp_tables_policy *b)
{
	if (a->num_variables != b->num_variables ||
	    a->num_validations != b->num_validations)
		return false;
	for (size_t i = 0; i < a->num_variables; i++)
		if (!is_same(a->variables[i].name, b->variables[i].name) ||
		    !is_same(
			a->variables[i].expression, b->variables[i].expression))
			return false;
	for (size_t i = 0; i < a->num_validations; i++)
		if (!is_same(a->validations[i].expression,
			b->validations[i].expression) ||
		    !is_same(
			a->validations[i].message, b->validations[i].message) ||
		    !is_same(a->validations[i].message_expression,
			b->validations[i].message_expression))
			return false;
	return true;
}

static bool
have_same_overrides(
    const struct kp_tables_policy *a, const struct kp_tables_policy *b)
{
	for (size_t i = 0; i < a->num_overrides && i < b->num_overrides; i++)
		if (!is_same(a->overrides[i].field, b->overrides[i].field) ||
		    !is_same(a->overrides[i].expression,
			b->overrides[i].expression) ||
		    !is_same(a->overrides[i].when, b->overrides[i].when))
			return false;
	return a->num_overrides == b->num_overrides;
}

bool
kp_tables_policy_equal(
    const struct kp_tables_policy *a, const struct kp_tables_policy *b)
{
	return is_same(a->name, b->name) && a->num_apis == b->num_apis &&
	       memcmp(a->apis, b->apis, a->num_apis * sizeof(*a->apis)) == 0 &&
	       a->action == b->action && a->failure == b->failure &&
	       are_same(a->topics, a->num_topics, b->topics, b->num_topics) &&
	       are_same(a->virtual_clusters, a->num_virtual_clusters,
		   b->virtual_clusters, b->num_virtual_clusters) &&
	       have_same_expressions(a, b) && have_same_overrides(a, b);
}

static bool
fail(struct kp_error *err, const char *what)
{
	return kp_error_set(err, KP_ERR_CONFIG, "%s", what);
}

static bool
are_sound(char *const *texts, size_t num)
{
	for (size_t i = 0; i < num; i++)
		if (texts[i] == NULL)
			return false;
	return num <= KP_POLICY_MAX_PATTERNS;
}

static bool
check_expressions(const struct kp_tables_policy *policy, struct kp_error *err)
{
	if (policy->num_variables > KP_POLICY_MAX_VARIABLES ||
	    policy->num_validations > KP_POLICY_MAX_VALIDATIONS ||
	    policy->num_overrides > KP_POLICY_MAX_OVERRIDES)
		return fail(err, "a policy has too many expressions");
	for (size_t i = 0; i < policy->num_variables; i++)
		if (policy->variables[i].name == NULL ||
		    policy->variables[i].expression == NULL)
			return fail(err, "a variable says nothing");
	for (size_t i = 0; i < policy->num_validations; i++)
		if (policy->validations[i].expression == NULL)
			return fail(err, "a validation says nothing");
	for (size_t i = 0; i < policy->num_overrides; i++)
		if (policy->overrides[i].field == NULL ||
		    policy->overrides[i].expression == NULL)
			return fail(err, "an override says nothing");
	return true;
}

bool
kp_tables_policy_check(
    const struct kp_tables_policy *policy, struct kp_error *err)
{
	if (policy->name == NULL)
		return fail(err, "a policy has no name");
	for (size_t i = 0; i < policy->num_apis; i++)
		if (kp_object_api_find(policy->apis[i]) == NULL)
			return fail(err, "a policy is for an unknown API");
	if (!are_sound(policy->topics, policy->num_topics) ||
	    !are_sound(policy->virtual_clusters, policy->num_virtual_clusters))
		return fail(err, "a pattern of a policy is not valid");
	return check_expressions(policy, err);
}
