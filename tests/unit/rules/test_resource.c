/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/resource.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "tests/support/declared.h"

#define CLUSTER(spec) \
	"apiVersion: kproxy/v1\nkind: Cluster\nmetadata: {name: " \
	"c}\nspec:\n" spec

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

Test(resource, an_envelope_that_is_wrong_is_named)
{
	static const struct problem cases[] = {
		{ KP_TEST_CLUSTER, "" },
		{ "", "" },
		{ "[a]\n",
		    "conf/r.yaml:1:1: must be a map with apiVersion, kind, "
		    "metadata and spec" },
		{ "apiVersion: kproxy/v1\n",
		    "conf/r.yaml:1:1: \"kind\" is missing" },
		{ "kind: [Cluster]\n", "conf/r.yaml:1:7: kind: must be text" },
		{ "kind: cluster\n",
		    "conf/r.yaml:1:7: unknown kind \"cluster\"; did you mean "
		    "\"Cluster\"?" },
		{ "kind: Tenant\n",
		    "conf/r.yaml:1:7: unknown kind \"Tenant\"; known are "
		    "\"Cluster\", \"Listener\", \"VirtualCluster\", "
		    "\"Policy\"" },
		{ "kind: Cluster\n",
		    "conf/r.yaml:1:1: Cluster: \"apiVersion\" is missing\n"
		    "conf/r.yaml:1:1: Cluster: \"metadata\" is missing\n"
		    "conf/r.yaml:1:1: Cluster: \"spec\" is missing" },
		{ "apiVersion: kproxy/v2\nkind: Cluster\n"
		  "metadata: {name: c}\nspce: {}\n"
		  "spec: {bootstrap: [a:1]}\n",
		    "conf/r.yaml:1:13: Cluster \"c\": apiVersion: must be "
		    "\"kproxy/v1\", not \"kproxy/v2\"\n"
		    "conf/r.yaml:4:1: Cluster \"c\": unknown field \"spce\"; "
		    "did you mean \"spec\"?" },
	};

	check(cases, sizeof(cases) / sizeof(cases[0]));
}

Test(resource, names_are_dns_labels)
{
#define NAMED(name) \
	"{apiVersion: kproxy/v1, kind: Cluster, metadata: {name: " name \
	"},\nspec: {bootstrap: [a:1]}}\n"
#define RULE \
	" is not a name: lower case letters, digits and \"-\" are allowed, " \
	"with a letter or digit at both ends"
	static const struct problem cases[] = {
		{ NAMED("a"), "" },
		{ NAMED("9-a"), "" },
		{ NAMED("A"),
		    "conf/r.yaml:1:57: Cluster: metadata.name: \"A\"" RULE },
		{ NAMED("-a"),
		    "conf/r.yaml:1:57: Cluster: metadata.name: \"-a\"" RULE },
		{ NAMED("a.b"),
		    "conf/r.yaml:1:57: Cluster: metadata.name: \"a.b\"" RULE },
		{ NAMED("''"),
		    "conf/r.yaml:1:57: Cluster: metadata.name: must not be "
		    "empty" },
		{ NAMED(
		      "a234567890123456789012345678901234567890123456789012345"
		      "678901234"),
		    "conf/r.yaml:1:57: Cluster: metadata.name: is too long, at "
		    "most 63 bytes are allowed" },
		{ NAMED("[a]"),
		    "conf/r.yaml:1:57: Cluster: metadata.name: must be text, "
		    "not a list" },
		{ "{apiVersion: kproxy/v1, kind: Cluster, metadata: {\n"
		  "name: a, labels: {a: b}, annotations: {x: [1]}},\n"
		  "spec: {bootstrap: [a:1]}}\n",
		    "conf/r.yaml:2:43: Cluster \"a\": metadata.annotations: "
		    "must be text, not a list" },
	};

	check(cases, sizeof(cases) / sizeof(cases[0]));
#undef NAMED
#undef RULE
}

