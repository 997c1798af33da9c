/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/rpc_raw.h"

#include <stdint.h>
#include <stdlib.h>

#include <grpc/byte_buffer.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/slice.h>
#include <grpc/support/time.h>

#include "base/alloc.h"

static char *
text_of(struct kp_bytes bytes)
{
	return kp_strndup(
	    bytes.data == NULL ? "" : (const char *)bytes.data, bytes.len);
}

static grpc_channel *
channel_new(const struct kp_test_raw *raw)
{
	char compression[] = GRPC_COMPRESSION_CHANNEL_DEFAULT_ALGORITHM;
	char local_pool[] = GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL;
	grpc_arg list[] = {
		{ GRPC_ARG_INTEGER, local_pool, { .integer = 1 } },
		{ GRPC_ARG_INTEGER, compression,
		    { .integer = GRPC_COMPRESS_GZIP } },
	};
	grpc_channel_args args = { raw->is_compressed ? 2 : 1, list };
	char *ca = text_of(raw->identity.ca_pem),
	     *certificate = text_of(raw->identity.certificate_pem),
	     *key = text_of(raw->identity.key_pem);
	grpc_ssl_pem_key_cert_pair pair = { key, certificate };
	grpc_channel_credentials *credentials = grpc_ssl_credentials_create_ex(
	    ca, certificate[0] == '\0' ? NULL : &pair, NULL, NULL);
	grpc_channel *channel =
	    grpc_channel_create(raw->address, credentials, &args);

	grpc_channel_credentials_release(credentials);
	free(ca);
	free(certificate);
	free(key);
	return channel;
}

static grpc_byte_buffer *
body_of(const struct kp_test_raw *raw)
{
	grpc_slice slice = grpc_slice_from_copied_buffer(
	    (const char *)raw->body.data, raw->body.len);
	grpc_byte_buffer *body = grpc_raw_byte_buffer_create(&slice, 1);

	grpc_slice_unref(slice);
	return body;
}

/* Fills a header of that length. */
static size_t
add_metadata(const struct kp_test_raw *raw, grpc_metadata *out)
{
	if (raw->metadata_len == 0)
		return 0;
	out->key = grpc_slice_from_static_string("x-filler");
	out->value = grpc_slice_malloc(raw->metadata_len);
	(void)memset(GRPC_SLICE_START_PTR(out->value), 'x', raw->metadata_len);
	return 1;
}

static grpc_status_code
exchange(const struct kp_test_raw *raw, grpc_call *call,
    grpc_completion_queue *queue)
{
	grpc_status_code code = GRPC_STATUS_UNKNOWN;
	grpc_metadata_array headers, trailers;
	grpc_byte_buffer *body = body_of(raw), *answer = NULL;
	grpc_slice sentence = grpc_empty_slice();
	grpc_metadata filler = { .value = grpc_empty_slice() };
	grpc_op ops[6] = { { .op = GRPC_OP_SEND_INITIAL_METADATA },
		{ .op = GRPC_OP_SEND_CLOSE_FROM_CLIENT },
		{ .op = GRPC_OP_RECV_INITIAL_METADATA },
		{ .op = GRPC_OP_RECV_MESSAGE },
		{ .op = GRPC_OP_RECV_STATUS_ON_CLIENT },
		{ .op = GRPC_OP_SEND_MESSAGE } };

	grpc_metadata_array_init(&headers);
	grpc_metadata_array_init(&trailers);
	ops[0].data.send_initial_metadata.count = add_metadata(raw, &filler);
	ops[0].data.send_initial_metadata.metadata = &filler;
	ops[2].data.recv_initial_metadata.recv_initial_metadata = &headers;
	ops[3].data.recv_message.recv_message = &answer;
	ops[4].data.recv_status_on_client.trailing_metadata = &trailers;
	ops[4].data.recv_status_on_client.status = &code;
	ops[4].data.recv_status_on_client.status_details = &sentence;
	ops[5].data.send_message.send_message = body;
	kp_assert(grpc_call_start_batch(call, ops, raw->has_no_message ? 5 : 6,
		      call, NULL) == GRPC_CALL_OK);
	(void)grpc_completion_queue_pluck(
	    queue, call, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
	grpc_byte_buffer_destroy(body);
	grpc_byte_buffer_destroy(answer);
	grpc_metadata_array_destroy(&headers);
	grpc_metadata_array_destroy(&trailers);
	grpc_slice_unref(sentence);
	grpc_slice_unref(filler.value);
	return code;
}

enum kp_rpc_code
kp_test_raw_call(const struct kp_test_raw *raw)
{
	gpr_timespec patience = gpr_time_from_seconds(60, GPR_TIMESPAN);
	grpc_completion_queue *queue;
	grpc_channel *channel;
	grpc_status_code code;
	grpc_call *call;

	grpc_init();
	queue = grpc_completion_queue_create_for_pluck(NULL);
	channel = channel_new(raw);
	call = grpc_channel_create_call(channel, NULL, GRPC_PROPAGATE_DEFAULTS,
	    queue, grpc_slice_from_static_string(raw->method), NULL,
	    gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), patience), NULL);
	code = exchange(raw, call, queue);
	grpc_call_unref(call);
	grpc_channel_destroy(channel);
	grpc_completion_queue_shutdown(queue);
	(void)grpc_completion_queue_pluck(
	    queue, NULL, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
	grpc_completion_queue_destroy(queue);
	grpc_shutdown();
	return (enum kp_rpc_code)code;
}
