/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/connection.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/files.h"
#include "base/log.h"
#include "cli/escape.h"
#include "cli/output.h"
#include "cli/problems.h"
#include "cli/times.h"
#include "control/api/certificate.h"
#include "proto/control/unpack.h"

#define REACH_TIMEOUT_MS 10000
#define MAX_PEM_LEN (1u << 20)
#define MAX_REASONS_LEN (16u << 10)

/* Parts of what gRPC and its TLS say, and what people say. */
static const struct {
	const char *part, *reason;
} reasons[] = {
	{ "onnection refused", "connection refused: no server listens there" },
	{ "o route to host", "no route to host" },
	{ "etwork is unreachable", "network is unreachable" },
	{ "onnection reset", "the connection was closed at once: is this a "
			     "policy server?" },
	{ "DNS resolution failed", "no address is known for this host name" },
	{ "certificate verify failed",
	    "its certificate does not lead to our CA, or is not valid now" },
	{ "CERTIFICATE_VERIFY_FAILED",
	    "its certificate does not lead to our CA, or is not valid now" },
	{ "is not in peer certificate",
	    "its certificate is not for this host name" },
	{ "alert certificate", "it refused our certificate" },
	{ "ALERT_CERTIFICATE", "it refused our certificate" },
	{ "alert unknown ca", "it does not know the CA of our certificate" },
	{ "UNKNOWN_CA", "it does not know the CA of our certificate" },
	{ "wrong version number", "it does not speak TLS" },
	{ "WRONG_VERSION_NUMBER", "it does not speak TLS" },
	{ "andshake failed", "the TLS handshake failed: is this a policy "
			     "server?" },
	{ "ocket closed", "it closed the connection: is this a policy "
			  "server, and does it accept our certificate?" },
	{ "GOAWAY", "it closed the connection" },
	{ "none answered in time", "no answer in time" },
};

const char *
kp_connection_reason(const char *text)
{
	const char *last = text, *at;

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		if (strstr(text, reasons[i].part) != NULL)
			return reasons[i].reason;
	}
	/* what the innermost layer said */
	for (at = text; (at = strstr(at, ": ")) != NULL; at += 2)
		last = at + 2;
	return last;
}

static bool
read_pem(struct kp_buf *out, const char *flag, const char *path)
{
	struct kp_error err;

	kp_buf_init(out, MAX_PEM_LEN);
	if (kp_file_read(out, path, &err))
		return true;
	kp_output_problem(
	    "--%s: %s: %s", flag, path, kp_file_reason(&err, path));
	return false;
}

static struct kp_rpc_channel *
channel_to(const struct kp_connection *connection, const char *address,
    struct kp_error *err)
{
	const struct kp_rpc_channel_config config = {
		.addresses = &address,
		.num_addresses = 1,
		.identity = {
			.ca_pem = kp_buf_bytes(&connection->ca_pem),
			.certificate_pem =
			    kp_buf_bytes(&connection->certificate_pem),
			.key_pem = kp_buf_bytes(&connection->key_pem),
		},
	};

	return kp_rpc_channel_new(&config, err);
}

/*
 * Tries one address, and adds why it could not be reached. A channel for each,
 * so that people see the reason of every one.
 */
static bool
reach(struct kp_connection *connection, const char *address,
    int64_t deadline_ms, struct kp_buf *why)
{
	struct kp_error err;
	struct kp_rpc_channel *channel = channel_to(connection, address, &err);
	bool is_there;

	if (channel == NULL) {
		kp_buf_printf(why,
		    "\n  %s: certificate %s with key %s: ", address,
		    connection->settings.certificate, connection->settings.key);
		kp_escape_add(why, err.text);
		return false;
	}
	is_there = kp_rpc_channel_connect(channel, deadline_ms, &err);
	if (is_there) {
		connection->channel = channel;
		connection->address = address;
		return true;
	}
	kp_buf_printf(why, "\n  %s: ", address);
	kp_escape_add(why, kp_connection_reason(err.text));
	kp_rpc_channel_free(channel);
	return false;
}

/* Each address has an equal part of the time that is left. */
static bool
reach_any(
    struct kp_connection *connection, int64_t deadline_ms, struct kp_buf *why)
{
	const struct kp_settings *settings = &connection->settings;

	for (size_t i = 0; i < settings->num_addresses; i++) {
		size_t num_left = settings->num_addresses - i;
		int64_t now_ms = kp_now_ms();

		if (reach(connection, settings->addresses[i],
			now_ms + (deadline_ms - now_ms) / (int64_t)num_left,
			why))
			return true;
	}
	return false;
}

