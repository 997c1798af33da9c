/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ApiVersions (KIP-35): what the peer speaks. Software of the client since v3
 * (KIP-511) as are features (KIP-584), expected cluster and node since v5
 * (KIP-1242). The answer's header is v0 always. @thread any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_fields[] = {
	/* name                    type    since until null   tag     default entity */
	F("ClientSoftwareName",    STRING, 3,    LAST, NEVER, NO_TAG, NULL,   PLAIN),
	F("ClientSoftwareVersion", STRING, 3,    LAST, NEVER, NO_TAG, NULL,   PLAIN),
	F("ClusterId",             STRING, 5,    LAST, 5,     NO_TAG, "null", CLUSTER_ID),
	F("NodeId",                INT32,  5,    LAST, NEVER, NO_TAG, "-1",   NODE_ID),
	END,
};

static const struct kp_field response_api_key[] = {
	/* name         type   since until null   tag     default entity */
	F("ApiKey",     INT16, 0,    LAST, NEVER, NO_TAG, NULL,   API_KEY),
	F("MinVersion", INT16, 0,    LAST, NEVER, NO_TAG, NULL,   API_MIN),
	F("MaxVersion", INT16, 0,    LAST, NEVER, NO_TAG, NULL,   API_MAX),
	END,
};

static const struct kp_field response_supported_feature[] = {
	/* name         type    since until null   tag     default entity */
	F("Name",       STRING, 3,    LAST, NEVER, NO_TAG, NULL,   PLAIN),
	F("MinVersion", INT16,  3,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("MaxVersion", INT16,  3,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_finalized_feature[] = {
	/* name              type    since until null   tag     default entity */
	F("Name",            STRING, 3,    LAST, NEVER, NO_TAG, NULL,   PLAIN),
	F("MaxVersionLevel", INT16,  3,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("MinVersionLevel", INT16,  3,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_fields[] = {
	/* name                     type                                 since until null   tag        default  entity */
	F("ErrorCode",              INT16,                               0,    LAST, NEVER, NO_TAG,    NULL,    ERROR_CODE),
	F("ApiKeys",                STRUCTS(response_api_key),           0,    LAST, NEVER, NO_TAG,    NULL,    API_KEY),
	F("ThrottleTimeMs",         INT32,                               1,    LAST, NEVER, NO_TAG,    NULL,    NONE),
	F("SupportedFeatures",      STRUCTS(response_supported_feature), 3,    LAST, NEVER, TAG(0, 3), NULL,    NONE),
	F("FinalizedFeaturesEpoch", INT64,                               3,    LAST, NEVER, TAG(1, 3), "-1",    NONE),
	F("FinalizedFeatures",      STRUCTS(response_finalized_feature), 3,    LAST, NEVER, TAG(2, 3), NULL,    NONE),
	F("ZkMigrationReady",       BOOL,                                3,    LAST, NEVER, TAG(3, 3), "false", NONE),
	END,
};
/* clang-format on */

static const struct kp_message request = {
	.name = "ApiVersionsRequest",
	.api_key = 18,
	.min_version = 0,
	.max_version = 5,
	.flexible_since = 3,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "ApiVersionsResponse",
	.api_key = 18,
	.min_version = 0,
	.max_version = 5,
	.flexible_since = 3,
	.fields = response_fields,
};

const struct kp_api kp_api_api_versions = {
	.name = "ApiVersions",
	.key = 18,
	.request = &request,
	.response = &response,
};
