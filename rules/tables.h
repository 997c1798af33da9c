/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rule tables: everything the worker serves from, compiled from resources by
 * the agent and handed over whole. Immutable once built. Secrets (private keys)
 * are in it as bytes on the way to the worker and are never persisted:
 * kp_tables_pack leaves them out unless told otherwise. @thread any, read only
 */
#ifndef KP_RULES_TABLES_H
#define KP_RULES_TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/log.h"
#include "rules/limits.h"

struct kp_host_port {
	char *host;
	uint16_t port;
};

/* A PEM certificate chain and its key. */
struct kp_key_pair {
	struct kp_bytes certificate_pem;
	struct kp_bytes key_pem;
	char *certificate_ref, *key_ref; /* the files they come from */
};

struct kp_tables_node {
	int32_t id;
	struct kp_host_port address;
};

struct kp_tables_cluster {
	char *name;
	struct kp_host_port *bootstrap;
	size_t num_bootstrap;
	bool has_tls;
	bool is_hostname_verified;
	struct kp_bytes ca_pem; /* empty: the system's, as read by the agent */
	char *ca_ref;
	struct kp_key_pair client; /* empty without client certificate */
	int32_t connect_timeout_ms;
	struct kp_tables_node *nodes; /* known before any metadata passed */
	size_t num_nodes;
};

enum kp_listener_strategy { KP_LISTEN_PORTS, KP_LISTEN_SNI };
enum kp_client_auth {
	KP_CLIENT_AUTH_NONE,
	KP_CLIENT_AUTH_OPTIONAL,
	KP_CLIENT_AUTH_REQUIRED,
};

struct kp_tables_listener {
	char *name;
	char *bind;            /* address literal */
	char *advertised_host; /* strategy ports */
	enum kp_listener_strategy strategy;
	uint16_t bootstrap_port; /* sni: the one port */
	uint16_t first_port, num_ports;
	int32_t first_node_id;
	char *sni_bootstrap; /* host name */
	char *sni_broker;    /* pattern with {node} */
	bool has_tls;
	struct kp_key_pair *certificates; /* the first is the default */
	size_t num_certificates;
	struct kp_bytes client_ca_pem;
	char *client_ca_ref;
	enum kp_client_auth client_auth;
	bool has_proxy_protocol;
};

enum kp_auth_mode { KP_AUTH_PASS_THROUGH, KP_AUTH_NONE };

struct kp_tables_virtual_cluster {
	char *name;
	uint32_t cluster;  /* index into clusters */
	uint32_t listener; /* index into listeners */
	enum kp_auth_mode auth;
	uint32_t max_connections; /* 0: only the node's limit */
};

enum kp_policy_action { KP_POLICY_DENY, KP_POLICY_WARN };

/* What an expression that cannot be evaluated means. */
enum kp_policy_failure { KP_POLICY_FAIL, KP_POLICY_IGNORE };

struct kp_tables_variable {
	char *name, *expression;
};

struct kp_tables_validation {
	char *expression;
	char *message, *message_expression; /* NULL: none */
};

struct kp_tables_override {
	char *field, *expression;
	char *when; /* NULL: always */
};

/* What a Policy says (rules/govern/policy.h makes programs of it). */
struct kp_tables_policy {
	char *name;
	int16_t *apis; /* keys */
	size_t num_apis;
	char **topics; /* patterns with "*"; none: all */
	size_t num_topics;
	char **virtual_clusters; /* the same */
	size_t num_virtual_clusters;
	struct kp_tables_variable *variables;
	size_t num_variables;
	struct kp_tables_validation *validations;
	size_t num_validations;
	struct kp_tables_override *overrides;
	size_t num_overrides;
	enum kp_policy_action action;
	enum kp_policy_failure failure;
};

struct kp_tables {
	uint64_t generation;
	enum kp_log_level log_level;
	struct kp_limits limits;
	struct kp_tables_cluster *clusters;
	size_t num_clusters;
	struct kp_tables_listener *listeners;
	size_t num_listeners;
	struct kp_tables_virtual_cluster *virtual_clusters;
	size_t num_virtual_clusters;
	struct kp_tables_policy *policies;
	size_t num_policies;
};

/* kp_tables_policy_fini frees what a policy owns, not itself. */
void kp_tables_policy_fini(struct kp_tables_policy *policy);
/* The caller ends *out with kp_tables_policy_fini. */
void kp_tables_policy_copy(
    struct kp_tables_policy *out, const struct kp_tables_policy *from);
bool kp_tables_policy_equal(
    const struct kp_tables_policy *a, const struct kp_tables_policy *b);

/* Limits of one policy. */
#define KP_POLICY_MAX_VARIABLES 32
#define KP_POLICY_MAX_VALIDATIONS 100
#define KP_POLICY_MAX_OVERRIDES 32
#define KP_POLICY_MAX_PATTERNS 1000

/*
 * kp_tables_pack adds the serialized tables to out, which has failed if they do
 * not fit; with_secrets false leaves certificates' and keys' bytes out
 * (references stay).
 */
bool kp_tables_pack(struct kp_buf *out, const struct kp_tables *tables,
    bool with_secrets) KP_MUST_CHECK;

/* kp_tables_unpack returns NULL and fills err if packed is not valid, or, with
 * KP_ERR_LIMIT, for want of memory. */
struct kp_tables *kp_tables_unpack(
    struct kp_bytes packed, struct kp_error *err);
void kp_tables_free(struct kp_tables *tables);

#endif
