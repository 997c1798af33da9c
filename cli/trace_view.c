/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/yaml_tree.h"
#include "cli/color.h"
#include "cli/escape.h"
#include "cli/output.h"
#include "cli/trace.h"
#include "rules/govern/sentence.h"

#define MARGIN "  "
/* Below the expression of a validation. */
#define INDENT "         "

static const char *const outcome_words[] = {
	[KP_TRACE_TRUE] = "true",
	[KP_TRACE_FALSE] = "false",
	[KP_TRACE_ERROR] = "error",
};

static const char *const override_words[] = {
	[KP_OVERRIDE_UNMET] = "unmet",
	[KP_OVERRIDE_SAME] = "same",
	[KP_OVERRIDE_SET] = "set",
	[KP_OVERRIDE_WOULD_SET] = "would",
	[KP_OVERRIDE_FAILED] = "error",
};

/* What of match does not fit, as a policy says it. */
static const char *const match_words[] = {
	[KP_MATCH_NOT_API] = "apis",
	[KP_MATCH_NOT_VIRTUAL_CLUSTER] = "virtualClusters",
	[KP_MATCH_NOT_TOPIC] = "topics",
	[KP_MATCH_ALL] = "",
};

struct writer {
	const struct kp_trace_view *view;
	struct kp_buf out;
	bool is_colored;
};

static void
add_colored(struct writer *w, const char *color, const char *word)
{
	kp_buf_add_text(&w->out, w->is_colored ? color : "");
	kp_buf_add_text(&w->out, word);
	kp_buf_add_text(&w->out, w->is_colored ? KP_COLOR_OFF : "");
}

/* Text in lines, each indented; one line stays one. */
static void
add_lines(struct writer *w, const char *indent, const char *text)
{
	char line[KP_JUDGE_MAX_TEXT_LEN];

	while (*text != '\0') {
		size_t len = strcspn(text, "\n");

		(void)snprintf(line, sizeof(line), "%.*s", (int)len, text);
		kp_buf_add_text(&w->out, indent);
		kp_escape_add(&w->out, line);
		kp_buf_add_text(&w->out, "\n");
		text += len + (text[len] == '\n');
	}
}

static const struct kp_resource *
resource_of(const struct writer *w, const struct kp_trace_policy *policy)
{
	return kp_resources_find(
	    w->view->resources, "Policy", policy->policy->name);
}

static void
add_request(struct writer *w)
{
	const struct kp_facts *facts = &w->view->request->asked.facts;

	kp_buf_printf(&w->out, "%s, version %d, of ",
	    kp_api_name(facts->api_key), facts->api_version);
	kp_escape_add(&w->out,
	    facts->principal[0] == '\0' ? "ANONYMOUS" : facts->principal);
	if (facts->virtual_cluster[0] != '\0') {
		kp_buf_add_text(&w->out, " in virtual cluster ");
		kp_escape_add(&w->out, facts->virtual_cluster);
	}
	if (w->view->server != NULL)
		kp_buf_printf(&w->out, ", by revision %llu of %s",
		    (unsigned long long)w->view->revision, w->view->server);
	kp_buf_add_text(&w->out, "\n");
}

static void
add_texts(struct writer *w, char *const *texts, size_t num)
{
	for (size_t i = 0; i < num; i++) {
		kp_buf_add_text(&w->out, i > 0 ? ", " : "");
		kp_escape_add(&w->out, texts[i]);
	}
}

static void
add_apis(struct writer *w, const struct kp_tables_policy *policy)
{
	for (size_t i = 0; i < policy->num_apis; i++)
		kp_buf_printf(&w->out, "%s%s", i > 0 ? ", " : "",
		    kp_api_name(policy->apis[i]));
}

static void
add_why_not(struct writer *w, const struct kp_trace_policy *policy)
{
	const struct kp_tables_policy *of = policy->policy;

	kp_buf_printf(
	    &w->out, "not asked, its %s are ", match_words[policy->match]);
	switch (policy->match) {
	case KP_MATCH_NOT_API:
		add_apis(w, of);
		break;
	case KP_MATCH_NOT_VIRTUAL_CLUSTER:
		add_texts(w, of->virtual_clusters, of->num_virtual_clusters);
		break;
	case KP_MATCH_NOT_TOPIC:
		add_texts(w, of->topics, of->num_topics);
		break;
	case KP_MATCH_ALL:
		break;
	}
	kp_buf_add_text(&w->out, "\n");
}

static void
add_nodes(struct writer *w, const struct kp_labels *nodes)
{
	if (nodes->num == 0)
		return;
	kp_buf_add_text(&w->out, MARGIN "only on nodes with ");
	for (size_t i = 0; i < nodes->num; i++)
		kp_buf_printf(&w->out, "%s%s=%s", i > 0 ? ", " : "",
		    nodes->list[i].name, nodes->list[i].value);
	kp_buf_add_text(&w->out, "\n");
}

