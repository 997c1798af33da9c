/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fetch: record batches from the log. Sessions since v7 (KIP-227), nearest
 * replica since v11 (KIP-392), quorum fields since v12 (KIP-595), topic ids
 * instead of names since v13 (KIP-516), replica state since v15 (KIP-903),
 * node endpoints since v16 (KIP-951), directory ids since v17 (KIP-853), high
 * watermark in the request since v18 (KIP-1166). @thread any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_replica_state[] = {
	/* name           type   since until null   tag     default entity */
	F("ReplicaId",    INT32, 15,   LAST, NEVER, NO_TAG, "-1",   NODE_ID),
	F("ReplicaEpoch", INT64, 15,   LAST, NEVER, NO_TAG, "-1",   NONE),
	END,
};

static const struct kp_field request_partition[] = {
	/* name                 type   since until null   tag         default                entity */
	F("Partition",          INT32, 0,    LAST, NEVER, NO_TAG,     NULL,                  NONE),
	F("CurrentLeaderEpoch", INT32, 9,    LAST, NEVER, NO_TAG,     "-1",                  NONE),
	F("FetchOffset",        INT64, 0,    LAST, NEVER, NO_TAG,     NULL,                  NONE),
	F("LastFetchedEpoch",   INT32, 12,   LAST, NEVER, NO_TAG,     "-1",                  NONE),
	F("LogStartOffset",     INT64, 5,    LAST, NEVER, NO_TAG,     "-1",                  NONE),
	F("PartitionMaxBytes",  INT32, 0,    LAST, NEVER, NO_TAG,     NULL,                  NONE),
	F("ReplicaDirectoryId", UUID,  17,   LAST, NEVER, TAG(0, 17), NULL,                  DIRECTORY),
	F("HighWatermark",      INT64, 18,   LAST, NEVER, TAG(1, 18), "9223372036854775807", NONE),
	END,
};

