/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DeleteRecords (KIP-107): everything before an offset. @thread any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_partition[] = {
	/* name             type   since until null   tag     default entity */
	F("PartitionIndex", INT32, 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("Offset",         INT64, 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field request_topic[] = {
	/* name         type                        since until null   tag     default entity */
	F("Name",       STRING,                     0,    LAST, NEVER, NO_TAG, NULL,   TOPIC_NAME),
	F("Partitions", STRUCTS(request_partition), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field request_fields[] = {
	/* name        type                    since until null   tag     default entity */
	F("Topics",    STRUCTS(request_topic), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("TimeoutMs", INT32,                  0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_partition[] = {
	/* name             type   since until null   tag     default entity */
	F("PartitionIndex", INT32, 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("LowWatermark",   INT64, 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("ErrorCode",      INT16, 0,    LAST, NEVER, NO_TAG, NULL,   ERROR_CODE),
	END,
};

static const struct kp_field response_topic[] = {
	/* name         type                         since until null   tag     default entity */
	F("Name",       STRING,                      0,    LAST, NEVER, NO_TAG, NULL,   TOPIC_NAME),
	F("Partitions", STRUCTS(response_partition), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_fields[] = {
	/* name             type                     since until null   tag     default entity */
	F("ThrottleTimeMs", INT32,                   0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("Topics",         STRUCTS(response_topic), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};
/* clang-format on */

static const struct kp_message request = {
	.name = "DeleteRecordsRequest",
	.api_key = 21,
	.min_version = 0,
	.max_version = 2,
	.flexible_since = 2,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "DeleteRecordsResponse",
	.api_key = 21,
	.min_version = 0,
	.max_version = 2,
	.flexible_since = 2,
	.fields = response_fields,
};

const struct kp_api kp_api_delete_records = {
	.name = "DeleteRecords",
	.key = 21,
	.request = &request,
	.response = &response,
};
