/* SPDX-License-Identifier: Apache-2.0 */
#include "control/server/etcd_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mutex.h"
#include "base/text.h"
#include "control/rpc/backoff.h"
#include "proto/control/unpack.h"

#define CONNECT_MS 1000
#define TRY_MIN_MS 500
#define PAUSE_FIRST_MS 10
#define PAUSE_MAX_MS 250
#define KEEPALIVE_MS 10000
#define KEEPALIVE_TIMEOUT_MS 5000
#define MAX_LOGINS 3 /* for one request */
#define RELOAD_MS 2000
#define SAID_SIZE 64
#define HOST_SIZE 256
/* etcd's own limit is 1.5 MiB; pages of answers are ours to bound. */
#define MAX_REQUEST_LEN (2u << 20)
#define MAX_SHORT_LEN (1u << 20)

/* clang-format off */
#define METHOD(name_, kind_, message_, max_answer_len_) \
	{ \
		.name = "/etcdserverpb." name_, .kind = (kind_), \
		.request = &etcdserverpb__##message_##_request__descriptor, \
		.response = &etcdserverpb__##message_##_response__descriptor, \
		.max_request_len = MAX_REQUEST_LEN, \
		.max_response_len = (max_answer_len_), \
	}

const struct kp_rpc_method
    kp_etcd_range = METHOD("KV/Range", KP_RPC_UNARY, range,
	KP_RPC_MAX_MESSAGE),
    kp_etcd_txn = METHOD("KV/Txn", KP_RPC_UNARY, txn, MAX_SHORT_LEN),
    kp_etcd_put = METHOD("KV/Put", KP_RPC_UNARY, put, MAX_SHORT_LEN),
    kp_etcd_delete = METHOD("KV/DeleteRange", KP_RPC_UNARY, delete_range,
	MAX_SHORT_LEN),
    kp_etcd_grant = METHOD("Lease/LeaseGrant", KP_RPC_UNARY, lease_grant,
	MAX_SHORT_LEN),
    kp_etcd_revoke = METHOD("Lease/LeaseRevoke", KP_RPC_UNARY, lease_revoke,
	MAX_SHORT_LEN),
    kp_etcd_keep_alive = METHOD("Lease/LeaseKeepAlive", KP_RPC_STREAM,
	lease_keep_alive, MAX_SHORT_LEN),
    kp_etcd_watch = METHOD("Watch/Watch", KP_RPC_STREAM, watch,
	MAX_SHORT_LEN);
static const struct kp_rpc_method
    authenticate = METHOD("Auth/Authenticate", KP_RPC_UNARY, authenticate,
	MAX_SHORT_LEN);
/* clang-format on */

static const struct kp_rpc_metadata needs_leader = { "hasleader", "true" };

struct endpoint {
	char *address;
	struct kp_rpc_channel *channel;
	char said[SAID_SIZE]; /* why it failed last; under the lock */
};

struct kp_etcd_client {
	struct endpoint endpoints[KP_ETCD_MAX_ENDPOINTS];
	size_t num;
	char *user;
	bool (*read_password)(
	    void *ctx, struct kp_buf *out, struct kp_error *err);
	void *password_ctx;

	struct kp_mutex lock; /* guards what follows, and what was said */
	struct kp_cond stopped;
	bool is_stopped;
	size_t current;
	char *password; /* that etcd took last, or the first one */
	char *token;    /* NULL: not logged in */
};

/* Which of the two all endpoints have, without it. */
static bool
scheme_of(const char *endpoint, const char **out_address, bool *out_is_clear)
{
	static const char clear[] = "http://", tls[] = "https://";
	char host[HOST_SIZE];
	uint16_t port;

	*out_is_clear = strncmp(endpoint, clear, sizeof(clear) - 1) == 0;
	*out_address =
	    endpoint + (*out_is_clear ? sizeof(clear) - 1 : sizeof(tls) - 1);
	return (*out_is_clear ||
		   strncmp(endpoint, tls, sizeof(tls) - 1) == 0) &&
	       kp_parse_host_port(*out_address, host, sizeof(host), &port);
}

