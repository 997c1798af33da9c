/* SPDX-License-Identifier: Apache-2.0 */
/*
 * InitProducerId (KIP-98). Resuming with an old id since v3 (KIP-360), fencing
 * error since v4 (KIP-588), abortable errors since v5 (KIP-890), two-phase
 * commit in v6 (KIP-939), which is unstable in every release so far. @thread
 * any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_fields[] = {
	/* name                   type    since until null   tag     default  entity */
	F("TransactionalId",      STRING, 0,    LAST, 0,     NO_TAG, NULL,    TRANSACTIONAL_ID),
	F("TransactionTimeoutMs", INT32,  0,    LAST, NEVER, NO_TAG, NULL,    NONE),
	F("ProducerId",           INT64,  3,    LAST, NEVER, NO_TAG, "-1",    NONE),
	F("ProducerEpoch",        INT16,  3,    LAST, NEVER, NO_TAG, "-1",    NONE),
	F("Enable2Pc",            BOOL,   6,    LAST, NEVER, NO_TAG, "false", NONE),
	F("KeepPreparedTxn",      BOOL,   6,    LAST, NEVER, NO_TAG, "false", NONE),
	END,
};

static const struct kp_field response_fields[] = {
	/* name                      type   since until null   tag     default entity */
	F("ThrottleTimeMs",          INT32, 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("ErrorCode",               INT16, 0,    LAST, NEVER, NO_TAG, NULL,   ERROR_CODE),
	F("ProducerId",              INT64, 0,    LAST, NEVER, NO_TAG, "-1",   NONE),
	F("ProducerEpoch",           INT16, 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("OngoingTxnProducerId",    INT64, 6,    LAST, NEVER, NO_TAG, "-1",   NONE),
	F("OngoingTxnProducerEpoch", INT16, 6,    LAST, NEVER, NO_TAG, "-1",   NONE),
	END,
};
/* clang-format on */

static const struct kp_message request = {
	.name = "InitProducerIdRequest",
	.api_key = 22,
	.min_version = 0,
	.max_version = 6,
	.flexible_since = 2,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "InitProducerIdResponse",
	.api_key = 22,
	.min_version = 0,
	.max_version = 6,
	.flexible_since = 2,
	.fields = response_fields,
};

const struct kp_api kp_api_init_producer_id = {
	.name = "InitProducerId",
	.key = 22,
	.request = &request,
	.response = &response,
};
