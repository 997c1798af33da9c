/* SPDX-License-Identifier: Apache-2.0 */
/* A link's writer: hello, verdicts, heartbeats. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "control/agent/link_priv.h"
#include "control/api/methods.h"
#include "proto/control/unpack.h"

/* For the connection to take a message. */
#define WRITE_MS 10000
/* Series in one heartbeat, and what one is called at most. */
#define MAX_COUNTERS 256
#define MAX_COUNTER_NAME 160

static bool
send(struct kp_rpc_stream *stream,
    const Kproxy__Control__V1__SyncRequest *request, struct kp_error *err)
{
	return kp_rpc_stream_write(
	    stream, &request->base, kp_now_ms() + WRITE_MS, err);
}

/* What is held: *digest is where out->sha256 points. */
static uint64_t
held_now(
    struct kp_link *link, struct kp_digest *digest, ProtobufCBinaryData *out)
{
	uint64_t revision = 0;

	kp_mutex_lock(&link->lock);
	if (link->held != NULL) {
		revision = kp_held_revision(link->held);
		*digest = *kp_held_digest(link->held);
		out->data = digest->bytes;
		out->len = sizeof(digest->bytes);
	}
	kp_mutex_unlock(&link->lock);
	return revision;
}

static void
fill_labels(Kproxy__Control__V1__Label *list,
    Kproxy__Control__V1__Label **pointers, const struct kp_labels *labels)
{
	for (size_t i = 0; i < labels->num; i++) {
		kproxy__control__v1__label__init(&list[i]);
		list[i].name = (char *)(uintptr_t)labels->list[i].name;
		list[i].value = (char *)(uintptr_t)labels->list[i].value;
		pointers[i] = &list[i];
	}
}

bool
kp_link_hello(
    struct kp_link *link, struct kp_rpc_stream *stream, struct kp_error *err)
{
	Kproxy__Control__V1__Label labels[KP_MAX_LABELS];
	Kproxy__Control__V1__Label *pointers[KP_MAX_LABELS];
	Kproxy__Control__V1__SyncRequest request;
	Kproxy__Control__V1__Hello hello;
	struct kp_digest digest;
	char version[] = KP_VERSION;

	kp_assert(link->labels.num <= KP_MAX_LABELS);
	kproxy__control__v1__sync_request__init(&request);
	kproxy__control__v1__hello__init(&hello);
	request.body_case = KPROXY__CONTROL__V1__SYNC_REQUEST__BODY_HELLO;
	request.hello = &hello;
	fill_labels(labels, pointers, &link->labels);
	hello.node = link->node;
	hello.labels = pointers;
	hello.n_labels = link->labels.num;
	hello.version = version;
	if (!link->wants_whole)
		hello.revision = held_now(link, &digest, &hello.sha256);
	return send(stream, &request, err);
}

/* A heartbeat's counters; texts and messages are in it. */
struct counters {
	Kproxy__Control__V1__Counter list[MAX_COUNTERS];
	Kproxy__Control__V1__Counter *pointers[MAX_COUNTERS];
	char names[MAX_COUNTERS][MAX_COUNTER_NAME];
	size_t num;
};

/* Those that are zero say nothing. */
static void
add_counter(void *ctx, const char *series, int64_t value)
{
	struct counters *counters = ctx;
	Kproxy__Control__V1__Counter *counter;

	if (value == 0 || counters->num == MAX_COUNTERS ||
	    strlen(series) >= MAX_COUNTER_NAME)
		return;
	counter = &counters->list[counters->num];
	kproxy__control__v1__counter__init(counter);
	counter->name = counters->names[counters->num];
	(void)snprintf(counter->name, MAX_COUNTER_NAME, "%s", series);
	counter->value = (double)value;
	counters->pointers[counters->num++] = counter;
}

static bool
send_heartbeat(
    struct kp_link *link, struct kp_rpc_stream *stream, struct kp_error *err)
{
	struct counters *counters = kp_alloc(1, sizeof(*counters));
	Kproxy__Control__V1__SyncRequest request;
	Kproxy__Control__V1__Heartbeat heartbeat;
	struct kp_digest digest;
	bool is_sent;

