/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/frame/versions.h"

#include <criterion/criterion.h>

#include "proto/kafka/header.h"
#include "tests/support/message.h"

#define PRODUCE 0
#define METADATA 3
#define CONTROLLED_SHUTDOWN 7
#define SASL_HANDSHAKE 17
#define FROM_THE_FUTURE 600

/* Rows key, min, max of an ApiVersions answer v0. */
static void
write_answer(struct kp_buf *out, const int16_t rows[][3], size_t num_rows)
{
	put_int16(out, 0);
	put_int32(out, (int32_t)num_rows);
	for (size_t i = 0; i < num_rows; i++) {
		for (int column = 0; column < 3; column++)
			put_int16(out, rows[i][column]);
	}
}

static void
expect_rows(const int16_t from[][3], size_t num_from, const int16_t to[][3],
    size_t num_to, struct kp_versions *versions)
{
	struct kp_buf answer, wanted, got;
	struct kp_rewrite rewrite = { 0 };
	struct kp_error err;

	kp_buf_init(&answer, 4096);
	kp_buf_init(&wanted, 4096);
	kp_buf_init(&got, 4096);
	write_answer(&answer, from, num_from);
	write_answer(&wanted, to, num_to);
	cr_assert(kp_versions_rewrite(
	    versions, 0, kp_buf_bytes(&answer), &rewrite, &err));
	for (unsigned i = 0; i < rewrite.num_spans; i++)
		kp_buf_add(
		    &got, rewrite.spans[i].iov_base, rewrite.spans[i].iov_len);
	cr_assert(kp_bytes_equal(kp_buf_bytes(&got), kp_buf_bytes(&wanted)));
	kp_rewrite_fini(&rewrite);
	kp_buf_fini(&answer);
	kp_buf_fini(&wanted);
	kp_buf_fini(&got);
}

Test(versions, clients_get_the_intersection)
{
	static const int16_t from[][3] = {
		{ PRODUCE, 0, 99 },
		{ METADATA, 1, 5 },
		{ CONTROLLED_SHUTDOWN, 0, 3 },
		{ SASL_HANDSHAKE, 7, 9 },
		{ FROM_THE_FUTURE, 0, 0 },
		{ KP_API_VERSIONS, 0, 4 },
	};
	static const int16_t to[][3] = {
		{ PRODUCE, 0, 13 },
		{ METADATA, 1, 5 },
		{ KP_API_VERSIONS, 0, 4 },
	};
	struct kp_versions versions;

	expect_rows(from, 6, to, 3, &versions);
	cr_assert(kp_versions_allow(&versions, PRODUCE, 13));
	cr_assert(!kp_versions_allow(&versions, PRODUCE, 14));
	cr_assert(!kp_versions_allow(&versions, METADATA, 0));
	cr_assert(kp_versions_allow(&versions, METADATA, 5));
	cr_assert(!kp_versions_allow(&versions, METADATA, 6));
	cr_assert(!kp_versions_allow(&versions, SASL_HANDSHAKE, 1));
	cr_assert(!kp_versions_allow(&versions, FROM_THE_FUTURE, 0));
	cr_assert(!kp_versions_allow(&versions, -1, 0));
	/* the broker itself says which versions of this one it knows */
	cr_assert(kp_versions_allow(&versions, KP_API_VERSIONS, 5));
}

Test(versions, all_of_the_tables_may_be_used_before_an_answer)
{
	struct kp_versions versions;

	kp_versions_init(&versions);
	cr_assert(kp_versions_allow(&versions, METADATA, 0));
	cr_assert(!kp_versions_allow(&versions, METADATA, 99));
	cr_assert(!kp_versions_allow(&versions, CONTROLLED_SHUTDOWN, 0));
}

Test(versions, an_answer_that_is_cut_off_is_refused)
{
	static const int16_t rows[][3] = { { PRODUCE, 0, 11 } };
	struct kp_versions versions;
	struct kp_buf answer;
	struct kp_error err;

	kp_buf_init(&answer, 4096);
	write_answer(&answer, rows, 1);
	for (size_t len = 0; len < answer.len; len++) {
		struct kp_bytes prefix = { answer.data, len };
		struct kp_rewrite rewrite = { 0 };

		cr_assert(
		    !kp_versions_rewrite(&versions, 0, prefix, &rewrite, &err));
		cr_assert(!versions.is_known);
		kp_rewrite_fini(&rewrite);
	}
	kp_buf_fini(&answer);
}

Test(versions, the_range_of_a_refused_version_is_the_intersection)
{
	static const uint8_t refused[] = { 0, 35, 0, 0, 0, 1, 0, 18, 0, 0, 0,
		9 };
	static const uint8_t wanted[] = { 0, 35, 0, 0, 0, 1, 0, 18, 0, 0, 0,
		5 };
	struct kp_rewrite rewrite = { 0 };
	struct kp_buf got;
	struct kp_error err;

	kp_buf_init(&got, 100);
	cr_assert(kp_versions_narrow(
	    (struct kp_bytes){ refused, sizeof(refused) }, &rewrite, &err));
	for (unsigned i = 0; i < rewrite.num_spans; i++)
		kp_buf_add(
		    &got, rewrite.spans[i].iov_base, rewrite.spans[i].iov_len);
	cr_assert(kp_bytes_equal(
	    kp_buf_bytes(&got), (struct kp_bytes){ wanted, sizeof(wanted) }));
	kp_rewrite_fini(&rewrite);
	kp_buf_fini(&got);
}
