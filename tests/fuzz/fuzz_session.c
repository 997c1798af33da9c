/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A real session between a client and a broker of which neither can be trusted,
 * with faults of the system between (play.h). Whatever they do, the broker gets
 * nothing but frames of the client, in order, the client gets answers in the
 * order of its requests, no address of a broker gets out, and all memory comes
 * back. Input: a byte that chooses TLS, PROXY header and limits, then a script.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/play.h"
#include "tests/support/frames.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ID_AT (KP_FRAME_PREFIX_LEN + 4)

/* Handshakes take most of the time: only inputs that insist get TLS. */
#define TLS_FROM 0xe0
#define IS_TIGHT 0x10

static struct kp_test_bridge *bridges[2][KP_NUM_BRIDGES];

static struct kp_test_bridge *
make_bridge(unsigned options, bool is_tight)
{
	struct kp_test_bridge *bridge = malloc(sizeof(*bridge));
	struct kp_limits limits;

	kp_assert(bridge != NULL);
	kp_limits_default(&limits);
	if (is_tight) {
		limits.of[KP_LIMIT_MEMORY] = 6 * (int64_t)KP_BUFFER_LEN;
		limits.of[KP_LIMIT_MEMORY_PER_CONNECTION] =
		    5 * (int64_t)KP_BUFFER_LEN;
		limits.of[KP_LIMIT_FRAME] = 3 * (int64_t)KP_BUFFER_LEN;
		limits.of[KP_LIMIT_FRAME_BEFORE_AUTH] = 1024;
		limits.of[KP_LIMIT_IN_FLIGHT] = 3;
	}
	kp_bridge_init(bridge, options, &limits);
	return bridge;
}

static struct kp_test_bridge *
choose_bridge(uint8_t choice)
{
	unsigned options = choice & (KP_NUM_BRIDGES - 1);

	if (choice < TLS_FROM)
		options &= KP_BRIDGE_PROXY_HEADER;
	if ((options & KP_BRIDGE_CLIENT_TLS) == 0)
		options &= ~(unsigned)KP_BRIDGE_SNI;
	return bridges[(choice & IS_TIGHT) != 0][options];
}

struct stand_in {
	uint8_t bytes[KP_EMPTY_REQUEST_LEN];
	struct kp_bytes request; /* those, or none */
};

/* ApiVersions of a version nobody knows, asked in the place of the client's. */
static void
make_stand_in(struct stand_in *out, struct kp_bytes frame)
{
	struct kp_reader reader;
	int32_t id;

	kp_reader_init(&reader, frame);
	(void)kp_read_int32(&reader);
	out->request = (struct kp_bytes){ 0 };
	if (kp_read_int16(&reader) != KP_API_VERSIONS)
		return;
	(void)kp_read_int16(&reader);
	id = kp_read_int32(&reader);
	if (reader.failed)
		return;
	kp_request_unknown_versions(out->bytes, id);
	out->request = (struct kp_bytes){ out->bytes, sizeof(out->bytes) };
}

/* The next frame; at last what there is of one that is not finished. */
static bool
next_part(struct kp_bytes *out, struct kp_bytes *rest)
{
	if (kp_test_next_frame(out, rest))
		return true;
	*out = *rest;
	*rest = (struct kp_bytes){ 0 };
	return out->len > 0;
}

static bool
begins_with(struct kp_bytes whole, struct kp_bytes part)
{
	return part.len <= whole.len &&
	       (part.len == 0 || memcmp(whole.data, part.data, part.len) == 0);
}

/* Looks for wanted, a frame or the beginning of one, from *rest on. */
static bool
finds(struct kp_bytes *rest, struct kp_bytes wanted, bool is_whole)
{
	struct stand_in stand_in;
	struct kp_bytes part;

	while (next_part(&part, rest)) {
		make_stand_in(&stand_in, part);
		if (kp_bytes_equal(part, wanted) ||
		    kp_bytes_equal(stand_in.request, wanted))
			return true;
		if (!is_whole && (begins_with(part, wanted) ||
				     begins_with(stand_in.request, wanted)))
			return true;
	}
	return false;
}

