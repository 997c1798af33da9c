/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

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
