/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ListOffsets: offsets by timestamp. v0 answered with lists, later versions
 * with one offset (KIP-79); leader epochs since v4 (KIP-320), special
 * timestamps since v7 (KIP-734, KIP-405, KIP-1005, KIP-1023), a timeout since
 * v10 (KIP-1075). @thread any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_partition[] = {
	/* name                 type   since until null   tag     default entity */
	F("PartitionIndex",     INT32, 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("CurrentLeaderEpoch", INT32, 4,    LAST, NEVER, NO_TAG, "-1",   NONE),
	F("Timestamp",          INT64, 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("MaxNumOffsets",      INT32, 0,    0,    NEVER, NO_TAG, "1",    NONE),
	END,
};

static const struct kp_field request_topic[] = {
	/* name         type                        since until null   tag     default entity */
	F("Name",       STRING,                     0,    LAST, NEVER, NO_TAG, NULL,   TOPIC_NAME),
	F("Partitions", STRUCTS(request_partition), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field request_fields[] = {
	/* name             type                    since until null   tag     default entity */
	F("ReplicaId",      INT32,                  0,    LAST, NEVER, NO_TAG, NULL,   NODE_ID),
	F("IsolationLevel", INT8,                   2,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("Topics",         STRUCTS(request_topic), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("TimeoutMs",      INT32,                  10,   LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_partition[] = {
	/* name              type          since until null   tag     default entity */
	F("PartitionIndex",  INT32,        0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("ErrorCode",       INT16,        0,    LAST, NEVER, NO_TAG, NULL,   ERROR_CODE),
	F("OldStyleOffsets", ARRAY(INT64), 0,    0,    NEVER, NO_TAG, NULL,   NONE),
	F("Timestamp",       INT64,        1,    LAST, NEVER, NO_TAG, "-1",   NONE),
	F("Offset",          INT64,        1,    LAST, NEVER, NO_TAG, "-1",   NONE),
	F("LeaderEpoch",     INT32,        4,    LAST, NEVER, NO_TAG, "-1",   NONE),
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
	F("ThrottleTimeMs", INT32,                   2,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("Topics",         STRUCTS(response_topic), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};
/* clang-format on */

static const struct kp_message request = {
	.name = "ListOffsetsRequest",
	.api_key = 2,
	.min_version = 0,
	.max_version = 11,
	.flexible_since = 6,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "ListOffsetsResponse",
	.api_key = 2,
	.min_version = 0,
	.max_version = 11,
	.flexible_since = 6,
	.fields = response_fields,
};

const struct kp_api kp_api_list_offsets = {
	.name = "ListOffsets",
	.key = 2,
	.request = &request,
	.response = &response,
};
