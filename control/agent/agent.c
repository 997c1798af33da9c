/* SPDX-License-Identifier: Apache-2.0 */
/* The agent's loop: messages, changed files, names, due times. */
#include "control/agent/agent.h"

#include <errno.h>
#include <libgen.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/priority.h"
#include "control/agent/agent_priv.h"
#include "proto/control/node_metrics.h"

/* Nodes are learned in bursts: they are saved together. */
#define SAVE_NODES_AFTER_MS 1000
/* The supervisor is told to end us; what is queued may still go out. */
#define FLUSH_MS 1000

void
kp_agent_publish(struct kp_agent *agent)
{
	const struct kp_edition *current = agent->current;

	agent->facts.revision = current == NULL || current->held == NULL
				    ? 0
				    : kp_held_revision(current->held);
	kp_status_set(agent->status, &agent->facts);
}

void
kp_agent_stop(struct kp_agent *agent, int exit_code)
{
	agent->is_stopping = true;
	agent->exit_code = exit_code;
}

static void
lose_worker(struct kp_agent *agent, const struct kp_error *err)
{
	kp_log(agent->facts.is_draining ? KP_LOG_INFO : KP_LOG_WARN,
	    "worker_lost", KP_STR("reason", err->text));
	kp_channel_fini(&agent->worker);
	agent->has_greeted = false;
	agent->facts.has_worker = agent->facts.is_serving = false;
	kp_agent_publish(agent);
}

static bool
tell(struct kp_channel *channel, const char *whom,
    const Kp__Node__Envelope *envelope, struct kp_error *err)
{
	bool is_queued = kp_channel_queue(channel, envelope, -1, err);

	if (!is_queued || !kp_channel_flush(channel, 0, err))
		kp_log(KP_LOG_WARN, "send_failed", KP_STR("to", whom),
		    KP_STR("reason", err->text));
	return is_queued;
}

bool
kp_agent_tell_worker(struct kp_agent *agent, const Kp__Node__Envelope *envelope,
    struct kp_error *err)
{
	return !agent->worker.is_open ||
	       tell(&agent->worker, "worker", envelope, err);
}

bool
kp_agent_tell_supervisor(struct kp_agent *agent,
    const Kp__Node__Envelope *envelope, struct kp_error *err)
{
	return tell(&agent->supervisor, "supervisor", envelope, err);
}

static void
on_peer(struct kp_agent *agent, struct kp_channel_message *message)
{
	kp_channel_fini(&agent->worker);
	kp_channel_init(&agent->worker, kp_channel_message_take_fd(message),
	    KP_CHANNEL_SMALL_MESSAGE);
	agent->has_greeted = false;
	agent->facts.has_worker = true;
	agent->facts.is_serving = false;
	kp_agent_publish(agent);
}

static bool
unexpected(const Kp__Node__Envelope *envelope, struct kp_error *err)
{
	return kp_error_set(err, KP_ERR_PROTOCOL,
	    "channel: message %d is not expected", (int)envelope->body_case);
}

static bool
on_supervisor_message(struct kp_agent *agent,
    struct kp_channel_message *message, struct kp_error *err)
{
	const Kp__Node__Envelope *envelope = message->envelope;
	unsigned body = envelope->body_case;

	if (body == KP__NODE__ENVELOPE__BODY_PEER && message->fd >= 0) {
		on_peer(agent, message);
	} else if (body == KP__NODE__ENVELOPE__BODY_BOUND) {
		kp_rollout_on_bound(agent, envelope->bound);
	} else if (body == KP__NODE__ENVELOPE__BODY_RELOAD) {
		kp_log(KP_LOG_INFO, "reload", KP_STR("reason", "SIGHUP"));
		kp_config_reload(agent, true);
	} else if (body == KP__NODE__ENVELOPE__BODY_DRAIN) {
		agent->facts.is_draining = true;
		kp_agent_publish(agent);
	} else if (body == KP__NODE__ENVELOPE__BODY_STOP) {
		kp_agent_stop(agent, EXIT_SUCCESS);
	} else {
		return unexpected(envelope, err);
	}
	return true;
}

