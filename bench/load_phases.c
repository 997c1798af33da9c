/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "bench/load.h"
#include "bench/payload.h"
#include "bench/request.h"

#define MAX_EVENTS 64
#define MAX_OPENING 64
#define MAX_SMALL_LEN ((size_t)4096)
#define MAX_REQUEST_LEN ((size_t)256 << 20)
#define TOPIC KP_BENCH_TOPIC "0"
#define API_VERSIONS_VERSION 3
#define NS_PER_S ((int64_t)1000000000)
#define MAX_OPENING_NS (30 * NS_PER_S)

static void
on_stdin(struct kp_load *load)
{
	char text[64];

	/* its end tells the same */
	load->is_told_to_go_on = read(STDIN_FILENO, text, sizeof(text)) >= 0;
}

/* Handles what comes within wait_ns. */
static void
wait_events(struct kp_load *load, int64_t wait_ns)
{
	struct epoll_event events[MAX_EVENTS];
	struct timespec wait = { .tv_sec = wait_ns / NS_PER_S,
		.tv_nsec = wait_ns % NS_PER_S };
	int count = epoll_pwait2(load->epoll, events, MAX_EVENTS, &wait, NULL);

	kp_assert(count >= 0 || errno == EINTR);
	for (int i = 0; i < count; i++) {
		if (events[i].data.ptr == NULL)
			on_stdin(load);
		else
			kp_load_handle(
			    load, events[i].data.ptr, events[i].events);
	}
}

/* -- bootstrap */

/* Header v1 of answers ends with tagged fields: none. */
static bool
strip_header(struct kp_bytes *body, struct kp_error *err)
{
	if (body->len == 0 || body->data[0] != 0)
		return kp_error_set(
		    err, KP_ERR_PROTOCOL, "answer header is not understood");
	body->data++;
	body->len--;
	return true;
}

static bool
on_metadata(struct kp_load *load, struct kp_load_connection *c,
    struct kp_bytes body, struct kp_error *err)
{
	char text[sizeof(load->leader.host) + 8];
	uint32_t num_topics;

	if (!strip_header(&body, err) ||
	    !kp_verdict_metadata(&load->leader, &num_topics, body, TOPIC, err))
		return false;
	(void)snprintf(
	    text, sizeof(text), "%s:%u", load->leader.host, load->leader.port);
	load->target = load->options.bootstrap;
	if (!load->options.is_staying &&
	    !kp_link_parse_address(&load->target, text, err))
		return false;
	kp_load_close(load, c);
	return true;
}

static void
bootstrap(struct kp_load *load)
{
	struct kp_load_connection *c = &load->connections[0];

	kp_request_api_versions(&load->api_versions, API_VERSIONS_VERSION);
	kp_load_open(load, c, &load->options.bootstrap);
	while (c->state != KP_LOAD_READY)
		wait_events(load, NS_PER_S);
	kp_request_metadata(
	    &load->topic, load->versions.version[KP_BENCH_METADATA], TOPIC);
	kp_load_ask(load, c, &load->topic, on_metadata);
	while (c->state != KP_LOAD_CLOSED)
		wait_events(load, NS_PER_S);
}

/* -- the request that is repeated */

static bool
make_request(struct kp_load *load, struct kp_error *err)
{
	const int16_t *version = load->versions.version;
	struct kp_buf *out = &load->request, records;
	bool is_ok = true;

	switch (load->options.op) {
	case KP_LOAD_PRODUCE:
		kp_buf_init(&records, MAX_REQUEST_LEN);
		is_ok = kp_payload_add(
		    &records, load->options.bytes, load->options.bytes, err);
		kp_request_produce(out, version[KP_BENCH_PRODUCE], TOPIC,
		    kp_buf_bytes(&records));
		kp_buf_fini(&records);
		break;
	case KP_LOAD_FETCH:
		kp_request_fetch(out, version[KP_BENCH_FETCH],
		    load->leader.topic_id, (uint32_t)load->options.bytes);
		break;
	case KP_LOAD_METADATA:
		kp_request_metadata(out, version[KP_BENCH_METADATA], NULL);
		break;
	case KP_LOAD_HEARTBEAT:
		kp_request_heartbeat(out, version[KP_BENCH_HEARTBEAT]);
		break;
	case KP_LOAD_IDLE:
	case KP_LOAD_CHURN:
	case KP_NUM_LOAD_OPS:
		break;
	}
	return is_ok && (!out->failed || kp_error_set(err, KP_ERR_LIMIT,
					     "request is too long"));
}

static bool
check_fetch(struct kp_load *load, struct kp_bytes body, struct kp_error *err)
{
	struct kp_bytes records;
	uint64_t num_records;

	if (!kp_verdict_fetch(&records, body, err) ||
	    !kp_payload_check(records, &num_records, err))
		return false;
	return num_records > 0 && records.len <= load->options.bytes
		   ? true
		   : kp_error_set(err, KP_ERR_PROTOCOL,
			 "Fetch answer has %zu bytes of records", records.len);
}

static bool
check_metadata(struct kp_bytes body, struct kp_error *err)
{
	struct kp_bench_leader leader;
	uint32_t num_topics;

	return kp_verdict_metadata(&leader, &num_topics, body, NULL, err);
}

