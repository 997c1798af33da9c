/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RemoveRaftVoter (KIP-853). @thread any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_fields[] = {
	/* name               type    since until null   tag     default entity */
	F("ClusterId",        STRING, 0,    LAST, 0,     NO_TAG, NULL,   CLUSTER_ID),
	F("VoterId",          INT32,  0,    LAST, NEVER, NO_TAG, NULL,   NODE_ID),
	F("VoterDirectoryId", UUID,   0,    LAST, NEVER, NO_TAG, NULL,   DIRECTORY),
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
	.name = "RemoveRaftVoterRequest",
	.api_key = 81,
	.min_version = 0,
	.max_version = 0,
	.flexible_since = 0,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "RemoveRaftVoterResponse",
	.api_key = 81,
	.min_version = 0,
	.max_version = 0,
	.flexible_since = 0,
	.fields = response_fields,
};

const struct kp_api kp_api_remove_raft_voter = {
	.name = "RemoveRaftVoter",
	.key = 81,
	.request = &request,
	.response = &response,
};
