/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ListPartitionReassignments (KIP-455). @thread any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_topic[] = {
	/* name               type          since until null   tag     default entity */
	F("Name",             STRING,       0,    LAST, NEVER, NO_TAG, NULL,   TOPIC_NAME),
	F("PartitionIndexes", ARRAY(INT32), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field request_fields[] = {
	/* name        type                    since until null   tag     default  entity */
	F("TimeoutMs", INT32,                  0,    LAST, NEVER, NO_TAG, "60000", NONE),
	F("Topics",    STRUCTS(request_topic), 0,    LAST, 0,     NO_TAG, "null",  NONE),
	END,
};

static const struct kp_field response_partition[] = {
	/* name               type          since until null   tag     default entity */
	F("PartitionIndex",   INT32,        0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("Replicas",         ARRAY(INT32), 0,    LAST, NEVER, NO_TAG, NULL,   NODE_ID),
	F("AddingReplicas",   ARRAY(INT32), 0,    LAST, NEVER, NO_TAG, NULL,   NODE_ID),
	F("RemovingReplicas", ARRAY(INT32), 0,    LAST, NEVER, NO_TAG, NULL,   NODE_ID),
	END,
};

static const struct kp_field response_topic[] = {
	/* name         type                         since until null   tag     default entity */
	F("Name",       STRING,                      0,    LAST, NEVER, NO_TAG, NULL,   TOPIC_NAME),
	F("Partitions", STRUCTS(response_partition), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_fields[] = {
	/* name             type                     since until null   tag     default entity */
	F("ThrottleTimeMs", INT32,                   0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("ErrorCode",      INT16,                   0,    LAST, NEVER, NO_TAG, NULL,   ERROR_CODE),
	F("ErrorMessage",   STRING,                  0,    LAST, 0,     NO_TAG, NULL,   ERROR_TEXT),
	F("Topics",         STRUCTS(response_topic), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};
/* clang-format on */

static const struct kp_message request = {
	.name = "ListPartitionReassignmentsRequest",
	.api_key = 46,
	.min_version = 0,
	.max_version = 0,
	.flexible_since = 0,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "ListPartitionReassignmentsResponse",
	.api_key = 46,
	.min_version = 0,
	.max_version = 0,
	.flexible_since = 0,
	.fields = response_fields,
};

const struct kp_api kp_api_list_partition_reassignments = {
	.name = "ListPartitionReassignments",
	.key = 46,
	.request = &request,
	.response = &response,
};
