/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every answer of a policy server that kpctl reads and prints, in every form.
 * Whatever it says, nothing that a terminal obeys is printed. The first byte
 * says which answer, the second which form.
 */
#include <stddef.h>
#include <stdint.h>

#include "cli/args.h"
#include "cli/describe.h"
#include "cli/history_view.h"
#include "cli/news.h"
#include "cli/nodes_view.h"
#include "cli/output.h"
#include "cli/problems.h"
#include "cli/results.h"
#include "cli/view.h"
#include "proto/control/unpack.h"

#define MAX_LEN (64u << 20)
#define MAX_UNPACKED_LEN (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(struct kp_buf *out)
{
	for (size_t i = 0; i < out->len; i++) {
		uint8_t c = out->data[i];

		kp_assert(c >= 0x20 || c == '\n');
		kp_assert(c != 0x7f);
		kp_assert(
		    c != 0xc2 || i + 1 == out->len || out->data[i + 1] >= 0xa0);
	}
	kp_buf_fini(out);
}

static void
list(struct kp_buf *out, const struct kp_view *view,
    const ProtobufCMessage *message)
{
	const Kproxy__Control__V1__ListResponse *answer =
	    (const Kproxy__Control__V1__ListResponse *)message;
	bool is_ok =
	    kp_view_add(out, view, answer->resources, answer->n_resources);

	(void)is_ok;
}

static void
nodes(struct kp_buf *out, const struct kp_view *view,
    const ProtobufCMessage *message)
{
	const Kproxy__Control__V1__ListNodesResponse *answer =
	    (const Kproxy__Control__V1__ListNodesResponse *)message;

	kp_nodes_add(out, view, answer->nodes, answer->n_nodes);
	kp_nodes_summary(out, answer->nodes, answer->n_nodes, answer->revision);
	for (size_t i = 0; i < answer->n_nodes; i++)
		kp_node_describe(out, answer->nodes[i]);
}

static void
history(struct kp_buf *out, const struct kp_view *view,
    const ProtobufCMessage *message)
{
	const Kproxy__Control__V1__HistoryResponse *answer =
	    (const Kproxy__Control__V1__HistoryResponse *)message;

	kp_history_add(out, view, answer->revisions, answer->n_revisions);
	for (size_t i = 0; i < answer->n_revisions; i++) {
		kp_history_describe(out, answer->revisions[i]);
		kp_history_what(out, answer->revisions[i]);
	}
}

static void
diff(struct kp_buf *out, const struct kp_view *view,
    const ProtobufCMessage *message)
{
	const Kproxy__Control__V1__DiffResponse *answer =
	    (const Kproxy__Control__V1__DiffResponse *)message;

	(void)view;
	for (size_t i = 0; i < answer->n_differences; i++)
		kp_difference_add(out, answer->differences[i], "a", "b");
}

static void
problems(struct kp_buf *out, const struct kp_view *view,
    const ProtobufCMessage *message)
{
	const Kproxy__Control__V1__Problems *found =
	    (const Kproxy__Control__V1__Problems *)message;
	struct kp_yaml *tree = kp_problems_tree(found);

	for (size_t i = 0; i < found->n_problems; i++) {
		kp_problems_add(out, found->problems[i]);
		kp_buf_add_text(out, "\n");
	}
	kp_output_add_tree(out, view->args, tree);
	kp_yaml_free(tree);
}

static void
applied(struct kp_buf *out, const struct kp_view *view,
    const ProtobufCMessage *message)
{
	static const char *const words[] = { "apply", "-f", "-", "-o", "json" };
	const Kproxy__Control__V1__ApplyResponse *answer =
	    (const Kproxy__Control__V1__ApplyResponse *)message;
	size_t num = kp_output_is(view->args, "json") ? 5 : 3;
	struct kp_args args;
	struct kp_error err;

	kp_assert(kp_args_parse(&args, &kp_kpctl, words, num, &err));
	kp_results_add(
	    out, &args, answer->results, answer->n_results, answer->revision);
	kp_args_fini(&args);
}

