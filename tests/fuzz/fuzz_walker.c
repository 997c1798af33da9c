/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bodies of all messages (messages.h). All forms of walking must agree on what
 * is malformed, and what a walk writes must be well formed, whatever the
 * visitor said.
 */
#include <stdlib.h>

#include "proto/kafka/reader.h"
#include "proto/kafka/tree.h"
#include "proto/kafka/walker.h"
#include "tests/fuzz/messages.h"
#include "tests/support/sample.h"
#include "tests/support/walks.h"

#define MAX_OUT (1u << 20)
/* A value for each byte would be less. */
#define MAX_TREE (1u << 30)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

const bool kp_fuzzes_requests = true;

static uint8_t new_text[300];

static enum kp_verdict
replace(
    const struct kp_visit *visit, uint32_t random, struct kp_replacement *out)
{
	const struct kp_field *field = visit->field;

	out->number = random & 1;
	out->bytes.data = new_text;
	out->bytes.len = random % sizeof(new_text);
	if (field->kind == KP_UUID)
		out->bytes.len = KP_UUID_LEN;
	return KP_REPLACE;
}

static enum kp_verdict
visit_randomly(void *context, const struct kp_visit *visit,
    struct kp_replacement *out, struct kp_error *err)
{
	uint32_t random = kp_sample_random(context, UINT32_MAX);

	(void)err;
	if (random % 4 > 0)
		return KP_KEEP;
	random /= 4;
	switch (visit->kind) {
	case KP_VISIT_ARRAY:
		return KP_CLEAR;
	case KP_VISIT_ELEMENT:
		return KP_DROP;
	case KP_VISIT_RECORDS: /* in pieces only */
	case KP_VISIT_PIECE:
		kp_assert(false);
	case KP_VISIT_VALUE:
		break;
	}
	return random % 4 == 0 ? KP_DROP : replace(visit, random / 4, out);
}

/* Keeps everything, and wants to see some of the records. */
static enum kp_verdict
visit_some(void *context, const struct kp_visit *visit,
    struct kp_replacement *out, struct kp_error *err)
{
	(void)err;
	if (visit->kind == KP_VISIT_PIECE)
		out->number = kp_sample_random(context, 300);
	return KP_KEEP;
}

static bool
walk(const struct kp_message_input *input, struct kp_bytes body,
    const struct kp_visitor *visitor, struct kp_rewrite *rewrite,
    struct kp_error *err)
{
	return kp_walk_whole(
	    input->message, input->version, body, visitor, rewrite, err);
}

/* A walk over what a walk has written changes nothing any more. */
static void
check_rewritten(
    const struct kp_message_input *input, const struct kp_rewrite *rewrite)
{
	struct kp_rewrite again = { 0 };
	struct kp_error err;
	struct kp_buf out;

	kp_buf_init(&out, 4 * MAX_OUT);
	kp_rewritten(&out, rewrite);
	kp_assert(walk(input, kp_buf_bytes(&out), &kp_keep_all, &again, &err));
	kp_assert(!again.is_changed);
	kp_rewrite_fini(&again);
	kp_buf_fini(&out);
}

static void
check_random_verdicts(const struct kp_message_input *input, bool is_valid)
{
	struct kp_sample random = { .random = input->seed };
	struct kp_visitor visitor = { UINT64_MAX, visit_randomly, &random };
	struct kp_rewrite rewrite = { 0 };
	struct kp_error err = { 0 };

	if (walk(input, input->body, &visitor, &rewrite, &err)) {
		kp_assert(is_valid);
		check_rewritten(input, &rewrite);
	} else {
		/* Not every field can be left out. */
		kp_assert(!is_valid || err.kind == KP_ERR_UNSUPPORTED);
	}
	kp_rewrite_fini(&rewrite);
}