static void
add_variable(struct writer *w, const char *name,
    const struct kp_trace_variable *variable)
{
	kp_buf_printf(&w->out, MARGIN "variables.%s: ", name);
	if (!variable->is_needed)
		kp_buf_add_text(&w->out, "not needed");
	else if (variable->is_error)
		add_colored(w, KP_COLOR_RED, "error: ");
	if (variable->is_needed)
		kp_escape_add(&w->out, variable->text);
	kp_buf_add_text(&w->out, "\n");
}

/* Expressions begin below each other. */
static void
add_word(struct writer *w, const char *color, const char *word)
{
	kp_buf_add_text(&w->out, MARGIN);
	add_colored(w, color, word);
	kp_buf_add_spaces(
	    &w->out, sizeof(INDENT) - sizeof(MARGIN) - strlen(word));
}

static void
add_override(struct writer *w, const struct kp_tables_override *of,
    const struct kp_trace_override *override)
{
	bool is_failed = override->outcome == KP_OVERRIDE_FAILED;

	add_word(w, is_failed ? KP_COLOR_RED : KP_COLOR_CYAN,
	    override_words[override->outcome]);
	kp_escape_add(&w->out, of->field);
	if (override->after != NULL) {
		kp_buf_add_text(&w->out, ": ");
		kp_escape_add(&w->out, override->after);
	}
	if (override->before != NULL) {
		kp_buf_add_text(&w->out,
		    override->outcome == KP_OVERRIDE_SET ? ", was " : ", is ");
		kp_escape_add(&w->out, override->before);
	}
	kp_buf_add_text(&w->out, "\n");
	if (override->place != NULL)
		add_lines(w, INDENT, override->place);
	else if (is_failed)
		add_lines(w, INDENT, override->text);
	else if (override->outcome == KP_OVERRIDE_UNMET)
		add_lines(w, INDENT, of->when);
}

static void
add_validation(struct writer *w, const char *expression,
    const struct kp_trace_validation *validation)
{
	add_word(w,
	    validation->outcome == KP_TRACE_TRUE ? KP_COLOR_GREEN
						 : KP_COLOR_RED,
	    outcome_words[validation->outcome]);
	kp_escape_add(&w->out, expression);
	kp_buf_add_text(&w->out, "\n");
	if (validation->place != NULL)
		add_lines(w, INDENT, validation->place);
	else if (validation->text != NULL)
		add_lines(w, INDENT, validation->text);
}

static bool
has_error(const struct kp_trace_policy *policy)
{
	for (size_t i = 0; i < policy->policy->num_validations; i++)
		if (policy->validations[i].outcome == KP_TRACE_ERROR)
			return true;
	for (size_t i = 0; i < policy->policy->num_overrides; i++)
		if (policy->overrides[i].outcome == KP_OVERRIDE_FAILED)
			return true;
	return false;
}

/* What the policy comes to, and which of its settings says so. */
static void
add_result(struct writer *w, const struct kp_trace_policy *policy)
{
	const struct kp_value *spec = resource_of(w, policy)->spec;

	kp_buf_add_text(&w->out, MARGIN "-> ");
	if (policy->decision == KP_DECISION_ALLOW)
		add_colored(w, KP_COLOR_GREEN, "allows");
	else if (policy->decision == KP_DECISION_WARN)
		add_colored(w, KP_COLOR_CYAN, "lets pass, and is logged");
	else
		add_colored(w, KP_COLOR_RED, "refuses");
	kp_buf_printf(&w->out, " (action: %s", kp_value_text(spec, "action"));
	if (has_error(policy))
		kp_buf_printf(&w->out, ", failurePolicy: %s",
		    kp_value_text(spec, "failurePolicy"));
	kp_buf_add_text(&w->out, ")\n");
}

static void
add_policy(struct writer *w, const struct kp_trace_policy *policy)
{
	const struct kp_tables_policy *of = policy->policy;
	const struct kp_resource *resource = resource_of(w, policy);

	kp_buf_printf(&w->out, "policy \"%s\"", of->name);
	if (w->view->server == NULL) {
		kp_buf_add_text(&w->out, ", ");
		kp_escape_add(&w->out, resource->at.file);
		kp_buf_printf(&w->out, ":%u", resource->at.line);
	}
	kp_buf_add_text(&w->out, ": ");
	if (policy->match != KP_MATCH_ALL) {
		add_why_not(w, policy);
		return;
	}
	kp_buf_add_text(&w->out, "asked\n");
	add_nodes(w, &resource->nodes);
	for (size_t i = 0; i < of->num_variables; i++)
		add_variable(w, of->variables[i].name, &policy->variables[i]);
	for (size_t i = 0; i < of->num_overrides; i++)
		add_override(w, &of->overrides[i], &policy->overrides[i]);
	for (size_t i = 0; i < of->num_validations; i++)
		add_validation(
		    w, of->validations[i].expression, &policy->validations[i]);
	add_result(w, policy);
}

