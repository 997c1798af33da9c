/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/proxy/session/conversation.h"

#include "proto/kafka/records/batch.h"
#include "proto/kafka/writer.h"
#include "rules/govern/objects.h"
#include "tests/support/frames.h"
#include "tests/support/sample.h"

#define PRODUCE 0
#define FETCH 1
#define METADATA 3
#define INCREMENTAL_ALTER_CONFIGS 44
#define FIND_COORDINATOR 10
#define LIST_GROUPS 16
#define DESCRIBE_CONFIGS 32
#define PUSH_TELEMETRY 72

/* Of records that are long: more than a window, enough to be spliced. */
#define LONG_LEN ((size_t)150 * 1000)

#define NUM_TOPICS 5000

/* Offset and length of a batch, which the length does not count. */
#define BATCH_PREFIX_LEN 12

static uint8_t unknown_versions[KP_EMPTY_REQUEST_LEN];

static struct kp_exchange *
add(struct kp_conversation *conversation, enum kp_answered answered)
{
	struct kp_exchange *exchange =
	    &conversation->exchanges[conversation->num++];

	kp_assert(conversation->num <= KP_MAX_EXCHANGES);
	exchange->answered = answered;
	kp_buf_init(&exchange->request, KP_FAR_MAX_LEN);
	kp_buf_init(&exchange->answer, KP_FAR_MAX_LEN);
	return exchange;
}

static struct kp_request_header
header_of(
    const struct kp_conversation *conversation, int16_t key, int16_t version)
{
	return (struct kp_request_header){
		.api_key = key,
		.api_version = version,
		.correlation_id = 1000 + (int32_t)conversation->num,
		.client_id = kp_bytes_of("client"),
	};
}

/* Both bodies are given. */
static struct kp_exchange *
say(struct kp_conversation *conversation, struct kp_request_header header,
    struct kp_bytes request, struct kp_bytes answer)
{
	struct kp_exchange *exchange = add(conversation, KP_BY_BROKER);

	kp_test_request(&exchange->request, &header, request);
	kp_test_answer(&exchange->answer, &header, answer);
	return exchange;
}

/* Both bodies are made from the tables. */
static struct kp_exchange *
say_any(struct kp_conversation *conversation, int16_t key, int16_t version,
    size_t records_len)
{
	const struct kp_api *api = kp_api_find(key);
	struct kp_sample sample = { .random = (uint64_t)key,
		.is_full = true,
		.host = KP_BRIDGE_SECRET,
		.records_len = records_len };
	struct kp_buf request, answer;
	struct kp_exchange *exchange;

	kp_buf_init(&request, KP_FAR_MAX_LEN);
	kp_buf_init(&answer, KP_FAR_MAX_LEN);
	kp_sample_body(&sample, &request, api->request, version);
	kp_sample_body(&sample, &answer, api->response, version);
	exchange = say(conversation, header_of(conversation, key, version),
	    kp_buf_bytes(&request), kp_buf_bytes(&answer));
	kp_buf_fini(&request);
	kp_buf_fini(&answer);
	return exchange;
}

/* A version that nobody knows: the proxy asks what it wants to know itself. */
static void
say_unknown_versions(struct kp_conversation *conversation)
{
	struct kp_request_header header =
	    header_of(conversation, KP_API_VERSIONS, 99);
	struct kp_exchange *exchange;
	struct kp_buf answer;

	kp_buf_init(&answer, 100);
	kp_write_int16(&answer, KP_KAFKA_UNSUPPORTED_VERSION);
	kp_write_int32(&answer, 1);
	kp_write_int16(&answer, KP_API_VERSIONS);
	kp_write_int16(&answer, 0);
	kp_write_int16(&answer, 17);
	exchange =
	    say(conversation, header, kp_bytes_of("?"), kp_buf_bytes(&answer));
	kp_request_unknown_versions(unknown_versions, header.correlation_id);
	exchange->forwarded =
	    (struct kp_bytes){ unknown_versions, sizeof(unknown_versions) };
	/* its header is one of version 0 */
	kp_buf_clear(&exchange->answer);
	header.api_version = 0;
	kp_test_answer(&exchange->answer, &header, kp_buf_bytes(&answer));
	kp_buf_fini(&answer);
}

