/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "bench/load.h"
#include "proto/kafka/reader.h"

#define NS_PER_MS ((int64_t)1000000)
#define NS_PER_S ((int64_t)1000000000)
#define MAX_WAIT_NS (100 * NS_PER_MS)
/* Nothing has moved although answers are due: something is broken. */
#define STUCK_NS (30 * NS_PER_S)

/* When the n-th request of a timetable is due. */
static int64_t
due_ns(const struct kp_load *load, uint64_t n)
{
	uint64_t rate = load->options.rate;

	return load->begin_ns + (int64_t)(n / rate) * NS_PER_S +
	       (int64_t)(n % rate) * NS_PER_S / (int64_t)rate;
}

bool
kp_load_may_begin(
    const struct kp_load *load, const struct kp_load_connection *c)
{
	const struct kp_load_options *o = &load->options;

	return c->state == KP_LOAD_READY && load->is_sending &&
	       c->num_flights < o->max_in_flight &&
	       (o->max_requests == 0 || load->num_begun < o->max_requests) &&
	       (o->rate == 0 || c->num_due > c->num_begun);
}

void
kp_load_begin(struct kp_load *load, struct kp_load_connection *c)
{
	uint64_t max = load->options.max_in_flight;
	uint64_t n = c->index + c->num_begun * load->options.num_connections;
	int64_t now_ns = kp_now_ns(), since_ns = now_ns;

	if (load->options.rate != 0) {
		since_ns = due_ns(load, n);
		kp_histogram_add(&load->lateness, now_ns - since_ns);
	}
	c->correlation_id++;
	c->flights[(c->first_flight + c->num_flights) % max] =
	    (struct kp_load_flight){ c->correlation_id, since_ns };
	c->num_flights++;
	c->num_begun++;
	c->frame = &load->request;
	c->sent = 0;
	load->num_begun++;
	load->request_bytes += load->request.len;
}

bool
kp_load_check_answer(const struct kp_load *load,
    const struct kp_load_connection *c, struct kp_error *err)
{
	int32_t id = (int32_t)kp_number_get(c->head + 4, 4);

	if (c->num_flights == 0 ||
	    c->flights[c->first_flight].correlation_id != id)
		return kp_error_set(err, KP_ERR_PROTOCOL,
		    "answer %d is not the one that is next", id);
	if (load->options.still_ms == 0 && c->frame != NULL &&
	    c->num_flights == 1)
		return kp_error_set(err, KP_ERR_PROTOCOL,
		    "answer %d came before its request was sent", id);
	if (load->options.still_ms == 0 &&
	    c->answer_len != load->sample.len + sizeof(c->head))
		return kp_error_set(err, KP_ERR_PROTOCOL,
		    "answer has %lu bytes instead of %zu", c->answer_len,
		    load->sample.len + sizeof(c->head));
	return true;
}

/*
 * Throughput is what was answered within the time. Latency is of every request
 * that belonged into it, however late its answer came.
 */
static void
measure(struct kp_load *load, int64_t since_ns)
{
	int64_t now_ns = kp_now_ns();

	load->num_answered++;
	if (now_ns >= load->measure_ns && now_ns < load->end_ns)
		load->num_measured++;
	if (since_ns >= load->measure_ns && since_ns < load->end_ns)
		kp_histogram_add(&load->latency, now_ns - since_ns);
}

void
kp_load_answered(struct kp_load *load, struct kp_load_connection *c)
{
	int64_t since_ns =
	    c->opened_ns; /* of a connection that was asked for */

	load->answer_bytes += c->answer_len;
	if (load->options.op != KP_LOAD_CHURN) {
		since_ns = c->flights[c->first_flight].since_ns;
		c->first_flight =
		    (c->first_flight + 1) % load->options.max_in_flight;
		c->num_flights--;
	}
	measure(load, since_ns);
}

void
kp_load_churn(struct kp_load *load, struct kp_load_connection *c)
{
	load->num_begun++;
	kp_load_open(load, c, &load->target);
}

void
kp_load_start(struct kp_load *load)
{
	const struct kp_load_options *o = &load->options;

	load->begin_ns = load->last_move_ns = kp_now_ns();
	load->measure_ns = load->begin_ns;
	if (o->max_requests == 0)
		load->measure_ns += o->warmup_ms * NS_PER_MS;
	load->end_ns = o->max_requests != 0
			   ? INT64_MAX
			   : load->measure_ns + o->duration_ms * NS_PER_MS;
	load->is_done = o->op == KP_LOAD_IDLE;
	if (load->is_done)
		return;
	load->is_sending = true;
	for (uint64_t i = 0; i < o->num_connections; i++) {
		struct kp_load_connection *c = &load->connections[i];

		if (o->op == KP_LOAD_CHURN)
			kp_load_churn(load, c);
		else
			kp_load_pump(load, c);
	}
}

/* Hands out what is due; returns when the next one is. */
static int64_t
follow_timetable(struct kp_load *load, int64_t now_ns)
{
	int64_t next_ns = due_ns(load, load->num_due);

	while (next_ns <= now_ns && next_ns < load->end_ns) {
		struct kp_load_connection *c =
		    &load->connections[load->num_due %
				       load->options.num_connections];

		load->num_due++;
		c->num_due++;
		kp_load_pump(load, c);
		next_ns = due_ns(load, load->num_due);
	}
	return next_ns;
}

static bool
is_all_answered(const struct kp_load *load)
{
	return load->num_begun == load->num_answered &&
	       (load->options.rate == 0 || load->num_begun == load->num_due);
}

/* Requests that are due are still sent when the time is over. */
static bool
is_time_over(const struct kp_load *load, int64_t now_ns)
{
	if (load->options.max_requests != 0)
		return load->num_begun >= load->options.max_requests;
	return now_ns >= load->end_ns &&
	       (load->options.rate == 0 || load->num_begun == load->num_due);
}

static bool
is_still(const struct kp_load *load, int64_t idle_ns)
{
	const struct kp_load_options *o = &load->options;

	return idle_ns > o->still_ms * NS_PER_MS &&
	       (o->stall_after == 0 || load->num_stalled == o->num_connections);
}

int64_t
kp_load_tick(struct kp_load *load)
{
	int64_t now_ns = kp_now_ns();
	int64_t wake_ns = now_ns + MAX_WAIT_NS;
	int64_t idle_ns = now_ns - load->last_move_ns;

	if (load->options.rate != 0 && load->is_sending) {
		int64_t next_ns = follow_timetable(load, now_ns);

		wake_ns = next_ns < wake_ns ? next_ns : wake_ns;
	}
	if (load->is_told_to_go_on && now_ns < load->end_ns)
		load->end_ns = now_ns;
	if (now_ns < load->end_ns && load->end_ns < wake_ns)
		wake_ns = load->end_ns;
	if (is_time_over(load, now_ns))
		load->is_sending = false;
	if (load->options.still_ms != 0)
		load->is_done = is_still(load, idle_ns);
	else if (!load->is_sending && is_all_answered(load))
		load->is_done = true;
	else if (idle_ns > STUCK_NS)
		kp_load_die(&(struct kp_error){
		    .text = "answers do not come: nothing moved for 30 s" });
	return wake_ns > now_ns ? wake_ns - now_ns : 0;
}
