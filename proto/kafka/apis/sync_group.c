/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SyncGroup: classic rebalance, second half. Static members since v3
 * (KIP-345); type and name of the protocol, to be checked, since v5 (KIP-559).
 * @thread any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_assignment[] = {
	/* name         type    since until null   tag     default entity */
	F("MemberId",   STRING, 0,    LAST, NEVER, NO_TAG, NULL,   MEMBER),
	F("Assignment", BYTES,  0,    LAST, NEVER, NO_TAG, NULL,   CONSUMER_PROTOCOL),
	END,
};

static const struct kp_field request_fields[] = {
	/* name              type                         since until null   tag     default entity */
	F("GroupId",         STRING,                      0,    LAST, NEVER, NO_TAG, NULL,   GROUP_ID),
	F("GenerationId",    INT32,                       0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("MemberId",        STRING,                      0,    LAST, NEVER, NO_TAG, NULL,   MEMBER),
	F("GroupInstanceId", STRING,                      3,    LAST, 3,     NO_TAG, "null", MEMBER),
	F("ProtocolType",    STRING,                      5,    LAST, 5,     NO_TAG, "null", PROTOCOL_TYPE),
	F("ProtocolName",    STRING,                      5,    LAST, 5,     NO_TAG, "null", PLAIN),
	F("Assignments",     STRUCTS(request_assignment), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_fields[] = {
	/* name             type    since until null   tag     default entity */
	F("ThrottleTimeMs", INT32,  1,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("ErrorCode",      INT16,  0,    LAST, NEVER, NO_TAG, NULL,   ERROR_CODE),
	F("ProtocolType",   STRING, 5,    LAST, 5,     NO_TAG, "null", PROTOCOL_TYPE),
	F("ProtocolName",   STRING, 5,    LAST, 5,     NO_TAG, "null", PLAIN),
	F("Assignment",     BYTES,  0,    LAST, NEVER, NO_TAG, NULL,   CONSUMER_PROTOCOL),
	END,
};
/* clang-format on */

static const struct kp_message request = {
	.name = "SyncGroupRequest",
	.api_key = 14,
	.min_version = 0,
	.max_version = 5,
	.flexible_since = 4,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "SyncGroupResponse",
	.api_key = 14,
	.min_version = 0,
	.max_version = 5,
	.flexible_since = 4,
	.fields = response_fields,
};

const struct kp_api kp_api_sync_group = {
	.name = "SyncGroup",
	.key = 14,
	.request = &request,
	.response = &response,
};
