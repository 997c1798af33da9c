/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DescribeCluster (KIP-700). Brokers or controllers since v1 (KIP-919), fenced
 * brokers since v2 (KIP-1073). @thread any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_fields[] = {
	/* name                                 type  since until null   tag     default entity */
	F("IncludeClusterAuthorizedOperations", BOOL, 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("EndpointType",                       INT8, 1,    LAST, NEVER, NO_TAG, "1",    NONE),
	F("IncludeFencedBrokers",               BOOL, 2,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_broker[] = {
	/* name       type    since until null   tag     default entity */
	F("BrokerId", INT32,  0,    LAST, NEVER, NO_TAG, NULL,   ENDPOINT_NODE),
	F("Host",     STRING, 0,    LAST, NEVER, NO_TAG, NULL,   HOST),
	F("Port",     INT32,  0,    LAST, NEVER, NO_TAG, NULL,   PORT),
	F("Rack",     STRING, 0,    LAST, 0,     NO_TAG, "null", PLAIN),
	F("IsFenced", BOOL,   2,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_fields[] = {
	/* name                          type                      since until null   tag     default        entity */
	F("ThrottleTimeMs",              INT32,                    0,    LAST, NEVER, NO_TAG, NULL,          NONE),
	F("ErrorCode",                   INT16,                    0,    LAST, NEVER, NO_TAG, NULL,          ERROR_CODE),
	F("ErrorMessage",                STRING,                   0,    LAST, 0,     NO_TAG, "null",        ERROR_TEXT),
	F("EndpointType",                INT8,                     1,    LAST, NEVER, NO_TAG, "1",           NONE),
	F("ClusterId",                   STRING,                   0,    LAST, NEVER, NO_TAG, NULL,          CLUSTER_ID),
	F("ControllerId",                INT32,                    0,    LAST, NEVER, NO_TAG, "-1",          NODE_ID),
	F("Brokers",                     STRUCTS(response_broker), 0,    LAST, NEVER, NO_TAG, NULL,          ENDPOINTS),
	F("ClusterAuthorizedOperations", INT32,                    0,    LAST, NEVER, NO_TAG, "-2147483648", NONE),
	END,
};
/* clang-format on */

static const struct kp_message request = {
	.name = "DescribeClusterRequest",
	.api_key = 60,
	.min_version = 0,
	.max_version = 2,
	.flexible_since = 0,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "DescribeClusterResponse",
	.api_key = 60,
	.min_version = 0,
	.max_version = 2,
	.flexible_since = 0,
	.fields = response_fields,
};

const struct kp_api kp_api_describe_cluster = {
	.name = "DescribeCluster",
	.key = 60,
	.request = &request,
	.response = &response,
};
