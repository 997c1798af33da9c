/* SPDX-License-Identifier: Apache-2.0 */
/* What each kind checks beyond its table. */
#include "rules/kinds/kinds.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "tests/support/declared.h"

#define RESOURCE(kind, name, spec) \
	"{apiVersion: kproxy/v1, kind: " kind ", metadata: {name: " name \
	"},\nspec: {" spec "}}\n---\n"
#define LISTENER(spec) RESOURCE("Listener", "l", "bind: 10.0.0.1, " spec)
#define PORTS "ports: {bootstrap: 1, first: 2, count: 3}"
#define PAIR "certificate: {file: cert.pem}, key: {file: key.pem}"

struct problem {
	const char *text;
	const char *problems;
};

static void
check(const struct problem *cases, size_t num)
{
	for (size_t i = 0; i < num; i++) {
		char *problems = kp_test_problems(cases[i].text);

		cr_expect(strcmp(problems, cases[i].problems) == 0,
		    "in\n%s\nfound\n%s\nnot\n%s", cases[i].text, problems,
		    cases[i].problems);
		free(problems);
	}
}

Test(kinds, a_client_certificate_of_a_cluster_has_its_key)
{
#define TLS(tls) RESOURCE("Cluster", "c", "bootstrap: [a:1],\ntls: {" tls "}")
	static const struct problem cases[] = {
		{ TLS(""), "" },
		{ TLS(PAIR), "" },
		{ TLS("certificate: {file: x}"),
		    "conf/r.yaml:3:6: Cluster \"c\": spec.tls: \"key\" is "
		    "missing; certificate and key belong together" },
		{ TLS("key: {file: x}"),
		    "conf/r.yaml:3:6: Cluster \"c\": spec.tls: \"certificate\" "
		    "is missing; certificate and key belong together" },
	};

	check(cases, sizeof(cases) / sizeof(cases[0]));
#undef TLS
}

Test(kinds, a_listener_has_one_strategy)
{
	static const struct problem cases[] = {
		{ LISTENER(PORTS), "" },
		{ LISTENER(""),
		    "conf/r.yaml:2:7: Listener \"l\": spec: must have either "
		    "\"ports\" or \"sni\"" },
		{ LISTENER(PORTS ", tls: {" PAIR "}, sni: {port: 1, bootstrap: "
				 "k.x, broker: 'b{node}.x'}"),
		    "conf/r.yaml:2:7: Listener \"l\": spec: must have either "
		    "\"ports\" or \"sni\", not both" },
	};

	check(cases, sizeof(cases) / sizeof(cases[0]));
}

