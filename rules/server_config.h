/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kpserver.yaml: what a policy server needs to know. Reads no file: callers
 * hand in the text. @thread any
 */
#ifndef KP_RULES_SERVER_CONFIG_H
#define KP_RULES_SERVER_CONFIG_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/log.h"
#include "rules/diagnostics.h"
#include "rules/labels.h"
#include "rules/server_limits.h"
#include "rules/setting.h"
#include "rules/tables.h"
#include "rules/value.h"

/* What a certificate's owner may do; admin may do all but be a node. */
enum kp_role {
	KP_ROLE_ANYBODY, /* every certificate that the CA signed */
	KP_ROLE_VIEWER,
	KP_ROLE_EDITOR, /* what a viewer may, too */
	KP_ROLE_ADMIN,
	KP_ROLE_NODE,
};

/* Who has a role, and what an editor is limited to: none of both, nothing. */
struct kp_role_config {
	enum kp_role role;
	char **identities; /* "CN:alice", "DNS:edge-*", "*" */
	size_t num_identities;
	char **kinds;
	size_t num_kinds;
	struct kp_labels labels; /* all of them */
};

/* Where the store in etcd is; texts are NULL where nothing was said. */
struct kp_server_etcd {
	char **endpoints; /* all begin with https://, or all with http:// */
	size_t num_endpoints;
	char *prefix;
	char *ca, *certificate, *key, *server_name;
	char *user;
	struct kp_secret_ref password; /* owned; name is NULL without a user */
};

/* Paths are relative to the folder of kpserver.yaml already (joined with it).
 */
struct kp_server_config {
	char *name;                  /* NULL: that of the host */
	struct kp_host_port *listen; /* hosts are address literals */
	size_t num_listen;
	struct kp_host_port admin;
	char *sqlite; /* NULL: etcd */
	struct kp_server_etcd etcd;
	char *ca, *certificate, *key;
	struct kp_role_config *roles;
	size_t num_roles;
	char *audit_file;
	uint64_t max_revisions; /* of the history */
	int64_t max_age_ms;     /* the same */
	struct kp_server_limits limits;
	enum kp_log_format log_format;
	enum kp_log_level log_level;
};

/* The table, an object, for explain and the documentation. */
extern const struct kp_setting kp_server_config_setting;

/*
 * kp_server_config_parse reads text, the content of file, and adds every
 * problem to diagnostics. The caller ends a success with kp_server_config_fini.
 */
bool kp_server_config_parse(struct kp_server_config *out, const char *file,
    struct kp_bytes text, struct kp_diagnostics *diagnostics) KP_MUST_CHECK;
void kp_server_config_fini(struct kp_server_config *config);

#endif
