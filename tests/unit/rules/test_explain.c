/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/explain.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/yaml_write.h"
#include "rules/example.h"
#include "rules/govern/cases.h"
#include "rules/node_config.h"
#include "rules/resource.h"

static struct kp_buf
explain(const char *path)
{
	struct kp_error err;
	struct kp_buf out;

	kp_buf_init(&out, 1u << 16);
	cr_assert(kp_explain(&out, path, &err), "%s: %s", path, err.text);
	kp_buf_add(&out, "", 1);
	cr_assert(!out.failed);
	return out;
}

Test(explain, a_field_shows_its_meaning_and_its_fields)
{
	struct kp_buf out = explain("Listener.spec.ports");

	cr_assert_str_eq((const char *)out.data,
	    "KIND:   Listener\n"
	    "FIELD:  spec.ports <object>\n"
	    "\n"
	    "DESCRIPTION:\n"
	    "      One port for bootstrap and one for each broker: first + "
	    "(node id -\n"
	    "      firstNodeId). Either this or sni.\n"
	    "\n"
	    "FIELDS:\n"
	    "  bootstrap\t<integer, 1 to 65535> -required-\n"
	    "      Port that clients are configured with.\n"
	    "  first\t<integer, 1 to 65535> -required-\n"
	    "      Port of the broker with the id firstNodeId; the others "
	    "follow by their\n"
	    "      ids.\n"
	    "  count\t<integer, 1 to 10000> -required-\n"
	    "      Ports for brokers. Leave room for brokers to come: one "
	    "without a port\n"
	    "      cannot be reached.\n"
	    "  firstNodeId\t<integer, 0 to 2147483647> default 0\n"
	    "      The lowest broker id of the cluster.\n"
	    "\n"
	    "EXAMPLE:\n"
	    "      spec:\n"
	    "        ports:\n"
	    "          bootstrap: 19092\n"
	    "          first: 19093\n"
	    "          count: 16\n");
	kp_buf_fini(&out);
}