/* The broker offers all that the tables know, but for one version. */
static void
say_versions(struct kp_conversation *conversation)
{
	struct kp_buf request, answer;
	int32_t num = 0;

	kp_buf_init(&request, 100);
	kp_write_compact(&request, kp_bytes_of("test"));
	kp_write_compact(&request, kp_bytes_of("1"));
	kp_write_uvarint(&request, 0);
	kp_buf_init(&answer, 4000);
	kp_write_int16(&answer, 0);
	for (int key = 0; key <= KP_MAX_API_KEY; key++)
		num += kp_api_find((int16_t)key) != NULL;
	kp_write_compact_length(&answer, num);
	for (int key = 0; key <= KP_MAX_API_KEY; key++) {
		const struct kp_api *api = kp_api_find((int16_t)key);

		if (api == NULL)
			continue;
		kp_write_int16(&answer, api->key);
		kp_write_int16(&answer, 0);
		kp_write_int16(&answer, key == LIST_GROUPS ? 3 : 99);
		kp_write_uvarint(&answer, 0);
	}
	kp_write_int32(&answer, 0);
	kp_write_uvarint(&answer, 0);
	(void)say(conversation, header_of(conversation, KP_API_VERSIONS, 3),
	    kp_buf_bytes(&request), kp_buf_bytes(&answer));
	kp_buf_fini(&request);
	kp_buf_fini(&answer);
}

static void
say_login(struct kp_conversation *conversation)
{
	static const char token[] = "\0alice\0secret";
	struct kp_buf request, answer;

	kp_buf_init(&request, 100);
	kp_buf_init(&answer, 100);
	kp_write_string(&request, kp_bytes_of("PLAIN"));
	kp_write_int16(&answer, 0);
	kp_write_int32(&answer, 1);
	kp_write_string(&answer, kp_bytes_of("PLAIN"));
	(void)say(conversation, header_of(conversation, KP_SASL_HANDSHAKE, 1),
	    kp_buf_bytes(&request), kp_buf_bytes(&answer));
	kp_buf_clear(&request);
	kp_buf_clear(&answer);
	kp_write_compact(&request,
	    (struct kp_bytes){ (const uint8_t *)token, sizeof(token) - 1 });
	kp_write_uvarint(&request, 0);
	kp_write_int16(&answer, 0);
	kp_write_compact(&answer, (struct kp_bytes){ 0 });
	kp_write_compact(&answer, kp_bytes_of(""));
	kp_write_int64(&answer, 0);
	kp_write_uvarint(&answer, 0);
	(void)say(conversation,
	    header_of(conversation, KP_SASL_AUTHENTICATE, 2),
	    kp_buf_bytes(&request), kp_buf_bytes(&answer));
	kp_buf_fini(&request);
	kp_buf_fini(&answer);
}

static void
add_letters(struct kp_buf *out, size_t len)
{
	for (size_t i = 0; i < len; i++)
		kp_write_int8(out, (int8_t)('a' + i % 26));
}

static void
say_produce(
    struct kp_conversation *conversation, int16_t acks, size_t records_len)
{
	struct kp_request_header header = header_of(conversation, PRODUCE, 9);
	struct kp_sample sample = { .random = records_len,
		.host = KP_BRIDGE_SECRET };
	struct kp_exchange *exchange =
	    add(conversation, acks == 0 ? KP_BY_NOBODY : KP_BY_BROKER);
	struct kp_buf body;

