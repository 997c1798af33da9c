/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FindCoordinator: which broker looks after a group or transaction. v0 knows
 * groups only; the type of the key since v1 (KIP-98), several keys since v4
 * (KIP-699), share groups since v6 (KIP-932). @thread any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_fields[] = {
	/* name              type           since until null   tag     default entity */
	F("Key",             STRING,        0,    3,    NEVER, NO_TAG, NULL,   COORDINATOR_KEY),
	F("KeyType",         INT8,          1,    LAST, NEVER, NO_TAG, "0",    RESOURCE_TYPE),
	F("CoordinatorKeys", ARRAY(STRING), 4,    LAST, NEVER, NO_TAG, NULL,   COORDINATOR_KEY),
	END,
};

static const struct kp_field response_coordinator[] = {
	/* name           type    since until null   tag     default entity */
	F("Key",          STRING, 4,    LAST, NEVER, NO_TAG, NULL,   COORDINATOR_KEY),
	F("NodeId",       INT32,  4,    LAST, NEVER, NO_TAG, NULL,   ENDPOINT_NODE),
	F("Host",         STRING, 4,    LAST, NEVER, NO_TAG, NULL,   HOST),
	F("Port",         INT32,  4,    LAST, NEVER, NO_TAG, NULL,   PORT),
	F("ErrorCode",    INT16,  4,    LAST, NEVER, NO_TAG, NULL,   ERROR_CODE),
	F("ErrorMessage", STRING, 4,    LAST, 4,     NO_TAG, NULL,   ERROR_TEXT),
	END,
};

static const struct kp_field response_fields[] = {
	/* name             type                           since until null   tag     default entity */
	F("ThrottleTimeMs", INT32,                         1,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("ErrorCode",      INT16,                         0,    3,    NEVER, NO_TAG, NULL,   ERROR_CODE),
	F("ErrorMessage",   STRING,                        1,    3,    1,     NO_TAG, NULL,   ERROR_TEXT),
	F("NodeId",         INT32,                         0,    3,    NEVER, NO_TAG, NULL,   ENDPOINT_NODE),
	F("Host",           STRING,                        0,    3,    NEVER, NO_TAG, NULL,   HOST),
	F("Port",           INT32,                         0,    3,    NEVER, NO_TAG, NULL,   PORT),
	F("Coordinators",   STRUCTS(response_coordinator), 4,    LAST, NEVER, NO_TAG, NULL,   ENDPOINTS),
	END,
};
/* clang-format on */

static const struct kp_message request = {
	.name = "FindCoordinatorRequest",
	.api_key = 10,
	.min_version = 0,
	.max_version = 6,
	.flexible_since = 3,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "FindCoordinatorResponse",
	.api_key = 10,
	.min_version = 0,
	.max_version = 6,
	.flexible_since = 3,
	.fields = response_fields,
};

const struct kp_api kp_api_find_coordinator = {
	.name = "FindCoordinator",
	.key = 10,
	.request = &request,
	.response = &response,
};
