/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/compile.h"

#include <criterion/criterion.h>
#include <string.h>

#include "tests/support/declared.h"

#define RESOURCE(kind, name, spec) \
	"{apiVersion: kproxy/v1, kind: " kind ", metadata: {name: " name \
	"},\nspec: {" spec "}}\n---\n"
#define TLS_CLUSTER(ca, certificate, key) \
	RESOURCE("Cluster", "c", \
	    "bootstrap: [a:1],\ntls: {ca: {" ca \
	    "},\ncertificate: {" certificate "},\nkey: {" key "}}")

static const char everything[] =
    RESOURCE("VirtualCluster", "v2", "cluster: big, listener: names")
	RESOURCE("VirtualCluster", "v1",
	    "cluster: c, listener: l, auth: {mode: none}, limits: "
	    "{connections: 9}") KP_TEST_CLUSTER RESOURCE("Cluster", "big",
	    "bootstrap: ['[::1]:1', b.example:2], connectTimeout: 3s, tls: "
	    "{ca: {file: ca.pem}, certificate: {file: /cert.pem}, key: {env: "
	    "MY_KEY}, verifyHostname: false}") RESOURCE("Listener", "unused",
	    "bind: 127.0.0.1, ports: {bootstrap: 50, first: 51, count: 1}")
	    KP_TEST_LISTENER RESOURCE("Listener", "names",
		"bind: 0.0.0.0, proxyProtocol: true,\n"
		"sni: {port: 443, bootstrap: k.x, broker: 'b{node}.x'},\n"
		"tls: {certificate: {file: tls/cert}, key: {file: "
		"tls/key},\nadditionalCertificates: [{certificate: {file: "
		"cert2}, key: {file: key2}}],\nclientCa: {file: ca2}, "
		"clientAuth: required}");

static void
check_clusters(const struct kp_tables *tables)
{
	const struct kp_tables_cluster *plain = &tables->clusters[0];
	const struct kp_tables_cluster *big = &tables->clusters[1];

	cr_assert_eq(tables->num_clusters, 2);
	cr_assert_str_eq(plain->name, "c");
	cr_assert_eq(plain->num_bootstrap, 1);
	cr_assert_str_eq(plain->bootstrap[0].host, "127.0.0.1");
	cr_assert_eq(plain->bootstrap[0].port, 9092);
	cr_assert(!plain->has_tls);
	cr_assert(plain->is_hostname_verified);
	cr_assert_eq(plain->connect_timeout_ms, 10000);
	cr_assert_str_eq(big->name, "big");
	cr_assert_str_eq(big->bootstrap[0].host, "::1");
	cr_assert_str_eq(big->bootstrap[1].host, "b.example");
	cr_assert_eq(big->connect_timeout_ms, 3000);
	cr_assert(big->has_tls);
	cr_assert(!big->is_hostname_verified);
	cr_assert_str_eq(big->ca_ref, "conf/ca.pem");
	cr_assert(
	    kp_bytes_equal(big->ca_pem, kp_bytes_of(KP_TEST_CERTIFICATE)));
	cr_assert_str_eq(big->client.certificate_ref, "/cert.pem");
	cr_assert_str_eq(big->client.key_ref, "env:MY_KEY");
	cr_assert(
	    kp_bytes_equal(big->client.key_pem, kp_bytes_of(KP_TEST_KEY)));
}

static void
check_listeners(const struct kp_tables *tables)
{
	const struct kp_tables_listener *names = &tables->listeners[0];
	const struct kp_tables_listener *ports = &tables->listeners[1];

	cr_assert_eq(tables->num_listeners, 2);
	cr_assert_str_eq(names->name, "names");
	cr_assert_eq(names->strategy, KP_LISTEN_SNI);
	cr_assert_eq(names->bootstrap_port, 443);
	cr_assert_null(names->advertised_host);
	cr_assert_str_eq(names->sni_bootstrap, "k.x");
	cr_assert_str_eq(names->sni_broker, "b{node}.x");
	cr_assert(names->has_proxy_protocol);
	cr_assert(names->has_tls);
	cr_assert_eq(names->num_certificates, 2);
	cr_assert_str_eq(
	    names->certificates[0].certificate_ref, "conf/tls/cert");
	cr_assert_str_eq(names->certificates[1].key_ref, "conf/key2");
	cr_assert_str_eq(names->client_ca_ref, "conf/ca2");
	cr_assert_eq(names->client_auth, KP_CLIENT_AUTH_REQUIRED);
	cr_assert_str_eq(ports->name, "l");
	cr_assert_eq(ports->strategy, KP_LISTEN_PORTS);
	cr_assert_str_eq(ports->bind, "127.0.0.1");
	cr_assert_str_eq(ports->advertised_host, "127.0.0.1");
	cr_assert_eq(ports->bootstrap_port, 1);
	cr_assert_eq(ports->first_port, 2);
	cr_assert_eq(ports->num_ports, 3);
	cr_assert_eq(ports->first_node_id, 0);
	cr_assert(!ports->has_tls);
	cr_assert_eq(ports->client_auth, KP_CLIENT_AUTH_NONE);
}

