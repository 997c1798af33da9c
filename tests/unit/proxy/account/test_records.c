/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/account/records.h"

#include <criterion/criterion.h>
#include <unistd.h>

#include "tests/unit/proto/records/sample.h"

#define RECORDS_FIELD \
	((struct kp_field){ .kind = KP_RECORDS, .entity = KP_E_RECORDS })

static struct kp_metrics *
new_metrics(void)
{
	struct kp_error err;
	struct kp_metrics *metrics;
	int fd = kp_metrics_new_segment(&kp_node_metrics, &err);

	cr_assert(fd >= 0);
	metrics = kp_metrics_map(&kp_node_metrics, fd, &err);
	cr_assert_not_null(metrics);
	(void)close(fd);
	return metrics;
}

static int64_t
of_codec(const struct kp_metrics *metrics, enum kp_node_metric metric,
    enum kp_codec codec)
{
	return kp_metrics_read(metrics, metric,
	    kp_metric_of_codec(KP_TRAFFIC_REQUEST, (int)codec));
}

static struct kp_buf
two_batches(void)
{
	struct kp_batch like = kp_sample_like();
	struct kp_buf field;

	kp_buf_init(&field, 65536);
	kp_sample_batch(&field, &like, KP_CODEC_ZSTD);
	kp_sample_batch(&field, &like, KP_CODEC_NONE);
	return field;
}

static int64_t
show(struct kp_record_account *account, enum kp_visit_kind kind,
    struct kp_bytes bytes, int64_t number)
{
	const struct kp_field field = RECORDS_FIELD;
	struct kp_visit visit = { .kind = kind,
		.field = &field,
		.number = number,
		.data = (uint8_t *)(uintptr_t)bytes.data,
		.len = bytes.len };
	struct kp_replacement out = { 0 };
	struct kp_error err;

	cr_assert_eq(
	    kp_record_account_visit(account, &visit, &out, &err), KP_KEEP);
	return out.number;
}

static void
expect_counted(const struct kp_metrics *metrics, const struct kp_buf *field)
{
	cr_assert_eq(of_codec(metrics, KP_M_BATCHES, KP_CODEC_ZSTD), 1);
	cr_assert_eq(of_codec(metrics, KP_M_BATCHES, KP_CODEC_NONE), 1);
	cr_assert_eq(of_codec(metrics, KP_M_BATCHES, KP_CODEC_LZ4), 0);
	cr_assert_eq(of_codec(metrics, KP_M_BATCH_BYTES, KP_CODEC_ZSTD) +
			 of_codec(metrics, KP_M_BATCH_BYTES, KP_CODEC_NONE),
	    (int64_t)field->len);
	cr_assert_eq(kp_metrics_read(metrics, KP_M_RECORDS, KP_TRAFFIC_REQUEST),
	    2 * KP_SAMPLE_RECORDS);
	cr_assert_eq(
	    kp_metrics_read(metrics, KP_M_RECORDS, KP_TRAFFIC_ANSWER), 0);
}

Test(account, counts_batches_as_they_pass_and_as_a_whole)
{
	struct kp_buf field = two_batches();

	for (int in_pieces = 0; in_pieces < 2; in_pieces++) {
		struct kp_metrics *metrics = new_metrics();
		struct kp_stripe counters = kp_metrics_stripe(metrics, 5);
		struct kp_record_account account;
		struct kp_bytes head = { field.data, KP_BATCH_HEADER_LEN };
		int64_t unseen;

		kp_record_account_init(&account, &counters, KP_TRAFFIC_REQUEST);
		if (in_pieces == 0) {
			(void)show(
			    &account, KP_VISIT_VALUE, kp_buf_bytes(&field), 0);
			expect_counted(metrics, &field);
			kp_metrics_free(metrics);
			continue;
		}
		(void)show(&account, KP_VISIT_RECORDS, (struct kp_bytes){ 0 },
		    (int64_t)field.len);
		unseen = show(&account, KP_VISIT_PIECE, head, 0);
		cr_assert(unseen > 0);
		head.data += head.len + (size_t)unseen;
		cr_assert(show(&account, KP_VISIT_PIECE, head, 0) > 0);
		expect_counted(metrics, &field);
		kp_metrics_free(metrics);
	}
	kp_buf_fini(&field);
}

Test(account, null_records_and_what_is_no_batch)
{
	struct kp_metrics *metrics = new_metrics();
	struct kp_stripe counters = kp_metrics_stripe(metrics, 5);
	struct kp_record_account account;
	struct kp_bytes junk = kp_bytes_of("this is no batch of any magic");

	kp_record_account_init(&account, &counters, KP_TRAFFIC_ANSWER);
	(void)show(&account, KP_VISIT_RECORDS, (struct kp_bytes){ 0 }, -1);
	(void)show(&account, KP_VISIT_VALUE, (struct kp_bytes){ 0 }, 0);
	cr_assert_eq(
	    kp_metrics_read(metrics, KP_M_BATCHES_MALFORMED, KP_TRAFFIC_ANSWER),
	    0);
	(void)show(&account, KP_VISIT_VALUE, junk, 0);
	cr_assert_eq(
	    kp_metrics_read(metrics, KP_M_BATCHES_MALFORMED, KP_TRAFFIC_ANSWER),
	    1);
	kp_metrics_free(metrics);
}

Test(account, a_codec_of_no_table_has_a_series)
{
	cr_assert_eq(kp_metric_of_codec(KP_TRAFFIC_REQUEST, 7),
	    kp_metric_of_codec(KP_TRAFFIC_REQUEST, -1));
	cr_assert_neq(kp_metric_of_codec(KP_TRAFFIC_REQUEST, 4),
	    kp_metric_of_codec(KP_TRAFFIC_REQUEST, 5));
	cr_assert_eq(kp_metric_of_codec(KP_TRAFFIC_ANSWER, 7),
	    KP_NUM_TRAFFIC_DIRECTIONS * KP_NUM_CODEC_LABELS - 1u);
}
