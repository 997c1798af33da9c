/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a node is a walk through enum phase, forwards only. In each turn
 * of the loop: wait for a signal, a message or a due time; handle it; start
 * what is due.
 */
#include "proxy/supervisor/supervisor.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "proto/control/node_metrics.h"
#include "proxy/supervisor/child.h"
#include "proxy/supervisor/orders.h"
#include "proxy/supervisor/sockets.h"

/* Until the agent has said what the configuration says. */
#define DEFAULT_DRAIN_MS 30000
/*
 * A worker past its own hard stop, an agent that does not end. Machines stand
 * still for seconds: whoever is about to end must not be killed for that.
 */
#define KILL_AFTER_MS 10000

enum phase {
	RUNNING,
	DRAINING, /* the worker finishes what is in flight */
	STOPPING, /* the worker is gone, the agent is told to end */
	STOPPED,
};

struct supervisor {
	enum phase phase;
	int exit_code;
	int64_t kill_at_ms; /* in DRAINING and STOPPING */
	int signal_fd, metrics_fd;
	struct kp_metrics *metrics;
	struct kp_child worker, agent;
	struct kp_sockets sockets;
	bool is_serving; /* tables have been in force at least once */
	bool has_logging;
	uint32_t log_level, log_format;
	int32_t drain_timeout_ms;
};