static const struct kp_field request_topic[] = {
	/* name         type                        since until null   tag     default entity */
	F("Topic",      STRING,                     0,    12,   NEVER, NO_TAG, NULL,   TOPIC_NAME),
	F("TopicId",    UUID,                       13,   LAST, NEVER, NO_TAG, NULL,   TOPIC_ID),
	F("Partitions", STRUCTS(request_partition), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field request_forgotten_topics_data[] = {
	/* name         type          since until null   tag     default entity */
	F("Topic",      STRING,       7,    12,   NEVER, NO_TAG, NULL,   TOPIC_NAME),
	F("TopicId",    UUID,         13,   LAST, NEVER, NO_TAG, NULL,   TOPIC_ID),
	F("Partitions", ARRAY(INT32), 7,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field request_fields[] = {
	/* name                  type                                    since until null   tag         default       entity */
	F("ClusterId",           STRING,                                 12,   LAST, 12,    TAG(0, 12), "null",       CLUSTER_ID),
	F("ReplicaId",           INT32,                                  0,    14,   NEVER, NO_TAG,     "-1",         NODE_ID),
	F("ReplicaState",        STRUCT(request_replica_state),          15,   LAST, NEVER, TAG(1, 15), NULL,         NONE),
	F("MaxWaitMs",           INT32,                                  0,    LAST, NEVER, NO_TAG,     NULL,         NONE),
	F("MinBytes",            INT32,                                  0,    LAST, NEVER, NO_TAG,     NULL,         NONE),
	F("MaxBytes",            INT32,                                  3,    LAST, NEVER, NO_TAG,     "0x7fffffff", NONE),
	F("IsolationLevel",      INT8,                                   4,    LAST, NEVER, NO_TAG,     "0",          NONE),
	F("SessionId",           INT32,                                  7,    LAST, NEVER, NO_TAG,     "0",          NONE),
	F("SessionEpoch",        INT32,                                  7,    LAST, NEVER, NO_TAG,     "-1",         NONE),
	F("Topics",              STRUCTS(request_topic),                 0,    LAST, NEVER, NO_TAG,     NULL,         NONE),
	F("ForgottenTopicsData", STRUCTS(request_forgotten_topics_data), 7,    LAST, NEVER, NO_TAG,     NULL,         NONE),
	F("RackId",              STRING,                                 11,   LAST, NEVER, NO_TAG,     "",           PLAIN),
	END,
};

static const struct kp_field response_diverging_epoch[] = {
	/* name        type   since until null   tag     default entity */
	F("Epoch",     INT32, 12,   LAST, NEVER, NO_TAG, "-1",   NONE),
	F("EndOffset", INT64, 12,   LAST, NEVER, NO_TAG, "-1",   NONE),
	END,
};

static const struct kp_field response_current_leader[] = {
	/* name          type   since until null   tag     default entity */
	F("LeaderId",    INT32, 12,   LAST, NEVER, NO_TAG, "-1",   NODE_ID),
	F("LeaderEpoch", INT32, 12,   LAST, NEVER, NO_TAG, "-1",   NONE),
	END,
};

static const struct kp_field response_snapshot_id[] = {
	/* name        type   since until null   tag     default entity */
	F("EndOffset", INT64, 0,    LAST, NEVER, NO_TAG, "-1",   NONE),
	F("Epoch",     INT32, 0,    LAST, NEVER, NO_TAG, "-1",   NONE),
	END,
};

static const struct kp_field response_aborted_transaction[] = {
	/* name          type   since until null   tag     default entity */
	F("ProducerId",  INT64, 4,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("FirstOffset", INT64, 4,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_partition[] = {
	/* name                   type                                   since until null   tag         default entity */
	F("PartitionIndex",       INT32,                                 0,    LAST, NEVER, NO_TAG,     NULL,   NONE),
	F("ErrorCode",            INT16,                                 0,    LAST, NEVER, NO_TAG,     NULL,   ERROR_CODE),
	F("HighWatermark",        INT64,                                 0,    LAST, NEVER, NO_TAG,     NULL,   NONE),
	F("LastStableOffset",     INT64,                                 4,    LAST, NEVER, NO_TAG,     "-1",   NONE),
	F("LogStartOffset",       INT64,                                 5,    LAST, NEVER, NO_TAG,     "-1",   NONE),
	F("DivergingEpoch",       STRUCT(response_diverging_epoch),      12,   LAST, NEVER, TAG(0, 12), NULL,   NONE),
	F("CurrentLeader",        STRUCT(response_current_leader),       12,   LAST, NEVER, TAG(1, 12), NULL,   NONE),
	F("SnapshotId",           STRUCT(response_snapshot_id),          12,   LAST, NEVER, TAG(2, 12), NULL,   NONE),
	F("AbortedTransactions",  STRUCTS(response_aborted_transaction), 4,    LAST, 4,     NO_TAG,     NULL,   NONE),
	F("PreferredReadReplica", INT32,                                 11,   LAST, NEVER, NO_TAG,     "-1",   NODE_ID),
	F("Records",              RECORDS,                               0,    LAST, 0,     NO_TAG,     NULL,   RECORDS),
	END,
};

static const struct kp_field response_topic[] = {
	/* name         type                         since until null   tag     default entity */
	F("Topic",      STRING,                      0,    12,   NEVER, NO_TAG, NULL,   TOPIC_NAME),
	F("TopicId",    UUID,                        13,   LAST, NEVER, NO_TAG, NULL,   TOPIC_ID),
	F("Partitions", STRUCTS(response_partition), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_node_endpoint[] = {
	/* name     type    since until null   tag     default entity */
	F("NodeId", INT32,  16,   LAST, NEVER, NO_TAG, NULL,   ENDPOINT_NODE),
	F("Host",   STRING, 16,   LAST, NEVER, NO_TAG, NULL,   HOST),
	F("Port",   INT32,  16,   LAST, NEVER, NO_TAG, NULL,   PORT),
	F("Rack",   STRING, 16,   LAST, 16,    NO_TAG, "null", PLAIN),
	END,
};

static const struct kp_field response_fields[] = {
	/* name             type                             since until null   tag         default entity */
	F("ThrottleTimeMs", INT32,                           1,    LAST, NEVER, NO_TAG,     NULL,   NONE),
	F("ErrorCode",      INT16,                           7,    LAST, NEVER, NO_TAG,     NULL,   ERROR_CODE),
	F("SessionId",      INT32,                           7,    LAST, NEVER, NO_TAG,     "0",    NONE),
	F("Responses",      STRUCTS(response_topic),         0,    LAST, NEVER, NO_TAG,     NULL,   NONE),
	F("NodeEndpoints",  STRUCTS(response_node_endpoint), 16,   LAST, NEVER, TAG(0, 16), NULL,   ENDPOINTS),
	END,
};
/* clang-format on */

static const struct kp_message request = {
	.name = "FetchRequest",
	.api_key = 1,
	.min_version = 0,
	.max_version = 18,
	.flexible_since = 12,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "FetchResponse",
	.api_key = 1,
	.min_version = 0,
	.max_version = 18,
	.flexible_since = 12,
	.fields = response_fields,
};

const struct kp_api kp_api_fetch = {
	.name = "Fetch",
	.key = 1,
	.request = &request,
	.response = &response,
};
