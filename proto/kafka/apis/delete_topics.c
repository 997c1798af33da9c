/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DeleteTopics (KIP-4). Throttling and texts since v5 (KIP-599), by name or by
 * id since v6 (KIP-516). @thread any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_topic[] = {
	/* name      type    since until null   tag     default entity */
	F("Name",    STRING, 6,    LAST, 6,     NO_TAG, "null", TOPIC_NAME),
	F("TopicId", UUID,   6,    LAST, NEVER, NO_TAG, NULL,   TOPIC_ID),
	END,
};

static const struct kp_field request_fields[] = {
	/* name         type                    since until null   tag     default entity */
	F("TopicNames", ARRAY(STRING),          0,    5,    NEVER, NO_TAG, NULL,   TOPIC_NAME),
	F("Topics",     STRUCTS(request_topic), 6,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("TimeoutMs",  INT32,                  0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_topic[] = {
	/* name           type    since until null   tag     default entity */
	F("Name",         STRING, 0,    LAST, 6,     NO_TAG, NULL,   TOPIC_NAME),
	F("TopicId",      UUID,   6,    LAST, NEVER, NO_TAG, NULL,   TOPIC_ID),
	F("ErrorCode",    INT16,  0,    LAST, NEVER, NO_TAG, NULL,   ERROR_CODE),
	F("ErrorMessage", STRING, 5,    LAST, 5,     NO_TAG, "null", ERROR_TEXT),
	END,
};

static const struct kp_field response_fields[] = {
	/* name             type                     since until null   tag     default entity */
	F("ThrottleTimeMs", INT32,                   1,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("Responses",      STRUCTS(response_topic), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};
/* clang-format on */

static const struct kp_message request = {
	.name = "DeleteTopicsRequest",
	.api_key = 20,
	.min_version = 0,
	.max_version = 6,
	.flexible_since = 4,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "DeleteTopicsResponse",
	.api_key = 20,
	.min_version = 0,
	.max_version = 6,
	.flexible_since = 4,
	.fields = response_fields,
};

const struct kp_api kp_api_delete_topics = {
	.name = "DeleteTopics",
	.key = 20,
	.request = &request,
	.response = &response,
};