Test(kinds, the_ports_of_a_listener_exist_and_differ)
{
#define AT "conf/r.yaml:3:8: Listener \"l\": spec.ports: "
#define NUMBERS(ports) LISTENER("\nports: {" ports "}")
	static const struct problem cases[] = {
		{ NUMBERS("bootstrap: 65525, first: 65526, count: 10"), "" },
		{ NUMBERS("bootstrap: 1, first: 65526, count: 11"),
		    AT "first + count goes up to port 65536, the highest is "
		       "65535" },
		{ NUMBERS("bootstrap: 10, first: 11, count: 3"), "" },
		{ NUMBERS("bootstrap: 14, first: 11, count: 3"), "" },
		{ NUMBERS("first: 11, count: 3,\nbootstrap: 11"),
		    "conf/r.yaml:4:12: Listener \"l\": spec.ports: bootstrap "
		    "11 "
		    "is one of the brokers' ports, 11 to 13" },
		{ NUMBERS("first: 11, count: 3,\nbootstrap: 13"),
		    "conf/r.yaml:4:12: Listener \"l\": spec.ports: bootstrap "
		    "13 "
		    "is one of the brokers' ports, 11 to 13" },
		{ NUMBERS("bootstrap: 1, first: 2, count: 1, firstNodeId: "
			  "2147483647"),
		    "" },
		{ NUMBERS("bootstrap: 1, first: 2, count: 2, firstNodeId: "
			  "2147483647"),
		    AT "firstNodeId + count goes beyond the highest node id" },
		{ NUMBERS("bootstrap: 0, first: 65536, count: 10001,\n"
			  "firstNodeId: -1"),
		    "conf/r.yaml:3:20: Listener \"l\": spec.ports.bootstrap: 0 "
		    "is out of range, 1 to 65535 are allowed\n"
		    "conf/r.yaml:3:30: Listener \"l\": spec.ports.first: 65536 "
		    "is out of range, 1 to 65535 are allowed\n"
		    "conf/r.yaml:3:44: Listener \"l\": spec.ports.count: 10001 "
		    "is out of range, 1 to 10000 are allowed\n"
		    "conf/r.yaml:4:14: Listener \"l\": spec.ports.firstNodeId: "
		    "-1 is out of range, 0 to 2147483647 are allowed" },
		{ NUMBERS("bootstrap: '1', first: 2, count: 0x3"),
		    "conf/r.yaml:3:20: Listener \"l\": spec.ports.bootstrap: "
		    "must be a whole number, not \"1\"\n"
		    "conf/r.yaml:3:42: Listener \"l\": spec.ports.count: must "
		    "be a whole number, not \"0x3\"" },
	};

	check(cases, sizeof(cases) / sizeof(cases[0]));
#undef NUMBERS
#undef AT
}

Test(kinds, clients_are_told_an_address_they_can_use)
{
#define BIND(spec) RESOURCE("Listener", "l", spec ",\n" PORTS)
	static const struct problem cases[] = {
		{ BIND("bind: 0.0.0.0, advertisedHost: kafka.x"), "" },
		{ BIND("bind: 0.0.0.0"),
		    "conf/r.yaml:2:14: Listener \"l\": spec: "
		    "\"advertisedHost\" "
		    "is missing; \"0.0.0.0\" is no address that clients could "
		    "connect to" },
		{ BIND("bind: '0:0:0:0:0:0:0:0'"),
		    "conf/r.yaml:2:14: Listener \"l\": spec: "
		    "\"advertisedHost\" "
		    "is missing; \"::\" is no address that clients could "
		    "connect to" },
		{ BIND("bind: 10.0.0.1, advertisedHost: 0.0.0.0"),
		    "conf/r.yaml:2:40: Listener \"l\": spec.advertisedHost: "
		    "\"0.0.0.0\" is no address that clients could connect to" },
		{ BIND("bind: 10.0.0.1, advertisedHost: ''"),
		    "conf/r.yaml:2:40: Listener \"l\": spec.advertisedHost: "
		    "must be a host name or an IP address, not \"\"" },
		{ BIND("bind: 10.0.0.1, advertisedHost: 'a:1'"),
		    "conf/r.yaml:2:40: Listener \"l\": spec.advertisedHost: "
		    "must be a host name or an IP address, not \"a:1\"" },
		{ BIND("bind: localhost"), "conf/r.yaml:2:14: Listener \"l\": "
					   "spec.bind: must be an IP "
					   "address, not \"localhost\"" },
	};

	check(cases, sizeof(cases) / sizeof(cases[0]));
#undef BIND
}

