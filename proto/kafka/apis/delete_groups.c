/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DeleteGroups (KIP-229). Texts beside the errors since v3. @thread any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_fields[] = {
	/* name          type           since until null   tag     default entity */
	F("GroupsNames", ARRAY(STRING), 0,    LAST, NEVER, NO_TAG, NULL,   GROUP_ID),
	END,
};

static const struct kp_field response_result[] = {
	/* name           type    since until null   tag     default entity */
	F("GroupId",      STRING, 0,    LAST, NEVER, NO_TAG, NULL,   GROUP_ID),
	F("ErrorCode",    INT16,  0,    LAST, NEVER, NO_TAG, NULL,   ERROR_CODE),
	F("ErrorMessage", STRING, 3,    LAST, 3,     NO_TAG, "null", ERROR_TEXT),
	END,
};

static const struct kp_field response_fields[] = {
	/* name             type                      since until null   tag     default entity */
	F("ThrottleTimeMs", INT32,                    0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("Results",        STRUCTS(response_result), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};
/* clang-format on */

static const struct kp_message request = {
	.name = "DeleteGroupsRequest",
	.api_key = 42,
	.min_version = 0,
	.max_version = 3,
	.flexible_since = 2,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "DeleteGroupsResponse",
	.api_key = 42,
	.min_version = 0,
	.max_version = 3,
	.flexible_since = 2,
	.fields = response_fields,
};

const struct kp_api kp_api_delete_groups = {
	.name = "DeleteGroups",
	.key = 42,
	.request = &request,
	.response = &response,
};
