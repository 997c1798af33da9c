/* SPDX-License-Identifier: Apache-2.0 */
/* The table of kpserver.yaml. */
#include "rules/server_config.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "rules/log_settings.h"
#include "rules/resource.h"
#include "rules/value.h"

#define MAX_ENDPOINTS 16
#define DAY (INT64_C(24) * 60 * 60 * 1000)

static const struct kp_setting_word role_words[] = {
	{ .word = "admin", .value = KP_ROLE_ADMIN },
	{ .word = "editor", .value = KP_ROLE_EDITOR },
	{ .word = "viewer", .value = KP_ROLE_VIEWER },
	{ .word = "node", .value = KP_ROLE_NODE },
	{ .word = NULL },
};

static const char *
complain_address(const char *host)
{
	return kp_is_address(host) ? NULL : "is not an IP address";
}

static const char *
complain_identity(const char *text)
{
	static const char *const prefixes[] = {
		"CN:", "DNS:", "URI:", "IP:", "email:"
	};
	const char *star = strchr(text, '*');

	if (star != NULL && star[1] != '\0')
		return "has a \"*\" that is not its end";
	if (strcmp(text, "*") == 0)
		return NULL;
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		size_t len = strlen(prefixes[i]);

		if (strncmp(text, prefixes[i], len) == 0)
			return text[len] == '\0' ? "has no name" : NULL;
	}
	return "is not of a certificate: CN:name, DNS:name, URI:uri, "
	       "IP:address, email:address, with * at the end, or *";
}

static const char *
complain_kind(const char *text)
{
	return kp_resource_kind_find(text) != NULL
		   ? NULL
		   : "is not a kind of resource: see kpctl explain";
}

static const struct kp_setting admin_fields[] = {
	{ .name = "listen",
	    .type = KP_SETTING_HOST_PORT,
	    .complaint = complain_address,
	    .fallback = "127.0.0.1:9191",
	    .help = "Address of /metrics, /livez and /readyz. Anybody who can "
		    "connect can read them." },
	{ .type = KP_SETTING_END },
};

static const char *
complain_endpoint(const char *text)
{
	static const char *const schemes[] = { "https://", "http://" };

	for (size_t i = 0; i < 2; i++) {
		size_t len = strlen(schemes[i]);

		if (strncmp(text, schemes[i], len) == 0)
			return strrchr(text + len, ':') != NULL
				   ? NULL
				   : "names no port: https://host:2379";
	}
	return "must begin with https:// (or http://, in the clear)";
}

static const char *
complain_prefix(const char *text)
{
	size_t len = strlen(text);

	return len > 0 && text[len - 1] == '/' ? NULL : "must end with \"/\"";
}

static const struct kp_setting etcd_tls_fields[] = {
	{ .name = "ca",
	    .type = KP_SETTING_PATH,
	    .is_required = true,
	    .example = "./etcd-ca.pem",
	    .help = "PEM certificates of those who may sign etcd's." },
	{ .name = "certificate",
	    .type = KP_SETTING_PATH,
	    .is_required = true,
	    .example = "./etcd-client.pem",
	    .help = "PEM certificate chain to show to etcd." },
	{ .name = "key",
	    .type = KP_SETTING_PATH,
	    .is_required = true,
	    .example = "./etcd-client.key",
	    .help = "PEM private key of certificate." },
	{ .name = "serverName",
	    .type = KP_SETTING_HOST,
	    .help = "Name that etcd's certificates must have; an endpoint's "
		    "host where nothing is said." },
	{ .type = KP_SETTING_END },
};

