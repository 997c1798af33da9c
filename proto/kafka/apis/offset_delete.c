/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OffsetDelete (KIP-496): forgets positions of a group. Never flexible.
 * @thread any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_partition[] = {
	/* name             type   since until null   tag     default entity */
	F("PartitionIndex", INT32, 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field request_topic[] = {
	/* name         type                        since until null   tag     default entity */
	F("Name",       STRING,                     0,    LAST, NEVER, NO_TAG, NULL,   TOPIC_NAME),
	F("Partitions", STRUCTS(request_partition), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field request_fields[] = {
	/* name      type                    since until null   tag     default entity */
	F("GroupId", STRING,                 0,    LAST, NEVER, NO_TAG, NULL,   GROUP_ID),
	F("Topics",  STRUCTS(request_topic), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_partition[] = {
	/* name             type   since until null   tag     default entity */
	F("PartitionIndex", INT32, 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
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
	F("ErrorCode",      INT16,                   0,    LAST, NEVER, NO_TAG, NULL,   ERROR_CODE),
	F("ThrottleTimeMs", INT32,                   0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("Topics",         STRUCTS(response_topic), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};
/* clang-format on */

static const struct kp_message request = {
	.name = "OffsetDeleteRequest",
	.api_key = 47,
	.min_version = 0,
	.max_version = 0,
	.flexible_since = KP_NEVER_SINCE,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "OffsetDeleteResponse",
	.api_key = 47,
	.min_version = 0,
	.max_version = 0,
	.flexible_since = KP_NEVER_SINCE,
	.fields = response_fields,
};

const struct kp_api kp_api_offset_delete = {
	.name = "OffsetDelete",
	.key = 47,
	.request = &request,
	.response = &response,
};
