/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/walks.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "tests/support/sample.h"

static enum kp_verdict
count_visit(void *context, const struct kp_visit *visit,
    struct kp_replacement *out, struct kp_error *err)
{
	size_t *num_visits = context;

	(void)visit;
	(void)out;
	(void)err;
	if (num_visits != NULL)
		(*num_visits)++;
	return KP_KEEP;
}

const struct kp_visitor kp_keep_all = { .interest = UINT64_MAX,
	.visit = count_visit };
const struct kp_visitor kp_see_nothing = { .visit = count_visit };

void
kp_rewritten(struct kp_buf *out, const struct kp_rewrite *rewrite)
{
	kp_buf_clear(out);
	for (unsigned i = 0; i < rewrite->num_spans; i++)
		kp_buf_add(
		    out, rewrite->spans[i].iov_base, rewrite->spans[i].iov_len);
	kp_assert(!out->failed && out->len == rewrite->total_len);
}

/*
 * Feeds data[0, len) from memory of exactly that size, so that a sanitizer sees
 * every byte read too much, and takes edited bytes back.
 */
static enum kp_walk_status
feed_copy(struct kp_walker *walker, uint8_t *data, size_t len, size_t *out_used,
    struct kp_error *err)
{
	uint8_t *copy = malloc(len + (len == 0));
	enum kp_walk_status status;

	kp_assert(copy != NULL);
	kp_copy(copy, data, len);
	status = kp_walk_feed(walker, copy, len, out_used, err);
	kp_assert(*out_used <= len);
	kp_copy(data, copy, len);
	free(copy);
	return status;
}

static bool
finish_tail(struct kp_buf *out, const struct kp_walker *walker,
    struct kp_bytes tail, struct kp_error *err)
{
	struct kp_rewrite rewrite = { 0 };
	bool ok = kp_walk_tail(walker, tail, &rewrite, err);

	for (unsigned i = 0; ok && i < rewrite.num_spans; i++)
		kp_buf_add(
		    out, rewrite.spans[i].iov_base, rewrite.spans[i].iov_len);
	kp_rewrite_fini(&rewrite);
	return ok;
}

bool
kp_walk_in_pieces(struct kp_buf *out, const struct kp_pieces *pieces,
    uint8_t *data, size_t len, struct kp_error *err)
{
	struct kp_sample random = { .random = pieces->seed };
	struct kp_walker walker;
	size_t used, start = 0, end = 0;
	enum kp_walk_status status;

	kp_walk_init(
	    &walker, pieces->message, pieces->version, len, pieces->visitor);
	kp_walk_stop_at_tail(&walker);
	for (;;) {
		status =
		    feed_copy(&walker, data + start, end - start, &used, err);
		start += used;
		if (status != KP_WALK_MORE)
			break;
		kp_assert(end < len);
		end += 1 + kp_sample_random(&random, pieces->max_len);
		end = end < len ? end : len;
	}
	if (status == KP_WALK_FAILED)
		return false;
	kp_buf_add(out, data, start);
	if (status == KP_WALK_DONE)
		return true;
	return finish_tail(
	    out, &walker, (struct kp_bytes){ data + start, len - start }, err);
}

/* At most len of the bytes at *start, if whatever is in them goes on. */
static bool
show_copy(struct kp_walker *walker, const uint8_t *data, size_t *start,
    size_t len, struct kp_error *err)
{
	size_t passing = kp_walk_passing(walker);
	uint8_t *copy;
	bool is_ok;

	if (len > passing)
		len = passing;
	if (len == 0)
		return true;
	copy = kp_alloc(1, len);
	kp_copy(copy, data + *start, len);
	is_ok = kp_walk_show(walker, copy, len, err);
	free(copy);
	*start += len;
	return is_ok;
}

bool
kp_walk_pieces_to_end(struct kp_buf *out, const struct kp_pieces *pieces,
    uint8_t *data, size_t len, struct kp_error *err)
{
	struct kp_sample random = { .random = pieces->seed };
	enum kp_walk_status status = KP_WALK_MORE;
	struct kp_walker walker;
	size_t used, start = 0, end = 0;

	kp_walk_init(
	    &walker, pieces->message, pieces->version, len, pieces->visitor);
	while (status == KP_WALK_MORE) {
		size_t unseen = kp_walk_unseen(&walker);

		if (start == end && unseen > 0) {
			kp_walk_pass(&walker, unseen);
			start += unseen;
			end = start;
		}
		if (start == end && unseen == 0 &&
		    !show_copy(&walker, data, &start,
			kp_sample_random(&random, pieces->max_len + 1), err))
			return false;
		end = end < start ? start : end;
		status =
		    feed_copy(&walker, data + start, end - start, &used, err);
		start += used;
		kp_assert(status != KP_WALK_MORE || end < len ||
			  kp_walk_unseen(&walker) > 0);
		end += 1 + kp_sample_random(&random, pieces->max_len);
		end = end < len ? end : len;
	}
	kp_buf_add(out, data, start);
	return status == KP_WALK_DONE;
}
