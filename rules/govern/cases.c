/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of cases are documents of their own, like node.yaml: they are no
 * resources, so that no server ever stores one.
 */
#include "rules/govern/cases.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "rules/govern/cases_priv.h"
#include "rules/kinds/kinds.h"

#define MAX_NAME_LEN 200
#define MAX_MESSAGE_LEN 1000
#define MAX_PROBLEM_LEN 512

static const struct kp_setting_word decisions[] = {
	{ .word = "allow", .value = KP_DECISION_ALLOW },
	{ .word = "warn", .value = KP_DECISION_WARN },
	{ .word = "deny", .value = KP_DECISION_DENY },
	{ .word = NULL },
};

static const struct kp_setting request_fields[] = {
	{ .name = "api",
	    .type = KP_SETTING_ENUM,
	    .is_required = true,
	    .words = kp_policy_api_words,
	    .help = "Which request it is, by its name in Kafka's protocol." },
	{ .name = "version",
	    .type = KP_SETTING_INT,
	    .min = 0,
	    .max = INT16_MAX,
	    .help = "Its version; without it the newest. Older ones lack "
		    "fields." },
	{ .name = "clientId",
	    .type = KP_SETTING_STRING,
	    .help = "What the client calls itself." },
	{ .name = "principal",
	    .type = KP_SETTING_STRING,
	    .example = "alice",
	    .help = "Who the client is; without it ANONYMOUS." },
	{ .name = "virtualCluster",
	    .type = KP_SETTING_STRING,
	    .help = "Name of the virtual cluster that it came to; without it "
		    "one that no name but \"*\" selects." },
	{ .name = "listener",
	    .type = KP_SETTING_STRING,
	    .help = "Name of the listener that it came through." },
	{ .name = "address",
	    .type = KP_SETTING_ADDRESS,
	    .help = "Where the client is." },
	{ .type = KP_SETTING_END },
};

static const struct kp_setting case_fields[] = {
	{ .name = "name",
	    .type = KP_SETTING_STRING,
	    .is_required = true,
	    .max = MAX_NAME_LEN,
	    .example = "one replica is refused",
	    .help = "What is shown, in a few words." },
	{ .name = "request",
	    .type = KP_SETTING_OBJECT,
	    .is_required = true,
	    .fields = request_fields,
	    .help = "What comes, and from whom." },
	{ .name = "item",
	    .type = KP_SETTING_OPEN,
	    .is_required = true,
	    .example = "{name: team.orders, partitions: 3, "
		       "replicationFactor: 1}",
	    .help = "The one item of the request, with the fields that "
		    "expressions see: those of its type in "
		    "docs/policies.md." },
	{ .name = "expect",
	    .type = KP_SETTING_ENUM,
	    .is_required = true,
	    .words = decisions,
	    .example = "deny",
	    .help = "allow: no policy says anything. warn: it passes, and "
		    "some policy says something. deny: it is refused." },
	{ .name = "policies",
	    .type = KP_SETTING_STRING,
	    .is_list = true,
	    .help = "Policies that say something: these and no others. "
		    "Without it any." },
	{ .name = "message",
	    .type = KP_SETTING_STRING,
	    .max = MAX_MESSAGE_LEN,
	    .example = "replication factor",
	    .help = "A part of what some policy says." },
	{ .name = "overrides",
	    .type = KP_SETTING_MAP,
	    .help = "Fields that policies set, as they name them, and to what: "
		    "these and no others. Without it any." },
	{ .type = KP_SETTING_END },
};

static const struct kp_setting document_fields[] = {
	{ .name = "cases",
	    .type = KP_SETTING_OBJECT,
	    .is_list = true,
	    .is_required = true,
	    .fields = case_fields,
	    .help = "Requests, and what is expected to become of each." },
	{ .type = KP_SETTING_END },
};

const struct kp_setting kp_cases_setting = {
	.name = "",
	.type = KP_SETTING_OBJECT,
	.since = "0.1",
	.fields = document_fields,
	.help = "Tests of policies, for kpctl test.",
};

