/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/link/worker_main.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/log.h"
#include "proto/control/node_metrics.h"
#include "proxy/link/link.h"
#include "proxy/link/loop.h"
#include "proxy/session/roster.h"
#include "proxy/upstream/reports.h"
#include "proxy/worker.h"

/*
 * Signals are the supervisor's business: a terminal sends Ctrl-C to all three
 * processes, and service managers do the same with SIGTERM, but the worker is
 * to drain and not to die.
 */
static void
ignore_signals(void)
{
	static const int ignored[] = { SIGPIPE, SIGINT, SIGTERM, SIGHUP };

	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		kp_assert(signal(ignored[i], SIG_IGN) != SIG_ERR);
}

static void
on_wake(int signal_number)
{
	(void)signal_number;
}

/*
 * The signal that ends a thread's wait has to do nothing but that, and comes
 * through there only: every thread inherits that it is blocked.
 */
static void
prepare_wake_signal(void)
{
	struct sigaction action = { .sa_handler = on_wake };
	sigset_t wake;

	kp_assert(sigaction(KP_WAKE_SIGNAL, &action, NULL) == 0);
	(void)sigemptyset(&wake);
	(void)sigaddset(&wake, KP_WAKE_SIGNAL);
	kp_must(pthread_sigmask(SIG_BLOCK, &wake, NULL));
}

static void
on_learned(void *link, const char *cluster, const struct kp_node *node)
{
	kp_link_learned(link, cluster, node->id, node->host, node->port);
}

static void
on_want_host(void *link, const char *host)
{
	kp_link_want_host(link, host);
}

static bool
serve(struct kp_link *link, struct kp_metrics *metrics, struct kp_error *err)
{
	const struct kp_reports reports = { on_learned, on_want_host, link };
	struct kp_worker *worker = kp_worker_new(metrics, &reports);
	bool is_ok = kp_link_run(link, worker, err);

	/* its connections' threads still run if the supervisor was lost */
	if (is_ok)
		kp_worker_free(worker);
	return is_ok;
}

int
kp_worker_main(
    int supervisor_fd, int metrics_fd, const struct kp_sandbox *sandbox)
{
	struct kp_error err;
	struct kp_metrics *metrics = NULL;
	struct kp_link *link = NULL;
	bool is_ok = false;

	ignore_signals();
	prepare_wake_signal();
	kp_log_init("worker", KP_LOG_AUTO, KP_LOG_INFO);
	(void)prctl(PR_SET_NAME, "kproxy-worker");
	metrics = kp_metrics_map(&kp_node_metrics, metrics_fd, &err);
	(void)close(metrics_fd);
	link = kp_link_new(supervisor_fd, &err);
	if (metrics == NULL || link == NULL)
		goto out;
	kp_metrics_reset_gauges(metrics);
	kp_worker_prepare();
	is_ok = kp_sandbox_enter(sandbox, &err) && serve(link, metrics, &err);
out:
	if (!is_ok)
		kp_log(
		    KP_LOG_ERROR, "worker_failed", KP_STR("reason", err.text));
	kp_link_free(link);
	kp_metrics_free(metrics);
	return is_ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
