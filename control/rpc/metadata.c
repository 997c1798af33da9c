/* SPDX-License-Identifier: Apache-2.0 */
/* What a client sends beside a request. */
#include <string.h>

#include "control/rpc/channel_priv.h"

bool
kp_rpc_metadata_check(
    const struct kp_rpc_metadata *metadata, struct kp_error *err)
{
	if (strlen(metadata->key) > KP_RPC_MAX_METADATA_LEN ||
	    strlen(metadata->value) > KP_RPC_MAX_METADATA_LEN)
		return kp_error_set(err, KP_ERR_LIMIT,
		    "metadata of more than %d bytes", KP_RPC_MAX_METADATA_LEN);
	if (grpc_header_key_is_legal(
		grpc_slice_from_static_string(metadata->key)) == 0 ||
	    grpc_header_nonbin_value_is_legal(
		grpc_slice_from_static_string(metadata->value)) == 0)
		return kp_error_set(err, KP_ERR_PROTOCOL,
		    "metadata with bytes that may not be in it");
	return true;
}

/* Copies: gRPC may look at them for as long as the call lives. */
void
kp_rpc_headers_init(
    struct kp_rpc_headers *out, const struct kp_rpc_options *options)
{
	kp_assert(options->num_metadata <= KP_RPC_MAX_METADATA);
	out->num = options->num_metadata;
	for (size_t i = 0; i < out->num; i++) {
		const struct kp_rpc_metadata *metadata = &options->metadata[i];
		struct kp_error err;

		kp_assert(kp_rpc_metadata_check(metadata, &err));
		out->list[i] = (grpc_metadata){
			.key = grpc_slice_from_copied_string(metadata->key),
			.value = grpc_slice_from_copied_string(metadata->value),
		};
	}
}

void
kp_rpc_headers_fini(struct kp_rpc_headers *headers)
{
	for (size_t i = 0; i < headers->num; i++) {
		grpc_slice_unref(headers->list[i].key);
		grpc_slice_unref(headers->list[i].value);
	}
}

grpc_op
kp_rpc_headers_op(struct kp_rpc_headers *headers)
{
	grpc_op op = { .op = GRPC_OP_SEND_INITIAL_METADATA };

	op.data.send_initial_metadata.count = headers->num;
	op.data.send_initial_metadata.metadata = headers->list;
	return op;
}
