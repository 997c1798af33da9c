/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/govern/trace.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "rules/govern/policy_priv.h"
#include "rules/govern/sentence.h"
#include "rules/govern/show.h"

/* An excerpt of an expression with a caret below it. */
#define MAX_PLACE_LEN 2048

struct writer {
	struct kp_trace *trace;
	const struct kp_policies *policies;
	struct kp_trace_policy *at; /* that is asked just now */
	struct kp_buf sentence;
};

static void
see_policy(
    void *ctx, const struct kp_tables_policy *policy, enum kp_match match)
{
	struct writer *writer = ctx;

	writer->at =
	    &writer->trace->policies[policy - writer->policies->policies];
	writer->at->match = match;
	/* it may be asked in several steps */
	if (match != KP_MATCH_ALL || writer->at->variables != NULL)
		return;
	writer->at->variables =
	    kp_alloc(policy->num_variables + 1, sizeof(*writer->at->variables));
	writer->at->overrides =
	    kp_alloc(policy->num_overrides + 1, sizeof(*writer->at->overrides));
	writer->at->validations = kp_alloc(
	    policy->num_validations + 1, sizeof(*writer->at->validations));
}

static char *
dup_value(struct kp_cel_value value)
{
	struct kp_buf text;
	char *copy;

	kp_buf_init_small(&text, 2 * KP_SHOW_MAX_LEN);
	kp_show_value(&text, value);
	copy = kp_strdup(kp_buf_text(&text));
	kp_buf_fini(&text);
	return copy;
}

static void
see_variable(void *ctx, size_t index, struct kp_cel_value value)
{
	struct writer *writer = ctx;

	free(writer->at->variables[index].text);
	writer->at->variables[index] = (struct kp_trace_variable){
		.is_needed = true,
		.is_error = value.type == KP_CEL_ERROR,
		.text = dup_value(value),
	};
}

static char *
dup_place(struct kp_bytes expression, const struct kp_cel_fault *fault)
{
	struct kp_buf text;
	char *copy;

	kp_buf_init_small(&text, MAX_PLACE_LEN);
	kp_cel_render(&text, expression, fault);
	copy = kp_strdup(kp_buf_text(&text));
	kp_buf_fini(&text);
	return copy;
}

/* What a policy says by itself. */
static void
decide(struct kp_trace_policy *at, const struct kp_finding *finding)
{
	if (finding->action == KP_POLICY_DENY)
		at->decision = KP_DECISION_DENY;
	else if (at->decision == KP_DECISION_ALLOW)
		at->decision = KP_DECISION_WARN;
}

static char *
dup_bytes(struct kp_bytes text)
{
	return text.data == NULL
		   ? NULL
		   : kp_strndup((const char *)text.data, text.len);
}

static void
see_override(void *ctx, const struct kp_override_seen *seen)
{
	struct writer *writer = ctx;
	struct kp_trace_override *out = &writer->at->overrides[seen->index];

	out->outcome = seen->outcome;
	if (seen->change != NULL) {
		out->before = dup_bytes(seen->change->before);
		out->after = dup_bytes(seen->change->after);
	}
	if (seen->fault != NULL)
		out->place = dup_place(seen->source, seen->fault);
	if (seen->finding == NULL)
		return;
	out->text = kp_strdup(seen->finding->text);
	decide(writer->at, seen->finding);
}

static void
see_validation(void *ctx, size_t index, const struct kp_finding *finding,
    const struct kp_cel_fault *fault)
{
	struct writer *writer = ctx;
	struct kp_trace_policy *at = writer->at;
	struct kp_trace_validation *out = &at->validations[index];

	if (finding == NULL)
		return;
	out->outcome = fault == NULL ? KP_TRACE_FALSE : KP_TRACE_ERROR;
	out->text = kp_strdup(finding->text);
	if (fault != NULL)
		out->place = dup_place(
		    kp_bytes_of(at->policy->validations[index].expression),
		    fault);
	decide(at, finding);
}

static void
add_finding(void *ctx, const struct kp_finding *finding)
{
	struct writer *writer = ctx;

	kp_sentence_add(&writer->sentence, finding);
}

static void
note_change(void *ctx, const struct kp_change *change)
{
	struct writer *writer = ctx;

	(void)change;
	writer->trace->is_changed = true;
}

/* Those that no judge shows are not for requests of the API. */
static void
list_policies(struct writer *writer)
{
	struct kp_trace *trace = writer->trace;

	trace->num_policies = writer->policies->num_policies;
	trace->policies =
	    kp_alloc(trace->num_policies + 1, sizeof(*trace->policies));
	for (size_t i = 0; i < trace->num_policies; i++)
		trace->policies[i] = (struct kp_trace_policy){
			.policy = &writer->policies->policies[i],
			.match = KP_MATCH_NOT_API,
		};
}

void
kp_trace_run(const struct kp_case *one, const struct kp_policies *policies,
    struct kp_trace *out)
{
	struct writer writer = { .trace = out, .policies = policies };
	const struct kp_observer observer = {
		.policy = see_policy,
		.variable = see_variable,
		.override = see_override,
		.validation = see_validation,
		.ctx = &writer,
	};
	const struct kp_case_sink sink = {
		.observer = &observer,
		.found = add_finding,
		.changed = note_change,
		.ctx = &writer,
	};

	*out = (struct kp_trace){ 0 };
	kp_buf_init_small(&writer.sentence, KP_SENTENCE_MAX_LEN);
	list_policies(&writer);
	out->decision = kp_case_judge(one, policies, &sink);
	if (out->decision == KP_DECISION_DENY)
		out->sentence = kp_strdup(kp_buf_text(&writer.sentence));
	kp_buf_fini(&writer.sentence);
}

static void
policy_fini(struct kp_trace_policy *policy)
{
	const struct kp_tables_policy *of = policy->policy;

	for (size_t i = 0;
	     policy->match == KP_MATCH_ALL && i < of->num_variables; i++)
		free(policy->variables[i].text);
	for (size_t i = 0;
	     policy->match == KP_MATCH_ALL && i < of->num_overrides; i++) {
		free(policy->overrides[i].before);
		free(policy->overrides[i].after);
		free(policy->overrides[i].text);
		free(policy->overrides[i].place);
	}
	for (size_t i = 0;
	     policy->match == KP_MATCH_ALL && i < of->num_validations; i++) {
		free(policy->validations[i].text);
		free(policy->validations[i].place);
	}
	free(policy->variables);
	free(policy->overrides);
	free(policy->validations);
}

void
kp_trace_fini(struct kp_trace *trace)
{
	for (size_t i = 0; i < trace->num_policies; i++)
		policy_fini(&trace->policies[i]);
	free(trace->policies);
	free(trace->sentence);
	*trace = (struct kp_trace){ 0 };
}
