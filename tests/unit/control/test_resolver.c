/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "control/agent/resolver.h"

#define WAIT_MS 60000

/* A name service of the test's own. */
struct service {
	atomic_int num_asked;
	atomic_bool is_failing;
	atomic_bool is_moved;
	atomic_bool is_stuck; /* answers once it is no longer */
	atomic_bool has_answered;
};

static size_t
look_up(void *ctx, const char *host, char **out, size_t max)
{
	struct service *service = ctx;

	atomic_fetch_add(&service->num_asked, 1);
	if (atomic_load(&service->is_failing) || strcmp(host, "none") == 0)
		return 0;
	while (atomic_load(&service->is_stuck))
		(void)poll(NULL, 0, 1);
	cr_assert(max >= 2);
	out[0] = kp_strdup("10.0.0.2");
	out[1] = kp_strdup(
	    atomic_load(&service->is_moved) ? "10.0.0.9" : "10.0.0.1");
	atomic_store(&service->has_answered, true);
	return 2;
}

/* What was told, as "host=a,b;". */
struct told {
	char text[256];
};

static void
note(void *ctx, const char *host, char *const *addresses, size_t num)
{
	struct told *told = ctx;
	size_t len = strlen(told->text);

	(void)snprintf(told->text + len, sizeof(told->text) - len, "%s=%s,%s;",
	    host, num > 0 ? addresses[0] : "", num > 1 ? addresses[1] : "");
}

static void
expect(struct kp_resolver *resolver, const char *text)
{
	struct told told = { .text = "" };
	struct pollfd item = { .fd = kp_resolver_fd(resolver),
		.events = POLLIN };
	int64_t deadline_ms = kp_now_ms() + WAIT_MS;

	while (told.text[0] == '\0' && kp_now_ms() < deadline_ms) {
		(void)poll(&item, 1, kp_ms_left(deadline_ms));
		kp_resolver_take(resolver, note, &told);
	}
	cr_assert_str_eq(told.text, text);
}

static struct kp_resolver *
start(struct service *service)
{
	struct kp_error err = { 0 };
	struct kp_resolver *resolver;

	*service = (struct service){ .num_asked = 0 };
	resolver = kp_resolver_new(look_up, service, &err);
	cr_assert_not_null(resolver, "%s", err.text);
	return resolver;
}

/* Up to three. */
static void
keep(struct kp_resolver *resolver, const char *a, const char *b, const char *c)
{
	const char *hosts[] = { a, b, c };
	size_t num = 0;

	while (num < 3 && hosts[num] != NULL)
		num++;
	kp_resolver_keep(resolver, hosts, num);
}

Test(resolver, answers_are_sorted_so_that_their_order_is_no_news)
{
	struct service service;
	struct kp_resolver *resolver = start(&service);

	keep(resolver, "broker", NULL, NULL);
	expect(resolver, "broker=10.0.0.1,10.0.0.2;");
	kp_resolver_free(resolver);
	kp_resolver_free(NULL);
}

Test(resolver, literals_are_nothing_to_resolve)
{
	struct service service;
	struct kp_resolver *resolver = start(&service);

	keep(resolver, "127.0.0.1", "::1", "broker");
	expect(resolver, "broker=10.0.0.1,10.0.0.2;");
	cr_assert_eq(atomic_load(&service.num_asked), 1);
	kp_resolver_free(resolver);
}

Test(resolver, who_asks_is_told_even_without_news_and_not_too_often)
{
	struct service service;
	struct kp_resolver *resolver = start(&service);
	int64_t begin_ms = kp_now_ms(), took_ms;

	kp_resolver_want(resolver, "broker");
	expect(resolver, "broker=10.0.0.1,10.0.0.2;");
	atomic_store(&service.is_moved, true);
	for (unsigned i = 0; i < 100; i++)
		kp_resolver_want(resolver, "broker");
	expect(resolver, "broker=10.0.0.2,10.0.0.9;");
	took_ms = kp_now_ms() - begin_ms + 50;
	cr_assert(atomic_load(&service.num_asked) >= 2);
	cr_assert(atomic_load(&service.num_asked) <=
		  1 + took_ms / KP_RESOLVER_MIN_GAP_MS);
	kp_resolver_free(resolver);
}

