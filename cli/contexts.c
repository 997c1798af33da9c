/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/contexts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/files.h"
#include "base/yaml_tree.h"
#include "rules/value.h"

static const struct kp_setting server_fields[] = {
	{ .name = "addresses",
	    .type = KP_SETTING_HOST_PORT,
	    .is_list = true,
	    .is_required = true,
	    .help = "Where the policy servers are; tried in turn." },
	{ .name = "ca",
	    .type = KP_SETTING_PATH,
	    .help = "PEM certificates that the server's must lead to." },
	{ .name = "certificate",
	    .type = KP_SETTING_PATH,
	    .help = "PEM certificate chain to show to the server." },
	{ .name = "key",
	    .type = KP_SETTING_PATH,
	    .help = "PEM private key of certificate." },
	{ .type = KP_SETTING_END },
};

static const struct kp_setting context_fields[] = {
	{ .name = "name",
	    .type = KP_SETTING_STRING,
	    .is_required = true,
	    .max = 253,
	    .help = "How it is called." },
	{ .name = "server",
	    .type = KP_SETTING_OBJECT,
	    .is_required = true,
	    .fields = server_fields,
	    .help = "The policy server." },
	{ .type = KP_SETTING_END },
};

static const struct kp_setting file_fields[] = {
	{ .name = "currentContext",
	    .type = KP_SETTING_STRING,
	    .max = 253,
	    .help = "The context that commands use." },
	{ .name = "contexts",
	    .type = KP_SETTING_OBJECT,
	    .is_list = true,
	    .fields = context_fields,
	    .help = "All contexts." },
	{ .type = KP_SETTING_END },
};

const struct kp_setting kp_contexts_setting = {
	.name = "",
	.type = KP_SETTING_OBJECT,
	.since = "0.1",
	.fields = file_fields,
	.help = "The servers that kpctl knows.",
};

static char *
dup_said(const struct kp_value *object, const char *path)
{
	const struct kp_value *value = kp_value_get(object, path);

	return value == NULL ? NULL : kp_strdup(value->said);
}

static char *
dup_address(const struct kp_value *value)
{
	bool is_v6 = strchr(value->text, ':') != NULL;
	char *text = NULL;

	kp_assert(asprintf(&text, is_v6 ? "[%s]:%u" : "%s:%u", value->text,
		      (unsigned)value->number) >= 0);
	return text;
}

static void
fill(struct kp_context *out, const struct kp_value *value)
{
	const struct kp_value *addresses =
	    kp_value_get(value, "server.addresses");

	out->num_addresses = addresses->num_items;
	out->addresses =
	    kp_alloc(addresses->num_items, sizeof(*out->addresses));
	for (size_t i = 0; i < addresses->num_items; i++)
		out->addresses[i] = dup_address(addresses->items[i]);
	out->ca = dup_said(value, "server.ca");
	out->certificate = dup_said(value, "server.certificate");
	out->key = dup_said(value, "server.key");
}

static void
fill_all(struct kp_contexts *out, const struct kp_value *root,
    struct kp_diagnostics *diagnostics)
{
	const char *current = kp_value_text(root, "currentContext");
	const struct kp_value *list = kp_value_get(root, "contexts");

	if (current != NULL)
		out->current = kp_strdup(current);
	for (size_t i = 0; list != NULL && i < list->num_items; i++) {
		const struct kp_value *item = list->items[i];
		const char *name = kp_value_text(item, "name");
		struct kp_context *context;

		if (kp_contexts_find(out, name) != NULL) {
			kp_diagnostics_add(diagnostics, &item->at,
			    "there are two contexts \"%s\"", name);
			continue;
		}
		context = kp_contexts_add(out, name);
		if (context != NULL)
			fill(context, item);
		else
			kp_diagnostics_add(
			    diagnostics, &item->at, "too many contexts");
	}
}

static void
parse(struct kp_contexts *out, struct kp_bytes text,
    struct kp_diagnostics *diagnostics)
{
	struct kp_origin at = { .file = out->path };
	struct kp_yaml_stream stream;
	struct kp_value *value = NULL;
	struct kp_error err;

