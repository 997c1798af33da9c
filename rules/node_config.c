/* SPDX-License-Identifier: Apache-2.0 */
/* The table of node.yaml. */
#include "rules/node_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "base/yaml.h"
#include "rules/value.h"

#define NEEDS_SERVER "needs kpserver, which is not in this version"

static const struct kp_setting_word log_formats[] = {
	{ .word = "auto", .value = KP_LOG_AUTO },
	{ .word = "human", .value = KP_LOG_HUMAN },
	{ .word = "json", .value = KP_LOG_JSON },
	{ .word = NULL },
};

static const struct kp_setting_word log_levels[] = {
	{ .word = "error", .value = KP_LOG_ERROR },
	{ .word = "warn", .value = KP_LOG_WARN },
	{ .word = "info", .value = KP_LOG_INFO },
	{ .word = "debug", .value = KP_LOG_DEBUG },
	{ .word = NULL },
};

/* The name is a label in metrics and part of a certificate's name later. */
static const char *
complain_node(const char *text)
{
	return kp_is_host(text) ? NULL
				: "is not a name: letters, digits, "
				  "\"-\" and \".\" are allowed";
}

static const char *
complain_address(const char *host)
{
	return kp_is_address(host) ? NULL : "is not an IP address";
}

static const struct kp_setting admin_fields[] = {
	{ .name = "listen",
	    .type = KP_SETTING_HOST_PORT,
	    .complaint = complain_address,
	    .fallback = "127.0.0.1:9180",
	    .help = "Address of /metrics, /livez and /readyz. Anybody who can "
		    "connect can read them." },
	{ .type = KP_SETTING_END },
};

static const struct kp_setting server_fields[] = {
	{ .type = KP_SETTING_END },
};

static const struct kp_setting control_fields[] = {
	{ .name = "files",
	    .type = KP_SETTING_PATH,
	    .is_required = true,
	    .example = "./resources",
	    .help = "Folder of resource files (*.yaml, *.yml), which is "
		    "watched." },
	{ .name = "server",
	    .type = KP_SETTING_OBJECT,
	    .fields = server_fields,
	    .refused = NEEDS_SERVER,
	    .help = "Policy server to get resources from." },
	{ .type = KP_SETTING_END },
};

static const struct kp_setting log_fields[] = {
	{ .name = "format",
	    .type = KP_SETTING_ENUM,
	    .words = log_formats,
	    .fallback = "auto",
	    .help = "auto: human on a terminal, else json." },
	{ .name = "level",
	    .type = KP_SETTING_ENUM,
	    .words = log_levels,
	    .fallback = "info",
	    .help = "debug writes a line for every request." },
	{ .type = KP_SETTING_END },
};

static const struct kp_setting node_fields[] = {
	{ .name = "node",
	    .type = KP_SETTING_STRING,
	    .is_required = true,
	    .max = 253,
	    .complaint = complain_node,
	    .example = "edge-1",
	    .help = "Name of this node, unique in the fleet." },
	{ .name = "stateDir",
	    .type = KP_SETTING_PATH,
	    .fallback = "./state",
	    .help = "Folder for what must survive a restart, such as the last "
		    "tables that were accepted." },
	{ .name = "admin",
	    .type = KP_SETTING_OBJECT,
	    .fields = admin_fields,
	    .fallback = "{}",
	    .help = "Where the node is watched." },
	{ .name = "control",
	    .type = KP_SETTING_OBJECT,
	    .is_required = true,
	    .fields = control_fields,
	    .help = "Where resources come from." },
	{ .name = "limits",
	    .type = KP_SETTING_OBJECT,
	    .fields = kp_limit_settings,
	    .fallback = "{}",
	    .help = "Everything a peer can make the node wait for or "
		    "allocate." },
	{ .name = "log",
	    .type = KP_SETTING_OBJECT,
	    .fields = log_fields,
	    .fallback = "{}",
	    .help = "Log on stderr." },
	{ .type = KP_SETTING_END },
};

const struct kp_setting kp_node_config_setting = {
	.name = "",
	.type = KP_SETTING_OBJECT,
	.since = "0.1",
	.fields = node_fields,
	.help = "What one node needs to know before it has resources.",
};

static void
fill_limits(const struct kp_value *limits, struct kp_limits *out)
{
	for (int i = 0; i < KP_NUM_LIMITS; i++)
		out->of[i] = kp_value_number(limits, kp_limit_settings[i].name);
}

static bool
check_limits(const struct kp_value *root, struct kp_diagnostics *diagnostics)
{
	const struct kp_value *said = kp_value_get(root, "limits");
	struct kp_limits limits;
	enum kp_limit which;
	const char *complaint;

	fill_limits(said, &limits);
	complaint = kp_limits_complaint(&limits, &which);
	if (complaint == NULL)
		return true;
	kp_diagnostics_add(diagnostics,
	    &kp_value_get(said, kp_limit_settings[which].name)->at,
	    "limits: %s", complaint);
	return false;
}

static void
fill(const struct kp_value *root, struct kp_node_config *out)
{
	const struct kp_value *listen = kp_value_get(root, "admin.listen");

	*out = (struct kp_node_config){
		.node = kp_strdup(kp_value_text(root, "node")),
		.state_dir = kp_strdup(kp_value_text(root, "stateDir")),
		.admin = { kp_strdup(listen->text), (uint16_t)listen->number },
		.files_dir = kp_strdup(kp_value_text(root, "control.files")),
		.log_format =
		    (enum kp_log_format)kp_value_number(root, "log.format"),
		.log_level =
		    (enum kp_log_level)kp_value_number(root, "log.level"),
	};
	fill_limits(kp_value_get(root, "limits"), &out->limits);
}

static bool
parse_root(struct kp_node_config *out, const char *file,
    const struct kp_yaml *root, struct kp_diagnostics *diagnostics)
{
	struct kp_value *value = kp_value_parse(
	    &kp_node_config_setting, root, file, "", diagnostics);
	bool ok = value != NULL && check_limits(value, diagnostics);

	if (ok)
		fill(value, out);
	kp_value_free(value);
	return ok;
}

bool
kp_node_config_parse(struct kp_node_config *out, const char *file,
    struct kp_bytes text, struct kp_diagnostics *diagnostics)
{
	struct kp_origin at = { .file = file };
	struct kp_yaml_stream stream;
	struct kp_error err;
	bool ok = false;

	*out = (struct kp_node_config){ 0 };
	if (!kp_yaml_parse(&stream, text, &err)) {
		kp_diagnostics_add_yaml(diagnostics, file, &err);
		return false;
	}
	if (stream.num_documents == 1)
		ok = parse_root(out, file, stream.documents[0], diagnostics);
	else
		kp_diagnostics_add(diagnostics, &at,
		    "must hold one YAML document, not %zu",
		    stream.num_documents);
	kp_yaml_stream_fini(&stream);
	return ok;
}

void
kp_node_config_fini(struct kp_node_config *config)
{
	free(config->node);
	free(config->state_dir);
	free(config->admin.host);
	free(config->files_dir);
	*config = (struct kp_node_config){ 0 };
}
