/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AddOffsetsToTxn (KIP-98): a group's offsets will be part of a transaction.
 * Abortable errors since v4 (KIP-890). @thread any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_fields[] = {
	/* name              type    since until null   tag     default entity */
	F("TransactionalId", STRING, 0,    LAST, NEVER, NO_TAG, NULL,   TRANSACTIONAL_ID),
	F("ProducerId",      INT64,  0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("ProducerEpoch",   INT16,  0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("GroupId",         STRING, 0,    LAST, NEVER, NO_TAG, NULL,   GROUP_ID),
	END,
};

static const struct kp_field response_fields[] = {
	/* name             type   since until null   tag     default entity */
	F("ThrottleTimeMs", INT32, 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("ErrorCode",      INT16, 0,    LAST, NEVER, NO_TAG, NULL,   ERROR_CODE),
	END,
};
/* clang-format on */

static const struct kp_message request = {
	.name = "AddOffsetsToTxnRequest",
	.api_key = 25,
	.min_version = 0,
	.max_version = 4,
	.flexible_since = 3,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "AddOffsetsToTxnResponse",
	.api_key = 25,
	.min_version = 0,
	.max_version = 4,
	.flexible_since = 3,
	.fields = response_fields,
};

const struct kp_api kp_api_add_offsets_to_txn = {
	.name = "AddOffsetsToTxn",
	.key = 25,
	.request = &request,
	.response = &response,
};
