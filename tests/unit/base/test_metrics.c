/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/metrics.h"

enum { M_COUNT, M_GAUGE, M_BY_KIND, M_TIME, NUM_METRICS };

static void
kind_labels(unsigned series, char *out, size_t out_size)
{
	static const char *const names[] = { "kind=\"a\"", "kind=\"b\"", "" };

	(void)snprintf(out, out_size, "%s", names[series]);
}

static const struct kp_metric metrics[] = {
	[M_COUNT] = { .name = "t_count_total",
	    .help = "Counted.",
	    .kind = KP_METRIC_COUNTER,
	    .num_series = 1 },
	[M_GAUGE] = { .name = "t_gauge",
	    .help = "Up and down.",
	    .kind = KP_METRIC_GAUGE,
	    .num_series = 1 },
	[M_BY_KIND] = { .name = "t_kind_total",
	    .help = "By kind.",
	    .kind = KP_METRIC_COUNTER,
	    .num_series = 3,
	    .labels = kind_labels,
	    .is_sparse = true },
	[M_TIME] = { .name = "t_seconds",
	    .help = "Time.",
	    .kind = KP_METRIC_HISTOGRAM,
	    .num_series = 2,
	    .labels = kind_labels },
};
static const struct kp_metric_table table = { metrics, NUM_METRICS };
/* The same numbers under other names: another build. */
static const struct kp_metric_table shorter = { metrics, NUM_METRICS - 1 };
static const struct kp_metric_table shifted = { metrics + 1, NUM_METRICS - 1 };

static int
new_segment(void)
{
	struct kp_error err = { 0 };
	int fd = kp_metrics_new_segment(&table, &err);

	cr_assert(fd >= 0, "%s", err.text);
	return fd;
}

static struct kp_metrics *
map(int fd)
{
	struct kp_error err = { 0 };
	struct kp_metrics *mapped = kp_metrics_map(&table, fd, &err);

	cr_assert_not_null(mapped, "%s", err.text);
	return mapped;
}

static bool
renders(const struct kp_metrics *mapped, const char *line)
{
	struct kp_buf text;
	bool has_line;

	kp_buf_init(&text, 65536);
	kp_metrics_render(mapped, &text);
	kp_buf_add(&text, "", 1);
	cr_assert(!text.failed);
	has_line = strstr((const char *)text.data, line) != NULL;
	kp_buf_fini(&text);
	return has_line;
}

static void
observe(struct kp_metrics *into, unsigned stripe, unsigned metric,
    unsigned series, int64_t duration_ns)
{
	struct kp_stripe of = kp_metrics_stripe(into, stripe);

	kp_stripe_observe(&of, metric, series, duration_ns);
}

Test(metrics, all_stripes_count_and_none_touches_another_metric)
{
	int fd = new_segment();
	struct kp_metrics *mapped = map(fd);

	for (unsigned stripe = 0; stripe < 3 * KP_METRIC_STRIPES; stripe++) {
		kp_metrics_add(mapped, stripe, M_COUNT, 0, 1);
		kp_metrics_add(mapped, stripe, M_BY_KIND, 1, 2);
		observe(mapped, stripe, M_TIME, 1, 5000);
	}
	cr_assert_eq(
	    kp_metrics_read(mapped, M_COUNT, 0), 3 * KP_METRIC_STRIPES);
	cr_assert_eq(kp_metrics_read(mapped, M_GAUGE, 0), 0);
	cr_assert_eq(kp_metrics_read(mapped, M_BY_KIND, 0), 0);
	cr_assert_eq(
	    kp_metrics_read(mapped, M_BY_KIND, 1), 6 * KP_METRIC_STRIPES);
	cr_assert_eq(kp_metrics_read(mapped, M_TIME, 0), 0);
	cr_assert_eq(kp_metrics_read(mapped, M_TIME, 1), 3 * KP_METRIC_STRIPES);
	kp_metrics_free(mapped);
	(void)close(fd);
}