Test(resource, every_type_says_what_it_wants)
{
	static const struct problem cases[] = {
		{ CLUSTER("  bootstrap: a:1\n"),
		    "conf/r.yaml:5:14: Cluster \"c\": spec.bootstrap: must be "
		    "a "
		    "list, not \"a:1\"" },
		{ CLUSTER("  bootstrap: []\n"),
		    "conf/r.yaml:5:14: Cluster \"c\": spec.bootstrap: must "
		    "have "
		    "at least one item" },
		{ CLUSTER("  bootstrap: [a:1, b, {c: 1}]\n"),
		    "conf/r.yaml:5:20: Cluster \"c\": spec.bootstrap[1]: must "
		    "be "
		    "host:port, not \"b\"\n"
		    "conf/r.yaml:5:23: Cluster \"c\": spec.bootstrap[2]: must "
		    "be "
		    "host:port, not a map" },
		{ CLUSTER("  bootstrap: ['no host:1']\n"),
		    "conf/r.yaml:5:15: Cluster \"c\": spec.bootstrap[0]: must "
		    "be "
		    "host:port, not \"no host:1\"" },
		{ CLUSTER("  bootstrap: [a:1]\n  connectTimeout: 10\n"),
		    "conf/r.yaml:6:19: Cluster \"c\": spec.connectTimeout: "
		    "must "
		    "be a duration such as 10s, not \"10\"" },
		{ CLUSTER("  bootstrap: [a:1]\n  connectTimeout: 10m\n"),
		    "conf/r.yaml:6:19: Cluster \"c\": spec.connectTimeout: 10m "
		    "is out of range, 100ms to 5m are allowed" },
		{ CLUSTER("  bootstrap: [a:1]\n  tls:\n"),
		    "conf/r.yaml:6:7: Cluster \"c\": spec.tls: must be an "
		    "object, not nothing" },
		{ CLUSTER("  bootstrap: [a:1]\n  tls: {verifyHostname: no}\n"),
		    "conf/r.yaml:6:25: Cluster \"c\": spec.tls.verifyHostname: "
		    "must be true or false, not \"no\"" },
		{ CLUSTER("  bootstrap: [a:1]\n"
			  "  tls: {verifyHostname: 'true'}\n"),
		    "conf/r.yaml:6:25: Cluster \"c\": spec.tls.verifyHostname: "
		    "must be true or false, not \"true\"" },
		{ CLUSTER("  bootstrap: [a:1]\n  bootstrp: [a:1]\n  zzz: 1\n"),
		    "conf/r.yaml:6:3: Cluster \"c\": spec: unknown field "
		    "\"bootstrp\"; did you mean \"bootstrap\"?\n"
		    "conf/r.yaml:7:3: Cluster \"c\": spec: unknown field "
		    "\"zzz\"; known are \"bootstrap\", \"tls\", "
		    "\"connectTimeout\", \"nodes\"" },
		{ CLUSTER("  auth: {}\n"),
		    "conf/r.yaml:5:3: Cluster \"c\": spec: \"auth\" is not "
		    "supported in this version\n"
		    "conf/r.yaml:5:3: Cluster \"c\": spec: \"bootstrap\" is "
		    "missing" },
	};

	check(cases, sizeof(cases) / sizeof(cases[0]));
}