/* Gives both a fresh channel to each other, once both are there. */
static void
introduce(struct supervisor *s)
{
	struct kp_error err;
	int fds[2];

	if (s->worker.pid == 0 || s->agent.pid == 0)
		return;
	if (!kp_channel_pair(fds, &err)) {
		kp_log(
		    KP_LOG_ERROR, "channel_failed", KP_STR("reason", err.text));
		return;
	}
	kp_order_peer(&s->worker, fds[0]);
	kp_order_peer(&s->agent, fds[1]);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

/* What a worker has to know before it hears of the agent. */
static void
equip_worker(struct supervisor *s)
{
	if (s->has_logging)
		kp_order_logging(&s->worker, s->log_level, s->log_format);
	kp_order_sockets(&s->worker, &s->sockets);
}

static void
start_due(struct supervisor *s, struct kp_child *child)
{
	struct kp_error err;

	if (s->phase != RUNNING || child->start_at_ms > kp_now_ms())
		return;
	if (!kp_child_start(child, s->metrics_fd, &err)) {
		kp_log(KP_LOG_ERROR, "start_failed",
		    KP_STR("name", child->name), KP_STR("reason", err.text));
		child->start_at_ms = kp_now_ms() + KP_CHILD_MAX_BACKOFF_MS;
		return;
	}
	if (child == &s->worker)
		equip_worker(s);
	introduce(s);
}

static void
on_logging(struct supervisor *s, const Kp__Node__Logging *logging)
{
	if (logging == NULL || logging->level > KP_LOG_DEBUG ||
	    logging->format > KP_LOG_JSON)
		return;
	s->has_logging = true;
	s->log_level = logging->level;
	s->log_format = logging->format;
	kp_log_init("supervisor", (enum kp_log_format)logging->format,
	    (enum kp_log_level)logging->level);
	kp_order_logging(&s->worker, s->log_level, s->log_format);
}

static void
on_hello(struct supervisor *s, const Kp__Node__Hello *hello)
{
	on_logging(s, hello->logging);
	if (hello->drain_timeout_ms >= 0)
		s->drain_timeout_ms = hello->drain_timeout_ms;
}

static void
on_bind(struct supervisor *s, const Kp__Node__Bind *bind)
{
	char **errors;
	size_t num_errors;

	/*
	 * All of them and not only the new ones: the worker may have closed one
	 * that tables did not name, and drops those that it has already.
	 */
	if (kp_sockets_update(&s->sockets, bind->addresses, bind->n_addresses,
		&errors, &num_errors))
		kp_order_sockets(&s->worker, &s->sockets);
	kp_order_bound(&s->agent, bind->id, errors, num_errors);
	kp_sockets_errors_free(errors, num_errors);
}

static bool
on_agent_message(struct supervisor *s, const Kp__Node__Envelope *envelope)
{
	unsigned body = envelope->body_case;

	if (s->phase != RUNNING)
		return true;
	if (body == KP__NODE__ENVELOPE__BODY_HELLO)
		on_hello(s, envelope->hello);
	else if (body == KP__NODE__ENVELOPE__BODY_BIND)
		on_bind(s, envelope->bind);
	else if (body == KP__NODE__ENVELOPE__BODY_STARTED)
		s->is_serving = true;
	else
		return false;
	return true;
}

/*
 * Reads all that child has sent. The worker has nothing to say; a child that
 * breaks the rules is ended, and one that closed its channel is about to end.
 */
static void
read_child(struct supervisor *s, struct kp_child *child)
{
	struct kp_channel_message message;
	enum kp_channel_result result;
	struct kp_error err = { .kind = KP_ERR_PROTOCOL,
		.text = "message is not expected" };
	bool is_ok;

	do {
		result = kp_channel_receive(&child->channel, &message, 0, &err);
		if (result == KP_CHANNEL_NOTHING)
			return;
		is_ok = result == KP_CHANNEL_MESSAGE && child == &s->agent &&
			on_agent_message(s, message.envelope);
		kp_channel_message_fini(&message);
	} while (is_ok);
	if (err.kind != KP_ERR_CLOSED) {
		kp_log(KP_LOG_ERROR, "channel_broken",
		    KP_STR("name", child->name), KP_STR("reason", err.text));
		kp_child_kill(child);
	}
	kp_channel_fini(&child->channel);
}

static void
stop_agent(struct supervisor *s)
{
	s->phase = STOPPING;
	s->kill_at_ms = kp_now_ms() + KILL_AFTER_MS;
	kp_order_stop(&s->agent);
	if (s->agent.pid == 0)
		s->phase = STOPPED;
}

static void
drain(struct supervisor *s)
{
	kp_log(KP_LOG_INFO, "stopping",
	    KP_INT("drain_timeout_ms", s->drain_timeout_ms));
	s->phase = DRAINING;
	s->kill_at_ms = kp_now_ms() + s->drain_timeout_ms + KILL_AFTER_MS;
	/* no queue of ours may take connections that nobody will serve */
	kp_sockets_fini(&s->sockets);
	kp_order_drain(&s->worker, s->drain_timeout_ms);
	kp_order_drain(&s->agent, s->drain_timeout_ms);
	if (s->worker.pid == 0)
		stop_agent(s);
}

static void
kill_children(struct supervisor *s)
{
	kp_child_kill(&s->worker);
	kp_child_kill(&s->agent);
	s->kill_at_ms = KP_NEVER;
}

static bool
is_clean(int status)
{
	return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
}

static void
restart(struct supervisor *s, struct kp_child *child, enum kp_child_role role)
{
	kp_metrics_add(s->metrics, 0, KP_M_RESTARTS, role, 1);
	kp_log(KP_LOG_WARN, "process_restart", KP_STR("name", child->name),
	    KP_INT("wait_ms", kp_child_backoff_ms(child->num_quick_deaths)));
}

static void
worker_ended(struct supervisor *s, int status)
{
	kp_child_ended(&s->worker, status);
	if (s->phase == RUNNING && !s->is_serving && WIFEXITED(status)) {
		/* one that could not begin has said why, and never will */
		s->exit_code = EXIT_FAILURE;
		stop_agent(s);
		return;
	}
	if (s->phase == RUNNING) {
		restart(s, &s->worker, KP_CHILD_WORKER);
		return;
	}
	if (s->phase != DRAINING)
		return;
	if (!is_clean(status))
		s->exit_code = EXIT_FAILURE;
	stop_agent(s);
}

/* An agent that gives up before anything was served has said why. */
static void
give_up(struct supervisor *s, int code)
{
	s->exit_code = code == EXIT_SUCCESS ? EXIT_FAILURE : code;
	s->phase = STOPPED;
	kp_child_kill(&s->worker);
}

static void
agent_ended(struct supervisor *s, int status)
{
	kp_child_ended(&s->agent, status);
	if (s->phase == RUNNING && !s->is_serving && WIFEXITED(status)) {
		give_up(s, WEXITSTATUS(status));
		return;
	}
	if (s->phase == RUNNING) {
		restart(s, &s->agent, KP_CHILD_AGENT);
		return;
	}
	if (!is_clean(status))
		s->exit_code = EXIT_FAILURE;
	if (s->phase == STOPPING)
		s->phase = STOPPED;
}

/* As process 1 of a container we also get what others left behind. */
static void
reap(struct supervisor *s)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == s->worker.pid)
			worker_ended(s, status);
		else if (pid == s->agent.pid)
			agent_ended(s, status);
	}
}

static void
on_stop_signal(struct supervisor *s)
{
	if (s->phase == RUNNING)
		drain(s);
	else
		kill_children(s);
}

