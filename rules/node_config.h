/* SPDX-License-Identifier: Apache-2.0 */
/*
 * node.yaml: what one node needs to know before it has resources. Read by the
 * supervisor and by the agent. Reads no file: callers hand in the text.
 * @thread any
 */
#ifndef KP_RULES_NODE_CONFIG_H
#define KP_RULES_NODE_CONFIG_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/log.h"
#include "rules/diagnostics.h"
#include "rules/labels.h"
#include "rules/limits.h"
#include "rules/setting.h"
#include "rules/tables.h"

/* Addresses of policy servers in one node's configuration. */
#define KP_NODE_MAX_SERVERS 16

/* control.server: where resources come from, if not from files. */
struct kp_node_server {
	char **addresses; /* "host:port" or "[v6]:port" */
	size_t num_addresses;
	char *server_name; /* in its certificate; NULL: the host's */
	char *ca, *certificate, *key;
};

/* Paths are relative to the folder of node.yaml already (joined with it). */
struct kp_node_config {
	char *node;
	char *state_dir;
	struct kp_host_port admin; /* host is an address literal */
	struct kp_labels labels;
	char *files_dir;              /* control.files, or NULL and server */
	struct kp_node_server server; /* without addresses: files_dir is set */
	struct kp_limits limits;
	enum kp_log_format log_format;
	enum kp_log_level log_level;
};

/* The table, an object, for explain and the documentation. */
extern const struct kp_setting kp_node_config_setting;

/*
 * kp_node_config_parse reads text, the content of file, and adds every problem
 * to diagnostics. The caller ends a success with kp_node_config_fini.
 */
bool kp_node_config_parse(struct kp_node_config *out, const char *file,
    struct kp_bytes text, struct kp_diagnostics *diagnostics) KP_MUST_CHECK;
void kp_node_config_fini(struct kp_node_config *config);

#endif
