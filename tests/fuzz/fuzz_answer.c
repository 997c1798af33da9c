/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers of a hostile broker through the address rewriting: whole and in
 * pieces (messages.h). What comes out must be sound again, as long as it was if
 * it came in pieces, and must name no host but the listener's.
 */
#include <stdlib.h>
#include <string.h>

#include "proxy/rename/answer.h"
#include "tests/fuzz/messages.h"
#include "tests/support/cluster.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

const bool kp_fuzzes_requests = false;

#define MAX_LEN (1u << 20)
#define PIECE_LEN 7
#define SECRET_HOST "kafka-7.secret.internal"

static void
ignore(void *context, const struct kp_node *node)
{
	(void)context;
	(void)node;
}

/* A host is ours or none; a text has none that we know. */
static enum kp_verdict
check_value(void *context, const struct kp_visit *visit,
    struct kp_replacement *out, struct kp_error *err)
{
	const struct kp_rename *rename = context;
	struct kp_bytes value = { visit->data, visit->len };
	struct kp_buf scrubbed;

	(void)out;
	(void)err;
	if (visit->kind != KP_VISIT_VALUE || value.len == 0)
		return KP_KEEP;
	if (visit->field->entity == KP_E_HOST) {
		kp_assert(kp_bytes_equal(value, kp_bytes_of("proxy.example")));
		return KP_KEEP;
	}
	kp_buf_init(&scrubbed, MAX_LEN);
	kp_assert(!kp_scrub_text(&rename->scrub, value, &scrubbed));
	kp_buf_fini(&scrubbed);
	return KP_KEEP;
}

static void
check_output(struct kp_rename *rename, const struct kp_message_input *input,
    struct kp_buf *out)
{
	const struct kp_visitor visitor = {
		.interest =
		    KP_ENTITY_BIT(KP_E_HOST) | KP_ENTITY_BIT(KP_E_ERROR_TEXT),
		.visit = check_value,
		.context = rename,
	};
	struct kp_error err;

	kp_assert(out->failed || kp_walk_whole(input->message, input->version,
				     kp_buf_bytes(out), &visitor, NULL, &err));
}

static void
add_spans(struct kp_buf *out, const struct kp_rewrite *rewrite)
{
	for (unsigned i = 0; i < rewrite->num_spans; i++)
		kp_buf_add(
		    out, rewrite->spans[i].iov_base, rewrite->spans[i].iov_len);
}

static enum kp_verdict
look(void *context, const struct kp_visit *visit, struct kp_replacement *out,
    struct kp_error *err)
{
	bool *concerns = context;

	(void)out;
	(void)err;
	*concerns = *concerns || kp_rename_concerns(visit);
	return KP_KEEP;
}

/* Would a session pass it on as it is? */
static bool
is_clean(const struct kp_message_input *input)
{
	bool concerns = false, has_unknown = false;
	const struct kp_visitor visitor = {
		.interest = KP_RENAME_ANSWER_INTEREST,
		.visit = look,
		.context = &concerns,
	};
	struct kp_error err;

	return kp_walk_look(input->message, input->version, input->body,
		   &visitor, &has_unknown, &err) &&
	       !concerns && !has_unknown;
}

static void
rewrite_whole(struct kp_rename *rename, const struct kp_message_input *input)
{
	struct kp_visitor visitor = kp_rename_whole(rename);
	struct kp_rewrite rewrite = { 0 };
	bool is_rewritten, passes = is_clean(input);
	struct kp_error err;
	struct kp_buf out;

	kp_buf_init(&out, MAX_LEN);
	is_rewritten = kp_walk_whole(input->message, input->version,
	    input->body, &visitor, &rewrite, &err);
	kp_assert(!passes || (is_rewritten && !rewrite.is_changed));
	if (is_rewritten) {
		kp_message_input_is_valid(input);
		add_spans(&out, &rewrite);
		check_output(rename, input, &out);
	}
	kp_rewrite_fini(&rewrite);
	kp_buf_fini(&out);
}

/* The tail, behind all that came before it. */
static void
rewrite_tail(struct kp_rename *rename, const struct kp_message_input *input,
    struct kp_walker *walker, struct kp_buf *out)
{
	struct kp_bytes tail = { out->data + walker->offset,
		out->len - walker->offset };
	struct kp_rewrite rewrite = { 0 };
	struct kp_error err;
	struct kp_buf whole;

	kp_buf_init(&whole, MAX_LEN);
	kp_buf_add(&whole, out->data, walker->offset);
	walker->visitor = kp_rename_whole(rename);
	if (kp_walk_tail(walker, tail, &rewrite, &err)) {
		kp_assert(rewrite.total_len == tail.len);
		add_spans(&whole, &rewrite);
		check_output(rename, input, &whole);
	}
	kp_rewrite_fini(&rewrite);
	kp_buf_fini(&whole);
}

static void
rewrite_pieces(struct kp_rename *rename, const struct kp_message_input *input)
{
	struct kp_visitor visitor = kp_rename_pieces(rename);
	enum kp_walk_status status = KP_WALK_MORE;
	size_t at = 0, end = 0, used;
	struct kp_walker walker;
	struct kp_error err;
	struct kp_buf out;

	kp_buf_init(&out, MAX_LEN);
	kp_buf_add(&out, input->body.data, input->body.len);
	kp_walk_init(
	    &walker, input->message, input->version, out.len, &visitor);
	kp_walk_stop_at_tail(&walker);
	while (status == KP_WALK_MORE && end < out.len) {
		end = end + PIECE_LEN < out.len ? end + PIECE_LEN : out.len;
		status =
		    kp_walk_feed(&walker, out.data + at, end - at, &used, &err);
		at += used;
	}
	if (status == KP_WALK_TAIL)
		rewrite_tail(rename, input, &walker, &out);
	if (status == KP_WALK_DONE)
		check_output(rename, input, &out);
	kp_buf_fini(&out);
}

/* Others are never passed on in pieces, and have hosts all over. */
static bool
has_records(const struct kp_message_input *input)
{
	return (kp_message_entities(input->message, input->version) &
		   KP_ENTITY_BIT(KP_E_RECORDS)) != 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kp_message_input input;
	struct kp_rename rename;

	if (!kp_message_input_read(&input, data, size) || input.is_request)
		return 0;
	kp_rename_init(&rename, &kp_test_listener,
	    kp_topology_new(&kp_test_cluster), ignore, NULL);
	(void)kp_topology_learn(
	    rename.scrub.topology, 7, kp_bytes_of(SECRET_HOST), 9092);
	rewrite_whole(&rename, &input);
	if (has_records(&input))
		rewrite_pieces(&rename, &input);
	kp_topology_unref(rename.scrub.topology);
	kp_rename_fini(&rename);
	return 0;
}
