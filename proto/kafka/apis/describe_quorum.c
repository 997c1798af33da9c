/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DescribeQuorum (KIP-595). Times of replicas since v1 (KIP-836), texts,
 * directory ids and addresses of controllers since v2 (KIP-853). @thread any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_partition[] = {
	/* name             type   since until null   tag     default entity */
	F("PartitionIndex", INT32, 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field request_topic[] = {
	/* name         type                        since until null   tag     default entity */
	F("TopicName",  STRING,                     0,    LAST, NEVER, NO_TAG, NULL,   TOPIC_NAME),
	F("Partitions", STRUCTS(request_partition), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field request_fields[] = {
	/* name     type                    since until null   tag     default entity */
	F("Topics", STRUCTS(request_topic), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_replica_state[] = {
	/* name                    type   since until null   tag     default entity */
	F("ReplicaId",             INT32, 0,    LAST, NEVER, NO_TAG, NULL,   NODE_ID),
	F("ReplicaDirectoryId",    UUID,  2,    LAST, NEVER, NO_TAG, NULL,   DIRECTORY),
	F("LogEndOffset",          INT64, 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("LastFetchTimestamp",    INT64, 1,    LAST, NEVER, NO_TAG, "-1",   NONE),
	F("LastCaughtUpTimestamp", INT64, 1,    LAST, NEVER, NO_TAG, "-1",   NONE),
	END,
};

static const struct kp_field response_partition[] = {
	/* name             type                             since until null   tag     default entity */
	F("PartitionIndex", INT32,                           0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("ErrorCode",      INT16,                           0,    LAST, NEVER, NO_TAG, NULL,   ERROR_CODE),
	F("ErrorMessage",   STRING,                          2,    LAST, 2,     NO_TAG, NULL,   ERROR_TEXT),
	F("LeaderId",       INT32,                           0,    LAST, NEVER, NO_TAG, NULL,   NODE_ID),
	F("LeaderEpoch",    INT32,                           0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("HighWatermark",  INT64,                           0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("CurrentVoters",  STRUCTS(response_replica_state), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("Observers",      STRUCTS(response_replica_state), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_topic[] = {
	/* name         type                         since until null   tag     default entity */
	F("TopicName",  STRING,                      0,    LAST, NEVER, NO_TAG, NULL,   TOPIC_NAME),
	F("Partitions", STRUCTS(response_partition), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_listener[] = {
	/* name   type    since until null   tag     default entity */
	F("Name", STRING, 2,    LAST, NEVER, NO_TAG, NULL,   LISTENER),
	F("Host", STRING, 2,    LAST, NEVER, NO_TAG, NULL,   HOST),
	F("Port", UINT16, 2,    LAST, NEVER, NO_TAG, NULL,   PORT),
	END,
};

static const struct kp_field response_node[] = {
	/* name        type                        since until null   tag     default entity */
	F("NodeId",    INT32,                      2,    LAST, NEVER, NO_TAG, NULL,   NODE_ID),
	F("Listeners", STRUCTS(response_listener), 2,    LAST, NEVER, NO_TAG, NULL,   ENDPOINTS),
	END,
};

static const struct kp_field response_fields[] = {
	/* name           type                     since until null   tag     default entity */
	F("ErrorCode",    INT16,                   0,    LAST, NEVER, NO_TAG, NULL,   ERROR_CODE),
	F("ErrorMessage", STRING,                  2,    LAST, 2,     NO_TAG, NULL,   ERROR_TEXT),
	F("Topics",       STRUCTS(response_topic), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("Nodes",        STRUCTS(response_node),  2,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};
/* clang-format on */

static const struct kp_message request = {
	.name = "DescribeQuorumRequest",
	.api_key = 55,
	.min_version = 0,
	.max_version = 2,
	.flexible_since = 0,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "DescribeQuorumResponse",
	.api_key = 55,
	.min_version = 0,
	.max_version = 2,
	.flexible_since = 0,
	.fields = response_fields,
};

const struct kp_api kp_api_describe_quorum = {
	.name = "DescribeQuorum",
	.key = 55,
	.request = &request,
	.response = &response,
};
