/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ListConfigResources. v0 is ListClientMetricsResources (KIP-714) and lists
 * only those, v1 any type (KIP-1142). @thread any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_fields[] = {
	/* name            type         since until null   tag     default entity */
	F("ResourceTypes", ARRAY(INT8), 1,    LAST, NEVER, NO_TAG, NULL,   RESOURCE_TYPE),
	END,
};

static const struct kp_field response_config_resource[] = {
	/* name           type    since until null   tag     default entity */
	F("ResourceName", STRING, 0,    LAST, NEVER, NO_TAG, NULL,   RESOURCE_NAME),
	F("ResourceType", INT8,   1,    LAST, NEVER, NO_TAG, "16",   RESOURCE_TYPE),
	END,
};

static const struct kp_field response_fields[] = {
	/* name              type                               since until null   tag     default entity */
	F("ThrottleTimeMs",  INT32,                             0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("ErrorCode",       INT16,                             0,    LAST, NEVER, NO_TAG, NULL,   ERROR_CODE),
	F("ConfigResources", STRUCTS(response_config_resource), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};
/* clang-format on */

static const struct kp_message request = {
	.name = "ListConfigResourcesRequest",
	.api_key = 74,
	.min_version = 0,
	.max_version = 1,
	.flexible_since = 0,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "ListConfigResourcesResponse",
	.api_key = 74,
	.min_version = 0,
	.max_version = 1,
	.flexible_since = 0,
	.fields = response_fields,
};

const struct kp_api kp_api_list_config_resources = {
	.name = "ListConfigResources",
	.key = 74,
	.request = &request,
	.response = &response,
};
