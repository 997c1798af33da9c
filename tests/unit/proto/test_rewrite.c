/* SPDX-License-Identifier: Apache-2.0 */
/* Corners of the output that no message of usual size reaches. */
#include <criterion/criterion.h>

#include <sys/mman.h>

#include "proto/kafka/rewrite_priv.h"
#include "tests/support/walks.h"

#define CHUNK 16384

static uint8_t input[100];
static uint8_t large[CHUNK];

static struct kp_bytes
bytes_of(const uint8_t *data, size_t len)
{
	return (struct kp_bytes){ data, len };
}

static void
start(struct kp_output *output, struct kp_rewrite *rewrite)
{
	for (size_t i = 0; i < sizeof(input); i++)
		input[i] = (uint8_t)i;
	memset(large, 'L', sizeof(large));
	kp_output_init(output, rewrite, input);
}

/*
 * A count that became part of the last span only after an element had begun is
 * not there any more when that element is taken back.
 */
Test(rewrite, a_hole_behind_a_mark_is_made_again)
{
	struct kp_rewrite rewrite = { 0 };
	struct kp_output output;
	struct kp_error err;
	struct kp_buf out;

	start(&output, &rewrite);
	/* The count still fits into the first chunk, what follows does not. */
	kp_output_replace(
	    &output, 0, 1, bytes_of(large, CHUNK - 10), (struct kp_bytes){ 0 });
	kp_output_open(&output, KP_HOLE_TAGS, 1, 1, 7);
	kp_output_mark(&output, 2, 20);
	kp_output_replace(
	    &output, 25, 26, bytes_of(large, 1), (struct kp_bytes){ 0 });
	kp_output_drop(&output, 2);
	kp_output_resume(&output, 50);
	kp_output_close(&output, 60);
	cr_assert(kp_output_finish(&output, sizeof(input), &err));
	kp_buf_init(&out, 1 << 20);
	kp_rewritten(&out, &rewrite);
	cr_assert_eq(out.len, CHUNK - 10 + 19 + 50);
	cr_assert_eq(out.data[CHUNK - 10], 6, "one of seven is left out");
	cr_assert_eq(out.data[CHUNK - 9], 2);
	cr_assert_eq(out.data[CHUNK - 10 + 18], 19);
	cr_assert_eq(out.data[CHUNK - 10 + 19], 50);
	kp_buf_fini(&out);
	kp_rewrite_fini(&rewrite);
}

/* Addresses of 2 GiB of input that nobody may read. */
#define HUGE ((size_t)INT32_MAX + 1)

static const uint8_t *
huge_input(void)
{
	void *memory = mmap(NULL, HUGE, PROT_NONE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	cr_assert(memory != MAP_FAILED);
	return memory;
}

Test(rewrite, a_message_over_2_gib_is_refused)
{
	struct kp_rewrite rewrite = { 0 };
	struct kp_output output;
	struct kp_error err = { 0 };

	kp_output_init(&output, &rewrite, huge_input());
	kp_output_replace(
	    &output, 0, 1, bytes_of(large, 2), (struct kp_bytes){ 0 });
	cr_assert(!kp_output_finish(&output, HUGE, &err));
	cr_assert_eq(err.kind, KP_ERR_LIMIT);
	kp_rewrite_fini(&rewrite);
}

Test(rewrite, spans_have_a_limit)
{
	struct kp_rewrite rewrite = { 0 };
	struct kp_output output;
	struct kp_error err = { 0 };

	kp_output_init(&output, &rewrite, huge_input());
	/* Untouched runs that are too long to be copied. */
	for (size_t at = 0; !output.failed && at + 1001 < HUGE; at += 1001)
		kp_output_replace(&output, at + 1000, at + 1001,
		    bytes_of(large, 1), (struct kp_bytes){ 0 });
	cr_assert(output.failed);
	cr_assert_eq(rewrite.num_spans, KP_REWRITE_MAX_SPANS);
	cr_assert(!kp_output_check(&output, &err));
	cr_assert_eq(err.kind, KP_ERR_LIMIT);
	kp_rewrite_fini(&rewrite);
}