Test(resolver, a_failure_leaves_the_last_good_answer)
{
	struct service service;
	struct kp_resolver *resolver = start(&service);

	kp_resolver_want(resolver, "broker");
	expect(resolver, "broker=10.0.0.1,10.0.0.2;");
	atomic_store(&service.is_failing, true);
	kp_resolver_want(resolver, "broker");
	expect(resolver, "broker=10.0.0.1,10.0.0.2;");
	cr_assert_eq(atomic_load(&service.num_asked), 2);
	kp_resolver_free(resolver);
}

Test(resolver, a_name_that_is_none_is_told_as_such)
{
	struct service service;
	struct kp_resolver *resolver = start(&service);

	kp_resolver_want(resolver, "none");
	expect(resolver, "none=,;");
	/* not a host name at all: never asked for */
	kp_resolver_want(resolver, "a b");
	kp_resolver_want(resolver, "");
	keep(resolver, "broker", NULL, NULL);
	expect(resolver, "broker=10.0.0.1,10.0.0.2;");
	cr_assert_eq(atomic_load(&service.num_asked), 2);
	kp_resolver_free(resolver);
}

Test(resolver, a_new_worker_is_told_everything_once_more)
{
	struct service service;
	struct kp_resolver *resolver = start(&service);

	keep(resolver, "broker", NULL, NULL);
	expect(resolver, "broker=10.0.0.1,10.0.0.2;");
	kp_resolver_keep(resolver, NULL, 0);
	kp_resolver_tell_all(resolver);
	expect(resolver, "broker=10.0.0.1,10.0.0.2;");
	cr_assert_eq(atomic_load(&service.num_asked), 1);
	kp_resolver_free(resolver);
}

/* An exit does not wait for a name service that does not answer. */
Test(resolver, one_that_is_busy_is_left_behind)
{
	struct service service;
	struct kp_resolver *resolver = start(&service);
	int64_t begin_ms;

	atomic_store(&service.is_stuck, true);
	kp_resolver_want(resolver, "broker");
	while (atomic_load(&service.num_asked) == 0)
		(void)poll(NULL, 0, 1);
	begin_ms = kp_now_ms();
	kp_resolver_free(resolver);
	cr_assert(kp_now_ms() - begin_ms < WAIT_MS);
	cr_assert(!atomic_load(&service.has_answered));
	atomic_store(&service.is_stuck, false);
	while (!atomic_load(&service.has_answered))
		(void)poll(NULL, 0, 1);
}

Test(resolver, too_many_hosts_are_left_out)
{
	enum { NUM = KP_RESOLVER_MAX_HOSTS + 10 };
	struct service service;
	struct kp_resolver *resolver = start(&service);
	const char **hosts = kp_alloc(NUM, sizeof(*hosts));
	char name[32];

	for (size_t i = 0; i < NUM; i++) {
		(void)snprintf(name, sizeof(name), "broker-%zu", i);
		hosts[i] = kp_strdup(name);
	}
	kp_resolver_keep(resolver, hosts, NUM);
	while (atomic_load(&service.num_asked) < KP_RESOLVER_MAX_HOSTS)
		(void)poll(NULL, 0, 1);
	kp_resolver_keep(resolver, hosts, NUM);
	kp_resolver_free(resolver);
	cr_assert_eq(atomic_load(&service.num_asked), KP_RESOLVER_MAX_HOSTS);
	for (size_t i = 0; i < NUM; i++)
		free((char *)(uintptr_t)hosts[i]);
	free(hosts);
}

Test(resolver, the_system_knows_localhost)
{
	struct kp_error err = { 0 };
	struct kp_resolver *resolver = kp_resolver_new(NULL, NULL, &err);
	struct told told = { .text = "" };
	struct pollfd item = { .fd = kp_resolver_fd(resolver),
		.events = POLLIN };

	keep(resolver, "localhost", NULL, NULL);
	cr_assert_eq(poll(&item, 1, WAIT_MS), 1);
	kp_resolver_take(resolver, note, &told);
	cr_assert(strstr(told.text, "127.0.0.1") != NULL ||
		      strstr(told.text, "::1") != NULL,
	    "%s", told.text);
	kp_resolver_free(resolver);
}