Test(kinds, names_of_brokers_follow_a_pattern_and_need_tls)
{
#define SNI(bootstrap, broker) \
	LISTENER("tls: {" PAIR "},\nsni: {port: 1, bootstrap: " bootstrap \
		 ",\nbroker: '" broker "'}")
#define BROKER "conf/r.yaml:4:9: Listener \"l\": spec.sni.broker: "
	static const struct problem cases[] = {
		{ SNI("kafka.x", "b{node}.kafka.x"), "" },
		{ SNI("kafka.x", "{node}.x"), "" },
		{ LISTENER("\nsni: {port: 1, bootstrap: k.x, broker: "
			   "'b{node}.x'}"),
		    "conf/r.yaml:3:6: Listener \"l\": spec.sni: needs \"tls\": "
		    "the host name is part of TLS" },
		{ SNI("k.x", "broker.x"),
		    BROKER "\"broker.x\" must contain {node} exactly once" },
		{ SNI("k.x", "b{node}.{node}.x"), BROKER
		    "\"b{node}.{node}.x\" must contain {node} exactly once" },
		{ SNI("k.x", "b {node}"),
		    BROKER "\"b {node}\" does not make a host name" },
		{ SNI("k.x", "kafka.{node}"),
		    BROKER "\"kafka.{node}\" does not make a host name" },
		/* 54 letters and the longest node id are one too many */
		{ SNI("k.x",
		      "a2345678901234567890123456789012345678901234567890123"
		      "4{node}.x"),
		    BROKER
		    "\"a2345678901234567890123456789012345678901234567890123"
		    "4{node}.x\" does not make a host name" },
		{ SNI("10.0.0.1", "b{node}.x"),
		    "conf/r.yaml:3:27: Listener \"l\": spec.sni.bootstrap: "
		    "\"10.0.0.1\" must be a name, clients send no address in "
		    "TLS" },
		{ SNI("B12.x", "b{node}.x"),
		    "conf/r.yaml:3:27: Listener \"l\": spec.sni.bootstrap: "
		    "\"B12.x\" could be a broker's name" },
		{ SNI("b.x", "b{node}.x"), "" },
	};

	check(cases, sizeof(cases) / sizeof(cases[0]));
#undef SNI
#undef BROKER
}

Test(kinds, client_certificates_are_asked_for_on_purpose)
{
#define TLS(more) LISTENER(PORTS ",\ntls: {" PAIR more "}")
	static const struct problem cases[] = {
		{ TLS(""), "" },
		{ TLS(", clientAuth: none"), "" },
		{ TLS(", clientCa: {file: ca}, clientAuth: none"), "" },
		{ TLS(",\nclientCa: {file: ca}, clientAuth: required"), "" },
		{ TLS(",\nclientCa: {file: ca}"),
		    "conf/r.yaml:4:11: Listener \"l\": spec.tls: "
		    "\"clientAuth\" "
		    "is missing; with clientCa say none, optional or "
		    "required" },
		{ TLS(",\nclientAuth: required"),
		    "conf/r.yaml:4:13: Listener \"l\": spec.tls: \"clientCa\" "
		    "is "
		    "missing; clientAuth \"required\" needs it" },
		{ TLS(",\nclientAuth: must"),
		    "conf/r.yaml:4:13: Listener \"l\": spec.tls.clientAuth: "
		    "must be one of \"none\", \"optional\", \"required\", not "
		    "\"must\"" },
		{ TLS(",\nclientAuth: Required"),
		    "conf/r.yaml:4:13: Listener \"l\": spec.tls.clientAuth: "
		    "unknown word \"Required\"; did you mean \"required\"?" },
		{ TLS(",\nadditionalCertificates: [{" PAIR "}]"), "" },
		{ TLS(",\nadditionalCertificates: [{key: {env: K}}]"),
		    "conf/r.yaml:4:26: Listener \"l\": "
		    "spec.tls.additionalCertificates[0]: \"certificate\" is "
		    "missing" },
		{ LISTENER(PORTS ", tls: {}"),
		    "conf/r.yaml:2:72: Listener \"l\": spec.tls: "
		    "\"certificate\" is missing\n"
		    "conf/r.yaml:2:72: Listener \"l\": spec.tls: \"key\" is "
		    "missing" },
	};

	check(cases, sizeof(cases) / sizeof(cases[0]));
#undef TLS
}