	kproxy__control__v1__sync_request__init(&request);
	kproxy__control__v1__heartbeat__init(&heartbeat);
	request.body_case = KPROXY__CONTROL__V1__SYNC_REQUEST__BODY_HEARTBEAT;
	request.heartbeat = &heartbeat;
	heartbeat.revision = held_now(link, &digest, &heartbeat.sha256);
	kp_metrics_each(link->metrics, add_counter, counters);
	heartbeat.counters = counters->pointers;
	heartbeat.n_counters = counters->num;
	is_sent = send(stream, &request, err);
	free(counters);
	return is_sent;
}

static bool
send_ack(struct kp_rpc_stream *stream, uint64_t revision, struct kp_error *err)
{
	Kproxy__Control__V1__SyncRequest request;
	Kproxy__Control__V1__Ack ack;

	kproxy__control__v1__sync_request__init(&request);
	kproxy__control__v1__ack__init(&ack);
	request.body_case = KPROXY__CONTROL__V1__SYNC_REQUEST__BODY_ACK;
	request.ack = &ack;
	ack.revision = revision;
	return send(stream, &request, err);
}

/* A refusal that there was no memory to explain is one all the same. */
static bool
send_nack(struct kp_rpc_stream *stream, uint64_t revision,
    const struct kp_buf *packed, struct kp_error *err)
{
	char message[] = "the node had no memory to say what is wrong";
	Kproxy__Control__V1__Problems *said = NULL, unsaid;
	Kproxy__Control__V1__Problem problem, *list = &problem;
	Kproxy__Control__V1__SyncRequest request;
	Kproxy__Control__V1__Nack nack;
	bool is_sent;

	kproxy__control__v1__sync_request__init(&request);
	kproxy__control__v1__nack__init(&nack);
	kproxy__control__v1__problems__init(&unsaid);
	kproxy__control__v1__problem__init(&problem);
	problem.message = message;
	unsaid.problems = &list;
	unsaid.n_problems = 1;
	if (!packed->failed)
		said = kproxy__control__v1__problems__unpack(
		    NULL, packed->len, packed->data);
	request.body_case = KPROXY__CONTROL__V1__SYNC_REQUEST__BODY_NACK;
	request.nack = &nack;
	nack.revision = revision;
	nack.problems = said == NULL ? &unsaid : said;
	is_sent = send(stream, &request, err);
	if (said != NULL)
		kproxy__control__v1__problems__free_unpacked(said, NULL);
	return is_sent;
}

/* What is to be written now. */
struct task {
	bool is_heartbeat;
	struct kp_link_verdict verdict;
};

/* Waits for something to write; false when the link stops. */
static bool
next_task(struct kp_link *link, struct task *out)
{
	*out = (struct task){ .is_heartbeat = false };
	kp_mutex_lock(&link->lock);
	while (!link->is_stopping &&
	       !(link->may_write && (link->verdict.is_waiting ||
					link->heartbeat_at_ms <= kp_now_ms())))
		(void)kp_cond_wait(&link->changed, &link->lock,
		    link->may_write ? link->heartbeat_at_ms : KP_NEVER);
	if (link->is_stopping) {
		kp_mutex_unlock(&link->lock);
		return false;
	}
	link->is_writing = true;
	if (link->verdict.is_waiting) {
		out->verdict = link->verdict;
		kp_buf_init(&link->verdict.problems, KP_API_MAX_REPORT);
		link->verdict.is_waiting = false;
	} else {
		out->is_heartbeat = true;
		link->heartbeat_at_ms = kp_now_ms() + link->heartbeat_ms;
	}
	kp_mutex_unlock(&link->lock);
	return true;
}

static bool
do_task(struct kp_link *link, const struct task *task, struct kp_error *err)
{
	const struct kp_link_verdict *verdict = &task->verdict;

	if (task->is_heartbeat)
		return send_heartbeat(link, link->stream, err);
	if (verdict->is_good)
		return send_ack(link->stream, verdict->revision, err);
	return send_nack(
	    link->stream, verdict->revision, &verdict->problems, err);
}

void *
kp_link_write(void *arg)
{
	struct kp_link *link = arg;
	struct kp_error err;
	struct task task;

	while (next_task(link, &task)) {
		bool is_sent = do_task(link, &task, &err);

		kp_buf_fini(&task.verdict.problems);
		kp_mutex_lock(&link->lock);
		link->is_writing = false;
		/* whoever does not read is left; the reader says so */
		if (!is_sent)
			kp_rpc_stream_cancel(link->stream);
		kp_cond_broadcast(&link->changed);
		kp_mutex_unlock(&link->lock);
	}
	return NULL;
}