static void
on_learned(struct kp_agent *agent, const Kp__Node__Learned *learned)
{
	if (!kp_nodes_learn(agent->nodes, learned->cluster, learned->node_id,
		learned->host, learned->port))
		return;
	kp_log(KP_LOG_INFO, "node_learned", KP_STR("cluster", learned->cluster),
	    KP_INT("node", learned->node_id), KP_STR("host", learned->host),
	    KP_INT("port", learned->port));
	if (agent->save_nodes_at_ms == KP_NEVER)
		agent->save_nodes_at_ms = kp_now_ms() + SAVE_NODES_AFTER_MS;
}

static bool
on_worker_message(struct kp_agent *agent,
    const struct kp_channel_message *message, struct kp_error *err)
{
	const Kp__Node__Envelope *envelope = message->envelope;
	unsigned body = envelope->body_case;

	if (body == KP__NODE__ENVELOPE__BODY_SERVING)
		kp_rollout_on_serving(agent, envelope->serving);
	else if (body == KP__NODE__ENVELOPE__BODY_APPLIED)
		kp_rollout_on_applied(agent, envelope->applied);
	else if (body == KP__NODE__ENVELOPE__BODY_LEARNED)
		on_learned(agent, envelope->learned);
	else if (body == KP__NODE__ENVELOPE__BODY_WANT_HOST)
		kp_resolver_want(agent->resolver, envelope->want_host->host);
	else
		return unexpected(envelope, err);
	return true;
}

/* Without a supervisor there is no node. */
static void
read_supervisor(struct kp_agent *agent)
{
	struct kp_channel_message message;
	enum kp_channel_result result;
	struct kp_error err;
	bool is_ok;

	do {
		result =
		    kp_channel_receive(&agent->supervisor, &message, 0, &err);
		if (result == KP_CHANNEL_NOTHING)
			return;
		is_ok = result == KP_CHANNEL_MESSAGE &&
			on_supervisor_message(agent, &message, &err);
		kp_channel_message_fini(&message);
	} while (is_ok && !agent->is_stopping);
	if (is_ok)
		return;
	kp_log(KP_LOG_ERROR, "supervisor_lost", KP_STR("reason", err.text));
	kp_agent_stop(agent, EXIT_FAILURE);
}

/* A worker that breaks the rules is left alone until a new one comes. */
static void
read_worker(struct kp_agent *agent)
{
	struct kp_channel_message message;
	enum kp_channel_result result;
	struct kp_error err;
	bool is_ok = true;

	while (is_ok && agent->worker.is_open) {
		result = kp_channel_receive(&agent->worker, &message, 0, &err);
		if (result == KP_CHANNEL_NOTHING)
			return;
		is_ok = result == KP_CHANNEL_MESSAGE &&
			on_worker_message(agent, &message, &err);
		kp_channel_message_fini(&message);
	}
	if (!is_ok)
		lose_worker(agent, &err);
}

static void
send_resolved(
    void *ctx, const char *host, char *const *addresses, size_t num_addresses)
{
	Kp__Node__Envelope envelope;
	Kp__Node__Resolved resolved;
	char name[256], *list[KP_RESOLVER_MAX_ADDRESSES];
	struct kp_error err;

	kp__node__envelope__init(&envelope);
	kp__node__resolved__init(&resolved);
	envelope.body_case = KP__NODE__ENVELOPE__BODY_RESOLVED;
	envelope.resolved = &resolved;
	(void)snprintf(name, sizeof(name), "%s", host);
	kp_copy(list, addresses, num_addresses * sizeof(list[0]));
	resolved.host = name;
	resolved.addresses = list;
	resolved.n_addresses = num_addresses;
	(void)kp_agent_tell_worker(ctx, &envelope, &err);
}

static void
save_nodes(struct kp_agent *agent)
{
	struct kp_buf packed;
	struct kp_error err;

	agent->save_nodes_at_ms = KP_NEVER;
	kp_buf_init(&packed, KP_STATE_MAX_LEN);
	if ((!kp_nodes_pack(agent->nodes, &packed) &&
		!kp_buf_error(&packed, &err, "too many nodes")) ||
	    !kp_state_save_nodes(agent->state, kp_buf_bytes(&packed), &err))
		kp_log(KP_LOG_ERROR, "state_not_saved",
		    KP_STR("reason", err.text));
	kp_buf_fini(&packed);
}

