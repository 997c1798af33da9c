/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Record batches that pass in one direction of a connection, counted by what
 * their headers say. Looks at headers only: what is in a batch, and whether its
 * header is true, is not known here. @thread connection
 */
#ifndef KP_PROXY_ACCOUNT_RECORDS_H
#define KP_PROXY_ACCOUNT_RECORDS_H

#include "proto/control/node_metrics.h"
#include "proto/kafka/records/scan.h"
#include "proto/kafka/walker.h"

/* What has to be shown to it. */
#define KP_RECORD_ACCOUNT_INTEREST KP_ENTITY_BIT(KP_E_RECORDS)

struct kp_record_account {
	struct kp_batch_scan scan;
	const struct kp_stripe *counters;
	enum kp_traffic direction;
};

/* counters must live as long as the account. */
void kp_record_account_init(struct kp_record_account *account,
    const struct kp_stripe *counters, enum kp_traffic direction);

/* kp_record_account_visit is a kp_visit_fn; context is the account. */
enum kp_verdict kp_record_account_visit(void *context,
    const struct kp_visit *visit, struct kp_replacement *out,
    struct kp_error *err);

#endif