Test(kinds, listeners_on_one_address_do_not_share_ports)
{
#define AT(name, bind, ports) \
	RESOURCE("Listener", name, \
	    "bind: '" bind "', advertisedHost: h, ports: {" ports "}")
#define TAKEN(port) \
	"conf/r.yaml:4:1: Listener \"b\": port " port \
	" is taken by Listener \"a\" already"
	static const struct problem cases[] = {
		{ AT("a", "10.0.0.1", "bootstrap: 1, first: 2, count: 9") AT(
		      "b", "10.0.0.1", "bootstrap: 11, first: 12, count: 9"),
		    "" },
		{ AT("a", "10.0.0.1", "bootstrap: 1, first: 2, count: 9") AT(
		      "b", "10.0.0.1", "bootstrap: 20, first: 10, count: 9"),
		    TAKEN("10") },
		{ AT("a", "10.0.0.1", "bootstrap: 1, first: 2, count: 9") AT(
		      "b", "10.0.0.1", "bootstrap: 5, first: 20, count: 9"),
		    TAKEN("5") },
		{ AT("a", "10.0.0.1", "bootstrap: 25, first: 2, count: 9") AT(
		      "b", "10.0.0.1", "bootstrap: 19, first: 20, count: 9"),
		    TAKEN("25") },
		{ AT("a", "10.0.0.1", "bootstrap: 1, first: 2, count: 9")
			AT("b", "10.0.0.2", "bootstrap: 1, first: 2, count: 9"),
		    "" },
		{ AT("a", "10.0.0.1", "bootstrap: 1, first: 2, count: 9")
			AT("b", "0.0.0.0", "bootstrap: 1, first: 20, count: 9"),
		    TAKEN("1") },
		{ AT("a", "::", "bootstrap: 1, first: 2, count: 9") AT(
		      "b", "10.0.0.1", "bootstrap: 1, first: 20, count: 9"),
		    TAKEN("1") },
		{ AT("a", "::1", "bootstrap: 1, first: 2, count: 9")
			AT("b", "0:0::1", "bootstrap: 1, first: 20, count: 9"),
		    TAKEN("1") },
		/* one without a strategy has no ports */
		{ RESOURCE("Listener", "a", "bind: 10.0.0.1") AT(
		      "b", "10.0.0.1", "bootstrap: 1, first: 20, count: 9"),
		    "conf/r.yaml:2:7: Listener \"a\": spec: must have either "
		    "\"ports\" or \"sni\"" },
	};

	check(cases, sizeof(cases) / sizeof(cases[0]));
#undef AT
#undef TAKEN
}

Test(kinds, a_listener_belongs_to_one_virtual_cluster)
{
#define VC(name) RESOURCE("VirtualCluster", name, "cluster: c, listener: l")
	static const struct problem cases[] = {
		{ KP_TEST_CLUSTER KP_TEST_LISTENER VC("v") VC("w"),
		    "conf/r.yaml:11:30: VirtualCluster \"w\": Listener \"l\" "
		    "belongs to VirtualCluster \"v\" already" },
	};

	check(cases, sizeof(cases) / sizeof(cases[0]));
#undef VC
}

/* One node must be able to have both. */
Test(kinds, listeners_of_different_nodes_share_ports)
{
#define ON(name, nodes) \
	RESOURCE("Listener", name, \
	    "bind: 10.0.0.1, ports: {bootstrap: 1, first: 2, count: 9}" nodes)
#define TAKEN \
	"conf/r.yaml:4:1: Listener \"b\": port 1 is taken by Listener " \
	"\"a\" already\n" \
	"conf/r.yaml:4:1: Listener \"b\": port 2 is taken by Listener " \
	"\"a\" already"
	static const struct problem cases[] = {
		{ ON("a", ", nodes: {site: fra}")
			ON("b", ", nodes: {site: ber}"),
		    "" },
		{ ON("a", ", nodes: {site: fra, tier: x}")
			ON("b", ", nodes: {tier: y, site: fra}"),
		    "" },
		{ ON("a", "") ON("b", ""), TAKEN },
		{ ON("a", ", nodes: {}") ON("b", ", nodes: {site: ber}"),
		    TAKEN },
		{ ON("a", ", nodes: {site: fra}")
			ON("b", ", nodes: {site: fra}"),
		    TAKEN },
		/* a node may have both labels */
		{ ON("a", ", nodes: {site: fra}")
			ON("b", ", nodes: {tier: prod}"),
		    TAKEN },
		{ ON("a", ", nodes: {site: fra}") ON("b", ", nodes: {site: }"),
		    "conf/r.yaml:5:81: Listener \"b\": spec.nodes: must be "
		    "text, not nothing" },
	};

	check(cases, sizeof(cases) / sizeof(cases[0]));
#undef ON
#undef TAKEN
}

