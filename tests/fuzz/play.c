/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/play.h"

#include <errno.h>

#include "base/clock.h"
#include "proto/kafka/writer.h"
#include "tests/support/frames.h"
#include "tests/support/sample.h"

/* Records grow in such steps; the longest are spliced. */
#define RECORDS_STEP ((size_t)20 * 1000)
/* From this param on there are records for sure. */
#define IS_FULL 4
/* The longest one of TLS. */
#define RECORD_LEN ((size_t)16 * 1024)
/* More is not sent by either side. */
#define MAX_SENT ((size_t)3 << 20)
#define MAX_BODY_LEN ((size_t)2 << 20)

static struct kp_bytes
read_bytes(struct kp_reader *script)
{
	size_t len = (uint8_t)kp_read_int8(script);

	if (len > kp_reader_left(script))
		len = kp_reader_left(script);
	return kp_read_raw(script, len);
}

static uint8_t
read_byte(struct kp_reader *script)
{
	return kp_reader_left(script) == 0 ? 0 : (uint8_t)kp_read_int8(script);
}

static void
send_all(struct kp_play *play, struct kp_far *far, struct kp_bytes bytes)
{
	if (far->to_send.len + bytes.len <= MAX_SENT)
		kp_far_send(far, bytes);
	else
		play->is_true = false;
}

static void
send_raw(struct kp_play *play, struct kp_far *far)
{
	struct kp_bytes bytes = read_bytes(&play->script);

	play->is_true = false;
	send_all(play, far, bytes);
}

static int16_t
version_of(const struct kp_message *message, uint8_t choice)
{
	int num = message->max_version - message->min_version + 1;

	return (int16_t)(message->min_version + choice % num);
}

static void
send_request(
    struct kp_play *play, int16_t key, int16_t version, struct kp_bytes body)
{
	const struct kp_request_header header = {
		.api_key = key,
		.api_version = version,
		.correlation_id = play->next_id++,
		.client_id = kp_bytes_of("fuzz"),
	};
	struct kp_buf frame;

	kp_buf_init(&frame, MAX_BODY_LEN + 100);
	kp_test_request(&frame, &header, body);
	send_all(play, &play->bridge->client, kp_buf_bytes(&frame));
	kp_buf_fini(&frame);
}

static void
ask(struct kp_play *play, unsigned param)
{
	const struct kp_api *api =
	    kp_api_find(read_byte(&play->script) % (KP_MAX_API_KEY + 1));
	uint8_t version = read_byte(&play->script);
	struct kp_sample sample = { .random = read_byte(&play->script),
		.is_full = param >= IS_FULL,
		.records_len = param * RECORDS_STEP };
	struct kp_buf body;

	if (api == NULL)
		return;
	kp_buf_init(&body, MAX_BODY_LEN);
	kp_sample_body(
	    &sample, &body, api->request, version_of(api->request, version));
	send_request(play, api->key, version_of(api->request, version),
	    kp_buf_bytes(&body));
	kp_buf_fini(&body);
}

/* Produce with acks 0, which stand behind the transactional id since v3. */
bool
kp_play_is_answered(
    const struct kp_request_header *header, struct kp_bytes frame)
{
	size_t before = KP_FRAME_PREFIX_LEN + header->len;
	struct kp_reader body;

	if (header->api_key != 0)
		return true;
	kp_reader_init(&body,
	    (struct kp_bytes){ frame.data + before, frame.len - before });
	if (header->api_version >= 9)
		(void)kp_read_compact(&body);
	else if (header->api_version >= 3)
		(void)kp_read_string(&body);
	return kp_read_int16(&body) != 0;
}

/* The oldest request that waits for an answer; false if there is none. */
static bool
take_request(struct kp_play *play, struct kp_request_header *out)
{
	const struct kp_far *broker = &play->bridge->broker;
	struct kp_bytes rest = kp_far_heard(broker, play->served);
	struct kp_bytes frame;

	while (kp_test_next_frame(&frame, &rest)) {
		bool is_known = kp_test_read_request(out, frame);

		play->served = broker->received.len - rest.len;
		/* what the session asks on its own is of no known version */
		if (!is_known && out->api_key == KP_API_VERSIONS)
			out->api_version = 0;
		if (is_known ? kp_play_is_answered(out, frame)
			     : out->api_key == KP_API_VERSIONS)
			return true;
	}
	return false;
}

static void
send_answer(struct kp_play *play, const struct kp_request_header *header,
    struct kp_bytes body)
{
	struct kp_buf frame;

	kp_buf_init(&frame, MAX_BODY_LEN + 100);
	kp_test_answer(&frame, header, body);
	send_all(play, &play->bridge->broker, kp_buf_bytes(&frame));
	kp_buf_fini(&frame);
}

