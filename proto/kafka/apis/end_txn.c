/* SPDX-License-Identifier: Apache-2.0 */
/*
 * EndTxn (KIP-98): commit or abort. Since v5 the answer gives the next
 * producer id and epoch (KIP-890). @thread any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_fields[] = {
	/* name              type    since until null   tag     default entity */
	F("TransactionalId", STRING, 0,    LAST, NEVER, NO_TAG, NULL,   TRANSACTIONAL_ID),
	F("ProducerId",      INT64,  0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("ProducerEpoch",   INT16,  0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("Committed",       BOOL,   0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_fields[] = {
	/* name             type   since until null   tag     default entity */
	F("ThrottleTimeMs", INT32, 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("ErrorCode",      INT16, 0,    LAST, NEVER, NO_TAG, NULL,   ERROR_CODE),
	F("ProducerId",     INT64, 5,    LAST, NEVER, NO_TAG, "-1",   NONE),
	F("ProducerEpoch",  INT16, 5,    LAST, NEVER, NO_TAG, "-1",   NONE),
	END,
};
/* clang-format on */

static const struct kp_message request = {
	.name = "EndTxnRequest",
	.api_key = 26,
	.min_version = 0,
	.max_version = 5,
	.flexible_since = 3,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "EndTxnResponse",
	.api_key = 26,
	.min_version = 0,
	.max_version = 5,
	.flexible_since = 3,
	.fields = response_fields,
};

const struct kp_api kp_api_end_txn = {
	.name = "EndTxn",
	.key = 26,
	.request = &request,
	.response = &response,
};