Test(metrics, another_mapping_sees_and_outlives_the_writer)
{
	int fd = new_segment();
	struct kp_metrics *writer = map(fd), *reader = map(fd);

	(void)close(fd);
	kp_metrics_add(writer, 0, M_COUNT, 0, 41);
	kp_metrics_add(writer, 1, M_GAUGE, 0, 7);
	kp_metrics_free(writer);
	cr_assert_eq(kp_metrics_read(reader, M_COUNT, 0), 41);
	kp_metrics_reset_gauges(reader);
	cr_assert_eq(kp_metrics_read(reader, M_GAUGE, 0), 0);
	cr_assert_eq(kp_metrics_read(reader, M_COUNT, 0), 41);
	kp_metrics_free(reader);
	kp_metrics_free(NULL);
}

Test(metrics, set_replaces_what_was_added)
{
	int fd = new_segment();
	struct kp_metrics *mapped = map(fd);

	kp_metrics_add(mapped, 3, M_GAUGE, 0, 5);
	kp_metrics_set(mapped, M_GAUGE, 0, 12);
	cr_assert_eq(kp_metrics_read(mapped, M_GAUGE, 0), 12);
	kp_metrics_add(mapped, 9, M_GAUGE, 0, -2);
	cr_assert_eq(kp_metrics_read(mapped, M_GAUGE, 0), 10);
	kp_metrics_free(mapped);
	(void)close(fd);
}

Test(metrics, a_segment_of_another_build_is_refused)
{
	const struct kp_metric_table *others[] = { &shorter, &shifted };
	struct kp_error err;
	int fd = new_segment();

	for (unsigned i = 0; i < 2; i++) {
		err = (struct kp_error){ 0 };
		cr_assert_null(kp_metrics_map(others[i], fd, &err));
		cr_assert_eq(err.kind, KP_ERR_CONFIG);
	}
	(void)close(fd);
}

Test(metrics, what_is_no_segment_is_refused)
{
	struct kp_error err = { 0 };
	int fd = memfd_create("test", MFD_CLOEXEC);

	cr_assert(fd >= 0);
	cr_assert_null(kp_metrics_map(&table, fd, &err), "empty");
	cr_assert_eq(ftruncate(fd, (off_t)kp_metrics_size(&table)), 0);
	cr_assert_null(kp_metrics_map(&table, fd, &err), "all zero");
	(void)close(fd);
	cr_assert_null(kp_metrics_map(&table, -1, &err));
	cr_assert_eq(err.kind, KP_ERR_SYSTEM);
}

Test(metrics, a_segment_cannot_be_resized)
{
	int fd = new_segment();

	cr_assert(ftruncate(fd, 0) != 0, "a reader would get SIGBUS");
	cr_assert(ftruncate(fd, (off_t)kp_metrics_size(&table) * 2) != 0);
	(void)close(fd);
}

Test(metrics, text_follows_the_prometheus_format)
{
	static const char *const lines[] = {
		("# HELP t_count_total Counted.\n"
		 "# TYPE t_count_total counter\nt_count_total 3\n"),
		"# TYPE t_gauge gauge\nt_gauge -4\n",
		"\nt_kind_total{kind=\"b\"} 1\n",
		"# TYPE t_seconds histogram\n",
		"\nt_seconds_bucket{kind=\"a\",le=\"0.000001\"} 1\n",
		"\nt_seconds_bucket{kind=\"a\",le=\"0.000004\"} 2\n",
		"\nt_seconds_bucket{kind=\"a\",le=\"4.194304\"} 2\n",
		"\nt_seconds_bucket{kind=\"a\",le=\"+Inf\"} 3\n",
		"\nt_seconds_count{kind=\"a\"} 3\n",
		"\nt_seconds_sum{kind=\"a\"} 60.000003000\n",
		"\nt_seconds_count{kind=\"b\"} 0\n",
	};
	int fd = new_segment();
	struct kp_metrics *mapped = map(fd);

	kp_metrics_add(mapped, 0, M_COUNT, 0, 3);
	kp_metrics_add(mapped, 0, M_GAUGE, 0, -4);
	kp_metrics_add(mapped, 0, M_BY_KIND, 1, 1);
	kp_metrics_add(mapped, 0, M_BY_KIND, 2, 1);
	observe(mapped, 0, M_TIME, 0, 1000);
	observe(mapped, 1, M_TIME, 0, 2000);
	observe(mapped, 2, M_TIME, 0, INT64_C(60000000000));
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		cr_expect(renders(mapped, lines[i]), "missing: %s", lines[i]);
	cr_assert(!renders(mapped, "kind=\"a\"} 0\nt_kind"), "sparse zero");
	cr_assert(!renders(mapped, "{}"), "a series without text is hidden");
	kp_metrics_free(mapped);
	(void)close(fd);
}

