/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Heartbeat of a classic member. Static members since v3 (KIP-345). @thread
 * any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_fields[] = {
	/* name              type    since until null   tag     default entity */
	F("GroupId",         STRING, 0,    LAST, NEVER, NO_TAG, NULL,   GROUP_ID),
	F("GenerationId",    INT32,  0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("MemberId",        STRING, 0,    LAST, NEVER, NO_TAG, NULL,   MEMBER),
	F("GroupInstanceId", STRING, 3,    LAST, 3,     NO_TAG, "null", MEMBER),
	END,
};

static const struct kp_field response_fields[] = {
	/* name             type   since until null   tag     default entity */
	F("ThrottleTimeMs", INT32, 1,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("ErrorCode",      INT16, 0,    LAST, NEVER, NO_TAG, NULL,   ERROR_CODE),
	END,
};
/* clang-format on */

static const struct kp_message request = {
	.name = "HeartbeatRequest",
	.api_key = 12,
	.min_version = 0,
	.max_version = 4,
	.flexible_since = 4,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "HeartbeatResponse",
	.api_key = 12,
	.min_version = 0,
	.max_version = 4,
	.flexible_since = 4,
	.fields = response_fields,
};

const struct kp_api kp_api_heartbeat = {
	.name = "Heartbeat",
	.key = 12,
	.request = &request,
	.response = &response,
};
