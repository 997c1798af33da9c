/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request as flags describe it. Its item is a tree of YAML, said with --item
 * or made of flags, and is read by what reads items of files of cases.
 */
#include <stdio.h>
#include <string.h>

#include "base/yaml_tree.h"
#include "cli/complete.h"
#include "cli/output.h"
#include "cli/run.h"
#include "cli/trace.h"
#include "rules/kinds/kinds.h"

#define MAX_LIST_LEN 4096
#define MAX_APIS 128

/* An item that is made of flags. */
struct made {
	const struct kp_args *args;
	const struct kp_object_api *api;
	struct kp_yaml *map;
};

void
kp_complete_api(
    struct kp_candidates *out, const struct kp_args *args, const char *begun)
{
	(void)args;
	(void)begun;
	for (const struct kp_setting_word *word = kp_policy_api_words;
	     word->word != NULL; word++)
		kp_candidates_add(out, word->word, "");
}

static bool
complain_api(const char *said)
{
	const char *names[MAX_APIS + 1] = { NULL }, *near;
	struct kp_buf list;

	kp_buf_init_small(&list, MAX_LIST_LEN);
	for (size_t i = 0; i < MAX_APIS && kp_policy_api_words[i].word != NULL;
	     i++) {
		names[i] = kp_policy_api_words[i].word;
		kp_buf_printf(&list, "%s%s", i > 0 ? ", " : "", names[i]);
	}
	near = kp_suggest(said, names);
	if (near != NULL)
		kp_output_problem("--api: policies are not asked about "
				  "\"%.64s\"; did you mean \"%s\"?",
		    said, near);
	else
		kp_output_problem("--api: policies are not asked about "
				  "\"%.64s\", but about %s",
		    said, kp_buf_text(&list));
	kp_buf_fini(&list);
	return false;
}

static bool
read_api(struct kp_case *out, const char *said)
{
	if (said == NULL) {
		kp_output_problem("--api API is missing");
		return false;
	}
	for (const struct kp_setting_word *word = kp_policy_api_words;
	     word->word != NULL; word++) {
		if (strcmp(word->word, said) != 0)
			continue;
		out->facts.api_key = (int16_t)word->value;
		return true;
	}
	return complain_api(said);
}

static bool
read_version(struct kp_facts *out, const char *said)
{
	int16_t first = kp_api_find(out->api_key)->request->min_version;
	int16_t last = kp_object_max_version(kp_object_api_find(out->api_key));
	int64_t number = last;

	out->api_version = last;
	if (said == NULL)
		return true;
	if (kp_parse_int(said, &number) && number >= 0 && number <= last &&
	    kp_api_has(out->api_key, (int16_t)number)) {
		out->api_version = (int16_t)number;
		return true;
	}
	kp_output_problem("--version: %s has the versions %d to %d, not "
			  "\"%.64s\"",
	    kp_api_name(out->api_key), first, last, said);
	return false;
}

static const char *
text_or_none(const struct kp_args *args, const char *flag)
{
	const char *text = kp_args_text(args, flag);

	return text == NULL ? "" : text;
}

static bool
read_facts(struct kp_trace_request *out, const struct kp_args *args)
{
	struct kp_facts *facts = &out->asked.facts;
	const char *address = kp_args_text(args, "address");

	if (!read_api(&out->asked, kp_args_text(args, "api")) ||
	    !read_version(facts, kp_args_text(args, "version")))
		return false;
	out->asked.item_version = facts->api_version;
	out->asked.api = kp_object_judged(
	    kp_object_api_find(facts->api_key), &out->asked.item_version);
	if (address != NULL && !kp_parse_address(address, out->address)) {
		kp_output_problem("--address: must be an IP address, not "
				  "\"%.64s\"",
		    address);
		return false;
	}
	facts->address = out->address;
	facts->client_id = kp_bytes_of(text_or_none(args, "client-id"));
	facts->principal = text_or_none(args, "as");
	facts->virtual_cluster = text_or_none(args, "virtual-cluster");
	facts->listener = text_or_none(args, "listener");
	return true;
}

static const struct kp_object_field *
find_field(const struct kp_object_type *type, const char *name)
{
	const struct kp_object_field *field = type->fields;

	while (field->how != KP_OBJECT_END && strcmp(field->name, name) != 0)
		field++;
	return field->how == KP_OBJECT_END ? NULL : field;
}

/* The field that names a topic, and is what match.topics selects. */
static const struct kp_object_field *
find_topic(const struct kp_object_api *api)
{
	const struct kp_object_field *field = api->type->fields;

	if (api->topic == NULL)
		return NULL;
	for (; field->how != KP_OBJECT_END; field++)
		if (strcmp(field->from, api->topic) == 0)
			return field;
	return NULL;
}