static bool
open_endpoint(struct endpoint *endpoint, const struct kp_etcd_config *config,
    const char *address, bool is_clear, struct kp_error *err)
{
	const struct kp_rpc_channel_config channel = {
		.addresses = &address,
		.num_addresses = 1,
		.server_name = config->server_name,
		.identity = config->identity,
		.is_insecure_in_the_clear = is_clear,
		.keepalive_ms = KEEPALIVE_MS,
		.keepalive_timeout_ms = KEEPALIVE_TIMEOUT_MS,
	};

	if (is_clear)
		kp_log(KP_LOG_WARN, "etcd_in_the_clear",
		    KP_STR("endpoint", address));
	endpoint->channel = kp_rpc_channel_new(&channel, err);
	if (endpoint->channel == NULL)
		return false;
	endpoint->address = kp_strdup(address);
	return true;
}

static bool
open_endpoints(struct kp_etcd_client *client,
    const struct kp_etcd_config *config, struct kp_error *err)
{
	bool is_first_clear = false;

	for (size_t i = 0; i < config->num_endpoints; i++) {
		const char *endpoint = config->endpoints[i], *address;
		bool is_clear;

		if (!scheme_of(endpoint, &address, &is_clear))
			return kp_error_set(err, KP_ERR_CONFIG,
			    "etcd endpoint \"%s\" is not "
			    "https://host:port or http://host:port",
			    endpoint);
		if (i == 0)
			is_first_clear = is_clear;
		if (is_clear != is_first_clear)
			return kp_error_set(err, KP_ERR_CONFIG,
			    "etcd endpoints are all http or all https");
		if (!open_endpoint(
			&client->endpoints[i], config, address, is_clear, err))
			return kp_error_prefix(err, "etcd");
		client->num++;
	}
	return true;
}

struct kp_etcd_client *
kp_etcd_client_new(const struct kp_etcd_config *config, struct kp_error *err)
{
	struct kp_etcd_client *client;

	if (config->num_endpoints == 0 ||
	    config->num_endpoints > KP_ETCD_MAX_ENDPOINTS) {
		(void)kp_error_set(err, KP_ERR_CONFIG,
		    "%zu etcd endpoints, 1 to %d are possible",
		    config->num_endpoints, KP_ETCD_MAX_ENDPOINTS);
		return NULL;
	}
	if ((config->user == NULL) != (config->password == NULL)) {
		(void)kp_error_set(err, KP_ERR_CONFIG,
		    "etcd wants a user and a password, or neither");
		return NULL;
	}
	client = kp_alloc(1, sizeof(*client));
	kp_mutex_init(&client->lock, KP_RANK_ETCD);
	kp_cond_init(&client->stopped);
	if (config->user != NULL) {
		client->user = kp_strdup(config->user);
		client->password = kp_strdup(config->password);
		client->read_password = config->read_password;
		client->password_ctx = config->password_ctx;
	}
	if (open_endpoints(client, config, err))
		return client;
	kp_etcd_client_free(client);
	return NULL;
}

static void
free_secret(char *secret)
{
	if (secret != NULL)
		explicit_bzero(secret, strlen(secret));
	free(secret);
}

void
kp_etcd_client_free(struct kp_etcd_client *client)
{
	if (client == NULL)
		return;
	for (size_t i = 0; i < client->num; i++) {
		kp_rpc_channel_free(client->endpoints[i].channel);
		free(client->endpoints[i].address);
	}
	free(client->user);
	free_secret(client->password);
	free_secret(client->token);
	kp_cond_fini(&client->stopped);
	kp_mutex_fini(&client->lock);
	free(client);
}

bool
kp_etcd_client_reload(struct kp_etcd_client *client,
    const struct kp_rpc_identity *identity, struct kp_error *err)
{
	for (size_t i = 0; i < client->num; i++) {
		if (!kp_rpc_channel_reload(
			client->endpoints[i].channel, identity, err))
			return false;
	}
	return true;
}

