/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers that the proxy gives itself: a whole message of defaults with an
 * error code. Declared in header.h, since they are frames. @thread any
 */
#include "proto/kafka/header.h"
#include "proto/kafka/tree.h"
#include "proto/kafka/writer.h"

/* Only trees of few fields are made. */
#define MAX_TREE_LEN (64u << 10)

/* The message's own error code; NULL: it has none in this version. */
static const struct kp_field *
error_code(const struct kp_message *message, int16_t version)
{
	for (const struct kp_field *f = message->fields; f->kind != KP_END; f++)
		if (f->entity == KP_E_ERROR_CODE && !f->is_array &&
		    kp_field_in(f, version) && !kp_field_is_tagged(f, version))
			return f;
	return NULL;
}

static void
write_error(struct kp_buf *out, const struct kp_message *message,
    int16_t version, size_t field, int16_t code)
{
	struct kp_arena arena;
	struct kp_tree tree;

	kp_arena_init(&arena, MAX_TREE_LEN);
	kp_tree_make(&tree, message, version, &arena);
	if (arena.failed) {
		out->failed = out->is_refused = true;
	} else {
		tree.root.items[field].number = code;
		kp_tree_write(&tree, out);
	}
	kp_arena_fini(&arena);
}

bool
kp_answer_error(struct kp_buf *out, int16_t api_key, int16_t version,
    int32_t correlation_id, int16_t code)
{
	const struct kp_message *message;
	const struct kp_field *field;
	size_t begin;

	if (!kp_api_has(api_key, version))
		return false;
	message = kp_api_find(api_key)->response;
	field = error_code(message, version);
	if (field == NULL)
		return false;
	begin = kp_write_begin_int32(out);
	kp_write_int32(out, correlation_id);
	if (kp_response_header_is_flexible(api_key, version))
		kp_write_uvarint(out, 0);
	write_error(
	    out, message, version, (size_t)(field - message->fields), code);
	kp_write_end_int32(out, begin);
	return true;
}