/* Our own certificate is what a server's silence is most often about. */
static void
add_certificate_hint(struct kp_buf *out, const struct kp_connection *connection)
{
	int64_t now = kp_wall_ms() / 1000;
	struct kp_api_certificate ours;
	char when[KP_TIME_SIZE];

	if (!kp_api_certificate_read(
		&ours, kp_buf_bytes(&connection->certificate_pem)))
		return;
	if (now <= ours.not_after && now >= ours.not_before)
		return;
	kp_buf_add_text(out, "\nyour certificate ");
	kp_escape_add(out, connection->settings.certificate);
	if (now > ours.not_after) {
		kp_time_format(when, ours.not_after * 1000);
		kp_buf_printf(out, " has expired (%s)", when);
	} else {
		kp_time_format(when, ours.not_before * 1000);
		kp_buf_printf(out, " is not valid before %s", when);
	}
}

static void
complain_unreached(
    const struct kp_connection *connection, struct kp_buf *reasons_found)
{
	add_certificate_hint(reasons_found, connection);
	kp_output_problem("no server could be reached:%.*s",
	    (int)reasons_found->len, (const char *)reasons_found->data);
}

static int64_t
reach_deadline(const struct kp_connection *connection)
{
	int64_t timeout_ms = connection->settings.timeout_ms;

	return kp_now_ms() + (timeout_ms > 0 ? timeout_ms : REACH_TIMEOUT_MS);
}

static enum kp_exit
load(struct kp_connection *out, const struct kp_args *args)
{
	enum kp_exit result = kp_settings_load(&out->settings, args);

	if (result != KP_EXIT_OK)
		return result;
	if (!read_pem(&out->ca_pem, "ca", out->settings.ca) ||
	    !read_pem(&out->certificate_pem, "certificate",
		out->settings.certificate) ||
	    !read_pem(&out->key_pem, "key", out->settings.key))
		return KP_EXIT_FAILED;
	return KP_EXIT_OK;
}

static enum kp_exit
reach_or_complain(struct kp_connection *connection, int64_t deadline_ms)
{
	enum kp_exit result = KP_EXIT_OK;
	struct kp_buf why;

	kp_buf_init(&why, MAX_REASONS_LEN);
	if (!reach_any(connection, deadline_ms, &why)) {
		complain_unreached(connection, &why);
		result = KP_EXIT_NO_SERVER;
	}
	kp_buf_fini(&why);
	return result;
}

enum kp_exit
kp_connection_open_until(
    struct kp_connection *out, const struct kp_args *args, int64_t deadline_ms)
{
	enum kp_exit result;

	*out = (struct kp_connection){ 0 };
	/* gRPC's own words are turned into ours */
	kp_log_init("kpctl", KP_LOG_AUTO, KP_LOG_ERROR);
	result = load(out, args);
	if (result != KP_EXIT_OK)
		return result;
	return reach_or_complain(
	    out, deadline_ms == KP_NEVER ? reach_deadline(out) : deadline_ms);
}

enum kp_exit
kp_connection_open(struct kp_connection *out, const struct kp_args *args)
{
	return kp_connection_open_until(out, args, KP_NEVER);
}

bool
kp_connection_again(struct kp_connection *connection)
{
	struct kp_buf why;
	bool is_there;

	kp_rpc_channel_free(connection->channel);
	connection->channel = NULL;
	kp_buf_init(&why, MAX_REASONS_LEN);
	is_there = reach_any(connection, reach_deadline(connection), &why);
	kp_buf_fini(&why);
	return is_there;
}

void
kp_connection_leave(struct kp_connection *connection)
{
	kp_rpc_channel_free(connection->channel);
	connection->channel = NULL;
}

void
kp_connection_close(struct kp_connection *connection)
{
	kp_connection_leave(connection);
	kp_buf_fini(&connection->ca_pem);
	kp_buf_fini(&connection->certificate_pem);
	kp_buf_fini(&connection->key_pem);
	kp_settings_fini(&connection->settings);
}

int64_t
kp_connection_deadline(
    const struct kp_connection *connection, const struct kp_rpc_method *method)
{
	int64_t timeout_ms = connection->settings.timeout_ms;

	return kp_now_ms() + (timeout_ms > 0 ? timeout_ms : method->timeout_ms);
}

