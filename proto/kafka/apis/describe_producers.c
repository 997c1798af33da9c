/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DescribeProducers (KIP-664): who writes to a partition. @thread any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_topic[] = {
	/* name               type          since until null   tag     default entity */
	F("Name",             STRING,       0,    LAST, NEVER, NO_TAG, NULL,   TOPIC_NAME),
	F("PartitionIndexes", ARRAY(INT32), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field request_fields[] = {
	/* name     type                    since until null   tag     default entity */
	F("Topics", STRUCTS(request_topic), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_active_producer[] = {
	/* name                    type   since until null   tag     default entity */
	F("ProducerId",            INT64, 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("ProducerEpoch",         INT32, 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("LastSequence",          INT32, 0,    LAST, NEVER, NO_TAG, "-1",   NONE),
	F("LastTimestamp",         INT64, 0,    LAST, NEVER, NO_TAG, "-1",   NONE),
	F("CoordinatorEpoch",      INT32, 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("CurrentTxnStartOffset", INT64, 0,    LAST, NEVER, NO_TAG, "-1",   NONE),
	END,
};

static const struct kp_field response_partition[] = {
	/* name              type                               since until null   tag     default entity */
	F("PartitionIndex",  INT32,                             0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("ErrorCode",       INT16,                             0,    LAST, NEVER, NO_TAG, NULL,   ERROR_CODE),
	F("ErrorMessage",    STRING,                            0,    LAST, 0,     NO_TAG, "null", ERROR_TEXT),
	F("ActiveProducers", STRUCTS(response_active_producer), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
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
	.name = "DescribeProducersRequest",
	.api_key = 61,
	.min_version = 0,
	.max_version = 0,
	.flexible_since = 0,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "DescribeProducersResponse",
	.api_key = 61,
	.min_version = 0,
	.max_version = 0,
	.flexible_since = 0,
	.fields = response_fields,
};

const struct kp_api kp_api_describe_producers = {
	.name = "DescribeProducers",
	.key = 61,
	.request = &request,
	.response = &response,
};
