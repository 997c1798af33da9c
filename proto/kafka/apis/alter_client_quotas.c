/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AlterClientQuotas (KIP-546). @thread any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_entity[] = {
	/* name         type    since until null   tag     default entity */
	F("EntityType", STRING, 0,    LAST, NEVER, NO_TAG, NULL,   QUOTA_TYPE),
	F("EntityName", STRING, 0,    LAST, 0,     NO_TAG, NULL,   QUOTA_NAME),
	END,
};

static const struct kp_field request_op[] = {
	/* name     type     since until null   tag     default entity */
	F("Key",    STRING,  0,    LAST, NEVER, NO_TAG, NULL,   PLAIN),
	F("Value",  FLOAT64, 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("Remove", BOOL,    0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field request_entry[] = {
	/* name     type                     since until null   tag     default entity */
	F("Entity", STRUCTS(request_entity), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("Ops",    STRUCTS(request_op),     0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field request_fields[] = {
	/* name           type                    since until null   tag     default entity */
	F("Entries",      STRUCTS(request_entry), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("ValidateOnly", BOOL,                   0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_entity[] = {
	/* name         type    since until null   tag     default entity */
	F("EntityType", STRING, 0,    LAST, NEVER, NO_TAG, NULL,   QUOTA_TYPE),
	F("EntityName", STRING, 0,    LAST, 0,     NO_TAG, NULL,   QUOTA_NAME),
	END,
};

static const struct kp_field response_entry[] = {
	/* name           type                      since until null   tag     default entity */
	F("ErrorCode",    INT16,                    0,    LAST, NEVER, NO_TAG, NULL,   ERROR_CODE),
	F("ErrorMessage", STRING,                   0,    LAST, 0,     NO_TAG, NULL,   ERROR_TEXT),
	F("Entity",       STRUCTS(response_entity), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_fields[] = {
	/* name             type                     since until null   tag     default entity */
	F("ThrottleTimeMs", INT32,                   0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("Entries",        STRUCTS(response_entry), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};
/* clang-format on */

static const struct kp_message request = {
	.name = "AlterClientQuotasRequest",
	.api_key = 49,
	.min_version = 0,
	.max_version = 1,
	.flexible_since = 1,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "AlterClientQuotasResponse",
	.api_key = 49,
	.min_version = 0,
	.max_version = 1,
	.flexible_since = 1,
	.fields = response_fields,
};

const struct kp_api kp_api_alter_client_quotas = {
	.name = "AlterClientQuotas",
	.key = 49,
	.request = &request,
	.response = &response,
};
