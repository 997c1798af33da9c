/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/link/loop.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"
#include "proto/control/channel.h"
#include "proxy/link/outbox.h"
#include "proxy/worker.h"

/* How often a draining worker is asked whether it is done. */
#define DRAIN_POLL_MS 10

struct kp_link {
	struct kp_worker *worker; /* borrowed, set by kp_link_run */
	struct kp_channel supervisor;
	struct kp_channel agent; /* not open while there is none */
	uint64_t num_peers;      /* agents so far */
	struct kp_outbox outbox; /* to the agent */
	int wake_fd;             /* eventfd: the outbox is no longer empty */
	uint64_t generation, content_hash; /* of the tables in force */
	bool is_draining;
};

struct kp_link *
kp_link_new(int supervisor_fd, struct kp_error *err)
{
	int wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	struct kp_link *link;

	if (wake_fd < 0) {
		kp_error_sys(err, "could not make an event descriptor");
		return NULL;
	}
	link = kp_alloc(1, sizeof(*link));
	link->wake_fd = wake_fd;
	kp_channel_init(
	    &link->supervisor, supervisor_fd, KP_CHANNEL_SMALL_MESSAGE);
	kp_outbox_init(&link->outbox);
	return link;
}

void
kp_link_free(struct kp_link *link)
{
	if (link == NULL)
		return;
	kp_channel_fini(&link->supervisor);
	kp_channel_fini(&link->agent);
	kp_outbox_fini(&link->outbox);
	(void)close(link->wake_fd);
	free(link);
}

static void
wake(struct kp_link *link)
{
	uint64_t one = 1;

	/* a full counter means that the link thread is awake already */
	if (write(link->wake_fd, &one, sizeof(one)) < 0)
		kp_assert(errno == EAGAIN);
}

void
kp_link_learned(struct kp_link *link, const char *cluster, int32_t node_id,
    const char *host, uint16_t port)
{
	if (kp_outbox_add(&link->outbox, cluster, node_id, host, port))
		wake(link);
}

void
kp_link_want_host(struct kp_link *link, const char *host)
{
	if (kp_outbox_add(&link->outbox, NULL, 0, host, 0))
		wake(link);
}

/* The worker goes on with what it has until the supervisor sends another. */
static void
lose_agent(struct kp_link *link, const struct kp_error *err)
{
	kp_log(KP_LOG_WARN, "agent_lost", KP_STR("reason", err->text));
	kp_outbox_set_open(&link->outbox, false);
	kp_channel_fini(&link->agent);
}

static void
send_agent(struct kp_link *link, const Kp__Node__Envelope *envelope)
{
	struct kp_error err;

	if (!kp_channel_queue(&link->agent, envelope, -1, &err) ||
	    !kp_channel_flush(&link->agent, 0, &err))
		lose_agent(link, &err);
}

static void
send_serving(struct kp_link *link)
{
	Kp__Node__Envelope envelope;
	Kp__Node__Serving serving;

	kp__node__envelope__init(&envelope);
	kp__node__serving__init(&serving);
	envelope.body_case = KP__NODE__ENVELOPE__BODY_SERVING;
	envelope.serving = &serving;
	serving.generation = link->generation;
	serving.content_hash = link->content_hash;
	send_agent(link, &envelope);
}

static void
send_applied(
    struct kp_link *link, uint64_t generation, const struct kp_error *failure)
{
	Kp__Node__Envelope envelope;
	Kp__Node__Applied applied;
	char text[sizeof(failure->text)] = "";

	kp__node__envelope__init(&envelope);
	kp__node__applied__init(&applied);
	envelope.body_case = KP__NODE__ENVELOPE__BODY_APPLIED;
	envelope.applied = &applied;
	applied.generation = generation;
	applied.is_ok = failure == NULL;
	if (failure != NULL)
		kp_copy(text, failure->text, sizeof(text));
	applied.error = text;
	send_agent(link, &envelope);
}

static bool
apply(
    struct kp_link *link, const Kp__Node__Tables *message, struct kp_error *err)
{
	struct kp_bytes packed = { message->packed.data, message->packed.len };
	struct kp_tables *tables = kp_tables_unpack(packed, err);

