/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listener: where clients connect, and how the brokers of a cluster appear to
 * them: each on a port of its own, or each under a name of its own (SNI).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "rules/compile_priv.h"
#include "rules/kinds/claims.h"
#include "rules/kinds/kinds.h"

#define NODE "{node}"
#define MAX_PORT UINT16_MAX
#define MAX_BROKER_PORTS 10000

static const struct kp_setting_word client_auth_words[] = {
	{ .word = "none", .value = KP_CLIENT_AUTH_NONE },
	{ .word = "optional", .value = KP_CLIENT_AUTH_OPTIONAL },
	{ .word = "required", .value = KP_CLIENT_AUTH_REQUIRED },
	{ .word = NULL },
};

/* Writes pattern with the node id in place of {node}. */
static void
fill_pattern(const char *pattern, int32_t node_id, char *out, size_t out_size)
{
	const char *at = strstr(pattern, NODE);

	(void)snprintf(out, out_size, "%.*s%" PRId32 "%s", (int)(at - pattern),
	    pattern, node_id, at + strlen(NODE));
}

static const char *
complain_host_name(const char *text)
{
	return kp_is_address(text) ? "must be a name, clients send no address "
				     "in TLS"
				   : NULL;
}

/* The largest node id makes the longest name. */
static const char *
complain_pattern(const char *text)
{
	const char *at = strstr(text, NODE);
	char name[512];

	if (at == NULL || strstr(at + 1, NODE) != NULL)
		return "must contain {node} exactly once";
	fill_pattern(text, INT32_MAX, name, sizeof(name));
	if (kp_is_address(name) || !kp_is_host(name))
		return "does not make a host name";
	return NULL;
}

static const struct kp_setting ports_fields[] = {
	{ .name = "bootstrap",
	    .type = KP_SETTING_INT,
	    .is_required = true,
	    .min = 1,
	    .max = MAX_PORT,
	    .example = "19092",
	    .help = "Port that clients are configured with." },
	{ .name = "first",
	    .type = KP_SETTING_INT,
	    .is_required = true,
	    .min = 1,
	    .max = MAX_PORT,
	    .example = "19093",
	    .help = "Port of the broker with the id firstNodeId; the others "
		    "follow by their ids." },
	{ .name = "count",
	    .type = KP_SETTING_INT,
	    .is_required = true,
	    .min = 1,
	    .max = MAX_BROKER_PORTS,
	    .example = "16",
	    .help = "Ports for brokers. Leave room for brokers to come: one "
		    "without a port cannot be reached." },
	{ .name = "firstNodeId",
	    .type = KP_SETTING_INT,
	    .min = 0,
	    .max = INT32_MAX,
	    .fallback = "0",
	    .help = "The lowest broker id of the cluster." },
	{ .type = KP_SETTING_END },
};

static const struct kp_setting sni_fields[] = {
	{ .name = "port",
	    .type = KP_SETTING_INT,
	    .is_required = true,
	    .min = 1,
	    .max = MAX_PORT,
	    .example = "9093",
	    .help = "The one port for everything." },
	{ .name = "bootstrap",
	    .type = KP_SETTING_HOST,
	    .is_required = true,
	    .complaint = complain_host_name,
	    .help = "Host name that clients are configured with." },
	{ .name = "broker",
	    .type = KP_SETTING_STRING,
	    .is_required = true,
	    .max = 253,
	    .complaint = complain_pattern,
	    .example = "b{node}.kafka.example.com",
	    .help = "Host name of each broker, with {node} for its id, such as "
		    "b{node}.kafka.example.com." },
	{ .type = KP_SETTING_END },
};

static const struct kp_setting certificate_fields[] = {
	{ .name = "certificate",
	    .type = KP_SETTING_SECRET,
	    .is_required = true,
	    .help = "PEM certificate chain, the proxy's own first." },
	{ .name = "key",
	    .type = KP_SETTING_SECRET,
	    .is_required = true,
	    .help = "PEM private key, without passphrase." },
	{ .type = KP_SETTING_END },
};

