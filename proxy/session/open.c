/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From an accepted socket to two streams that carry requests: PROXY header, TLS
 * towards the client, which broker is meant, the client's first byte,
 * connecting to the broker, TLS towards it.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "proxy/net/proxy_header.h"
#include "proxy/session/session.h"
#include "proxy/upstream/connect.h"

/*
 * Asked before each wait, also the first: whoever had to be woken may have had
 * no thread yet that could be. Who knows whom we wait for may have said why
 * that ends the connection.
 */
static bool
may_wait(struct kp_session *session, int64_t deadline_ms, struct kp_error *err)
{
	if (atomic_load(&session->shared->is_draining))
		return kp_session_fail(session, KP_CLOSE_DRAIN, err,
		    KP_ERR_UNAVAILABLE, "the worker is stopping");
	if (kp_session_is_evicted(session, err))
		return false;
	if (kp_ms_left(deadline_ms) > 0)
		return true;
	return kp_session_fail(session,
	    session->reason == KP_NUM_CLOSE_REASONS ? KP_CLOSE_HANDSHAKE_TIMEOUT
						    : session->reason,
	    err, KP_ERR_TIMEOUT, "did not come in time");
}

/*
 * Waits for what io says, or something that may_wait looks at: to be repeated
 * until the caller has what it needs. False when it may not wait.
 */
static bool
wait_for(struct kp_session *session, struct kp_stream *stream, enum kp_io io,
    int64_t deadline_ms, struct kp_error *err)
{
	struct pollfd fd = {
		.fd = stream->fd,
		.events = io == KP_IO_WANT_READ ? POLLIN : POLLOUT,
	};

	if (!may_wait(session, deadline_ms, err))
		return false;
	(void)kp_session_poll(&fd, 1, deadline_ms);
	return true;
}

static bool
shake_hands(struct kp_session *session, struct kp_stream *stream,
    enum kp_tls_side side, int64_t deadline_ms, struct kp_error *err)
{
	struct kp_stream_info info;
	enum kp_io io;

	while ((io = kp_stream_handshake(stream, err)) == KP_IO_WANT_READ ||
	       io == KP_IO_WANT_WRITE) {
		if (!wait_for(session, stream, io, deadline_ms, err))
			break;
	}
	if (io != KP_IO_DONE) {
		kp_session_count(session, KP_M_TLS_HANDSHAKES,
		    kp_metric_of_tls(side, KP_TLS_RESULT_FAILED), 1);
		if (session->reason == KP_NUM_CLOSE_REASONS)
			session->reason = KP_CLOSE_TLS_ERROR;
		return kp_error_prefix(err, "TLS with %s",
		    side == KP_TLS_SIDE_CLIENT ? "client" : "broker");
	}
	kp_stream_describe(stream, &info);
	kp_session_count(session, KP_M_TLS_HANDSHAKES,
	    kp_metric_of_tls(side,
		info.is_resumed ? KP_TLS_RESULT_RESUMED : KP_TLS_RESULT_OK),
	    1);
	kp_log(KP_LOG_DEBUG, "tls_ready", KP_INT("conn", session->id),
	    KP_STR("side", side == KP_TLS_SIDE_CLIENT ? "client" : "broker"),
	    KP_STR("version", info.version), KP_STR("group", info.group),
	    KP_STR("subject", info.peer_subject));
	return true;
}

/* Takes exactly the header, so that not a byte of what follows is lost. */
static bool
read_proxy_header(struct kp_session *session, uint8_t *buffer,
    struct kp_proxy_header *header, int64_t deadline_ms, struct kp_error *err)
{
	size_t have = 0, len;

	for (;;) {
		struct kp_bytes in = { buffer, have };
		enum kp_proxy_result result =
		    kp_proxy_header_parse(header, in, err);
		enum kp_io io;

		if (result != KP_PROXY_NEED_MORE)
			return result == KP_PROXY_DONE;
		io = kp_stream_read(&session->client, buffer + have,
		    header->num_missing, &len, err);
		if (io == KP_IO_FAILED || io == KP_IO_CLOSED)
			return false;
		if (io == KP_IO_DONE)
			have += len;
		else if (!wait_for(
			     session, &session->client, io, deadline_ms, err))
			return false;
	}
}

static bool
take_proxy_header(
    struct kp_session *session, int64_t deadline_ms, struct kp_error *err)
{
	struct kp_proxy_header header;
	uint8_t *buffer = kp_share_get(&session->memory);
	bool is_read;