void
kp_agent_save_tables(struct kp_agent *agent)
{
	const struct kp_edition *current = agent->current;
	struct kp_error err;

	agent->save_tables_at_ms = KP_NEVER;
	if (!kp_state_save_tables(
		agent->state, current->tables, current->content_hash, &err))
		kp_log(KP_LOG_ERROR, "state_not_saved",
		    KP_STR("reason", err.text));
}

static int64_t
earlier(int64_t a_ms, int64_t b_ms)
{
	return a_ms < b_ms ? a_ms : b_ms;
}

static int64_t
next_due_ms(const struct kp_agent *agent)
{
	if (agent->is_reload_due && agent->step == KP_ROLLOUT_IDLE)
		return 0;
	return earlier(
	    earlier(kp_watch_due_ms(agent->watch), agent->reload_at_ms),
	    earlier(agent->send_again_at_ms,
		earlier(agent->save_nodes_at_ms, agent->save_tables_at_ms)));
}

static void
do_due(struct kp_agent *agent)
{
	int64_t now_ms = kp_now_ms();

	if (kp_watch_take(agent->watch, now_ms) ||
	    agent->reload_at_ms <= now_ms)
		kp_config_reload(agent, false);
	if (agent->is_reload_due && agent->step == KP_ROLLOUT_IDLE)
		kp_config_reload(agent, false);
	if (agent->save_nodes_at_ms <= now_ms)
		save_nodes(agent);
	if (agent->save_tables_at_ms <= now_ms)
		kp_agent_save_tables(agent);
	if (agent->send_again_at_ms <= now_ms)
		kp_rollout_send_again(agent);
}

/* Descriptors below zero are left out by poll. */
static struct pollfd
poll_channel(const struct kp_channel *channel)
{
	struct pollfd item = { .fd = channel->is_open ? channel->fd : -1,
		.events = POLLIN };

	if (kp_channel_has_queued(channel))
		item.events |= POLLOUT;
	return item;
}

static void
flush(struct kp_channel *channel)
{
	struct kp_error err;

	/* reading will find out as well, and deal with it */
	if (channel->is_open && !kp_channel_flush(channel, 0, &err))
		kp_log(KP_LOG_WARN, "send_failed", KP_STR("reason", err.text));
}

static void
turn(struct kp_agent *agent)
{
	struct pollfd items[] = {
		poll_channel(&agent->supervisor),
		poll_channel(&agent->worker),
		{ .fd = kp_watch_fd(agent->watch), .events = POLLIN },
		{ .fd = kp_resolver_fd(agent->resolver), .events = POLLIN },
		{ .fd = kp_follow_fd(agent), .events = POLLIN },
	};

	if (poll(items, sizeof(items) / sizeof(items[0]),
		kp_ms_left(next_due_ms(agent))) < 0)
		kp_assert(errno == EINTR);
	read_supervisor(agent);
	if (!agent->is_stopping)
		read_worker(agent);
	if (agent->is_stopping)
		return;
	kp_watch_read(agent->watch, kp_now_ms());
	kp_resolver_take(agent->resolver, send_resolved, agent);
	kp_follow_turn(agent);
	do_due(agent);
	flush(&agent->supervisor);
	flush(&agent->worker);
}

static void
load_nodes(struct kp_agent *agent)
{
	struct kp_buf packed;
	struct kp_error err;

	kp_buf_init(&packed, KP_STATE_MAX_LEN);
	if (kp_state_load_nodes(agent->state, &packed, &err) &&
	    !kp_nodes_unpack(agent->nodes, kp_buf_bytes(&packed), &err))
		kp_log(
		    KP_LOG_WARN, "state_damaged", KP_STR("reason", err.text));
	kp_buf_fini(&packed);
}