Test(kinds, a_listener_has_one_virtual_cluster_on_a_node)
{
#define VC(name, nodes) \
	RESOURCE("VirtualCluster", name, "cluster: c, listener: l" nodes)
	static const struct problem cases[] = {
		{ KP_TEST_CLUSTER KP_TEST_LISTENER VC("v",
		      ", nodes: {site: fra}") VC("w", ", nodes: {site: ber}"),
		    "" },
		{ KP_TEST_CLUSTER KP_TEST_LISTENER VC("v",
		      ", nodes: {site: fra}") VC("w", ", nodes: {tier: prod}"),
		    "conf/r.yaml:11:30: VirtualCluster \"w\": Listener \"l\" "
		    "belongs to VirtualCluster \"v\" already" },
		/* each is told once */
		{ KP_TEST_CLUSTER KP_TEST_LISTENER VC("v", "") VC("w", "")
			VC("x", ""),
		    "conf/r.yaml:11:30: VirtualCluster \"w\": Listener \"l\" "
		    "belongs to VirtualCluster \"v\" already\n"
		    "conf/r.yaml:14:30: VirtualCluster \"x\": Listener \"l\" "
		    "belongs to VirtualCluster \"v\" already" },
	};

	check(cases, sizeof(cases) / sizeof(cases[0]));
#undef VC
}

Test(kinds, a_node_gets_what_its_resources_refer_to)
{
#define ALL(cluster, listener, nodes) \
	RESOURCE("Cluster", "c", "bootstrap: [a:1]" cluster) \
	RESOURCE("Listener", "l", "bind: 10.0.0.1, " PORTS listener) \
	RESOURCE("VirtualCluster", "v", "cluster: c, listener: l" nodes)
#define AT(column) "conf/r.yaml:8:" column ": VirtualCluster \"v\": "
#define ONLY(what, label) \
	what " is only for nodes with the label \"" label "\", "
#define MISSING "which is missing in spec.nodes"
	static const struct problem cases[] = {
		{ ALL("", "", ""), "" },
		{ ALL("", "", ", nodes: {site: fra}"), "" },
		{ ALL(", nodes: {site: fra}", "", ", nodes: {site: fra}"), "" },
		{ ALL(", nodes: {site: fra}", ", nodes: {tier: x}",
		      ", nodes: {tier: x, site: fra}"),
		    "" },
		{ ALL(", nodes: {site: fra}", "", ""),
		    AT("17") ONLY("Cluster \"c\"", "site: fra") MISSING },
		{ ALL("", ", nodes: {tier: x, site: fra}",
		      ", nodes: {site: fra}"),
		    AT("30") ONLY("Listener \"l\"", "tier: x") MISSING },
		{ ALL("", ", nodes: {tier: x}", ", nodes: {tier: ''}"),
		    AT("30") ONLY("Listener \"l\"",
			"tier: x") "spec.nodes wants \"tier: \"" },
		{ ALL(", nodes: {site: fra}", ", nodes: {site: fra}",
		      ", nodes: {site: ber}"),
		    AT("17") ONLY("Cluster \"c\"",
			"site: fra") "spec.nodes wants \"site: ber\"\n" AT("30")
			ONLY("Listener \"l\"",
			    "site: fra") "spec.nodes wants \"site: ber\"" },
	};

	check(cases, sizeof(cases) / sizeof(cases[0]));
#undef ALL
#undef AT
#undef ONLY
#undef MISSING
}