/* What is needed while a file is read. */
struct reader {
	struct kp_cases *cases; /* NULL: there is one item and no file */
	const char *file;
	struct kp_diagnostics *diagnostics;
	struct kp_arena *arena;   /* of requests */
	struct kp_arena settings; /* for the table of one item */
};

static bool complain(struct reader *r, const struct kp_value *root,
    const struct kp_value *value, const char *path, const char *fmt, ...)
    KP_PRINTF(5, 6);

/* Returns false; value is in root, which was read at path. */
static bool
complain(struct reader *r, const struct kp_value *root,
    const struct kp_value *value, const char *path, const char *fmt, ...)
{
	char below[KP_VALUE_PATH_SIZE], full[2 * KP_VALUE_PATH_SIZE + 1];
	char words[MAX_PROBLEM_LEN];
	char text[sizeof(full) + sizeof(words) + 2];
	va_list args;

	kp_value_path(root, &value->at, below);
	(void)snprintf(full, sizeof(full), "%s%s%s", path,
	    path[0] != '\0' && below[0] != '\0' ? "." : "", below);
	va_start(args, fmt);
	if (vsnprintf(words, sizeof(words), fmt, args) < 0)
		words[0] = '\0';
	va_end(args);
	(void)snprintf(text, sizeof(text), "%s: %s", full, words);
	kp_diagnostics_add_about(r->diagnostics, &value->at, "", full, text);
	return false;
}

static const char *
text_or_none(const struct kp_value *said, const char *path)
{
	const char *text = kp_value_text(said, path);

	return text == NULL ? "" : text;
}

static bool
read_request(struct reader *r, struct kp_case *one)
{
	const struct kp_value *version =
	    kp_value_get(one->said, "request.version");
	int16_t key = (int16_t)kp_value_number(one->said, "request.api");
	const struct kp_object_api *api = kp_object_api_find(key);
	int16_t max_version = kp_object_max_version(api);

	one->facts = (struct kp_facts){
		.api_key = key,
		.api_version =
		    version == NULL ? max_version : (int16_t)version->number,
		.client_id =
		    kp_bytes_of(text_or_none(one->said, "request.clientId")),
		.principal = text_or_none(one->said, "request.principal"),
		.virtual_cluster =
		    text_or_none(one->said, "request.virtualCluster"),
		.listener = text_or_none(one->said, "request.listener"),
		.address = text_or_none(one->said, "request.address"),
	};
	one->item_version = one->facts.api_version;
	one->api = kp_object_judged(api, &one->item_version);
	if (kp_api_has(key, one->facts.api_version) &&
	    one->facts.api_version <= max_version)
		return true;
	return complain(r, r->cases->document, version, "",
	    "%s has the versions %d to %d", kp_api_name(key),
	    kp_api_find(key)->request->min_version, max_version);
}

static bool
fill_item(struct reader *r, struct kp_case *one, const struct kp_value *item,
    const char *path)
{
	const struct kp_value *counted = kp_case_item_counted(one->api, item);
	const struct kp_value *stray =
	    kp_case_item_stray(one->api, one->facts.api_version, item);

	if (counted != NULL)
		return complain(r, item, counted, path,
		    "is counted from assignments, and must not be said");
	if (stray != NULL)
		return complain(r, item, stray, path,
		    "is no part of that operation, and must not be said");
	kp_tree_make(&one->request, kp_api_find(one->api->key)->request,
	    one->item_version, r->arena);
	if (!r->arena->failed)
		kp_case_item_fill(&one->request, one->api, item);
	if (!r->arena->failed &&
	    kp_items_of(&one->items, one->api, &one->request))
		return true;
	return complain(r, item, item, path, "takes too much memory");
}

