/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ElectLeaders (KIP-183). Unclean elections and an error of its own since v1
 * (KIP-460). @thread any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_topic_partition[] = {
	/* name         type          since until null   tag     default entity */
	F("Topic",      STRING,       0,    LAST, NEVER, NO_TAG, NULL,   TOPIC_NAME),
	F("Partitions", ARRAY(INT32), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field request_fields[] = {
	/* name              type                              since until null   tag     default  entity */
	F("ElectionType",    INT8,                             1,    LAST, NEVER, NO_TAG, NULL,    NONE),
	F("TopicPartitions", STRUCTS(request_topic_partition), 0,    LAST, 0,     NO_TAG, NULL,    NONE),
	F("TimeoutMs",       INT32,                            0,    LAST, NEVER, NO_TAG, "60000", NONE),
	END,
};

static const struct kp_field response_partition_result[] = {
	/* name           type    since until null   tag     default entity */
	F("PartitionId",  INT32,  0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("ErrorCode",    INT16,  0,    LAST, NEVER, NO_TAG, NULL,   ERROR_CODE),
	F("ErrorMessage", STRING, 0,    LAST, 0,     NO_TAG, NULL,   ERROR_TEXT),
	END,
};

static const struct kp_field response_replica_election_result[] = {
	/* name              type                                since until null   tag     default entity */
	F("Topic",           STRING,                             0,    LAST, NEVER, NO_TAG, NULL,   TOPIC_NAME),
	F("PartitionResult", STRUCTS(response_partition_result), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_fields[] = {
	/* name                     type                                       since until null   tag     default entity */
	F("ThrottleTimeMs",         INT32,                                     0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("ErrorCode",              INT16,                                     1,    LAST, NEVER, NO_TAG, NULL,   ERROR_CODE),
	F("ReplicaElectionResults", STRUCTS(response_replica_election_result), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};
/* clang-format on */

static const struct kp_message request = {
	.name = "ElectLeadersRequest",
	.api_key = 43,
	.min_version = 0,
	.max_version = 2,
	.flexible_since = 2,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "ElectLeadersResponse",
	.api_key = 43,
	.min_version = 0,
	.max_version = 2,
	.flexible_since = 2,
	.fields = response_fields,
};

const struct kp_api kp_api_elect_leaders = {
	.name = "ElectLeaders",
	.key = 43,
	.request = &request,
	.response = &response,
};
