/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames and headers. A frame is an int32 length (big-endian, without itself)
 * and that many bytes: a header and a body. Request headers are v1 or, in
 * flexible versions, v2; answer headers v0 or v1; ApiVersions answers always
 * have v0 (KIP-511). @thread any
 */
#ifndef KP_PROTO_KAFKA_HEADER_H
#define KP_PROTO_KAFKA_HEADER_H

#include "base/bytes.h"
#include "base/error.h"
#include "proto/kafka/schema.h"

#define KP_FRAME_PREFIX_LEN 4
#define KP_API_VERSIONS 18
#define KP_SASL_HANDSHAKE 17
#define KP_SASL_AUTHENTICATE 36

struct kp_request_header {
	int16_t api_key;
	int16_t api_version;
	int32_t correlation_id;
	struct kp_bytes client_id; /* borrowed from the frame; NULL if null */
	size_t len;                /* of the header: where the body begins */
};

enum kp_header_status {
	KP_HEADER_OK,
	KP_HEADER_MORE,    /* the bytes end inside the header */
	KP_HEADER_UNKNOWN, /* key or version is not in the tables: only
			    * api_key, api_version, correlation_id are set */
	KP_HEADER_FAILED,  /* KP_ERR_PROTOCOL */
};

/*
 * kp_request_header_read reads the header at the start of data. frame_len is
 * the length that the frame announced (data may hold less of it).
 */
enum kp_header_status kp_request_header_read(struct kp_request_header *out,
    const uint8_t *data, size_t len, size_t frame_len, struct kp_error *err);

struct kp_response_header {
	int16_t api_key, api_version; /* of the request: set by the caller */
	int32_t correlation_id;
	size_t len; /* of the header: where the body begins */
};

/* kp_response_header_read is the same for the answer to that request. */
enum kp_header_status kp_response_header_read(struct kp_response_header *header,
    const uint8_t *data, size_t len, size_t frame_len, struct kp_error *err);

/*
 * kp_response_header_is_flexible tells whether answers of that key and version
 * have header v1, which ends with tagged fields.
 */
bool kp_response_header_is_flexible(int16_t api_key, int16_t version);

/*
 * kp_answer_error adds a whole answer frame (length, header, body) to out:
 * every field has its default and the top-level error code is error_code.
 * Returns false if the message has no such field, so that no answer can be
 * formed.
 */
bool kp_answer_error(struct kp_buf *out, int16_t api_key, int16_t version,
    int32_t correlation_id, int16_t error_code) KP_MUST_CHECK;

/*
 * kp_request_unknown_versions writes a whole ApiVersions request of a version
 * that nobody knows. Every broker answers it with a v0 body that has
 * UNSUPPORTED_VERSION and the range of ApiVersions itself (KIP-511).
 */
#define KP_EMPTY_REQUEST_LEN 15
void kp_request_unknown_versions(
    uint8_t out[KP_EMPTY_REQUEST_LEN], int32_t correlation_id);

/* Kafka's error codes that the proxy itself answers with. */
#define KP_KAFKA_UNSUPPORTED_VERSION 35

#endif