static const struct kp_setting etcd_fields[] = {
	{ .name = "endpoints",
	    .type = KP_SETTING_STRING,
	    .is_list = true,
	    .is_required = true,
	    .max = 300,
	    .complaint = complain_endpoint,
	    .example = "https://etcd-1.internal:2379",
	    .help = "Nodes of etcd, at most 16, tried in turn. All with "
		    "https://, or all with http:// for a try on one machine: "
		    "then everybody on the way can read and change all that "
		    "is declared." },
	{ .name = "prefix",
	    .type = KP_SETTING_STRING,
	    .max = 128,
	    .complaint = complain_prefix,
	    .fallback = "/kproxy/",
	    .help = "What all keys begin with; servers with one prefix are one "
		    "policy server." },
	{ .name = "tls",
	    .type = KP_SETTING_OBJECT,
	    .fields = etcd_tls_fields,
	    .help = "Who the server is to etcd, and whom it believes. Needed "
		    "with https://. Files are read again when they change." },
	{ .name = "user",
	    .type = KP_SETTING_STRING,
	    .max = 253,
	    .help = "User of etcd, where its authentication is on." },
	{ .name = "password",
	    .type = KP_SETTING_SECRET,
	    .help = "Password of user." },
	{ .type = KP_SETTING_END },
};

static const struct kp_setting store_fields[] = {
	{ .name = "sqlite",
	    .type = KP_SETTING_PATH,
	    .example = "./kpserver.db",
	    .help = "File of a store of this server alone. It is made if it is "
		    "not there. Either this or etcd." },
	{ .name = "etcd",
	    .type = KP_SETTING_OBJECT,
	    .fields = etcd_fields,
	    .help = "Store that any number of servers share." },
	{ .type = KP_SETTING_END },
};

static const struct kp_setting tls_fields[] = {
	{ .name = "ca",
	    .type = KP_SETTING_PATH,
	    .is_required = true,
	    .example = "./ca.pem",
	    .help = "PEM certificates of those who may sign the certificates "
		    "of clients. Everybody they sign for can connect." },
	{ .name = "certificate",
	    .type = KP_SETTING_PATH,
	    .is_required = true,
	    .example = "./server.pem",
	    .help = "PEM certificate chain of the server, its own first." },
	{ .name = "key",
	    .type = KP_SETTING_PATH,
	    .is_required = true,
	    .example = "./server.key",
	    .help = "PEM private key of certificate." },
	{ .type = KP_SETTING_END },
};

static const struct kp_setting role_fields[] = {
	{ .name = "role",
	    .type = KP_SETTING_ENUM,
	    .is_required = true,
	    .words = role_words,
	    .help = "viewer reads; editor also changes resources; admin does "
		    "everything but be a node; node gets resources and says "
		    "what it runs." },
	{ .name = "identities",
	    .type = KP_SETTING_STRING,
	    .is_list = true,
	    .is_required = true,
	    .max = 260,
	    .complaint = complain_identity,
	    .example = "CN:alice",
	    .help = "Who has it, as the certificate says: CN: and the common "
		    "name, or DNS:, URI:, IP:, email: and an alternative name. "
		    "A * at the end stands for any rest; * alone is everybody "
		    "with a certificate." },
	{ .name = "kinds",
	    .type = KP_SETTING_STRING,
	    .is_list = true,
	    .max = 63,
	    .complaint = complain_kind,
	    .help = "Of an editor: only resources of these kinds." },
	{ .name = "labels",
	    .type = KP_SETTING_LABELS,
	    .help = "Of an editor: only resources with all of these labels, "
		    "before and after the change." },
	{ .type = KP_SETTING_END },
};

static const struct kp_setting audit_fields[] = {
	{ .name = "file",
	    .type = KP_SETTING_PATH,
	    .fallback = "./audit.jsonl",
	    .help = "File that gets a line of JSON for every call. Changes are "
		    "refused while it cannot be written." },
	{ .type = KP_SETTING_END },
};

static const struct kp_setting history_fields[] = {
	{ .name = "revisions",
	    .type = KP_SETTING_INT,
	    .min = 10,
	    .max = 10000000,
	    .fallback = "10000",
	    .help = "Revisions that are kept; older ones are forgotten." },
	{ .name = "age",
	    .type = KP_SETTING_DURATION,
	    .min = 60000,
	    .max = 36500 * DAY,
	    .fallback = "90d",
	    .help = "Revisions that are older are forgotten; the newest ten "
		    "never." },
	{ .type = KP_SETTING_END },
};

