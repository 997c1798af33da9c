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
	walker->visitor = *visitor;
	walker->body_len = body_len;
	walker->offset = 0;
	walker->limit = body_len;
	walker->skip_len = 0;
	walker->depth = 1;
	walker->levels[0] = (struct kp_walk_level){
		.fields = message->fields, .num_left = 1, .state = KP_AT_ELEMENT
	};
}

enum kp_walk_status
kp_walk_feed(struct kp_walker *walker, uint8_t *data, size_t len,
    size_t *out_used, struct kp_error *err)
{
	size_t rest = walker->body_len - walker->offset;
	struct kp_bytes piece = { data, len < rest ? len : rest };
	struct kp_walk_run run = { .walker = walker,
		.mode = KP_WALK_IN_PLACE,
		.stops_at_tail = true,
		.data = kp_walk_piece(piece),
		.len = piece.len,
		.err = err };
	enum kp_walk_status status = kp_walk_run(&run);

	walker->offset += run.pos;
	*out_used = run.pos;
	return status;
}