	if (tables == NULL)
		return false;
	if (!kp_worker_apply(link->worker, &tables, err)) {
		kp_tables_free(tables);
		return false;
	}
	link->generation = message->generation;
	link->content_hash = message->content_hash;
	return true;
}

static void
on_tables(struct kp_link *link, const Kp__Node__Tables *message)
{
	struct kp_error err;

	if (apply(link, message, &err)) {
		send_applied(link, message->generation, NULL);
		return;
	}
	kp_log(KP_LOG_ERROR, "tables_refused",
	    KP_INT("generation", message->generation),
	    KP_STR("reason", err.text));
	send_applied(link, message->generation, &err);
}

static void
on_resolved(struct kp_link *link, const Kp__Node__Resolved *message)
{
	const char **addresses =
	    kp_alloc(message->n_addresses, sizeof(*addresses));

	for (size_t i = 0; i < message->n_addresses; i++)
		addresses[i] = message->addresses[i];
	kp_worker_resolved(
	    link->worker, message->host, addresses, message->n_addresses);
	free(addresses);
}

static void
on_peer(struct kp_link *link, struct kp_channel_message *message)
{
	link->num_peers++;
	kp_channel_fini(&link->agent);
	kp_channel_init(&link->agent, kp_channel_message_take_fd(message),
	    KP_CHANNEL_MAX_MESSAGE);
	kp_outbox_set_open(&link->outbox, true);
	send_serving(link);
}

static void
on_drain(struct kp_link *link, int32_t timeout_ms)
{
	link->is_draining = true;
	kp_worker_drain(link->worker, timeout_ms);
}

static void
on_logging(const Kp__Node__Logging *logging)
{
	if (logging->level > KP_LOG_DEBUG || logging->format > KP_LOG_JSON)
		return;
	kp_log_init("worker", (enum kp_log_format)logging->format,
	    (enum kp_log_level)logging->level);
}

static bool
unexpected(const Kp__Node__Envelope *envelope, struct kp_error *err)
{
	return kp_error_set(err, KP_ERR_PROTOCOL,
	    "channel: message %d is not expected", (int)envelope->body_case);
}

static bool
on_supervisor_message(struct kp_link *link, struct kp_channel_message *message,
    struct kp_error *err)
{
	const Kp__Node__Envelope *envelope = message->envelope;
	unsigned body = envelope->body_case;

	if (body == KP__NODE__ENVELOPE__BODY_SOCKET && message->fd >= 0)
		kp_worker_add_socket(link->worker, envelope->socket->address,
		    kp_channel_message_take_fd(message));
	else if (body == KP__NODE__ENVELOPE__BODY_PEER && message->fd >= 0)
		on_peer(link, message);
	else if (body == KP__NODE__ENVELOPE__BODY_DRAIN)
		on_drain(link, envelope->drain->timeout_ms);
	else if (body == KP__NODE__ENVELOPE__BODY_LOGGING)
		on_logging(envelope->logging);
	else
		return unexpected(envelope, err);
	return true;
}

static bool
on_agent_message(struct kp_link *link, const struct kp_channel_message *message,
    struct kp_error *err)
{
	const Kp__Node__Envelope *envelope = message->envelope;

	if (envelope->body_case == KP__NODE__ENVELOPE__BODY_TABLES)
		on_tables(link, envelope->tables);
	else if (envelope->body_case == KP__NODE__ENVELOPE__BODY_RESOLVED)
		on_resolved(link, envelope->resolved);
	else
		return unexpected(envelope, err);
	return true;
}

/* Everything that the supervisor has sent so far. */
static bool
serve_supervisor(struct kp_link *link, struct kp_error *err)
{
	struct kp_channel_message message;
	enum kp_channel_result result;
	bool is_ok = true;

	while ((result = kp_channel_receive(&link->supervisor, &message, 0,
		    err)) == KP_CHANNEL_MESSAGE) {
		is_ok = on_supervisor_message(link, &message, err);
		kp_channel_message_fini(&message);
		if (!is_ok)
			return false;
	}
	return result == KP_CHANNEL_NOTHING ||
	       kp_error_prefix(err, "supervisor");
}

