/* SPDX-License-Identifier: Apache-2.0 */
#include "control/rpc/packet.h"

#include <stdatomic.h>
#include <stdlib.h>

#include <grpc/byte_buffer_reader.h>
#include <grpc/slice.h>

#include "base/alloc.h"
#include "control/rpc/method.h"
#include "control/rpc/packet_priv.h"
#include "proto/control/unpack.h"

struct kp_rpc_packet {
	atomic_uint refs;
	grpc_slice slice;
};

struct kp_rpc_packet *
kp_rpc_packet_new(
    const ProtobufCMessage *message, size_t max_len, struct kp_error *err)
{
	size_t len = protobuf_c_message_get_packed_size(message);
	struct kp_rpc_packet *packet;

	if (len > max_len) {
		(void)kp_error_set(err, KP_ERR_LIMIT,
		    "message of %zu bytes, at most %zu are allowed", len,
		    max_len);
		return NULL;
	}
	packet = kp_alloc(1, sizeof(*packet));
	atomic_init(&packet->refs, 1);
	packet->slice = grpc_slice_malloc(len);
	(void)protobuf_c_message_pack(
	    message, GRPC_SLICE_START_PTR(packet->slice));
	return packet;
}

struct kp_rpc_packet *
kp_rpc_packet_ref(struct kp_rpc_packet *packet)
{
	(void)atomic_fetch_add_explicit(&packet->refs, 1, memory_order_relaxed);
	return packet;
}

void
kp_rpc_packet_unref(struct kp_rpc_packet *packet)
{
	if (packet == NULL || atomic_fetch_sub_explicit(
				  &packet->refs, 1, memory_order_acq_rel) > 1)
		return;
	grpc_slice_unref(packet->slice);
	free(packet);
}

size_t
kp_rpc_packet_len(const struct kp_rpc_packet *packet)
{
	return GRPC_SLICE_LENGTH(packet->slice);
}

grpc_byte_buffer *
kp_rpc_packet_buffer(const struct kp_rpc_packet *packet)
{
	grpc_slice slice = packet->slice;

	return grpc_raw_byte_buffer_create(&slice, 1);
}

static size_t
unfolded_len(size_t max_len)
{
	size_t len = max_len * KP_RPC_UNFOLD;

	return len < KP_RPC_UNFOLD_MIN ? KP_RPC_UNFOLD_MIN : len;
}

ProtobufCMessage *
kp_rpc_decode_bytes(struct kp_bytes packed,
    const ProtobufCMessageDescriptor *kind, size_t max_len,
    struct kp_error *err)
{
	if (packed.len > max_len) {
		(void)kp_error_set(err, KP_ERR_LIMIT,
		    "message of %zu bytes, at most %zu are allowed", packed.len,
		    max_len);
		return NULL;
	}
	return kp_unpack(kind, packed, unfolded_len(max_len), err);
}

ProtobufCMessage *
kp_rpc_decode(grpc_byte_buffer *buffer, const ProtobufCMessageDescriptor *kind,
    size_t max_len, struct kp_error *err)
{
	ProtobufCMessage *message;
	grpc_byte_buffer_reader reader;
	grpc_slice slice;

	/* Nobody compresses (core_priv.h): what it would unfold to is unknown.
	 */
	if (buffer->data.raw.compression != GRPC_COMPRESS_NONE ||
	    grpc_byte_buffer_length(buffer) > max_len ||
	    !grpc_byte_buffer_reader_init(&reader, buffer)) {
		(void)kp_error_set(err, KP_ERR_LIMIT,
		    "message of %zu bytes, at most %zu are allowed",
		    grpc_byte_buffer_length(buffer), max_len);
		return NULL;
	}
	slice = grpc_byte_buffer_reader_readall(&reader);
	message =
	    kp_rpc_decode_bytes((struct kp_bytes){ GRPC_SLICE_START_PTR(slice),
				    GRPC_SLICE_LENGTH(slice) },
		kind, max_len, err);
	grpc_slice_unref(slice);
	grpc_byte_buffer_reader_destroy(&reader);
	return message;
}
