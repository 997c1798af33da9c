/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UnregisterBroker (KIP-500). @thread any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_fields[] = {
	/* name       type   since until null   tag     default entity */
	F("BrokerId", INT32, 0,    LAST, NEVER, NO_TAG, NULL,   NODE_ID),
	END,
};

static const struct kp_field response_fields[] = {
	/* name             type    since until null   tag     default entity */
	F("ThrottleTimeMs", INT32,  0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("ErrorCode",      INT16,  0,    LAST, NEVER, NO_TAG, NULL,   ERROR_CODE),
	F("ErrorMessage",   STRING, 0,    LAST, 0,     NO_TAG, NULL,   ERROR_TEXT),
	END,
};
/* clang-format on */

static const struct kp_message request = {
	.name = "UnregisterBrokerRequest",
	.api_key = 64,
	.min_version = 0,
	.max_version = 0,
	.flexible_since = 0,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "UnregisterBrokerResponse",
	.api_key = 64,
	.min_version = 0,
	.max_version = 0,
	.flexible_since = 0,
	.fields = response_fields,
};

const struct kp_api kp_api_unregister_broker = {
	.name = "UnregisterBroker",
	.key = 64,
	.request = &request,
	.response = &response,
};
