/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OffsetCommit: positions of a group. Leader epoch since v6 (KIP-320), static
 * members since v7 (KIP-345), members of the new protocol since v9 and topic
 * ids since v10 (KIP-848). @thread any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_partition[] = {
	/* name                   type    since until null   tag     default entity */
	F("PartitionIndex",       INT32,  0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("CommittedOffset",      INT64,  0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("CommitTimestamp",      INT64,  1,    1,    NEVER, NO_TAG, "-1",   NONE),
	F("CommittedLeaderEpoch", INT32,  6,    LAST, NEVER, NO_TAG, "-1",   NONE),
	F("CommittedMetadata",    STRING, 0,    LAST, 0,     NO_TAG, NULL,   USER_TEXT),
	END,
};

static const struct kp_field request_topic[] = {
	/* name         type                        since until null   tag     default entity */
	F("Name",       STRING,                     0,    9,    NEVER, NO_TAG, NULL,   TOPIC_NAME),
	F("TopicId",    UUID,                       10,   LAST, NEVER, NO_TAG, NULL,   TOPIC_ID),
	F("Partitions", STRUCTS(request_partition), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field request_fields[] = {
	/* name                        type                    since until null   tag     default entity */
	F("GroupId",                   STRING,                 0,    LAST, NEVER, NO_TAG, NULL,   GROUP_ID),
	F("GenerationIdOrMemberEpoch", INT32,                  1,    LAST, NEVER, NO_TAG, "-1",   NONE),
	F("MemberId",                  STRING,                 1,    LAST, NEVER, NO_TAG, NULL,   MEMBER),
	F("RetentionTimeMs",           INT64,                  2,    4,    NEVER, NO_TAG, "-1",   NONE),
	F("GroupInstanceId",           STRING,                 7,    LAST, 7,     NO_TAG, "null", MEMBER),
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
	F("Name",       STRING,                      0,    9,    NEVER, NO_TAG, NULL,   TOPIC_NAME),
	F("TopicId",    UUID,                        10,   LAST, NEVER, NO_TAG, NULL,   TOPIC_ID),
	F("Partitions", STRUCTS(response_partition), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_fields[] = {
	/* name             type                     since until null   tag     default entity */
	F("ThrottleTimeMs", INT32,                   3,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("Topics",         STRUCTS(response_topic), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};
/* clang-format on */

static const struct kp_message request = {
	.name = "OffsetCommitRequest",
	.api_key = 8,
	.min_version = 0,
	.max_version = 10,
	.flexible_since = 8,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "OffsetCommitResponse",
	.api_key = 8,
	.min_version = 0,
	.max_version = 10,
	.flexible_since = 8,
	.fields = response_fields,
};

const struct kp_api kp_api_offset_commit = {
	.name = "OffsetCommit",
	.key = 8,
	.request = &request,
	.response = &response,
};
