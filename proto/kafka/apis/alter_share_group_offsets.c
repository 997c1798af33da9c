/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AlterShareGroupOffsets (KIP-932). @thread any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_partition[] = {
	/* name             type   since until null   tag     default entity */
	F("PartitionIndex", INT32, 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("StartOffset",    INT64, 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field request_topic[] = {
	/* name         type                        since until null   tag     default entity */
	F("TopicName",  STRING,                     0,    LAST, NEVER, NO_TAG, NULL,   TOPIC_NAME),
	F("Partitions", STRUCTS(request_partition), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field request_fields[] = {
	/* name      type                    since until null   tag     default entity */
	F("GroupId", STRING,                 0,    LAST, NEVER, NO_TAG, NULL,   GROUP_ID),
	F("Topics",  STRUCTS(request_topic), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_partition[] = {
	/* name             type    since until null   tag     default entity */
	F("PartitionIndex", INT32,  0,    LAST, NEVER, NO_TAG, NULL,   NONE),
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

static const struct kp_field response_fields[] = {
	/* name             type                     since until null   tag     default entity */
	F("ThrottleTimeMs", INT32,                   0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("ErrorCode",      INT16,                   0,    LAST, NEVER, NO_TAG, NULL,   ERROR_CODE),
	F("ErrorMessage",   STRING,                  0,    LAST, 0,     NO_TAG, "null", ERROR_TEXT),
	F("Responses",      STRUCTS(response_topic), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};
/* clang-format on */

static const struct kp_message request = {
	.name = "AlterShareGroupOffsetsRequest",
	.api_key = 91,
	.min_version = 0,
	.max_version = 0,
	.flexible_since = 0,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "AlterShareGroupOffsetsResponse",
	.api_key = 91,
	.min_version = 0,
	.max_version = 0,
	.flexible_since = 0,
	.fields = response_fields,
};

const struct kp_api kp_api_alter_share_group_offsets = {
	.name = "AlterShareGroupOffsets",
	.key = 91,
	.request = &request,
	.response = &response,
};
