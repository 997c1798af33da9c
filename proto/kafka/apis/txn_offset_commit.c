/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TxnOffsetCommit (KIP-98): positions as part of a transaction. Group member
 * since v3 (KIP-447), implicit AddOffsetsToTxn since v5 (KIP-890), topic ids
 * since v6 (KIP-1319). @thread any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_partition[] = {
	/* name                   type    since until null   tag     default entity */
	F("PartitionIndex",       INT32,  0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("CommittedOffset",      INT64,  0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("CommittedLeaderEpoch", INT32,  2,    LAST, NEVER, NO_TAG, "-1",   NONE),
	F("CommittedMetadata",    STRING, 0,    LAST, 0,     NO_TAG, NULL,   USER_TEXT),
	END,
};

static const struct kp_field request_topic[] = {
	/* name         type                        since until null   tag     default entity */
	F("Name",       STRING,                     0,    5,    NEVER, NO_TAG, NULL,   TOPIC_NAME),
	F("TopicId",    UUID,                       6,    LAST, NEVER, NO_TAG, NULL,   TOPIC_ID),
	F("Partitions", STRUCTS(request_partition), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field request_fields[] = {
	/* name                        type                    since until null   tag     default entity */
	F("TransactionalId",           STRING,                 0,    LAST, NEVER, NO_TAG, NULL,   TRANSACTIONAL_ID),
	F("GroupId",                   STRING,                 0,    LAST, NEVER, NO_TAG, NULL,   GROUP_ID),
	F("ProducerId",                INT64,                  0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("ProducerEpoch",             INT16,                  0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("GenerationIdOrMemberEpoch", INT32,                  3,    LAST, NEVER, NO_TAG, "-1",   NONE),
	F("MemberId",                  STRING,                 3,    LAST, NEVER, NO_TAG, "",     MEMBER),
	F("GroupInstanceId",           STRING,                 3,    LAST, 3,     NO_TAG, "null", MEMBER),
	F("Topics",                    STRUCTS(request_topic), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_partition[] = {
	/* name             type   since until null   tag     default entity */
	F("PartitionIndex", INT32, 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("ErrorCode",      INT16, 0,    LAST, NEVER, NO_TAG, NULL,   ERROR_CODE),
	END,
};

static const struct kp_field response_topic[] = {
	/* name         type                         since until null   tag     default entity */
	F("Name",       STRING,                      0,    5,    NEVER, NO_TAG, NULL,   TOPIC_NAME),
	F("TopicId",    UUID,                        6,    LAST, NEVER, NO_TAG, NULL,   TOPIC_ID),
	F("Partitions", STRUCTS(response_partition), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_fields[] = {
	/* name             type                     since until null   tag     default entity */
	F("ThrottleTimeMs", INT32,                   0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("Topics",         STRUCTS(response_topic), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};
/* clang-format on */

static const struct kp_message request = {
	.name = "TxnOffsetCommitRequest",
	.api_key = 28,
	.min_version = 0,
	.max_version = 6,
	.flexible_since = 3,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "TxnOffsetCommitResponse",
	.api_key = 28,
	.min_version = 0,
	.max_version = 6,
	.flexible_since = 3,
	.fields = response_fields,
};

const struct kp_api kp_api_txn_offset_commit = {
	.name = "TxnOffsetCommit",
	.key = 28,
	.request = &request,
	.response = &response,
};
