/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IncrementalAlterConfigs (KIP-339): single settings of a resource. @thread
 * any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_config[] = {
	/* name              type    since until null   tag     default entity */
	F("Name",            STRING, 0,    LAST, NEVER, NO_TAG, NULL,   CONFIG_NAME),
	F("ConfigOperation", INT8,   0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("Value",           STRING, 0,    LAST, 0,     NO_TAG, NULL,   CONFIG_VALUE),
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
	.name = "IncrementalAlterConfigsRequest",
	.api_key = 44,
	.min_version = 0,
	.max_version = 1,
	.flexible_since = 1,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "IncrementalAlterConfigsResponse",
	.api_key = 44,
	.min_version = 0,
	.max_version = 1,
	.flexible_since = 1,
	.fields = response_fields,
};

const struct kp_api kp_api_incremental_alter_configs = {
	.name = "IncrementalAlterConfigs",
	.key = 44,
	.request = &request,
	.response = &response,
};
