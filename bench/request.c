/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/request.h"

#include "bench/protocol.h"
#include "proto/kafka/reader.h"
#include "proto/kafka/writer.h"

#define CLIENT_ID "kp-bench"
#define TIMEOUT_MS 30000
#define MAX_WAIT_MS 500

/* Header v2 of all our requests but old ApiVersions. Returns the frame. */
static size_t
begin(struct kp_buf *out, enum kp_bench_api api, int16_t version)
{
	size_t frame = kp_write_begin_int32(out);

	kp_write_int16(out, kp_bench_apis[api].key);
	kp_write_int16(out, version);
	kp_write_int32(out, 0);
	kp_write_string(out, kp_bytes_of(CLIENT_ID));
	kp_write_uvarint(out, 0);
	return frame;
}

static void
end(struct kp_buf *out, size_t frame)
{
	kp_write_uvarint(out, 0); /* tagged fields of the body */
	kp_write_end_int32(out, frame);
}

void
kp_request_api_versions(struct kp_buf *out, int16_t version)
{
	size_t frame = begin(out, KP_BENCH_API_VERSIONS, version);

	kp_write_compact(out, kp_bytes_of(CLIENT_ID));
	kp_write_compact(out, kp_bytes_of("1"));
	end(out, frame);
}

void
kp_request_metadata(struct kp_buf *out, int16_t version, const char *topic)
{
	static const uint8_t no_id[KP_UUID_LEN];
	size_t frame = begin(out, KP_BENCH_METADATA, version);

	kp_write_compact_length(out, topic != NULL ? 1 : -1);
	if (topic != NULL) {
		kp_buf_add(out, no_id, sizeof(no_id));
		kp_write_compact(out, kp_bytes_of(topic));
		kp_write_uvarint(out, 0);
	}
	kp_write_bool(out, false); /* create topics */
	kp_write_bool(out, false); /* authorized operations */
	end(out, frame);
}

void
kp_request_produce(struct kp_buf *out, int16_t version, const char *topic,
    struct kp_bytes records)
{
	size_t frame = begin(out, KP_BENCH_PRODUCE, version);

	kp_write_compact_length(out, -1); /* no transaction */
	kp_write_int16(out, KP_BENCH_ACKS);
	kp_write_int32(out, TIMEOUT_MS);
	kp_write_compact_length(out, 1);
	kp_write_compact(out, kp_bytes_of(topic));
	kp_write_compact_length(out, 1);
	kp_write_int32(out, 0); /* partition */
	kp_write_compact(out, records);
	kp_write_uvarint(out, 0);
	kp_write_uvarint(out, 0);
	end(out, frame);
}

void
kp_request_fetch(struct kp_buf *out, int16_t version,
    const uint8_t topic_id[16], uint32_t max_bytes)
{
	size_t frame = begin(out, KP_BENCH_FETCH, version);

	kp_write_int32(out, MAX_WAIT_MS);
	kp_write_int32(out, 1);
	kp_write_int32(out, (int32_t)max_bytes);
	kp_write_int8(out, 0);   /* read uncommitted */
	kp_write_int32(out, 0);  /* no session */
	kp_write_int32(out, -1); /* nor a new one */
	kp_write_compact_length(out, 1);
	kp_buf_add(out, topic_id, KP_UUID_LEN);
	kp_write_compact_length(out, 1);
	kp_write_int32(out, 0);  /* partition */
	kp_write_int32(out, -1); /* leader epoch */
	kp_write_int64(out, 0);  /* offset */
	kp_write_int32(out, -1); /* epoch of the last fetch */
	kp_write_int64(out, -1); /* log start */
	kp_write_int32(out, (int32_t)max_bytes);
	kp_write_uvarint(out, 0);
	kp_write_uvarint(out, 0);
	kp_write_compact_length(out, 0);        /* forgotten topics */
	kp_write_compact(out, kp_bytes_of("")); /* rack */
	end(out, frame);
}

void
kp_request_heartbeat(struct kp_buf *out, int16_t version)
{
	size_t frame = begin(out, KP_BENCH_HEARTBEAT, version);

	kp_write_compact(out, kp_bytes_of("bench-group"));
	kp_write_int32(out, 1);
	kp_write_compact(out, kp_bytes_of("bench-member"));
	kp_write_compact_length(out, -1); /* no static member */
	end(out, frame);
}
