/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/text.h"
#include "bench/payload.h"
#include "bench/sink.h"
#include "proto/kafka/header.h"
#include "proto/kafka/reader.h"
#include "proto/kafka/records/batch.h"
#include "proto/kafka/writer.h"

#define START_LEN 8 /* length, key, version */
/* As much of a Produce request as says where it goes to. */
#define PRODUCE_HEAD_LEN ((size_t)256)
#define MAX_FRAME_LEN ((uint64_t)256 << 20)
#define MAX_ANSWER_LEN ((size_t)256 << 20)
#define MAX_PIECES 4096

size_t
kp_sink_wanted(const struct kp_sink *sink, const uint8_t *data, size_t len)
{
	uint64_t frame_len;

	if (len < START_LEN)
		return START_LEN;
	frame_len = KP_FRAME_PREFIX_LEN + kp_number_get(data, 4);
	if (frame_len < START_LEN || frame_len > MAX_FRAME_LEN)
		return 0;
	if (!sink->is_verifying && frame_len > PRODUCE_HEAD_LEN &&
	    kp_number_get(data + 4, 2) == 0)
		return PRODUCE_HEAD_LEN;
	return (size_t)frame_len;
}

/* Writes all of buf to a new memory file. */
static bool
make_body(
    struct kp_sink_body *out, const struct kp_buf *buf, struct kp_error *err)
{
	size_t written = 0;

	if (buf->failed)
		return kp_error_set(err, KP_ERR_LIMIT, "answer is too long");
	out->fd = memfd_create("answer", MFD_CLOEXEC);
	if (out->fd < 0)
		return kp_error_sys(err, "could not make a memory file");
	while (written < buf->len) {
		ssize_t n =
		    write(out->fd, buf->data + written, buf->len - written);

		if (n < 0)
			return kp_error_sys(
			    err, "could not fill a memory file");
		written += (size_t)n;
	}
	out->len = buf->len;
	return true;
}

static const struct kp_sink_body *
all_topics(struct kp_sink *sink, struct kp_error *err)
{
	struct kp_buf buf;
	bool is_ok = true;

	if (sink->all_topics.len > 0)
		return &sink->all_topics;
	kp_buf_init(&buf, MAX_ANSWER_LEN);
	kp_answer_metadata(&buf, &sink->cluster, 0, sink->cluster.num_topics);
	is_ok = make_body(&sink->all_topics, &buf, err);
	kp_buf_fini(&buf);
	return is_ok ? &sink->all_topics : NULL;
}

/* Each kind of Fetch answer is made when first asked for, and kept. */
static const struct kp_sink_body *
fetch_body(struct kp_sink *sink, uint32_t topic, uint32_t max_bytes,
    struct kp_error *err)
{
	struct kp_sink_body *body = sink->bodies;
	struct kp_buf buf;
	bool is_ok;

	for (uint32_t i = 0; i < sink->num_bodies; i++, body++) {
		if (body->topic == topic && body->max_bytes == max_bytes)
			return body;
	}
	if (sink->num_bodies == KP_SINK_MAX_BODIES) {
		(void)kp_error_set(
		    err, KP_ERR_LIMIT, "too many kinds of Fetch");
		return NULL;
	}
	kp_buf_init(&buf, MAX_ANSWER_LEN);
	is_ok = kp_answer_fetch(&buf, &sink->cluster, topic, max_bytes, err) &&
		make_body(body, &buf, err);
	kp_buf_fini(&buf);
	if (!is_ok)
		return NULL;
	body->topic = topic;
	body->max_bytes = max_bytes;
	sink->num_bodies++;
	return body;
}