/* What may be the secret itself never appears in a problem. */
Test(resource, secrets_are_references)
{
#define TLS(ca) CLUSTER("  bootstrap: [a:1]\n  tls: {ca: " ca "}\n")
#define AT "conf/r.yaml:6:13: Cluster \"c\": spec.tls.ca: "
	static const struct problem cases[] = {
		{ TLS("{file: x}"), "" },
		{ TLS("{env: _X9}"), "" },
		{ TLS("hush"),
		    AT "must be {file: PATH} or {env: NAME}, never the text "
		       "itself" },
		{ TLS("[hush]"),
		    AT "must be {file: PATH} or {env: NAME}, not a list" },
		{ TLS("{hush: x}"),
		    AT "must be {file: PATH} or {env: NAME}, not a map" },
		{ TLS("{file: x, env: X}"),
		    AT "must be {file: PATH} or {env: NAME}, not a map" },
		{ TLS("{}"),
		    AT "must be {file: PATH} or {env: NAME}, not a map" },
		{ TLS("{vault: 'a/b#c'}"),
		    AT "\"vault\" needs a KeyProvider, which is not in this "
		       "version; use {file: PATH} or {env: NAME}" },
		{ TLS("{file: }"),
		    "conf/r.yaml:6:20: Cluster \"c\": spec.tls.ca: must be "
		    "{file: PATH} or {env: NAME}, not nothing" },
		{ TLS("{file: [hush]}"),
		    "conf/r.yaml:6:20: Cluster \"c\": spec.tls.ca: must be "
		    "{file: PATH} or {env: NAME}, not a list" },
		{ TLS("{env: hush-hush}"),
		    "conf/r.yaml:6:19: Cluster \"c\": spec.tls.ca: env must be "
		    "the name of a variable" },
		{ TLS("{env: 9X}"),
		    "conf/r.yaml:6:19: Cluster \"c\": spec.tls.ca: env must be "
		    "the name of a variable" },
	};

	check(cases, sizeof(cases) / sizeof(cases[0]));
#undef TLS
#undef AT
}

Test(resource, names_are_unique_and_references_lead_somewhere)
{
#define VC(name, cluster, listener) \
	"{apiVersion: kproxy/v1, kind: VirtualCluster, metadata: {name: " name \
	"},\nspec: {cluster: " cluster ", listener: " listener "}}\n---\n"
	static const struct problem cases[] = {
		{ KP_TEST_CLUSTER KP_TEST_LISTENER VC("v", "c", "l"), "" },
		{ VC("v", "c", "l") KP_TEST_CLUSTER KP_TEST_LISTENER, "" },
		{ KP_TEST_CLUSTER KP_TEST_CLUSTER,
		    "conf/r.yaml:4:1: Cluster \"c\": is declared already at "
		    "conf/r.yaml:1" },
		{ KP_TEST_CLUSTER KP_TEST_LISTENER VC("v", "x", "kafka"),
		    "conf/r.yaml:8:17: VirtualCluster \"v\": there is no "
		    "Cluster "
		    "\"x\"\n"
		    "conf/r.yaml:8:30: VirtualCluster \"v\": there is no "
		    "Listener \"kafka\"" },
		{ "{apiVersion: kproxy/v1, kind: Cluster, metadata: {name: "
		  "kafka},\nspec: {bootstrap: [a:1]}}\n---\n" KP_TEST_LISTENER
			VC("v", "kafak", "l"),
		    "conf/r.yaml:8:17: VirtualCluster \"v\": there is no "
		    "Cluster "
		    "\"kafak\"; did you mean \"kafka\"?" },
		/* the kind counts, not only the name */
		{ KP_TEST_CLUSTER KP_TEST_LISTENER VC("v", "l", "l"),
		    "conf/r.yaml:8:17: VirtualCluster \"v\": there is no "
		    "Cluster "
		    "\"l\"" },
		/* one with problems of its own is there all the same */
		{ CLUSTER("  bootstrap: []\n---\n")
			KP_TEST_LISTENER VC("v", "c", "l"),
		    "conf/r.yaml:5:14: Cluster \"c\": spec.bootstrap: must "
		    "have "
		    "at least one item" },
	};

	check(cases, sizeof(cases) / sizeof(cases[0]));
#undef VC
}

Test(resource, problems_of_all_files_are_collected)
{
	struct kp_resources *set = kp_resources_new();
	struct kp_diagnostics diagnostics = { 0 };

	kp_resources_add_file(
	    set, "a.yaml", kp_bytes_of("a: 1\na: 2\n"), &diagnostics);
	kp_resources_add_file(
	    set, "b.yaml", kp_bytes_of(KP_TEST_CLUSTER), &diagnostics);
	kp_resources_add_file(
	    set, "c.yaml", kp_bytes_of("---\nkind: X\n"), &diagnostics);
	cr_assert(!kp_resources_check(set, &diagnostics));
	cr_assert(!kp_resources_is_valid(set));
	cr_assert_eq(kp_resources_count(set), 1);
	cr_assert_eq(diagnostics.num_lines, 2);
	cr_assert_str_eq(diagnostics.lines[0],
	    "a.yaml:2:1: duplicate key \"a\", first at line 1");
	cr_assert_str_eq(diagnostics.lines[1],
	    "c.yaml:2:7: unknown kind \"X\"; known are \"Cluster\", "
	    "\"Listener\", \"VirtualCluster\", \"Policy\"");
	kp_diagnostics_fini(&diagnostics);
	kp_resources_free(set);
}