Test(explain, paths_lead_through_kinds_and_the_node)
{
	static const struct {
		const char *path;
		const char *contains;
	} cases[] = {
		{ "", "VirtualCluster\n" },
		{ "", "node\n" },
		{ "Cluster", "  spec\t<object> -required-\n" },
		{ "Cluster.metadata.name",
		    "FIELD:  metadata.name <text, at most 63 bytes>\n" },
		{ "Listener.tls.additionalCertificates.key",
		    "      spec:\n        tls:\n"
		    "          additionalCertificates:\n"
		    "          - key:\n              file: tls/key.pem\n" },
		{ "node", "      node: edge-1\n      control:\n" },
		{ "Cluster.connectTimeout", "Default: 10s\n" },
		{ "Cluster.spec.connectTimeout", "<duration, 100ms to 5m>\n" },
		{ "Cluster.tls.key", "Written as {file: PATH} or" },
		{ "VirtualCluster.cluster", "<name of a Cluster>" },
		{ "VirtualCluster.isolation.prefix",
		    "(is not supported in this version)\n" },
		{ "Listener.tls.additionalCertificates", "<list of object>" },
		{ "Listener.tls.clientAuth",
		    "<one of \"none\", \"optional\", \"required\">" },
		{ "node", "  stateDir\t<path> default ./state\n" },
		{ "node.limits.memory", "<size, 16MiB to 64TiB>" },
		{ "test.cases.item", "      cases:\n      - item:\n          "
				     "name: team.orders\n" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kp_buf out = explain(cases[i].path);

		cr_assert_not_null(
		    strstr((const char *)out.data, cases[i].contains),
		    "%s in\n%s", cases[i].contains, (const char *)out.data);
		kp_buf_fini(&out);
	}
}

Test(explain, a_wrong_path_gets_a_suggestion)
{
	static const struct {
		const char *path;
		const char *problem;
	} cases[] = {
		{ "Lisener", "there is no kind \"Lisener\"; did you mean "
			     "\"Listener\"?" },
		{ "Topic", "there is no kind \"Topic\"" },
		{ "Listener.prots",
		    "there is no field \"prots\"; did you mean \"ports\"?" },
		{ "Listener.spec.tls.xyzzy", "there is no field \"xyzzy\"" },
		{ "Listener.bind.x", "\"bind\" has no fields" },
		{ "node.limit", "there is no field \"limit\"; did you mean "
				"\"limits\"?" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kp_error err;
		struct kp_buf out;

		kp_buf_init(&out, 1u << 16);
		cr_assert(!kp_explain(&out, cases[i].path, &err));
		cr_assert_str_eq(err.text, cases[i].problem);
		cr_assert_eq(out.len, 0);
		kp_buf_fini(&out);
	}
}

/* Every row of every table is fit to be parsed, explained and documented. */
static void
check_fields(const struct kp_setting *fields)
{
	for (; fields->type != KP_SETTING_END; fields++) {
		const char *help = fields->help;
		bool is_number = fields->type == KP_SETTING_INT ||
				 fields->type == KP_SETTING_SIZE ||
				 fields->type == KP_SETTING_DURATION;

		cr_assert_not_null(help, "%s", fields->name);
		cr_assert(help[strlen(help) - 1] == '.' ||
			      help[strlen(help) - 1] == '?',
		    "%s", fields->name);
		cr_assert_null(strchr(help, '|'), "%s", help);
		cr_assert(!is_number || fields->min < fields->max, "%s",
		    fields->name);
		cr_assert(!fields->is_required || fields->fallback == NULL);
		cr_assert_eq(
		    fields->type == KP_SETTING_ENUM, fields->words != NULL);
		cr_assert_eq(
		    fields->type == KP_SETTING_OBJECT, fields->fields != NULL);
		if (fields->type == KP_SETTING_REFERENCE)
			cr_assert_not_null(kp_resource_kind_find(fields->kind));
		if (fields->fields != NULL)
			check_fields(fields->fields);
	}
}

Test(explain, every_setting_has_what_it_needs)
{
	for (size_t i = 0; kp_resource_kinds[i] != NULL; i++) {
		cr_assert_not_null(kp_resource_kinds[i]->document.help);
		cr_assert_not_null(kp_resource_kinds[i]->document.since);
		check_fields(kp_resource_kinds[i]->document.fields);
	}
	check_fields(kp_node_config_setting.fields);
	check_fields(kp_cases_setting.fields);
}

static void
check_example(const struct kp_setting *setting)
{
	struct kp_diagnostics diagnostics = { 0 };
	struct kp_yaml *tree = kp_example_new(setting);
	struct kp_value *value =
	    kp_value_parse(setting, tree, "a.yaml", "", &diagnostics);

	cr_assert_not_null(value, "%s", diagnostics.lines[0]);
	kp_value_free(value);
	kp_yaml_free(tree);
	kp_diagnostics_fini(&diagnostics);
}

static void
check_examples(const struct kp_setting *fields)
{
	for (; fields->type != KP_SETTING_END; fields++) {
		if (fields->refused != NULL)
			continue;
		check_example(fields);
		if (fields->fields != NULL)
			check_examples(fields->fields);
	}
}

Test(explain, the_example_of_every_field_is_accepted)
{
	for (size_t i = 0; kp_resource_kinds[i] != NULL; i++)
		check_examples(kp_resource_kinds[i]->document.fields);
	check_example(&kp_node_config_setting);
	check_examples(kp_node_config_setting.fields);
	check_example(&kp_cases_setting);
	check_examples(kp_cases_setting.fields);
}

/* They refer to each other. */
Test(explain, the_examples_of_all_kinds_make_a_set_that_is_valid)
{
	struct kp_resources *set = kp_resources_new();
	struct kp_diagnostics diagnostics = { 0 };

	for (size_t i = 0; kp_resource_kinds[i] != NULL; i++) {
		struct kp_yaml *tree = kp_example_of_kind(kp_resource_kinds[i]);
		struct kp_buf text;

		kp_buf_init(&text, 1u << 16);
		kp_yaml_write(&text, tree);
		kp_resources_add_file(
		    set, "a.yaml", kp_buf_bytes(&text), &diagnostics);
		kp_buf_fini(&text);
		kp_yaml_free(tree);
	}
	cr_assert(kp_resources_check(set, &diagnostics), "%s",
	    diagnostics.lines == NULL ? "" : diagnostics.lines[0]);
	kp_diagnostics_fini(&diagnostics);
	kp_resources_free(set);
}

static struct kp_buf
explain_tree(const char *path)
{
	struct kp_error err;
	struct kp_buf out;

	kp_buf_init(&out, 1u << 16);
	cr_assert(kp_explain_tree(&out, path, &err), "%s: %s", path, err.text);
	kp_buf_add(&out, "", 1);
	return out;
}

Test(explain, a_tree_has_a_line_for_each_field_below)
{
	struct kp_buf out = explain_tree("VirtualCluster.spec");
	struct kp_error err;

	cr_assert_str_eq((const char *)out.data,
	    "KIND:   VirtualCluster\n"
	    "FIELD:  spec <object>\n"
	    "\n"
	    "DESCRIPTION:\n"
	    "      Which cluster, shown where and how.\n"
	    "\n"
	    "FIELDS:\n"
	    "  cluster\t<name of a Cluster> -required-\n"
	    "  listener\t<name of a Listener> -required-\n"
	    "  isolation\t<object>\n"
	    "    mode\t<\"none\"> default none\n"
	    "  auth\t<object>\n"
	    "    mode\t<one of \"passThrough\", \"none\"> default "
	    "passThrough\n"
	    "  limits\t<object>\n"
	    "    connections\t<integer, 1 to 1000000>\n"
	    "  nodes\t<map of labels>\n");
	kp_buf_fini(&out);
	out = explain_tree("Cluster.connectTimeout");
	cr_assert_null(strstr((const char *)out.data, "FIELDS"));
	kp_buf_fini(&out);
	kp_buf_init(&out, 1u << 16);
	cr_assert(!kp_explain_tree(&out, "Clustr", &err));
	kp_buf_fini(&out);
}

/* Collects what is shown: "Cluster.spec.tls/" where there is more. */
static void
collect(void *ctx, const char *path, const char *help, bool has_fields)
{
	cr_assert_not_null(help);
	kp_buf_printf(ctx, "%s%s ", path, has_fields ? "/" : "");
}

Test(explain, names_are_shown_for_what_was_begun)
{
	static const struct {
		const char *begun;
		const char *names;
	} cases[] = {
		{ "", "Cluster/ Listener/ VirtualCluster/ Policy/ node/ "
		      "server/ test/ " },
		{ "Clus", "Cluster/ Listener/ VirtualCluster/ Policy/ node/ "
			  "server/ test/ " },
		{ "Listener.", "Listener.apiVersion Listener.kind "
			       "Listener.metadata/ Listener.spec/ " },
		{ "Listener.spec.sni.", "Listener.spec.sni.port "
					"Listener.spec.sni.bootstrap "
					"Listener.spec.sni.broker " },
		{ "Listener.sni.b", "Listener.sni.port Listener.sni.bootstrap "
				    "Listener.sni.broker " },
		{ "node.log.", "node.log.format node.log.level " },
		{ "Nothing.", "" },
		{ "Listener.bind.", "" },
		{ ".", "" },
		{ "..", "" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kp_buf out;

		kp_buf_init(&out, 1u << 16);
		kp_explain_names(cases[i].begun, collect, &out);
		kp_buf_add(&out, "", 1);
		cr_assert_str_eq((const char *)out.data, cases[i].names);
		kp_buf_fini(&out);
	}
}
