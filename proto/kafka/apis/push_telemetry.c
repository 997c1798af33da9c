/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PushTelemetry (KIP-714): metrics of a client, as OTLP bytes. @thread any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_fields[] = {
	/* name               type   since until null   tag     default entity */
	F("ClientInstanceId", UUID,  0,    LAST, NEVER, NO_TAG, NULL,   CLIENT_INSTANCE),
	F("SubscriptionId",   INT32, 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("Terminating",      BOOL,  0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("CompressionType",  INT8,  0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("Metrics",          BYTES, 0,    LAST, NEVER, NO_TAG, NULL,   TELEMETRY),
	END,
};

static const struct kp_field response_fields[] = {
	/* name             type   since until null   tag     default entity */
	F("ThrottleTimeMs", INT32, 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("ErrorCode",      INT16, 0,    LAST, NEVER, NO_TAG, NULL,   ERROR_CODE),
	END,
};
/* clang-format on */

static const struct kp_message request = {
	.name = "PushTelemetryRequest",
	.api_key = 72,
	.min_version = 0,
	.max_version = 0,
	.flexible_since = 0,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "PushTelemetryResponse",
	.api_key = 72,
	.min_version = 0,
	.max_version = 0,
	.flexible_since = 0,
	.fields = response_fields,
};

const struct kp_api kp_api_push_telemetry = {
	.name = "PushTelemetry",
	.key = 72,
	.request = &request,
	.response = &response,
};
