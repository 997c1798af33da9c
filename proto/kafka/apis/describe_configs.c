/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DescribeConfigs (KIP-133). Synonyms since v1 (KIP-226), types and
 * documentation since v3 (KIP-569). Values for brokers hold real addresses.
 * @thread any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_resource[] = {
	/* name                type           since until null   tag     default entity */
	F("ResourceType",      INT8,          0,    LAST, NEVER, NO_TAG, NULL,   RESOURCE_TYPE),
	F("ResourceName",      STRING,        0,    LAST, NEVER, NO_TAG, NULL,   RESOURCE_NAME),
	F("ConfigurationKeys", ARRAY(STRING), 0,    LAST, 0,     NO_TAG, NULL,   CONFIG_NAME),
	END,
};

static const struct kp_field request_fields[] = {
	/* name                   type                       since until null   tag     default  entity */
	F("Resources",            STRUCTS(request_resource), 0,    LAST, NEVER, NO_TAG, NULL,    NONE),
	F("IncludeSynonyms",      BOOL,                      1,    LAST, NEVER, NO_TAG, "false", NONE),
	F("IncludeDocumentation", BOOL,                      3,    LAST, NEVER, NO_TAG, "false", NONE),
	END,
};

static const struct kp_field response_synonym[] = {
	/* name     type    since until null   tag     default entity */
	F("Name",   STRING, 1,    LAST, NEVER, NO_TAG, NULL,   CONFIG_NAME),
	F("Value",  STRING, 1,    LAST, 1,     NO_TAG, NULL,   CONFIG_VALUE),
	F("Source", INT8,   1,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_config[] = {
	/* name            type                       since until null   tag     default entity */
	F("Name",          STRING,                    0,    LAST, NEVER, NO_TAG, NULL,   CONFIG_NAME),
	F("Value",         STRING,                    0,    LAST, 0,     NO_TAG, NULL,   CONFIG_VALUE),
	F("ReadOnly",      BOOL,                      0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("IsDefault",     BOOL,                      0,    0,    NEVER, NO_TAG, NULL,   NONE),
	F("ConfigSource",  INT8,                      1,    LAST, NEVER, NO_TAG, "-1",   NONE),
	F("IsSensitive",   BOOL,                      0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("Synonyms",      STRUCTS(response_synonym), 1,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("ConfigType",    INT8,                      3,    LAST, NEVER, NO_TAG, "0",    NONE),
	F("Documentation", STRING,                    3,    LAST, 3,     NO_TAG, NULL,   CONFIG_TEXT),
	END,
};

static const struct kp_field response_result[] = {
	/* name           type                      since until null   tag     default entity */
	F("ErrorCode",    INT16,                    0,    LAST, NEVER, NO_TAG, NULL,   ERROR_CODE),
	F("ErrorMessage", STRING,                   0,    LAST, 0,     NO_TAG, NULL,   ERROR_TEXT),
	F("ResourceType", INT8,                     0,    LAST, NEVER, NO_TAG, NULL,   RESOURCE_TYPE),
	F("ResourceName", STRING,                   0,    LAST, NEVER, NO_TAG, NULL,   RESOURCE_NAME),
	F("Configs",      STRUCTS(response_config), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
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
	.name = "DescribeConfigsRequest",
	.api_key = 32,
	.min_version = 0,
	.max_version = 4,
	.flexible_since = 4,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "DescribeConfigsResponse",
	.api_key = 32,
	.min_version = 0,
	.max_version = 4,
	.flexible_since = 4,
	.fields = response_fields,
};

const struct kp_api kp_api_describe_configs = {
	.name = "DescribeConfigs",
	.key = 32,
	.request = &request,
	.response = &response,
};
