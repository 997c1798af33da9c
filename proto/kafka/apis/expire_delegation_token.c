/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ExpireDelegationToken (KIP-48): the secret itself names the token. @thread
 * any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_fields[] = {
	/* name                 type   since until null   tag     default entity */
	F("Hmac",               BYTES, 0,    LAST, NEVER, NO_TAG, NULL,   SECRET),
	F("ExpiryTimePeriodMs", INT64, 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_fields[] = {
	/* name                type   since until null   tag     default entity */
	F("ErrorCode",         INT16, 0,    LAST, NEVER, NO_TAG, NULL,   ERROR_CODE),
	F("ExpiryTimestampMs", INT64, 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("ThrottleTimeMs",    INT32, 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};
/* clang-format on */

static const struct kp_message request = {
	.name = "ExpireDelegationTokenRequest",
	.api_key = 40,
	.min_version = 0,
	.max_version = 2,
	.flexible_since = 2,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "ExpireDelegationTokenResponse",
	.api_key = 40,
	.min_version = 0,
	.max_version = 2,
	.flexible_since = 2,
	.fields = response_fields,
};

const struct kp_api kp_api_expire_delegation_token = {
	.name = "ExpireDelegationToken",
	.key = 40,
	.request = &request,
	.response = &response,
};
