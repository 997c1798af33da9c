/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/upstream/names.h"

#include <criterion/criterion.h>
#include <pthread.h>

#include "base/clock.h"

/* An agent that answers from another thread, or not at all. */
struct agent {
	struct kp_names *names;
	unsigned num_asked;
	const char *answer; /* NULL: never answers */
	pthread_t thread;
};

static void *
answer(void *context)
{
	struct agent *agent = context;

	kp_names_set(agent->names, "broker.internal", &agent->answer, 1);
	return NULL;
}

static void
on_want_host(void *context, const char *host)
{
	struct agent *agent = context;

	cr_assert_str_eq(host, "broker.internal");
	agent->num_asked++;
	if (agent->answer != NULL)
		kp_must(pthread_create(&agent->thread, NULL, answer, agent));
}

static void
init(struct agent *agent, const char *literal)
{
	const struct kp_reports reports = { .want_host = on_want_host,
		.context = agent };

	*agent = (struct agent){ .answer = literal };
	agent->names = kp_names_new(&reports);
}

Test(names, a_literal_needs_nobody)
{
	struct kp_address out[KP_NAMES_MAX_ADDRESSES];
	char text[KP_ADDRESS_TEXT_LEN];
	struct agent agent;
	struct kp_error err;

	init(&agent, NULL);
	cr_assert_eq(
	    kp_names_get(agent.names, "10.1.2.3", 9092, 0, out, &err), 1);
	kp_address_format(&out[0], text);
	cr_assert_str_eq(text, "10.1.2.3:9092");
	cr_assert_eq(agent.num_asked, 0);
	kp_names_free(agent.names);
}

Test(names, a_known_name_gets_the_port_of_who_asks)
{
	static const char *const literals[] = { "10.1.2.3", "no address",
		"::1" };
	struct kp_address out[KP_NAMES_MAX_ADDRESSES];
	char text[KP_ADDRESS_TEXT_LEN];
	struct agent agent;
	struct kp_error err;

	init(&agent, NULL);
	kp_names_set(agent.names, "broker.internal", literals, 3);
	cr_assert_eq(
	    kp_names_get(agent.names, "BROKER.internal", 1234, 0, out, &err),
	    2);
	kp_address_format(&out[1], text);
	cr_assert_str_eq(text, "[::1]:1234");
	cr_assert_eq(agent.num_asked, 0);
	kp_names_free(agent.names);
}

Test(names, an_unknown_name_is_waited_for)
{
	struct kp_address out[KP_NAMES_MAX_ADDRESSES];
	struct agent agent;
	struct kp_error err;

	init(&agent, "10.9.9.9");
	cr_assert_eq(kp_names_get(agent.names, "broker.internal", 9092,
			 kp_now_ms() + 10000, out, &err),
	    1);
	cr_assert_eq(agent.num_asked, 1);
	kp_must(pthread_join(agent.thread, NULL));
	kp_names_free(agent.names);
}

Test(names, nobody_waits_longer_than_the_deadline)
{
	struct kp_address out[KP_NAMES_MAX_ADDRESSES];
	int64_t start_ms = kp_now_ms();
	struct agent agent;
	struct kp_error err;

	init(&agent, NULL);
	cr_assert_eq(kp_names_get(agent.names, "broker.internal", 9092,
			 start_ms + 50, out, &err),
	    0);
	cr_assert_eq(err.kind, KP_ERR_UNAVAILABLE);
	cr_assert_str_eq(
	    err.text, "host name \"broker.internal\" does not resolve");
	cr_assert(kp_now_ms() - start_ms >= 50);
	kp_names_free(agent.names);
}
