/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/supervisor/orders.h"

#include "base/clock.h"
#include "base/log.h"

/* A child that takes this long to read a message is stuck. */
#define SEND_TIMEOUT_MS 5000

static void
tell(struct kp_child *child, const Kp__Node__Envelope *envelope, int fd)
{
	struct kp_error err;

	if (!child->channel.is_open)
		return;
	if (kp_channel_queue(&child->channel, envelope, fd, &err) &&
	    kp_channel_flush(
		&child->channel, kp_now_ms() + SEND_TIMEOUT_MS, &err))
		return;
	kp_log(KP_LOG_ERROR, "send_failed", KP_STR("name", child->name),
	    KP_STR("reason", err.text));
	kp_child_kill(child);
}

static Kp__Node__Envelope
envelope_of(Kp__Node__Envelope__BodyCase body)
{
	Kp__Node__Envelope envelope;

	kp__node__envelope__init(&envelope);
	envelope.body_case = body;
	return envelope;
}

static void
tell_socket(struct kp_child *worker, const struct kp_socket *socket)
{
	Kp__Node__Envelope envelope =
	    envelope_of(KP__NODE__ENVELOPE__BODY_SOCKET);
	Kp__Node__Socket message;

	kp__node__socket__init(&message);
	envelope.socket = &message;
	message.address = socket->address;
	tell(worker, &envelope, socket->fd);
}

void
kp_order_sockets(struct kp_child *worker, const struct kp_sockets *sockets)
{
	for (size_t i = 0; i < sockets->num_items; i++)
		tell_socket(worker, &sockets->items[i]);
}

void
kp_order_peer(struct kp_child *child, int fd)
{
	Kp__Node__Envelope envelope =
	    envelope_of(KP__NODE__ENVELOPE__BODY_PEER);
	Kp__Node__Peer peer;

	kp__node__peer__init(&peer);
	envelope.peer = &peer;
	tell(child, &envelope, fd);
}

void
kp_order_logging(struct kp_child *worker, uint32_t level, uint32_t format)
{
	Kp__Node__Envelope envelope =
	    envelope_of(KP__NODE__ENVELOPE__BODY_LOGGING);
	Kp__Node__Logging logging;

	kp__node__logging__init(&logging);
	envelope.logging = &logging;
	logging.level = level;
	logging.format = format;
	tell(worker, &envelope, -1);
}

void
kp_order_drain(struct kp_child *child, int32_t timeout_ms)
{
	Kp__Node__Envelope envelope =
	    envelope_of(KP__NODE__ENVELOPE__BODY_DRAIN);
	Kp__Node__Drain drain;

	kp__node__drain__init(&drain);
	envelope.drain = &drain;
	drain.timeout_ms = timeout_ms;
	tell(child, &envelope, -1);
}

void
kp_order_reload(struct kp_child *agent)
{
	Kp__Node__Envelope envelope =
	    envelope_of(KP__NODE__ENVELOPE__BODY_RELOAD);
	Kp__Node__Reload reload;

	kp__node__reload__init(&reload);
	envelope.reload = &reload;
	tell(agent, &envelope, -1);
}

void
kp_order_stop(struct kp_child *agent)
{
	Kp__Node__Envelope envelope =
	    envelope_of(KP__NODE__ENVELOPE__BODY_STOP);
	Kp__Node__Stop stop;

	kp__node__stop__init(&stop);
	envelope.stop = &stop;
	tell(agent, &envelope, -1);
}

void
kp_order_bound(
    struct kp_child *agent, uint64_t bind_id, char **errors, size_t num_errors)
{
	Kp__Node__Envelope envelope =
	    envelope_of(KP__NODE__ENVELOPE__BODY_BOUND);
	Kp__Node__Bound bound;

	kp__node__bound__init(&bound);
	envelope.bound = &bound;
	bound.id = bind_id;
	bound.errors = errors;
	bound.n_errors = num_errors;
	tell(agent, &envelope, -1);
}
