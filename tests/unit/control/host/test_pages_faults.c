/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each allocation of the pages of a node and of a policy server is refused in
 * turn, alone and with all after it. Who asks has the whole page, or hears that
 * there was no memory for it, and the next time has it.
 */
#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "control/agent/admin.h"
#include "control/server/admin.h"
#include "proto/control/node_metrics.h"
#include "tests/support/http.h"
#include "tests/support/port.h"
#include "tests/support/server_world.h"

/* No page takes as many. */
#define MANY 100
/* Somebody else may take a port between asking for it and using it. */
#define MAX_STARTS 5

/* Lines count: what is on them changes with the time. */
static size_t
num_lines(const char *text)
{
	size_t num = 0;

	for (; *text != '\0'; text++)
		num += *text == '\n';
	return num;
}

static void
expect_whole(const struct kp_test_http *answer, const struct kp_test_http *page)
{
	cr_assert_eq(answer->status, page->status, "%d", answer->status);
	cr_assert_eq(
	    num_lines(answer->body), num_lines(page->body), "%s", answer->body);
}

/* Is it refused for want of memory? Else it is the whole page. */
static bool
is_refused(const struct kp_test_http *answer, const struct kp_test_http *page)
{
	if (answer->status != 503) {
		expect_whole(answer, page);
		return false;
	}
	cr_assert_str_eq(answer->body, "no memory\n");
	return true;
}

/* Through all failures of one page; how often it was refused. */
static unsigned
go_through(uint16_t port, const char *path, bool is_short)
{
	struct kp_test_http page, answer;
	unsigned n = 0, num_refused = 0, left = 0;

	kp_test_http_get(&page, port, path);
	cr_assert_neq(page.status, 0);
	while (left == 0) {
		cr_assert(++n < MANY);
		(void)(is_short ? kp_alloc_fail_from(n)
				: kp_alloc_fail_after(n));
		kp_test_http_get(&answer, port, path);
		left = kp_alloc_fail_after(0);
		/* another thread's may have been what failed */
		if (is_refused(&answer, &page)) {
			cr_assert_eq(left, 0, "%s: %u", path, n);
			num_refused++;
		}
		kp_test_http_fini(&answer);
		kp_test_http_get(&answer, port, path);
		expect_whole(&answer, &page);
		kp_test_http_fini(&answer);
	}
	kp_test_http_fini(&page);
	return num_refused;
}

static void
go_through_all(uint16_t port)
{
	for (int is_short = 0; is_short < 2; is_short++) {
		cr_assert(go_through(port, "/metrics", is_short) > 5);
		cr_assert(go_through(port, "/livez", is_short) > 0);
		cr_assert(go_through(port, "/readyz", is_short) > 0);
		cr_assert(go_through(port, "/nothing", is_short) > 0);
	}
}

static struct kp_server_admin *
serve_server(struct kp_server_facts *facts, uint16_t *out_port)
{
	struct kp_server_admin *admin = NULL;
	static char host[] = "127.0.0.1";
	struct kp_error err = { 0 };

	for (int i = 0; i < MAX_STARTS && admin == NULL; i++) {
		struct kp_host_port address = { host, kp_test_port() };

		*out_port = address.port;
		admin = kp_server_admin_new(&address, facts, &err);
	}
	cr_assert_not_null(admin, "%s", err.text);
	return admin;
}

Test(pages_faults, a_policy_server_shows_whole_pages_or_says_why_not)
{
	struct kp_test_server world;
	struct kp_server_admin *admin;
	struct kp_server_facts facts = { .started_ms = kp_wall_ms() };
	struct kp_store_range range;
	int64_t end_ms;
	uint16_t port;

	kp_test_server_start(&world);
	facts.desk = world.services.desk;
	facts.hub = world.services.hub;
	facts.audit = world.audit;
	facts.metrics = world.metrics;
	/* a page shows it once the desk has seen it */
	end_ms = kp_now_ms() + KP_TEST_SERVER_PATIENCE_MS;
	while (!kp_desk_range_seen(facts.desk, &range))
		cr_assert(kp_now_ms() < end_ms);
	admin = serve_server(&facts, &port);
	go_through_all(port);
	kp_server_admin_free(admin);
	kp_test_server_stop(&world);
}

static struct kp_admin *
serve_node(struct kp_status *status, const struct kp_metrics *metrics,
    uint16_t *out_port)
{
	struct kp_admin *admin = NULL;
	static char host[] = "127.0.0.1";
	struct kp_error err = { 0 };

	for (int i = 0; i < MAX_STARTS && admin == NULL; i++) {
		struct kp_host_port address = { host, kp_test_port() };

		*out_port = address.port;
		admin = kp_admin_new(&address, status, metrics, &err);
	}
	cr_assert_not_null(admin, "%s", err.text);
	return admin;
}

/* Of policy servers, with tables that were refused: so it has most to say. */
Test(pages_faults, a_node_shows_whole_pages_or_says_why_not)
{
	struct kp_status_facts facts = { .has_worker = true,
		.is_serving = true,
		.has_servers = true,
		.problem = "no such port",
		.link = { .since_ms = 1, .refused_revision = 3 } };
	struct kp_error err = { 0 };
	int fd = kp_metrics_new_segment(&kp_node_metrics, &err);
	struct kp_metrics *metrics = kp_metrics_map(&kp_node_metrics, fd, &err);
	struct kp_status *status = kp_status_new();
	struct kp_admin *admin;
	uint16_t port;

	cr_assert_not_null(metrics, "%s", err.text);
	(void)close(fd);
	kp_status_set(status, &facts);
	admin = serve_node(status, metrics, &port);
	go_through_all(port);
	kp_admin_free(admin);
	kp_status_free(status);
	kp_metrics_free(metrics);
}