static void
read_signals(struct supervisor *s)
{
	struct signalfd_siginfo info;

	while (
	    read(s->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		kp_log(KP_LOG_DEBUG, "signal",
		    KP_STR("name", sigabbrev_np((int)info.ssi_signo)));
		if (info.ssi_signo == SIGCHLD)
			reap(s);
		else if (info.ssi_signo == SIGHUP)
			kp_order_reload(&s->agent);
		else
			on_stop_signal(s);
	}
}

static int64_t
next_due_ms(const struct supervisor *s)
{
	if (s->phase != RUNNING)
		return s->kill_at_ms;
	return s->worker.start_at_ms < s->agent.start_at_ms
		   ? s->worker.start_at_ms
		   : s->agent.start_at_ms;
}

/* A descriptor below zero is left out by poll. */
static int
channel_fd(const struct kp_child *child)
{
	return child->channel.is_open ? child->channel.fd : -1;
}

static void
turn(struct supervisor *s)
{
	struct pollfd items[] = {
		{ .fd = s->signal_fd, .events = POLLIN },
		{ .fd = channel_fd(&s->worker), .events = POLLIN },
		{ .fd = channel_fd(&s->agent), .events = POLLIN },
	};

	if (poll(items, sizeof(items) / sizeof(items[0]),
		kp_ms_left(next_due_ms(s))) < 0)
		kp_assert(errno == EINTR);
	/* first what children said, then that they died */
	if (s->worker.channel.is_open)
		read_child(s, &s->worker);
	if (s->agent.channel.is_open)
		read_child(s, &s->agent);
	read_signals(s);
	if (s->phase != RUNNING && s->kill_at_ms <= kp_now_ms())
		kill_children(s);
	start_due(s, &s->worker);
	start_due(s, &s->agent);
}

static int
block_signals(struct kp_error *err)
{
	static const int handled[] = { SIGTERM, SIGINT, SIGHUP, SIGCHLD };
	sigset_t set;
	int fd;

	(void)sigemptyset(&set);
	for (size_t i = 0; i < sizeof(handled) / sizeof(handled[0]); i++)
		(void)sigaddset(&set, handled[i]);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0 || sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		kp_error_sys(err, "could not set up signals");
	return fd;
}

/*
 * Two descriptors and a thread for each connection: take what the system
 * allows. The worker inherits it, also as another user, whose threads count.
 */
static void
raise_limit(__rlimit_resource_t what, const char *name)
{
	struct rlimit limit;

	if (getrlimit(what, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(what, &limit) != 0)
		kp_log(KP_LOG_WARN, "limit", KP_STR("name", name),
		    KP_STR("reason", "could not be raised"));
}

static bool
prepare(struct supervisor *s, const struct kp_supervisor_options *options,
    struct kp_error *err)
{
	s->worker.name = "worker";
	s->worker.argv = options->worker_argv;
	s->agent.name = "agent";
	s->agent.argv = options->agent_argv;
	s->drain_timeout_ms = DEFAULT_DRAIN_MS;
	raise_limit(RLIMIT_NOFILE, "files");
	raise_limit(RLIMIT_NPROC, "threads");
	s->signal_fd = block_signals(err);
	if (s->signal_fd < 0)
		return false;
	s->metrics_fd = kp_metrics_new_segment(&kp_node_metrics, err);
	if (s->metrics_fd < 0)
		return false;
	s->metrics = kp_metrics_map(&kp_node_metrics, s->metrics_fd, err);
	return s->metrics != NULL;
}

static void
cleanup(struct supervisor *s)
{
	kp_channel_fini(&s->worker.channel);
	kp_channel_fini(&s->agent.channel);
	kp_sockets_fini(&s->sockets);
	kp_metrics_free(s->metrics);
	if (s->metrics_fd >= 0)
		(void)close(s->metrics_fd);
	if (s->signal_fd >= 0)
		(void)close(s->signal_fd);
}

int
kp_supervisor_main(const struct kp_supervisor_options *options)
{
	struct supervisor s = { .phase = RUNNING,
		.exit_code = EXIT_SUCCESS,
		.signal_fd = -1,
		.metrics_fd = -1 };
	struct kp_error err;

	kp_log_init("supervisor", KP_LOG_AUTO, KP_LOG_INFO);
	if (prepare(&s, options, &err)) {
		/* the agent first: the worker will wait for its tables */
		start_due(&s, &s.agent);
		start_due(&s, &s.worker);
		while (s.phase != STOPPED)
			turn(&s);
		kp_log(
		    KP_LOG_INFO, "stopped", KP_INT("exit_code", s.exit_code));
	} else {
		kp_log(
		    KP_LOG_ERROR, "start_failed", KP_STR("reason", err.text));
		s.exit_code = EXIT_FAILURE;
	}
	cleanup(&s);
	return s.exit_code;
}
