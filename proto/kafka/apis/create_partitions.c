/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CreatePartitions (KIP-195). Throttling since v3 (KIP-599). @thread any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_assignment[] = {
	/* name        type          since until null   tag     default entity */
	F("BrokerIds", ARRAY(INT32), 0,    LAST, NEVER, NO_TAG, NULL,   NODE_ID),
	END,
};

static const struct kp_field request_topic[] = {
	/* name          type                         since until null   tag     default entity */
	F("Name",        STRING,                      0,    LAST, NEVER, NO_TAG, NULL,   TOPIC_NAME),
	F("Count",       INT32,                       0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("Assignments", STRUCTS(request_assignment), 0,    LAST, 0,     NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field request_fields[] = {
	/* name           type                    since until null   tag     default entity */
	F("Topics",       STRUCTS(request_topic), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("TimeoutMs",    INT32,                  0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("ValidateOnly", BOOL,                   0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_result[] = {
	/* name           type    since until null   tag     default entity */
	F("Name",         STRING, 0,    LAST, NEVER, NO_TAG, NULL,   TOPIC_NAME),
	F("ErrorCode",    INT16,  0,    LAST, NEVER, NO_TAG, NULL,   ERROR_CODE),
	F("ErrorMessage", STRING, 0,    LAST, 0,     NO_TAG, "null", ERROR_TEXT),
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
	.name = "CreatePartitionsRequest",
	.api_key = 37,
	.min_version = 0,
	.max_version = 3,
	.flexible_since = 2,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "CreatePartitionsResponse",
	.api_key = 37,
	.min_version = 0,
	.max_version = 3,
	.flexible_since = 2,
	.fields = response_fields,
};

const struct kp_api kp_api_create_partitions = {
	.name = "CreatePartitions",
	.key = 37,
	.request = &request,
	.response = &response,
};