Test(resource, a_resource_keeps_its_origin)
{
	struct kp_resources *set =
	    kp_test_resources(KP_TEST_CLUSTER KP_TEST_LISTENER);
	const struct kp_resource *listener =
	    kp_resources_find(set, "Listener", "l");

	cr_assert(kp_resources_is_valid(set));
	cr_assert_eq(listener, kp_resources_at(set, 1));
	cr_assert_str_eq(listener->at.file, KP_TEST_FILE);
	cr_assert_eq(listener->at.line, 4);
	cr_assert_eq(kp_value_number(listener->spec, "ports.count"), 3);
	cr_assert_eq(kp_value_number(listener->spec, "ports.firstNodeId"), 0);
	cr_assert_null(kp_value_text(listener->spec, "sni.broker"));
	cr_assert_null(kp_resources_find(set, "Listener", "c"));
	kp_resources_free(set);
}

Test(resource, labels_are_those_of_kubernetes)
{
#define LABELED(labels) \
	"{apiVersion: kproxy/v1, kind: Cluster, metadata: {name: c,\n" \
	"labels: {" labels "}}, spec: {bootstrap: [a:1]}}\n"
	static const struct problem cases[] = {
		{ LABELED("a: b, x.y/z: '', n: 1"), "" },
		{ LABELED("-a: b"),
		    "conf/r.yaml:2:10: Cluster \"c\": metadata.labels: \"-a\" "
		    "is not a label's name: letters, digits, \"-\", \"_\" and "
		    "\".\" are allowed, at most 63, with a letter or digit at "
		    "both ends" },
		{ LABELED("A/a: b"),
		    "conf/r.yaml:2:10: Cluster \"c\": metadata.labels: "
		    "\"A/a\" is not a label's name: what stands in front of "
		    "\"/\" must be a domain in lower case" },
		{ LABELED("a: b c"),
		    "conf/r.yaml:2:13: Cluster \"c\": metadata.labels: \"b c\" "
		    "is not a label's value: letters, digits, \"-\", \"_\" and "
		    "\".\" are allowed, at most 63, with a letter or digit at "
		    "both ends" },
		{ LABELED("a: [b], c: "),
		    "conf/r.yaml:2:13: Cluster \"c\": metadata.labels: must be "
		    "text, not a list\n"
		    "conf/r.yaml:2:21: Cluster \"c\": metadata.labels: must be "
		    "text, not nothing" },
	};
	struct kp_resources *set =
	    kp_test_resources(LABELED("team: orders, tier: 1"));
	const struct kp_labels *labels =
	    kp_resource_labels(kp_resources_at(set, 0));

	check(cases, sizeof(cases) / sizeof(cases[0]));
	cr_assert_eq(labels->num, 2);
	cr_assert_str_eq(kp_labels_find(labels, "team"), "orders");
	cr_assert_str_eq(kp_labels_find(labels, "tier"), "1");
	kp_resources_free(set);
#undef LABELED
}

Test(resource, labels_have_a_limit)
{
	struct kp_buf text;
	char *problems;

	for (size_t num = KP_MAX_LABELS; num <= KP_MAX_LABELS + 1; num++) {
		kp_buf_init(&text, 4096);
		kp_buf_add_text(&text,
		    "{apiVersion: kproxy/v1, kind: Cluster, metadata: "
		    "{name: c,\nlabels: {");
		for (size_t i = 0; i < num; i++)
			kp_buf_printf(&text, "l%zu: v, ", i);
		kp_buf_add_text(&text, "}}, spec: {bootstrap: [a:1]}}\n");
		kp_buf_add(&text, "", 1);
		problems = kp_test_problems((const char *)text.data);
		cr_assert_str_eq(problems,
		    num == KP_MAX_LABELS
			? ""
			: "conf/r.yaml:2:9: Cluster \"c\": metadata.labels: "
			  "has too many entries, at most 64 are allowed");
		free(problems);
		kp_buf_fini(&text);
	}
}

