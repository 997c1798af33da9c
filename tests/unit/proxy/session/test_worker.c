/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which listening sockets a worker keeps. Instead of sockets it gets events
 * that never come, so that nobody connects.
 */
#include "proxy/worker.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "proto/control/node_metrics.h"
#include "proxy/upstream/reports.h"
#include "tests/support/declared.h"
#include "tests/support/many.h"

#define FEW 300
#define MANY 3000
#define MAX_GROWTH 33
#define RUNS 3

static void
on_want_host(void *context, const char *host)
{
	(void)context;
	(void)host;
}

static struct kp_metrics *metrics; /* of the worker of a test */

static struct kp_worker *
new_worker(void)
{
	const struct kp_reports reports = { .want_host = on_want_host };
	struct kp_error err;
	int fd = kp_metrics_new_segment(&kp_node_metrics, &err);

	metrics = kp_metrics_map(&kp_node_metrics, fd, &err);
	cr_assert_not_null(metrics);
	(void)close(fd);
	kp_worker_prepare();
	return kp_worker_new(metrics, &reports);
}

static void
end(struct kp_worker *worker)
{
	kp_worker_drain(worker, 0);
	cr_assert(kp_worker_is_drained(worker));
	kp_worker_free(worker);
	kp_metrics_free(metrics);
}

/* Hands a socket for the port over; returns its descriptor. */
static int
add(struct kp_worker *worker, const char *host, unsigned port)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	char text[32];

	cr_assert(fd >= 0);
	(void)snprintf(text, sizeof(text), "%s:%u", host, port);
	kp_worker_add_socket(worker, text, fd);
	return fd;
}

static bool
is_there(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

/* Tables with a bootstrap port and one for the first node behind it. */
static bool
apply(struct kp_worker *worker, unsigned port)
{
	struct kp_diagnostics diagnostics = { 0 };
	struct kp_tables *tables;
	struct kp_error err;
	char text[1024];

	(void)snprintf(text, sizeof(text),
	    KP_TEST_CLUSTER
	    "{apiVersion: kproxy/v1, kind: Listener, metadata: {name: l},\n"
	    "spec: {bind: 127.0.0.1, ports: {bootstrap: %u, first: %u, count: "
	    "1}}}\n---\n"
	    "{apiVersion: kproxy/v1, kind: VirtualCluster, metadata: {name: v},"
	    "\nspec: {cluster: c, listener: l}}",
	    port, port + 1);
	tables = kp_test_compile(text, &diagnostics);
	cr_assert_not_null(tables);
	return kp_worker_apply(worker, &tables, &err);
}

Test(worker, sockets_are_kept_while_tables_name_them)
{
	struct kp_worker *worker = new_worker();
	int fds[4];

	for (unsigned i = 0; i < 4; i++)
		fds[i] = add(worker, "127.0.0.1", 100 + i);
	cr_assert(apply(worker, 101));
	for (unsigned i = 0; i < 4; i++)
		cr_assert_eq(is_there(fds[i]), i == 1 || i == 2);
	/* one that it has already */
	cr_assert(!is_there(add(worker, "127.0.0.1", 101)));
	cr_assert(apply(worker, 101));
	cr_assert(is_there(fds[1]) && is_there(fds[2]));
	fds[3] = add(worker, "127.0.0.1", 103);
	cr_assert(apply(worker, 102));
	cr_assert(!is_there(fds[1]) && is_there(fds[2]) && is_there(fds[3]));
	end(worker);
	cr_assert(!is_there(fds[2]) && !is_there(fds[3]));
}

Test(worker, tables_that_are_refused_keep_the_sockets_of_those_before)
{
	struct kp_worker *worker = new_worker();
	int fds[3];

	for (unsigned i = 0; i < 2; i++)
		fds[i] = add(worker, "127.0.0.1", 100 + i);
	cr_assert(apply(worker, 100));
	/* the first of the ports is there, the second is not */
	fds[2] = add(worker, "127.0.0.1", 102);
	cr_assert(!apply(worker, 102));
	cr_assert(is_there(fds[0]) && is_there(fds[1]) && !is_there(fds[2]));
	cr_assert(!apply(worker, 101));
	cr_assert(is_there(fds[0]) && is_there(fds[1]));
	cr_assert(apply(worker, 100));
	end(worker);
}

Test(worker, a_worker_that_drains_has_no_sockets)
{
	struct kp_worker *worker = new_worker();
	int fds[2];

	for (unsigned i = 0; i < 2; i++)
		fds[i] = add(worker, "127.0.0.1", 100 + i);
	cr_assert(apply(worker, 100));
	kp_worker_drain(worker, 1000);
	cr_assert(!is_there(fds[0]) && !is_there(fds[1]));
	cr_assert(!apply(worker, 100));
	end(worker);
}

/* The least time that tables take which are like those before. */
static int64_t
measure(const struct kp_resource *const *many, size_t num)
{
	struct kp_diagnostics diagnostics = { 0 };
	struct kp_limits limits;
	struct kp_resources *set = kp_test_many_set(many, num);
	const struct kp_compile_input input = { .resources = set,
		.limits = &limits,
		.read_secret = kp_test_read_secret };
	struct kp_worker *worker = new_worker();
	int64_t best = INT64_MAX;

	kp_limits_default(&limits);
	cr_assert(kp_resources_check(set, &diagnostics));
	for (unsigned port = 1; port <= num; port++)
		(void)add(worker, "10.0.0.0", port);
	for (int i = 0; i < RUNS + 1; i++) {
		struct kp_tables *tables = kp_compile(&input, &diagnostics);
		struct kp_error err;
		int64_t took = kp_test_cpu_ns();

		cr_assert(
		    kp_worker_apply(worker, &tables, &err), "%s", err.text);
		took = kp_test_cpu_ns() - took;
		best = took < best ? took : best;
	}
	end(worker);
	kp_resources_free(set);
	kp_diagnostics_fini(&diagnostics);
	return best;
}

/* As tests/unit/rules/test_many.c has it: a hundred times would be too long. */
Test(worker, ten_times_as_many_ports_take_about_ten_times_as_long)
{
	const struct rlimit limit = { MANY + 500, MANY + 500 };
	const struct kp_resource **many;
	int64_t few, all;

	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	many = kp_test_many(KP_TEST_BY_PORT, MANY);
	few = measure(many, FEW);
	all = measure(many, MANY);
	cr_assert(all < MAX_GROWTH * few, "%lld ns, %lld ns", (long long)few,
	    (long long)all);
	kp_test_many_free(many, MANY);
}
