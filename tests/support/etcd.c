/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/etcd.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "proto/control/unpack.h"
#include "tests/support/port.h"

#define PATIENCE_MS 120000
/* Somebody else may take a port between asking for it and using it. */
#define MAX_STARTS 5

extern char **environ;

/* Without fork, which gRPC does not like; setpriv lets it die with us. */
static void
spawn(struct kp_test_etcd *etcd)
{
	char log[KP_TEST_PATH_LEN], data[KP_TEST_PATH_LEN], peer[64],
	    cluster[80];
	posix_spawn_file_actions_t actions;
	const char *const args[] = { "setpriv", "--pdeathsig", "KILL", "etcd",
		"--data-dir", data, "--log-level", "warn",
		"--listen-client-urls", etcd->endpoint,
		"--advertise-client-urls", etcd->endpoint, "--listen-peer-urls",
		peer, "--initial-advertise-peer-urls", peer,
		"--initial-cluster", cluster, "--heartbeat-interval", "10",
		"--election-timeout", "100", NULL };

	(void)snprintf(
	    peer, sizeof(peer), "http://127.0.0.1:%d", etcd->peer_port);
	(void)snprintf(cluster, sizeof(cluster), "default=%s", peer);
	kp_test_path(log, etcd->folder, "log");
	kp_test_path(data, etcd->folder, "data");
	kp_must(posix_spawn_file_actions_init(&actions));
	kp_must(posix_spawn_file_actions_addopen(
	    &actions, STDERR_FILENO, log, O_WRONLY | O_CREAT | O_APPEND, 0600));
	kp_must(posix_spawn_file_actions_adddup2(
	    &actions, STDERR_FILENO, STDOUT_FILENO));
	kp_must(posix_spawnp(&etcd->pid, args[0], &actions, NULL,
	    (char **)(uintptr_t)args, environ));
	kp_must(posix_spawn_file_actions_destroy(&actions));
}

/* It takes connections long before it answers. */
static bool
is_healthy(int port)
{
	static const char request[] = "GET /health HTTP/1.0\r\n\r\n";
	const struct timeval patience = { .tv_sec = 1 };
	char answer[512] = "";
	const struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool is_healthy;

	kp_assert(fd >= 0);
	kp_must(setsockopt(
	    fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)));
	is_healthy = connect(fd, (const struct sockaddr *)&address,
			 sizeof(address)) == 0 &&
		     send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) > 0 &&
		     recv(fd, answer, sizeof(answer) - 1, MSG_WAITALL) > 0 &&
		     strstr(answer, "\"true\"") != NULL;
	(void)close(fd);
	return is_healthy;
}

/* False if it has ended. */
static bool
wait_for(struct kp_test_etcd *etcd)
{
	const struct timespec pause = { .tv_nsec = 5000000 };
	int64_t deadline_ms = kp_now_ms() + PATIENCE_MS;

	while (!is_healthy(etcd->port)) {
		if (waitpid(etcd->pid, NULL, WNOHANG) == etcd->pid) {
			etcd->pid = 0;
			return false;
		}
		kp_assert(kp_now_ms() < deadline_ms);
		(void)nanosleep(&pause, NULL);
	}
	return true;
}

void
kp_test_etcd_start(struct kp_test_etcd *out)
{
	*out = (struct kp_test_etcd){ .pid = 0 };
	kp_test_folder(out->folder);
	for (int i = 0; i < MAX_STARTS && out->pid == 0; i++) {
		out->port = kp_test_port();
		out->peer_port = kp_test_port();
		(void)snprintf(out->endpoint, sizeof(out->endpoint),
		    "http://127.0.0.1:%d", out->port);
		spawn(out);
		(void)wait_for(out);
	}
	kp_assert(out->pid != 0);
}

void
kp_test_etcd_kill(struct kp_test_etcd *etcd)
{
	if (etcd->pid == 0)
		return;
	kp_assert(kill(etcd->pid, SIGKILL) == 0);
	kp_assert(waitpid(etcd->pid, NULL, 0) == etcd->pid);
	etcd->pid = 0;
}

void
kp_test_etcd_again(struct kp_test_etcd *etcd)
{
	kp_assert(etcd->pid == 0);
	spawn(etcd);
	kp_assert(wait_for(etcd));
}

void
kp_test_etcd_stop(struct kp_test_etcd *etcd)
{
	kp_test_etcd_kill(etcd);
	kp_test_folder_remove(etcd->folder);
}

void
kp_test_etcd_freeze(const struct kp_test_etcd *etcd)
{
	int status;

	/* that is sent; until all its threads have stopped, it may answer */
	kp_assert(kill(etcd->pid, SIGSTOP) == 0);
	kp_assert(waitpid(etcd->pid, &status, WUNTRACED) == etcd->pid);
	kp_assert(WIFSTOPPED(status));
}

void
kp_test_etcd_thaw(const struct kp_test_etcd *etcd)
{
	kp_assert(kill(etcd->pid, SIGCONT) == 0);
}

struct kp_etcd_span
kp_test_etcd_span(const char *prefix, enum kp_etcd_family family, uint64_t from)
{
	return (struct kp_etcd_span){
		.from = kp_etcd_key_number(prefix, family, from),
		.to = kp_etcd_key_number(prefix, family, 1ull << 62),
		.is_keys_only = true,
	};
}

size_t
kp_test_etcd_count(struct kp_etcd *etcd, enum kp_etcd_family family)
{
	struct kp_etcd_span span = kp_test_etcd_span(etcd->prefix, family, 0);
	struct kp_error err = { 0 };
	Etcdserverpb__RangeResponse *answer =
	    kp_etcd_read(etcd, &span, NULL, NULL, &err);
	size_t num;

	kp_assert(answer != NULL);
	num = answer->n_kvs;
	kp_unpacked_free(&answer->base);
	return num;
}

void
kp_test_etcd_pause(int64_t deadline_ms)
{
	const struct timespec pause = { .tv_nsec = 1000000 };

	kp_assert(kp_now_ms() < deadline_ms);
	(void)nanosleep(&pause, NULL);
}