Test(resource, it_reaches_nodes_that_have_all_of_its_labels)
{
	static const struct {
		const char *nodes;
		bool reaches;
	} cases[] = {
		{ "", true },
		{ ", nodes: {}", true },
		{ ", nodes: {site: fra}", true },
		{ ", nodes: {tier: prod, site: fra}", true },
		{ ", nodes: {site: ber}", false },
		{ ", nodes: {site: fra, zone: a}", false },
	};
	static const struct kp_label pairs[] = { { "tier", "prod" },
		{ "site", "fra" } };
	struct kp_labels node;

	kp_labels_init(&node, pairs, 2);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kp_resources *set;
		char text[256];

		(void)snprintf(text, sizeof(text),
		    "{apiVersion: kproxy/v1, kind: Cluster, metadata: {name: "
		    "c}, spec: {bootstrap: [a:1]%s}}\n",
		    cases[i].nodes);
		set = kp_test_resources(text);
		cr_assert_eq(
		    kp_resource_reaches(kp_resources_at(set, 0), &node),
		    cases[i].reaches);
		kp_resources_free(set);
	}
	kp_labels_fini(&node);
}

static void
add_secret(void *ctx, const struct kp_secret_ref *ref)
{
	kp_buf_printf(ctx, "%s %s\n",
	    ref->source == KP_SECRET_FILE ? "file" : "env", ref->name);
}

Test(resource, secrets_are_listed_with_paths_beside_the_file)
{
	struct kp_resources *set = kp_test_resources(
	    "{apiVersion: kproxy/v1, kind: Cluster, metadata: {name: c},\n"
	    "spec: {bootstrap: [a:1], tls: {ca: {file: ./tls/ca.pem},\n"
	    "certificate: {file: /etc/cert.pem}, key: {env: KEY}}}}\n---\n"
	    "{apiVersion: kproxy/v1, kind: Cluster, metadata: {name: d},\n"
	    "spec: {bootstrap: [a:1], tls: {ca: {file: ../ca.pem}}}}\n");
	struct kp_buf seen;

	kp_buf_init(&seen, 1024);
	kp_resources_each_secret(set, add_secret, &seen);
	kp_buf_add(&seen, "", 1);
	cr_assert_str_eq((const char *)seen.data,
	    "file conf/tls/ca.pem\nfile /etc/cert.pem\nenv KEY\n"
	    "file conf/../ca.pem\n");
	kp_buf_fini(&seen);
	kp_resources_free(set);
}

Test(resource, too_many_resources_are_refused)
{
	struct kp_resources *set = kp_resources_new();
	struct kp_diagnostics diagnostics = { 0 };
	struct kp_buf text;

	kp_buf_init(&text, 4u << 20);
	for (size_t i = 0; i <= KP_MAX_RESOURCES; i++)
		kp_buf_printf(&text,
		    "{apiVersion: kproxy/v1, kind: Cluster, metadata: "
		    "{name: c%zu}, spec: {bootstrap: [a:1]}}\n---\n",
		    i);
	kp_resources_add_file(set, "a.yaml", kp_buf_bytes(&text), &diagnostics);
	cr_assert(!kp_resources_check(set, &diagnostics));
	cr_assert_eq(kp_resources_count(set), KP_MAX_RESOURCES);
	cr_assert_eq(diagnostics.num_lines, 1);
	cr_assert_str_eq(
	    diagnostics.lines[0], "a.yaml:20001:1: too many resources");
	kp_buf_fini(&text);
	kp_diagnostics_fini(&diagnostics);
	kp_resources_free(set);
}

