/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AddRaftVoter (KIP-853): a new controller in the quorum. Answer before the
 * commit since v1 (KIP-1186). @thread any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_listener[] = {
	/* name   type    since until null   tag     default entity */
	F("Name", STRING, 0,    LAST, NEVER, NO_TAG, NULL,   LISTENER),
	F("Host", STRING, 0,    LAST, NEVER, NO_TAG, NULL,   HOST),
	F("Port", UINT16, 0,    LAST, NEVER, NO_TAG, NULL,   PORT),
	END,
};

static const struct kp_field request_fields[] = {
	/* name               type                       since until null   tag     default entity */
	F("ClusterId",        STRING,                    0,    LAST, 0,     NO_TAG, NULL,   CLUSTER_ID),
	F("TimeoutMs",        INT32,                     0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("VoterId",          INT32,                     0,    LAST, NEVER, NO_TAG, NULL,   NODE_ID),
	F("VoterDirectoryId", UUID,                      0,    LAST, NEVER, NO_TAG, NULL,   DIRECTORY),
	F("Listeners",        STRUCTS(request_listener), 0,    LAST, NEVER, NO_TAG, NULL,   ENDPOINTS),
	F("AckWhenCommitted", BOOL,                      1,    LAST, NEVER, NO_TAG, "true", NONE),
	END,
};

static const struct kp_field response_fields[] = {
	/* name             type    since until null   tag     default entity */
	F("ThrottleTimeMs", INT32,  0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("ErrorCode",      INT16,  0,    LAST, NEVER, NO_TAG, NULL,   ERROR_CODE),
	F("ErrorMessage",   STRING, 0,    LAST, 0,     NO_TAG, NULL,   ERROR_TEXT),
	END,
};
/* clang-format on */

static const struct kp_message request = {
	.name = "AddRaftVoterRequest",
	.api_key = 80,
	.min_version = 0,
	.max_version = 1,
	.flexible_since = 0,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "AddRaftVoterResponse",
	.api_key = 80,
	.min_version = 0,
	.max_version = 1,
	.flexible_since = 0,
	.fields = response_fields,
};

const struct kp_api kp_api_add_raft_voter = {
	.name = "AddRaftVoter",
	.key = 80,
	.request = &request,
	.response = &response,
};
