/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "control/agent/status.h"

static bool
ready(struct kp_status *status, const struct kp_status_facts *facts,
    char out[512])
{
	struct kp_buf text;
	bool is_ready;

	kp_status_set(status, facts);
	kp_buf_init(&text, 512);
	is_ready = kp_status_ready(status, &text);
	(void)snprintf(
	    out, 512, "%.*s", (int)text.len, (const char *)text.data);
	kp_buf_fini(&text);
	return is_ready;
}

Test(status, ready_is_who_serves_even_with_refused_files)
{
	static const struct {
		struct kp_status_facts facts;
		bool is_ready;
		const char *text;
	} cases[] = {
		{ { 0 }, false,
		    "not ready\nworker: not there\nconfig: refused: \n" },
		{ { .has_worker = true, .is_config_valid = true }, false,
		    "not ready\nworker: has no tables yet\n"
		    "config: generation 0\n" },
		{ { .has_worker = true,
		      .is_config_valid = true,
		      .is_serving = true,
		      .generation = 3 },
		    true, "ok\nworker: accepting\nconfig: generation 3\n" },
		{ { .has_worker = true,
		      .is_serving = true,
		      .generation = 3,
		      .problem = "a.yaml:1:2: bad" },
		    true,
		    "ok\nworker: accepting\nconfig: refused, serving "
		    "generation 3: a.yaml:1:2: bad\n" },
		{ { .has_worker = true,
		      .is_serving = true,
		      .generation = 3,
		      .is_last_good = true,
		      .problem = "x" },
		    true,
		    "ok\nworker: accepting\nconfig: refused, serving last "
		    "known good generation 3: x\n" },
		{ { .has_worker = true,
		      .is_config_valid = true,
		      .is_serving = true,
		      .is_draining = true,
		      .generation = 3 },
		    false,
		    "not ready\nworker: accepting\nnode: draining\n"
		    "config: generation 3\n" },
	};
	struct kp_status *status = kp_status_new();
	char text[512];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_expect(
		    ready(status, &cases[i].facts, text) == cases[i].is_ready,
		    "%zu", i);
		cr_expect(strcmp(text, cases[i].text) == 0, "%zu: %s", i, text);
	}
	kp_status_free(status);
	kp_status_free(NULL);
}

Test(status, servers_are_told_of_with_what_they_were_refused)
{
	struct kp_status_facts facts = { .has_worker = true,
		.has_servers = true,
		.link = { .since_ms = kp_wall_ms() - 5500,
		    .reason = "Connection refused" } };
	struct kp_status *status = kp_status_new();
	char text[512];

	cr_assert(!ready(status, &facts, text));
	cr_assert_str_eq(text,
	    "not ready\nworker: has no tables yet\n"
	    "config: waiting for a policy server\n"
	    "source: server, not connected for 5 s: Connection refused\n");
	facts.is_serving = facts.is_config_valid = true;
	facts.generation = 3;
	facts.revision = 17;
	facts.link.is_connected = true;
	facts.link.refused_revision = 18;
	(void)snprintf(facts.link.address, sizeof(facts.link.address), "a:1");
	(void)snprintf(facts.link.refusal, sizeof(facts.link.refusal), "bad");
	cr_assert(ready(status, &facts, text));
	cr_assert_str_eq(text,
	    "ok\nworker: accepting\nconfig: generation 3\n"
	    "source: server a:1, connected for 5 s\nrevision: 17\n"
	    "refused: revision 18: bad\n");
	facts.link.is_cordoned = true;
	cr_assert(ready(status, &facts, text));
	cr_assert_not_null(strstr(text, "connected for 5 s, cordoned\n"));
	facts.link.since_ms = 0;
	cr_assert(ready(status, &facts, text));
	cr_assert_not_null(strstr(text, "without a certificate to connect\n"));
	kp_status_free(status);
}

static bool
renders(struct kp_status *status, const char *line)
{
	struct kp_buf text;
	bool has_line;

	kp_buf_init(&text, 65536);
	kp_status_render(status, &text);
	kp_buf_add(&text, "", 1);
	has_line = strstr((const char *)text.data, line) != NULL;
	kp_buf_fini(&text);
	return has_line;
}

Test(status, metrics_of_servers_are_there_where_there_are_servers)
{
	struct kp_status_facts facts = { .revision = 17,
		.link = { .is_connected = true,
		    .since_ms = 1500,
		    .num_connects = 4,
		    .refused_revision = 18 } };
	struct kp_status *status = kp_status_new();

	kp_status_set(status, &facts);
	cr_assert(renders(
	    status, "\nkproxy_control_source_info{source=\"files\"} 1\n"));
	cr_assert(!renders(status, "kproxy_control_connected"));
	facts.has_servers = true;
	kp_status_set(status, &facts);
	cr_assert(renders(
	    status, "\nkproxy_control_source_info{source=\"server\"} 1\n"));
	cr_assert(renders(status, "\nkproxy_control_connected 1\n"));
	cr_assert(
	    renders(status, "\nkproxy_control_since_timestamp_seconds 1.5\n"));
	cr_assert(renders(status, "\nkproxy_control_revision 17\n"));
	cr_assert(renders(status, "\nkproxy_control_refused_revision 18\n"));
	cr_assert(renders(status, "\nkproxy_control_connects_total 4\n"));
	kp_status_free(status);
}

Test(status, the_agents_own_metrics_are_well_formed)
{
	struct kp_status_facts facts = { .generation = 12,
		.is_config_valid = true,
		.has_worker = true,
		.started_ms = 1500 };
	struct kp_status *status = kp_status_new();
	struct kp_buf text;
	const char *page;

	kp_status_set(status, &facts);
	kp_buf_init(&text, 65536);
	kp_status_render(status, &text);
	kp_buf_add(&text, "", 1);
	page = (const char *)text.data;
	cr_assert_not_null(strstr(page, "\nkproxy_config_generation 12\n"));
	cr_assert_not_null(strstr(page, "\nkproxy_config_valid 1\n"));
	cr_assert_not_null(strstr(page, "\nkproxy_worker_up 1\n"));
	cr_assert_not_null(
	    strstr(page, "\nkproxy_agent_start_time_seconds 1.5\n"));
	cr_assert_not_null(strstr(page, "kproxy_build_info{version=\""));
	kp_buf_fini(&text);
	kp_status_free(status);
}
