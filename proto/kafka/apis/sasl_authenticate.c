/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SaslAuthenticate (KIP-152): one token each way. Life time of the session
 * since v1 (KIP-368). @thread any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_fields[] = {
	/* name        type   since until null   tag     default entity */
	F("AuthBytes", BYTES, 0,    LAST, NEVER, NO_TAG, NULL,   SASL_BYTES),
	END,
};

static const struct kp_field response_fields[] = {
	/* name                type    since until null   tag     default entity */
	F("ErrorCode",         INT16,  0,    LAST, NEVER, NO_TAG, NULL,   ERROR_CODE),
	F("ErrorMessage",      STRING, 0,    LAST, 0,     NO_TAG, NULL,   ERROR_TEXT),
	F("AuthBytes",         BYTES,  0,    LAST, NEVER, NO_TAG, NULL,   SASL_BYTES),
	F("SessionLifetimeMs", INT64,  1,    LAST, NEVER, NO_TAG, "0",    NONE),
	END,
};
/* clang-format on */

static const struct kp_message request = {
	.name = "SaslAuthenticateRequest",
	.api_key = 36,
	.min_version = 0,
	.max_version = 2,
	.flexible_since = 2,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "SaslAuthenticateResponse",
	.api_key = 36,
	.min_version = 0,
	.max_version = 2,
	.flexible_since = 2,
	.fields = response_fields,
};

const struct kp_api kp_api_sasl_authenticate = {
	.name = "SaslAuthenticate",
	.key = 36,
	.request = &request,
	.response = &response,
};
