/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/server_config.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

#define TLS "tls: {ca: ca.pem, certificate: s.pem, key: s.key}\n"
#define ROLES "roles:\n  - {role: admin, identities: [\"CN:alice\"]}\n"
#define STORE(what) "listen: [\"0.0.0.0:9190\"]\nstore: " what "\n" TLS ROLES
#define HEAD "listen: [\"0.0.0.0:9190\"]\nstore: {sqlite: ./kp.db}\n" TLS

Test(server_config, a_short_one_gets_every_default)
{
	struct kp_diagnostics diagnostics = { 0 };
	struct kp_server_limits limits;
	struct kp_server_config config;

	kp_server_limits_default(&limits);
	cr_assert(kp_server_config_parse(&config, "/etc/kproxy/kpserver.yaml",
	    kp_bytes_of(HEAD ROLES), &diagnostics));
	cr_assert_null(config.name);
	cr_assert_eq(config.num_listen, 1);
	cr_assert_str_eq(config.listen[0].host, "0.0.0.0");
	cr_assert_eq(config.listen[0].port, 9190);
	cr_assert_str_eq(config.admin.host, "127.0.0.1");
	cr_assert_eq(config.admin.port, 9191);
	cr_assert_str_eq(config.sqlite, "/etc/kproxy/kp.db");
	cr_assert_str_eq(config.ca, "/etc/kproxy/ca.pem");
	cr_assert_str_eq(config.audit_file, "/etc/kproxy/audit.jsonl");
	cr_assert_eq(config.max_revisions, 10000);
	cr_assert_eq(config.max_age_ms, INT64_C(90) * 86400 * 1000);
	for (int i = 0; i < KP_NUM_SERVER_LIMITS; i++)
		cr_assert_eq(config.limits.of[i], limits.of[i], "%s",
		    kp_server_limit_settings[i].name);
	kp_server_config_fini(&config);
}

Test(server_config, roles_say_who_and_what)
{
	static const char text[] =
	    HEAD "name: a\nroles:\n"
		 "  - {role: editor, identities: [\"CN:x\", \"DNS:a*\"],\n"
		 "     kinds: [Cluster], labels: {team: orders, a: \"\"}}\n"
		 "  - {role: node, identities: [\"*\"]}\n";
	struct kp_diagnostics diagnostics = { 0 };
	struct kp_server_config config;

	cr_assert(kp_server_config_parse(
	    &config, "s.yaml", kp_bytes_of(text), &diagnostics));
	cr_assert_str_eq(config.name, "a");
	cr_assert_eq(config.num_roles, 2);
	cr_assert_eq(config.roles[0].role, KP_ROLE_EDITOR);
	cr_assert_eq(config.roles[0].num_identities, 2);
	cr_assert_str_eq(config.roles[0].identities[1], "DNS:a*");
	cr_assert_str_eq(config.roles[0].kinds[0], "Cluster");
	cr_assert_eq(config.roles[0].labels.num, 2);
	cr_assert_str_eq(
	    kp_labels_find(&config.roles[0].labels, "team"), "orders");
	cr_assert_eq(config.roles[1].role, KP_ROLE_NODE);
	kp_server_config_fini(&config);
}