static void
act_on(struct kp_link *link, enum kp_channel_result result,
    const struct kp_channel_message *message, struct kp_error *err)
{
	if (result == KP_CHANNEL_NOTHING ||
	    (result == KP_CHANNEL_MESSAGE &&
		on_agent_message(link, message, err)))
		return;
	lose_agent(link, err);
}

/*
 * One message of the agent, and before it is acted on all of the supervisor's:
 * the agent speaks of sockets as soon as it was told that they have been sent.
 */
static bool
serve(struct kp_link *link, bool *out_goes_on, struct kp_error *err)
{
	enum kp_channel_result result = KP_CHANNEL_NOTHING;
	uint64_t num_peers = link->num_peers;
	struct kp_channel_message message;
	struct kp_error agent_err;
	bool is_ok, is_new;

	if (link->agent.is_open)
		result =
		    kp_channel_receive(&link->agent, &message, 0, &agent_err);
	is_ok = serve_supervisor(link, err);
	is_new = link->num_peers != num_peers;
	*out_goes_on = is_new || result == KP_CHANNEL_MESSAGE;
	if (is_ok && !is_new)
		act_on(link, result, &message, &agent_err);
	if (result == KP_CHANNEL_MESSAGE)
		kp_channel_message_fini(&message);
	return is_ok;
}

static void
send_item(struct kp_link *link, const struct kp_outbox_item *item)
{
	Kp__Node__Envelope envelope;
	Kp__Node__Learned learned;
	Kp__Node__WantHost want;

	kp__node__envelope__init(&envelope);
	if (item->cluster == NULL) {
		kp__node__want_host__init(&want);
		envelope.body_case = KP__NODE__ENVELOPE__BODY_WANT_HOST;
		envelope.want_host = &want;
		want.host = item->host;
	} else {
		kp__node__learned__init(&learned);
		envelope.body_case = KP__NODE__ENVELOPE__BODY_LEARNED;
		envelope.learned = &learned;
		learned.cluster = item->cluster;
		learned.node_id = item->node_id;
		learned.host = item->host;
		learned.port = item->port;
	}
	send_agent(link, &envelope);
}

static void
send_outbox(struct kp_link *link)
{
	struct kp_outbox_item *item;
	uint64_t count;

	if (read(link->wake_fd, &count, sizeof(count)) < 0)
		kp_assert(errno == EAGAIN);
	item = kp_outbox_take(&link->outbox);
	while (item != NULL) {
		if (link->agent.is_open)
			send_item(link, item);
		item = kp_outbox_item_free(item);
	}
}

static bool
wait_for_news(struct kp_link *link, struct kp_error *err)
{
	struct pollfd items[3] = {
		{ .fd = link->supervisor.fd, .events = POLLIN },
		{ .fd = link->wake_fd, .events = POLLIN },
		{ .fd = link->agent.fd, .events = POLLIN },
	};

	if (kp_channel_has_queued(&link->agent))
		items[2].events |= POLLOUT;
	if (poll(items, link->agent.is_open ? 3 : 2,
		link->is_draining ? DRAIN_POLL_MS : -1) < 0 &&
	    errno != EINTR)
		return kp_error_sys(err, "could not wait for messages");
	return true;
}

static void
flush_agent(struct kp_link *link)
{
	struct kp_error err;

	if (link->agent.is_open && !kp_channel_flush(&link->agent, 0, &err))
		lose_agent(link, &err);
}

bool
kp_link_run(
    struct kp_link *link, struct kp_worker *worker, struct kp_error *err)
{
	bool goes_on;

	link->worker = worker;
	while (!link->is_draining || !kp_worker_is_drained(worker)) {
		if (!wait_for_news(link, err))
			return false;
		do {
			if (!serve(link, &goes_on, err))
				return false;
		} while (goes_on);
		send_outbox(link);
		flush_agent(link);
	}
	return true;
}
