/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CreateDelegationToken (KIP-48). On behalf of another principal since v3
 * (KIP-373). The answer carries a secret. @thread any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_renewer[] = {
	/* name            type    since until null   tag     default entity */
	F("PrincipalType", STRING, 0,    LAST, NEVER, NO_TAG, NULL,   PRINCIPAL_TYPE),
	F("PrincipalName", STRING, 0,    LAST, NEVER, NO_TAG, NULL,   PRINCIPAL),
	END,
};

static const struct kp_field request_fields[] = {
	/* name                 type                      since until null   tag     default entity */
	F("OwnerPrincipalType", STRING,                   3,    LAST, 3,     NO_TAG, NULL,   PRINCIPAL_TYPE),
	F("OwnerPrincipalName", STRING,                   3,    LAST, 3,     NO_TAG, NULL,   PRINCIPAL),
	F("Renewers",           STRUCTS(request_renewer), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("MaxLifetimeMs",      INT64,                    0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_fields[] = {
	/* name                          type    since until null   tag     default entity */
	F("ErrorCode",                   INT16,  0,    LAST, NEVER, NO_TAG, NULL,   ERROR_CODE),
	F("PrincipalType",               STRING, 0,    LAST, NEVER, NO_TAG, NULL,   PRINCIPAL_TYPE),
	F("PrincipalName",               STRING, 0,    LAST, NEVER, NO_TAG, NULL,   PRINCIPAL),
	F("TokenRequesterPrincipalType", STRING, 3,    LAST, NEVER, NO_TAG, NULL,   PRINCIPAL_TYPE),
	F("TokenRequesterPrincipalName", STRING, 3,    LAST, NEVER, NO_TAG, NULL,   PRINCIPAL),
	F("IssueTimestampMs",            INT64,  0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("ExpiryTimestampMs",           INT64,  0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("MaxTimestampMs",              INT64,  0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("TokenId",                     STRING, 0,    LAST, NEVER, NO_TAG, NULL,   SECRET),
	F("Hmac",                        BYTES,  0,    LAST, NEVER, NO_TAG, NULL,   SECRET),
	F("ThrottleTimeMs",              INT32,  0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};
/* clang-format on */

static const struct kp_message request = {
	.name = "CreateDelegationTokenRequest",
	.api_key = 38,
	.min_version = 0,
	.max_version = 3,
	.flexible_since = 2,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "CreateDelegationTokenResponse",
	.api_key = 38,
	.min_version = 0,
	.max_version = 3,
	.flexible_since = 2,
	.fields = response_fields,
};

const struct kp_api kp_api_create_delegation_token = {
	.name = "CreateDelegationToken",
	.key = 38,
	.request = &request,
	.response = &response,
};