	if (buffer == NULL)
		return kp_session_fail(session,
		    kp_session_memory_reason(session), err, KP_ERR_LIMIT,
		    "no buffer within the memory limit");
	is_read = read_proxy_header(session, buffer, &header, deadline_ms, err);
	kp_share_put(&session->memory, buffer);
	if (!is_read) {
		if (session->reason == KP_NUM_CLOSE_REASONS)
			session->reason = KP_CLOSE_PROXY_PROTOCOL;
		return kp_error_prefix(err, "PROXY header");
	}
	if (header.has_source)
		kp_address_format(&header.source, session->peer);
	return true;
}

static bool
open_client(struct kp_session *session, struct kp_error *err)
{
	const struct kp_endpoint *endpoint = session->endpoint;
	int64_t deadline_ms =
	    session->opened_ms +
	    kp_session_limit(session, KP_LIMIT_HANDSHAKE_TIMEOUT);

	if (endpoint->listener->has_proxy_protocol &&
	    !take_proxy_header(session, deadline_ms, err))
		return false;
	if (endpoint->tls_server == NULL)
		return true;
	if (!kp_stream_start_tls_server(
		&session->client, endpoint->tls_server, err)) {
		session->reason = KP_CLOSE_TLS_ERROR;
		return false;
	}
	return shake_hands(
	    session, &session->client, KP_TLS_SIDE_CLIENT, deadline_ms, err);
}

/* With strategy sni, the name the client asked for says whom it means. */
static bool
choose_node(struct kp_session *session, struct kp_error *err)
{
	const struct kp_tables_listener *listener = session->endpoint->listener;
	const char *name;

	if (listener->strategy != KP_LISTEN_SNI)
		return true;
	name = kp_stream_sni(&session->client);
	if (name != NULL &&
	    kp_view_node_of_name(listener, name, &session->node_id))
		return true;
	return kp_session_fail(session, KP_CLOSE_UNKNOWN_NODE, err,
	    KP_ERR_PROTOCOL,
	    "TLS server name \"%.100s\" is none of this listener",
	    name == NULL ? "" : name);
}

/* Brokers do not hear of clients that say nothing. */
static bool
wait_for_client(struct kp_session *session, struct kp_error *err)
{
	struct kp_stream *client = &session->client;
	int64_t deadline_ms =
	    session->opened_ms +
	    kp_session_limit(session, KP_LIMIT_FIRST_REQUEST_TIMEOUT);
	ssize_t n;
	char byte;

	if (kp_stream_has_ahead(client))
		return true;
	session->reason = KP_CLOSE_FIRST_REQUEST_TIMEOUT;
	while ((n = recv(client->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT)) < 0 &&
	       (errno == EAGAIN || errno == EINTR)) {
		if (!wait_for(
			session, client, KP_IO_WANT_READ, deadline_ms, err))
			return false;
	}
	if (n <= 0)
		return kp_session_fail(session, KP_CLOSE_CLIENT_CLOSED, err,
		    KP_ERR_CLOSED, "client has gone without a word");
	session->reason = KP_NUM_CLOSE_REASONS;
	return true;
}

static bool
open_broker(struct kp_session *session, struct kp_error *err)
{
	const struct kp_endpoint *endpoint = session->endpoint;
	int64_t deadline_ms =
	    kp_now_ms() + endpoint->cluster->connect_timeout_ms;
	int fd = kp_upstream_connect(endpoint->topology, session->shared->names,
	    session->node_id, deadline_ms, session->client.fd,
	    &session->broker_node, err);

	if (fd < 0) {
		session->reason = err->kind == KP_ERR_CLOSED
				      ? KP_CLOSE_CLIENT_CLOSED
				      : KP_CLOSE_UPSTREAM_UNAVAILABLE;
		return kp_error_prefix(
		    err, "cluster \"%s\"", endpoint->cluster->name);
	}
	session->reason = KP_CLOSE_UPSTREAM_UNAVAILABLE;
	if (!kp_stream_init_plain(&session->broker, fd, err))
		return false;
	if (endpoint->tls_client != NULL &&
	    (!kp_stream_start_tls_client(&session->broker, endpoint->tls_client,
		 session->broker_node.host, err) ||
		!shake_hands(session, &session->broker, KP_TLS_SIDE_BROKER,
		    deadline_ms, err)))
		return false;
	session->reason = KP_NUM_CLOSE_REASONS;
	return true;
}

bool
kp_session_open(struct kp_session *session, struct kp_error *err)
{
	return open_client(session, err) && choose_node(session, err) &&
	       wait_for_client(session, err) && open_broker(session, err);
}
