/* SPDX-License-Identifier: Apache-2.0 */
#include "control/api/methods.h"

/* A request that says only what is wanted. */
#define SMALL (64u << 10)

const struct kp_rpc_method kp_api_apply = {
	.name = "/kproxy.control.v1.Resources/Apply",
	.kind = KP_RPC_UNARY,
	.request = &kproxy__control__v1__apply_request__descriptor,
	.response = &kproxy__control__v1__apply_response__descriptor,
	.max_request_len = KP_API_MAX_REQUEST,
	.max_response_len = KP_API_MAX_ANSWER,
	.timeout_ms = 60000,
};

const struct kp_rpc_method kp_api_validate = {
	.name = "/kproxy.control.v1.Resources/Validate",
	.kind = KP_RPC_UNARY,
	.request = &kproxy__control__v1__validate_request__descriptor,
	.response = &kproxy__control__v1__validate_response__descriptor,
	.max_request_len = KP_API_MAX_REQUEST,
	.max_response_len = KP_API_MAX_ANSWER,
	.timeout_ms = 60000,
};

const struct kp_rpc_method kp_api_get = {
	.name = "/kproxy.control.v1.Resources/Get",
	.kind = KP_RPC_UNARY,
	.request = &kproxy__control__v1__get_request__descriptor,
	.response = &kproxy__control__v1__get_response__descriptor,
	.max_request_len = SMALL,
	.max_response_len = KP_API_MAX_PUSH,
	.timeout_ms = 10000,
};

const struct kp_rpc_method kp_api_list = {
	.name = "/kproxy.control.v1.Resources/List",
	.kind = KP_RPC_UNARY,
	.request = &kproxy__control__v1__list_request__descriptor,
	.response = &kproxy__control__v1__list_response__descriptor,
	.max_request_len = SMALL,
	.max_response_len = KP_API_MAX_ANSWER,
	.timeout_ms = 30000,
};

const struct kp_rpc_method kp_api_delete = {
	.name = "/kproxy.control.v1.Resources/Delete",
	.kind = KP_RPC_UNARY,
	.request = &kproxy__control__v1__delete_request__descriptor,
	.response = &kproxy__control__v1__delete_response__descriptor,
	.max_request_len = KP_API_MAX_REQUEST,
	.max_response_len = SMALL,
	.timeout_ms = 60000,
};

const struct kp_rpc_method kp_api_watch = {
	.name = "/kproxy.control.v1.Resources/Watch",
	.kind = KP_RPC_STREAM,
	.request = &kproxy__control__v1__watch_request__descriptor,
	.response = &kproxy__control__v1__watch_response__descriptor,
	.max_request_len = SMALL,
	.max_response_len = KP_API_MAX_ANSWER,
};

const struct kp_rpc_method kp_api_history = {
	.name = "/kproxy.control.v1.Resources/History",
	.kind = KP_RPC_UNARY,
	.request = &kproxy__control__v1__history_request__descriptor,
	.response = &kproxy__control__v1__history_response__descriptor,
	.max_request_len = SMALL,
	.max_response_len = KP_API_MAX_ANSWER,
	.timeout_ms = 30000,
};

const struct kp_rpc_method kp_api_diff = {
	.name = "/kproxy.control.v1.Resources/Diff",
	.kind = KP_RPC_UNARY,
	.request = &kproxy__control__v1__diff_request__descriptor,
	.response = &kproxy__control__v1__diff_response__descriptor,
	.max_request_len = SMALL,
	.max_response_len = KP_API_MAX_ANSWER,
	.timeout_ms = 30000,
};

const struct kp_rpc_method kp_api_rollback = {
	.name = "/kproxy.control.v1.Resources/Rollback",
	.kind = KP_RPC_UNARY,
	.request = &kproxy__control__v1__rollback_request__descriptor,
	.response = &kproxy__control__v1__rollback_response__descriptor,
	.max_request_len = SMALL,
	.max_response_len = KP_API_MAX_ANSWER,
	.timeout_ms = 60000,
};

const struct kp_rpc_method kp_api_sync = {
	.name = "/kproxy.control.v1.Nodes/Sync",
	.kind = KP_RPC_STREAM,
	.request = &kproxy__control__v1__sync_request__descriptor,
	.response = &kproxy__control__v1__sync_response__descriptor,
	.max_request_len = KP_API_MAX_REPORT,
	.max_response_len = KP_API_MAX_PUSH,
};

const struct kp_rpc_method kp_api_list_nodes = {
	.name = "/kproxy.control.v1.Nodes/List",
	.kind = KP_RPC_UNARY,
	.request = &kproxy__control__v1__list_nodes_request__descriptor,
	.response = &kproxy__control__v1__list_nodes_response__descriptor,
	.max_request_len = SMALL,
	.max_response_len = KP_API_MAX_ANSWER,
	.timeout_ms = 30000,
};

const struct kp_rpc_method kp_api_get_node = {
	.name = "/kproxy.control.v1.Nodes/Get",
	.kind = KP_RPC_UNARY,
	.request = &kproxy__control__v1__get_node_request__descriptor,
	.response = &kproxy__control__v1__get_node_response__descriptor,
	.max_request_len = SMALL,
	.max_response_len = KP_API_MAX_PUSH,
	.timeout_ms = 10000,
};

const struct kp_rpc_method kp_api_cordon = {
	.name = "/kproxy.control.v1.Nodes/Cordon",
	.kind = KP_RPC_UNARY,
	.request = &kproxy__control__v1__cordon_request__descriptor,
	.response = &kproxy__control__v1__cordon_response__descriptor,
	.max_request_len = SMALL,
	.max_response_len = KP_API_MAX_PUSH,
	.timeout_ms = 10000,
};

const struct kp_rpc_method kp_api_health_check = {
	.name = "/grpc.health.v1.Health/Check",
	.kind = KP_RPC_UNARY,
	.request = &grpc__health__v1__health_check_request__descriptor,
	.response = &grpc__health__v1__health_check_response__descriptor,
	.max_request_len = SMALL,
	.max_response_len = SMALL,
	.timeout_ms = 5000,
};

const struct kp_rpc_method kp_api_health_watch = {
	.name = "/grpc.health.v1.Health/Watch",
	.kind = KP_RPC_STREAM,
	.request = &grpc__health__v1__health_check_request__descriptor,
	.response = &grpc__health__v1__health_check_response__descriptor,
	.max_request_len = SMALL,
	.max_response_len = SMALL,
};
