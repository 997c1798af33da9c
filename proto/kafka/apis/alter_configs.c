/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AlterConfigs (KIP-133): replaces the whole configuration of a resource. Old
 * clients only; IncrementalAlterConfigs took its place. @thread any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_config[] = {
	/* name    type    since until null   tag     default entity */
	F("Name",  STRING, 0,    LAST, NEVER, NO_TAG, NULL,   CONFIG_NAME),
	F("Value", STRING, 0,    LAST, 0,     NO_TAG, NULL,   CONFIG_VALUE),
	END,
};

static const struct kp_field request_resource[] = {
	/* name           type                     since until null   tag     default entity */
	F("ResourceType", INT8,                    0,    LAST, NEVER, NO_TAG, NULL,   RESOURCE_TYPE),
	F("ResourceName", STRING,                  0,    LAST, NEVER, NO_TAG, NULL,   RESOURCE_NAME),
	F("Configs",      STRUCTS(request_config), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field request_fields[] = {
	/* name           type                       since until null   tag     default entity */
	F("Resources",    STRUCTS(request_resource), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("ValidateOnly", BOOL,                      0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_topic[] = {
	/* name           type    since until null   tag     default entity */
	F("ErrorCode",    INT16,  0,    LAST, NEVER, NO_TAG, NULL,   ERROR_CODE),
	F("ErrorMessage", STRING, 0,    LAST, 0,     NO_TAG, NULL,   ERROR_TEXT),
	F("ResourceType", INT8,   0,    LAST, NEVER, NO_TAG, NULL,   RESOURCE_TYPE),
	F("ResourceName", STRING, 0,    LAST, NEVER, NO_TAG, NULL,   RESOURCE_NAME),
	END,
};

static const struct kp_field response_fields[] = {
	/* name             type                     since until null   tag     default entity */
	F("ThrottleTimeMs", INT32,                   0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("Responses",      STRUCTS(response_topic), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};
/* clang-format on */

static const struct kp_message request = {
	.name = "AlterConfigsRequest",
	.api_key = 33,
	.min_version = 0,
	.max_version = 2,
	.flexible_since = 2,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "AlterConfigsResponse",
	.api_key = 33,
	.min_version = 0,
	.max_version = 2,
	.flexible_since = 2,
	.fields = response_fields,
};

const struct kp_api kp_api_alter_configs = {
	.name = "AlterConfigs",
	.key = 33,
	.request = &request,
	.response = &response,
};
