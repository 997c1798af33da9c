/* SPDX-License-Identifier: Apache-2.0 */
/* Walking a body that is there as a whole. */
#include "proto/kafka/walk_priv.h"

static bool
walk(struct kp_walk_run *run, const struct kp_message *message, int16_t version,
    struct kp_bytes body, const struct kp_visitor *visitor)
{
	enum kp_walk_status status;

	kp_walk_init(run->walker, message, version, body.len, visitor);
	status = kp_walk_run(run);
	kp_assert(status == KP_WALK_DONE || status == KP_WALK_FAILED);
	return status == KP_WALK_DONE;
}

bool
kp_walk_look(const struct kp_message *message, int16_t version,
    struct kp_bytes body, const struct kp_visitor *visitor,
    bool *out_has_unknown, struct kp_error *err)
{
	KP_UNINITIALIZED struct kp_walker walker;
	struct kp_walk_run run = { .walker = &walker,
		.mode = KP_WALK_LOOK,
		.data = kp_walk_piece(body),
		.len = body.len,
		.err = err };
	bool is_sound = walk(&run, message, version, body, visitor);

	*out_has_unknown = walker.has_unknown;
	return is_sound;
}

bool
kp_walk_whole(const struct kp_message *message, int16_t version,
    struct kp_bytes body, const struct kp_visitor *visitor,
    struct kp_rewrite *rewrite, struct kp_error *err)
{
	KP_UNINITIALIZED struct kp_walker walker;
	KP_UNINITIALIZED struct kp_output output;
	struct kp_walk_run run = { .walker = &walker,
		.mode = KP_WALK_REWRITE,
		.data = kp_walk_piece(body),
		.len = body.len,
		.output = &output,
		.err = err };
	bool has_unknown;

	if (rewrite == NULL)
		return kp_walk_look(
		    message, version, body, visitor, &has_unknown, err);
	kp_output_init(&output, rewrite, run.data);
	return walk(&run, message, version, body, visitor) &&
	       kp_output_finish(&output, body.len, err);
}