/* Every problem says which field of which resource is meant. */
Test(resource, a_problem_knows_its_field)
{
	static const struct {
		const char *text;
		const char *title; /* kind/name */
		const char *path;
		const char *message;
	} cases[] = {
		{ "kind: Topic\n", "/", "",
		    "unknown kind \"Topic\"; known are \"Cluster\", "
		    "\"Listener\", \"VirtualCluster\", \"Policy\"" },
		{ CLUSTER("  bootstrap: [a:1, b]\n"), "Cluster/c",
		    "spec.bootstrap[1]", "must be host:port, not \"b\"" },
		{ CLUSTER("  bootstrap: [a:1]\n"
			  "  tls:\n"
			  "    key: {file: k}\n"),
		    "Cluster/c", "spec.tls",
		    "\"certificate\" is missing; certificate and key belong "
		    "together" },
		{ CLUSTER("  bootstrap:\n  - a:1\n") "---\n" CLUSTER(
		      "  bootstrap: [a:1]\n"),
		    "Cluster/c", "", "is declared already at conf/r.yaml:1" },
		{ "apiVersion: kproxy/v1\nkind: VirtualCluster\n"
		  "metadata: {name: v}\n"
		  "spec:\n  cluster: x\n  listener: l\n---\n" KP_TEST_LISTENER,
		    "VirtualCluster/v", "spec.cluster",
		    "there is no Cluster \"x\"" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kp_resources *set = kp_resources_new();
		struct kp_diagnostics diagnostics = { 0 };
		const struct kp_problem *problem;
		char title[128];

		kp_resources_add_file(set, KP_TEST_FILE,
		    kp_bytes_of(cases[i].text), &diagnostics);
		cr_assert(!kp_resources_check(set, &diagnostics));
		cr_assert_eq(diagnostics.num_lines, 1, "%zu", i);
		problem = diagnostics.problems;
		(void)snprintf(title, sizeof(title), "%s/%s", problem->kind,
		    problem->name);
		cr_assert_str_eq(title, cases[i].title);
		cr_assert_str_eq(problem->path, cases[i].path);
		cr_assert_str_eq(problem->message, cases[i].message);
		kp_diagnostics_fini(&diagnostics);
		kp_resources_free(set);
	}
}

static struct kp_resources *
share_of(struct kp_resources *const *from, size_t num)
{
	struct kp_resources *set = kp_resources_new();

	for (size_t i = 0; i < num; i++) {
		for (size_t k = 0; k < kp_resources_count(from[i]); k++)
			kp_resources_add_shared(
			    set, kp_resources_at(from[i], k));
	}
	return set;
}

/* The sets that it came from may be gone. */
Test(resource, one_may_be_part_of_many_sets)
{
	struct kp_resources *from[] = { kp_test_resources(KP_TEST_LISTENER),
		kp_test_resources(KP_TEST_CLUSTER) };
	struct kp_resources *one = share_of(from, 2), *two = share_of(from, 2);
	const struct kp_resource *cluster = kp_resources_at(from[1], 0);
	struct kp_diagnostics diagnostics = { 0 };

	kp_resources_free(from[0]);
	kp_resources_free(from[1]);
	cr_assert(kp_resources_check(one, &diagnostics));
	cr_assert_eq(kp_resources_at(one, 1), cluster);
	cr_assert_eq(kp_resources_find(one, "Cluster", "c"), cluster);
	cr_assert_eq(kp_resources_position(one, "Cluster", "c"), 1);
	cr_assert_eq(kp_resources_position(one, "Cluster", "l"), 2);
	cr_assert_eq(kp_resources_position(one, "None", "c"), 2);
	kp_resources_free(one);
	cr_assert(kp_resources_check(two, &diagnostics));
	cluster = kp_resource_ref(kp_resources_at(two, 1));
	kp_resources_free(two);
	cr_assert_str_eq(cluster->at.file, KP_TEST_FILE);
	cr_assert_str_eq(cluster->name, "c");
	kp_resource_unref(cluster);
}

/* Also what all sets together are asked: names, references, ports. */
Test(resource, shared_ones_are_judged_with_the_others)
{
	struct kp_resources *from[] = { kp_test_resources(KP_TEST_CLUSTER),
		kp_test_resources(KP_TEST_CLUSTER) };
	struct kp_resources *set = share_of(from, 2);
	struct kp_diagnostics diagnostics = { 0 };

	cr_assert(!kp_resources_check(set, &diagnostics));
	cr_assert_eq(diagnostics.num_lines, 1);
	cr_assert_str_eq(diagnostics.lines[0],
	    "conf/r.yaml:1:1: Cluster \"c\": is declared already at "
	    "conf/r.yaml:1");
	kp_diagnostics_fini(&diagnostics);
	kp_resources_free(set);
	kp_resources_free(from[0]);
	kp_resources_free(from[1]);
}

Test(resource, a_shared_one_with_problems_spoils_the_set)
{
	static const char *const texts[] = { CLUSTER("  bootstrap: []\n"),
		CLUSTER("  bootstrap: [a:1]\n  tls: {key: {file: k}}\n") };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct kp_resources *set = kp_resources_new(), *other;
		struct kp_diagnostics diagnostics = { 0 };
		struct kp_diagnostics again = { 0 };

		kp_resources_add_file(
		    set, "a.yaml", kp_bytes_of(texts[i]), &diagnostics);
		cr_assert_eq(diagnostics.num_lines, 1);
		cr_assert(!kp_resource_is_sound(kp_resources_at(set, 0)));
		other = share_of(&set, 1);
		kp_resources_free(set);
		cr_assert(!kp_resources_check(other, &again));
		cr_assert_eq(again.num_lines, 0);
		kp_resources_free(other);
		kp_diagnostics_fini(&diagnostics);
	}
}

