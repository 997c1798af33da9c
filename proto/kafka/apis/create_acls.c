/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CreateAcls (KIP-140). Pattern types since v1 (KIP-290), resources of type
 * user since v3 (KIP-373). @thread any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_creation[] = {
	/* name                  type    since until null   tag     default entity */
	F("ResourceType",        INT8,   0,    LAST, NEVER, NO_TAG, NULL,   RESOURCE_TYPE),
	F("ResourceName",        STRING, 0,    LAST, NEVER, NO_TAG, NULL,   RESOURCE_NAME),
	F("ResourcePatternType", INT8,   1,    LAST, NEVER, NO_TAG, "3",    PATTERN_TYPE),
	F("Principal",           STRING, 0,    LAST, NEVER, NO_TAG, NULL,   PRINCIPAL),
	F("Host",                STRING, 0,    LAST, NEVER, NO_TAG, NULL,   ACL_HOST),
	F("Operation",           INT8,   0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("PermissionType",      INT8,   0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field request_fields[] = {
	/* name        type                       since until null   tag     default entity */
	F("Creations", STRUCTS(request_creation), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_result[] = {
	/* name           type    since until null   tag     default entity */
	F("ErrorCode",    INT16,  0,    LAST, NEVER, NO_TAG, NULL,   ERROR_CODE),
	F("ErrorMessage", STRING, 0,    LAST, 0,     NO_TAG, NULL,   ERROR_TEXT),
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
	.name = "CreateAclsRequest",
	.api_key = 30,
	.min_version = 0,
	.max_version = 3,
	.flexible_since = 2,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "CreateAclsResponse",
	.api_key = 30,
	.min_version = 0,
	.max_version = 3,
	.flexible_since = 2,
	.fields = response_fields,
};

const struct kp_api kp_api_create_acls = {
	.name = "CreateAcls",
	.key = 30,
	.request = &request,
	.response = &response,
};