static bool
read_node(struct reader *r, struct kp_case *one, const struct kp_yaml *node,
    const char *path)
{
	struct kp_origin at = { r->file, node->line, node->column };
	const struct kp_setting *setting;
	struct kp_value *item;
	bool ok;

	kp_arena_reset(&r->settings);
	setting = kp_case_item_setting(kp_object_api_find(one->facts.api_key),
	    one->facts.api_version, path, &r->settings);
	if (setting == NULL) {
		kp_diagnostics_add_about(r->diagnostics, &at, "", path,
		    "there is no memory to read it");
		return false;
	}
	item = kp_value_parse(setting, node, r->file, "", r->diagnostics);
	ok = item != NULL && fill_item(r, one, item, path);
	kp_value_free(item);
	return ok;
}

static bool
read_item(struct reader *r, struct kp_case *one)
{
	const struct kp_value *said = kp_value_get(one->said, "item");
	char path[KP_VALUE_PATH_SIZE];

	kp_value_path(r->cases->document, &said->at, path);
	return read_node(r, one, said->node, path);
}

bool
kp_case_read_item(struct kp_case *one, const struct kp_yaml *node,
    const char *file, const char *path, struct kp_arena *arena,
    struct kp_diagnostics *diagnostics)
{
	struct reader r = {
		.file = file, .diagnostics = diagnostics, .arena = arena
	};
	bool ok;

	kp_arena_init(&r.settings, KP_CASE_ITEM_MEMORY);
	ok = read_node(&r, one, node, path);
	kp_arena_fini(&r.settings);
	return ok;
}

/* Problems of one case do not hide those of the next. */
static bool
read_cases(struct reader *r)
{
	const struct kp_value *said = kp_value_get(r->cases->document, "cases");
	bool ok = true;

	kp_arena_init(&r->settings, KP_CASE_ITEM_MEMORY);
	r->cases->num = said->num_items;
	r->cases->list = kp_alloc(said->num_items, sizeof(*r->cases->list));
	for (size_t i = 0; i < said->num_items; i++) {
		struct kp_case *one = &r->cases->list[i];

		one->said = said->items[i];
		ok &= read_request(r, one) && read_item(r, one);
	}
	kp_arena_fini(&r->settings);
	return ok;
}

static bool
read_document(struct reader *r, const struct kp_yaml_stream *stream)
{
	struct kp_origin at = { .file = r->file };

	if (stream->num_documents != 1) {
		kp_diagnostics_add(r->diagnostics, &at,
		    "must hold one YAML document, not %zu",
		    stream->num_documents);
		return false;
	}
	r->cases->document = kp_value_parse(&kp_cases_setting,
	    stream->documents[0], r->file, "", r->diagnostics);
	return r->cases->document != NULL && read_cases(r);
}

struct kp_cases *
kp_cases_new(
    const char *file, struct kp_bytes text, struct kp_diagnostics *diagnostics)
{
	struct kp_cases *cases = kp_alloc(1, sizeof(*cases));
	struct reader r = { .cases = cases,
		.diagnostics = diagnostics,
		.arena = &cases->arena };
	struct kp_yaml_stream stream;
	struct kp_error err;
	bool ok;

	cases->file = kp_strdup(file);
	r.file = cases->file;
	kp_arena_init(&cases->arena, KP_CASES_MAX_MEMORY);
	ok = kp_yaml_parse(&stream, text, &err);
	if (!ok) {
		kp_diagnostics_add_yaml(diagnostics, cases->file, &err);
	} else {
		ok = read_document(&r, &stream);
		kp_yaml_stream_fini(&stream);
	}
	if (ok)
		return cases;
	kp_cases_free(cases);
	return NULL;
}

void
kp_cases_free(struct kp_cases *cases)
{
	if (cases == NULL)
		return;
	free(cases->list);
	kp_arena_fini(&cases->arena);
	kp_value_free(cases->document);
	free(cases->file);
	free(cases);
}

bool
kp_cases_are_in(struct kp_bytes text)
{
	struct kp_yaml_stream stream;
	struct kp_error err;
	bool are = false;

	if (!kp_yaml_parse(&stream, text, &err))
		return false;
	if (stream.num_documents > 0)
		are = kp_yaml_get(stream.documents[0], "kind") == NULL &&
		      kp_yaml_get(stream.documents[0], "apiVersion") == NULL;
	kp_yaml_stream_fini(&stream);
	return are;
}
