/* SPDX-License-Identifier: Apache-2.0 */
/* The table of node.yaml. */
#include "rules/node_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "rules/log_settings.h"
#include "rules/value.h"

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
	{ .name = "addresses",
	    .type = KP_SETTING_HOST_PORT,
	    .is_list = true,
	    .is_required = true,
	    .example = "policy-1.example.com:9190",
	    .help = "Policy servers over one store, at most 16. The node keeps "
		    "to one and goes to another when that does not answer." },
	{ .name = "serverName",
	    .type = KP_SETTING_HOST,
	    .help = "Name that the server's certificate must be for. Without "
		    "it the host of its address." },
	{ .name = "ca",
	    .type = KP_SETTING_PATH,
	    .is_required = true,
	    .example = "./tls/policy-ca.pem",
	    .help = "PEM certificates that the server's certificate must lead "
		    "to." },
	{ .name = "certificate",
	    .type = KP_SETTING_PATH,
	    .is_required = true,
	    .example = "./tls/node.pem",
	    .help = "PEM certificate chain that the node shows to the server. "
		    "Its common name or a DNS name in it is that of the "
		    "node." },
	{ .name = "key",
	    .type = KP_SETTING_PATH,
	    .is_required = true,
	    .example = "./tls/node.key",
	    .help = "PEM private key of certificate, without passphrase." },
	{ .type = KP_SETTING_END },
};

static const struct kp_setting control_fields[] = {
	{ .name = "files",
	    .type = KP_SETTING_PATH,
	    .example = "./resources",
	    .help = "Folder of resource files (*.yaml, *.yml), which is "
		    "watched. Either this or server." },
	{ .name = "server",
	    .type = KP_SETTING_OBJECT,
	    .fields = server_fields,
	    .help = "Policy server to get resources from. Either this or "
		    "files." },
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
	{ .name = "labels",
	    .type = KP_SETTING_LABELS,
	    .help = "What this node is, such as site: fra. It gets the "
		    "resources whose spec.nodes it has all of. Names and "
		    "values as in Kubernetes, at most 64." },
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
	    .fields = kp_log_settings,
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

/* Resources come from one place. */
static bool
check_control(const struct kp_value *root, struct kp_diagnostics *diagnostics)
{
	const struct kp_value *control = kp_value_get(root, "control");
	const struct kp_value *server = kp_value_get(control, "server");
	bool has_files = kp_value_get(control, "files") != NULL;
	const struct kp_value *addresses;

	if (has_files == (server != NULL)) {
		kp_diagnostics_add(diagnostics, &control->at,
		    "control: must have either \"files\" or \"server\"%s",
		    has_files ? ", not both" : "");
		return false;
	}
	if (server == NULL)
		return true;
	addresses = kp_value_get(server, "addresses");
	if (addresses->num_items <= KP_NODE_MAX_SERVERS)
		return true;
	kp_diagnostics_add(diagnostics, &addresses->at,
	    "control.server.addresses: has %zu items, at most %d are allowed",
	    addresses->num_items, KP_NODE_MAX_SERVERS);
	return false;
}

/* What can be said only of all of it. */
static bool
check(const struct kp_value *root, struct kp_diagnostics *diagnostics)
{
	bool has_limits = check_limits(root, diagnostics);

	return check_control(root, diagnostics) && has_limits;
}

static char *
format_address(const struct kp_value *address)
{
	bool is_v6 = strchr(address->text, ':') != NULL;
	char *text = NULL;

	kp_assert(asprintf(&text, is_v6 ? "[%s]:%u" : "%s:%u", address->text,
		      (unsigned)address->number) >= 0);
	return text;
}

static char *
dup_text(const struct kp_value *object, const char *path)
{
	const char *text = kp_value_text(object, path);

	return text == NULL ? NULL : kp_strdup(text);
}

static void
fill_server(const struct kp_value *said, struct kp_node_server *out)
{
	const struct kp_value *addresses;

	if (said == NULL)
		return;
	addresses = kp_value_get(said, "addresses");
	out->num_addresses = addresses->num_items;
	out->addresses =
	    kp_alloc(addresses->num_items, sizeof(*out->addresses));
	for (size_t i = 0; i < addresses->num_items; i++)
		out->addresses[i] = format_address(addresses->items[i]);
	out->server_name = dup_text(said, "serverName");
	out->ca = dup_text(said, "ca");
	out->certificate = dup_text(said, "certificate");
	out->key = dup_text(said, "key");
}

static void
fill(const struct kp_value *root, struct kp_node_config *out)
{
	const struct kp_value *listen = kp_value_get(root, "admin.listen");

	*out = (struct kp_node_config){
		.node = kp_strdup(kp_value_text(root, "node")),
		.state_dir = kp_strdup(kp_value_text(root, "stateDir")),
		.admin = { kp_strdup(listen->text), (uint16_t)listen->number },
		.files_dir = dup_text(root, "control.files"),
		.log_format =
		    (enum kp_log_format)kp_value_number(root, "log.format"),
		.log_level =
		    (enum kp_log_level)kp_value_number(root, "log.level"),
	};
	kp_value_labels(kp_value_get(root, "labels"), &out->labels);
	fill_server(kp_value_get(root, "control.server"), &out->server);
	fill_limits(kp_value_get(root, "limits"), &out->limits);
}

bool
kp_node_config_parse(struct kp_node_config *out, const char *file,
    struct kp_bytes text, struct kp_diagnostics *diagnostics)
{
	struct kp_value *value = kp_value_parse_text(
	    &kp_node_config_setting, text, file, diagnostics);
	bool is_ok = value != NULL && check(value, diagnostics);

	*out = (struct kp_node_config){ 0 };
	if (is_ok)
		fill(value, out);
	kp_value_free(value);
	return is_ok;
}

void
kp_node_config_fini(struct kp_node_config *config)
{
	free(config->node);
	free(config->state_dir);
	free(config->admin.host);
	free(config->files_dir);
	kp_labels_fini(&config->labels);
	for (size_t i = 0; i < config->server.num_addresses; i++)
		free(config->server.addresses[i]);
	free(config->server.addresses);
	free(config->server.server_name);
	free(config->server.ca);
	free(config->server.certificate);
	free(config->server.key);
	*config = (struct kp_node_config){ 0 };
}
