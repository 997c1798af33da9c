/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ShareGroupDescribe (KIP-932). v0 is the early access of 4.0. @thread any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_fields[] = {
	/* name                          type           since until null   tag     default entity */
	F("GroupIds",                    ARRAY(STRING), 0,    LAST, NEVER, NO_TAG, NULL,   GROUP_ID),
	F("IncludeAuthorizedOperations", BOOL,          0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_topic_partitions[] = {
	/* name         type          since until null   tag     default entity */
	F("TopicId",    UUID,         0,    LAST, NEVER, NO_TAG, NULL,   TOPIC_ID),
	F("TopicName",  STRING,       0,    LAST, NEVER, NO_TAG, NULL,   TOPIC_NAME),
	F("Partitions", ARRAY(INT32), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_assignment[] = {
	/* name              type                                since until null   tag     default entity */
	F("TopicPartitions", STRUCTS(response_topic_partitions), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_member[] = {
	/* name                   type                         since until null   tag     default entity */
	F("MemberId",             STRING,                      0,    LAST, NEVER, NO_TAG, NULL,   MEMBER),
	F("RackId",               STRING,                      0,    LAST, 0,     NO_TAG, "null", PLAIN),
	F("MemberEpoch",          INT32,                       0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("ClientId",             STRING,                      0,    LAST, NEVER, NO_TAG, NULL,   CLIENT_ID),
	F("ClientHost",           STRING,                      0,    LAST, NEVER, NO_TAG, NULL,   CLIENT_HOST),
	F("SubscribedTopicNames", ARRAY(STRING),               0,    LAST, NEVER, NO_TAG, NULL,   TOPIC_NAME),
	F("Assignment",           STRUCT(response_assignment), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_group[] = {
	/* name                   type                      since until null   tag     default        entity */
	F("ErrorCode",            INT16,                    0,    LAST, NEVER, NO_TAG, NULL,          ERROR_CODE),
	F("ErrorMessage",         STRING,                   0,    LAST, 0,     NO_TAG, "null",        ERROR_TEXT),
	F("GroupId",              STRING,                   0,    LAST, NEVER, NO_TAG, NULL,          GROUP_ID),
	F("GroupState",           STRING,                   0,    LAST, NEVER, NO_TAG, NULL,          PLAIN),
	F("GroupEpoch",           INT32,                    0,    LAST, NEVER, NO_TAG, NULL,          NONE),
	F("AssignmentEpoch",      INT32,                    0,    LAST, NEVER, NO_TAG, NULL,          NONE),
	F("AssignorName",         STRING,                   0,    LAST, NEVER, NO_TAG, NULL,          PLAIN),
	F("Members",              STRUCTS(response_member), 0,    LAST, NEVER, NO_TAG, NULL,          NONE),
	F("AuthorizedOperations", INT32,                    0,    LAST, NEVER, NO_TAG, "-2147483648", NONE),
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
	.name = "ShareGroupDescribeRequest",
	.api_key = 77,
	.min_version = 0,
	.max_version = 1,
	.flexible_since = 0,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "ShareGroupDescribeResponse",
	.api_key = 77,
	.min_version = 0,
	.max_version = 1,
	.flexible_since = 0,
	.fields = response_fields,
};

const struct kp_api kp_api_share_group_describe = {
	.name = "ShareGroupDescribe",
	.key = 77,
	.request = &request,
	.response = &response,
};