static const struct kp_setting tls_fields[] = {
	{ .name = "certificate",
	    .type = KP_SETTING_SECRET,
	    .is_required = true,
	    .help = "PEM certificate chain, the proxy's own first." },
	{ .name = "key",
	    .type = KP_SETTING_SECRET,
	    .is_required = true,
	    .help = "PEM private key, without passphrase." },
	{ .name = "additionalCertificates",
	    .type = KP_SETTING_OBJECT,
	    .is_list = true,
	    .fields = certificate_fields,
	    .help = "Chosen by the host name that a client asks for; the one "
		    "above is for all other names." },
	{ .name = "clientCa",
	    .type = KP_SETTING_SECRET,
	    .help = "PEM certificates that clients' certificates must lead "
		    "to; with clientAuth." },
	{ .name = "clientAuth",
	    .type = KP_SETTING_ENUM,
	    .words = client_auth_words,
	    .help = "Must clients show a certificate? To be said with "
		    "clientCa; without it nobody is asked for one." },
	{ .type = KP_SETTING_END },
};

static const struct kp_setting spec_fields[] = {
	{ .name = "bind",
	    .type = KP_SETTING_ADDRESS,
	    .is_required = true,
	    .help = "Address to listen on; 0.0.0.0 or :: for all." },
	{ .name = "advertisedHost",
	    .type = KP_SETTING_HOST,
	    .example = "kafka.example.com",
	    .help = "Host that clients are told, with ports. Without it bind, "
		    "unless that stands for all addresses." },
	{ .name = "ports",
	    .type = KP_SETTING_OBJECT,
	    .fields = ports_fields,
	    .example = "{}",
	    .help = "One port for bootstrap and one for each broker: "
		    "first + (node id - firstNodeId). Either this or sni." },
	{ .name = "sni",
	    .type = KP_SETTING_OBJECT,
	    .fields = sni_fields,
	    .help = "One port for all, brokers told apart by the host name in "
		    "TLS. Either this or ports; needs tls." },
	{ .name = "tls",
	    .type = KP_SETTING_OBJECT,
	    .fields = tls_fields,
	    .help = "Talk TLS to clients." },
	{ .name = "proxyProtocol",
	    .type = KP_SETTING_BOOL,
	    .fallback = "false",
	    .help = "Does a load balancer put a PROXY protocol header in front "
		    "of every connection? Connections without one are then "
		    "refused." },
	KP_RESOURCE_NODES,
	{ .type = KP_SETTING_END },
};

static const struct kp_setting document_fields[] = {
	KP_RESOURCE_ENVELOPE,
	{ .name = "spec",
	    .type = KP_SETTING_OBJECT,
	    .is_required = true,
	    .fields = spec_fields,
	    .help = "Addresses, ports and certificates." },
	{ .type = KP_SETTING_END },
};

static bool
is_wildcard(const char *address)
{
	return strcmp(address, "0.0.0.0") == 0 || strcmp(address, "::") == 0;
}

static void
check_advertised(
    const struct kp_resource *resource, struct kp_diagnostics *diagnostics)
{
	const struct kp_value *spec = resource->spec;
	const struct kp_value *bind = kp_value_get(spec, "bind");
	const struct kp_value *host = kp_value_get(spec, "advertisedHost");

	if (host == NULL && is_wildcard(bind->text))
		kp_resource_problem(resource, &bind->at, diagnostics,
		    "spec: \"advertisedHost\" is missing; \"%s\" is no address "
		    "that clients could connect to",
		    bind->text);
	if (host != NULL && is_wildcard(host->text))
		kp_resource_problem(resource, &host->at, diagnostics,
		    "spec.advertisedHost: \"%s\" is no address that clients "
		    "could connect to",
		    host->text);
}

/* Where the ports of the brokers are, and whether those exist. */
static void
check_ports(const struct kp_resource *resource, const struct kp_value *ports,
    struct kp_diagnostics *diagnostics)
{
	int64_t bootstrap = kp_value_number(ports, "bootstrap");
	int64_t first = kp_value_number(ports, "first");
	int64_t count = kp_value_number(ports, "count");
	int64_t last = first + count - 1;

	if (last > MAX_PORT)
		kp_resource_problem(resource, &ports->at, diagnostics,
		    "spec.ports: first + count goes up to port %" PRId64
		    ", the highest is 65535",
		    last);
	if (bootstrap >= first && bootstrap <= last)
		kp_resource_problem(resource,
		    &kp_value_get(ports, "bootstrap")->at, diagnostics,
		    "spec.ports: bootstrap %" PRId64
		    " is one of the brokers' ports, %" PRId64 " to %" PRId64,
		    bootstrap, first, last);
	if (kp_value_number(ports, "firstNodeId") + count - 1 > INT32_MAX)
		kp_resource_problem(resource, &ports->at, diagnostics,
		    "spec.ports: firstNodeId + count goes beyond the highest "
		    "node id");
	check_advertised(resource, diagnostics);
}