static const struct kp_setting server_fields[] = {
	{ .name = "name",
	    .type = KP_SETTING_STRING,
	    .max = 253,
	    .help = "How nodes' tables name this server; its host's name where "
		    "nothing is said." },
	{ .name = "listen",
	    .type = KP_SETTING_HOST_PORT,
	    .is_list = true,
	    .is_required = true,
	    .complaint = complain_address,
	    .example = "0.0.0.0:9190",
	    .help = "Addresses of the API, for nodes and kpctl." },
	{ .name = "admin",
	    .type = KP_SETTING_OBJECT,
	    .fields = admin_fields,
	    .fallback = "{}",
	    .help = "Where the server is watched." },
	{ .name = "store",
	    .type = KP_SETTING_OBJECT,
	    .is_required = true,
	    .fields = store_fields,
	    .help = "Where resources and their history are kept." },
	{ .name = "tls",
	    .type = KP_SETTING_OBJECT,
	    .is_required = true,
	    .fields = tls_fields,
	    .help = "Who the server is, and whom it believes. Files are read "
		    "again when they change." },
	{ .name = "roles",
	    .type = KP_SETTING_OBJECT,
	    .is_list = true,
	    .is_required = true,
	    .fields = role_fields,
	    .help = "Who may do what. Who is in none may ask for the server's "
		    "health and no more. Read again on SIGHUP." },
	{ .name = "audit",
	    .type = KP_SETTING_OBJECT,
	    .fields = audit_fields,
	    .fallback = "{}",
	    .help = "Record of all calls." },
	{ .name = "history",
	    .type = KP_SETTING_OBJECT,
	    .fields = history_fields,
	    .fallback = "{}",
	    .help = "How much of the past is kept." },
	{ .name = "limits",
	    .type = KP_SETTING_OBJECT,
	    .fields = kp_server_limit_settings,
	    .fallback = "{}",
	    .help = "Everything a peer can make the server wait for or "
		    "allocate." },
	{ .name = "log",
	    .type = KP_SETTING_OBJECT,
	    .fields = kp_log_settings,
	    .fallback = "{}",
	    .help = "Log on stderr." },
	{ .type = KP_SETTING_END },
};

const struct kp_setting kp_server_config_setting = {
	.name = "",
	.type = KP_SETTING_OBJECT,
	.since = "0.1",
	.fields = server_fields,
	.help = "What a policy server needs to know.",
};

static void
fill_limits(const struct kp_value *limits, struct kp_server_limits *out)
{
	for (int i = 0; i < KP_NUM_SERVER_LIMITS; i++)
		out->of[i] =
		    kp_value_number(limits, kp_server_limit_settings[i].name);
}

static bool
check_limits(const struct kp_value *root, struct kp_diagnostics *diagnostics)
{
	const struct kp_value *said = kp_value_get(root, "limits");
	struct kp_server_limits limits;
	enum kp_server_limit which;
	const char *complaint;

	fill_limits(said, &limits);
	complaint = kp_server_limits_complaint(&limits, &which);
	if (complaint == NULL)
		return true;
	kp_diagnostics_add(diagnostics,
	    &kp_value_get(said, kp_server_limit_settings[which].name)->at,
	    "limits: %s", complaint);
	return false;
}

static bool
check_role(const struct kp_value *role, struct kp_diagnostics *diagnostics)
{
	static const char *const limits[] = { "kinds", "labels" };
	bool is_ok = true;

	for (size_t i = 0; i < 2; i++) {
		const struct kp_value *said = kp_value_get(role, limits[i]);

		if (said == NULL ||
		    kp_value_number(role, "role") == KP_ROLE_EDITOR)
			continue;
		kp_diagnostics_add(diagnostics, &said->at,
		    "roles: %s limits an editor only, not the role \"%s\"",
		    limits[i], kp_value_text(role, "role"));
		is_ok = false;
	}
	return is_ok;
}

