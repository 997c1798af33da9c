/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Metadata: brokers, topics and who leads what. In v0 an empty array asks for
 * all topics, later null does. Cluster id since v2 (KIP-78), allowed
 * operations since v8 (KIP-430), topic ids since v10, usable since v12
 * (KIP-516), an error of its own since v13 (KIP-1102). @thread any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_topic[] = {
	/* name      type    since until null   tag     default entity */
	F("TopicId", UUID,   10,   LAST, NEVER, NO_TAG, NULL,   TOPIC_ID),
	F("Name",    STRING, 0,    LAST, 10,    NO_TAG, NULL,   TOPIC_NAME),
	END,
};

static const struct kp_field request_fields[] = {
	/* name                                 type                    since until null   tag     default entity */
	F("Topics",                             STRUCTS(request_topic), 0,    LAST, 1,     NO_TAG, NULL,   NONE),
	F("AllowAutoTopicCreation",             BOOL,                   4,    LAST, NEVER, NO_TAG, "true", NONE),
	F("IncludeClusterAuthorizedOperations", BOOL,                   8,    10,   NEVER, NO_TAG, NULL,   NONE),
	F("IncludeTopicAuthorizedOperations",   BOOL,                   8,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_broker[] = {
	/* name     type    since until null   tag     default entity */
	F("NodeId", INT32,  0,    LAST, NEVER, NO_TAG, NULL,   ENDPOINT_NODE),
	F("Host",   STRING, 0,    LAST, NEVER, NO_TAG, NULL,   HOST),
	F("Port",   INT32,  0,    LAST, NEVER, NO_TAG, NULL,   PORT),
	F("Rack",   STRING, 1,    LAST, 1,     NO_TAG, "null", PLAIN),
	END,
};

static const struct kp_field response_partition[] = {
	/* name              type          since until null   tag     default entity */
	F("ErrorCode",       INT16,        0,    LAST, NEVER, NO_TAG, NULL,   ERROR_CODE),
	F("PartitionIndex",  INT32,        0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("LeaderId",        INT32,        0,    LAST, NEVER, NO_TAG, NULL,   NODE_ID),
	F("LeaderEpoch",     INT32,        7,    LAST, NEVER, NO_TAG, "-1",   NONE),
	F("ReplicaNodes",    ARRAY(INT32), 0,    LAST, NEVER, NO_TAG, NULL,   NODE_ID),
	F("IsrNodes",        ARRAY(INT32), 0,    LAST, NEVER, NO_TAG, NULL,   NODE_ID),
	F("OfflineReplicas", ARRAY(INT32), 5,    LAST, NEVER, NO_TAG, NULL,   NODE_ID),
	END,
};

static const struct kp_field response_topic[] = {
	/* name                        type                         since until null   tag     default        entity */
	F("ErrorCode",                 INT16,                       0,    LAST, NEVER, NO_TAG, NULL,          ERROR_CODE),
	F("Name",                      STRING,                      0,    LAST, 12,    NO_TAG, NULL,          TOPIC_NAME),
	F("TopicId",                   UUID,                        10,   LAST, NEVER, NO_TAG, NULL,          TOPIC_ID),
	F("IsInternal",                BOOL,                        1,    LAST, NEVER, NO_TAG, "false",       NONE),
	F("Partitions",                STRUCTS(response_partition), 0,    LAST, NEVER, NO_TAG, NULL,          NONE),
	F("TopicAuthorizedOperations", INT32,                       8,    LAST, NEVER, NO_TAG, "-2147483648", NONE),
	END,
};

static const struct kp_field response_fields[] = {
	/* name                          type                      since until null   tag     default        entity */
	F("ThrottleTimeMs",              INT32,                    3,    LAST, NEVER, NO_TAG, NULL,          NONE),
	F("Brokers",                     STRUCTS(response_broker), 0,    LAST, NEVER, NO_TAG, NULL,          ENDPOINTS),
	F("ClusterId",                   STRING,                   2,    LAST, 2,     NO_TAG, "null",        CLUSTER_ID),
	F("ControllerId",                INT32,                    1,    LAST, NEVER, NO_TAG, "-1",          NODE_ID),
	F("Topics",                      STRUCTS(response_topic),  0,    LAST, NEVER, NO_TAG, NULL,          NONE),
	F("ClusterAuthorizedOperations", INT32,                    8,    10,   NEVER, NO_TAG, "-2147483648", NONE),
	F("ErrorCode",                   INT16,                    13,   LAST, NEVER, NO_TAG, NULL,          ERROR_CODE),
	END,
};
/* clang-format on */

static const struct kp_message request = {
	.name = "MetadataRequest",
	.api_key = 3,
	.min_version = 0,
	.max_version = 13,
	.flexible_since = 9,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "MetadataResponse",
	.api_key = 3,
	.min_version = 0,
	.max_version = 13,
	.flexible_since = 9,
	.fields = response_fields,
};

const struct kp_api kp_api_metadata = {
	.name = "Metadata",
	.key = 3,
	.request = &request,
	.response = &response,
};
