/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/node_config.h"

#include <criterion/criterion.h>
#include <string.h>

#define SERVER \
	"server: {addresses: [a.example:9190, '[::1]:1'], serverName: " \
	"p.example,\n ca: ca.pem, certificate: /n.pem, key: tls/n.key}"
#define HEAD "node: edge-1\ncontrol: {files: ./resources}\n"

Test(node_config, a_short_one_gets_every_default)
{
	struct kp_diagnostics diagnostics = { 0 };
	struct kp_node_config config;
	struct kp_limits limits;

	kp_limits_default(&limits);
	cr_assert(kp_node_config_parse(
	    &config, "/etc/kproxy/node.yaml", kp_bytes_of(HEAD), &diagnostics));
	cr_assert_str_eq(config.node, "edge-1");
	cr_assert_str_eq(config.state_dir, "/etc/kproxy/state");
	cr_assert_str_eq(config.files_dir, "/etc/kproxy/resources");
	cr_assert_eq(config.labels.num, 0);
	cr_assert_eq(config.server.num_addresses, 0);
	cr_assert_str_eq(config.admin.host, "127.0.0.1");
	cr_assert_eq(config.admin.port, 9180);
	cr_assert_eq(config.log_format, KP_LOG_AUTO);
	cr_assert_eq(config.log_level, KP_LOG_INFO);
	for (int i = 0; i < KP_NUM_LIMITS; i++)
		cr_assert_eq(config.limits.of[i], limits.of[i]);
	kp_node_config_fini(&config);
}

Test(node_config, the_default_limits_are_those_of_the_design)
{
	static const int64_t wanted[KP_NUM_LIMITS] = {
		[KP_LIMIT_CONNECTIONS] = 10000,
		[KP_LIMIT_CONNECTIONS_PER_ADDRESS] = 0,
		[KP_LIMIT_CONNECTIONS_OPENING] = 1000,
		[KP_LIMIT_MEMORY] = INT64_C(4) << 30,
		[KP_LIMIT_MEMORY_PER_CONNECTION] = 256 << 20,
		[KP_LIMIT_FRAME] = 100 << 20,
		[KP_LIMIT_FRAME_BEFORE_AUTH] = 512 << 10,
		[KP_LIMIT_GOVERNED_REQUEST] = 1 << 20,
		[KP_LIMIT_IN_FLIGHT] = 1000,
		[KP_LIMIT_HANDSHAKE_TIMEOUT] = 10000,
		[KP_LIMIT_FIRST_REQUEST_TIMEOUT] = 30000,
		[KP_LIMIT_REQUEST_TIMEOUT] = 60000,
		[KP_LIMIT_FRAME_TIMEOUT] = 600000,
		[KP_LIMIT_IDLE_TIMEOUT] = 660000,
		[KP_LIMIT_WRITE_TIMEOUT] = 60000,
		[KP_LIMIT_DRAIN_TIMEOUT] = 30000,
	};
	struct kp_limits limits;

	kp_limits_default(&limits);
	for (int i = 0; i < KP_NUM_LIMITS; i++)
		cr_assert_eq(
		    limits.of[i], wanted[i], "%s", kp_limit_settings[i].name);
	cr_assert(kp_limits_are_in_bounds(&limits));
}