/* A listener that nobody uses is left out: its ports stay closed. */
Test(compile, resources_become_tables)
{
	struct kp_diagnostics diagnostics = { 0 };
	struct kp_tables *tables = kp_test_compile(everything, &diagnostics);

	cr_assert_not_null(tables);
	cr_assert_eq(tables->generation, 7);
	cr_assert_eq(tables->log_level, KP_LOG_WARN);
	cr_assert_eq(tables->limits.of[KP_LIMIT_CONNECTIONS], 10000);
	check_clusters(tables);
	check_listeners(tables);
	cr_assert_eq(tables->num_virtual_clusters, 2);
	cr_assert_str_eq(tables->virtual_clusters[0].name, "v2");
	cr_assert_eq(tables->virtual_clusters[0].cluster, 1);
	cr_assert_eq(tables->virtual_clusters[0].listener, 0);
	cr_assert_eq(tables->virtual_clusters[0].auth, KP_AUTH_PASS_THROUGH);
	cr_assert_eq(tables->virtual_clusters[0].max_connections, 0);
	cr_assert_eq(tables->virtual_clusters[1].cluster, 0);
	cr_assert_eq(tables->virtual_clusters[1].listener, 1);
	cr_assert_eq(tables->virtual_clusters[1].auth, KP_AUTH_NONE);
	cr_assert_eq(tables->virtual_clusters[1].max_connections, 9);
	kp_tables_free(tables);
}

Test(compile, no_resources_make_empty_tables)
{
	struct kp_diagnostics diagnostics = { 0 };
	struct kp_tables *tables = kp_test_compile("", &diagnostics);

	cr_assert_not_null(tables);
	cr_assert_eq(tables->num_clusters, 0);
	cr_assert_eq(tables->num_virtual_clusters, 0);
	kp_tables_free(tables);
}

Test(compile, secrets_that_are_not_what_they_should_be_are_all_named)
{
	struct kp_diagnostics diagnostics = { 0 };
	struct kp_tables *tables = kp_test_compile(
	    TLS_CLUSTER("file: huge", "file: key.pem", "env: CERT"),
	    &diagnostics);

	cr_assert_null(tables);
	cr_assert_eq(diagnostics.num_lines, 3);
	cr_assert_str_eq(diagnostics.lines[0],
	    "conf/r.yaml:3:11: Cluster \"c\": ca: file \"conf/huge\": is too "
	    "long, at most 1024 KiB are allowed");
	cr_assert_str_eq(diagnostics.lines[1],
	    "conf/r.yaml:4:14: Cluster \"c\": certificate: file "
	    "\"conf/key.pem\": does not hold a certificate in PEM");
	cr_assert_str_eq(diagnostics.lines[2],
	    "conf/r.yaml:5:6: Cluster \"c\": key: variable \"CERT\": does not "
	    "hold a private key in PEM");
	kp_diagnostics_fini(&diagnostics);
}

Test(compile, a_secret_that_cannot_be_read_is_a_problem)
{
	struct kp_diagnostics diagnostics = { 0 };
	struct kp_tables *tables = kp_test_compile(
	    TLS_CLUSTER("file: lost", "file: cert", "file: key"), &diagnostics);

	cr_assert_null(tables);
	cr_assert_eq(diagnostics.num_lines, 1);
	cr_assert_str_eq(diagnostics.lines[0],
	    "conf/r.yaml:3:11: Cluster \"c\": ca: file \"conf/lost\": no such "
	    "file or directory");
	kp_diagnostics_fini(&diagnostics);
}

/* ctx is the PEM text of every secret. */
static bool
read_given(void *ctx, const struct kp_secret_ref *ref, struct kp_buf *out,
    struct kp_error *err)
{
	(void)ref;
	(void)err;
	kp_buf_add_text(out, ctx);
	return true;
}

Test(compile, keys_with_a_passphrase_are_refused)
{
	static char pkcs8[] = "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
			      "-----BEGIN CERTIFICATE-----\n";
	static char pem[] = "-----BEGIN RSA PRIVATE KEY-----\n"
			    "Proc-Type: 4,ENCRYPTED\n"
			    "-----BEGIN CERTIFICATE-----\n";
	char *const texts[] = { pkcs8, pem };
	struct kp_resources *set =
	    kp_test_resources(TLS_CLUSTER("file: a", "file: b", "file: c"));

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct kp_diagnostics diagnostics = { 0 };
		struct kp_limits limits;
		struct kp_compile_input input = {
			.resources = set,
			.limits = &limits,
			.read_secret = read_given,
			.ctx = texts[i],
		};

		kp_limits_default(&limits);
		cr_assert_null(kp_compile(&input, &diagnostics));
		cr_assert_eq(diagnostics.num_lines, 1);
		cr_assert_str_eq(diagnostics.lines[0],
		    "conf/r.yaml:5:6: Cluster \"c\": key: file \"conf/c\": "
		    "holds a private key with a passphrase, which nobody could "
		    "enter");
		kp_diagnostics_fini(&diagnostics);
	}
	kp_resources_free(set);
}