	kp_buf_init(&body, KP_FAR_MAX_LEN);
	kp_write_compact(&body, (struct kp_bytes){ 0 });
	kp_write_int16(&body, acks);
	kp_write_int32(&body, 30000);
	kp_write_compact_length(&body, 1);
	kp_write_compact(&body, kp_bytes_of("topic"));
	kp_write_compact_length(&body, 1);
	kp_write_int32(&body, 0);
	kp_write_compact_length(&body, (int64_t)records_len);
	add_letters(&body, records_len);
	kp_write_uvarint(&body, 0);
	kp_write_uvarint(&body, 0);
	kp_write_uvarint(&body, 0);
	kp_test_request(&exchange->request, &header, kp_buf_bytes(&body));
	kp_buf_clear(&body);
	kp_sample_body(&sample, &body, kp_api_find(PRODUCE)->response, 9);
	if (acks != 0)
		kp_test_answer(&exchange->answer, &header, kp_buf_bytes(&body));
	kp_buf_fini(&body);
}

/* A version that was not offered, with a place for the error in its answer. */
static void
say_unsupported(struct kp_conversation *conversation)
{
	struct kp_request_header header =
	    header_of(conversation, LIST_GROUPS, 5);
	struct kp_exchange *exchange = add(conversation, KP_BY_PROXY);

	kp_test_request(&exchange->request, &header, kp_bytes_of("unknown"));
	exchange->is_pipelined = true;
}

/* An answer that is looked at whole and does not fit into a window. */
static void
say_many_topics(struct kp_conversation *conversation)
{
	struct kp_buf request, answer;

	kp_buf_init(&request, 100);
	kp_write_int32(&request, 0);
	kp_buf_init(&answer, KP_FAR_MAX_LEN);
	kp_write_int32(&answer, 1);
	kp_write_int32(&answer, 5);
	kp_write_string(&answer, kp_bytes_of(KP_BRIDGE_SECRET));
	kp_write_int32(&answer, 9092);
	kp_write_int32(&answer, NUM_TOPICS);
	for (int i = 0; i < NUM_TOPICS; i++) {
		kp_write_int16(&answer, 0);
		kp_write_string(&answer, kp_bytes_of("some-topic"));
		kp_write_int32(&answer, 0);
	}
	(void)say(conversation, header_of(conversation, METADATA, 0),
	    kp_buf_bytes(&request), kp_buf_bytes(&answer));
	kp_buf_fini(&request);
	kp_buf_fini(&answer);
}

/* A batch of magic 2, of which only the header is true. */
static void
add_batch(struct kp_buf *out, size_t len)
{
	kp_write_int64(out, 0);
	kp_write_int32(out, (int32_t)(len - BATCH_PREFIX_LEN));
	kp_write_int32(out, 0);
	kp_write_int8(out, KP_BATCH_MAX_MAGIC);
	kp_write_int32(out, 0);
	kp_write_int16(out, KP_CODEC_NONE);
	kp_write_int32(out, 0);
	kp_write_int64(out, 0);
	kp_write_int64(out, 0);
	kp_write_int64(out, -1);
	kp_write_int16(out, -1);
	kp_write_int32(out, -1);
	kp_write_int32(out, 1);
	add_letters(out, len - KP_BATCH_HEADER_LEN);
}

/* Most of a client's bytes: batches of the size that producers send. */
static void
say_batches(struct kp_conversation *conversation)
{
	struct kp_sample sample = { .host = KP_BRIDGE_SECRET };
	struct kp_buf request, answer, records;

	kp_buf_init(&request, KP_FAR_MAX_LEN);
	kp_sample_body(&sample, &request, kp_api_find(FETCH)->request, 12);
	kp_buf_init(&records, KP_FAR_MAX_LEN);
	for (unsigned i = 0; i < KP_CONVERSATION_BATCHES; i++)
		add_batch(&records, i % 3 == 0 ? 100 : 16384 + i);
	add_letters(&records, BATCH_PREFIX_LEN - 1); /* cut off */
	kp_buf_init(&answer, KP_FAR_MAX_LEN);
	kp_write_int32(&answer, 0);
	kp_write_int16(&answer, 0);
	kp_write_int32(&answer, 0);
	kp_write_compact_length(&answer, 1);
	kp_write_compact(&answer, kp_bytes_of("topic"));
	kp_write_compact_length(&answer, 1);
	kp_write_int32(&answer, 0);
	kp_write_int16(&answer, 0);
	kp_write_int64(&answer, 0);
	kp_write_int64(&answer, 0);
	kp_write_int64(&answer, 0);
	kp_write_compact_length(&answer, -1);
	kp_write_int32(&answer, -1);
	kp_write_compact(&answer, kp_buf_bytes(&records));
	kp_write_uvarint(&answer, 0);
	kp_write_uvarint(&answer, 0);
	kp_write_uvarint(&answer, 0);
	(void)say(conversation, header_of(conversation, FETCH, 12),
	    kp_buf_bytes(&request), kp_buf_bytes(&answer));
	kp_buf_fini(&request);
	kp_buf_fini(&answer);
	kp_buf_fini(&records);
}

