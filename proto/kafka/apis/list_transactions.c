/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ListTransactions (KIP-664). Filter by duration since v1 (KIP-994), by
 * pattern since v2 (KIP-1152). @thread any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_fields[] = {
	/* name                     type           since until null   tag     default entity */
	F("StateFilters",           ARRAY(STRING), 0,    LAST, NEVER, NO_TAG, NULL,   PLAIN),
	F("ProducerIdFilters",      ARRAY(INT64),  0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("DurationFilter",         INT64,         1,    LAST, NEVER, NO_TAG, "-1",   NONE),
	F("TransactionalIdPattern", STRING,        2,    LAST, 2,     NO_TAG, "null", PATTERN),
	END,
};

static const struct kp_field response_transaction_state[] = {
	/* name               type    since until null   tag     default entity */
	F("TransactionalId",  STRING, 0,    LAST, NEVER, NO_TAG, NULL,   TRANSACTIONAL_ID),
	F("ProducerId",       INT64,  0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("TransactionState", STRING, 0,    LAST, NEVER, NO_TAG, NULL,   PLAIN),
	END,
};

static const struct kp_field response_fields[] = {
	/* name                  type                                 since until null   tag     default entity */
	F("ThrottleTimeMs",      INT32,                               0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("ErrorCode",           INT16,                               0,    LAST, NEVER, NO_TAG, NULL,   ERROR_CODE),
	F("UnknownStateFilters", ARRAY(STRING),                       0,    LAST, NEVER, NO_TAG, NULL,   PLAIN),
	F("TransactionStates",   STRUCTS(response_transaction_state), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};
/* clang-format on */

static const struct kp_message request = {
	.name = "ListTransactionsRequest",
	.api_key = 66,
	.min_version = 0,
	.max_version = 2,
	.flexible_since = 0,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "ListTransactionsResponse",
	.api_key = 66,
	.min_version = 0,
	.max_version = 2,
	.flexible_since = 0,
	.fields = response_fields,
};

const struct kp_api kp_api_list_transactions = {
	.name = "ListTransactions",
	.key = 66,
	.request = &request,
	.response = &response,
};