void
kp_etcd_client_stop(struct kp_etcd_client *client)
{
	kp_mutex_lock(&client->lock);
	client->is_stopped = true;
	kp_cond_broadcast(&client->stopped);
	kp_mutex_unlock(&client->lock);
}

void
kp_etcd_client_pause(struct kp_etcd_client *client, int64_t ms)
{
	int64_t until_ms = kp_now_ms() + ms;

	kp_mutex_lock(&client->lock);
	while (!client->is_stopped &&
	       kp_cond_wait(&client->stopped, &client->lock, until_ms))
		;
	kp_mutex_unlock(&client->lock);
}

static size_t
current_of(struct kp_etcd_client *client)
{
	size_t current;

	kp_mutex_lock(&client->lock);
	current = client->current;
	kp_mutex_unlock(&client->lock);
	return current;
}

/* index failed: unless another thread has done so, the next is current. */
static void
move_on(struct kp_etcd_client *client, size_t index, const char *why)
{
	struct endpoint *endpoint = &client->endpoints[index];

	kp_mutex_lock(&client->lock);
	(void)snprintf(endpoint->said, sizeof(endpoint->said), "%s", why);
	if (client->current == index)
		client->current = (index + 1) % client->num;
	kp_mutex_unlock(&client->lock);
}

/* A copy of the token, to be freed; NULL: there is none. */
static char *
token_of(struct kp_etcd_client *client)
{
	char *token;

	kp_mutex_lock(&client->lock);
	token = client->token == NULL ? NULL : kp_strdup(client->token);
	kp_mutex_unlock(&client->lock);
	return token;
}

static void
set_token(struct kp_etcd_client *client, const char *token)
{
	kp_mutex_lock(&client->lock);
	free_secret(client->token);
	client->token = token == NULL ? NULL : kp_strdup(token);
	kp_mutex_unlock(&client->lock);
}

/* One try to ask one endpoint. */
struct
try {
	size_t index;
	int64_t deadline_ms;
	struct kp_rpc_result result;
	bool was_sent;
};

static int64_t
earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static bool
connect_to(struct kp_etcd_client *client, struct try *try)
{
	struct kp_error err = { 0 };

	if (kp_rpc_channel_connect(client->endpoints[try->index].channel,
		earlier(try->deadline_ms, kp_now_ms() + CONNECT_MS), &err))
		return true;
	kp_rpc_status_set(
	    &try->result.status, KP_RPC_UNAVAILABLE, "%s", err.text);
	return false;
}

/* Fills the token from an answer that anybody may have given. */
static bool
take_token(struct kp_etcd_client *client, struct try *try)
{
	Etcdserverpb__AuthenticateResponse *answer =
	    (Etcdserverpb__AuthenticateResponse *)try->result.answer;
	const struct kp_rpc_metadata metadata = { "token", answer->token };
	struct kp_error err;
	bool is_good = kp_rpc_metadata_check(&metadata, &err);

	if (is_good)
		set_token(client, answer->token);
	kp_rpc_result_fini(&try->result);
	if (!is_good)
		kp_rpc_status_set(&try->result.status, KP_RPC_INTERNAL,
		    "the token of the login: %s", err.text);
	return is_good;
}

static bool
authenticate_with(struct kp_etcd_client *client, struct try *try,
    const char *password, struct kp_rpc_cancel *cancel)
{
	Etcdserverpb__AuthenticateRequest request;
	const struct kp_rpc_options options = { .deadline_ms = try->deadline_ms,
		.cancel = cancel };

	etcdserverpb__authenticate_request__init(&request);
	request.name = client->user;
	request.password = (char *)(uintptr_t)password;
	return kp_rpc_channel_call_with(client->endpoints[try->index].channel,
		   &authenticate, &try->result, &request.base, &options) &&
	       take_token(client, try);
}

/* What etcd itself says begins so; its clients go by these texts as well. */
static bool
is_etcds(const struct kp_rpc_status *status)
{
	static const char start[] = "etcdserver: ";

	return strncmp(status->sentence, start, sizeof(start) - 1) == 0;
}

