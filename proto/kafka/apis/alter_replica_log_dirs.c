/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AlterReplicaLogDirs (KIP-113): moves replicas between disks of a broker.
 * @thread any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_topic[] = {
	/* name         type          since until null   tag     default entity */
	F("Name",       STRING,       0,    LAST, NEVER, NO_TAG, NULL,   TOPIC_NAME),
	F("Partitions", ARRAY(INT32), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field request_dir[] = {
	/* name     type                    since until null   tag     default entity */
	F("Path",   STRING,                 0,    LAST, NEVER, NO_TAG, NULL,   DIRECTORY),
	F("Topics", STRUCTS(request_topic), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field request_fields[] = {
	/* name   type                  since until null   tag     default entity */
	F("Dirs", STRUCTS(request_dir), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_partition[] = {
	/* name             type   since until null   tag     default entity */
	F("PartitionIndex", INT32, 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("ErrorCode",      INT16, 0,    LAST, NEVER, NO_TAG, NULL,   ERROR_CODE),
	END,
};

static const struct kp_field response_result[] = {
	/* name         type                         since until null   tag     default entity */
	F("TopicName",  STRING,                      0,    LAST, NEVER, NO_TAG, NULL,   TOPIC_NAME),
	F("Partitions", STRUCTS(response_partition), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
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
	.name = "AlterReplicaLogDirsRequest",
	.api_key = 34,
	.min_version = 0,
	.max_version = 2,
	.flexible_since = 2,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "AlterReplicaLogDirsResponse",
	.api_key = 34,
	.min_version = 0,
	.max_version = 2,
	.flexible_since = 2,
	.fields = response_fields,
};

const struct kp_api kp_api_alter_replica_log_dirs = {
	.name = "AlterReplicaLogDirs",
	.key = 34,
	.request = &request,
	.response = &response,
};