/* What arrives at the broker are frames of the client, some left out. */
static void
check_requests(const struct kp_test_bridge *bridge)
{
	struct kp_bytes sent = kp_buf_bytes(&bridge->client.to_send);
	struct kp_bytes arrived = kp_buf_bytes(&bridge->broker.received);
	struct kp_bytes frame;

	while (kp_test_next_frame(&frame, &arrived))
		kp_assert(finds(&sent, frame, true));
	kp_assert(arrived.len == 0 || finds(&sent, arrived, false));
}

/* Requests of the client, as far as they tell of themselves. */
struct asked {
	unsigned num_answered; /* that are to be */
	bool has_tokens; /* frames that are no requests may be among them */
};

static struct asked
count_asked(const struct kp_test_bridge *bridge)
{
	struct kp_bytes rest = kp_buf_bytes(&bridge->client.to_send), frame;
	struct asked asked = { 0 };

	while (kp_test_next_frame(&frame, &rest)) {
		struct kp_request_header header = { .api_key = -1 };

		if (!kp_test_read_request(&header, frame) ||
		    kp_play_is_answered(&header, frame))
			asked.num_answered++;
		if (header.api_key == KP_SASL_HANDSHAKE &&
		    header.api_version == 0)
			asked.has_tokens = true;
	}
	return asked;
}

static bool
finds_id(struct kp_bytes *rest, struct kp_bytes id)
{
	struct kp_bytes part;

	while (next_part(&part, rest)) {
		if (part.len >= ID_AT + id.len &&
		    memcmp(part.data + ID_AT, id.data, id.len) == 0)
			return true;
	}
	return false;
}

/* The client gets answers in the order of its requests, and each but once. */
static unsigned
check_answers(const struct kp_test_bridge *bridge)
{
	struct kp_bytes sent = kp_buf_bytes(&bridge->client.to_send);
	struct kp_bytes rest = kp_buf_bytes(&bridge->client.received), frame;
	unsigned num = 0;

	for (; kp_test_next_frame(&frame, &rest); num++) {
		struct kp_bytes id = { frame.data + KP_FRAME_PREFIX_LEN, 4 };

		kp_assert(frame.len >= KP_FRAME_PREFIX_LEN + id.len);
		kp_assert(finds_id(&sent, id));
	}
	return num;
}

static bool
contains(const struct kp_buf *bytes, const char *text)
{
	return bytes->len > 0 &&
	       memmem(bytes->data, bytes->len, text, strlen(text)) != NULL;
}

static void
check(const struct kp_play *play)
{
	const struct kp_test_bridge *bridge = play->bridge;
	struct asked asked = count_asked(bridge);
	unsigned num_answers;

	check_requests(bridge);
	if (play->was_quiet) /* whoever went was noticed at once */
		kp_assert(bridge->calls.num_timeouts == play->num_timeouts);
	if (asked.has_tokens)
		return;
	num_answers = check_answers(bridge);
	if (!play->is_true)
		return;
	kp_assert(!contains(&bridge->client.received, "kafka-7"));
	kp_assert(!contains(&bridge->client.received, "broker-7"));
	if (play->was_quiet && play->is_patient &&
	    bridge->reason == KP_CLOSE_CLIENT_CLOSED)
		kp_assert(num_answers == asked.num_answered);
}

/* No TLS session is left to be resumed: equal inputs run equally. */
static void
forget_sessions(struct kp_test_bridge *bridge)
{
	if ((bridge->options & (KP_BRIDGE_CLIENT_TLS | KP_BRIDGE_BROKER_TLS)) ==
	    0)
		return;
	kp_test_world_start(&bridge->world);
	kp_bridge_publish(bridge, true);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	for (unsigned options = 0; options < KP_NUM_BRIDGES; options++) {
		if ((options & KP_BRIDGE_SNI) != 0 &&
		    (options & KP_BRIDGE_CLIENT_TLS) == 0)
			continue;
		bridges[0][options] = make_bridge(options, false);
		bridges[1][options] = make_bridge(options, true);
	}
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kp_play play;

	if (size == 0)
		return 0;
	kp_play_run(&play, choose_bridge(data[0]),
	    (struct kp_bytes){ data + 1, size - 1 });
	check(&play);
	forget_sessions(play.bridge);
	return 0;
}
