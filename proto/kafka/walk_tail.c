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
		.leaves_tags_open = true,
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
	if (rewrite->is_changed)
		kp_output_make_holes(&tail->output);
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

static bool
append_filler(struct kp_output *output, size_t gap)
{
	uint8_t text[2 * KP_UVARINT_MAX_LEN];
	uint32_t tag, len;
	size_t text_len;

	if (!plan_filler(gap, &tag, &len))
		return false;
	text_len = kp_uvarint_put(text, tag);
	text_len += kp_uvarint_put(text + text_len, len);
	kp_output_append(output, (struct kp_bytes){ text, text_len });
	append_zeros(output, len);
	/* Few tags are known, so one more does not make their count longer. */
	kp_output_add_tag(output);
	return true;
}

/* Makes the rewritten tail as long as it was; false if that cannot be done. */
static bool
fit(struct tail *tail)
{
	struct kp_output *output = &tail->output;
	size_t len;

	if (!tail->walker->is_flexible)
		return output->rewrite->total_len == tail->bytes.len;
	len = kp_output_closed_len(output);
	if (len > tail->bytes.len)
		return false;
	if (len < tail->bytes.len &&
	    !append_filler(output, tail->bytes.len - len))
		return false;
	kp_output_close(output, tail->bytes.len);
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
		if (fit(&tail))
			return kp_output_check(&tail.output, err);
		if (thinning.max_kept == 0 || thinning.num_seen == 0)
			break;
		if (thinning.max_kept > thinning.num_seen)
			thinning.max_kept = thinning.num_seen;
		thinning.max_kept /= 2;
	}
	return kp_error_set(err, KP_ERR_LIMIT,
	    "%s v%d: its last %zu bytes cannot become %zu",
	    walker->message->name, walker->version, tail_bytes.len,
	    rewrite->total_len);
}
