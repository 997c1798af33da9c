/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DescribeTransactions (KIP-664). @thread any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_fields[] = {
	/* name               type           since until null   tag     default entity */
	F("TransactionalIds", ARRAY(STRING), 0,    LAST, NEVER, NO_TAG, NULL,   TRANSACTIONAL_ID),
	END,
};

static const struct kp_field response_topic[] = {
	/* name         type          since until null   tag     default entity */
	F("Topic",      STRING,       0,    LAST, NEVER, NO_TAG, NULL,   TOPIC_NAME),
	F("Partitions", ARRAY(INT32), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_transaction_state[] = {
	/* name                     type                     since until null   tag     default entity */
	F("ErrorCode",              INT16,                   0,    LAST, NEVER, NO_TAG, NULL,   ERROR_CODE),
	F("TransactionalId",        STRING,                  0,    LAST, NEVER, NO_TAG, NULL,   TRANSACTIONAL_ID),
	F("TransactionState",       STRING,                  0,    LAST, NEVER, NO_TAG, NULL,   PLAIN),
	F("TransactionTimeoutMs",   INT32,                   0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("TransactionStartTimeMs", INT64,                   0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("ProducerId",             INT64,                   0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("ProducerEpoch",          INT16,                   0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("Topics",                 STRUCTS(response_topic), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_fields[] = {
	/* name                type                                 since until null   tag     default entity */
	F("ThrottleTimeMs",    INT32,                               0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("TransactionStates", STRUCTS(response_transaction_state), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};
/* clang-format on */

static const struct kp_message request = {
	.name = "DescribeTransactionsRequest",
	.api_key = 65,
	.min_version = 0,
	.max_version = 0,
	.flexible_since = 0,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "DescribeTransactionsResponse",
	.api_key = 65,
	.min_version = 0,
	.max_version = 0,
	.flexible_since = 0,
	.fields = response_fields,
};

const struct kp_api kp_api_describe_transactions = {
	.name = "DescribeTransactions",
	.key = 65,
	.request = &request,
	.response = &response,
};
