/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DescribeLogDirs (KIP-113). An error of its own since v3, sizes of disks
 * since v4 (KIP-827), cordoned disks since v5. @thread any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_topic[] = {
	/* name         type          since until null   tag     default entity */
	F("Topic",      STRING,       0,    LAST, NEVER, NO_TAG, NULL,   TOPIC_NAME),
	F("Partitions", ARRAY(INT32), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field request_fields[] = {
	/* name     type                    since until null tag     default entity */
	F("Topics", STRUCTS(request_topic), 0,    LAST, 0,   NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_partition[] = {
	/* name             type   since until null   tag     default entity */
	F("PartitionIndex", INT32, 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("PartitionSize",  INT64, 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("OffsetLag",      INT64, 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("IsFutureKey",    BOOL,  0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_topic[] = {
	/* name         type                         since until null   tag     default entity */
	F("Name",       STRING,                      0,    LAST, NEVER, NO_TAG, NULL,   TOPIC_NAME),
	F("Partitions", STRUCTS(response_partition), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_result[] = {
	/* name          type                     since until null   tag     default  entity */
	F("ErrorCode",   INT16,                   0,    LAST, NEVER, NO_TAG, NULL,    ERROR_CODE),
	F("LogDir",      STRING,                  0,    LAST, NEVER, NO_TAG, NULL,    DIRECTORY),
	F("Topics",      STRUCTS(response_topic), 0,    LAST, NEVER, NO_TAG, NULL,    NONE),
	F("TotalBytes",  INT64,                   4,    LAST, NEVER, NO_TAG, "-1",    NONE),
	F("UsableBytes", INT64,                   4,    LAST, NEVER, NO_TAG, "-1",    NONE),
	F("IsCordoned",  BOOL,                    5,    LAST, NEVER, NO_TAG, "false", NONE),
	END,
};

static const struct kp_field response_fields[] = {
	/* name             type                      since until null   tag     default entity */
	F("ThrottleTimeMs", INT32,                    0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("ErrorCode",      INT16,                    3,    LAST, NEVER, NO_TAG, NULL,   ERROR_CODE),
	F("Results",        STRUCTS(response_result), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};
/* clang-format on */

static const struct kp_message request = {
	.name = "DescribeLogDirsRequest",
	.api_key = 35,
	.min_version = 0,
	.max_version = 5,
	.flexible_since = 2,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "DescribeLogDirsResponse",
	.api_key = 35,
	.min_version = 0,
	.max_version = 5,
	.flexible_since = 2,
	.fields = response_fields,
};

const struct kp_api kp_api_describe_log_dirs = {
	.name = "DescribeLogDirs",
	.key = 35,
	.request = &request,
	.response = &response,
};
