/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AlterUserScramCredentials (KIP-554): the request carries salted passwords.
 * @thread any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_deletion[] = {
	/* name        type    since until null   tag     default entity */
	F("Name",      STRING, 0,    LAST, NEVER, NO_TAG, NULL,   PRINCIPAL),
	F("Mechanism", INT8,   0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field request_upsertion[] = {
	/* name             type    since until null   tag     default entity */
	F("Name",           STRING, 0,    LAST, NEVER, NO_TAG, NULL,   PRINCIPAL),
	F("Mechanism",      INT8,   0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("Iterations",     INT32,  0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("Salt",           BYTES,  0,    LAST, NEVER, NO_TAG, NULL,   SECRET),
	F("SaltedPassword", BYTES,  0,    LAST, NEVER, NO_TAG, NULL,   SECRET),
	END,
};

static const struct kp_field request_fields[] = {
	/* name         type                        since until null   tag     default entity */
	F("Deletions",  STRUCTS(request_deletion),  0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("Upsertions", STRUCTS(request_upsertion), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_result[] = {
	/* name           type    since until null   tag     default entity */
	F("User",         STRING, 0,    LAST, NEVER, NO_TAG, NULL,   PRINCIPAL),
	F("ErrorCode",    INT16,  0,    LAST, NEVER, NO_TAG, NULL,   ERROR_CODE),
	F("ErrorMessage", STRING, 0,    LAST, 0,     NO_TAG, NULL,   ERROR_TEXT),
	END,
};

static const struct kp_field response_fields[] = {
	/* name             type                      since until null   tag     default entity */
	F("ThrottleTimeMs", INT32,                    0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("Results",        STRUCTS(response_result), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};
/* clang-format on */

static const struct kp_message request = {
	.name = "AlterUserScramCredentialsRequest",
	.api_key = 51,
	.min_version = 0,
	.max_version = 0,
	.flexible_since = 0,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "AlterUserScramCredentialsResponse",
	.api_key = 51,
	.min_version = 0,
	.max_version = 0,
	.flexible_since = 0,
	.fields = response_fields,
};

const struct kp_api kp_api_alter_user_scram_credentials = {
	.name = "AlterUserScramCredentials",
	.key = 51,
	.request = &request,
	.response = &response,
};
