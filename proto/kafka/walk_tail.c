/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tail of a message whose length is on its way already: rewritten to
 * exactly the length it had. @thread connection
 */
#include "proto/kafka/walk_priv.h"
#include "proto/kafka/writer.h"

/*
 * Stands between the engine and the caller's visitor and leaves out endpoints
 * beyond the first max_kept.
 */
struct thinning {
	const struct kp_visitor *visitor;
	uint32_t max_kept;
	uint32_t num_seen;
};

static enum kp_verdict
visit_thinning(void *context, const struct kp_visit *visit,
    struct kp_replacement *out, struct kp_error *err)
{
	struct thinning *thinning = context;
	const struct kp_visitor *inner = thinning->visitor;

	if (visit->kind == KP_VISIT_ELEMENT &&
	    visit->field->entity == KP_E_ENDPOINTS &&
	    thinning->num_seen++ >= thinning->max_kept)
		return KP_DROP;
	if ((inner->interest & KP_ENTITY_BIT(visit->field->entity)) == 0)
		return KP_KEEP;
	return inner->visit(inner->context, visit, out, err);
}

/* One tail under work. */
struct tail {
	const struct kp_walker *walker;
	struct kp_bytes bytes;
	struct kp_output output;
	struct kp_top_tags top_tags;
};

static bool
walk_once(struct tail *tail, struct thinning *thinning,
    struct kp_rewrite *rewrite, struct kp_error *err)
{
	struct kp_walker walker = *tail->walker;
	struct kp_walk_run run = { .walker = &walker,
		.mode = KP_WALK_REWRITE,
		.data = kp_walk_piece(tail->bytes),
		.len = tail->bytes.len,
		.output = &tail->output,
		.top_tags = walker.is_flexible ? &tail->top_tags : NULL,
		.err = err };
	enum kp_walk_status status;

	walker.visitor = (struct kp_visitor){
		.interest =
		    thinning->visitor->interest | KP_ENTITY_BIT(KP_E_ENDPOINTS),
		.visit = visit_thinning,
		.context = thinning,
	};
	kp_output_init(&tail->output, rewrite, run.data);
	status = kp_walk_run(&run);
	if (status == KP_WALK_FAILED)
		return false;
	kp_assert(status == KP_WALK_DONE);
	return kp_output_finish(&tail->output, tail->bytes.len, err);
}

/*
 * Splits gap bytes into a tag number, a size and so many zeros. A size of two
 * bytes for less than 128 zeros is no valid uvarint, so that some gaps need a
 * longer tag number instead. Returns false for what no field can fill.
 */
static bool
plan_filler(size_t gap, uint32_t *out_tag, uint32_t *out_len)
{
	static const uint32_t tags[] = { KP_FILLER_TAG, 128 };

	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
		size_t tag_len = kp_uvarint_len(tags[i]);

		for (size_t n = 1; n <= KP_UVARINT_MAX_LEN; n++) {
			if (gap < tag_len + n)
				break;
			*out_tag = tags[i];
			*out_len = (uint32_t)(gap - tag_len - n);
			if (kp_uvarint_len(*out_len) == n)
				return true;
		}
	}
	return false;
}

static void
append_zeros(struct kp_output *output, size_t len)
{
	static const uint8_t zeros[4096];

	for (size_t n; len > 0; len -= n) {
		n = len < sizeof(zeros) ? len : sizeof(zeros);
		kp_output_append(output, (struct kp_bytes){ zeros, n });
	}
}

/* Makes the rewritten tail gap bytes longer; false if that cannot be done. */
static bool
fill(struct tail *tail, size_t gap)
{
	uint8_t text[2 * KP_UVARINT_MAX_LEN];
	uint32_t tag, len;
	size_t text_len;

	if (gap == 0)
		return true;
	if (!tail->walker->is_flexible || !plan_filler(gap, &tag, &len))
		return false;
	/* One more tag never makes the count longer: few tags are known. */
	kp_assert(tail->top_tags.num_tags < 127);
	text_len = kp_uvarint_put(text, tail->top_tags.num_tags + 1);
	kp_output_patch(&tail->output, tail->top_tags.span,
	    (struct kp_bytes){ text, text_len });
	text_len = kp_uvarint_put(text, tag);
	text_len += kp_uvarint_put(text + text_len, len);
	kp_output_append(&tail->output, (struct kp_bytes){ text, text_len });
	append_zeros(&tail->output, len);
	return true;
}

bool
kp_walk_tail(const struct kp_walker *walker, struct kp_bytes tail_bytes,
    struct kp_rewrite *rewrite, struct kp_error *err)
{
	struct tail tail = { .walker = walker, .bytes = tail_bytes };
	struct thinning thinning = { .visitor = &walker->visitor,
		.max_kept = UINT32_MAX };

	kp_assert(tail_bytes.len == walker->body_len - walker->offset);
	for (;;) {
		thinning.num_seen = 0;
		if (!walk_once(&tail, &thinning, rewrite, err))
			return false;
		if (rewrite->total_len <= tail_bytes.len &&
		    fill(&tail, tail_bytes.len - rewrite->total_len))
			return kp_output_check(&tail.output, err);
		if (thinning.max_kept == 0 || thinning.num_seen == 0)
			break;
		if (thinning.max_kept > thinning.num_seen)
			thinning.max_kept = thinning.num_seen;
		thinning.max_kept /= 2;
	}
	return kp_error_set(err, KP_ERR_LIMIT,
	    "%s v%d: its end of %zu bytes cannot become one of %zu",
	    walker->message->name, walker->version, rewrite->total_len,
	    tail_bytes.len);
}