static void
answer_next(struct kp_play *play, struct kp_sample sample)
{
	struct kp_request_header header = { 0 };
	struct kp_buf body;

	if (!take_request(play, &header))
		return;
	sample.host = KP_BRIDGE_SECRET;
	/* what is not rewritten keeps them (docs/protocol/addresses.md) */
	sample.has_unknown_tags =
	    sample.has_unknown_tags &&
	    kp_plan_answer(&play->bridge->shared.plan, header.api_key,
		header.api_version) != KP_NEED_NOTHING;
	kp_buf_init(&body, MAX_BODY_LEN);
	kp_sample_body(&sample, &body, kp_api_find(header.api_key)->response,
	    header.api_version);
	send_answer(play, &header, kp_buf_bytes(&body));
	kp_buf_fini(&body);
}

static void
answer(struct kp_play *play, unsigned param)
{
	uint8_t seed = read_byte(&play->script);
	struct kp_sample sample = { .random = seed,
		.has_unknown_tags = seed % 2 == 0,
		.is_full = param >= IS_FULL,
		.records_len = param * RECORDS_STEP };

	answer_next(play, sample);
}

/* ApiVersions v3 of a broker that offers nothing beyond a certain version. */
static void
answer_versions(struct kp_play *play)
{
	int16_t max = read_byte(&play->script) % 20;
	struct kp_request_header header = { 0 };
	struct kp_buf body;

	if (!take_request(play, &header))
		return;
	kp_buf_init(&body, MAX_BODY_LEN);
	kp_write_int16(&body, 0);
	kp_write_compact_length(&body, KP_MAX_API_KEY + 1);
	for (int16_t key = 0; key <= KP_MAX_API_KEY; key++) {
		kp_write_int16(&body, key);
		kp_write_int16(&body, 0);
		kp_write_int16(&body, max);
		kp_write_uvarint(&body, 0);
	}
	kp_write_int32(&body, 0);
	kp_write_uvarint(&body, 0);
	send_answer(play, &header, kp_buf_bytes(&body));
	kp_buf_fini(&body);
}

static void
log_in(struct kp_play *play, unsigned param)
{
	static const char *const mechanisms[] = { "PLAIN", "SCRAM-SHA-256",
		"OAUTHBEARER", "GSSAPI" };
	struct kp_buf body;

	kp_buf_init(&body, 100);
	kp_write_string(
	    &body, kp_bytes_of(mechanisms[read_byte(&play->script) % 4]));
	send_request(
	    play, KP_SASL_HANDSHAKE, (int16_t)(param & 1), kp_buf_bytes(&body));
	kp_buf_fini(&body);
}

static void
spoil(struct kp_play *play, struct kp_far *far)
{
	size_t at = read_byte(&play->script) * 7u;
	uint8_t value = read_byte(&play->script);
	/* with TLS a record may be encrypted already */
	size_t from =
	    far->sent_len + (far->stream.ssl != NULL ? RECORD_LEN : 0);

	play->is_true = false;
	if (from < far->to_send.len)
		far->to_send.data[from + at % (far->to_send.len - from)] =
		    value;
}

static void
let_fail(struct kp_play *play, unsigned param)
{
	static const int reasons[] = { 0, EINTR, EAGAIN, ECONNRESET, EPIPE,
		EMFILE, ETIMEDOUT, 0 };
	static const uint32_t calls[] = { 1u << KP_CALL_RECEIVE,
		1u << KP_CALL_SEND, 1u << KP_CALL_SPLICE, 1u << KP_CALL_WAIT,
		1u << KP_CALL_PIPE, 1u << KP_CALL_MEMORY };
	struct kp_test_calls *waits = &play->bridge->calls;
	uint8_t which = read_byte(&play->script) % 6;

	waits->fault = (struct kp_test_fault){
		.calls = calls[which],
		.nth = 1u + read_byte(&play->script) % 16,
		.max_len = reasons[param] == 0,
		.reason =
		    calls[which] == 1u << KP_CALL_WAIT ? EINTR : reasons[param],
	};
	waits->num_calls = 0;
	if (reasons[param] == ECONNRESET || reasons[param] == EPIPE ||
	    reasons[param] == EMFILE || reasons[param] == ETIMEDOUT ||
	    calls[which] == 1u << KP_CALL_MEMORY)
		play->is_patient = false;
}

static void
let_time_pass(struct kp_play *play)
{
	play->is_patient = false;
	play->bridge->calls.now_ns +=
	    (int64_t)read_byte(&play->script) * 1000000000;
}