/* Of a topic; its one setting has another value afterwards. */
static void
write_change(struct kp_buf *out, const char *value)
{
	kp_write_int32(out, 1);
	kp_write_int8(out, KP_RESOURCE_TYPE_TOPIC);
	kp_write_string(out, kp_bytes_of("topic"));
	kp_write_int32(out, 1);
	kp_write_string(out, kp_bytes_of("a"));
	kp_write_int8(out, KP_CHANGE_SET);
	kp_write_string(out, kp_bytes_of(value));
	kp_write_int8(out, 0);
}

void
kp_conversation_add_changed(struct kp_conversation *conversation)
{
	static uint8_t changed[100];
	struct kp_request_header header =
	    header_of(conversation, INCREMENTAL_ALTER_CONFIGS, 0);
	struct kp_buf request, forwarded, answer;
	struct kp_exchange *exchange;

	kp_buf_init(&request, 100);
	kp_buf_init(&answer, 100);
	kp_buf_init(&forwarded, sizeof(changed));
	write_change(&request, "asked");
	kp_write_int32(&answer, 0);
	kp_write_int32(&answer, 1);
	kp_write_int16(&answer, 0);
	kp_write_int16(&answer, -1);
	kp_write_int8(&answer, KP_RESOURCE_TYPE_TOPIC);
	kp_write_string(&answer, kp_bytes_of("topic"));
	exchange = say(conversation, header, kp_buf_bytes(&request),
	    kp_buf_bytes(&answer));
	kp_buf_clear(&request);
	write_change(&request, "set");
	kp_test_request(&forwarded, &header, kp_buf_bytes(&request));
	kp_copy(changed, forwarded.data, forwarded.len);
	exchange->forwarded = (struct kp_bytes){ changed, forwarded.len };
	kp_buf_fini(&forwarded);
	kp_buf_fini(&answer);
	kp_buf_fini(&request);
}

static void
say_everything(struct kp_conversation *out)
{
	say_unknown_versions(out);
	say_versions(out);
	say_login(out);
	(void)say_any(out, METADATA, 12, 0);
	/* all at once, and only then answers */
	(void)say_any(out, FIND_COORDINATOR, 4, 0);
	say_unsupported(out);
	say_produce(out, 0, 100);
	say_produce(out, 1, 200);
	(void)say_any(out, DESCRIBE_CONFIGS, 4, 0);
	for (unsigned i = out->num - 4; i < out->num; i++)
		out->exchanges[i].is_pipelined = true;
	/* long and short ones, whole and in pieces */
	say_produce(out, 1, LONG_LEN);
	(void)say_any(out, FETCH, 16, 100);
	(void)say_any(out, FETCH, 16, LONG_LEN);
	say_batches(out);
	say_any(out, PUSH_TELEMETRY, 0, 0)->is_pipelined = true;
	say_many_topics(out);
}

void
kp_conversation_init(
    struct kp_conversation *out, struct kp_test_bridge *bridge, bool is_long)
{
	*out = (struct kp_conversation){ .bridge = bridge };
	if (is_long) {
		say_everything(out);
		return;
	}
	say_versions(out);
	(void)say_any(out, METADATA, 12, 0);
}

void
kp_conversation_fini(struct kp_conversation *conversation)
{
	for (unsigned i = 0; i < conversation->num; i++) {
		kp_buf_fini(&conversation->exchanges[i].request);
		kp_buf_fini(&conversation->exchanges[i].answer);
	}
}

