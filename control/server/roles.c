/* SPDX-License-Identifier: Apache-2.0 */
#include "control/server/roles.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/yaml.h"
#include "control/server/catalog.h"

struct kp_roles {
	atomic_uint refs;
	struct kp_server_config config; /* of which only roles is there */
};

struct kp_roles *
kp_roles_new(struct kp_role_config **list, size_t num)
{
	struct kp_roles *roles = kp_alloc(1, sizeof(*roles));

	atomic_init(&roles->refs, 1);
	roles->config.roles = *list;
	roles->config.num_roles = num;
	*list = NULL;
	return roles;
}

struct kp_roles *
kp_roles_ref(struct kp_roles *roles)
{
	(void)atomic_fetch_add(&roles->refs, 1);
	return roles;
}

void
kp_roles_unref(struct kp_roles *roles)
{
	if (roles == NULL || atomic_fetch_sub(&roles->refs, 1) != 1)
		return;
	kp_server_config_fini(&roles->config);
	free(roles);
}

/* Does a pattern mean this name? "CN:x", "CN:x*", "*". */
static bool
matches(const char *pattern, const char *name)
{
	size_t len = strlen(pattern);

	if (len > 0 && pattern[len - 1] == '*')
		return strncmp(pattern, name, len - 1) == 0;
	return strcmp(pattern, name) == 0;
}

static bool
is_named(const struct kp_role_config *role, const char *name)
{
	for (size_t i = 0; i < role->num_identities; i++) {
		if (matches(role->identities[i], name))
			return true;
	}
	return false;
}

/* The names of a peer in the order in which they are tried; false: no more. */
static bool
name_at(
    const struct kp_rpc_peer *peer, size_t index, char out[KP_IDENTITY_SIZE])
{
	bool has_common_name = peer->common_name[0] != '\0';

	if (index == 0 && has_common_name) {
		(void)snprintf(
		    out, KP_IDENTITY_SIZE, "CN:%s", peer->common_name);
		return true;
	}
	index -= has_common_name;
	if (index >= peer->num_names)
		return false;
	(void)snprintf(out, KP_IDENTITY_SIZE, "%s", peer->names[index]);
	return true;
}

/* Is this entry for peer? out becomes the name that says so. */
static bool
is_for(const struct kp_role_config *role, const struct kp_rpc_peer *peer,
    char out[KP_IDENTITY_SIZE])
{
	for (size_t i = 0; name_at(peer, i, out); i++) {
		if (is_named(role, out))
			return true;
	}
	return false;
}

/* Does who has one role have the other, too? */
static bool
includes(enum kp_role has, enum kp_role wanted)
{
	if (has == KP_ROLE_NODE || wanted == KP_ROLE_NODE)
		return has == wanted;
	return has >= wanted;
}

bool
kp_roles_has(const struct kp_roles *roles, const struct kp_rpc_peer *peer,
    enum kp_role role, char out[KP_IDENTITY_SIZE])
{
	for (size_t i = 0; i < roles->config.num_roles; i++) {
		const struct kp_role_config *entry = &roles->config.roles[i];

		if (includes(entry->role, role) && is_for(entry, peer, out))
			return true;
	}
	if (!name_at(peer, 0, out))
		out[0] = '\0';
	return role == KP_ROLE_ANYBODY;
}

/* The labels of a canonical document, which are what it says of itself. */
static bool
has_labels(struct kp_bytes document, const struct kp_labels *wanted)
{
	const struct kp_yaml *labels = NULL, *metadata;
	struct kp_yaml_stream stream;
	struct kp_error err;
	bool has_all = true;

	if (wanted->num == 0)
		return true;
	if (!kp_yaml_parse(&stream, document, &err))
		return false;
	metadata = stream.num_documents == 1
		       ? kp_yaml_get(stream.documents[0], "metadata")
		       : NULL;
	if (metadata != NULL)
		labels = kp_yaml_get(metadata, "labels");
	for (size_t i = 0; has_all && i < wanted->num; i++) {
		const struct kp_yaml *value =
		    labels == NULL ? NULL
				   : kp_yaml_get(labels, wanted->list[i].name);

		has_all = value != NULL && value->kind == KP_YAML_SCALAR &&
			  strcmp(value->text, wanted->list[i].value) == 0;
	}
	kp_yaml_stream_fini(&stream);
	return has_all;
}

static bool
allows_kind(const struct kp_role_config *entry, const char *kind)
{
	for (size_t i = 0; i < entry->num_kinds; i++) {
		if (strcmp(entry->kinds[i], kind) == 0)
			return true;
	}
	return entry->num_kinds == 0;
}

/* May peer have its hands on a document of that kind? */
static bool
may_touch(const struct kp_roles *roles, const struct kp_rpc_peer *peer,
    const char *kind, struct kp_bytes document)
{
	char name[KP_IDENTITY_SIZE];

	for (size_t i = 0; i < roles->config.num_roles; i++) {
		const struct kp_role_config *entry = &roles->config.roles[i];

		if (includes(entry->role, KP_ROLE_EDITOR) &&
		    is_for(entry, peer, name) && allows_kind(entry, kind) &&
		    has_labels(document, &entry->labels))
			return true;
	}
	return false;
}

bool
kp_roles_may_edit(const struct kp_roles *roles, const struct kp_rpc_peer *peer,
    const struct kp_catalog_edit *edit, struct kp_error *err)
{
	const char *kind = edit->id.kind;
	char name[KP_IDENTITY_SIZE];

	(void)kp_roles_has(roles, peer, KP_ROLE_EDITOR, name);
	if (edit->before.data != NULL &&
	    !may_touch(roles, peer, kind, edit->before))
		return kp_error_set(err, KP_ERR_CONFIG,
		    "%.60s \"%.60s\" as it is may not be changed by \"%.80s\"",
		    kind, edit->id.name, name);
	if (edit->after.data != NULL &&
	    !may_touch(roles, peer, kind, edit->after))
		return kp_error_set(err, KP_ERR_CONFIG,
		    "%.60s \"%.60s\" as it would be may not be made by "
		    "\"%.80s\"",
		    kind, edit->id.name, name);
	return true;
}

const char *
kp_role_name(enum kp_role role)
{
	static const char *const names[] = {
		[KP_ROLE_ANYBODY] = "anybody",
		[KP_ROLE_VIEWER] = "viewer",
		[KP_ROLE_EDITOR] = "editor",
		[KP_ROLE_ADMIN] = "admin",
		[KP_ROLE_NODE] = "node",
	};

	return names[role];
}
