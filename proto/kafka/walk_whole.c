/* SPDX-License-Identifier: Apache-2.0 */
/* Walking a body that is there as a whole. */
#include "proto/kafka/walk_priv.h"

bool
kp_walk_whole(const struct kp_message *message, int16_t version,
    struct kp_bytes body, const struct kp_visitor *visitor,
    struct kp_rewrite *rewrite, struct kp_error *err)
{
	struct kp_walker walker;
	struct kp_output output;
	struct kp_walk_run run = { .walker = &walker,
		.mode = rewrite != NULL ? KP_WALK_REWRITE : KP_WALK_LOOK,
		.data = kp_walk_piece(body),
		.len = body.len,
		.output = rewrite != NULL ? &output : NULL,
		.err = err };
	enum kp_walk_status status;

	kp_walk_init(&walker, message, version, body.len, visitor);
	if (rewrite != NULL)
		kp_output_init(&output, rewrite, run.data);
	status = kp_walk_run(&run);
	if (status == KP_WALK_FAILED)
		return false;
	kp_assert(status == KP_WALK_DONE);
	return rewrite == NULL || kp_output_finish(&output, body.len, err);
}