static void
add_decision(struct writer *w)
{
	const struct kp_facts *facts = &w->view->request->asked.facts;
	const struct kp_object_api *api = kp_object_api_find(facts->api_key);

	if (w->view->trace->decision != KP_DECISION_DENY) {
		add_colored(w, KP_COLOR_GREEN, "allowed");
		if (w->view->trace->is_changed)
			kp_buf_add_text(&w->out, ", with what policies set");
		kp_buf_add_text(
		    &w->out, w->view->trace->decision == KP_DECISION_WARN
				 ? ", with warnings in the log of the node\n"
				 : "\n");
		return;
	}
	add_colored(w, KP_COLOR_RED, "refused");
	kp_buf_printf(&w->out, " with %s (%d); ", kp_sentence_error(api->code),
	    api->code);
	kp_buf_add_text(&w->out,
	    kp_sentence_has_place(api, facts->api_version)
		? "the client is told:\n"
		: "answers of this version have no place for a text, the log "
		  "has it:\n");
	kp_escape_add(&w->out, w->view->trace->sentence);
	kp_buf_add_text(&w->out, "\n");
}

static void
add_text(struct writer *w)
{
	const struct kp_trace *trace = w->view->trace;

	add_request(w);
	for (size_t i = 0; i < trace->num_policies; i++)
		add_policy(w, &trace->policies[i]);
	if (trace->num_policies == 0)
		kp_buf_add_text(&w->out, "there is no policy\n");
	add_decision(w);
}

static struct kp_yaml *
tree_of_request(const struct kp_case *asked)
{
	const struct kp_facts *facts = &asked->facts;
	struct kp_yaml *map = kp_yaml_new_map();

	kp_yaml_put(map, "api", kp_yaml_new_text(kp_api_name(facts->api_key)));
	kp_yaml_put(map, "version", kp_yaml_new_int(facts->api_version));
	kp_yaml_put(map, "principal", kp_yaml_new_text(facts->principal));
	kp_yaml_put(map, "clientId",
	    kp_yaml_new_text((const char *)facts->client_id.data));
	kp_yaml_put(
	    map, "virtualCluster", kp_yaml_new_text(facts->virtual_cluster));
	kp_yaml_put(map, "listener", kp_yaml_new_text(facts->listener));
	kp_yaml_put(map, "address", kp_yaml_new_text(facts->address));
	return map;
}

static const char *
text_or_none(const char *text)
{
	return text == NULL ? "" : text;
}

static struct kp_yaml *
tree_of_variables(const struct kp_trace_policy *policy)
{
	struct kp_yaml *list = kp_yaml_new_list();

	for (size_t i = 0; i < policy->policy->num_variables; i++) {
		const struct kp_trace_variable *from = &policy->variables[i];
		struct kp_yaml *map = kp_yaml_append(list, kp_yaml_new_map());
		const char *text = from->is_needed ? from->text : "";

		kp_yaml_put(map, "name",
		    kp_yaml_new_text(policy->policy->variables[i].name));
		kp_yaml_put(map, "needed", kp_yaml_new_bool(from->is_needed));
		kp_yaml_put(
		    map, "value", kp_yaml_new_text(from->is_error ? "" : text));
		kp_yaml_put(
		    map, "error", kp_yaml_new_text(from->is_error ? text : ""));
	}
	return list;
}

static struct kp_yaml *
tree_of_validations(const struct kp_trace_policy *policy)
{
	struct kp_yaml *list = kp_yaml_new_list();

	for (size_t i = 0; i < policy->policy->num_validations; i++) {
		const struct kp_trace_validation *from =
		    &policy->validations[i];
		struct kp_yaml *map = kp_yaml_append(list, kp_yaml_new_map());

		kp_yaml_put(map, "expression",
		    kp_yaml_new_text(
			policy->policy->validations[i].expression));
		kp_yaml_put(map, "result",
		    kp_yaml_new_text(outcome_words[from->outcome]));
		kp_yaml_put(
		    map, "message", kp_yaml_new_text(text_or_none(from->text)));
	}
	return list;
}

