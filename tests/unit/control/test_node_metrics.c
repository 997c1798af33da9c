/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "proto/control/node_metrics.h"
#include "proto/kafka/schema.h"

static bool
is_metric_name(const char *name)
{
	if (strncmp(name, "kproxy_", 7) != 0)
		return false;
	for (; *name != '\0'; name++) {
		if (!islower((unsigned char)*name) &&
		    !isdigit((unsigned char)*name) && *name != '_')
			return false;
	}
	return true;
}

static bool
ends_with(const char *text, const char *suffix)
{
	size_t len = strlen(text), suffix_len = strlen(suffix);

	return len >= suffix_len &&
	       strcmp(text + len - suffix_len, suffix) == 0;
}

Test(node_metrics, names_follow_prometheus_and_are_unique)
{
	for (unsigned i = 0; i < kp_node_metrics.num_metrics; i++) {
		const struct kp_metric *m = &kp_node_metrics.metrics[i];

		cr_expect(is_metric_name(m->name), "%s", m->name);
		cr_expect((m->kind == KP_METRIC_COUNTER) ==
			      ends_with(m->name, "_total"),
		    "%s", m->name);
		cr_expect(m->kind != KP_METRIC_HISTOGRAM ||
			      ends_with(m->name, "_seconds"),
		    "%s", m->name);
		cr_expect(ends_with(m->help, "."), "%s", m->help);
		cr_expect(m->num_series >= 1 &&
			      (m->num_series == 1) == (m->labels == NULL),
		    "%s", m->name);
		for (unsigned j = 0; j < i; j++)
			cr_expect(strcmp(m->name,
				      kp_node_metrics.metrics[j].name) != 0,
			    "%s is there twice", m->name);
	}
}

Test(node_metrics, labels_of_one_metric_differ_and_are_quoted)
{
	char label[256], other[256];

	for (unsigned i = 0; i < kp_node_metrics.num_metrics; i++) {
		const struct kp_metric *m = &kp_node_metrics.metrics[i];

		for (unsigned s = 0; m->labels != NULL && s < m->num_series;
		     s++) {
			m->labels(s, label, sizeof(label));
			if (label[0] == '\0')
				continue;
			cr_expect(strstr(label, "=\"") != NULL &&
				      ends_with(label, "\""),
			    "%s", label);
			for (unsigned t = 0; t < s; t++) {
				m->labels(t, other, sizeof(other));
				cr_expect(strcmp(label, other) != 0,
				    "%s{%s} is there twice", m->name, label);
			}
		}
	}
}

Test(node_metrics, every_api_has_its_series_and_unknown_keys_share_one)
{
	static const int16_t unknown[] = { -1, -32768, 95, 4000, 32767,
		/* of the controller listener */ 52 };
	const struct kp_metric *m = &kp_node_metrics.metrics[KP_M_REQUESTS];
	char label[256], expected[256];

	for (int16_t key = 0; key <= KP_MAX_API_KEY; key++) {
		if (kp_api_find(key) == NULL)
			continue;
		m->labels(kp_metric_of_api(key), label, sizeof(label));
		(void)snprintf(
		    expected, sizeof(expected), "api=\"%s\"", kp_api_name(key));
		cr_expect(strcmp(label, expected) == 0, "%s", label);
	}
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
		m->labels(kp_metric_of_api(unknown[i]), label, sizeof(label));
		cr_expect(strcmp(label, "api=\"unknown\"") == 0, "%s", label);
	}
}

Test(node_metrics, reasons_and_handshakes_have_the_names_of_their_series)
{
	char label[256];

	kp_node_metrics.metrics[KP_M_CLOSED].labels(
	    KP_CLOSE_IDLE_TIMEOUT, label, sizeof(label));
	cr_assert_str_eq(label, "reason=\"idle_timeout\"");
	cr_assert_str_eq(
	    kp_close_reason_name(KP_CLOSE_IDLE_TIMEOUT), "idle_timeout");
	kp_node_metrics.metrics[KP_M_TLS_HANDSHAKES].labels(
	    kp_metric_of_tls(KP_TLS_SIDE_BROKER, KP_TLS_RESULT_RESUMED), label,
	    sizeof(label));
	cr_assert_str_eq(
	    label, "side=\"broker\",result=\"ok\",resumed=\"true\"");
}

Test(node_metrics, the_whole_table_renders)
{
	struct kp_error err = { 0 };
	int fd = kp_metrics_new_segment(&kp_node_metrics, &err);
	struct kp_metrics *mapped = kp_metrics_map(&kp_node_metrics, fd, &err);
	struct kp_buf text;

	cr_assert_not_null(mapped, "%s", err.text);
	for (unsigned s = 0; s < KP_NUM_API_SERIES; s++)
		kp_metrics_add(mapped, s, KP_M_REQUESTS, s, 1);
	kp_buf_init(&text, 1u << 20);
	kp_metrics_render(mapped, &text);
	kp_buf_add(&text, "", 1);
	cr_assert(!text.failed);
	cr_assert_not_null(strstr((const char *)text.data,
	    "\nkproxy_requests_total{api=\"Fetch\"} 1\n"));
	cr_assert_null(strstr((const char *)text.data, "reason=\"none\""));
	kp_buf_fini(&text);
	kp_metrics_free(mapped);
	(void)close(fd);
}