Test(node_config, everything_can_be_said)
{
	static const char text[] = "node: edge-1.dc\n"
				   "stateDir: /var/lib/kproxy\n"
				   "admin: {listen: '[::1]:80'}\n"
				   "control: {files: ../res}\n"
				   "limits:\n"
				   "  connections: 1\n"
				   "  connectionsPerAddress: 2\n"
				   "  connectionsOpening: 3\n"
				   "  memory: 1GiB\n"
				   "  memoryPerConnection: 2MiB\n"
				   "  frame: 1MiB\n"
				   "  frameBeforeAuthentication: 3KiB\n"
				   "  governedRequest: 4KiB\n"
				   "  inFlight: 4\n"
				   "  handshakeTimeout: 500ms\n"
				   "  firstRequestTimeout: 6s\n"
				   "  requestTimeout: 7s\n"
				   "  frameTimeout: 2m\n"
				   "  idleTimeout: 8s\n"
				   "  writeTimeout: 9s\n"
				   "  drainTimeout: 1m\n"
				   "log: {format: json, level: debug}\n";
	static const int64_t limits[KP_NUM_LIMITS] = { 1, 2, 3, 1 << 30,
		2 << 20, 1 << 20, 3072, 4096, 4, 500, 6000, 7000, 120000, 8000,
		9000, 60000 };
	struct kp_diagnostics diagnostics = { 0 };
	struct kp_node_config config;

	cr_assert(kp_node_config_parse(
	    &config, "node.yaml", kp_bytes_of(text), &diagnostics));
	cr_assert_str_eq(config.node, "edge-1.dc");
	cr_assert_str_eq(config.state_dir, "/var/lib/kproxy");
	cr_assert_str_eq(config.files_dir, "../res");
	cr_assert_str_eq(config.admin.host, "::1");
	cr_assert_eq(config.admin.port, 80);
	for (int i = 0; i < KP_NUM_LIMITS; i++)
		cr_assert_eq(config.limits.of[i], limits[i], "%s",
		    kp_limit_settings[i].name);
	cr_assert_eq(config.log_format, KP_LOG_JSON);
	cr_assert_eq(config.log_level, KP_LOG_DEBUG);
	kp_node_config_fini(&config);
}

Test(node_config, resources_may_come_from_a_server)
{
	static const char text[] = "node: edge-1\n"
				   "labels: {site: fra, example.com/t: ''}\n"
				   "control: {" SERVER "}\n";
	struct kp_diagnostics diagnostics = { 0 };
	struct kp_node_config config;

	cr_assert(kp_node_config_parse(
	    &config, "/etc/kp/node.yaml", kp_bytes_of(text), &diagnostics));
	cr_assert_null(config.files_dir);
	cr_assert_eq(config.labels.num, 2);
	cr_assert_str_eq(kp_labels_find(&config.labels, "site"), "fra");
	cr_assert_str_eq(kp_labels_find(&config.labels, "example.com/t"), "");
	cr_assert_eq(config.server.num_addresses, 2);
	cr_assert_str_eq(config.server.addresses[0], "a.example:9190");
	cr_assert_str_eq(config.server.addresses[1], "[::1]:1");
	cr_assert_str_eq(config.server.server_name, "p.example");
	cr_assert_str_eq(config.server.ca, "/etc/kp/ca.pem");
	cr_assert_str_eq(config.server.certificate, "/n.pem");
	cr_assert_str_eq(config.server.key, "/etc/kp/tls/n.key");
	kp_node_config_fini(&config);
}

struct problem {
	const char *text;
	const char *problems;
};

static void
check(const struct problem *cases, size_t num)
{
	for (size_t i = 0; i < num; i++) {
		struct kp_diagnostics diagnostics = { 0 };
		struct kp_node_config config;
		struct kp_buf out;

		cr_assert(!kp_node_config_parse(&config, "n.yaml",
		    kp_bytes_of(cases[i].text), &diagnostics));
		kp_buf_init(&out, 1u << 16);
		kp_diagnostics_print(&diagnostics, &out);
		kp_buf_add(&out, "", 1);
		cr_expect(
		    strcmp((const char *)out.data, cases[i].problems) == 0,
		    "in\n%s\nfound\n%s", cases[i].text, (const char *)out.data);
		kp_buf_fini(&out);
		kp_diagnostics_fini(&diagnostics);
		kp_node_config_fini(&config);
	}
}

