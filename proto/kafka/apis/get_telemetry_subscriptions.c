/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GetTelemetrySubscriptions (KIP-714): which metrics a client shall push.
 * @thread any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_fields[] = {
	/* name               type  since until null   tag     default entity */
	F("ClientInstanceId", UUID, 0,    LAST, NEVER, NO_TAG, NULL,   CLIENT_INSTANCE),
	END,
};

static const struct kp_field response_fields[] = {
	/* name                       type           since until null   tag     default entity */
	F("ThrottleTimeMs",           INT32,         0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("ErrorCode",                INT16,         0,    LAST, NEVER, NO_TAG, NULL,   ERROR_CODE),
	F("ClientInstanceId",         UUID,          0,    LAST, NEVER, NO_TAG, NULL,   CLIENT_INSTANCE),
	F("SubscriptionId",           INT32,         0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("AcceptedCompressionTypes", ARRAY(INT8),   0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("PushIntervalMs",           INT32,         0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("TelemetryMaxBytes",        INT32,         0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("DeltaTemporality",         BOOL,          0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("RequestedMetrics",         ARRAY(STRING), 0,    LAST, NEVER, NO_TAG, NULL,   TELEMETRY),
	END,
};
/* clang-format on */

static const struct kp_message request = {
	.name = "GetTelemetrySubscriptionsRequest",
	.api_key = 71,
	.min_version = 0,
	.max_version = 0,
	.flexible_since = 0,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "GetTelemetrySubscriptionsResponse",
	.api_key = 71,
	.min_version = 0,
	.max_version = 0,
	.flexible_since = 0,
	.fields = response_fields,
};

const struct kp_api kp_api_get_telemetry_subscriptions = {
	.name = "GetTelemetrySubscriptions",
	.key = 71,
	.request = &request,
	.response = &response,
};