/* How many frames have become whole behind *pos. */
static unsigned
count_frames(const struct kp_far *far, size_t *pos)
{
	struct kp_bytes rest = kp_far_heard(far, *pos);
	struct kp_bytes frame;
	unsigned num = 0;

	while (kp_test_next_frame(&frame, &rest))
		num++;
	*pos = far->received.len - rest.len;
	return num;
}

static bool
may_ask(const struct kp_conversation *conversation, unsigned num_expected)
{
	return conversation->num_asked < conversation->num &&
	       (conversation->num_heard == num_expected ||
		   conversation->exchanges[conversation->num_asked]
		       .is_pipelined);
}

/* True if the client has something new to say. */
static bool
let_client_talk(struct kp_conversation *conversation)
{
	struct kp_far *client = &conversation->bridge->client;
	unsigned num_expected = 0, num_before = conversation->num_asked;

	conversation->num_heard +=
	    count_frames(client, &conversation->client_pos);
	for (unsigned i = 0; i < conversation->num_asked; i++)
		num_expected +=
		    conversation->exchanges[i].answered != KP_BY_NOBODY;
	while (may_ask(conversation, num_expected)) {
		const struct kp_exchange *exchange =
		    &conversation->exchanges[conversation->num_asked++];

		kp_far_send(client, kp_buf_bytes(&exchange->request));
		num_expected += exchange->answered != KP_BY_NOBODY;
	}
	if (conversation->num_asked == conversation->num &&
	    conversation->num_heard == num_expected)
		kp_far_close(client);
	return conversation->num_asked > num_before;
}

/* True if the broker has something new to say. */
static bool
let_broker_talk(struct kp_conversation *conversation)
{
	struct kp_far *broker = &conversation->bridge->broker;
	unsigned num = count_frames(broker, &conversation->broker_pos);
	bool has_talked = num > 0;

	while (num > 0 && conversation->num_served < conversation->num) {
		const struct kp_exchange *exchange =
		    &conversation->exchanges[conversation->num_served++];

		if (exchange->answered == KP_BY_PROXY)
			continue;
		kp_far_send(broker, kp_buf_bytes(&exchange->answer));
		num--;
	}
	return has_talked;
}

static bool
have_turn(void *context)
{
	struct kp_conversation *conversation = context;
	struct kp_test_bridge *bridge = conversation->bridge;
	bool has_moved;

	conversation->num_turns++;
	if (conversation->max_turns != 0 &&
	    conversation->num_turns > conversation->max_turns)
		return false;
	has_moved = let_client_talk(conversation);
	has_moved = kp_far_pump(&bridge->client) || has_moved;
	has_moved = kp_far_pump(&bridge->broker) || has_moved;
	return let_broker_talk(conversation) || has_moved;
}

void
kp_conversation_run(struct kp_conversation *conversation)
{
	struct kp_test_bridge *bridge = conversation->bridge;
	const char *header = "";

	if ((bridge->options & KP_BRIDGE_PROXY_HEADER) != 0)
		header = "PROXY TCP4 192.0.2.1 192.0.2.2 1111 9092\r\n";
	bridge->turn = have_turn;
	bridge->context = conversation;
	conversation->num_turns = 0;
	conversation->num_asked = 0;
	conversation->num_heard = 0;
	conversation->num_served = 0;
	conversation->client_pos = 0;
	conversation->broker_pos = 0;
	kp_bridge_run(bridge, kp_bytes_of(header));
}

void
kp_conversation_requests(
    const struct kp_conversation *conversation, struct kp_buf *out)
{
	for (unsigned i = 0; i < conversation->num; i++) {
		const struct kp_exchange *exchange =
		    &conversation->exchanges[i];
		struct kp_bytes request = kp_buf_bytes(&exchange->request);

		if (exchange->forwarded.len > 0)
			request = exchange->forwarded;
		if (exchange->answered != KP_BY_PROXY)
			kp_buf_add(out, request.data, request.len);
	}
}
