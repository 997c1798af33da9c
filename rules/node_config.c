/* SPDX-License-Identifier: Apache-2.0 */
/* The table of node.yaml; the default limits are in it and nowhere else. */
#include "rules/node_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "base/yaml.h"
#include "rules/value.h"

#define KIB 1024ll
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define TIB (1024 * GIB)
#define SECOND 1000ll
#define HOUR (3600 * SECOND)

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
	    .help = "Folder of resource files (*.yaml, *.yml), which is "
		    "watched." },
	{ .name = "server",
	    .type = KP_SETTING_OBJECT,
	    .fields = server_fields,
	    .refused = NEEDS_SERVER,
	    .help = "Policy server to get resources from." },
	{ .type = KP_SETTING_END },
};

static const struct kp_setting limit_fields[] = {
	{ .name = "connections",
	    .type = KP_SETTING_INT,
	    .min = 1,
	    .max = 1000000,
	    .fallback = "10000",
	    .help = "Client connections of the node." },
	{ .name = "connectionsPerAddress",
	    .type = KP_SETTING_INT,
	    .min = 0,
	    .max = 1000000,
	    .fallback = "0",
	    .help = "Client connections from one address; 0: no limit of its "
		    "own." },
	{ .name = "memory",
	    .type = KP_SETTING_SIZE,
	    .min = 16 * MIB,
	    .max = 64 * TIB,
	    .fallback = "4GiB",
	    .help = "Buffers of all connections together." },
	{ .name = "frame",
	    .type = KP_SETTING_SIZE,
	    .min = 64 * KIB,
	    .max = 1 * GIB,
	    .fallback = "100MiB",
	    .help = "One request or answer. Not less than the brokers' "
		    "socket.request.max.bytes." },
	{ .name = "frameBeforeAuthentication",
	    .type = KP_SETTING_SIZE,
	    .min = 1 * KIB,
	    .max = 1 * GIB,
	    .fallback = "512KiB",
	    .help = "One request of a client that nobody knows yet." },
	{ .name = "inFlight",
	    .type = KP_SETTING_INT,
	    .min = 1,
	    .max = 1000000,
	    .fallback = "1000",
	    .help = "Requests of one connection that wait for their answers; "
		    "beyond, the client is not read." },
	{ .name = "handshakeTimeout",
	    .type = KP_SETTING_DURATION,
	    .min = 100,
	    .max = 1 * HOUR,
	    .fallback = "10s",
	    .help = "PROXY protocol header and TLS handshake." },
	{ .name = "firstRequestTimeout",
	    .type = KP_SETTING_DURATION,
	    .min = 100,
	    .max = 1 * HOUR,
	    .fallback = "30s",
	    .help = "From connection to first request." },
	{ .name = "requestTimeout",
	    .type = KP_SETTING_DURATION,
	    .min = 100,
	    .max = 24 * HOUR,
	    .fallback = "60s",
	    .help = "For each 64 KiB of a request or answer, once begun." },
	{ .name = "idleTimeout",
	    .type = KP_SETTING_DURATION,
	    .min = 1 * SECOND,
	    .max = 720 * HOUR,
	    .fallback = "11m",
	    .help = "No byte in either direction. Longer than the brokers' "
		    "connections.max.idle.ms (10 minutes), so that the broker "
		    "decides." },
	{ .name = "writeTimeout",
	    .type = KP_SETTING_DURATION,
	    .min = 100,
	    .max = 24 * HOUR,
	    .fallback = "60s",
	    .help = "A peer that does not read what is sent to it." },
	{ .name = "drainTimeout",
	    .type = KP_SETTING_DURATION,
	    .min = 100,
	    .max = 24 * HOUR,
	    .fallback = "30s",
	    .help = "From SIGTERM until connections are cut." },
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

static const struct kp_setting limits_setting = {
	.name = "limits",
	.type = KP_SETTING_OBJECT,
	.fields = limit_fields,
};

static const struct kp_setting node_fields[] = {
	{ .name = "node",
	    .type = KP_SETTING_STRING,
	    .is_required = true,
	    .max = 253,
	    .complaint = complain_node,
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
	    .fields = limit_fields,
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
	const struct kp_value *v = limits;

	*out = (struct kp_limits){
		.connections = (uint32_t)kp_value_number(v, "connections"),
		.connections_per_address =
		    (uint32_t)kp_value_number(v, "connectionsPerAddress"),
		.memory_len = (uint64_t)kp_value_number(v, "memory"),
		.frame_len = (uint32_t)kp_value_number(v, "frame"),
		.frame_before_auth_len =
		    (uint32_t)kp_value_number(v, "frameBeforeAuthentication"),
		.in_flight = (uint32_t)kp_value_number(v, "inFlight"),
		.handshake_timeout_ms =
		    (int32_t)kp_value_number(v, "handshakeTimeout"),
		.first_request_timeout_ms =
		    (int32_t)kp_value_number(v, "firstRequestTimeout"),
		.request_timeout_ms =
		    (int32_t)kp_value_number(v, "requestTimeout"),
		.idle_timeout_ms = (int32_t)kp_value_number(v, "idleTimeout"),
		.write_timeout_ms = (int32_t)kp_value_number(v, "writeTimeout"),
		.drain_timeout_ms = (int32_t)kp_value_number(v, "drainTimeout"),
	};
}

void
kp_limits_default(struct kp_limits *out)
{
	struct kp_yaml nothing = { .kind = KP_YAML_MAP };
	struct kp_diagnostics diagnostics = { 0 };
	struct kp_value *limits =
	    kp_value_parse(&limits_setting, &nothing, "", "", &diagnostics);

	kp_assert(limits != NULL);
	fill_limits(limits, out);
	kp_value_free(limits);
}

static bool
check_limits(const struct kp_value *root, struct kp_diagnostics *diagnostics)
{
	const struct kp_value *limits = kp_value_get(root, "limits");
	const struct kp_value *before =
	    kp_value_get(limits, "frameBeforeAuthentication");
	const struct kp_value *frame = kp_value_get(limits, "frame");
	bool ok = true;

	if (before->number > frame->number) {
		kp_diagnostics_add(diagnostics, &before->at,
		    "limits: frameBeforeAuthentication is larger than frame");
		ok = false;
	}
	if (frame->number > kp_value_number(limits, "memory")) {
		kp_diagnostics_add(diagnostics, &frame->at,
		    "limits: frame is larger than memory");
		ok = false;
	}
	return ok;
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
