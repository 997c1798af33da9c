/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OffsetForLeaderEpoch (KIP-101, KIP-279): where an epoch ended. Open to
 * consumers since v2 (KIP-320). @thread any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_partition[] = {
	/* name                 type   since until null   tag     default entity */
	F("Partition",          INT32, 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("CurrentLeaderEpoch", INT32, 2,    LAST, NEVER, NO_TAG, "-1",   NONE),
	F("LeaderEpoch",        INT32, 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field request_topic[] = {
	/* name         type                        since until null   tag     default entity */
	F("Topic",      STRING,                     0,    LAST, NEVER, NO_TAG, NULL,   TOPIC_NAME),
	F("Partitions", STRUCTS(request_partition), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field request_fields[] = {
	/* name        type                    since until null   tag     default entity */
	F("ReplicaId", INT32,                  3,    LAST, NEVER, NO_TAG, "-2",   NODE_ID),
	F("Topics",    STRUCTS(request_topic), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_partition[] = {
	/* name          type   since until null   tag     default entity */
	F("ErrorCode",   INT16, 0,    LAST, NEVER, NO_TAG, NULL,   ERROR_CODE),
	F("Partition",   INT32, 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("LeaderEpoch", INT32, 1,    LAST, NEVER, NO_TAG, "-1",   NONE),
	F("EndOffset",   INT64, 0,    LAST, NEVER, NO_TAG, "-1",   NONE),
	END,
};

static const struct kp_field response_topic[] = {
	/* name         type                         since until null   tag     default entity */
	F("Topic",      STRING,                      0,    LAST, NEVER, NO_TAG, NULL,   TOPIC_NAME),
	F("Partitions", STRUCTS(response_partition), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_fields[] = {
	/* name             type                     since until null   tag     default entity */
	F("ThrottleTimeMs", INT32,                   2,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("Topics",         STRUCTS(response_topic), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};
/* clang-format on */

static const struct kp_message request = {
	.name = "OffsetForLeaderEpochRequest",
	.api_key = 23,
	.min_version = 0,
	.max_version = 4,
	.flexible_since = 4,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "OffsetForLeaderEpochResponse",
	.api_key = 23,
	.min_version = 0,
	.max_version = 4,
	.flexible_since = 4,
	.fields = response_fields,
};

const struct kp_api kp_api_offset_for_leader_epoch = {
	.name = "OffsetForLeaderEpoch",
	.key = 23,
	.request = &request,
	.response = &response,
};