/* Could name be that of a broker? */
static bool
is_broker_name(const char *pattern, const char *name)
{
	size_t before = (size_t)(strstr(pattern, NODE) - pattern);
	const char *after = pattern + before + strlen(NODE);
	size_t digits;

	if (strncasecmp(name, pattern, before) != 0)
		return false;
	digits = strspn(name + before, "0123456789");
	return digits > 0 && strcasecmp(name + before + digits, after) == 0;
}

static void
check_sni(const struct kp_resource *resource, const struct kp_value *sni,
    struct kp_diagnostics *diagnostics)
{
	const struct kp_value *bootstrap = kp_value_get(sni, "bootstrap");

	if (kp_value_get(resource->spec, "tls") == NULL)
		kp_resource_problem(resource, &sni->at, diagnostics,
		    "spec.sni: needs \"tls\": the host name is part of TLS");
	if (is_broker_name(kp_value_text(sni, "broker"), bootstrap->text))
		kp_resource_problem(resource, &bootstrap->at, diagnostics,
		    "spec.sni.bootstrap: \"%.80s\" could be a broker's name",
		    bootstrap->text);
}

static void
check_tls(const struct kp_resource *resource, const struct kp_value *tls,
    struct kp_diagnostics *diagnostics)
{
	const struct kp_value *auth = kp_value_get(tls, "clientAuth");
	const struct kp_value *ca = kp_value_get(tls, "clientCa");

	if (ca != NULL && auth == NULL)
		kp_resource_problem(resource, &ca->at, diagnostics,
		    "spec.tls: \"clientAuth\" is missing; with clientCa say "
		    "none, optional or required");
	if (ca == NULL && auth != NULL && auth->number != KP_CLIENT_AUTH_NONE)
		kp_resource_problem(resource, &auth->at, diagnostics,
		    "spec.tls: \"clientCa\" is missing; clientAuth \"%s\" "
		    "needs it",
		    auth->text);
}

/* Has resource exactly one of ports and sni? */
static bool
has_strategy(const struct kp_resource *resource)
{
	return (kp_value_get(resource->spec, "ports") == NULL) !=
	       (kp_value_get(resource->spec, "sni") == NULL);
}

/* A socket bound to all addresses takes the port of every one. */
static struct kp_claim
claim_of(const struct kp_resource *listener, size_t position, int64_t first,
    int64_t count)
{
	const char *bind = kp_value_text(listener->spec, "bind");

	return (struct kp_claim){
		.by = listener,
		.position = position,
		.place = is_wildcard(bind) ? NULL : bind,
		.first = first,
		.last = first + count - 1,
	};
}

/* Adds one or two claims to out; returns how many. */
static size_t
claim_ports(
    const struct kp_resource *listener, size_t position, struct kp_claim *out)
{
	const struct kp_value *ports = kp_value_get(listener->spec, "ports");

	if (ports == NULL) {
		out[0] = claim_of(listener, position,
		    kp_value_number(listener->spec, "sni.port"), 1);
		return 1;
	}
	out[0] = claim_of(
	    listener, position, kp_value_number(ports, "bootstrap"), 1);
	out[1] = claim_of(listener, position, kp_value_number(ports, "first"),
	    kp_value_number(ports, "count"));
	return 2;
}

/* Both have the port with which the later one begins. */
static bool
report_clash(
    void *ctx, const struct kp_claim *early, const struct kp_claim *late)
{
	struct kp_diagnostics *diagnostics = ctx;
	bool is_swapped = early->position > late->position;
	const struct kp_resource *first = is_swapped ? late->by : early->by;
	const struct kp_resource *second = is_swapped ? early->by : late->by;

	kp_resource_problem(second, &second->at, diagnostics,
	    "port %" PRId64 " is taken by Listener \"%s\" already", late->first,
	    first->name);
	return diagnostics->num_left_out == 0;
}

/* No two listeners take the same port of an address on one node. */
static void
check_all(const struct kp_resources *set, struct kp_diagnostics *diagnostics)
{
	size_t num_all = kp_resources_count(set), num = 0;
	struct kp_claim *claims = kp_alloc(2 * num_all, sizeof(*claims));

	for (size_t i = 0; i < num_all; i++) {
		const struct kp_resource *resource = kp_resources_at(set, i);

		if (resource->kind == &kp_kind_listener &&
		    resource->spec != NULL && has_strategy(resource))
			num += claim_ports(resource, i, &claims[num]);
	}
	kp_claims_visit(claims, num, report_clash, diagnostics);
	free(claims);
}