Test(server_config, every_problem_has_its_place)
{
	static const struct {
		const char *text, *problem;
	} cases[] = {
		{ HEAD, "s.yaml:1:1: \"roles\" is missing" },
		{ HEAD ROLES "lmits: {}\n",
		    "s.yaml:6:1: unknown field \"lmits\"; did you mean "
		    "\"limits\"?" },
		{ HEAD "roles:\n  - {role: boss, identities: [\"*\"]}\n",
		    "s.yaml:5:12: roles[0].role: must be one of \"admin\", "
		    "\"editor\", \"viewer\", \"node\", not \"boss\"" },
		{ HEAD "roles:\n  - {role: admin, identities: [alice]}\n",
		    "s.yaml:5:32: roles[0].identities[0]: \"alice\" is not of "
		    "a certificate: CN:name, DNS:name, URI:uri, IP:address, "
		    "email:address, with * at the end, or *" },
		{ HEAD "roles:\n  - {role: admin, identities: [\"CN:*a\"]}\n",
		    "s.yaml:5:32: roles[0].identities[0]: \"CN:*a\" has a "
		    "\"*\" that is not its end" },
		{ HEAD "roles:\n  - {role: viewer, identities: [\"*\"], kinds: "
		       "[Cluster]}\n",
		    "s.yaml:5:46: roles: kinds limits an editor only, not the "
		    "role \"viewer\"" },
		{ HEAD "roles:\n  - {role: editor, identities: [\"*\"], kinds: "
		       "[Topic]}\n",
		    "s.yaml:5:47: roles[0].kinds[0]: \"Topic\" is not a kind "
		    "of resource: see kpctl explain" },
		{ HEAD
		    "roles:\n  - {role: editor, identities: [\"*\"], labels: "
		    "{\"a b\": x}}\n",
		    "s.yaml:5:48: roles[0].labels: \"a b\" is not a label's "
		    "name: letters, digits, \"-\", \"_\" and \".\" are "
		    "allowed, at most 63, with a letter or digit at both "
		    "ends" },
		{ HEAD ROLES "limits: {changes: 16}\n",
		    "s.yaml:6:19: limits: changes is not less than threads: "
		    "reads would wait" },
		{ "listen: [\"a:1\"]\nstore: {sqlite: x}\n" TLS ROLES,
		    "s.yaml:1:10: listen[0]: \"a\" is not an IP address" },
		{ STORE("{}"),
		    "s.yaml:2:8: store: must say either sqlite or etcd" },
		{ STORE("{sqlite: x, etcd: {endpoints: [\"http://a:1\"]}}"),
		    "s.yaml:2:8: store: must say either sqlite or etcd" },
		{ STORE("{etcd: {endpoints: [\"a:1\"]}}"),
		    "s.yaml:2:28: store.etcd.endpoints[0]: \"a:1\" must begin "
		    "with https:// (or http://, in the clear)" },
		{ STORE("{etcd: {endpoints: [\"http://a:1\", "
			"\"https://b:1\"]}}"),
		    "s.yaml:2:42: store.etcd.endpoints: must all be https://, "
		    "or all http://" },
		{ STORE("{etcd: {endpoints: [\"https://a:1\"]}}"),
		    "s.yaml:2:15: store.etcd: https:// needs tls" },
		{ STORE("{etcd: {endpoints: [\"http://a:1\"], user: u}}"),
		    "s.yaml:2:15: store.etcd: user and password go together" },
		{ STORE("{etcd: {endpoints: [\"http://a:1\"], prefix: /a}}"),
		    "s.yaml:2:51: store.etcd.prefix: \"/a\" must end with "
		    "\"/\"" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kp_diagnostics diagnostics = { 0 };
		struct kp_server_config config;

		cr_assert(!kp_server_config_parse(&config, "s.yaml",
		    kp_bytes_of(cases[i].text), &diagnostics));
		cr_assert(diagnostics.num_lines > 0);
		cr_expect(strcmp(diagnostics.lines[0], cases[i].problem) == 0,
		    "%s\nwanted %s", diagnostics.lines[0], cases[i].problem);
		kp_diagnostics_fini(&diagnostics);
	}
}

Test(server_config, a_store_in_etcd)
{
	struct kp_diagnostics diagnostics = { 0 };
	struct kp_server_config config;

	cr_assert(kp_server_config_parse(&config, "/etc/kproxy/s.yaml",
	    kp_bytes_of(STORE("{etcd: {endpoints: [\"https://a:1\", "
			      "\"https://b:2\"], user: kp, password: {file: "
			      "pw}, tls: {ca: ca.pem, certificate: c.pem, key: "
			      "k.pem, serverName: etcd}}}")),
	    &diagnostics));
	cr_assert_null(config.sqlite);
	cr_assert_eq(config.etcd.num_endpoints, 2);
	cr_assert_str_eq(config.etcd.endpoints[1], "https://b:2");
	cr_assert_str_eq(config.etcd.prefix, "/kproxy/");
	cr_assert_str_eq(config.etcd.key, "/etc/kproxy/k.pem");
	cr_assert_str_eq(config.etcd.server_name, "etcd");
	cr_assert_str_eq(config.etcd.password.name, "/etc/kproxy/pw");
	kp_server_config_fini(&config);
}

/* As many labels as a resource may have, and not one more. */
Test(server_config, labels_of_a_role_are_bounded)
{
	for (int num = KP_MAX_LABELS; num <= KP_MAX_LABELS + 1; num++) {
		struct kp_diagnostics diagnostics = { 0 };
		struct kp_server_config config;
		struct kp_buf text;
		bool is_ok;

		kp_buf_init(&text, 8192);
		kp_buf_add_text(&text,
		    HEAD "roles:\n  - {role: editor, identities: [\"*\"], "
			 "labels: {");
		for (int i = 0; i < num; i++)
			kp_buf_printf(&text, "l%d: x, ", i);
		kp_buf_add_text(&text, "}}\n");
		is_ok = kp_server_config_parse(
		    &config, "s.yaml", kp_buf_bytes(&text), &diagnostics);
		cr_assert_eq(is_ok, num == KP_MAX_LABELS);
		if (is_ok)
			kp_server_config_fini(&config);
		kp_diagnostics_fini(&diagnostics);
		kp_buf_fini(&text);
	}
}

Test(server_config, without_memory_there_is_a_problem)
{
	static const char text[] =
	    HEAD "roles:\n  - {role: editor, identities: [\"CN:a\"],\n"
		 "     kinds: [Cluster], labels: {team: a}}\n";
	bool is_ok = false;

	for (unsigned n = 1; !is_ok; n++) {
		struct kp_diagnostics diagnostics = { 0 };
		struct kp_server_config config;

		cr_assert(n < 10000);
		kp_alloc_fail_after(n);
		is_ok = kp_server_config_parse(
		    &config, "s.yaml", kp_bytes_of(text), &diagnostics);
		kp_alloc_fail_after(0);
		cr_assert(is_ok || kp_diagnostics_count(&diagnostics) > 0);
		cr_assert(!is_ok || (n > 5 && config.num_roles == 1));
		if (is_ok)
			kp_server_config_fini(&config);
		kp_diagnostics_fini(&diagnostics);
	}
}