/* Everything but the configuration of what is served. */
static bool
open_all(struct kp_agent *agent, int metrics_fd, struct kp_error *err)
{
	agent->metrics = kp_metrics_map(&kp_node_metrics, metrics_fd, err);
	if (agent->metrics == NULL)
		return false;
	agent->state = kp_state_open(agent->config->state_dir, err);
	if (agent->state == NULL)
		return false;
	load_nodes(agent);
	agent->admin = kp_admin_new(
	    &agent->config->admin, agent->status, agent->metrics, err);
	if (agent->admin == NULL)
		return false;
	agent->resolver = kp_resolver_new(NULL, NULL, err);
	if (agent->resolver == NULL)
		return false;
	agent->watch = kp_watch_new(err);
	return agent->watch != NULL;
}

static void
close_all(struct kp_agent *agent)
{
	kp_follow_stop(agent);
	kp_watch_free(agent->watch);
	kp_resolver_free(agent->resolver);
	kp_admin_free(agent->admin);
	if (agent->save_nodes_at_ms != KP_NEVER)
		save_nodes(agent);
	if (agent->save_tables_at_ms != KP_NEVER)
		kp_agent_save_tables(agent);
	kp_state_close(agent->state);
	kp_metrics_free(agent->metrics);
	kp_edition_free(agent->current);
	kp_edition_free(agent->next);
	kp_node_file_unref(agent->node_file);
	kp_nodes_free(agent->nodes);
	kp_status_free(agent->status);
	kp_channel_fini(&agent->worker);
	kp_channel_fini(&agent->supervisor);
}

static void
run(struct kp_agent *agent, struct kp_source *source, int metrics_fd)
{
	struct kp_error err;

	if (!open_all(agent, metrics_fd, &err)) {
		kp_log(
		    KP_LOG_ERROR, "start_failed", KP_STR("reason", err.text));
		kp_agent_stop(agent, EXIT_FAILURE);
		return;
	}
	kp_config_greet(agent, agent->config);
	kp_config_first(agent, source);
	while (!agent->is_stopping)
		turn(agent);
}

/* As dirname says, but of a copy. */
static char *
folder_of(const char *path)
{
	char *copy = kp_strdup(path);
	char *folder = kp_strdup(dirname(copy));

	free(copy);
	return folder;
}

/* Signals are the supervisor's business; it tells us what follows from them. */
static void
ignore_signals(void)
{
	static const int ignored[] = { SIGPIPE, SIGINT, SIGTERM, SIGHUP };

	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		kp_assert(signal(ignored[i], SIG_IGN) != SIG_ERR);
}

int
kp_agent_main(const struct kp_agent_start *start)
{
	struct kp_agent agent = { .config_path = start->config_path,
		.link_api = start->link_api,
		.send_again_at_ms = KP_NEVER,
		.reload_at_ms = KP_NEVER,
		.save_nodes_at_ms = KP_NEVER,
		.save_tables_at_ms = KP_NEVER };
	struct kp_source source;

	kp_priority_yield(); /* to the worker above all */
	ignore_signals();
	kp_log_init("agent", KP_LOG_AUTO, KP_LOG_INFO);
	if (!kp_source_load(&source, start->config_path, NULL) &&
	    !source.has_config) {
		kp_agent_print_problems(&source);
		kp_source_fini(&source);
		return KP_AGENT_EXIT_REFUSED;
	}
	agent.is_following = kp_source_has_servers(&source);
	if (agent.is_following && start->link_api == NULL)
		kp_agent_become_linked(start->config_path, "--supervised");
	agent.config = &source.config;
	agent.node_file = kp_node_file_ref(source.node_file);
	agent.folder = folder_of(start->config_path);
	kp_log_init("agent", source.config.log_format, source.config.log_level);
	kp_channel_init(
	    &agent.supervisor, start->supervisor_fd, KP_CHANNEL_SMALL_MESSAGE);
	agent.status = kp_status_new();
	agent.nodes = kp_nodes_new();
	agent.facts.started_ms = kp_wall_ms();
	run(&agent, &source, start->metrics_fd);
	(void)close(start->metrics_fd);
	close_all(&agent);
	kp_source_fini(&source);
	return agent.exit_code;
}