static void
check_pieces(const struct kp_message_input *input,
    const struct kp_visitor *visitor, bool is_valid, bool has_unknown,
    bool has_tail)
{
	uint8_t *copy = malloc(input->body.len + 1);
	struct kp_error err;
	struct kp_buf out;
	bool is_accepted;

	kp_assert(copy != NULL);
	kp_copy(copy, input->body.data, input->body.len);
	kp_buf_init(&out, MAX_OUT);
	is_accepted =
	    (has_tail ? kp_walk_in_pieces : kp_walk_pieces_to_end)(&out,
		&(struct kp_pieces){ input->message, input->version, visitor,
		    1 + input->seed, input->seed },
		copy, input->body.len, &err);
	kp_assert(is_accepted == is_valid);
	kp_assert(!is_valid || out.len == input->body.len);
	kp_assert(!is_valid || has_unknown ||
		  kp_bytes_equal(kp_buf_bytes(&out), input->body));
	kp_buf_fini(&out);
	free(copy);
}

/* What a tree is written as is read as the same tree. */
static void
check_written_tree(const struct kp_tree *tree)
{
	struct kp_arena arena;
	struct kp_buf out, again;
	struct kp_tree second;
	struct kp_error err;

	kp_buf_init(&out, 4 * MAX_OUT);
	kp_buf_init(&again, 4 * MAX_OUT);
	kp_arena_init(&arena, MAX_TREE);
	kp_tree_write(tree, &out);
	kp_assert(!out.failed);
	kp_assert(kp_tree_read(&second, tree->message, tree->version,
	    kp_buf_bytes(&out), &arena, &err));
	kp_assert(!second.has_unknown);
	kp_tree_write(&second, &again);
	kp_assert(kp_bytes_equal(kp_buf_bytes(&out), kp_buf_bytes(&again)));
	kp_arena_fini(&arena);
	kp_buf_fini(&out);
	kp_buf_fini(&again);
}

/* A walk and a tree are two ways to read the same. */
static void
check_tree(
    const struct kp_message_input *input, bool is_valid, bool has_unknown)
{
	struct kp_arena arena;
	struct kp_tree tree;
	struct kp_error err;

	kp_arena_init(&arena, MAX_TREE);
	kp_assert(kp_tree_read(&tree, input->message, input->version,
		      input->body, &arena, &err) == is_valid);
	if (is_valid) {
		kp_assert(tree.has_unknown == has_unknown);
		check_written_tree(&tree);
	}
	kp_arena_fini(&arena);
}

/* Whoever wants to see whatever: soundness and what is unknown are the same. */
static void
check_looks(
    const struct kp_message_input *input, bool is_valid, bool has_unknown)
{
	struct kp_sample random = { .random = input->seed };
	uint64_t interest = (uint64_t)kp_sample_random(&random, UINT32_MAX)
				<< 32 |
			    kp_sample_random(&random, UINT32_MAX);
	const struct kp_visitor some = { interest, visit_some, &random };
	const struct kp_visitor *const visitors[] = { &kp_keep_all,
		&kp_see_nothing, &some };

	for (size_t i = 0; i < sizeof(visitors) / sizeof(visitors[0]); i++) {
		struct kp_error err;
		bool found = false;

		kp_assert(
		    kp_walk_look(input->message, input->version, input->body,
			visitors[i], &found, &err) == is_valid);
		kp_assert(!is_valid || found == has_unknown);
	}
}

static void
check(const struct kp_message_input *input)
{
	struct kp_rewrite rewrite = { 0 };
	struct kp_error err;
	bool is_valid = walk(input, input->body, &kp_see_nothing, NULL, &err);
	struct kp_sample random = { .random = input->seed };
	const struct kp_visitor some = { UINT64_MAX, visit_some, &random };
	const struct kp_visitor *const visitors[] = { &kp_keep_all,
		&kp_see_nothing, &some };

	kp_assert(
	    walk(input, input->body, &kp_keep_all, &rewrite, &err) == is_valid);
	if (is_valid) {
		kp_message_input_is_valid(input);
		check_rewritten(input, &rewrite);
	}
	check_looks(input, is_valid, rewrite.is_changed);
	check_tree(input, is_valid, rewrite.is_changed);
	for (size_t i = 0; i < sizeof(visitors) / sizeof(visitors[0]); i++) {
		check_pieces(
		    input, visitors[i], is_valid, rewrite.is_changed, true);
		check_pieces(
		    input, visitors[i], is_valid, rewrite.is_changed, false);
	}
	check_random_verdicts(input, is_valid);
	kp_rewrite_fini(&rewrite);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kp_message_input input;

	if (kp_message_input_read(&input, data, size))
		check(&input);
	return 0;
}
