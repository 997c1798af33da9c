/* SPDX-License-Identifier: Apache-2.0 */
/* The link as the main thread sees it. The threads: link_read.c, link_send.c.
 */
#include "control/agent/link.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "control/agent/link_priv.h"
#include "control/agent/link_read.h"
#include "control/api/certificate.h"
#include "control/api/methods.h"

/* Agents that lost a server together come back over half of this, and over
 * half of the maximum if it stays away. */
#define FIRST_BACKOFF_MS 1000
#define MAX_BACKOFF_MS 10000

void
kp_link_wake(const struct kp_link *link)
{
	const uint64_t one = 1;

	/* fails only if it is readable already */
	(void)!write(link->event_fd, &one, sizeof(one));
}

static struct kp_rpc_identity
rpc_identity(const struct kp_link_identity *identity)
{
	return (struct kp_rpc_identity){ .ca_pem = identity->ca_pem,
		.certificate_pem = identity->certificate_pem,
		.key_pem = identity->key_pem };
}

static bool
check(const struct kp_link_identity *identity, struct kp_error *err)
{
	const struct kp_rpc_identity same = rpc_identity(identity);

	return kp_rpc_identity_check(&same, err);
}

static void
note_validity(struct kp_link *link, const struct kp_link_identity *identity)
{
	struct kp_api_certificate ours;

	if (!kp_api_certificate_read(&ours, identity->certificate_pem))
		ours = (struct kp_api_certificate){ .not_after = 0 };
	kp_mutex_lock(&link->lock);
	link->state.valid_from = ours.not_before;
	link->state.valid_until = ours.not_after;
	kp_mutex_unlock(&link->lock);
}

static bool
reload(struct kp_link *link, const struct kp_link_identity *identity,
    struct kp_error *err)
{
	const struct kp_rpc_identity same = rpc_identity(identity);

	if (!kp_rpc_channel_reload(link->channel, &same, err))
		return false;
	note_validity(link, identity);
	return true;
}

/* The servers in turn, beginning with any: they share the agents. */
static struct kp_rpc_channel *
new_channel(const struct kp_link_config *config, struct kp_error *err)
{
	const struct kp_node_server *server = &config->node->server;
	const char *addresses[KP_RPC_MAX_ADDRESSES];
	struct kp_rpc_channel_config channel = { .addresses = addresses,
		.num_addresses = server->num_addresses,
		.server_name = server->server_name,
		.identity = rpc_identity(&config->identity) };
	size_t first = arc4random_uniform((uint32_t)server->num_addresses);

	kp_assert(server->num_addresses <= KP_RPC_MAX_ADDRESSES);
	for (size_t i = 0; i < server->num_addresses; i++)
		addresses[i] =
		    server->addresses[(first + i) % server->num_addresses];
	return kp_rpc_channel_new(&channel, err);
}

static struct kp_link *
open_link(const struct kp_link_config *config, struct kp_error *err)
{
	struct kp_rpc_channel *channel = new_channel(config, err);
	const struct kp_node_config *node = config->node;
	struct kp_link *link;

	if (channel == NULL)
		return NULL;
	link = kp_alloc(1, sizeof(*link));
	link->channel = channel;
	link->num_addresses = node->server.num_addresses;
	link->node = kp_strdup(node->node);
	link->folder = kp_strdup(config->folder);
	kp_labels_init(&link->labels, node->labels.list, node->labels.num);
	link->metrics = config->metrics;
	link->backoff = (struct kp_rpc_backoff){ .first_ms = FIRST_BACKOFF_MS,
		.max_ms = MAX_BACKOFF_MS };
	link->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	kp_assert(link->event_fd >= 0);
	kp_mutex_init(&link->lock, KP_RANK_LINK);
	kp_cond_init(&link->changed);
	kp_buf_init(&link->verdict.problems, KP_API_MAX_REPORT);
	link->state.since_ms = kp_wall_ms();
	note_validity(link, &config->identity);
	kp_must(pthread_create(&link->reader, NULL, kp_link_read, link));
	kp_must(pthread_create(&link->writer, NULL, kp_link_write, link));
	return link;
}

