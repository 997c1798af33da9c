/* SPDX-License-Identifier: Apache-2.0 */
/* Cluster: a Kafka cluster behind the proxy. */
#include "base/alloc.h"
#include "rules/compile_priv.h"
#include "rules/kinds/kinds.h"

static const struct kp_setting tls_fields[] = {
	{ .name = "ca",
	    .type = KP_SETTING_SECRET,
	    .help = "PEM certificates that the brokers' certificates must lead "
		    "to. Without it those that the node's system trusts." },
	{ .name = "certificate",
	    .type = KP_SETTING_SECRET,
	    .help = "PEM certificate chain that the proxy shows to brokers; "
		    "with key." },
	{ .name = "key",
	    .type = KP_SETTING_SECRET,
	    .help = "PEM private key of certificate, without passphrase." },
	{ .name = "verifyHostname",
	    .type = KP_SETTING_BOOL,
	    .fallback = "true",
	    .help = "Must the broker's certificate be issued for the address "
		    "that is dialled?" },
	{ .type = KP_SETTING_END },
};

static const struct kp_setting spec_fields[] = {
	{ .name = "bootstrap",
	    .type = KP_SETTING_HOST_PORT,
	    .is_list = true,
	    .is_required = true,
	    .help = "Brokers to begin with. One that answers is enough." },
	{ .name = "tls",
	    .type = KP_SETTING_OBJECT,
	    .fields = tls_fields,
	    .help = "Talk TLS to the brokers; {} is enough where their "
		    "certificates are trusted by the node's system." },
	{ .name = "auth",
	    .type = KP_SETTING_OBJECT,
	    .fields = (const struct kp_setting[]){ { .type = KP_SETTING_END } },
	    .refused = "is not supported in this version",
	    .help = "Credentials of the proxy's own." },
	{ .name = "connectTimeout",
	    .type = KP_SETTING_DURATION,
	    .min = 100,
	    .max = 5 * 60 * 1000,
	    .fallback = "10s",
	    .help = "For reaching a broker, TLS included." },
	KP_RESOURCE_NODES,
	{ .type = KP_SETTING_END },
};

static const struct kp_setting document_fields[] = {
	KP_RESOURCE_ENVELOPE,
	{ .name = "spec",
	    .type = KP_SETTING_OBJECT,
	    .is_required = true,
	    .fields = spec_fields,
	    .help = "Where the cluster is and how to reach it." },
	{ .type = KP_SETTING_END },
};

static void
check(const struct kp_resource *resource, struct kp_diagnostics *diagnostics)
{
	const struct kp_value *tls = kp_value_get(resource->spec, "tls");
	bool has_certificate, has_key;

	if (tls == NULL)
		return;
	has_certificate = kp_value_get(tls, "certificate") != NULL;
	has_key = kp_value_get(tls, "key") != NULL;
	if (has_certificate != has_key)
		kp_resource_problem(resource, &tls->at, diagnostics,
		    "spec.tls: \"%s\" is missing; certificate and key belong "
		    "together",
		    has_key ? "certificate" : "key");
}

static void
compile_bootstrap(
    const struct kp_value *bootstrap, struct kp_tables_cluster *out)
{
	out->num_bootstrap = bootstrap->num_items;
	out->bootstrap =
	    kp_alloc(bootstrap->num_items, sizeof(*out->bootstrap));
	for (size_t i = 0; i < bootstrap->num_items; i++) {
		const struct kp_value *item = bootstrap->items[i];

		out->bootstrap[i].host = kp_strdup(item->text);
		out->bootstrap[i].port = (uint16_t)item->number;
	}
}

static void
compile(struct kp_compiler *compiler, const struct kp_resource *resource)
{
	struct kp_tables *tables = compiler->tables;
	struct kp_tables_cluster *out = &tables->clusters[tables->num_clusters];
	const struct kp_value *spec = resource->spec;
	const struct kp_value *tls = kp_value_get(spec, "tls");

	compiler->index_of[compiler->position] =
	    (uint32_t)tables->num_clusters++;
	out->name = kp_strdup(resource->name);
	compile_bootstrap(kp_value_get(spec, "bootstrap"), out);
	out->connect_timeout_ms =
	    (int32_t)kp_value_number(spec, "connectTimeout");
	out->is_hostname_verified = true;
	if (tls == NULL)
		return;
	out->has_tls = true;
	out->is_hostname_verified = kp_value_number(tls, "verifyHostname") != 0;
	kp_compile_secret(compiler, resource, kp_value_get(tls, "ca"),
	    KP_PEM_CERTIFICATE, &out->ca_pem, &out->ca_ref);
	kp_compile_key_pair(compiler, resource, tls, &out->client);
}

const struct kp_resource_kind kp_kind_cluster = {
	.name = "Cluster",
	.document = { .name = "",
	    .type = KP_SETTING_OBJECT,
	    .since = "0.1",
	    .fields = document_fields,
	    .help = "A Kafka cluster behind the proxy." },
	.check = check,
	.compile = compile,
};
