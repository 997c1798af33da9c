/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LeaveGroup: members leave a classic group. Several at once since v3
 * (KIP-345), reason since v5 (KIP-800). @thread any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_member[] = {
	/* name              type    since until null   tag     default entity */
	F("MemberId",        STRING, 3,    LAST, NEVER, NO_TAG, NULL,   MEMBER),
	F("GroupInstanceId", STRING, 3,    LAST, 3,     NO_TAG, "null", MEMBER),
	F("Reason",          STRING, 5,    LAST, 5,     NO_TAG, "null", USER_TEXT),
	END,
};

static const struct kp_field request_fields[] = {
	/* name       type                     since until null   tag     default entity */
	F("GroupId",  STRING,                  0,    LAST, NEVER, NO_TAG, NULL,   GROUP_ID),
	F("MemberId", STRING,                  0,    2,    NEVER, NO_TAG, NULL,   MEMBER),
	F("Members",  STRUCTS(request_member), 3,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_member[] = {
	/* name              type    since until null   tag     default entity */
	F("MemberId",        STRING, 3,    LAST, NEVER, NO_TAG, NULL,   MEMBER),
	F("GroupInstanceId", STRING, 3,    LAST, 3,     NO_TAG, NULL,   MEMBER),
	F("ErrorCode",       INT16,  3,    LAST, NEVER, NO_TAG, NULL,   ERROR_CODE),
	END,
};

static const struct kp_field response_fields[] = {
	/* name             type                      since until null   tag     default entity */
	F("ThrottleTimeMs", INT32,                    1,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("ErrorCode",      INT16,                    0,    LAST, NEVER, NO_TAG, NULL,   ERROR_CODE),
	F("Members",        STRUCTS(response_member), 3,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};
/* clang-format on */

static const struct kp_message request = {
	.name = "LeaveGroupRequest",
	.api_key = 13,
	.min_version = 0,
	.max_version = 5,
	.flexible_since = 4,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "LeaveGroupResponse",
	.api_key = 13,
	.min_version = 0,
	.max_version = 5,
	.flexible_since = 4,
	.fields = response_fields,
};

const struct kp_api kp_api_leave_group = {
	.name = "LeaveGroup",
	.key = 13,
	.request = &request,
	.response = &response,
};
