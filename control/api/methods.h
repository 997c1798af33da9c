/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The services of proto/control/v1/ and gRPC's health service, as methods for
 * control/rpc/: what server, agent and kpctl have to agree on beyond the proto
 * files. Limits are documented in docs/api.md. @thread any
 */
#ifndef KP_CONTROL_API_METHODS_H
#define KP_CONTROL_API_METHODS_H

#include "control/rpc/method.h"
#include "proto/control/health.pb-c.h"
#include "proto/control/v1/nodes.pb-c.h"
#include "proto/control/v1/resources.pb-c.h"
#include "proto/control/v1/types.pb-c.h"

/* What one operator may send at once, and the longest page of an answer. */
#define KP_API_MAX_REQUEST (16u << 20)
#define KP_API_MAX_ANSWER (32u << 20)

/*
 * A part of a push: a resource more than this begins another one. The longest
 * document (KP_STORE_MAX_TEXT_LEN) fits into a message of its own.
 */
#define KP_API_PUSH_LEN (256u << 10)
#define KP_API_MAX_PUSH (2u << 20)

/* What an agent sends: problems are cut to fit. */
#define KP_API_MAX_REPORT (256u << 10)

#define KP_API_SHA256_LEN 32

extern const struct kp_rpc_method kp_api_apply;
extern const struct kp_rpc_method kp_api_validate;
extern const struct kp_rpc_method kp_api_get;
extern const struct kp_rpc_method kp_api_list;
extern const struct kp_rpc_method kp_api_delete;
extern const struct kp_rpc_method kp_api_watch;
extern const struct kp_rpc_method kp_api_history;
extern const struct kp_rpc_method kp_api_diff;
extern const struct kp_rpc_method kp_api_rollback;

extern const struct kp_rpc_method kp_api_sync;
extern const struct kp_rpc_method kp_api_list_nodes;
extern const struct kp_rpc_method kp_api_get_node;
extern const struct kp_rpc_method kp_api_cordon;

extern const struct kp_rpc_method kp_api_health_check;
extern const struct kp_rpc_method kp_api_health_watch;

#endif
