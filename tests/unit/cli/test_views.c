/* SPDX-License-Identifier: Apache-2.0 */
/* Printers that are fed by a server. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "base/yaml_tree.h"
#include "cli/describe.h"
#include "cli/nodes_view.h"
#include "cli/problems.h"
#include "cli/progress.h"
#include "cli/view.h"

#define MAX_LEN (1u << 20)

static void
check_text(struct kp_buf *out, const char *wanted)
{
	kp_buf_add(out, "", 1);
	cr_assert(!out->failed);
	cr_assert_str_eq((const char *)out->data, wanted);
	kp_buf_fini(out);
}

Test(views, a_bar_is_as_full_as_nodes_are_done)
{
	static const struct {
		size_t num_done, num;
		const char *bar;
	} cases[] = {
		{ 0, 2, "[    ] 0/2 nodes" },
		{ 1, 2, "[##  ] 1/2 nodes" },
		{ 1, 1, "[####] 1/1 node" },
		{ 0, 0, "[####] 0/0 nodes" },
		{ 2, 3, "[##  ] 2/3 nodes" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kp_buf out;

		kp_buf_init(&out, MAX_LEN);
		kp_progress_bar(&out, cases[i].num_done, cases[i].num, 4);
		check_text(&out, cases[i].bar);
	}
}

Test(views, a_problem_reads_like_those_of_validate)
{
	Kproxy__Control__V1__Problem problem;
	struct kp_buf out;

	kproxy__control__v1__problem__init(&problem);
	kp_buf_init(&out, MAX_LEN);
	problem.message = (char *)(uintptr_t) "no";
	kp_problems_add(&out, &problem);
	check_text(&out, "no");
	problem.file = (char *)(uintptr_t) "a.yaml";
	problem.kind = (char *)(uintptr_t) "Cluster";
	problem.name = (char *)(uintptr_t) "c\033";
	problem.field = (char *)(uintptr_t) "spec.tls";
	problem.line = 3;
	problem.column = 7;
	kp_buf_init(&out, MAX_LEN);
	kp_problems_add(&out, &problem);
	check_text(&out, "a.yaml:3:7: Cluster \"c\\x1b\": spec.tls: no");
}

static struct kp_yaml *
tree_of(const char *text)
{
	Kproxy__Control__V1__Resource resource;

	kproxy__control__v1__resource__init(&resource);
	resource.document = (char *)(uintptr_t)text;
	return kp_view_tree(&resource);
}

Test(views, a_part_of_a_document_is_one_line)
{
	static const struct {
		const char *path, *text;
	} cases[] = {
		{ "spec.a", "1,x\\x0ay" },
		{ "spec.b", "..." },
		{ "spec.c", "" },
		{ "spec.d.e", "f" },
		{ "spec.d.e.f", "" },
		{ "nothing", "" },
		{ "", "" },
	};
	struct kp_yaml *tree = tree_of(
	    "spec: {a: [1, \"x\\ny\"], b: {c: d}, c: null, d: {e: f}}\n");

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kp_buf out;

		kp_buf_init(&out, MAX_LEN);
		kp_view_text(&out, tree, cases[i].path);
		check_text(&out, cases[i].text);
	}
	kp_yaml_free(tree);
}

Test(views, a_document_that_is_none_is_not_read)
{
	static const char *const texts[] = { "", "a", "[a]", "a: b\n---\nc: d",
		"a: [", "\xff", "&a b: c" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		cr_assert_null(tree_of(texts[i]), "%s", texts[i]);
}

#define LABEL(name_, value_) \
	{ \
		.base = PROTOBUF_C_MESSAGE_INIT( \
		    &kproxy__control__v1__label__descriptor), \
		.name = (char *)(uintptr_t)(name_), \
		.value = (char *)(uintptr_t)(value_) \
	}

Test(views, a_resource_is_for_nodes_with_all_of_its_labels)
{
	static const struct {
		const char *document;
		bool reaches;
	} cases[] = {
		{ "spec: {}", true },
		{ "spec: {nodes: {}}", true },
		{ "spec: {nodes: {site: fra}}", true },
		{ "spec: {nodes: {site: fra, tier: prod}}", true },
		{ "spec: {nodes: {site: ams}}", false },
		{ "spec: {nodes: {site: fra, x: y}}", false },
		{ "spec: {nodes: {site: [fra]}}", false },
		{ "spec: {nodes: fra}", true },
	};
	Kproxy__Control__V1__Label site = LABEL("site", "fra");
	Kproxy__Control__V1__Label tier = LABEL("tier", "prod");
	Kproxy__Control__V1__Label *labels[] = { &site, &tier };
	Kproxy__Control__V1__Node node;

	kproxy__control__v1__node__init(&node);
	node.labels = labels;
	node.n_labels = 2;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kp_yaml *tree = tree_of(cases[i].document);

		cr_assert_eq(kp_describe_reaches(tree, &node), cases[i].reaches,
		    "%s", cases[i].document);
		kp_yaml_free(tree);
	}
}

#define STATE(name) KPROXY__CONTROL__V1__NODE_STATE__NODE_STATE_##name

Test(views, who_is_waited_for)
{
	static const struct {
		Kproxy__Control__V1__NodeState state;
		bool is_cordoned;
		uint64_t revision, refused;
		enum kp_progress progress;
	} cases[] = {
		{ STATE(CURRENT), false, 3, 0, KP_PROGRESS_DONE },
		{ STATE(BEHIND), false, 3, 0, KP_PROGRESS_OPEN },
		{ STATE(BEHIND), false, 7, 0, KP_PROGRESS_DONE },
		{ STATE(BEHIND), true, 3, 0, KP_PROGRESS_DONE },
		{ STATE(REFUSED), false, 3, 7, KP_PROGRESS_REFUSED },
		{ STATE(REFUSED), false, 3, 6, KP_PROGRESS_OPEN },
		{ STATE(LOST), false, 3, 0, KP_PROGRESS_OPEN },
		{ (Kproxy__Control__V1__NodeState)99, false, 3, 0,
		    KP_PROGRESS_OPEN },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		Kproxy__Control__V1__Node node;

		kproxy__control__v1__node__init(&node);
		node.state = cases[i].state;
		node.is_cordoned = cases[i].is_cordoned;
		node.revision = cases[i].revision;
		node.refused_revision = cases[i].refused;
		cr_assert_eq(
		    kp_progress_of(&node, 7), cases[i].progress, "%zu", i);
	}
}

Test(views, the_sum_of_nodes_is_a_line)
{
	Kproxy__Control__V1__Node nodes[4], *list[4];
	struct kp_buf out;

	for (size_t i = 0; i < 4; i++) {
		kproxy__control__v1__node__init(&nodes[i]);
		nodes[i].state = i < 2 ? STATE(CURRENT) : STATE(REFUSED);
		list[i] = &nodes[i];
	}
	nodes[3].state = (Kproxy__Control__V1__NodeState)77;
	nodes[0].is_cordoned = true;
	kp_buf_init(&out, MAX_LEN);
	kp_nodes_summary(&out, list, 4, 17);
	check_text(&out, "4 nodes: 2 current, 1 refused, 1 unknown "
			 "(1 cordoned); revision 17\n");
	kp_buf_init(&out, MAX_LEN);
	kp_nodes_summary(&out, list, 0, 0);
	check_text(&out, "0 nodes; revision 0\n");
}