static struct kp_yaml *
tree_of_overrides(const struct kp_trace_policy *policy)
{
	struct kp_yaml *list = kp_yaml_new_list();

	for (size_t i = 0; i < policy->policy->num_overrides; i++) {
		const struct kp_trace_override *from = &policy->overrides[i];
		struct kp_yaml *map = kp_yaml_append(list, kp_yaml_new_map());

		kp_yaml_put(map, "field",
		    kp_yaml_new_text(policy->policy->overrides[i].field));
		kp_yaml_put(map, "result",
		    kp_yaml_new_text(override_words[from->outcome]));
		kp_yaml_put(map, "before",
		    kp_yaml_new_text(text_or_none(from->before)));
		kp_yaml_put(
		    map, "value", kp_yaml_new_text(text_or_none(from->after)));
		kp_yaml_put(
		    map, "message", kp_yaml_new_text(text_or_none(from->text)));
	}
	return list;
}

static struct kp_yaml *
tree_of_policy(const struct writer *w, const struct kp_trace_policy *policy)
{
	const struct kp_resource *resource = resource_of(w, policy);
	bool is_asked = policy->match == KP_MATCH_ALL;
	struct kp_yaml *map = kp_yaml_new_map(), *nodes;

	kp_yaml_put(map, "name", kp_yaml_new_text(policy->policy->name));
	kp_yaml_put(map, "file", kp_yaml_new_text(resource->at.file));
	kp_yaml_put(map, "line", kp_yaml_new_int(resource->at.line));
	nodes = kp_yaml_put(map, "nodes", kp_yaml_new_map());
	for (size_t i = 0; i < resource->nodes.num; i++)
		kp_yaml_put(nodes, resource->nodes.list[i].name,
		    kp_yaml_new_text(resource->nodes.list[i].value));
	kp_yaml_put(map, "asked", kp_yaml_new_bool(is_asked));
	kp_yaml_put(
	    map, "notMatched", kp_yaml_new_text(match_words[policy->match]));
	kp_yaml_put(map, "action",
	    kp_yaml_new_text(kp_value_text(resource->spec, "action")));
	kp_yaml_put(map, "failurePolicy",
	    kp_yaml_new_text(kp_value_text(resource->spec, "failurePolicy")));
	kp_yaml_put(map, "variables",
	    is_asked ? tree_of_variables(policy) : kp_yaml_new_list());
	kp_yaml_put(map, "overrides",
	    is_asked ? tree_of_overrides(policy) : kp_yaml_new_list());
	kp_yaml_put(map, "validations",
	    is_asked ? tree_of_validations(policy) : kp_yaml_new_list());
	kp_yaml_put(map, "decision",
	    kp_yaml_new_text(kp_decision_word(policy->decision)));
	return map;
}

/* The form is a promise: fields are added, none is changed. */
static void
add_tree(struct writer *w)
{
	const struct kp_trace *trace = w->view->trace;
	const struct kp_case *asked = &w->view->request->asked;
	const struct kp_object_api *api =
	    kp_object_api_find(asked->facts.api_key);
	bool is_refused = trace->decision == KP_DECISION_DENY;
	struct kp_yaml *root = kp_yaml_new_map(), *list;

	kp_yaml_put(root, "decision",
	    kp_yaml_new_text(kp_decision_word(trace->decision)));
	kp_yaml_put(root, "code", kp_yaml_new_int(is_refused ? api->code : 0));
	kp_yaml_put(root, "error",
	    kp_yaml_new_text(is_refused ? kp_sentence_error(api->code) : ""));
	kp_yaml_put(root, "sentence",
	    kp_yaml_new_text(is_refused ? trace->sentence : ""));
	kp_yaml_put(root, "told",
	    kp_yaml_new_bool(is_refused && kp_sentence_has_place(
					       api, asked->facts.api_version)));
	kp_yaml_put(root, "changed", kp_yaml_new_bool(trace->is_changed));
	kp_yaml_put(root, "request", tree_of_request(asked));
	kp_yaml_put(root, "server",
	    kp_yaml_new_text(w->view->server == NULL ? "" : w->view->server));
	kp_yaml_put(
	    root, "revision", kp_yaml_new_int((int64_t)w->view->revision));
	list = kp_yaml_put(root, "policies", kp_yaml_new_list());
	for (size_t i = 0; i < trace->num_policies; i++)
		kp_yaml_append(list, tree_of_policy(w, &trace->policies[i]));
	kp_output_add_tree(&w->out, w->view->args, root);
	kp_yaml_free(root);
}

void
kp_trace_write(const struct kp_trace_view *view)
{
	struct writer w = { .view = view,
		.is_colored = kp_color_is_wanted(STDOUT_FILENO) };

	kp_buf_init(&w.out, KP_OUTPUT_MAX_LEN);
	if (kp_output_is(view->args, "table"))
		add_text(&w);
	else
		add_tree(&w);
	kp_output_write(&w.out);
}