static void
note_series(void *ctx, const char *series, int64_t value)
{
	kp_buf_printf(ctx, "%s %lld\n", series, (long long)value);
}

Test(metrics, each_shows_what_the_text_shows)
{
	int fd = new_segment();
	struct kp_metrics *mapped = map(fd);
	struct kp_buf text;

	kp_metrics_add(mapped, 0, M_COUNT, 0, 3);
	kp_metrics_add(mapped, 1, M_BY_KIND, 1, 1);
	kp_metrics_add(mapped, 0, M_BY_KIND, 2, 1);
	observe(mapped, 0, M_TIME, 0, 1000);
	kp_buf_init(&text, 4096);
	kp_metrics_each(mapped, note_series, &text);
	kp_buf_add(&text, "", 1);
	cr_assert_str_eq((const char *)text.data,
	    "t_count_total 3\nt_gauge 0\nt_kind_total{kind=\"b\"} 1\n");
	kp_buf_fini(&text);
	kp_metrics_free(mapped);
	(void)close(fd);
}

Test(metrics, a_text_that_does_not_fit_says_so)
{
	int fd = new_segment();
	struct kp_metrics *mapped = map(fd);
	struct kp_buf text;

	kp_buf_init(&text, 100);
	kp_metrics_render(mapped, &text);
	cr_assert(text.failed);
	cr_assert(text.len <= 100);
	kp_buf_fini(&text);
	kp_metrics_free(mapped);
	(void)close(fd);
}

#define NUM_THREADS 4
#define NUM_ADDS 10000

struct adder {
	struct kp_metrics *mapped;
	pthread_t thread;
};

/* All on one stripe: the worst case. */
static void *
add_many(void *arg)
{
	struct adder *adder = arg;

	for (unsigned i = 0; i < NUM_ADDS; i++) {
		kp_metrics_add(adder->mapped, 0, M_COUNT, 0, 1);
		kp_metrics_add(adder->mapped, i, M_GAUGE, 0, i % 2 ? -1 : 1);
		observe(adder->mapped, 0, M_TIME, 0, i);
	}
	return NULL;
}

Test(metrics, no_count_is_lost_between_threads)
{
	int fd = new_segment();
	struct adder adders[NUM_THREADS];
	struct kp_metrics *mapped = map(fd);

	for (unsigned i = 0; i < NUM_THREADS; i++) {
		adders[i].mapped = mapped;
		cr_assert_eq(pthread_create(
				 &adders[i].thread, NULL, add_many, &adders[i]),
		    0);
	}
	for (unsigned i = 0; i < NUM_THREADS; i++)
		cr_assert_eq(pthread_join(adders[i].thread, NULL), 0);
	cr_assert_eq(
	    kp_metrics_read(mapped, M_COUNT, 0), NUM_THREADS * NUM_ADDS);
	cr_assert_eq(
	    kp_metrics_read(mapped, M_TIME, 0), NUM_THREADS * NUM_ADDS);
	cr_assert_eq(kp_metrics_read(mapped, M_GAUGE, 0), 0);
	kp_metrics_free(mapped);
	(void)close(fd);
}
