/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DescribeDelegationToken (KIP-48). Requester since v3 (KIP-373). The answer
 * carries secrets. @thread any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_owner[] = {
	/* name            type    since until null   tag     default entity */
	F("PrincipalType", STRING, 0,    LAST, NEVER, NO_TAG, NULL,   PRINCIPAL_TYPE),
	F("PrincipalName", STRING, 0,    LAST, NEVER, NO_TAG, NULL,   PRINCIPAL),
	END,
};

static const struct kp_field request_fields[] = {
	/* name     type                    since until null tag     default entity */
	F("Owners", STRUCTS(request_owner), 0,    LAST, 0,   NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_renewer[] = {
	/* name            type    since until null   tag     default entity */
	F("PrincipalType", STRING, 0,    LAST, NEVER, NO_TAG, NULL,   PRINCIPAL_TYPE),
	F("PrincipalName", STRING, 0,    LAST, NEVER, NO_TAG, NULL,   PRINCIPAL),
	END,
};

static const struct kp_field response_token[] = {
	/* name                          type                       since until null   tag     default entity */
	F("PrincipalType",               STRING,                    0,    LAST, NEVER, NO_TAG, NULL,   PRINCIPAL_TYPE),
	F("PrincipalName",               STRING,                    0,    LAST, NEVER, NO_TAG, NULL,   PRINCIPAL),
	F("TokenRequesterPrincipalType", STRING,                    3,    LAST, NEVER, NO_TAG, NULL,   PRINCIPAL_TYPE),
	F("TokenRequesterPrincipalName", STRING,                    3,    LAST, NEVER, NO_TAG, NULL,   PRINCIPAL),
	F("IssueTimestamp",              INT64,                     0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("ExpiryTimestamp",             INT64,                     0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("MaxTimestamp",                INT64,                     0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("TokenId",                     STRING,                    0,    LAST, NEVER, NO_TAG, NULL,   SECRET),
	F("Hmac",                        BYTES,                     0,    LAST, NEVER, NO_TAG, NULL,   SECRET),
	F("Renewers",                    STRUCTS(response_renewer), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_fields[] = {
	/* name             type                     since until null   tag     default entity */
	F("ErrorCode",      INT16,                   0,    LAST, NEVER, NO_TAG, NULL,   ERROR_CODE),
	F("Tokens",         STRUCTS(response_token), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("ThrottleTimeMs", INT32,                   0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};
/* clang-format on */

static const struct kp_message request = {
	.name = "DescribeDelegationTokenRequest",
	.api_key = 41,
	.min_version = 0,
	.max_version = 3,
	.flexible_since = 2,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "DescribeDelegationTokenResponse",
	.api_key = 41,
	.min_version = 0,
	.max_version = 3,
	.flexible_since = 2,
	.fields = response_fields,
};

const struct kp_api kp_api_describe_delegation_token = {
	.name = "DescribeDelegationToken",
	.key = 41,
	.request = &request,
	.response = &response,
};