Test(kinds, every_kind_says_which_nodes_it_is_for)
{
	for (size_t i = 0; kp_resource_kinds[i] != NULL; i++) {
		const struct kp_setting *spec = kp_setting_find(
		    kp_resource_kinds[i]->document.fields, "spec", 4);
		const struct kp_setting *nodes =
		    kp_setting_find(spec->fields, "nodes", 5);

		cr_assert_not_null(nodes, "%s", kp_resource_kinds[i]->name);
		cr_assert_eq(nodes->type, KP_SETTING_LABELS);
	}
}

Test(kinds, what_is_not_there_yet_says_so)
{
#define VC(more) \
	KP_TEST_CLUSTER KP_TEST_LISTENER RESOURCE( \
	    "VirtualCluster", "v", "cluster: c, listener: l,\n" more)
#define AT(place) "conf/r.yaml:9:" place ": VirtualCluster \"v\": "
	static const struct problem cases[] = {
		{ VC("isolation: {mode: none}, auth: {mode: none},\n"
		     "limits: {connections: 5}"),
		    "" },
		{ VC("isolation: {mode: prefix, prefix: a-}"),
		    AT("19") "spec.isolation.mode: \"prefix\" is not supported "
			     "in this version\n" AT(
				 "27") "spec.isolation: \"prefix\" is not "
				       "supported in this version" },
		{ VC("auth: {mode: terminate, mechanisms: [PLAIN], mtls: "
		     "true}"),
		    AT("14") "spec.auth.mode: \"terminate\" is not supported "
			     "in "
			     "this version\n" AT(
				 "25") "spec.auth: \"mechanisms\" is not "
				       "supported in this version\n" AT(
					   "46") "spec.auth: \"mtls\" is not "
						 "supported in "
						 "this version" },
		{ VC("auth: {mode: passthrough}"),
		    AT("14") "spec.auth.mode: unknown word \"passthrough\"; "
			     "did "
			     "you mean \"passThrough\"?" },
		{ VC("limits: {connections: 0}"),
		    AT("23") "spec.limits.connections: 0 is out of range, 1 to "
			     "1000000 are allowed" },
	};

	check(cases, sizeof(cases) / sizeof(cases[0]));
#undef VC
#undef AT
}

#define POLICY(spec) RESOURCE("Policy", "p", spec)
#define ANYTHING "validations: [{expression: 'true'}]"

