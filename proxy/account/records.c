/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/account/records.h"

void
kp_record_account_init(struct kp_record_account *account,
    const struct kp_stripe *counters, enum kp_traffic direction)
{
	*account = (struct kp_record_account){ .counters = counters,
		.direction = direction };
}

static void
count_batch(void *context, const struct kp_batch_head *head)
{
	const struct kp_record_account *account = context;
	unsigned series = kp_metric_of_codec(
	    account->direction, head->attributes & KP_BATCH_CODEC_MASK);

	kp_stripe_add(account->counters, KP_M_BATCHES, series, 1);
	kp_stripe_add(
	    account->counters, KP_M_BATCH_BYTES, series, (int64_t)head->len);
	if (head->num_records > 0)
		kp_stripe_add(account->counters, KP_M_RECORDS,
		    account->direction, head->num_records);
}

static size_t
show(struct kp_record_account *account, const struct kp_visit *visit)
{
	bool is_bad;
	size_t unseen = kp_batch_scan_feed(&account->scan, visit->data,
	    visit->len, count_batch, account, &is_bad);

	if (is_bad)
		kp_stripe_add(account->counters, KP_M_BATCHES_MALFORMED,
		    account->direction, 1);
	return unseen;
}

enum kp_verdict
kp_record_account_visit(void *context, const struct kp_visit *visit,
    struct kp_replacement *out, struct kp_error *err)
{
	struct kp_record_account *account = context;

	(void)err;
	switch (visit->kind) {
	case KP_VISIT_RECORDS:
		kp_batch_scan_begin(&account->scan,
		    visit->number < 0 ? 0 : (size_t)visit->number);
		break;
	case KP_VISIT_PIECE:
		out->number = (int64_t)show(account, visit);
		break;
	case KP_VISIT_VALUE:
		kp_batch_scan_begin(&account->scan, visit->len);
		(void)show(account, visit);
		break;
	case KP_VISIT_ARRAY:
	case KP_VISIT_ELEMENT:
		break;
	}
	return KP_KEEP;
}