static bool
is_password_refused(const struct kp_rpc_status *status)
{
	return status->code == KP_RPC_INVALID_ARGUMENT && is_etcds(status);
}

/* A copy, to be freed as a secret. */
static char *
password_of(struct kp_etcd_client *client)
{
	char *password;

	kp_mutex_lock(&client->lock);
	password = kp_strdup(client->password);
	kp_mutex_unlock(&client->lock);
	return password;
}

static void
set_password(struct kp_etcd_client *client, const char *password)
{
	kp_mutex_lock(&client->lock);
	free_secret(client->password);
	client->password = kp_strdup(password);
	kp_mutex_unlock(&client->lock);
	kp_log(
	    KP_LOG_INFO, "etcd_password_taken", KP_STR("user", client->user));
}

static void
wipe(struct kp_buf *secret)
{
	if (secret->data != NULL)
		explicit_bzero(secret->data, secret->len);
	kp_buf_fini(secret);
}

/* etcd has refused old: is there another one by now, and does it take that? */
static bool
log_in_anew(struct kp_etcd_client *client, struct try *try, const char *old,
    struct kp_rpc_cancel *cancel)
{
	struct kp_error err;
	struct kp_buf now;
	bool is_in = false;

	if (client->read_password == NULL)
		return false;
	if (client->read_password(client->password_ctx, &now, &err) &&
	    strcmp((const char *)now.data, old) != 0) {
		kp_rpc_result_fini(&try->result);
		is_in = authenticate_with(
		    client, try, (const char *)now.data, cancel);
		if (is_in)
			set_password(client, (const char *)now.data);
	}
	wipe(&now);
	return is_in;
}

/* Nothing to do without a user, or with a token. */
static bool
log_in(struct kp_etcd_client *client, struct try *try,
    struct kp_rpc_cancel *cancel)
{
	char *token = token_of(client), *password;
	bool is_in = client->user == NULL || token != NULL;

	free_secret(token);
	if (is_in)
		return true;
	password = password_of(client);
	is_in = authenticate_with(client, try, password, cancel) ||
		(is_password_refused(&try->result.status) &&
		    log_in_anew(client, try, password, cancel));
	free_secret(password);
	return is_in;
}

/* The metadata of a call; *out_token is freed afterwards. */
static size_t
fill_metadata(struct kp_etcd_client *client, bool wants_leader,
    struct kp_rpc_metadata out[2], char **out_token)
{
	size_t num = 0;

	*out_token = token_of(client);
	if (*out_token != NULL)
		out[num++] = (struct kp_rpc_metadata){ "token", *out_token };
	if (wants_leader)
		out[num++] = needs_leader;
	return num;
}

static bool
try_once(struct kp_etcd_client *client, const struct kp_etcd_ask *ask,
    struct try *try)
{
	struct kp_rpc_metadata metadata[2];
	struct kp_rpc_options options = { .deadline_ms = try->deadline_ms,
		.cancel = ask->cancel,
		.metadata = metadata };
	char *token;
	bool is_ok;

	if (!connect_to(client, try) || !log_in(client, try, ask->cancel))
		return false;
	options.num_metadata =
	    fill_metadata(client, ask->needs_leader, metadata, &token);
	try->was_sent = true;
	is_ok = kp_rpc_channel_call_with(client->endpoints[try->index].channel,
	    ask->method, &try->result, ask->request, &options);
	free_secret(token);
	return is_ok;
}

static bool
says(const struct kp_rpc_status *status, const char *text)
{
	return strcmp(status->sentence, text) == 0;
}

/* Is another login what it takes? */
static bool
is_logged_out(
    const struct kp_etcd_client *client, const struct kp_rpc_status *status)
{
	return client->user != NULL &&
	       (status->code == KP_RPC_UNAUTHENTICATED ||
		   says(status, "etcdserver: user name is empty") ||
		   says(status, "etcdserver: revision of auth store is old"));
}