static bool
check_roles(const struct kp_value *root, struct kp_diagnostics *diagnostics)
{
	const struct kp_value *roles = kp_value_get(root, "roles");
	bool is_ok = true;

	for (size_t i = 0; i < roles->num_items; i++)
		is_ok &= check_role(roles->items[i], diagnostics);
	return is_ok;
}

static bool
complain(const struct kp_value *at, struct kp_diagnostics *diagnostics,
    const char *text)
{
	kp_diagnostics_add(diagnostics, &at->at, "%s", text);
	return false;
}

static bool
is_secure(const struct kp_value *endpoint)
{
	return strncmp(endpoint->text, "https://", strlen("https://")) == 0;
}

static bool
check_etcd(const struct kp_value *etcd, struct kp_diagnostics *diagnostics)
{
	const struct kp_value *endpoints = kp_value_get(etcd, "endpoints");
	const struct kp_value *tls = kp_value_get(etcd, "tls");
	bool has_tls = is_secure(endpoints->items[0]);

	if (endpoints->num_items > MAX_ENDPOINTS)
		return complain(endpoints, diagnostics,
		    "store.etcd.endpoints: at most 16 are allowed");
	for (size_t i = 1; i < endpoints->num_items; i++) {
		if (is_secure(endpoints->items[i]) != has_tls)
			return complain(endpoints->items[i], diagnostics,
			    "store.etcd.endpoints: must all be https://, or "
			    "all http://");
	}
	if (has_tls != (tls != NULL))
		return complain(has_tls ? etcd : tls, diagnostics,
		    has_tls ? "store.etcd: https:// needs tls"
			    : "store.etcd.tls: has no use with http://");
	if ((kp_value_get(etcd, "user") == NULL) !=
	    (kp_value_get(etcd, "password") == NULL))
		return complain(etcd, diagnostics,
		    "store.etcd: user and password go together");
	return true;
}

static bool
check_store(const struct kp_value *root, struct kp_diagnostics *diagnostics)
{
	const struct kp_value *store = kp_value_get(root, "store");
	const struct kp_value *etcd = kp_value_get(store, "etcd");

	if ((kp_value_get(store, "sqlite") != NULL) == (etcd != NULL))
		return complain(store, diagnostics,
		    "store: must say either sqlite or etcd");
	return etcd == NULL || check_etcd(etcd, diagnostics);
}

static char *
text_or_null(const struct kp_value *value, const char *path)
{
	const char *text = kp_value_text(value, path);

	return text == NULL ? NULL : kp_strdup(text);
}

static char **
fill_texts(const struct kp_value *list, size_t *out_num)
{
	size_t num = list == NULL ? 0 : list->num_items;
	char **texts = kp_alloc(num, sizeof(*texts));

	for (size_t i = 0; i < num; i++)
		texts[i] = kp_strdup(list->items[i]->text);
	*out_num = num;
	return texts;
}

static void
fill_role(const struct kp_value *role, struct kp_role_config *out)
{
	out->role = (enum kp_role)kp_value_number(role, "role");
	out->identities =
	    fill_texts(kp_value_get(role, "identities"), &out->num_identities);
	out->kinds = fill_texts(kp_value_get(role, "kinds"), &out->num_kinds);
	kp_value_labels(kp_value_get(role, "labels"), &out->labels);
}

static void
fill_etcd(const struct kp_value *etcd, struct kp_server_etcd *out)
{
	const struct kp_value *password = kp_value_get(etcd, "password");

	out->endpoints =
	    fill_texts(kp_value_get(etcd, "endpoints"), &out->num_endpoints);
	out->prefix = text_or_null(etcd, "prefix");
	out->ca = text_or_null(etcd, "tls.ca");
	out->certificate = text_or_null(etcd, "tls.certificate");
	out->key = text_or_null(etcd, "tls.key");
	out->server_name = text_or_null(etcd, "tls.serverName");
	out->user = text_or_null(etcd, "user");
	if (password == NULL)
		return;
	out->password = kp_value_secret(password);
	out->password.name = kp_strdup(out->password.name);
}

