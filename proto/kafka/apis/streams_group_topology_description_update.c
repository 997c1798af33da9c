/* SPDX-License-Identifier: Apache-2.0 */
/*
 * StreamsGroupTopologyDescriptionUpdate (KIP-1331): how an application is
 * built, for people to read. @thread any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_topology_description_node[] = {
	/* name           type           since until null   tag     default entity */
	F("Name",         STRING,        0,    LAST, NEVER, NO_TAG, NULL,   STREAMS_NAME),
	F("NodeType",     INT8,          0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("SourceTopics", ARRAY(STRING), 0,    LAST, NEVER, NO_TAG, NULL,   TOPIC_NAME),
	F("SinkTopic",    STRING,        0,    LAST, 0,     NO_TAG, "null", TOPIC_NAME),
	F("Stores",       ARRAY(STRING), 0,    LAST, NEVER, NO_TAG, NULL,   STREAMS_NAME),
	F("Successors",   ARRAY(STRING), 0,    LAST, NEVER, NO_TAG, NULL,   STREAMS_NAME),
	END,
};

static const struct kp_field request_topology_description_subtopology[] = {
	/* name            type                                        since until null   tag     default entity */
	F("SubtopologyId", STRING,                                     0,    LAST, NEVER, NO_TAG, NULL,   STREAMS_NAME),
	F("Nodes",         STRUCTS(request_topology_description_node), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field request_topology_description_global_store[] = {
	/* name        type                                       since until null   tag     default entity */
	F("Source",    STRUCT(request_topology_description_node), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("Processor", STRUCT(request_topology_description_node), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field request_topology_description[] = {
	/* name            type                                                since until null   tag     default entity */
	F("Subtopologies", STRUCTS(request_topology_description_subtopology),  0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("GlobalStores",  STRUCTS(request_topology_description_global_store), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field request_fields[] = {
	/* name                  type                                  since until null   tag     default entity */
	F("GroupId",             STRING,                               0,    LAST, NEVER, NO_TAG, NULL,   GROUP_ID),
	F("MemberId",            STRING,                               0,    LAST, NEVER, NO_TAG, NULL,   MEMBER),
	F("TopologyEpoch",       INT32,                                0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("TopologyDescription", STRUCT(request_topology_description), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_fields[] = {
	/* name             type    since until null   tag     default entity */
	F("ThrottleTimeMs", INT32,  0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("ErrorCode",      INT16,  0,    LAST, NEVER, NO_TAG, NULL,   ERROR_CODE),
	F("ErrorMessage",   STRING, 0,    LAST, 0,     NO_TAG, "null", ERROR_TEXT),
	END,
};
/* clang-format on */

static const struct kp_message request = {
	.name = "StreamsGroupTopologyDescriptionUpdateRequest",
	.api_key = 93,
	.min_version = 0,
	.max_version = 0,
	.flexible_since = 0,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "StreamsGroupTopologyDescriptionUpdateResponse",
	.api_key = 93,
	.min_version = 0,
	.max_version = 0,
	.flexible_since = 0,
	.fields = response_fields,
};

const struct kp_api kp_api_streams_group_topology_description_update = {
	.name = "StreamsGroupTopologyDescriptionUpdate",
	.key = 93,
	.request = &request,
	.response = &response,
};