bool
kp_connection_ask(struct kp_connection *connection,
    const struct kp_rpc_method *method, struct kp_rpc_result *out,
    const ProtobufCMessage *request, int64_t deadline_ms)
{
	return kp_rpc_channel_call(
	    connection->channel, method, out, request, deadline_ms, NULL);
}

/* What the server says of resources, if that is in the status. */
static bool
complain_of_problems(const struct kp_rpc_status *status)
{
	ProtobufCMessage *detail = kp_rpc_status_detail(
	    status, &kproxy__control__v1__problems__descriptor, 0);
	const Kproxy__Control__V1__Problems *problems =
	    (const Kproxy__Control__V1__Problems *)detail;
	bool is_any = kp_problems_count(problems) > 0;

	if (is_any)
		(void)kp_problems_refuse(problems);
	kp_unpacked_free(detail);
	return is_any;
}

static void
complain_of_role(const struct kp_connection *connection, const char *sentence)
{
	struct kp_api_certificate ours;
	char *name;

	if (!kp_api_certificate_read(
		&ours, kp_buf_bytes(&connection->certificate_pem))) {
		kp_output_problem(
		    "%s refuses: %s", connection->address, sentence);
		return;
	}
	name = kp_escape_dup(ours.common_name);
	kp_output_problem("%s refuses: %s\nyou are \"%s\" (%s); roles are "
			  "given in the server's configuration",
	    connection->address, sentence, name,
	    connection->settings.certificate);
	free(name);
}

static void
complain_of_loss(const struct kp_connection *connection, const char *sentence)
{
	struct kp_buf hint;

	kp_buf_init(&hint, MAX_REASONS_LEN);
	add_certificate_hint(&hint, connection);
	kp_output_problem("%s: %s%s", connection->address,
	    kp_connection_reason(sentence), kp_buf_text(&hint));
	kp_buf_fini(&hint);
}

static enum kp_exit
complain(const struct kp_connection *connection,
    const struct kp_rpc_status *status, const char *sentence)
{
	const char *address = connection->address;

	switch ((int)status->code) {
	case KP_RPC_UNAVAILABLE:
		complain_of_loss(connection, sentence);
		return KP_EXIT_NO_SERVER;
	case KP_RPC_PERMISSION_DENIED:
	case KP_RPC_UNAUTHENTICATED:
		complain_of_role(connection, sentence);
		return KP_EXIT_FAILED;
	case KP_RPC_DEADLINE_EXCEEDED:
		kp_output_problem("%s did not answer in time; "
				  "--request-timeout gives it longer",
		    address);
		return KP_EXIT_FAILED;
	case KP_RPC_UNIMPLEMENTED:
		kp_output_problem("%s does not know what was asked: it is no "
				  "policy server, or older than kpctl",
		    address);
		return KP_EXIT_FAILED;
	case KP_RPC_FAILED_PRECONDITION:
		kp_output_problem("refused: %s", sentence);
		return KP_EXIT_REFUSED;
	case KP_RPC_ABORTED:
		kp_output_problem("somebody else was faster: %s\n"
				  "nothing was changed; look again and repeat",
		    sentence);
		return KP_EXIT_FAILED;
	case KP_RPC_CANCELLED:
		kp_output_problem("%s ended the request", address);
		return KP_EXIT_FAILED;
	default:
		kp_output_problem("%s: %s", address,
		    sentence[0] != '\0' ? sentence
					: "it failed, without a "
					  "reason");
		return KP_EXIT_FAILED;
	}
}

enum kp_exit
kp_connection_complain(
    const struct kp_connection *connection, const struct kp_rpc_status *status)
{
	enum kp_exit result;
	char *sentence;

	if (complain_of_problems(status))
		return KP_EXIT_REFUSED;
	sentence = kp_escape_dup(status->sentence);
	result = complain(connection, status, sentence);
	free(sentence);
	return result;
}

enum kp_exit
kp_connection_call(struct kp_connection *connection,
    const struct kp_rpc_method *method, ProtobufCMessage **out,
    const ProtobufCMessage *request)
{
	enum kp_exit result = KP_EXIT_OK;
	struct kp_rpc_result answer;

	*out = NULL;
	if (kp_connection_ask(connection, method, &answer, request,
		kp_connection_deadline(connection, method))) {
		*out = answer.answer;
		answer.answer = NULL;
	} else {
		result = kp_connection_complain(connection, &answer.status);
	}
	kp_rpc_result_fini(&answer);
	return result;
}
