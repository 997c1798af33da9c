/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ReadShareGroupStateSummary (KIP-932): between brokers. LeaderEpoch in the
 * answer came after the early access of 4.0, under the same v0; completed
 * deliveries since v1 (KIP-1226). @thread any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_partition[] = {
	/* name          type   since until null   tag     default entity */
	F("Partition",   INT32, 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("LeaderEpoch", INT32, 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field request_topic[] = {
	/* name         type                        since until null   tag     default entity */
	F("TopicId",    UUID,                       0,    LAST, NEVER, NO_TAG, NULL,   TOPIC_ID),
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
	/* name                    type    since until null   tag     default entity */
	F("Partition",             INT32,  0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("ErrorCode",             INT16,  0,    LAST, NEVER, NO_TAG, NULL,   ERROR_CODE),
	F("ErrorMessage",          STRING, 0,    LAST, 0,     NO_TAG, "null", ERROR_TEXT),
	F("StateEpoch",            INT32,  0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("LeaderEpoch",           INT32,  0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("StartOffset",           INT64,  0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("DeliveryCompleteCount", INT32,  1,    LAST, NEVER, NO_TAG, "-1",   NONE),
	END,
};

static const struct kp_field response_result[] = {
	/* name         type                         since until null   tag     default entity */
	F("TopicId",    UUID,                        0,    LAST, NEVER, NO_TAG, NULL,   TOPIC_ID),
	F("Partitions", STRUCTS(response_partition), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_fields[] = {
	/* name      type                      since until null   tag     default entity */
	F("Results", STRUCTS(response_result), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};
/* clang-format on */

static const struct kp_message request = {
	.name = "ReadShareGroupStateSummaryRequest",
	.api_key = 87,
	.min_version = 0,
	.max_version = 1,
	.flexible_since = 0,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "ReadShareGroupStateSummaryResponse",
	.api_key = 87,
	.min_version = 0,
	.max_version = 1,
	.flexible_since = 0,
	.fields = response_fields,
};

const struct kp_api kp_api_read_share_group_state_summary = {
	.name = "ReadShareGroupStateSummary",
	.key = 87,
	.request = &request,
	.response = &response,
};
