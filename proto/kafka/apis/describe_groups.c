/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DescribeGroups: classic groups. Allowed operations since v3 (KIP-430),
 * static members since v4 (KIP-345), an error for groups that do not exist
 * since v6 (KIP-1043). @thread any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_fields[] = {
	/* name                          type           since until null   tag     default entity */
	F("Groups",                      ARRAY(STRING), 0,    LAST, NEVER, NO_TAG, NULL,   GROUP_ID),
	F("IncludeAuthorizedOperations", BOOL,          3,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_member[] = {
	/* name               type    since until null   tag     default entity */
	F("MemberId",         STRING, 0,    LAST, NEVER, NO_TAG, NULL,   MEMBER),
	F("GroupInstanceId",  STRING, 4,    LAST, 4,     NO_TAG, "null", MEMBER),
	F("ClientId",         STRING, 0,    LAST, NEVER, NO_TAG, NULL,   CLIENT_ID),
	F("ClientHost",       STRING, 0,    LAST, NEVER, NO_TAG, NULL,   CLIENT_HOST),
	F("MemberMetadata",   BYTES,  0,    LAST, NEVER, NO_TAG, NULL,   CONSUMER_PROTOCOL),
	F("MemberAssignment", BYTES,  0,    LAST, NEVER, NO_TAG, NULL,   CONSUMER_PROTOCOL),
	END,
};

static const struct kp_field response_group[] = {
	/* name                   type                      since until null   tag     default        entity */
	F("ErrorCode",            INT16,                    0,    LAST, NEVER, NO_TAG, NULL,          ERROR_CODE),
	F("ErrorMessage",         STRING,                   6,    LAST, 6,     NO_TAG, "null",        ERROR_TEXT),
	F("GroupId",              STRING,                   0,    LAST, NEVER, NO_TAG, NULL,          GROUP_ID),
	F("GroupState",           STRING,                   0,    LAST, NEVER, NO_TAG, NULL,          PLAIN),
	F("ProtocolType",         STRING,                   0,    LAST, NEVER, NO_TAG, NULL,          PROTOCOL_TYPE),
	F("ProtocolData",         STRING,                   0,    LAST, NEVER, NO_TAG, NULL,          PLAIN),
	F("Members",              STRUCTS(response_member), 0,    LAST, NEVER, NO_TAG, NULL,          NONE),
	F("AuthorizedOperations", INT32,                    3,    LAST, NEVER, NO_TAG, "-2147483648", NONE),
	END,
};

static const struct kp_field response_fields[] = {
	/* name             type                     since until null   tag     default entity */
	F("ThrottleTimeMs", INT32,                   1,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("Groups",         STRUCTS(response_group), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};
/* clang-format on */

static const struct kp_message request = {
	.name = "DescribeGroupsRequest",
	.api_key = 15,
	.min_version = 0,
	.max_version = 6,
	.flexible_since = 5,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "DescribeGroupsResponse",
	.api_key = 15,
	.min_version = 0,
	.max_version = 6,
	.flexible_since = 5,
	.fields = response_fields,
};

const struct kp_api kp_api_describe_groups = {
	.name = "DescribeGroups",
	.key = 15,
	.request = &request,
	.response = &response,
};