/* Refused for good, before anything was done? */
static bool
is_refused(const struct kp_rpc_status *status)
{
	switch (status->code) {
	case KP_RPC_INVALID_ARGUMENT:
	case KP_RPC_NOT_FOUND:
	case KP_RPC_PERMISSION_DENIED:
	case KP_RPC_UNAUTHENTICATED:
	case KP_RPC_FAILED_PRECONDITION:
	case KP_RPC_RESOURCE_EXHAUSTED:
	case KP_RPC_OUT_OF_RANGE:
		return is_etcds(status);
	case KP_RPC_UNIMPLEMENTED:
		return true;
	case KP_RPC_OK:
	case KP_RPC_CANCELLED:
	case KP_RPC_UNKNOWN:
	case KP_RPC_DEADLINE_EXCEEDED:
	case KP_RPC_ALREADY_EXISTS:
	case KP_RPC_ABORTED:
	case KP_RPC_INTERNAL:
	case KP_RPC_UNAVAILABLE:
	case KP_RPC_DATA_LOSS:
		break;
	}
	return false;
}

/* May what failed have been done? Reading does nothing. */
static bool
may_be_done(const struct kp_etcd_ask *ask, const struct try *try)
{
	const struct kp_rpc_status *status = &try->result.status;

	return ask->method != &kp_etcd_range && try->was_sent &&
	       !is_refused(status) && status->code != KP_RPC_UNAUTHENTICATED &&
	       !says(status, "etcdserver: no leader");
}

static bool
refuse(struct kp_etcd_client *client, const struct try *try, bool is_unknown,
    struct kp_error *err)
{
	return kp_error_set(err, is_unknown ? KP_ERR_TIMEOUT : KP_ERR_CONFIG,
	    "etcd %s: %s: %s%s", client->endpoints[try->index].address,
	    kp_rpc_code_name(try->result.status.code),
	    try->result.status.sentence,
	    is_unknown ? "; it may have been done before that" : "");
}

/* Time is up: what each endpoint said last. */
static bool
give_up(struct kp_etcd_client *client, bool is_unknown, struct kp_error *err)
{
	struct kp_buf text;

	/* want of memory may be the reason */
	kp_buf_init_small(&text, 4096);
	kp_mutex_lock(&client->lock);
	for (size_t i = 0; i < client->num; i++)
		kp_buf_printf(&text, "%s%s: %s", i > 0 ? "; " : "",
		    client->endpoints[i].address,
		    client->endpoints[i].said[0] == '\0'
			? "not asked"
			: client->endpoints[i].said);
	kp_mutex_unlock(&client->lock);
	(void)kp_error_set(err,
	    is_unknown ? KP_ERR_TIMEOUT : KP_ERR_UNAVAILABLE, "%s: %s",
	    is_unknown ? "etcd did not answer in time, it may have been done"
		       : "etcd cannot do it now",
	    kp_buf_text(&text));
	kp_buf_fini(&text);
	return false;
}

/* Each endpoint has its part of the time that is left. */
static int64_t
part_of(const struct kp_etcd_client *client, int64_t deadline_ms)
{
	int64_t now_ms = kp_now_ms();
	int64_t part_ms = (deadline_ms - now_ms) / (int64_t)client->num;

	if (part_ms < TRY_MIN_MS)
		part_ms = TRY_MIN_MS;
	return earlier(deadline_ms, now_ms + part_ms);
}

static bool
is_stopped(struct kp_etcd_client *client)
{
	bool is_stopped;

	kp_mutex_lock(&client->lock);
	is_stopped = client->is_stopped;
	kp_mutex_unlock(&client->lock);
	return is_stopped;
}

/* Why a try failed, and whether another one is of use. */
static bool
go_on(struct kp_etcd_client *client, const struct try *try, unsigned *logins)
{
	const struct kp_rpc_status *status = &try->result.status;

	if (is_logged_out(client, status) && try->was_sent) {
		set_token(client, NULL);
		return ++*logins < MAX_LOGINS;
	}
	if (is_refused(status))
		return false;
	move_on(client, try->index, status->sentence);
	return true;
}