Test(kinds, a_policy_is_checked_where_it_is_pushed)
{
	static const struct problem cases[] = {
		{ POLICY("match: {apis: [CreateTopics]}, " ANYTHING), "" },
		{ POLICY("match: {apis: "
			 "[CreateTopics,\nCreateTopics]}, " ANYTHING),
		    "conf/r.yaml:3:1: Policy \"p\": \"CreateTopics\" is there "
		    "twice" },
		{ POLICY("match: {apis: [CreateAcls], topics: [a]}, " ANYTHING),
		    "conf/r.yaml:2:23: Policy \"p\": CreateAcls names no "
		    "topics, and match.topics is said" },
		{ POLICY("match: {apis: [Fetch]}, " ANYTHING),
		    "conf/r.yaml:2:23: Policy \"p\": spec.match.apis[0]: must "
		    "be one of \"CreateTopics\", \"Metadata\", "
		    "\"DeleteTopics\", \"DeleteRecords\", "
		    "\"JoinGroup\", \"ConsumerGroupHeartbeat\", "
		    "\"ShareGroupHeartbeat\", \"StreamsGroupHeartbeat\", "
		    "\"OffsetCommit\", \"TxnOffsetCommit\", \"OffsetDelete\", "
		    "\"AlterShareGroupOffsets\", "
		    "\"DeleteShareGroupOffsets\", "
		    "\"AddPartitionsToTxn\", "
		    "\"InitProducerId\", \"EndTxn\", "
		    "\"CreateAcls\", \"DeleteAcls\", \"AlterConfigs\", "
		    "\"CreatePartitions\", \"DeleteGroups\", "
		    "\"IncrementalAlterConfigs\", "
		    "\"AlterPartitionReassignments\", \"AlterClientQuotas\", "
		    "\"UnregisterBroker\", \"AddRaftVoter\", "
		    "\"RemoveRaftVoter\", \"UnregisterController\", "
		    "\"ElectLeaders\", \"AlterReplicaLogDirs\", "
		    "\"CreateDelegationToken\", \"RenewDelegationToken\", "
		    "\"ExpireDelegationToken\", \"AlterUserScramCredentials\", "
		    "\"UpdateFeatures\", not "
		    "\"Fetch\"" },
		{ POLICY("match: {apis: [CreateTopics]}, variables:\n[{name: "
			 "a, expression: '1'}, {name: a, expression: "
			 "'2'}], " ANYTHING),
		    "conf/r.yaml:3:30: Policy \"p\": \"a\" is there twice" },
		{ POLICY("match: {apis: [CreateTopics]}, variables:\n[{name: "
			 "a-b, expression: '1'}], " ANYTHING),
		    "conf/r.yaml:3:9: Policy \"p\": spec.variables[0].name: "
		    "\"a-b\" must be letters, then digits" },
		{ POLICY("match: {apis: [CreateTopics]}, validations:\n"
			 "[{expression: topic.nme == 'x'}]"),
		    "conf/r.yaml:3:15: Policy \"p\": for CreateTopics: 1:6: "
		    "NewTopic has no field \"nme\"; did you mean \"name\"?\n\t"
		    " | topic.nme == 'x'\n\t | .....^" },
		{ POLICY("match: {apis: [CreateTopics]}, validations:\n"
			 "[{expression: topic.name}]"),
		    "conf/r.yaml:3:15: Policy \"p\": for CreateTopics: 1:6: "
		    "the expression must be bool, this one is string\n\t | "
		    "topic.name\n\t | .....^" },
		/* what one of its requests does not have */
		{ POLICY("match: {apis: [CreateTopics, DeleteTopics]}, "
			 "validations:\n[{expression: topic.partitions < 9}]"),
		    "conf/r.yaml:3:15: Policy \"p\": for DeleteTopics: 1:6: "
		    "DeletedTopic has no field \"partitions\"\n\t | "
		    "topic.partitions < 9\n\t | .....^" },
		/* a variable knows only those before it */
		{ POLICY("match: {apis: [CreateTopics]}, variables:\n[{name: "
			 "a, expression: variables.b}, {name: b, expression: "
			 "'1'}], " ANYTHING),
		    "conf/r.yaml:3:24: Policy \"p\": for CreateTopics: 1:1: "
		    "there is no variable \"variables\"\n\t | variables.b\n\t "
		    "| ^" },
	};

	check(cases, sizeof(cases) / sizeof(cases[0]));
}

#define OVERRIDE(text) \
	POLICY("match: {apis: [CreateTopics]}, overrides:\n[{" text "}]")
#define AT_OVERRIDE(place) "conf/r.yaml:3:" place ": Policy \"p\": "

