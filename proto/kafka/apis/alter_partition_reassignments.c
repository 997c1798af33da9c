/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AlterPartitionReassignments (KIP-455). Whether the replication factor may
 * change since v1. @thread any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_partition[] = {
	/* name             type          since until null   tag     default entity */
	F("PartitionIndex", INT32,        0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("Replicas",       ARRAY(INT32), 0,    LAST, 0,     NO_TAG, "null", NODE_ID),
	END,
};

static const struct kp_field request_topic[] = {
	/* name         type                        since until null   tag     default entity */
	F("Name",       STRING,                     0,    LAST, NEVER, NO_TAG, NULL,   TOPIC_NAME),
	F("Partitions", STRUCTS(request_partition), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field request_fields[] = {
	/* name                           type                    since until null   tag     default  entity */
	F("TimeoutMs",                    INT32,                  0,    LAST, NEVER, NO_TAG, "60000", NONE),
	F("AllowReplicationFactorChange", BOOL,                   1,    LAST, NEVER, NO_TAG, "true",  NONE),
	F("Topics",                       STRUCTS(request_topic), 0,    LAST, NEVER, NO_TAG, NULL,    NONE),
	END,
};

static const struct kp_field response_partition[] = {
	/* name             type    since until null   tag     default entity */
	F("PartitionIndex", INT32,  0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("ErrorCode",      INT16,  0,    LAST, NEVER, NO_TAG, NULL,   ERROR_CODE),
	F("ErrorMessage",   STRING, 0,    LAST, 0,     NO_TAG, NULL,   ERROR_TEXT),
	END,
};

static const struct kp_field response_topic[] = {
	/* name         type                         since until null   tag     default entity */
	F("Name",       STRING,                      0,    LAST, NEVER, NO_TAG, NULL,   TOPIC_NAME),
	F("Partitions", STRUCTS(response_partition), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_fields[] = {
	/* name                           type                     since until null   tag     default entity */
	F("ThrottleTimeMs",               INT32,                   0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("AllowReplicationFactorChange", BOOL,                    1,    LAST, NEVER, NO_TAG, "true", NONE),
	F("ErrorCode",                    INT16,                   0,    LAST, NEVER, NO_TAG, NULL,   ERROR_CODE),
	F("ErrorMessage",                 STRING,                  0,    LAST, 0,     NO_TAG, NULL,   ERROR_TEXT),
	F("Responses",                    STRUCTS(response_topic), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};
/* clang-format on */

static const struct kp_message request = {
	.name = "AlterPartitionReassignmentsRequest",
	.api_key = 45,
	.min_version = 0,
	.max_version = 1,
	.flexible_since = 0,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "AlterPartitionReassignmentsResponse",
	.api_key = 45,
	.min_version = 0,
	.max_version = 1,
	.flexible_since = 0,
	.fields = response_fields,
};

const struct kp_api kp_api_alter_partition_reassignments = {
	.name = "AlterPartitionReassignments",
	.key = 45,
	.request = &request,
	.response = &response,
};
