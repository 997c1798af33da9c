/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ListGroups: all groups of a broker. Filter by state since v4 (KIP-518), by
 * type since v5 (KIP-848). @thread any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_fields[] = {
	/* name           type           since until null   tag     default entity */
	F("StatesFilter", ARRAY(STRING), 4,    LAST, NEVER, NO_TAG, NULL,   PLAIN),
	F("TypesFilter",  ARRAY(STRING), 5,    LAST, NEVER, NO_TAG, NULL,   PLAIN),
	END,
};

static const struct kp_field response_group[] = {
	/* name           type    since until null   tag     default entity */
	F("GroupId",      STRING, 0,    LAST, NEVER, NO_TAG, NULL,   GROUP_ID),
	F("ProtocolType", STRING, 0,    LAST, NEVER, NO_TAG, NULL,   PROTOCOL_TYPE),
	F("GroupState",   STRING, 4,    LAST, NEVER, NO_TAG, NULL,   PLAIN),
	F("GroupType",    STRING, 5,    LAST, NEVER, NO_TAG, NULL,   PLAIN),
	END,
};

static const struct kp_field response_fields[] = {
	/* name             type                     since until null   tag     default entity */
	F("ThrottleTimeMs", INT32,                   1,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("ErrorCode",      INT16,                   0,    LAST, NEVER, NO_TAG, NULL,   ERROR_CODE),
	F("Groups",         STRUCTS(response_group), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};
/* clang-format on */

static const struct kp_message request = {
	.name = "ListGroupsRequest",
	.api_key = 16,
	.min_version = 0,
	.max_version = 5,
	.flexible_since = 3,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "ListGroupsResponse",
	.api_key = 16,
	.min_version = 0,
	.max_version = 5,
	.flexible_since = 3,
	.fields = response_fields,
};

const struct kp_api kp_api_list_groups = {
	.name = "ListGroups",
	.key = 16,
	.request = &request,
	.response = &response,
};
