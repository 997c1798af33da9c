/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must hold for every message of every API in every version, shown on
 * bodies that are made from the tables.
 */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "tests/support/sample.h"
#include "tests/support/walks.h"

#define NUM_SEEDS 8

/* One sample of one message. */
struct trial {
	const struct kp_message *message;
	int16_t version;
	uint64_t seed;
	struct kp_buf body;
	struct kp_buf out; /* scratch */
	struct kp_error err;
};

typedef void (*trial_fn)(struct trial *trial);

static void
run_trial(struct trial *trial, struct kp_sample sample, trial_fn check)
{
	trial->seed = sample.random;
	trial->err = (struct kp_error){ 0 };
	kp_buf_init(&trial->body, KP_SAMPLE_MAX_LEN);
	kp_buf_init(&trial->out, 2 * KP_SAMPLE_MAX_LEN);
	kp_sample_body(&sample, &trial->body, trial->message, trial->version);
	check(trial);
	kp_buf_fini(&trial->body);
	kp_buf_fini(&trial->out);
}

static size_t
for_each_version(
    const struct kp_message *message, bool has_unknown_tags, trial_fn check)
{
	size_t num = 0;

	for (int v = message->min_version; v <= message->max_version; v++) {
		for (uint64_t seed = 0; seed < NUM_SEEDS; seed++, num++) {
			struct trial trial = { .message = message,
				.version = (int16_t)v };
			struct kp_sample sample = {
				.random = seed + 100 * (uint64_t)v +
					  10000 * (uint64_t)message->api_key,
				.has_unknown_tags = has_unknown_tags,
				.is_full = seed == 0
			};

			run_trial(&trial, sample, check);
		}
	}
	return num;
}

static void
for_each_trial(bool has_unknown_tags, trial_fn check)
{
	size_t num = 0;

	for (int key = 0; key <= KP_MAX_API_KEY; key++) {
		const struct kp_api *api = kp_api_find((int16_t)key);

		if (api == NULL)
			continue;
		num += for_each_version(api->request, has_unknown_tags, check);
		num += for_each_version(api->response, has_unknown_tags, check);
	}
	cr_assert(num > 1000, "%zu trials", num);
}

static bool
walk(struct trial *trial, const struct kp_visitor *visitor,
    struct kp_rewrite *rewrite)
{
	return kp_walk_whole(trial->message, trial->version,
	    kp_buf_bytes(&trial->body), visitor, rewrite, &trial->err);
}

#define require(trial, condition) \
	cr_assert(condition, "%s v%d seed %d: %s", (trial)->message->name, \
	    (trial)->version, (int)(trial)->seed, (trial)->err.text)

static void
check_unchanged_walk(struct trial *trial)
{
	struct kp_rewrite rewrite = { 0 };

	require(trial, walk(trial, &kp_keep_all, NULL));
	require(trial, walk(trial, &kp_keep_all, &rewrite));
	require(trial, !rewrite.is_changed);
	require(trial, rewrite.num_spans == (trial->body.len > 0));
	require(trial, rewrite.total_len == trial->body.len);
	require(trial,
	    trial->body.len == 0 ||
		(const uint8_t *)rewrite.spans[0].iov_base == trial->body.data);
	kp_rewrite_fini(&rewrite);
}

Test(properties, an_unchanged_walk_refers_to_the_same_bytes)
{
	for_each_trial(false, check_unchanged_walk);
}

static void
check_pieces(
    struct trial *trial, const struct kp_visitor *visitor, uint32_t max_piece)
{
	struct kp_buf *body = &trial->body;
	uint8_t *copy = malloc(body->len + 1);

	cr_assert_not_null(copy);
	kp_copy(copy, body->data, body->len);
	kp_buf_clear(&trial->out);
	require(trial, kp_walk_in_pieces(&trial->out,
			   &(struct kp_pieces){ trial->message, trial->version,
			       visitor, max_piece, trial->seed },
			   copy, body->len, &trial->err));
	require(trial,
	    kp_bytes_equal(kp_buf_bytes(body), kp_buf_bytes(&trial->out)));
	kp_buf_clear(&trial->out);
	require(trial, kp_walk_pieces_to_end(&trial->out,
			   &(struct kp_pieces){ trial->message, trial->version,
			       visitor, max_piece, trial->seed },
			   copy, body->len, &trial->err));
	require(trial,
	    kp_bytes_equal(kp_buf_bytes(body), kp_buf_bytes(&trial->out)));
	free(copy);
}

static void
check_unchanged_pieces(struct trial *trial)
{
	static const uint32_t sizes[] = { 1, 7, 100, 5000 };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		check_pieces(trial, &kp_keep_all, sizes[i]);
		check_pieces(trial, &kp_see_nothing, sizes[i]);
	}
}

Test(properties, an_unchanged_walk_in_pieces_gives_the_same_bytes)
{
	for_each_trial(false, check_unchanged_pieces);
}