	if (!kp_yaml_parse(&stream, text, &err)) {
		kp_diagnostics_add_yaml(diagnostics, out->path, &err);
		return;
	}
	if (stream.num_documents > 1)
		kp_diagnostics_add(diagnostics, &at,
		    "must hold one YAML document, not %zu",
		    stream.num_documents);
	else if (stream.num_documents == 1)
		value = kp_value_parse(&kp_contexts_setting,
		    stream.documents[0], out->path, "", diagnostics);
	if (value != NULL)
		fill_all(out, value, diagnostics);
	kp_value_free(value);
	kp_yaml_stream_fini(&stream);
}

bool
kp_contexts_load(struct kp_contexts *out, const char *path,
    struct kp_diagnostics *diagnostics)
{
	struct kp_origin at = { .file = path };
	struct kp_error err = { 0 };
	struct kp_buf text;

	*out = (struct kp_contexts){ .path = kp_strdup(path) };
	kp_buf_init(&text, KP_YAML_MAX_BYTES);
	if (kp_file_read(&text, path, &err))
		parse(out, kp_buf_bytes(&text), diagnostics);
	else if (err.sys_errno != ENOENT)
		kp_diagnostics_add(
		    diagnostics, &at, "%s", kp_file_reason(&err, path));
	kp_buf_fini(&text);
	return kp_diagnostics_count(diagnostics) == 0;
}

static void
context_fini(struct kp_context *context)
{
	for (size_t i = 0; i < context->num_addresses; i++)
		free(context->addresses[i]);
	free(context->addresses);
	free(context->name);
	free(context->ca);
	free(context->certificate);
	free(context->key);
}

void
kp_contexts_fini(struct kp_contexts *contexts)
{
	for (size_t i = 0; i < contexts->num; i++)
		context_fini(&contexts->list[i]);
	free(contexts->list);
	free(contexts->path);
	free(contexts->current);
	*contexts = (struct kp_contexts){ 0 };
}

struct kp_context *
kp_contexts_find(const struct kp_contexts *contexts, const char *name)
{
	for (size_t i = 0; i < contexts->num; i++) {
		if (strcmp(contexts->list[i].name, name) == 0)
			return &contexts->list[i];
	}
	return NULL;
}

struct kp_context *
kp_contexts_add(struct kp_contexts *contexts, const char *name)
{
	struct kp_context *context;

	if (contexts->num == KP_MAX_CONTEXTS)
		return NULL;
	if (contexts->list == NULL)
		contexts->list =
		    kp_alloc(KP_MAX_CONTEXTS, sizeof(*contexts->list));
	context = &contexts->list[contexts->num++];
	*context = (struct kp_context){ .name = kp_strdup(name) };
	return context;
}

void
kp_contexts_remove(struct kp_contexts *contexts, struct kp_context *context)
{
	size_t index = (size_t)(context - contexts->list);

	context_fini(context);
	contexts->num--;
	kp_move(
	    context, context + 1, (contexts->num - index) * sizeof(*context));
}

static void
put_text(struct kp_yaml *map, const char *key, const char *text)
{
	if (text != NULL)
		kp_yaml_put(map, key, kp_yaml_new_text(text));
}

static struct kp_yaml *
tree_of(const struct kp_context *context)
{
	struct kp_yaml *map = kp_yaml_new_map(), *server, *addresses;

	put_text(map, "name", context->name);
	server = kp_yaml_put(map, "server", kp_yaml_new_map());
	addresses = kp_yaml_put(server, "addresses", kp_yaml_new_list());
	for (size_t i = 0; i < context->num_addresses; i++)
		kp_yaml_append(
		    addresses, kp_yaml_new_text(context->addresses[i]));
	put_text(server, "ca", context->ca);
	put_text(server, "certificate", context->certificate);
	put_text(server, "key", context->key);
	return map;
}

struct kp_yaml *
kp_contexts_tree(const struct kp_contexts *contexts)
{
	struct kp_yaml *root = kp_yaml_new_map(), *list;

	put_text(root, "currentContext", contexts->current);
	list = kp_yaml_put(root, "contexts", kp_yaml_new_list());
	for (size_t i = 0; i < contexts->num; i++)
		kp_yaml_append(list, tree_of(&contexts->list[i]));
	return root;
}
