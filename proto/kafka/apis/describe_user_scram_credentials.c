/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DescribeUserScramCredentials (KIP-554): which users have which mechanism.
 * @thread any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_user[] = {
	/* name   type    since until null   tag     default entity */
	F("Name", STRING, 0,    LAST, NEVER, NO_TAG, NULL,   PRINCIPAL),
	END,
};

static const struct kp_field request_fields[] = {
	/* name    type                   since until null tag     default entity */
	F("Users", STRUCTS(request_user), 0,    LAST, 0,   NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_credential_info[] = {
	/* name         type   since until null   tag     default entity */
	F("Mechanism",  INT8,  0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("Iterations", INT32, 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_result[] = {
	/* name              type                               since until null   tag     default entity */
	F("User",            STRING,                            0,    LAST, NEVER, NO_TAG, NULL,   PRINCIPAL),
	F("ErrorCode",       INT16,                             0,    LAST, NEVER, NO_TAG, NULL,   ERROR_CODE),
	F("ErrorMessage",    STRING,                            0,    LAST, 0,     NO_TAG, NULL,   ERROR_TEXT),
	F("CredentialInfos", STRUCTS(response_credential_info), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_fields[] = {
	/* name             type                      since until null   tag     default entity */
	F("ThrottleTimeMs", INT32,                    0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("ErrorCode",      INT16,                    0,    LAST, NEVER, NO_TAG, NULL,   ERROR_CODE),
	F("ErrorMessage",   STRING,                   0,    LAST, 0,     NO_TAG, NULL,   ERROR_TEXT),
	F("Results",        STRUCTS(response_result), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};
/* clang-format on */

static const struct kp_message request = {
	.name = "DescribeUserScramCredentialsRequest",
	.api_key = 50,
	.min_version = 0,
	.max_version = 0,
	.flexible_since = 0,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "DescribeUserScramCredentialsResponse",
	.api_key = 50,
	.min_version = 0,
	.max_version = 0,
	.flexible_since = 0,
	.fields = response_fields,
};

const struct kp_api kp_api_describe_user_scram_credentials = {
	.name = "DescribeUserScramCredentials",
	.key = 50,
	.request = &request,
	.response = &response,
};
