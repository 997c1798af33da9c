/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AddPartitionsToTxn (KIP-98). Clients use v3 and below; v4 and above carry
 * several transactions and are for brokers only (KIP-890). @thread any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_topic[] = {
	/* name         type          since until null   tag     default entity */
	F("Name",       STRING,       0,    LAST, NEVER, NO_TAG, NULL,   TOPIC_NAME),
	F("Partitions", ARRAY(INT32), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field request_transaction[] = {
	/* name              type                    since until null   tag     default  entity */
	F("TransactionalId", STRING,                 4,    LAST, NEVER, NO_TAG, NULL,    TRANSACTIONAL_ID),
	F("ProducerId",      INT64,                  4,    LAST, NEVER, NO_TAG, NULL,    NONE),
	F("ProducerEpoch",   INT16,                  4,    LAST, NEVER, NO_TAG, NULL,    NONE),
	F("VerifyOnly",      BOOL,                   4,    LAST, NEVER, NO_TAG, "false", NONE),
	F("Topics",          STRUCTS(request_topic), 4,    LAST, NEVER, NO_TAG, NULL,    NONE),
	END,
};

static const struct kp_field request_fields[] = {
	/* name                        type                          since until null   tag     default entity */
	F("V3AndBelowTransactionalId", STRING,                       0,    3,    NEVER, NO_TAG, NULL,   TRANSACTIONAL_ID),
	F("V3AndBelowProducerId",      INT64,                        0,    3,    NEVER, NO_TAG, NULL,   NONE),
	F("V3AndBelowProducerEpoch",   INT16,                        0,    3,    NEVER, NO_TAG, NULL,   NONE),
	F("V3AndBelowTopics",          STRUCTS(request_topic),       0,    3,    NEVER, NO_TAG, NULL,   NONE),
	F("Transactions",              STRUCTS(request_transaction), 4,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_partition_result[] = {
	/* name                 type   since until null   tag     default entity */
	F("PartitionIndex",     INT32, 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("PartitionErrorCode", INT16, 0,    LAST, NEVER, NO_TAG, NULL,   ERROR_CODE),
	END,
};

static const struct kp_field response_topic_result[] = {
	/* name                 type                                since until null   tag     default entity */
	F("Name",               STRING,                             0,    LAST, NEVER, NO_TAG, NULL,   TOPIC_NAME),
	F("ResultsByPartition", STRUCTS(response_partition_result), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_results_by_transaction[] = {
	/* name              type                            since until null   tag     default entity */
	F("TransactionalId", STRING,                         4,    LAST, NEVER, NO_TAG, NULL,   TRANSACTIONAL_ID),
	F("TopicResults",    STRUCTS(response_topic_result), 4,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_fields[] = {
	/* name                       type                                      since until null   tag     default entity */
	F("ThrottleTimeMs",           INT32,                                    0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("ResultsByTopicV3AndBelow", STRUCTS(response_topic_result),           0,    3,    NEVER, NO_TAG, NULL,   NONE),
	F("ErrorCode",                INT16,                                    4,    LAST, NEVER, NO_TAG, NULL,   ERROR_CODE),
	F("ResultsByTransaction",     STRUCTS(response_results_by_transaction), 4,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};
/* clang-format on */

static const struct kp_message request = {
	.name = "AddPartitionsToTxnRequest",
	.api_key = 24,
	.min_version = 0,
	.max_version = 5,
	.flexible_since = 3,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "AddPartitionsToTxnResponse",
	.api_key = 24,
	.min_version = 0,
	.max_version = 5,
	.flexible_since = 3,
	.fields = response_fields,
};

const struct kp_api kp_api_add_partitions_to_txn = {
	.name = "AddPartitionsToTxn",
	.key = 24,
	.request = &request,
	.response = &response,
};
