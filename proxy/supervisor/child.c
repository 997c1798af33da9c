/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/supervisor/child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

/* Above every descriptor that a child is given. */
#define FIRST_FREE_FD 10

/*
 * Gives both the numbers that the child expects; dup2 clears close-on-exec.
 * What we were started with by others may lack it: nothing else goes along.
 */
static bool
pass_fds(int channel_fd, int metrics_fd)
{
	int channel = fcntl(channel_fd, F_DUPFD_CLOEXEC, FIRST_FREE_FD);
	int metrics = fcntl(metrics_fd, F_DUPFD_CLOEXEC, FIRST_FREE_FD);

	(void)close_range(
	    KP_CHILD_METRICS_FD + 1, UINT_MAX, CLOSE_RANGE_CLOEXEC);
	return channel >= 0 && metrics >= 0 &&
	       dup2(channel, KP_CHILD_CHANNEL_FD) >= 0 &&
	       dup2(metrics, KP_CHILD_METRICS_FD) >= 0;
}

/* Signals that stop us are blocked; the child begins with none blocked. */
static bool
reset_signals(void)
{
	sigset_t none;

	return sigemptyset(&none) == 0 &&
	       sigprocmask(SIG_SETMASK, &none, NULL) == 0;
}

_Noreturn static void
become(
    const struct kp_child *child, int channel_fd, int metrics_fd, pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && reset_signals() &&
	    pass_fds(channel_fd, metrics_fd)) {
		/* a parent that died before prctl would not be noticed */
		if (getppid() != parent)
			_exit(KP_CHILD_NOT_STARTED);
		(void)execvp(
		    child->argv[0], (char *const *)(uintptr_t)child->argv);
	}
	kp_log(KP_LOG_ERROR, "start_failed", KP_STR("program", child->argv[0]),
	    KP_STR("reason", strerrordesc_np(errno)));
	_exit(KP_CHILD_NOT_STARTED);
}

bool
kp_child_start(struct kp_child *child, int metrics_fd, struct kp_error *err)
{
	pid_t parent = getpid();
	int fds[2];

	if (!kp_channel_pair(fds, err))
		return false;
	child->pid = fork();
	if (child->pid == 0)
		become(child, fds[1], metrics_fd, parent);
	(void)close(fds[1]);
	if (child->pid < 0) {
		(void)close(fds[0]);
		child->pid = 0;
		return kp_error_sys(err, "could not start %s", child->name);
	}
	kp_channel_init(&child->channel, fds[0], KP_CHANNEL_SMALL_MESSAGE);
	child->started_ms = kp_now_ms();
	child->start_at_ms = KP_NEVER;
	kp_log(KP_LOG_INFO, "process_started", KP_STR("name", child->name),
	    KP_INT("pid", child->pid));
	return true;
}

int64_t
kp_child_backoff_ms(unsigned num_quick_deaths)
{
	int64_t wait_ms = KP_CHILD_FIRST_BACKOFF_MS;

	if (num_quick_deaths <= 1)
		return 0;
	for (unsigned i = 2; i < num_quick_deaths; i++) {
		wait_ms *= 2;
		if (wait_ms > KP_CHILD_MAX_BACKOFF_MS)
			return KP_CHILD_MAX_BACKOFF_MS;
	}
	return wait_ms;
}

static void
log_end(const struct kp_child *child, int status)
{
	bool is_killed = WIFSIGNALED(status);
	bool is_clean = !is_killed && WEXITSTATUS(status) == 0;

	kp_log(is_clean ? KP_LOG_INFO : KP_LOG_ERROR, "process_ended",
	    KP_STR("name", child->name), KP_INT("pid", child->pid),
	    is_killed ? KP_STR("signal", sigabbrev_np(WTERMSIG(status)))
		      : KP_INT("exit_code", WEXITSTATUS(status)));
}

void
kp_child_ended(struct kp_child *child, int status)
{
	int64_t now_ms = kp_now_ms();

	log_end(child, status);
	if (now_ms - child->started_ms < KP_CHILD_QUICK_DEATH_MS)
		child->num_quick_deaths++;
	else
		child->num_quick_deaths = 0;
	child->pid = 0;
	child->start_at_ms =
	    now_ms + kp_child_backoff_ms(child->num_quick_deaths);
	kp_channel_fini(&child->channel);
}

void
kp_child_kill(const struct kp_child *child)
{
	if (child->pid > 0)
		(void)kill(child->pid, SIGKILL);
}
