/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/targets.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "rules/resource.h"

#define MAX_WORDS 8

/* "Cluster/a Cluster/b", with a star for all, or the text of the error. */
static void
parse(const char *line, char out[512])
{
	char copy[128], *rest = copy, *word;
	const char *words[MAX_WORDS];
	struct kp_targets targets;
	struct kp_error err;
	size_t num = 0, len = 0;

	(void)snprintf(copy, sizeof(copy), "%s", line);
	while ((word = strsep(&rest, " ")) != NULL)
		words[num++] = word;
	if (!kp_targets_parse(&targets, words, num, &err))
		len = (size_t)snprintf(out, 512, "%s", err.text);
	for (size_t i = 0; len == 0 && i < targets.num; i++)
		(void)snprintf(out + strlen(out), 512 - strlen(out), "%s%s/%s",
		    i > 0 ? " " : "",
		    targets.list[i].kind ? targets.list[i].kind : "*",
		    targets.list[i].name ? targets.list[i].name : "*");
	kp_targets_fini(&targets);
}

Test(targets, are_named_as_kubectl_has_it)
{
	static const struct {
		const char *line, *understood;
	} cases[] = {
		{ "all", "*/*" },
		{ "cluster", "Cluster/*" },
		{ "Clusters", "Cluster/*" },
		{ "vc", "VirtualCluster/*" },
		{ "virtualclusters", "VirtualCluster/*" },
		{ "no", "Node/*" },
		{ "nodes", "Node/*" },
		{ "cluster,vc,nodes", "Cluster/* VirtualCluster/* Node/*" },
		{ "cluster a b", "Cluster/a Cluster/b" },
		{ "cluster/a", "Cluster/a" },
		{ "cluster/a vc/b node/c",
		    "Cluster/a VirtualCluster/b Node/c" },
		{ "cluster/a/b", "Cluster/a/b" },
		{ "clutser", "there is no kind \"clutser\"; did you mean "
			     "\"Cluster\"?" },
		{ "all a",
		    "there is no kind \"all\"; kpctl explain lists them" },
		{ "cluster,x", "there is no kind \"x\"; kpctl explain lists "
			       "them" },
		{ "cluster/", "\"cluster/\" has no name after the stroke" },
		{ "/a", "there is no kind \"\"; kpctl explain lists them" },
		{ "cluster/a b", "must be KIND/NAME, like those before, not "
				 "\"b\"" },
		{ "cluster a vc/b", "\"vc/b\" names a kind; there is one "
				    "already" },
		{ "", "there is no kind \"\"; kpctl explain lists them" },
		{ ",", "there is no kind \"\"; kpctl explain lists them" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char understood[512] = "";

		parse(cases[i].line, understood);
		cr_assert_str_eq(understood, cases[i].understood, "%s: %s",
		    cases[i].line, understood);
	}
}

/* What a name means must not depend on the order of kinds. */
Test(targets, short_names_are_of_one_kind)
{
	for (size_t i = 0; kp_resource_kinds[i] != NULL; i++) {
		const char *kind = kp_resource_kinds[i]->name;
		char lower[KP_KIND_SIZE];

		kp_kind_lower(lower, kind);
		cr_assert_str_eq(kp_kind_of(lower, strlen(lower)), kind);
		cr_assert_str_eq(kp_kind_of(kind, strlen(kind)), kind);
	}
	cr_assert_null(kp_kind_of("", 0));
	cr_assert_null(kp_kind_of("clusterx", 8));
}
