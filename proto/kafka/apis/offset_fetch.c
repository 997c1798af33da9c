/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OffsetFetch: committed positions. Null topics mean all since v2 (KIP-88),
 * several groups since v8 (KIP-709), members of the new protocol since v9 and
 * topic ids since v10 (KIP-848). @thread any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_topic[] = {
	/* name               type          since until null   tag     default entity */
	F("Name",             STRING,       0,    7,    NEVER, NO_TAG, NULL,   TOPIC_NAME),
	F("PartitionIndexes", ARRAY(INT32), 0,    7,    NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field request_group_topic[] = {
	/* name               type          since until null   tag     default entity */
	F("Name",             STRING,       8,    9,    NEVER, NO_TAG, NULL,   TOPIC_NAME),
	F("TopicId",          UUID,         10,   LAST, NEVER, NO_TAG, NULL,   TOPIC_ID),
	F("PartitionIndexes", ARRAY(INT32), 8,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field request_group[] = {
	/* name          type                          since until null   tag     default entity */
	F("GroupId",     STRING,                       8,    LAST, NEVER, NO_TAG, NULL,   GROUP_ID),
	F("MemberId",    STRING,                       9,    LAST, 9,     NO_TAG, "null", MEMBER),
	F("MemberEpoch", INT32,                        9,    LAST, NEVER, NO_TAG, "-1",   NONE),
	F("Topics",      STRUCTS(request_group_topic), 8,    LAST, 8,     NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field request_fields[] = {
	/* name            type                    since until null   tag     default  entity */
	F("GroupId",       STRING,                 0,    7,    NEVER, NO_TAG, NULL,    GROUP_ID),
	F("Topics",        STRUCTS(request_topic), 0,    7,    2,     NO_TAG, NULL,    NONE),
	F("Groups",        STRUCTS(request_group), 8,    LAST, NEVER, NO_TAG, NULL,    NONE),
	F("RequireStable", BOOL,                   7,    LAST, NEVER, NO_TAG, "false", NONE),
	END,
};

static const struct kp_field response_partition[] = {
	/* name                   type    since until null   tag     default entity */
	F("PartitionIndex",       INT32,  0,    7,    NEVER, NO_TAG, NULL,   NONE),
	F("CommittedOffset",      INT64,  0,    7,    NEVER, NO_TAG, NULL,   NONE),
	F("CommittedLeaderEpoch", INT32,  5,    7,    NEVER, NO_TAG, "-1",   NONE),
	F("Metadata",             STRING, 0,    7,    0,     NO_TAG, NULL,   USER_TEXT),
	F("ErrorCode",            INT16,  0,    7,    NEVER, NO_TAG, NULL,   ERROR_CODE),
	END,
};

static const struct kp_field response_topic[] = {
	/* name         type                         since until null   tag     default entity */
	F("Name",       STRING,                      0,    7,    NEVER, NO_TAG, NULL,   TOPIC_NAME),
	F("Partitions", STRUCTS(response_partition), 0,    7,    NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_topic_partition[] = {
	/* name                   type    since until null   tag     default entity */
	F("PartitionIndex",       INT32,  8,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("CommittedOffset",      INT64,  8,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("CommittedLeaderEpoch", INT32,  8,    LAST, NEVER, NO_TAG, "-1",   NONE),
	F("Metadata",             STRING, 8,    LAST, 8,     NO_TAG, NULL,   USER_TEXT),
	F("ErrorCode",            INT16,  8,    LAST, NEVER, NO_TAG, NULL,   ERROR_CODE),
	END,
};

static const struct kp_field response_group_topic[] = {
	/* name         type                               since until null   tag     default entity */
	F("Name",       STRING,                            8,    9,    NEVER, NO_TAG, NULL,   TOPIC_NAME),
	F("TopicId",    UUID,                              10,   LAST, NEVER, NO_TAG, NULL,   TOPIC_ID),
	F("Partitions", STRUCTS(response_topic_partition), 8,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_group[] = {
	/* name        type                           since until null   tag     default entity */
	F("GroupId",   STRING,                        8,    LAST, NEVER, NO_TAG, NULL,   GROUP_ID),
	F("Topics",    STRUCTS(response_group_topic), 8,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("ErrorCode", INT16,                         8,    LAST, NEVER, NO_TAG, "0",    ERROR_CODE),
	END,
};

static const struct kp_field response_fields[] = {
	/* name             type                     since until null   tag     default entity */
	F("ThrottleTimeMs", INT32,                   3,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("Topics",         STRUCTS(response_topic), 0,    7,    NEVER, NO_TAG, NULL,   NONE),
	F("ErrorCode",      INT16,                   2,    7,    NEVER, NO_TAG, "0",    ERROR_CODE),
	F("Groups",         STRUCTS(response_group), 8,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};
/* clang-format on */

static const struct kp_message request = {
	.name = "OffsetFetchRequest",
	.api_key = 9,
	.min_version = 0,
	.max_version = 10,
	.flexible_since = 6,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "OffsetFetchResponse",
	.api_key = 9,
	.min_version = 0,
	.max_version = 10,
	.flexible_since = 6,
	.fields = response_fields,
};

const struct kp_api kp_api_offset_fetch = {
	.name = "OffsetFetch",
	.key = 9,
	.request = &request,
	.response = &response,
};
