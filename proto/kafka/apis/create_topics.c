/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CreateTopics (KIP-4). Defaults of the broker since v4 (KIP-464),
 * configuration in the answer since v5 (KIP-525), throttling since v6
 * (KIP-599), topic ids in the answer since v7 (KIP-516). @thread any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_assignment[] = {
	/* name             type          since until null   tag     default entity */
	F("PartitionIndex", INT32,        0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("BrokerIds",      ARRAY(INT32), 0,    LAST, NEVER, NO_TAG, NULL,   NODE_ID),
	END,
};

static const struct kp_field request_config[] = {
	/* name    type    since until null   tag     default entity */
	F("Name",  STRING, 0,    LAST, NEVER, NO_TAG, NULL,   CONFIG_NAME),
	F("Value", STRING, 0,    LAST, 0,     NO_TAG, NULL,   CONFIG_VALUE),
	END,
};

static const struct kp_field request_topic[] = {
	/* name                type                         since until null   tag     default entity */
	F("Name",              STRING,                      0,    LAST, NEVER, NO_TAG, NULL,   TOPIC_NAME),
	F("NumPartitions",     INT32,                       0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("ReplicationFactor", INT16,                       0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("Assignments",       STRUCTS(request_assignment), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("Configs",           STRUCTS(request_config),     0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field request_fields[] = {
	/* name           type                    since until null   tag     default  entity */
	F("Topics",       STRUCTS(request_topic), 0,    LAST, NEVER, NO_TAG, NULL,    NONE),
	F("timeoutMs",    INT32,                  0,    LAST, NEVER, NO_TAG, "60000", NONE),
	F("validateOnly", BOOL,                   1,    LAST, NEVER, NO_TAG, "false", NONE),
	END,
};

static const struct kp_field response_config[] = {
	/* name           type    since until null   tag     default entity */
	F("Name",         STRING, 5,    LAST, NEVER, NO_TAG, NULL,   CONFIG_NAME),
	F("Value",        STRING, 5,    LAST, 5,     NO_TAG, NULL,   CONFIG_VALUE),
	F("ReadOnly",     BOOL,   5,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("ConfigSource", INT8,   5,    LAST, NEVER, NO_TAG, "-1",   NONE),
	F("IsSensitive",  BOOL,   5,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_topic[] = {
	/* name                   type                      since until null   tag        default entity */
	F("Name",                 STRING,                   0,    LAST, NEVER, NO_TAG,    NULL,   TOPIC_NAME),
	F("TopicId",              UUID,                     7,    LAST, NEVER, NO_TAG,    NULL,   TOPIC_ID),
	F("ErrorCode",            INT16,                    0,    LAST, NEVER, NO_TAG,    NULL,   ERROR_CODE),
	F("ErrorMessage",         STRING,                   1,    LAST, 1,     NO_TAG,    NULL,   ERROR_TEXT),
	F("TopicConfigErrorCode", INT16,                    5,    LAST, NEVER, TAG(0, 5), NULL,   ERROR_CODE),
	F("NumPartitions",        INT32,                    5,    LAST, NEVER, NO_TAG,    "-1",   NONE),
	F("ReplicationFactor",    INT16,                    5,    LAST, NEVER, NO_TAG,    "-1",   NONE),
	F("Configs",              STRUCTS(response_config), 5,    LAST, 5,     NO_TAG,    NULL,   NONE),
	END,
};

static const struct kp_field response_fields[] = {
	/* name             type                     since until null   tag     default entity */
	F("ThrottleTimeMs", INT32,                   2,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("Topics",         STRUCTS(response_topic), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};
/* clang-format on */

static const struct kp_message request = {
	.name = "CreateTopicsRequest",
	.api_key = 19,
	.min_version = 0,
	.max_version = 7,
	.flexible_since = 5,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "CreateTopicsResponse",
	.api_key = 19,
	.min_version = 0,
	.max_version = 7,
	.flexible_since = 5,
	.fields = response_fields,
};

const struct kp_api kp_api_create_topics = {
	.name = "CreateTopics",
	.key = 19,
	.request = &request,
	.response = &response,
};
