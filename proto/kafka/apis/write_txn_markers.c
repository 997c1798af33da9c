/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WriteTxnMarkers (KIP-98): between brokers, and to abort a hanging
 * transaction. Transaction version since v2 (KIP-1228). @thread any
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

static const struct kp_field request_marker[] = {
	/* name                 type                    since until null   tag     default entity */
	F("ProducerId",         INT64,                  0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("ProducerEpoch",      INT16,                  0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("TransactionResult",  BOOL,                   0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("Topics",             STRUCTS(request_topic), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("CoordinatorEpoch",   INT32,                  0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("TransactionVersion", INT8,                   2,    LAST, NEVER, NO_TAG, "0",    NONE),
	END,
};

static const struct kp_field request_fields[] = {
	/* name      type                     since until null   tag     default entity */
	F("Markers", STRUCTS(request_marker), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
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

static const struct kp_field response_marker[] = {
	/* name         type                     since until null   tag     default entity */
	F("ProducerId", INT64,                   0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("Topics",     STRUCTS(response_topic), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_fields[] = {
	/* name      type                      since until null   tag     default entity */
	F("Markers", STRUCTS(response_marker), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};
/* clang-format on */

static const struct kp_message request = {
	.name = "WriteTxnMarkersRequest",
	.api_key = 27,
	.min_version = 0,
	.max_version = 2,
	.flexible_since = 1,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "WriteTxnMarkersResponse",
	.api_key = 27,
	.min_version = 0,
	.max_version = 2,
	.flexible_since = 1,
	.fields = response_fields,
};

const struct kp_api kp_api_write_txn_markers = {
	.name = "WriteTxnMarkers",
	.key = 27,
	.request = &request,
	.response = &response,
};
