/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/limits.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "proto/control/node_metrics.h"

Test(limits, every_row_says_all_that_an_operator_asks)
{
	for (int i = 0; i < KP_NUM_LIMITS; i++) {
		const struct kp_setting *setting = &kp_limit_settings[i];

		cr_assert_not_null(setting->name);
		cr_assert_not_null(setting->fallback);
		cr_assert_not_null(setting->help);
		cr_assert(setting->min < setting->max, "%s", setting->name);
		cr_assert_not_null(kp_limit_rows[i].client);
		cr_assert_not_null(kp_limit_rows[i].counter);
		for (int j = 0; j < i; j++)
			cr_assert(strcmp(setting->name,
				      kp_limit_settings[j].name) != 0);
	}
	cr_assert_eq(kp_limit_settings[KP_NUM_LIMITS].type, KP_SETTING_END);
}

/* What docs/limits.md says is counted, the node really shows. */
Test(limits, every_counter_is_a_series_of_the_node)
{
	struct kp_error err;
	int fd = kp_metrics_new_segment(&kp_node_metrics, &err);
	struct kp_metrics *metrics = kp_metrics_map(&kp_node_metrics, fd, &err);
	struct kp_buf page;

	cr_assert_not_null(metrics);
	kp_buf_init(&page, 1u << 20);
	kp_metrics_render(metrics, &page);
	kp_buf_add(&page, "", 1);
	cr_assert(!page.failed);
	for (int i = 0; i < KP_NUM_LIMITS; i++) {
		char line[128];

		(void)snprintf(
		    line, sizeof(line), "\n%s 0\n", kp_limit_rows[i].counter);
		cr_assert_not_null(strstr((const char *)page.data, line), "%s",
		    kp_limit_rows[i].counter);
	}
	kp_buf_fini(&page);
	kp_metrics_free(metrics);
	(void)close(fd);
}

Test(limits, bounds_are_those_of_the_table)
{
	struct kp_limits limits;
	enum kp_limit which;

	kp_limits_default(&limits);
	cr_assert(kp_limits_are_in_bounds(&limits));
	cr_assert_null(kp_limits_complaint(&limits, &which));
	for (int i = 0; i < KP_NUM_LIMITS; i++) {
		int64_t sound = limits.of[i];

		limits.of[i] = kp_limit_settings[i].min - 1;
		cr_assert(!kp_limits_are_in_bounds(&limits));
		limits.of[i] = kp_limit_settings[i].max + 1;
		cr_assert(!kp_limits_are_in_bounds(&limits));
		limits.of[i] = sound;
	}
	limits.of[KP_LIMIT_FRAME] =
	    limits.of[KP_LIMIT_MEMORY_PER_CONNECTION] + 1;
	cr_assert_str_eq(kp_limits_complaint(&limits, &which),
	    "frame is larger than memoryPerConnection");
	cr_assert_eq(which, KP_LIMIT_FRAME);
}