static void
check_strict_prefixes(struct trial *trial)
{
	size_t len = trial->body.len;

	for (trial->body.len = 0; trial->body.len < len; trial->body.len++) {
		require(trial, !walk(trial, &kp_see_nothing, NULL));
		require(trial, trial->err.kind == KP_ERR_PROTOCOL);
	}
}

Test(properties, every_strict_prefix_is_refused)
{
	for_each_trial(false, check_strict_prefixes);
}

/* The same with what a stream shows: the announced length is the prefix's. */
static void
check_prefixes_in_pieces(struct trial *trial)
{
	size_t step = 1 + trial->body.len / 16;
	uint8_t *copy = malloc(trial->body.len + 1);

	cr_assert_not_null(copy);
	for (size_t len = 0; len < trial->body.len; len += step) {
		kp_copy(copy, trial->body.data, len);
		require(trial,
		    !kp_walk_in_pieces(&trial->out,
			&(struct kp_pieces){ trial->message, trial->version,
			    &kp_keep_all, 50, trial->seed },
			copy, len, &trial->err));
		kp_copy(copy, trial->body.data, len);
		require(trial,
		    !kp_walk_pieces_to_end(&trial->out,
			&(struct kp_pieces){ trial->message, trial->version,
			    &kp_keep_all, 50, trial->seed },
			copy, len, &trial->err));
	}
	free(copy);
}

Test(properties, a_prefix_in_pieces_is_refused)
{
	for_each_trial(false, check_prefixes_in_pieces);
}

static void
check_extra_byte(struct trial *trial)
{
	uint8_t *copy;

	kp_buf_add(&trial->body, "", 1);
	require(trial, !walk(trial, &kp_see_nothing, NULL));
	copy = malloc(trial->body.len);
	cr_assert_not_null(copy);
	kp_copy(copy, trial->body.data, trial->body.len);
	require(trial, !kp_walk_in_pieces(&trial->out,
			   &(struct kp_pieces){ trial->message, trial->version,
			       &kp_keep_all, 1000, trial->seed },
			   copy, trial->body.len, &trial->err));
	free(copy);
}

Test(properties, one_byte_too_many_is_refused)
{
	for_each_trial(false, check_extra_byte);
}

/* Replaces every value by one made of its ordinal number. */
struct replacing {
	unsigned ordinal;
	bool is_long;
	bool only_checks; /* that the values are the replaced ones */
	char text[200];
	uint8_t uuid[16];
};

static bool
is_text(const struct kp_field *field)
{
	return field->kind == KP_STRING || field->kind == KP_BYTES ||
	       field->kind == KP_RECORDS;
}

static struct kp_bytes
replacement_for(struct replacing *r, const struct kp_field *field)
{
	int len =
	    r->is_long ? 130 + (int)(r->ordinal % 60) : (int)(r->ordinal % 3);

	if (field->kind == KP_UUID) {
		r->uuid[3] = (uint8_t)r->ordinal;
		return (struct kp_bytes){ r->uuid, sizeof(r->uuid) };
	}
	if (!r->is_long && !field->is_array && field->nullable_since == 0)
		return (struct kp_bytes){ 0 };
	(void)snprintf(
	    r->text, sizeof(r->text), "%0190u", r->ordinal + 1000000);
	return (struct kp_bytes){ (const uint8_t *)r->text + 190 - len,
		(size_t)len };
}

static enum kp_verdict
visit_replacing(void *context, const struct kp_visit *visit,
    struct kp_replacement *out, struct kp_error *err)
{
	struct replacing *r = context;

	(void)err;
	if (visit->kind != KP_VISIT_VALUE)
		return KP_KEEP;
	r->ordinal++;
	out->number = r->ordinal & 1;
	if (is_text(visit->field) || visit->field->kind == KP_UUID)
		out->bytes = replacement_for(r, visit->field);
	if (!r->only_checks)
		return KP_REPLACE;
	cr_assert_eq(visit->number,
	    visit->data || is_text(visit->field) ? 0 : out->number);
	cr_assert_eq(visit->data == NULL, out->bytes.data == NULL);
	cr_assert(kp_bytes_equal(
	    (struct kp_bytes){ visit->data, visit->len }, out->bytes));
	return KP_KEEP;
}

static void
check_replacing(struct trial *trial, bool is_long)
{
	struct replacing r = { .is_long = is_long };
	struct kp_visitor visitor = { UINT64_MAX, visit_replacing, &r };
	struct kp_rewrite rewrite = { 0 };
	unsigned num_values;

	require(trial, walk(trial, &visitor, &rewrite));
	kp_rewritten(&trial->out, &rewrite);
	num_values = r.ordinal;
	r = (struct replacing){ .is_long = is_long, .only_checks = true };
	require(
	    trial, kp_walk_whole(trial->message, trial->version,
		       kp_buf_bytes(&trial->out), &visitor, NULL, &trial->err));
	cr_assert_eq(r.ordinal, num_values);
	kp_rewrite_fini(&rewrite);
}