static void
check(const struct kp_resource *resource, struct kp_diagnostics *diagnostics)
{
	const struct kp_value *spec = resource->spec;
	const struct kp_value *ports = kp_value_get(spec, "ports");
	const struct kp_value *sni = kp_value_get(spec, "sni");
	const struct kp_value *tls = kp_value_get(spec, "tls");

	if (tls != NULL)
		check_tls(resource, tls, diagnostics);
	if (!has_strategy(resource)) {
		kp_resource_problem(resource, &spec->at, diagnostics,
		    "spec: must have either \"ports\" or \"sni\"%s",
		    sni != NULL ? ", not both" : "");
		return;
	}
	if (ports != NULL)
		check_ports(resource, ports, diagnostics);
	if (sni != NULL)
		check_sni(resource, sni, diagnostics);
}

static void
compile_ports(const struct kp_value *spec, const struct kp_value *ports,
    struct kp_tables_listener *out)
{
	const char *host = kp_value_text(spec, "advertisedHost");

	out->strategy = KP_LISTEN_PORTS;
	out->advertised_host = kp_strdup(host != NULL ? host : out->bind);
	out->bootstrap_port = (uint16_t)kp_value_number(ports, "bootstrap");
	out->first_port = (uint16_t)kp_value_number(ports, "first");
	out->num_ports = (uint16_t)kp_value_number(ports, "count");
	out->first_node_id = (int32_t)kp_value_number(ports, "firstNodeId");
}

static void
compile_sni(const struct kp_value *sni, struct kp_tables_listener *out)
{
	out->strategy = KP_LISTEN_SNI;
	out->bootstrap_port = (uint16_t)kp_value_number(sni, "port");
	out->sni_bootstrap = kp_strdup(kp_value_text(sni, "bootstrap"));
	out->sni_broker = kp_strdup(kp_value_text(sni, "broker"));
}

static void
compile_tls(struct kp_compiler *compiler, const struct kp_resource *resource,
    struct kp_tables_listener *out)
{
	const struct kp_value *tls = kp_value_get(resource->spec, "tls");
	const struct kp_value *more =
	    kp_value_get(tls, "additionalCertificates");
	const struct kp_value *auth = kp_value_get(tls, "clientAuth");
	size_t num_more = more == NULL ? 0 : more->num_items;

	out->has_tls = true;
	out->num_certificates = 1 + num_more;
	out->certificates =
	    kp_alloc(out->num_certificates, sizeof(*out->certificates));
	kp_compile_key_pair(compiler, resource, tls, &out->certificates[0]);
	for (size_t i = 0; i < num_more; i++)
		kp_compile_key_pair(compiler, resource, more->items[i],
		    &out->certificates[1 + i]);
	kp_compile_secret(compiler, resource, kp_value_get(tls, "clientCa"),
	    KP_PEM_CERTIFICATE, &out->client_ca_pem, &out->client_ca_ref);
	if (auth != NULL)
		out->client_auth = (enum kp_client_auth)auth->number;
}

uint32_t
kp_kind_listener_compile(
    struct kp_compiler *compiler, const struct kp_resource *resource)
{
	struct kp_tables *tables = compiler->tables;
	uint32_t index = (uint32_t)tables->num_listeners++;
	struct kp_tables_listener *out = &tables->listeners[index];
	const struct kp_value *spec = resource->spec;
	const struct kp_value *ports = kp_value_get(spec, "ports");

	out->name = kp_strdup(resource->name);
	out->bind = kp_strdup(kp_value_text(spec, "bind"));
	out->has_proxy_protocol = kp_value_number(spec, "proxyProtocol") != 0;
	if (ports != NULL)
		compile_ports(spec, ports, out);
	else
		compile_sni(kp_value_get(spec, "sni"), out);
	if (kp_value_get(spec, "tls") != NULL)
		compile_tls(compiler, resource, out);
	return index;
}

/* One that no virtual cluster uses is not compiled: its ports stay closed. */
const struct kp_resource_kind kp_kind_listener = {
	.name = "Listener",
	.document = { .name = "",
	    .type = KP_SETTING_OBJECT,
	    .since = "0.1",
	    .fields = document_fields,
	    .help = "Where clients connect, and how brokers appear to them." },
	.check = check,
	.check_all = check_all,
};