static struct kp_host_port
host_port(const struct kp_value *value)
{
	return (struct kp_host_port){ kp_strdup(value->text),
		(uint16_t)value->number };
}

static void
fill_lists(const struct kp_value *root, struct kp_server_config *out)
{
	const struct kp_value *listen = kp_value_get(root, "listen");
	const struct kp_value *roles = kp_value_get(root, "roles");

	out->num_listen = listen->num_items;
	out->listen = kp_alloc(out->num_listen, sizeof(*out->listen));
	for (size_t i = 0; i < out->num_listen; i++)
		out->listen[i] = host_port(listen->items[i]);
	out->num_roles = roles->num_items;
	out->roles = kp_alloc(out->num_roles, sizeof(*out->roles));
	for (size_t i = 0; i < out->num_roles; i++)
		fill_role(roles->items[i], &out->roles[i]);
}

static void
fill(const struct kp_value *root, struct kp_server_config *out)
{
	const struct kp_value *etcd = kp_value_get(root, "store.etcd");

	*out = (struct kp_server_config){
		.name = text_or_null(root, "name"),
		.admin = host_port(kp_value_get(root, "admin.listen")),
		.sqlite = text_or_null(root, "store.sqlite"),
		.ca = kp_strdup(kp_value_text(root, "tls.ca")),
		.certificate =
		    kp_strdup(kp_value_text(root, "tls.certificate")),
		.key = kp_strdup(kp_value_text(root, "tls.key")),
		.audit_file = kp_strdup(kp_value_text(root, "audit.file")),
		.max_revisions =
		    (uint64_t)kp_value_number(root, "history.revisions"),
		.max_age_ms = kp_value_number(root, "history.age"),
		.log_format =
		    (enum kp_log_format)kp_value_number(root, "log.format"),
		.log_level =
		    (enum kp_log_level)kp_value_number(root, "log.level"),
	};
	if (etcd != NULL)
		fill_etcd(etcd, &out->etcd);
	fill_lists(root, out);
	fill_limits(kp_value_get(root, "limits"), &out->limits);
}

bool
kp_server_config_parse(struct kp_server_config *out, const char *file,
    struct kp_bytes text, struct kp_diagnostics *diagnostics)
{
	struct kp_value *value = kp_value_parse_text(
	    &kp_server_config_setting, text, file, diagnostics);
	bool is_ok = value != NULL;

	*out = (struct kp_server_config){ 0 };
	if (is_ok) {
		is_ok = check_limits(value, diagnostics);
		is_ok &= check_roles(value, diagnostics);
		is_ok &= check_store(value, diagnostics);
	}
	if (is_ok)
		fill(value, out);
	kp_value_free(value);
	return is_ok;
}

static void
texts_free(char **texts, size_t num)
{
	for (size_t i = 0; i < num; i++)
		free(texts[i]);
	free(texts);
}

static void
etcd_fini(struct kp_server_etcd *etcd)
{
	texts_free(etcd->endpoints, etcd->num_endpoints);
	free(etcd->prefix);
	free(etcd->ca);
	free(etcd->certificate);
	free(etcd->key);
	free(etcd->server_name);
	free(etcd->user);
	free((char *)(uintptr_t)etcd->password.name);
}

void
kp_server_config_fini(struct kp_server_config *config)
{
	for (size_t i = 0; i < config->num_listen; i++)
		free(config->listen[i].host);
	free(config->listen);
	for (size_t i = 0; i < config->num_roles; i++) {
		struct kp_role_config *role = &config->roles[i];

		texts_free(role->identities, role->num_identities);
		texts_free(role->kinds, role->num_kinds);
		kp_labels_fini(&role->labels);
	}
	free(config->roles);
	free(config->name);
	free(config->admin.host);
	free(config->sqlite);
	etcd_fini(&config->etcd);
	free(config->ca);
	free(config->certificate);
	free(config->key);
	free(config->audit_file);
	*config = (struct kp_server_config){ 0 };
}