/* Settings are those of a topic, a group or something else. */
static const struct kp_object_field *
find_group(const struct kp_object_api *api)
{
	const struct kp_object_field *field = api->type->fields;

	if (find_field(api->type, "resourceType") != NULL)
		return find_topic(api);
	for (; field->how != KP_OBJECT_END; field++)
		if (field->how == KP_OBJECT_NAME &&
		    strncmp(field->from, "Group", strlen("Group")) == 0)
			return field;
	return NULL;
}

/* What can be said instead. */
static void
list_fields(struct kp_buf *out, const struct kp_object_api *api)
{
	const struct kp_object_field *field = api->type->fields;

	for (; field->how != KP_OBJECT_END; field++)
		kp_buf_printf(out, "%s%s",
		    field == api->type->fields ? "" : ", ", field->name);
}

static bool
has_none(const struct made *made, const char *flag)
{
	struct kp_buf fields;

	kp_buf_init_small(&fields, MAX_LIST_LEN);
	list_fields(&fields, made->api);
	kp_output_problem("--%s: there is none in an item of %s; that has the "
			  "fields %s, for --item",
	    flag, kp_api_name(made->api->key), kp_buf_text(&fields));
	kp_buf_fini(&fields);
	return false;
}

static void
put_name(struct made *made, const struct kp_object_field *field,
    const char *type, const char *name)
{
	if (find_field(made->api->type, "resourceType") != NULL)
		kp_yaml_put(made->map, "resourceType", kp_yaml_new_text(type));
	kp_yaml_put(made->map, field->name, kp_yaml_new_text(name));
}

static bool
put_topic(struct made *made, const char *text)
{
	const struct kp_object_field *field = find_topic(made->api);

	if (field == NULL)
		return has_none(made, "topic");
	put_name(made, field, "topic", text);
	return true;
}

static bool
put_group(struct made *made, const char *text)
{
	const struct kp_object_field *field = find_group(made->api);

	if (field == NULL)
		return has_none(made, "group");
	if (kp_yaml_get(made->map, field->name) != NULL) {
		kp_output_problem("--topic and --group are two items: say one");
		return false;
	}
	put_name(made, field, "group", text);
	return true;
}

static bool
put_number(
    struct made *made, const char *flag, const char *name, const char *text)
{
	const struct kp_object_field *field = find_field(made->api->type, name);
	int64_t number;

	if (field == NULL || strcmp(field->type, "int") != 0)
		return has_none(made, flag);
	if (!kp_parse_int(text, &number)) {
		kp_output_problem(
		    "--%s: must be a whole number, not \"%.64s\"", flag, text);
		return false;
	}
	kp_yaml_put(made->map, name, kp_yaml_new_int(number));
	return true;
}

static bool
put_partitions(struct made *made, const char *text)
{
	return put_number(made, "partitions", "partitions", text);
}

static bool
put_replication(struct made *made, const char *text)
{
	return put_number(
	    made, "replication-factor", "replicationFactor", text);
}

/* Splits "name=value"; says what is wrong if it is none. */
static bool
split(const char *text, char name[KP_SETTING_MAX_TEXT], const char **value)
{
	size_t len = strcspn(text, "=");

	if (len == 0 || text[len] == '\0' || len >= KP_SETTING_MAX_TEXT) {
		kp_output_problem(
		    "--config: must be NAME=VALUE, not \"%.64s\"", text);
		return false;
	}
	kp_copy(name, text, len);
	name[len] = '\0';
	*value = text + len + 1;
	return true;
}

static bool
put_setting(struct kp_yaml *configs, const char *name, const char *value)
{
	if (kp_yaml_get(configs, name) != NULL) {
		kp_output_problem("--config: \"%.64s\" is there twice", name);
		return false;
	}
	kp_yaml_put(configs, name, kp_yaml_new_text(value));
	return true;
}

static void
put_change(struct kp_yaml *changes, const char *name, const char *value)
{
	struct kp_yaml *change = kp_yaml_append(changes, kp_yaml_new_map());

	kp_yaml_put(change, "name", kp_yaml_new_text(name));
	kp_yaml_put(change, "operation", kp_yaml_new_text("set"));
	kp_yaml_put(change, "value", kp_yaml_new_text(value));
}

/* A map of settings or, where they are changed one by one, a list. */
static bool
put_configs(struct made *made)
{
	bool is_list = find_field(made->api->type, "configs") == NULL;
	const char *name = is_list ? "changes" : "configs", *text, *value;
	const struct kp_object_field *field = find_field(made->api->type, name);
	char key[KP_SETTING_MAX_TEXT];
	struct kp_yaml *to = NULL;
	size_t at = 0;

	while ((text = kp_args_next(made->args, "config", &at)) != NULL) {
		if (field == NULL ||
		    (is_list && find_field(field->rows, "operation") == NULL))
			return has_none(made, "config");
		if (to == NULL)
			to = kp_yaml_put(made->map, name,
			    is_list ? kp_yaml_new_list() : kp_yaml_new_map());
		if (!split(text, key, &value))
			return false;
		if (is_list)
			put_change(to, key, value);
		else if (!put_setting(to, key, value))
			return false;
	}
	return true;
}

