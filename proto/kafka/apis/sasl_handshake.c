/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SaslHandshake: choice of the mechanism (KIP-43). Never flexible. v1 says
 * that SaslAuthenticate follows (KIP-152), v0 that bare tokens do. @thread any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_fields[] = {
	/* name        type    since until null   tag     default entity */
	F("Mechanism", STRING, 0,    LAST, NEVER, NO_TAG, NULL,   SASL_MECHANISM),
	END,
};

static const struct kp_field response_fields[] = {
	/* name         type           since until null   tag     default entity */
	F("ErrorCode",  INT16,         0,    LAST, NEVER, NO_TAG, NULL,   ERROR_CODE),
	F("Mechanisms", ARRAY(STRING), 0,    LAST, NEVER, NO_TAG, NULL,   SASL_MECHANISM),
	END,
};
/* clang-format on */

static const struct kp_message request = {
	.name = "SaslHandshakeRequest",
	.api_key = 17,
	.min_version = 0,
	.max_version = 1,
	.flexible_since = KP_NEVER_SINCE,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "SaslHandshakeResponse",
	.api_key = 17,
	.min_version = 0,
	.max_version = 1,
	.flexible_since = KP_NEVER_SINCE,
	.fields = response_fields,
};

const struct kp_api kp_api_sasl_handshake = {
	.name = "SaslHandshake",
	.key = 17,
	.request = &request,
	.response = &response,
};