static void
check_longer_and_shorter(struct trial *trial)
{
	check_replacing(trial, true);
	check_replacing(trial, false);
}

Test(properties, replaced_values_are_what_is_read_back)
{
	for_each_trial(false, check_longer_and_shorter);
}

static bool
contains(struct kp_bytes bytes, const char *text)
{
	return bytes.len > 0 &&
	       memmem(bytes.data, bytes.len, text, strlen(text)) != NULL;
}

/* Part of what the samples' unknown tagged fields hold. */
#define SECRET "broker-7"

static bool
looks(struct trial *trial, const struct kp_buf *body, bool *out_has_unknown)
{
	return kp_walk_look(trial->message, trial->version, kp_buf_bytes(body),
	    &kp_see_nothing, out_has_unknown, &trial->err);
}

static void
check_unknown_tags(struct trial *trial)
{
	struct kp_rewrite rewrite = { 0 };
	size_t num_before = 0, num_after = 0;
	struct kp_visitor counting = kp_keep_all;
	bool has_unknown;

	counting.context = &num_before;
	require(trial, walk(trial, &counting, &rewrite));
	require(trial, looks(trial, &trial->body, &has_unknown));
	require(trial, has_unknown == rewrite.is_changed);
	kp_rewritten(&trial->out, &rewrite);
	require(trial, !contains(kp_buf_bytes(&trial->out), SECRET));
	require(trial, looks(trial, &trial->out, &has_unknown));
	require(trial, !has_unknown);
	counting.context = &num_after;
	kp_rewrite_clear(&rewrite);
	require(trial,
	    kp_walk_whole(trial->message, trial->version,
		kp_buf_bytes(&trial->out), &counting, &rewrite, &trial->err));
	require(trial, !rewrite.is_changed);
	cr_assert_eq(num_before, num_after);
	kp_rewrite_fini(&rewrite);
}

Test(properties, a_rewritten_message_has_no_unknown_tags)
{
	for_each_trial(true, check_unknown_tags);
}

static enum kp_verdict
visit_hashing(void *context, const struct kp_visit *visit,
    struct kp_replacement *out, struct kp_error *err)
{
	uint64_t *hash = context;

	(void)out;
	(void)err;
	*hash = *hash * 31 + (uint64_t)visit->number + visit->len;
	for (size_t i = 0; i < visit->len; i++)
		*hash = *hash * 31 + visit->data[i];
	return KP_KEEP;
}

/* A number that all values of a body have a part in. */
static uint64_t
hash_values(struct trial *trial, const struct kp_buf *body)
{
	uint64_t hash = 0;
	struct kp_visitor visitor = { UINT64_MAX, visit_hashing, &hash };

	require(trial, kp_walk_whole(trial->message, trial->version,
			   kp_buf_bytes(body), &visitor, NULL, &trial->err));
	return hash;
}

static void
check_unknown_tags_in_pieces(struct trial *trial)
{
	struct kp_buf *body = &trial->body;
	size_t len = body->len;
	uint64_t hash = hash_values(trial, body);

	require(trial, kp_walk_in_pieces(&trial->out,
			   &(struct kp_pieces){ trial->message, trial->version,
			       &kp_see_nothing, 20, trial->seed },
			   body->data, len, &trial->err));
	require(trial, trial->out.len == len);
	require(trial, !contains(kp_buf_bytes(&trial->out), SECRET));
	require(trial, hash_values(trial, &trial->out) == hash);
}

Test(properties, unknown_tags_in_pieces_are_blanked)
{
	for_each_trial(true, check_unknown_tags_in_pieces);
}

/* Returns false if the walk failed for want of memory. */
static bool
walk_with_failure(struct trial *trial, unsigned n, struct kp_buf *out)
{
	struct replacing r = { .is_long = true };
	struct kp_visitor visitor = { UINT64_MAX, visit_replacing, &r };
	struct kp_rewrite rewrite = { 0 };
	bool is_done;

	kp_alloc_fail_after(n);
	is_done = walk(trial, &visitor, &rewrite);
	kp_alloc_fail_after(0);
	if (is_done)
		kp_rewritten(out, &rewrite);
	else
		require(trial, trial->err.kind == KP_ERR_LIMIT);
	kp_rewrite_fini(&rewrite);
	return is_done;
}

/* Whatever allocation fails, the walk fails cleanly or does all it should. */
static void
check_failing_allocations(struct trial *trial)
{
	struct kp_buf want;
	unsigned n = 1;

	kp_buf_init(&want, 2 * KP_SAMPLE_MAX_LEN);
	require(trial, walk_with_failure(trial, 0, &want));
	while (n < 1000 && !walk_with_failure(trial, n, &trial->out))
		n++;
	require(trial,
	    kp_bytes_equal(kp_buf_bytes(&trial->out), kp_buf_bytes(&want)));
	kp_buf_fini(&want);
}

Test(properties, every_failing_allocation_is_survived)
{
	for_each_trial(true, check_failing_allocations);
}
