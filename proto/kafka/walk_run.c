/* SPDX-License-Identifier: Apache-2.0 */
/* What all steps of a walk share: bounds, failures, questions to the visitor.
 */
#include "proto/kafka/walk_priv.h"

uint8_t *
kp_walk_piece(struct kp_bytes bytes)
{
	static uint8_t nothing[1];

	return bytes.len > 0 ? (uint8_t *)(uintptr_t)bytes.data : nothing;
}

enum kp_step
kp_walk_fail(const struct kp_walk_run *run, const struct kp_field *field,
    const char *what)
{
	const struct kp_walker *walker = run->walker;

	(void)kp_error_set(run->err, KP_ERR_PROTOCOL, "%s v%d: %s%s%s",
	    walker->message->name, walker->version,
	    field != NULL ? field->name : "", field != NULL ? " " : "", what);
	return KP_STEP_FAILED;
}

enum kp_step
kp_walk_refuse(const struct kp_walk_run *run, const struct kp_field *field)
{
	(void)kp_error_set(run->err, KP_ERR_UNSUPPORTED,
	    "%s v%d: %s cannot be changed like this",
	    run->walker->message->name, run->walker->version, field->name);
	return KP_STEP_FAILED;
}

size_t
kp_walk_left(const struct kp_walk_run *run)
{
	return run->walker->limit - run->walker->offset - run->pos;
}

struct kp_reader
kp_walk_reader(const struct kp_walk_run *run)
{
	const uint8_t *pos = run->data + run->pos;
	size_t len = run->len - run->pos;

	if (len > kp_walk_left(run))
		len = kp_walk_left(run);
	return (struct kp_reader){ .pos = pos, .end = pos + len };
}

enum kp_step
kp_walk_judge(const struct kp_walk_run *run, const struct kp_reader *reader,
    const struct kp_field *field)
{
	if (!reader->failed)
		return KP_STEP_ON;
	if (!reader->is_short)
		return kp_walk_fail(run, field, "has a malformed length");
	if (kp_walk_left(run) > run->len - run->pos)
		return KP_STEP_MORE;
	return kp_walk_fail(run, field, "ends early");
}

struct kp_walk_level *
kp_walk_top(const struct kp_walk_run *run)
{
	return &run->walker->levels[run->walker->depth - 1];
}

bool
kp_walk_wants(const struct kp_walk_run *run, const struct kp_field *field)
{
	uint64_t interest = run->walker->visitor.interest;

	return (interest & KP_ENTITY_BIT(field->entity)) != 0 &&
	       (run->output == NULL || run->output->mute_depth == 0);
}

enum kp_verdict
kp_walk_ask(const struct kp_walk_run *run, struct kp_visit *visit,
    struct kp_replacement *replacement)
{
	const struct kp_visitor *visitor = &run->walker->visitor;
	enum kp_verdict verdict;

	visit->message = run->walker->message;
	visit->version = run->walker->version;
	verdict =
	    visitor->visit(visitor->context, visit, replacement, run->err);
	kp_assert(run->mode != KP_WALK_LOOK || verdict == KP_KEEP ||
		  verdict == KP_FAIL);
	return verdict;
}