/* The first resource of a list, with nodes that are none. */
static void
describe(struct kp_buf *out, const struct kp_view *view,
    const ProtobufCMessage *message)
{
	const Kproxy__Control__V1__GetResponse *answer =
	    (const Kproxy__Control__V1__GetResponse *)message;
	Kproxy__Control__V1__HistoryResponse nothing;
	Kproxy__Control__V1__Node node;
	Kproxy__Control__V1__Node *all = &node;
	bool is_ok;

	kproxy__control__v1__node__init(&node);
	kproxy__control__v1__history_response__init(&nothing);
	(void)view;
	if (answer->resource == NULL)
		return;
	node.labels = answer->resource->labels;
	node.n_labels = answer->resource->n_labels;
	is_ok = kp_describe_resource(out, answer->resource, &nothing);
	(void)is_ok;
	kp_describe_nodes(out, answer->resource, &all, 1);
}

/* A revision, the same changes once more in the next one, and then nothing. */
static void
watch(struct kp_buf *out, const struct kp_view *view,
    const ProtobufCMessage *message)
{
	static const char *const operand = "all";
	const Kproxy__Control__V1__WatchResponse *answer =
	    (const Kproxy__Control__V1__WatchResponse *)message;
	const struct kp_listed nothing = { .num = 0 };
	Kproxy__Control__V1__Revision revision;
	struct kp_targets targets;
	struct kp_news news;
	struct kp_error err;

	if (answer->revision == NULL)
		return;
	kp_assert(kp_targets_parse(&targets, &operand, 1, &err));
	kp_assert(kp_news_init(&news, view->args, &targets, &err));
	revision = *answer->revision;
	for (revision.number = 1; revision.number < 3; revision.number++) {
		if (!kp_news_revision(&news, out, &revision, &err))
			break;
	}
	if (kp_news_list(&news, out, &nothing, &err))
		kp_assert(news.num == 0);
	kp_news_fini(&news);
	kp_targets_fini(&targets);
}

static const struct {
	const ProtobufCMessageDescriptor *kind;
	void (*print)(struct kp_buf *out, const struct kp_view *view,
	    const ProtobufCMessage *message);
} answers[] = {
	{ &kproxy__control__v1__list_response__descriptor, list },
	{ &kproxy__control__v1__list_nodes_response__descriptor, nodes },
	{ &kproxy__control__v1__history_response__descriptor, history },
	{ &kproxy__control__v1__diff_response__descriptor, diff },
	{ &kproxy__control__v1__problems__descriptor, problems },
	{ &kproxy__control__v1__apply_response__descriptor, applied },
	{ &kproxy__control__v1__get_response__descriptor, describe },
	{ &kproxy__control__v1__watch_response__descriptor, watch },
};

#define NUM_ANSWERS (sizeof(answers) / sizeof(answers[0]))

static void
print(size_t which, uint8_t form, const ProtobufCMessage *message)
{
	const char *words[] = { "get", "all", "--show-labels", "-o",
		kp_view_words[form % 5], "-l", "a!=b" };
	struct kp_args args;
	struct kp_error err;
	struct kp_view view = { &args, form % 2 != 0, form };
	struct kp_buf out;

	kp_assert(kp_args_parse(&args, &kp_kpctl, words, 7, &err));
	kp_buf_init(&out, MAX_LEN);
	answers[which].print(&out, &view, message);
	check(&out);
	kp_args_fini(&args);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ProtobufCMessage *message;
	struct kp_error err;

	if (size < 2)
		return 0;
	message = kp_unpack(answers[data[0] % NUM_ANSWERS].kind,
	    (struct kp_bytes){ data + 2, size - 2 }, MAX_UNPACKED_LEN, &err);
	if (message == NULL)
		return 0;
	print(data[0] % NUM_ANSWERS, data[1], message);
	kp_unpacked_free(message);
	return 0;
}
