/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a peer of an RPC may send: a message, or the details of a status. The
 * first byte says which.
 */
#include <stddef.h>
#include <stdint.h>

#include "control/rpc/method.h"
#include "control/rpc/packet_priv.h"
#include "control/rpc/status.h"
#include "proto/control/unpack.h"
#include "tests/support/rpc_test.pb-c.h"

#define MAX_LEN 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A message that is read can be packed, and looked at again in the pieces that
 * gRPC hands out. Equal it need not be: protobuf-c takes a field 0. */
static void
try_message(struct kp_bytes bytes)
{
	const ProtobufCMessageDescriptor *kind = &kp__test__request__descriptor;
	struct kp_error err = { 0 };
	ProtobufCMessage *message =
	    kp_rpc_decode_bytes(bytes, kind, MAX_LEN, &err);
	struct kp_rpc_packet *packet;
	grpc_byte_buffer *buffer;
	ProtobufCMessage *again;

	if (message == NULL) {
		kp_assert(
		    err.kind == KP_ERR_LIMIT || err.kind == KP_ERR_PROTOCOL);
		return;
	}
	packet = kp_rpc_packet_new(message, KP_RPC_MAX_MESSAGE, &err);
	kp_assert(packet != NULL);
	buffer = kp_rpc_packet_buffer(packet);
	again = kp_rpc_decode(buffer, kind, KP_RPC_MAX_MESSAGE, &err);
	kp_unpacked_free(again);
	kp_unpacked_free(message);
	grpc_byte_buffer_destroy(buffer);
	kp_rpc_packet_unref(packet);
}

static void
try_details(struct kp_bytes bytes)
{
	struct kp_rpc_status status = { .code = KP_RPC_ABORTED };
	size_t num;

	kp_buf_init(&status.details, bytes.len + 1);
	kp_buf_add(&status.details, bytes.data, bytes.len);
	num = kp_rpc_status_num_details(&status);
	for (size_t i = 0; i <= num; i++)
		kp_unpacked_free(kp_rpc_status_detail(
		    &status, &kp__test__reason__descriptor, i));
	kp_rpc_status_fini(&status);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kp_bytes bytes;

	if (size == 0)
		return 0;
	bytes = (struct kp_bytes){ data + 1, size - 1 };
	if (data[0] % 2 == 0)
		try_message(bytes);
	else
		try_details(bytes);
	return 0;
}
