/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DescribeClientQuotas (KIP-546). @thread any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_component[] = {
	/* name         type    since until null   tag     default entity */
	F("EntityType", STRING, 0,    LAST, NEVER, NO_TAG, NULL,   QUOTA_TYPE),
	F("MatchType",  INT8,   0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("Match",      STRING, 0,    LAST, 0,     NO_TAG, NULL,   QUOTA_NAME),
	END,
};

static const struct kp_field request_fields[] = {
	/* name         type                        since until null   tag     default entity */
	F("Components", STRUCTS(request_component), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("Strict",     BOOL,                       0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_entity[] = {
	/* name         type    since until null   tag     default entity */
	F("EntityType", STRING, 0,    LAST, NEVER, NO_TAG, NULL,   QUOTA_TYPE),
	F("EntityName", STRING, 0,    LAST, 0,     NO_TAG, NULL,   QUOTA_NAME),
	END,
};

static const struct kp_field response_value[] = {
	/* name    type     since until null   tag     default entity */
	F("Key",   STRING,  0,    LAST, NEVER, NO_TAG, NULL,   PLAIN),
	F("Value", FLOAT64, 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_entry[] = {
	/* name     type                      since until null   tag     default entity */
	F("Entity", STRUCTS(response_entity), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("Values", STRUCTS(response_value),  0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_fields[] = {
	/* name             type                     since until null   tag     default entity */
	F("ThrottleTimeMs", INT32,                   0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("ErrorCode",      INT16,                   0,    LAST, NEVER, NO_TAG, NULL,   ERROR_CODE),
	F("ErrorMessage",   STRING,                  0,    LAST, 0,     NO_TAG, NULL,   ERROR_TEXT),
	F("Entries",        STRUCTS(response_entry), 0,    LAST, 0,     NO_TAG, NULL,   NONE),
	END,
};
/* clang-format on */

static const struct kp_message request = {
	.name = "DescribeClientQuotasRequest",
	.api_key = 48,
	.min_version = 0,
	.max_version = 1,
	.flexible_since = 1,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "DescribeClientQuotasResponse",
	.api_key = 48,
	.min_version = 0,
	.max_version = 1,
	.flexible_since = 1,
	.fields = response_fields,
};

const struct kp_api kp_api_describe_client_quotas = {
	.name = "DescribeClientQuotas",
	.key = 48,
	.request = &request,
	.response = &response,
};