Test(resource, too_many_shared_ones_are_refused)
{
	struct kp_resources *from = kp_test_resources(KP_TEST_CLUSTER);
	const struct kp_resource *cluster = kp_resources_at(from, 0);
	struct kp_resources *set = kp_resources_new();
	struct kp_diagnostics diagnostics = { 0 };

	for (size_t i = 0; i < KP_MAX_RESOURCES + 2; i++)
		kp_resources_add_shared(set, cluster);
	kp_resources_free(from);
	cr_assert_eq(kp_resources_count(set), KP_MAX_RESOURCES);
	cr_assert(!kp_resources_check(set, &diagnostics));
	cr_assert(diagnostics.num_lines > 0);
	cr_assert_str_eq(diagnostics.lines[0],
	    "conf/r.yaml:1:1: Cluster \"c\": is too much: at most 10000 "
	    "resources are allowed");
	kp_diagnostics_fini(&diagnostics);
	kp_resources_free(set);
}

/* What is found in text: problems, or resources that are valid. */
static bool
is_valid(const char *text, size_t num)
{
	struct kp_diagnostics problems = { .num_lines = 0 };
	struct kp_resources *set = kp_resources_new();
	bool is_good;

	kp_resources_add_file(set, "f.yaml", kp_bytes_of(text), &problems);
	is_good = kp_resources_check(set, &problems) &&
		  kp_diagnostics_count(&problems) == 0;
	cr_assert(!is_good || kp_resources_count(set) == num);
	kp_diagnostics_fini(&problems);
	kp_resources_free(set);
	return is_good;
}

Test(resource, without_memory_there_is_a_problem_and_never_less)
{
	static const char good[] = KP_TEST_CLUSTER "---\n" KP_TEST_LISTENER;
	/* problems are texts that are built, and end */
	static const char *const bad[] = {
		"kind: Clustr\napiVersion: kproxy/v1\n",
		CLUSTER("  bootstrp: [a:1]\n"),
		CLUSTER("  bootstrap: 3\n"),
	};
	unsigned n = 1;

	for (bool is_done = false; !is_done; n++) {
		kp_alloc_fail_after(n);
		is_done = is_valid(good, 2);
		kp_alloc_fail_after(0);
		cr_assert(n < 10000);
	}
	cr_assert(n > 10);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		for (n = 1; n < 200; n++) {
			kp_alloc_fail_after(n);
			cr_assert(!is_valid(bad[i], 0));
			kp_alloc_fail_after(0);
		}
	}
}
