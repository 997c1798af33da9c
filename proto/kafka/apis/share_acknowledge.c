/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ShareAcknowledge (KIP-932). v0 is the early access of 4.0; renewing since v2
 * (KIP-1222). NodeEndpoints is no tagged field here. @thread any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_acknowledgement_batch[] = {
	/* name               type         since until null   tag     default entity */
	F("FirstOffset",      INT64,       0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("LastOffset",       INT64,       0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("AcknowledgeTypes", ARRAY(INT8), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field request_partition[] = {
	/* name                     type                                    since until null   tag     default entity */
	F("PartitionIndex",         INT32,                                  0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("AcknowledgementBatches", STRUCTS(request_acknowledgement_batch), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field request_topic[] = {
	/* name         type                        since until null   tag     default entity */
	F("TopicId",    UUID,                       0,    LAST, NEVER, NO_TAG, NULL,   TOPIC_ID),
	F("Partitions", STRUCTS(request_partition), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field request_fields[] = {
	/* name                type                    since until null   tag     default  entity */
	F("GroupId",           STRING,                 0,    LAST, 0,     NO_TAG, "null",  GROUP_ID),
	F("MemberId",          STRING,                 0,    LAST, 0,     NO_TAG, NULL,    MEMBER),
	F("ShareSessionEpoch", INT32,                  0,    LAST, NEVER, NO_TAG, NULL,    NONE),
	F("IsRenewAck",        BOOL,                   2,    LAST, NEVER, NO_TAG, "false", NONE),
	F("Topics",            STRUCTS(request_topic), 0,    LAST, NEVER, NO_TAG, NULL,    NONE),
	END,
};

static const struct kp_field response_current_leader[] = {
	/* name          type   since until null   tag     default entity */
	F("LeaderId",    INT32, 0,    LAST, NEVER, NO_TAG, NULL,   NODE_ID),
	F("LeaderEpoch", INT32, 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_partition[] = {
	/* name             type                             since until null   tag     default entity */
	F("PartitionIndex", INT32,                           0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("ErrorCode",      INT16,                           0,    LAST, NEVER, NO_TAG, NULL,   ERROR_CODE),
	F("ErrorMessage",   STRING,                          0,    LAST, 0,     NO_TAG, "null", ERROR_TEXT),
	F("CurrentLeader",  STRUCT(response_current_leader), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_topic[] = {
	/* name         type                         since until null   tag     default entity */
	F("TopicId",    UUID,                        0,    LAST, NEVER, NO_TAG, NULL,   TOPIC_ID),
	F("Partitions", STRUCTS(response_partition), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_node_endpoint[] = {
	/* name     type    since until null   tag     default entity */
	F("NodeId", INT32,  0,    LAST, NEVER, NO_TAG, NULL,   ENDPOINT_NODE),
	F("Host",   STRING, 0,    LAST, NEVER, NO_TAG, NULL,   HOST),
	F("Port",   INT32,  0,    LAST, NEVER, NO_TAG, NULL,   PORT),
	F("Rack",   STRING, 0,    LAST, 0,     NO_TAG, "null", PLAIN),
	END,
};

static const struct kp_field response_fields[] = {
	/* name                       type                             since until null   tag     default entity */
	F("ThrottleTimeMs",           INT32,                           0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("ErrorCode",                INT16,                           0,    LAST, NEVER, NO_TAG, NULL,   ERROR_CODE),
	F("ErrorMessage",             STRING,                          0,    LAST, 0,     NO_TAG, "null", ERROR_TEXT),
	F("AcquisitionLockTimeoutMs", INT32,                           2,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("Responses",                STRUCTS(response_topic),         0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("NodeEndpoints",            STRUCTS(response_node_endpoint), 0,    LAST, NEVER, NO_TAG, NULL,   ENDPOINTS),
	END,
};
/* clang-format on */

static const struct kp_message request = {
	.name = "ShareAcknowledgeRequest",
	.api_key = 79,
	.min_version = 0,
	.max_version = 2,
	.flexible_since = 0,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "ShareAcknowledgeResponse",
	.api_key = 79,
	.min_version = 0,
	.max_version = 2,
	.flexible_since = 0,
	.fields = response_fields,
};

const struct kp_api kp_api_share_acknowledge = {
	.name = "ShareAcknowledge",
	.key = 79,
	.request = &request,
	.response = &response,
};
