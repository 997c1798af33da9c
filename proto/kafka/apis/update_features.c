/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UpdateFeatures (KIP-584). Dry run and kind of upgrade since v1 (KIP-778), no
 * rows in the answer since v2. @thread any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_feature_update[] = {
	/* name              type    since until null   tag     default entity */
	F("Feature",         STRING, 0,    LAST, NEVER, NO_TAG, NULL,   PLAIN),
	F("MaxVersionLevel", INT16,  0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("AllowDowngrade",  BOOL,   0,    0,    NEVER, NO_TAG, NULL,   NONE),
	F("UpgradeType",     INT8,   1,    LAST, NEVER, NO_TAG, "1",    NONE),
	END,
};

static const struct kp_field request_fields[] = {
	/* name             type                             since until null   tag     default  entity */
	F("timeoutMs",      INT32,                           0,    LAST, NEVER, NO_TAG, "60000", NONE),
	F("FeatureUpdates", STRUCTS(request_feature_update), 0,    LAST, NEVER, NO_TAG, NULL,    NONE),
	F("ValidateOnly",   BOOL,                            1,    LAST, NEVER, NO_TAG, "false", NONE),
	END,
};

static const struct kp_field response_result[] = {
	/* name           type    since until null   tag     default entity */
	F("Feature",      STRING, 0,    LAST, NEVER, NO_TAG, NULL,   PLAIN),
	F("ErrorCode",    INT16,  0,    LAST, NEVER, NO_TAG, NULL,   ERROR_CODE),
	F("ErrorMessage", STRING, 0,    LAST, 0,     NO_TAG, NULL,   ERROR_TEXT),
	END,
};

static const struct kp_field response_fields[] = {
	/* name             type                      since until null   tag     default entity */
	F("ThrottleTimeMs", INT32,                    0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("ErrorCode",      INT16,                    0,    LAST, NEVER, NO_TAG, NULL,   ERROR_CODE),
	F("ErrorMessage",   STRING,                   0,    LAST, 0,     NO_TAG, NULL,   ERROR_TEXT),
	F("Results",        STRUCTS(response_result), 0,    1,    NEVER, NO_TAG, NULL,   NONE),
	END,
};
/* clang-format on */

static const struct kp_message request = {
	.name = "UpdateFeaturesRequest",
	.api_key = 57,
	.min_version = 0,
	.max_version = 2,
	.flexible_since = 0,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "UpdateFeaturesResponse",
	.api_key = 57,
	.min_version = 0,
	.max_version = 2,
	.flexible_since = 0,
	.fields = response_fields,
};

const struct kp_api kp_api_update_features = {
	.name = "UpdateFeatures",
	.key = 57,
	.request = &request,
	.response = &response,
};