static bool
add_piece(struct kp_sink_connection *c, const struct kp_sink_body *body,
    struct kp_error *err)
{
	if (c->num_pieces == c->max_pieces) {
		uint32_t more = c->max_pieces == 0 ? 8 : 2 * c->max_pieces;
		struct kp_sink_piece *pieces = kp_alloc(more, sizeof(*pieces));

		if (more > MAX_PIECES) {
			free(pieces);
			return kp_error_set(
			    err, KP_ERR_LIMIT, "too many requests in flight");
		}
		kp_copy(pieces, c->pieces, c->num_pieces * sizeof(*c->pieces));
		free(c->pieces);
		c->pieces = pieces;
		c->max_pieces = more;
	}
	c->pieces[c->num_pieces++] =
	    (struct kp_sink_piece){ .body = body, .at = c->out.len };
	return true;
}

/* Length and header of an answer; returns where it begins. */
static size_t
begin(struct kp_sink_connection *c, const struct kp_request_header *request)
{
	size_t frame = kp_write_begin_int32(&c->out);

	kp_write_int32(&c->out, request->correlation_id);
	if (kp_response_header_is_flexible(
		request->api_key, request->api_version))
		kp_write_uvarint(&c->out, 0);
	return frame;
}

static bool
end_with_body(struct kp_sink_connection *c, size_t frame,
    const struct kp_sink_body *body, struct kp_error *err)
{
	size_t len;

	if (body == NULL || !add_piece(c, body, err))
		return false;
	len = c->out.len - frame - KP_FRAME_PREFIX_LEN + body->len;
	kp_number_put(c->out.data + frame, len, KP_FRAME_PREFIX_LEN);
	return true;
}

/* Decodes a whole request whose records are thrown away otherwise. */
static bool
check_records(struct kp_sink *sink, struct kp_reader *r, struct kp_error *err)
{
	struct kp_bytes records = kp_read_compact(r);
	struct kp_batch batch;
	uint64_t num_records = 0;

	(void)kp_read_uvarint(r);
	(void)kp_read_uvarint(r);
	(void)kp_read_uvarint(r);
	if (!kp_reader_finish(r, err) ||
	    !kp_batch_single(&batch, records, err) ||
	    !kp_payload_check(records, &num_records, err))
		return false;
	sink->num_records += num_records;
	return true;
}

static bool
answer_produce(struct kp_sink *sink, struct kp_sink_connection *c,
    struct kp_reader *r, struct kp_error *err)
{
	struct kp_bytes topic;
	int32_t partition;

	(void)kp_read_compact(r); /* transaction */
	(void)kp_read_int16(r);   /* acks */
	(void)kp_read_int32(r);   /* timeout */
	(void)kp_read_compact_length(r);
	topic = kp_read_compact(r);
	(void)kp_read_compact_length(r);
	partition = kp_read_int32(r);
	if (r->failed)
		return kp_error_set(
		    err, KP_ERR_PROTOCOL, "Produce request is malformed");
	if (sink->is_verifying && !check_records(sink, r, err))
		return kp_error_prefix(err, "Produce request");
	kp_answer_produce(&c->out, topic, partition);
	return true;
}

static const struct kp_sink_body *
find_fetch_body(struct kp_sink *sink, struct kp_reader *r, struct kp_error *err)
{
	struct kp_bytes id;
	int32_t max_bytes;

	(void)kp_read_raw(r, 4 + 4 + 4 + 1 + 4 + 4); /* up to the topics */
	(void)kp_read_compact_length(r);
	id = kp_read_uuid(r);
	(void)kp_read_compact_length(r);
	(void)kp_read_raw(r, 4 + 4 + 8 + 4 + 8); /* up to the limit */
	max_bytes = kp_read_int32(r);
	if (r->failed || max_bytes < KP_PAYLOAD_MIN_BATCH) {
		(void)kp_error_set(
		    err, KP_ERR_PROTOCOL, "Fetch request is malformed");
		return NULL;
	}
	return fetch_body(sink,
	    (uint32_t)kp_number_get(id.data + KP_UUID_LEN - 4, 4),
	    (uint32_t)max_bytes, err);
}

/* Answers about one topic by name; all of them come from the memory file. */
static bool
answer_one_topic(struct kp_sink *sink, struct kp_sink_connection *c,
    struct kp_reader *r, struct kp_error *err)
{
	struct kp_bytes name;
	char text[KP_BENCH_MAX_TOPIC_LEN] = "";
	size_t prefix_len = sizeof(KP_BENCH_TOPIC) - 1;
	int64_t topic;