static void
stop(struct kp_link *link)
{
	kp_mutex_lock(&link->lock);
	link->is_stopping = true;
	if (link->stream != NULL)
		kp_rpc_stream_cancel(link->stream);
	kp_cond_broadcast(&link->changed);
	kp_mutex_unlock(&link->lock);
	kp_rpc_channel_close(link->channel);
	kp_must(pthread_join(link->reader, NULL));
	kp_must(pthread_join(link->writer, NULL));
}

static void
close_link(struct kp_link *link)
{
	if (link == NULL)
		return;
	stop(link);
	kp_rpc_channel_free(link->channel);
	kp_link_offer_fini(&link->offer);
	kp_held_unref(link->held);
	kp_buf_fini(&link->verdict.problems);
	kp_cond_fini(&link->changed);
	kp_mutex_fini(&link->lock);
	(void)close(link->event_fd);
	kp_labels_fini(&link->labels);
	free(link->node);
	free(link->folder);
	free(link);
}

static int
fd_of(const struct kp_link *link)
{
	return link->event_fd;
}

static bool
take(struct kp_link *link, struct kp_link_offer *out)
{
	uint64_t ignored;
	bool has_offer;

	/* fails if nothing woke us since */
	(void)!read(link->event_fd, &ignored, sizeof(ignored));
	*out = (struct kp_link_offer){ .held = NULL };
	kp_mutex_lock(&link->lock);
	has_offer = link->has_offer && !link->is_taken;
	if (has_offer) {
		*out = link->offer;
		link->offer = (struct kp_link_offer){ .held = NULL };
		link->has_offer = false;
		link->is_taken = true;
		link->taken_epoch = link->offer_epoch;
		link->taken_revision = out->revision;
	}
	kp_mutex_unlock(&link->lock);
	return has_offer;
}

/* A verdict is for the stream that the push came from, or for nobody. */
static void
queue_verdict_locked(
    struct kp_link *link, const Kproxy__Control__V1__Problems *problems)
{
	struct kp_link_verdict *verdict = &link->verdict;
	uint8_t *to;

	kp_buf_clear(&verdict->problems);
	verdict->is_waiting =
	    link->may_write && link->taken_epoch == link->epoch;
	verdict->is_good = problems == NULL;
	verdict->revision = link->taken_revision;
	if (problems == NULL || !verdict->is_waiting)
		return;
	to = kp_buf_extend(&verdict->problems,
	    kproxy__control__v1__problems__get_packed_size(problems));
	kp_assert(to != NULL || verdict->problems.is_refused);
	if (to != NULL)
		(void)kproxy__control__v1__problems__pack(problems, to);
}

static void
note_refusal_locked(
    struct kp_link *link, const Kproxy__Control__V1__Problems *problems)
{
	struct kp_link_state *state = &link->state;

	state->refused_revision = problems == NULL ? 0 : link->taken_revision;
	state->refusal[0] = '\0';
	if (problems != NULL && problems->n_problems > 0)
		(void)snprintf(state->refusal, sizeof(state->refusal), "%s",
		    problems->problems[0]->message);
}

static void
settle(struct kp_link *link, struct kp_held *held,
    const Kproxy__Control__V1__Problems *problems)
{
	struct kp_held *before;

	kp_mutex_lock(&link->lock);
	before = link->held;
	link->held = held == NULL ? NULL : kp_held_ref(held);
	link->is_open = true;
	if (link->is_taken) {
		queue_verdict_locked(link, problems);
		note_refusal_locked(link, problems);
		link->is_taken = false;
	}
	if (link->has_offer)
		kp_link_wake(link);
	kp_cond_broadcast(&link->changed);
	kp_mutex_unlock(&link->lock);
	kp_held_unref(before);
}

static void
get_state(struct kp_link *link, struct kp_link_state *out)
{
	const char *address = kp_rpc_channel_address(link->channel);

	kp_mutex_lock(&link->lock);
	*out = link->state;
	kp_mutex_unlock(&link->lock);
	(void)snprintf(out->address, sizeof(out->address), "%s", address);
}

const struct kp_link_api kp_link_grpc = {
	.check = check,
	.open = open_link,
	.close = close_link,
	.fd = fd_of,
	.take = take,
	.settle = settle,
	.state = get_state,
	.reload = reload,
};
