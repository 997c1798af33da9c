/* SPDX-License-Identifier: Apache-2.0 */
/* A client that sends what control/rpc never would, straight over gRPC. */
#ifndef KP_TESTS_SUPPORT_RPC_RAW_H
#define KP_TESTS_SUPPORT_RPC_RAW_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "control/rpc/identity.h"
#include "control/rpc/status.h"

/* Zero fields: no certificate, an empty message, no metadata. */
struct kp_test_raw {
	const char *address, *method;
	struct kp_rpc_identity identity; /* CA alone: no certificate is shown */
	struct kp_bytes body;
	bool has_no_message;
	bool is_compressed; /* with gzip, which servers may offer */
	size_t metadata_len;
};

/* kp_test_raw_call makes one call, of at most ten seconds. */
enum kp_rpc_code kp_test_raw_call(const struct kp_test_raw *raw);

#endif