	(void)kp_read_uuid(r);
	name = kp_read_compact(r);
	if (name.len > prefix_len && name.len < sizeof(text))
		kp_copy(text, name.data, name.len);
	if (r->failed || !kp_parse_int(text + prefix_len, &topic) ||
	    topic < 0 || topic >= sink->cluster.num_topics)
		return kp_error_set(
		    err, KP_ERR_PROTOCOL, "Metadata request for no topic");
	kp_answer_metadata(&c->out, &sink->cluster, (uint32_t)topic, 1);
	return true;
}

static bool
answer_body(struct kp_sink *sink, struct kp_sink_connection *c,
    const struct kp_request_header *request, struct kp_reader *r,
    struct kp_error *err)
{
	size_t frame = begin(c, request);
	bool is_ok = true;

	if (request->api_key == kp_bench_apis[KP_BENCH_FETCH].key)
		return end_with_body(
		    c, frame, find_fetch_body(sink, r, err), err);
	if (request->api_key == kp_bench_apis[KP_BENCH_PRODUCE].key)
		is_ok = answer_produce(sink, c, r, err);
	else if (request->api_key == kp_bench_apis[KP_BENCH_API_VERSIONS].key)
		kp_answer_api_versions(&c->out, request->api_version);
	else if (request->api_key == kp_bench_apis[KP_BENCH_HEARTBEAT].key)
		kp_answer_heartbeat(&c->out);
	else if (kp_read_compact_length(r) == 1) /* Metadata */
		is_ok = answer_one_topic(sink, c, r, err);
	else
		return end_with_body(c, frame, all_topics(sink, err), err);
	if (is_ok)
		kp_write_end_int32(&c->out, frame);
	return is_ok;
}

static struct kp_sink_counter *
counter_of(struct kp_sink *sink, const struct kp_request_header *request)
{
	for (unsigned i = 0; i < KP_NUM_BENCH_APIS; i++) {
		const struct kp_bench_range *range = &kp_bench_apis[i];

		if (range->key == request->api_key &&
		    range->min_version <= request->api_version &&
		    range->max_version >= request->api_version)
			return &sink->counters[i];
	}
	return NULL;
}

bool
kp_sink_answer(struct kp_sink *sink, struct kp_sink_connection *c,
    struct kp_bytes frame, struct kp_error *err)
{
	struct kp_request_header request;
	struct kp_sink_counter *counter;
	struct kp_reader r;
	const uint8_t *data = frame.data + KP_FRAME_PREFIX_LEN;
	size_t len = frame.len - KP_FRAME_PREFIX_LEN, begin_at = c->out.len;
	uint32_t first_piece = c->num_pieces;

	c->frame_len = KP_FRAME_PREFIX_LEN + kp_number_get(frame.data, 4);
	if (kp_request_header_read(&request, data, len,
		c->frame_len - KP_FRAME_PREFIX_LEN, err) != KP_HEADER_OK)
		return kp_error_set(
		    err, KP_ERR_PROTOCOL, "request header is not known");
	counter = counter_of(sink, &request);
	if (counter == NULL)
		return kp_error_set(err, KP_ERR_UNSUPPORTED,
		    "API %d version %d is not offered", request.api_key,
		    request.api_version);
	kp_reader_init(
	    &r, (struct kp_bytes){ data + request.len, len - request.len });
	if (!answer_body(sink, c, &request, &r, err))
		return false;
	if (c->out.failed)
		return kp_error_set(err, KP_ERR_LIMIT, "answers are not read");
	c->skip = c->frame_len - frame.len;
	c->has_traffic = true;
	counter->requests++;
	counter->request_bytes += c->frame_len;
	counter->answer_bytes += c->out.len - begin_at;
	if (c->num_pieces > first_piece)
		counter->answer_bytes += c->pieces[first_piece].body->len;
	return true;
}
