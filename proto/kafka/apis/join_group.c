/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JoinGroup: classic rebalance, first half. Two-step join since v4 (KIP-394),
 * static members since v5 (KIP-345), the type in the answer since v7
 * (KIP-559), reason since v8 (KIP-800), the leader may skip the assignment
 * since v9 (KIP-814). @thread any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_protocol[] = {
	/* name       type    since until null   tag     default entity */
	F("Name",     STRING, 0,    LAST, NEVER, NO_TAG, NULL,   PLAIN),
	F("Metadata", BYTES,  0,    LAST, NEVER, NO_TAG, NULL,   CONSUMER_PROTOCOL),
	END,
};

static const struct kp_field request_fields[] = {
	/* name                 type                       since until null   tag     default entity */
	F("GroupId",            STRING,                    0,    LAST, NEVER, NO_TAG, NULL,   GROUP_ID),
	F("SessionTimeoutMs",   INT32,                     0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("RebalanceTimeoutMs", INT32,                     1,    LAST, NEVER, NO_TAG, "-1",   NONE),
	F("MemberId",           STRING,                    0,    LAST, NEVER, NO_TAG, NULL,   MEMBER),
	F("GroupInstanceId",    STRING,                    5,    LAST, 5,     NO_TAG, "null", MEMBER),
	F("ProtocolType",       STRING,                    0,    LAST, NEVER, NO_TAG, NULL,   PROTOCOL_TYPE),
	F("Protocols",          STRUCTS(request_protocol), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("Reason",             STRING,                    8,    LAST, 8,     NO_TAG, "null", USER_TEXT),
	END,
};

static const struct kp_field response_member[] = {
	/* name              type    since until null   tag     default entity */
	F("MemberId",        STRING, 0,    LAST, NEVER, NO_TAG, NULL,   MEMBER),
	F("GroupInstanceId", STRING, 5,    LAST, 5,     NO_TAG, "null", MEMBER),
	F("Metadata",        BYTES,  0,    LAST, NEVER, NO_TAG, NULL,   CONSUMER_PROTOCOL),
	END,
};

static const struct kp_field response_fields[] = {
	/* name             type                      since until null   tag     default  entity */
	F("ThrottleTimeMs", INT32,                    2,    LAST, NEVER, NO_TAG, NULL,    NONE),
	F("ErrorCode",      INT16,                    0,    LAST, NEVER, NO_TAG, NULL,    ERROR_CODE),
	F("GenerationId",   INT32,                    0,    LAST, NEVER, NO_TAG, "-1",    NONE),
	F("ProtocolType",   STRING,                   7,    LAST, 7,     NO_TAG, "null",  PROTOCOL_TYPE),
	F("ProtocolName",   STRING,                   0,    LAST, 7,     NO_TAG, NULL,    PLAIN),
	F("Leader",         STRING,                   0,    LAST, NEVER, NO_TAG, NULL,    MEMBER),
	F("SkipAssignment", BOOL,                     9,    LAST, NEVER, NO_TAG, "false", NONE),
	F("MemberId",       STRING,                   0,    LAST, NEVER, NO_TAG, NULL,    MEMBER),
	F("Members",        STRUCTS(response_member), 0,    LAST, NEVER, NO_TAG, NULL,    NONE),
	END,
};
/* clang-format on */

static const struct kp_message request = {
	.name = "JoinGroupRequest",
	.api_key = 11,
	.min_version = 0,
	.max_version = 9,
	.flexible_since = 6,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "JoinGroupResponse",
	.api_key = 11,
	.min_version = 0,
	.max_version = 9,
	.flexible_since = 6,
	.fields = response_fields,
};

const struct kp_api kp_api_join_group = {
	.name = "JoinGroup",
	.key = 11,
	.request = &request,
	.response = &response,
};