static bool
check(struct kp_load *load, struct kp_bytes body, struct kp_error *err)
{
	switch (load->options.op) {
	case KP_LOAD_PRODUCE:
		return kp_verdict_produce(body, err);
	case KP_LOAD_FETCH:
		return check_fetch(load, body, err);
	case KP_LOAD_METADATA:
		return check_metadata(body, err);
	case KP_LOAD_HEARTBEAT:
		return kp_verdict_heartbeat(body, err);
	case KP_LOAD_IDLE:
	case KP_LOAD_CHURN:
	case KP_NUM_LOAD_OPS:
		break;
	}
	return false;
}

/* The first answer is decoded; all others have to be like it. */
static bool
on_probe(struct kp_load *load, struct kp_load_connection *c,
    struct kp_bytes body, struct kp_error *err)
{
	kp_buf_init(&load->sample, body.len);
	kp_buf_add(&load->sample, body.data, body.len);
	if (!strip_header(&body, err) || !check(load, body, err))
		return false;
	load->request_bytes = load->request.len;
	load->answer_bytes = c->answer_len;
	c->state = KP_LOAD_READY;
	return true;
}

static bool
probe(struct kp_load *load, struct kp_error *err)
{
	struct kp_load_connection *c = &load->connections[0];

	if (load->options.op >= KP_LOAD_IDLE)
		return true;
	if (!make_request(load, err))
		return false;
	if (load->options.still_ms != 0)
		return true; /* no request is expected to end */
	kp_load_ask(load, c, &load->request, on_probe);
	while (c->state != KP_LOAD_READY)
		wait_events(load, NS_PER_S);
	return true;
}

/* -- opening */

static void
open_more(struct kp_load *load)
{
	uint64_t max = load->options.num_connections;

	while (load->num_opening < MAX_OPENING && load->num_opened < max)
		kp_load_open(load, &load->connections[load->num_opened++],
		    &load->target);
}

static bool
open_all(struct kp_load *load, struct kp_error *err)
{
	if (load->options.op == KP_LOAD_CHURN)
		return true;
	while (load->num_ready + load->num_failed <
	       load->options.num_connections) {
		open_more(load);
		wait_events(load, NS_PER_S);
		if (kp_now_ns() - load->last_move_ns > MAX_OPENING_NS)
			return kp_error_set(err, KP_ERR_TIMEOUT,
			    "only %lu connections became ready",
			    load->num_ready);
	}
	return true;
}

void
kp_load_became_ready(struct kp_load *load, struct kp_load_connection *c)
{
	if (load->num_opened > 0 && load->options.op != KP_LOAD_CHURN) {
		load->num_ready++;
		return;
	}
	if (load->begin_ns == 0)
		return; /* bootstrap */
	kp_load_answered(load, c);
	kp_load_close(load, c);
	if (load->is_sending)
		kp_load_churn(load, c);
}

void
kp_load_lost(struct kp_load *load, struct kp_load_connection *c,
    const struct kp_error *err)
{
	bool is_bootstrap = load->num_opened == 0 && load->begin_ns == 0;

	if (is_bootstrap || load->options.op != KP_LOAD_IDLE)
		kp_load_die(err);
	if (c->state == KP_LOAD_READY)
		load->num_ready--;
	load->num_failed++;
	kp_load_close(load, c);
}

/* -- all of it */

static void
wait_for_line(struct kp_load *load)
{
	load->is_told_to_go_on = !load->options.is_stepping;
	while (!load->is_told_to_go_on)
		wait_events(load, NS_PER_S);
}

static void
prepare(struct kp_load *load)
{
	const struct kp_load_options *o = &load->options;
	struct epoll_event event = { .events = EPOLLIN };

	load->epoll = epoll_create1(EPOLL_CLOEXEC);
	kp_assert(load->epoll >= 0);
	if (o->is_stepping)
		kp_assert(epoll_ctl(load->epoll, EPOLL_CTL_ADD, STDIN_FILENO,
			      &event) == 0);
	load->last_move_ns = kp_now_ns();
	load->connections =
	    kp_alloc(o->num_connections, sizeof(*load->connections));
	for (uint64_t i = 0; i < o->num_connections; i++) {
		struct kp_load_connection *c = &load->connections[i];

		c->index = (uint32_t)i;
		if (o->op < KP_LOAD_IDLE)
			c->flights =
			    kp_alloc(o->max_in_flight, sizeof(*c->flights));
	}
	kp_buf_init(&load->api_versions, MAX_SMALL_LEN);
	kp_buf_init(&load->topic, MAX_SMALL_LEN);
	kp_buf_init(&load->request, MAX_REQUEST_LEN);
}

bool
kp_load_run(struct kp_load *load, struct kp_error *err)
{
	prepare(load);
	bootstrap(load);
	if (!open_all(load, err) || !probe(load, err))
		return false;
	kp_load_say_ready(load);
	wait_for_line(load);
	load->is_told_to_go_on = false;
	kp_load_start(load);
	while (!load->is_done) {
		int64_t wait_ns = kp_load_tick(load);

		if (!load->is_done)
			wait_events(load, wait_ns);
	}
	kp_load_say_done(load);
	wait_for_line(load);
	return true;
}