Test(kinds, what_a_policy_sets_is_checked_where_it_is_pushed)
{
	static const struct problem cases[] = {
		{ OVERRIDE("field: topic.partitions, expression: '6'"), "" },
		{ OVERRIDE("field: \"topic.configs['a.b']\", expression: "
			   "topic.name, when: topic.partitions > 6"),
		    "" },
		{ POLICY("match:\n{apis: [CreateTopics]}"),
		    "conf/r.yaml:2:7: Policy \"p\": validations or overrides "
		    "must be said" },
		{ OVERRIDE("field: topic.partitions"),
		    AT_OVERRIDE("2") "spec.overrides[0]: \"expression\" is "
				     "missing" },
		{ OVERRIDE("field: topic.name, expression: '\"x\"'"),
		    AT_OVERRIDE(
			"10") "for CreateTopics: 1:6: this cannot be set; what "
			      "can be set is topic.partitions, "
			      "topic.replicationFactor, "
			      "topic.configs['NAME']\n\t | topic.name\n\t | "
			      ".....^" },
		{ OVERRIDE("field: topik.partitions, expression: '1'"),
		    AT_OVERRIDE(
			"10") "for CreateTopics: 1:6: this names no field; "
			      "what can be set is topic.partitions, "
			      "topic.replicationFactor, "
			      "topic.configs['NAME']\n\t | "
			      "topik.partitions\n\t | .....^" },
		{ OVERRIDE("field: topic.configs, expression: '{}'"),
		    AT_OVERRIDE(
			"10") "for CreateTopics: 1:6: the name of a setting is "
			      "missing; what can be set is topic.partitions, "
			      "topic.replicationFactor, "
			      "topic.configs['NAME']\n\t | topic.configs\n\t "
			      "| .....^" },
		{ OVERRIDE("field: 'topic.partitions[\"a\"]', expression: "
			   "'1'"),
		    AT_OVERRIDE(
			"10") "for CreateTopics: 1:17: this has no settings; "
			      "what can be set is topic.partitions, "
			      "topic.replicationFactor, "
			      "topic.configs['NAME']\n\t | "
			      "topic.partitions[\"a\"]\n\t | "
			      "................^" },
		{ OVERRIDE("field: 'topic.configs[\"\"]', expression: '\"1\"'"),
		    AT_OVERRIDE("10") "for CreateTopics: 1:15: this is no name "
				      "of a setting\n\t | "
				      "topic.configs[\"\"]\n\t | "
				      "..............^" },
		{ OVERRIDE("field: topic.partitions, expression: '\"6\"'"),
		    AT_OVERRIDE("40") "for CreateTopics: 1:1: the expression "
				      "must be int, this one is string\n\t | "
				      "\"6\"\n\t | ^" },
		{ OVERRIDE("field: \"topic.configs['a']\", expression: '6'"),
		    AT_OVERRIDE("44") "for CreateTopics: 1:1: the expression "
				      "must be string, this one is int\n\t | "
				      "6\n\t | ^" },
		{ OVERRIDE("field: topic.partitions, expression: '6', when: "
			   "topic.name"),
		    AT_OVERRIDE("51") "for CreateTopics: 1:6: the expression "
				      "must be bool, this one is string\n\t | "
				      "topic.name\n\t | .....^" },
		{ OVERRIDE("field: topic.partitions, expression: '6'},\n"
			   "{field: topic.partitions, expression: '7'"),
		    "conf/r.yaml:4:1: Policy \"p\": \"topic.partitions\" is "
		    "there twice" },
		/* whose items are not to be changed */
		{ POLICY("match: {apis: [CreateTopics,\nMetadata]}, overrides: "
			 "[{field: topic.partitions, expression: '6'}]"),
		    "conf/r.yaml:3:1: Policy \"p\": nothing can be set in "
		    "Metadata, and overrides are said" },
		{ POLICY("match: {apis: [CreateAcls]}, overrides: [{field: "
			 "acl.host, expression: \"'x'\"}]"),
		    "conf/r.yaml:2:23: Policy \"p\": nothing can be set in "
		    "CreateAcls, and overrides are said" },
	};

	check(cases, sizeof(cases) / sizeof(cases[0]));
}