/* Whose secrets would have failed the compiler. */
Test(compile, what_does_not_reach_a_node_is_left_out)
{
	static const char text[] = RESOURCE("Cluster", "c-ber",
	    "bootstrap: [ber:1], nodes: {site: ber}, tls: {ca: {file: "
	    "nowhere}}") RESOURCE("Cluster", "c-fra",
	    "bootstrap: [fra:1], nodes: {site: fra}") RESOURCE("Listener", "l",
	    "bind: 10.0.0.1, ports: {bootstrap: 1, first: 2, count: 3}")
	    RESOURCE("VirtualCluster", "v-ber",
		"cluster: c-ber, listener: l, nodes: {site: ber}")
		RESOURCE("VirtualCluster", "v-fra",
		    "cluster: c-fra, listener: l, nodes: {site: fra}");
	static const struct kp_label pairs[] = { { "site", "fra" } };
	struct kp_resources *set = kp_test_resources(text);
	struct kp_diagnostics diagnostics = { 0 };
	struct kp_limits limits;
	struct kp_labels node;
	struct kp_compile_input input = {
		.resources = set,
		.node_labels = &node,
		.limits = &limits,
		.read_secret = kp_test_read_secret,
	};
	struct kp_tables *tables;

	kp_limits_default(&limits);
	kp_labels_init(&node, pairs, 1);
	tables = kp_compile(&input, &diagnostics);
	cr_assert_not_null(tables);
	cr_assert_eq(tables->num_clusters, 1);
	cr_assert_str_eq(tables->clusters[0].name, "c-fra");
	cr_assert_eq(tables->num_listeners, 1);
	cr_assert_eq(tables->num_virtual_clusters, 1);
	cr_assert_str_eq(tables->virtual_clusters[0].name, "v-fra");
	cr_assert_eq(tables->virtual_clusters[0].cluster, 0);
	cr_assert_eq(tables->virtual_clusters[0].listener, 0);
	kp_tables_free(tables);
	kp_labels_fini(&node);
	input.node_labels = NULL;
	cr_assert_null(kp_compile(&input, &diagnostics));
	cr_assert_eq(diagnostics.num_lines, 1);
	kp_diagnostics_fini(&diagnostics);
	kp_resources_free(set);
}

static struct kp_tables *
without_secrets(const struct kp_tables *tables)
{
	struct kp_tables *bare;
	struct kp_error err;
	struct kp_buf packed;

	kp_buf_init(&packed, 1u << 20);
	cr_assert(kp_tables_pack(&packed, tables, false));
	bare = kp_tables_unpack(kp_buf_bytes(&packed), &err);
	cr_assert_not_null(bare, "%s", err.text);
	kp_buf_fini(&packed);
	return bare;
}

Test(compile, persisted_tables_read_their_secrets_again)
{
	struct kp_diagnostics diagnostics = { 0 };
	struct kp_tables *tables = kp_test_compile(everything, &diagnostics);
	struct kp_tables *bare = without_secrets(tables);
	struct kp_error err;

	cr_assert_eq(bare->clusters[1].client.key_pem.len, 0);
	cr_assert_eq(bare->listeners[0].certificates[0].key_pem.len, 0);
	cr_assert(
	    kp_tables_read_secrets(bare, kp_test_read_secret, NULL, &err));
	check_clusters(bare);
	check_listeners(bare);
	cr_assert(kp_bytes_equal(bare->listeners[0].certificates[1].key_pem,
	    kp_bytes_of(KP_TEST_KEY)));
	cr_assert(kp_bytes_equal(bare->listeners[0].client_ca_pem,
	    kp_bytes_of(KP_TEST_CERTIFICATE)));
	kp_tables_free(bare);
	kp_tables_free(tables);
}

Test(compile, a_secret_lost_since_is_an_error_with_its_place)
{
	struct kp_diagnostics diagnostics = { 0 };
	struct kp_tables *tables = kp_test_compile(everything, &diagnostics);
	struct kp_tables *bare = without_secrets(tables);
	struct kp_error err;
	static char nothing[] = "";

	cr_assert(!kp_tables_read_secrets(bare, read_given, nothing, &err));
	cr_assert_str_eq(err.text,
	    "cluster \"big\": file \"conf/ca.pem\": does not hold a "
	    "certificate in PEM");
	kp_tables_free(bare);
	kp_tables_free(tables);
}