static void
change_worker(struct kp_play *play, enum kp_step step, unsigned param)
{
	struct kp_shared *shared = &play->bridge->shared;

	if (step == KP_STEP_RULES) {
		kp_bridge_publish(play->bridge, (param & 1) == 0);
		play->is_patient = play->is_patient && (param & 1) == 0;
		return;
	}
	play->is_patient = false;
	if (step == KP_STEP_EVICT) {
		atomic_store(&play->bridge->session->roster.is_evicted, true);
		return;
	}
	atomic_store(&shared->hard_stop_ms, kp_now_ms() + 30000);
	atomic_store(&shared->is_draining, true);
}

static void
hang_up(struct kp_play *play, struct kp_far *far)
{
	play->is_patient = false;
	kp_far_close(far);
}

static void
take_step(struct kp_play *play, enum kp_step step, unsigned param)
{
	struct kp_far *client = &play->bridge->client;
	struct kp_far *broker = &play->bridge->broker;

	switch (step) {
	case KP_STEP_CLIENT_SENDS:
		send_raw(play, client);
		return;
	case KP_STEP_BROKER_SENDS:
		send_raw(play, broker);
		return;
	case KP_STEP_ASK:
		ask(play, param);
		return;
	case KP_STEP_ANSWER:
		answer(play, param);
		return;
	case KP_STEP_CLIENT_ERRS:
		spoil(play, client);
		return;
	case KP_STEP_BROKER_ERRS:
		spoil(play, broker);
		return;
	case KP_STEP_HEARING:
		client->is_deaf = (param & 1) != 0;
		broker->is_deaf = (param & 2) != 0;
		return;
	case KP_STEP_CLIENT_GOES:
		hang_up(play, client);
		return;
	case KP_STEP_BROKER_GOES:
		hang_up(play, broker);
		return;
	case KP_STEP_FAULT:
		let_fail(play, param);
		return;
	case KP_STEP_TIME:
		let_time_pass(play);
		return;
	case KP_STEP_RULES:
	case KP_STEP_DRAIN:
	case KP_STEP_EVICT:
		change_worker(play, step, param);
		return;
	case KP_STEP_LOGIN:
		log_in(play, param);
		return;
	case KP_STEP_VERSIONS:
		answer_versions(play);
		return;
	}
}

static void
take_steps(struct kp_play *play)
{
	uint8_t first = KP_STEP_MORE;

	while (
	    (first & KP_STEP_MORE) != 0 && kp_reader_left(&play->script) > 0) {
		first = (uint8_t)kp_read_int8(&play->script);
		take_step(play, (enum kp_step)(first & 0xf),
		    (unsigned)first >> KP_STEP_PARAM_SHIFT);
	}
}

static bool
pump(struct kp_play *play)
{
	bool has_moved = kp_far_pump(&play->bridge->client);

	return kp_far_pump(&play->bridge->broker) || has_moved;
}

/*
 * Twice nothing within one wait: then neither a far end nor the session has
 * anything to do.
 */
static bool
is_quiet(struct kp_play *play)
{
	unsigned now = play->bridge->calls.num_waits;
	bool was_idle = play->idle_wait == now;

	play->idle_wait = now;
	return was_idle;
}

static bool
finish(struct kp_play *play)
{
	struct kp_far *client = &play->bridge->client;
	struct kp_far *broker = &play->bridge->broker;
	size_t before = broker->to_send.len;

	if (play->was_quiet)
		return pump(play);
	client->is_deaf = false;
	broker->is_deaf = false;
	answer_next(play, (struct kp_sample){ .random = 1 });
	if (pump(play) || broker->to_send.len > before)
		return true;
	if (!is_quiet(play))
		return true;
	play->was_quiet = true;
	play->num_timeouts = play->bridge->calls.num_timeouts;
	kp_far_close(client);
	return true;
}

static bool
have_turn(void *context)
{
	struct kp_play *play = context;

	if (kp_reader_left(&play->script) == 0)
		return finish(play);
	(void)pump(play);
	take_steps(play);
	(void)pump(play);
	return true;
}

void
kp_play_run(
    struct kp_play *play, struct kp_test_bridge *bridge, struct kp_bytes script)
{
	static const char header[] =
	    "PROXY TCP4 192.0.2.1 192.0.2.2 1111 9092\r\n";
	bool has_header = (bridge->options & KP_BRIDGE_PROXY_HEADER) != 0;
	struct kp_bytes first = kp_bytes_of(has_header ? header : "");

	*play = (struct kp_play){ .bridge = bridge,
		.next_id = 1,
		.is_true = true,
		.is_patient = true };
	kp_reader_init(&play->script, script);
	if (has_header && read_byte(&play->script) % 2 == 0)
		first = read_bytes(&play->script);
	bridge->turn = have_turn;
	bridge->context = play;
	bridge->calls.fault = (struct kp_test_fault){ 0 };
	kp_bridge_run(bridge, first);
}
