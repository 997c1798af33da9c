/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DescribeShareGroupOffsets (KIP-932). Lag since v1 (KIP-1226). @thread any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_topic[] = {
	/* name         type          since until null   tag     default entity */
	F("TopicName",  STRING,       0,    LAST, NEVER, NO_TAG, NULL,   TOPIC_NAME),
	F("Partitions", ARRAY(INT32), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field request_group[] = {
	/* name      type                    since until null   tag     default entity */
	F("GroupId", STRING,                 0,    LAST, NEVER, NO_TAG, NULL,   GROUP_ID),
	F("Topics",  STRUCTS(request_topic), 0,    LAST, 0,     NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field request_fields[] = {
	/* name     type                    since until null   tag     default entity */
	F("Groups", STRUCTS(request_group), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_partition[] = {
	/* name             type    since until null   tag     default entity */
	F("PartitionIndex", INT32,  0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("StartOffset",    INT64,  0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("LeaderEpoch",    INT32,  0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("Lag",            INT64,  1,    LAST, NEVER, NO_TAG, "-1",   NONE),
	F("ErrorCode",      INT16,  0,    LAST, NEVER, NO_TAG, NULL,   ERROR_CODE),
	F("ErrorMessage",   STRING, 0,    LAST, 0,     NO_TAG, "null", ERROR_TEXT),
	END,
};

static const struct kp_field response_topic[] = {
	/* name         type                         since until null   tag     default entity */
	F("TopicName",  STRING,                      0,    LAST, NEVER, NO_TAG, NULL,   TOPIC_NAME),
	F("TopicId",    UUID,                        0,    LAST, NEVER, NO_TAG, NULL,   TOPIC_ID),
	F("Partitions", STRUCTS(response_partition), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_group[] = {
	/* name           type                     since until null   tag     default entity */
	F("GroupId",      STRING,                  0,    LAST, NEVER, NO_TAG, NULL,   GROUP_ID),
	F("Topics",       STRUCTS(response_topic), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("ErrorCode",    INT16,                   0,    LAST, NEVER, NO_TAG, NULL,   ERROR_CODE),
	F("ErrorMessage", STRING,                  0,    LAST, 0,     NO_TAG, "null", ERROR_TEXT),
	END,
};

static const struct kp_field response_fields[] = {
	/* name             type                     since until null   tag     default entity */
	F("ThrottleTimeMs", INT32,                   0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("Groups",         STRUCTS(response_group), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};
/* clang-format on */

static const struct kp_message request = {
	.name = "DescribeShareGroupOffsetsRequest",
	.api_key = 90,
	.min_version = 0,
	.max_version = 1,
	.flexible_since = 0,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "DescribeShareGroupOffsetsResponse",
	.api_key = 90,
	.min_version = 0,
	.max_version = 1,
	.flexible_since = 0,
	.fields = response_fields,
};

const struct kp_api kp_api_describe_share_group_offsets = {
	.name = "DescribeShareGroupOffsets",
	.key = 90,
	.request = &request,
	.response = &response,
};