bool
kp_etcd_ask(struct kp_etcd_client *client, const struct kp_etcd_ask *ask,
    struct kp_etcd_reply *out, struct kp_error *err)
{
	struct kp_rpc_backoff backoff = { .first_ms = PAUSE_FIRST_MS,
		.max_ms = PAUSE_MAX_MS };
	unsigned logins = 0;

	*out = (struct kp_etcd_reply){ .message = NULL };
	for (;;) {
		struct try try = { .index = current_of(client),
			.deadline_ms = part_of(client, ask->deadline_ms) };
		bool is_ok = try_once(client, ask, &try);

		out->code = try.result.status.code;
		if (is_ok) {
			out->message = try.result.answer;
			try.result.answer = NULL;
			kp_rpc_result_fini(&try.result);
			return true;
		}
		out->is_unknown = out->is_unknown || may_be_done(ask, &try);
		if (!go_on(client, &try, &logins)) {
			(void)refuse(client, &try, out->is_unknown, err);
			kp_rpc_result_fini(&try.result);
			return false;
		}
		kp_rpc_result_fini(&try.result);
		if (kp_now_ms() >= ask->deadline_ms || is_stopped(client))
			return give_up(client, out->is_unknown, err);
		kp_etcd_client_pause(
		    client, earlier(kp_rpc_backoff_next(&backoff),
				ask->deadline_ms - kp_now_ms()));
	}
}

/* Endpoints in turn, until one lets password in or refuses it. */
static bool
try_password(
    struct kp_etcd_client *client, const char *password, struct kp_error *err)
{
	int64_t deadline_ms = kp_now_ms() + RELOAD_MS;
	struct try try = { .index = current_of(client) };
	bool is_in = false, is_over = false;

	for (size_t i = 0; i < client->num && !is_over; i++) {
		kp_rpc_result_fini(&try.result);
		try = (struct try){ .deadline_ms = part_of(client, deadline_ms),
			.index = (try.index + (i > 0)) % client->num };
		is_in = connect_to(client, &try) &&
			authenticate_with(client, &try, password, NULL);
		is_over = is_in || is_password_refused(&try.result.status);
	}
	if (!is_in)
		(void)refuse(client, &try, false, err);
	kp_rpc_result_fini(&try.result);
	return is_in;
}

bool
kp_etcd_client_reload_password(
    struct kp_etcd_client *client, bool *out_is_new, struct kp_error *err)
{
	char *old = password_of(client);
	struct kp_buf now;
	bool is_ok;

	is_ok = client->read_password(client->password_ctx, &now, err);
	*out_is_new = is_ok && strcmp((const char *)now.data, old) != 0;
	if (*out_is_new) {
		is_ok = try_password(client, (const char *)now.data, err);
		if (is_ok)
			set_password(client, (const char *)now.data);
	}
	wipe(&now);
	free_secret(old);
	return is_ok;
}

struct kp_rpc_stream *
kp_etcd_stream_open(struct kp_etcd_client *client,
    const struct kp_rpc_method *method, int64_t deadline_ms, int64_t end_ms,
    size_t *out_index, struct kp_error *err)
{
	struct kp_rpc_metadata metadata[2];
	struct kp_rpc_options options = { .deadline_ms = end_ms,
		.metadata = metadata };
	struct try try = { .index = current_of(client),
		.deadline_ms = deadline_ms };
	struct kp_rpc_stream *stream = NULL;
	char *token;

	*out_index = try.index;
	if (!connect_to(client, &try) || !log_in(client, &try, NULL)) {
		(void)refuse(client, &try, false, err);
		move_on(client, try.index, try.result.status.sentence);
	} else {
		options.num_metadata =
		    fill_metadata(client, true, metadata, &token);
		stream = kp_rpc_stream_new_with(
		    client->endpoints[try.index].channel, method, &options);
		free_secret(token);
	}
	kp_rpc_result_fini(&try.result);
	return stream;
}

void
kp_etcd_blame(struct kp_etcd_client *client, size_t index,
    const struct kp_rpc_status *status)
{
	if (client->user != NULL)
		set_token(client, NULL);
	move_on(client, index, status->sentence);
}