static const struct {
	const char *flag;
	bool (*put)(struct made *made, const char *text);
} item_flags[] = {
	{ "topic", put_topic },
	{ "group", put_group },
	{ "partitions", put_partitions },
	{ "replication-factor", put_replication },
};
#define NUM_ITEM_FLAGS (sizeof(item_flags) / sizeof(*item_flags))

static bool
make_item(struct made *made)
{
	for (size_t i = 0; i < NUM_ITEM_FLAGS; i++) {
		const char *text = kp_args_text(made->args, item_flags[i].flag);

		if (text != NULL && !item_flags[i].put(made, text))
			return false;
	}
	return put_configs(made);
}

/* --item says all of it. */
static bool
is_alone(const struct kp_args *args)
{
	const char *other = NULL;

	for (size_t i = 0; i < NUM_ITEM_FLAGS; i++)
		if (kp_args_text(args, item_flags[i].flag) != NULL)
			other = item_flags[i].flag;
	if (kp_args_text(args, "config") != NULL)
		other = "config";
	if (other != NULL)
		kp_output_problem("--item is the whole item: say in it what "
				  "--%s says",
		    other);
	return other == NULL;
}

static bool
parse_item(struct kp_trace_request *out, const char *text,
    struct kp_diagnostics *diagnostics)
{
	struct kp_origin at = { .file = "--item" };
	struct kp_yaml_stream stream;
	struct kp_error err;
	bool ok;

	if (!kp_yaml_parse(&stream, kp_bytes_of(text), &err)) {
		kp_diagnostics_add_yaml(diagnostics, at.file, &err);
		return false;
	}
	ok = stream.num_documents == 1;
	if (!ok)
		kp_diagnostics_add(diagnostics, &at,
		    "must be one YAML document, not %zu", stream.num_documents);
	else
		ok = kp_case_read_item(&out->asked, stream.documents[0],
		    at.file, "item", &out->arena, diagnostics);
	kp_yaml_stream_fini(&stream);
	return ok;
}

/* A flag has no line: problems are those of all of them. */
static void
forget_places(struct kp_yaml *node)
{
	node->line = 0;
	for (size_t i = 0; i < node->num_items; i++) {
		if (node->kind == KP_YAML_MAP)
			forget_places(node->keys[i]);
		forget_places(node->items[i]);
	}
}

static bool
read_item(struct kp_trace_request *out, const struct kp_args *args,
    struct kp_diagnostics *diagnostics)
{
	struct made made = { .args = args, .api = out->asked.api };
	const char *said = kp_args_text(args, "item");
	bool ok;

	if (said != NULL)
		return is_alone(args) && parse_item(out, said, diagnostics);
	made.map = kp_yaml_new_map();
	ok = make_item(&made);
	forget_places(made.map);
	ok = ok && kp_case_read_item(&out->asked, made.map, "flags", "item",
		       &out->arena, diagnostics);
	kp_yaml_free(made.map);
	return ok;
}

/* Says what is wrong with an item, and of what fields it can be. */
static void
complain_item(
    const struct kp_object_api *api, const struct kp_diagnostics *diagnostics)
{
	struct kp_buf text;

	kp_buf_init(&text, KP_OUTPUT_MAX_LEN);
	kp_diagnostics_print(diagnostics, &text);
	kp_buf_printf(&text, "kpctl: an item of %s has the fields ",
	    kp_api_name(api->key));
	list_fields(&text, api);
	kp_buf_add_text(&text, "; --item '{FIELD: VALUE, ...}' says them\n");
	kp_output_part(&text);
	if (text.len > 0)
		(void)fwrite(text.data, text.len, 1, stderr);
	kp_buf_fini(&text);
}

bool
kp_trace_request_init(struct kp_trace_request *out, const struct kp_args *args)
{
	struct kp_diagnostics diagnostics = { 0 };
	bool ok;

	*out = (struct kp_trace_request){ 0 };
	kp_arena_init(&out->arena, KP_CASES_MAX_MEMORY);
	ok = read_facts(out, args) && read_item(out, args, &diagnostics);
	if (kp_diagnostics_count(&diagnostics) > 0)
		complain_item(out->asked.api, &diagnostics);
	kp_diagnostics_fini(&diagnostics);
	return ok;
}

void
kp_trace_request_fini(struct kp_trace_request *request)
{
	kp_arena_fini(&request->arena);
}
