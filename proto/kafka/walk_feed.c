/* SPDX-License-Identifier: Apache-2.0 */
/* Walking a body in pieces, as they come. */
#include "proto/kafka/walk_priv.h"

void
kp_walk_init(struct kp_walker *walker, const struct kp_message *message,
    int16_t version, size_t body_len, const struct kp_visitor *visitor)
{
	walker->message = message;
	walker->version = version;
	walker->is_flexible = kp_message_is_flexible(message, version);
	walker->is_blanking = false;
	walker->has_unknown = false;
	walker->visitor = *visitor;
	walker->body_len = body_len;
	walker->offset = 0;
	walker->limit = body_len;
	walker->skip_len = 0;
	walker->unseen_len = 0;
	walker->shown_field = NULL;
	walker->has_tail = false;
	walker->depth = 1;
	walker->levels[0] = (struct kp_walk_level){
		.fields = message->fields, .num_left = 1, .state = KP_AT_ELEMENT
	};
}

void
kp_walk_stop_at_tail(struct kp_walker *walker)
{
	walker->has_tail = true;
}

size_t
kp_walk_unseen(const struct kp_walker *walker)
{
	if (walker->is_blanking)
		return 0;
	return walker->shown_field != NULL ? walker->unseen_len
					   : walker->skip_len;
}

void
kp_walk_pass(struct kp_walker *walker, size_t len)
{
	kp_assert(len <= kp_walk_unseen(walker));
	walker->offset += len;
	walker->skip_len -= len;
	if (walker->shown_field != NULL)
		walker->unseen_len -= len;
	if (walker->skip_len == 0)
		walker->shown_field = NULL;
}

size_t
kp_walk_passing(const struct kp_walker *walker)
{
	return walker->is_blanking ? 0 : walker->skip_len;
}

bool
kp_walk_show(
    struct kp_walker *walker, uint8_t *copy, size_t len, struct kp_error *err)
{
	struct kp_walk_run run = { .walker = walker,
		.mode = KP_WALK_IN_PLACE,
		.data = copy,
		.len = len,
		.err = err };
	enum kp_step step = KP_STEP_ON;

	kp_assert(len <= kp_walk_passing(walker));
	while (step == KP_STEP_ON && run.pos < run.len)
		step = kp_walk_skip(&run);
	walker->offset += run.pos;
	return step == KP_STEP_ON;
}

enum kp_walk_status
kp_walk_feed(struct kp_walker *walker, uint8_t *data, size_t len,
    size_t *out_used, struct kp_error *err)
{
	size_t rest = walker->body_len - walker->offset;
	struct kp_bytes piece = { data, len < rest ? len : rest };
	struct kp_walk_run run = { .walker = walker,
		.mode = KP_WALK_IN_PLACE,
		.stops_at_tail = walker->has_tail,
		.data = kp_walk_piece(piece),
		.len = piece.len,
		.err = err };
	enum kp_walk_status status = kp_walk_run(&run);

	walker->offset += run.pos;
	*out_used = run.pos;
	return status;
}
