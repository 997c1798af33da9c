/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Produce: record batches for the log. Transactional id since v3 (KIP-98),
 * reasons per record since v8 (KIP-467), hints at the new leader and its
 * address since v10 (KIP-951), implicit AddPartitionsToTxn since v12
 * (KIP-890), topic ids instead of names since v13 (KIP-516). @thread any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_partition_data[] = {
	/* name      type     since until null   tag     default entity */
	F("Index",   INT32,   0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("Records", RECORDS, 0,    LAST, 0,     NO_TAG, NULL,   RECORDS),
	END,
};

static const struct kp_field request_topic_data[] = {
	/* name            type                             since until null   tag     default entity */
	F("Name",          STRING,                          0,    12,   NEVER, NO_TAG, NULL,   TOPIC_NAME),
	F("TopicId",       UUID,                            13,   LAST, NEVER, NO_TAG, NULL,   TOPIC_ID),
	F("PartitionData", STRUCTS(request_partition_data), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field request_fields[] = {
	/* name              type                         since until null   tag     default entity */
	F("TransactionalId", STRING,                      3,    LAST, 3,     NO_TAG, "null", TRANSACTIONAL_ID),
	F("Acks",            INT16,                       0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("TimeoutMs",       INT32,                       0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("TopicData",       STRUCTS(request_topic_data), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_record_error[] = {
	/* name                     type    since until null   tag     default entity */
	F("BatchIndex",             INT32,  8,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("BatchIndexErrorMessage", STRING, 8,    LAST, 8,     NO_TAG, "null", ERROR_TEXT),
	END,
};

static const struct kp_field response_current_leader[] = {
	/* name          type   since until null   tag     default entity */
	F("LeaderId",    INT32, 10,   LAST, NEVER, NO_TAG, "-1",   NODE_ID),
	F("LeaderEpoch", INT32, 10,   LAST, NEVER, NO_TAG, "-1",   NONE),
	END,
};

static const struct kp_field response_partition_response[] = {
	/* name              type                             since until null   tag         default entity */
	F("Index",           INT32,                           0,    LAST, NEVER, NO_TAG,     NULL,   NONE),
	F("ErrorCode",       INT16,                           0,    LAST, NEVER, NO_TAG,     NULL,   ERROR_CODE),
	F("BaseOffset",      INT64,                           0,    LAST, NEVER, NO_TAG,     NULL,   NONE),
	F("LogAppendTimeMs", INT64,                           2,    LAST, NEVER, NO_TAG,     "-1",   NONE),
	F("LogStartOffset",  INT64,                           5,    LAST, NEVER, NO_TAG,     "-1",   NONE),
	F("RecordErrors",    STRUCTS(response_record_error),  8,    LAST, NEVER, NO_TAG,     NULL,   NONE),
	F("ErrorMessage",    STRING,                          8,    LAST, 8,     NO_TAG,     "null", ERROR_TEXT),
	F("CurrentLeader",   STRUCT(response_current_leader), 10,   LAST, NEVER, TAG(0, 10), NULL,   NONE),
	END,
};

static const struct kp_field response_topic[] = {
	/* name                 type                                  since until null   tag     default entity */
	F("Name",               STRING,                               0,    12,   NEVER, NO_TAG, NULL,   TOPIC_NAME),
	F("TopicId",            UUID,                                 13,   LAST, NEVER, NO_TAG, NULL,   TOPIC_ID),
	F("PartitionResponses", STRUCTS(response_partition_response), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_node_endpoint[] = {
	/* name     type    since until null   tag     default entity */
	F("NodeId", INT32,  10,   LAST, NEVER, NO_TAG, NULL,   ENDPOINT_NODE),
	F("Host",   STRING, 10,   LAST, NEVER, NO_TAG, NULL,   HOST),
	F("Port",   INT32,  10,   LAST, NEVER, NO_TAG, NULL,   PORT),
	F("Rack",   STRING, 10,   LAST, 10,    NO_TAG, "null", PLAIN),
	END,
};

static const struct kp_field response_fields[] = {
	/* name             type                             since until null   tag         default entity */
	F("Responses",      STRUCTS(response_topic),         0,    LAST, NEVER, NO_TAG,     NULL,   NONE),
	F("ThrottleTimeMs", INT32,                           1,    LAST, NEVER, NO_TAG,     "0",    NONE),
	F("NodeEndpoints",  STRUCTS(response_node_endpoint), 10,   LAST, NEVER, TAG(0, 10), NULL,   ENDPOINTS),
	END,
};
/* clang-format on */

static const struct kp_message request = {
	.name = "ProduceRequest",
	.api_key = 0,
	.min_version = 0,
	.max_version = 13,
	.flexible_since = 9,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "ProduceResponse",
	.api_key = 0,
	.min_version = 0,
	.max_version = 13,
	.flexible_since = 9,
	.fields = response_fields,
};

const struct kp_api kp_api_produce = {
	.name = "Produce",
	.key = 0,
	.request = &request,
	.response = &response,
};