Test(node_config, problems_have_their_place)
{
	static const struct problem cases[] = {
		{ "", "n.yaml: must hold one YAML document, not 0\n" },
		{ HEAD "---\n" HEAD,
		    "n.yaml: must hold one YAML document, not 2\n" },
		{ "a\n", "n.yaml:1:1: must be an object, not \"a\"\n" },
		{ "node: a\n", "n.yaml:1:1: \"control\" is missing\n" },
		{ "node: a b\ncontrol: {file: x}\n",
		    "n.yaml:1:7: node: \"a b\" is not a name: letters, digits, "
		    "\"-\" and \".\" are allowed\n"
		    "n.yaml:2:11: control: unknown field \"file\"; did you "
		    "mean "
		    "\"files\"?\n" },
		{ HEAD "admin: {listen: localhost:80}\n",
		    "n.yaml:3:17: admin.listen: \"localhost\" is not an IP "
		    "address\n" },
		{ HEAD "admin: {listen: 9180}\n",
		    "n.yaml:3:17: admin.listen: must be host:port, not "
		    "\"9180\"\n" },
		{ HEAD "limits: {memory: 1, frame: 4XB, connection: 3}\n",
		    "n.yaml:3:18: limits.memory: 1 is out of range, 16MiB to "
		    "64TiB are allowed\n"
		    "n.yaml:3:28: limits.frame: must be a size such as 64KiB, "
		    "not \"4XB\"\n"
		    "n.yaml:3:33: limits: unknown field \"connection\"; did "
		    "you "
		    "mean \"connections\"?\n" },
		{ HEAD "limits: {memory: 99999999TiB}\n",
		    "n.yaml:3:18: limits.memory: must be a size such as 64KiB, "
		    "not \"99999999TiB\"\n" },
		{ HEAD "limits: {frame: 128KiB}\n",
		    "n.yaml:3:9: limits: frameBeforeAuthentication is larger "
		    "than frame\n" },
		{ HEAD "limits: {memoryPerConnection: 64MiB}\n",
		    "n.yaml:3:9: limits: frame is larger than "
		    "memoryPerConnection\n" },
		{ HEAD "limits: {memory: 64MiB}\n",
		    "n.yaml:3:9: limits: frame is larger than half of "
		    "memory\n" },
		{ HEAD "log: {level: verbose}\n",
		    "n.yaml:3:14: log.level: must be one of \"error\", "
		    "\"warn\", \"info\", \"debug\", not \"verbose\"\n" },
		{ HEAD "node: b\n",
		    "n.yaml:3:1: duplicate key \"node\", first at line 1\n" },
	};

	check(cases, sizeof(cases) / sizeof(cases[0]));
}

Test(node_config, resources_come_from_one_place)
{
	static const struct problem cases[] = {
		{ "node: a\ncontrol: {}\n",
		    "n.yaml:2:10: control: must have either \"files\" or "
		    "\"server\"\n" },
		{ "node: a\ncontrol: {files: x,\n" SERVER "}\n",
		    "n.yaml:2:10: control: must have either \"files\" or "
		    "\"server\", not both\n" },
		{ "node: a\ncontrol: {}\nlimits: {memory: 64MiB}\n",
		    "n.yaml:3:9: limits: frame is larger than half of memory\n"
		    "n.yaml:2:10: control: must have either \"files\" or "
		    "\"server\"\n" },
		{ "node: a\ncontrol: {server: {addresses: []}}\n",
		    "n.yaml:2:31: control.server.addresses: must have at least "
		    "one item\n"
		    "n.yaml:2:19: control.server: \"ca\" is missing\n"
		    "n.yaml:2:19: control.server: \"certificate\" is missing\n"
		    "n.yaml:2:19: control.server: \"key\" is missing\n" },
		{ "node: a\ncontrol: {server: {addresses: ["
		  "a:1, a:1, a:1, a:1, a:1, a:1, a:1, a:1, a:1, a:1, a:1, a:1, "
		  "a:1, a:1, a:1, a:1, a:1], ca: c, certificate: c, key: k}}\n",
		    "n.yaml:2:31: control.server.addresses: has 17 items, at "
		    "most 16 are allowed\n" },
		{ HEAD "labels: {site: 'f r a'}\n",
		    "n.yaml:3:16: labels: \"f r a\" is not a label's value: "
		    "letters, digits, \"-\", \"_\" and \".\" are allowed, at "
		    "most 63, with a letter or digit at both ends\n" },
	};

	check(cases, sizeof(cases) / sizeof(cases[0]));
}
