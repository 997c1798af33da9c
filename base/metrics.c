/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layout of the segment: a header of one cache line, then one block of 64-bit
 * slots for each stripe. Where a metric's slots are inside of a block follows
 * from the table alone, so a reader never trusts an offset that the writer (who
 * parses bytes from outside) could have changed.
 */
#include "base/metrics.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"

#define MAGIC UINT64_C(0x6b70726f78796d31) /* "kproxym1" */
#define CACHE_LINE 64
#define SLOTS_PER_LINE (CACHE_LINE / sizeof(int64_t))
#define MAX_LABELS 256

/* A histogram's series: its buckets with +Inf, then the sum of durations. */
#define HISTOGRAM_SUM (KP_METRIC_BUCKETS + 1)
#define HISTOGRAM_SLOTS (KP_METRIC_BUCKETS + 2)

struct header {
	uint64_t magic;
	uint64_t fingerprint;
	uint8_t unused[CACHE_LINE - 2 * sizeof(uint64_t)];
};

struct kp_metrics {
	const struct kp_metric_table *table;
	struct header *segment;
	size_t segment_len;
	_Atomic int64_t *slots; /* of stripe 0 */
	size_t slots_per_stripe;
	struct kp_metric_place *places; /* of each metric, inside of a stripe */
};

static size_t
slots_of(const struct kp_metric *metric)
{
	size_t per_series =
	    metric->kind == KP_METRIC_HISTOGRAM ? HISTOGRAM_SLOTS : 1;

	return per_series * metric->num_series;
}

/* Rounded up, so that two stripes never share a cache line. */
static size_t
slots_per_stripe(const struct kp_metric_table *table)
{
	size_t slots = 0;

	for (unsigned i = 0; i < table->num_metrics; i++)
		slots += slots_of(&table->metrics[i]);
	return (slots + SLOTS_PER_LINE - 1) / SLOTS_PER_LINE * SLOTS_PER_LINE;
}

size_t
kp_metrics_size(const struct kp_metric_table *table)
{
	return sizeof(struct header) +
	       slots_per_stripe(table) * KP_METRIC_STRIPES * sizeof(int64_t);
}

/* FNV-1a: tells tables of different builds apart, no more. */
static uint64_t
hash_number(uint64_t seed, uint64_t number)
{
	return (seed ^ number) * UINT64_C(0x100000001b3);
}

static uint64_t
hash_text(uint64_t seed, const char *text)
{
	for (; *text != '\0'; text++)
		seed = hash_number(seed, (uint8_t)*text);
	return hash_number(seed, 0);
}

static uint64_t
fingerprint(const struct kp_metric_table *table)
{
	uint64_t sum = hash_number(UINT64_C(0xcbf29ce484222325),
	    KP_METRIC_STRIPES * 1000 + KP_METRIC_BUCKETS);

	for (unsigned i = 0; i < table->num_metrics; i++) {
		const struct kp_metric *metric = &table->metrics[i];

		sum = hash_text(sum, metric->name);
		sum = hash_number(sum, metric->kind);
		sum = hash_number(sum, metric->num_series);
	}
	return sum;
}

static bool
prepare(int fd, const struct kp_metric_table *table, struct kp_error *err)
{
	struct header header = { .magic = MAGIC,
		.fingerprint = fingerprint(table) };

	if (ftruncate(fd, (off_t)kp_metrics_size(table)) != 0 ||
	    pwrite(fd, &header, sizeof(header), 0) != (ssize_t)sizeof(header))
		return kp_error_sys(err, "could not fill the metrics segment");
	/* a segment that cannot shrink cannot end its reader by SIGBUS */
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) !=
	    0)
		return kp_error_sys(err, "could not seal the metrics segment");
	return true;
}

int
kp_metrics_new_segment(
    const struct kp_metric_table *table, struct kp_error *err)
{
	int fd =
	    memfd_create("kproxy-metrics", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0) {
		kp_error_sys(err, "could not make the metrics segment");
		return -1;
	}
	if (!prepare(fd, table, err)) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

static bool
has_size(int fd, size_t len, struct kp_error *err)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return kp_error_sys(
		    err, "could not look at the metrics segment");
	if (st.st_size < 0 || (size_t)st.st_size != len)
		return kp_error_set(err, KP_ERR_CONFIG,
		    "metrics segment has %lld bytes, expected %zu",
		    (long long)st.st_size, len);
	return true;
}

static struct header *
map_segment(const struct kp_metric_table *table, int fd, size_t len,
    struct kp_error *err)
{
	void *at;
	struct header *header;

	if (!has_size(fd, len, err))
		return NULL;
	at = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED) {
		kp_error_sys(err, "could not map the metrics segment");
		return NULL;
	}
	header = at;
	if (header->magic != MAGIC ||
	    header->fingerprint != fingerprint(table)) {
		kp_error_set(err, KP_ERR_CONFIG,
		    "metrics segment belongs to another build");
		(void)munmap(at, len);
		return NULL;
	}
	return header;
}

struct kp_metrics *
kp_metrics_map(
    const struct kp_metric_table *table, int fd, struct kp_error *err)
{
	size_t len = kp_metrics_size(table), slot = 0;
	struct header *segment = map_segment(table, fd, len, err);
	struct kp_metrics *metrics;

	if (segment == NULL)
		return NULL;
	metrics = kp_alloc(1, sizeof(*metrics));
	metrics->table = table;
	metrics->segment = segment;
	metrics->segment_len = len;
	metrics->slots = (_Atomic int64_t *)(void *)(segment + 1);
	metrics->slots_per_stripe = slots_per_stripe(table);
	metrics->places =
	    kp_alloc(table->num_metrics, sizeof(*metrics->places));
	for (unsigned i = 0; i < table->num_metrics; i++) {
		metrics->places[i] = (struct kp_metric_place){ (uint32_t)slot,
			table->metrics[i].num_series };
		slot += slots_of(&table->metrics[i]);
	}
	return metrics;
}

void
kp_metrics_free(struct kp_metrics *metrics)
{
	if (metrics == NULL)
		return;
	(void)munmap(metrics->segment, metrics->segment_len);
	free(metrics->places);
	free(metrics);
}

struct kp_stripe
kp_metrics_stripe(const struct kp_metrics *metrics, unsigned stripe)
{
	struct kp_stripe out = { metrics->slots + stripe % KP_METRIC_STRIPES *
						      metrics->slots_per_stripe,
		metrics->places };

	return out;
}

/* The first slot of one series inside of a stripe. */
static size_t
series_slot(const struct kp_metrics *metrics, unsigned metric, unsigned series)
{
	const struct kp_metric *m = &metrics->table->metrics[metric];

	kp_assert(metric < metrics->table->num_metrics);
	kp_assert(series < m->num_series);
	return metrics->places[metric].first_slot +
	       (m->kind == KP_METRIC_HISTOGRAM ? series * HISTOGRAM_SLOTS
					       : series);
}

static void
add(_Atomic int64_t *slot, int64_t n)
{
	atomic_fetch_add_explicit(slot, n, memory_order_relaxed);
}

static int64_t
sum_slot(const struct kp_metrics *metrics, size_t slot)
{
	int64_t sum = 0;

	for (unsigned i = 0; i < KP_METRIC_STRIPES; i++)
		sum += atomic_load_explicit(
		    &kp_metrics_stripe(metrics, i).slots[slot],
		    memory_order_relaxed);
	return sum;
}

void
kp_metrics_reset_gauges(struct kp_metrics *metrics)
{
	for (unsigned i = 0; i < metrics->table->num_metrics; i++) {
		if (metrics->table->metrics[i].kind != KP_METRIC_GAUGE)
			continue;
		for (unsigned s = 0; s < metrics->table->metrics[i].num_series;
		     s++)
			kp_metrics_set(metrics, i, s, 0);
	}
}

void
kp_metrics_add(struct kp_metrics *metrics, unsigned stripe, unsigned metric,
    unsigned series, int64_t n)
{
	struct kp_stripe of = kp_metrics_stripe(metrics, stripe);

	kp_assert(metric < metrics->table->num_metrics);
	kp_stripe_add(&of, metric, series, n);
}

void
kp_metrics_set(
    struct kp_metrics *metrics, unsigned metric, unsigned series, int64_t value)
{
	size_t slot = series_slot(metrics, metric, series);

	for (unsigned i = 0; i < KP_METRIC_STRIPES; i++)
		atomic_store_explicit(
		    &kp_metrics_stripe(metrics, i).slots[slot],
		    i == 0 ? value : 0, memory_order_relaxed);
}

static int64_t
bucket_bound_ns(unsigned bucket)
{
	return INT64_C(1000) << (2 * bucket);
}

void
kp_stripe_observe(const struct kp_stripe *stripe, unsigned metric,
    unsigned series, int64_t duration_ns)
{
	const struct kp_metric_place *place = &stripe->places[metric];
	_Atomic int64_t *slots =
	    &stripe->slots[place->first_slot + series * HISTOGRAM_SLOTS];
	unsigned bucket = 0;

	kp_assert(series < place->num_series);
	while (
	    bucket < KP_METRIC_BUCKETS && duration_ns > bucket_bound_ns(bucket))
		bucket++;
	add(&slots[bucket], 1);
	add(&slots[HISTOGRAM_SUM], duration_ns);
}

int64_t
kp_metrics_read(
    const struct kp_metrics *metrics, unsigned metric, unsigned series)
{
	size_t slot = series_slot(metrics, metric, series);
	int64_t count = 0;

	if (metrics->table->metrics[metric].kind != KP_METRIC_HISTOGRAM)
		return sum_slot(metrics, slot);
	for (unsigned i = 0; i <= KP_METRIC_BUCKETS; i++)
		count += sum_slot(metrics, slot + i);
	return count;
}

/* One line; labels and extra are joined by a comma, either may be empty. */
static void
render_sample(struct kp_buf *out, const char *name, const char *labels,
    const char *extra, const char *value)
{
	bool has_both = labels[0] != '\0' && extra[0] != '\0';

	kp_buf_add_text(out, name);
	if (labels[0] != '\0' || extra[0] != '\0')
		kp_buf_printf(
		    out, "{%s%s%s}", labels, has_both ? "," : "", extra);
	kp_buf_printf(out, " %s\n", value);
}

static void
render_histogram(const struct kp_metrics *metrics, struct kp_buf *out,
    const char *name, const char *labels, size_t slot)
{
	char full[128], bound[32], value[32];
	int64_t count = 0, sum_ns = sum_slot(metrics, slot + HISTOGRAM_SUM);

	(void)snprintf(full, sizeof(full), "%s_bucket", name);
	for (unsigned i = 0; i <= KP_METRIC_BUCKETS; i++) {
		int64_t us = bucket_bound_ns(i) / 1000;

		count += sum_slot(metrics, slot + i);
		(void)snprintf(bound, sizeof(bound), "le=\"%lld.%06lld\"",
		    (long long)(us / 1000000), (long long)(us % 1000000));
		(void)snprintf(value, sizeof(value), "%lld", (long long)count);
		render_sample(out, full, labels,
		    i < KP_METRIC_BUCKETS ? bound : "le=\"+Inf\"", value);
	}
	(void)snprintf(full, sizeof(full), "%s_count", name);
	render_sample(out, full, labels, "", value);
	(void)snprintf(full, sizeof(full), "%s_sum", name);
	(void)snprintf(value, sizeof(value), "%.9f", (double)sum_ns / 1e9);
	render_sample(out, full, labels, "", value);
}

/* Fills labels; false if the series is not to be shown. */
static bool
label_series(const struct kp_metric *m, unsigned series, int64_t value,
    char labels[MAX_LABELS])
{
	labels[0] = '\0';
	if (m->is_sparse && value == 0)
		return false;
	if (m->labels == NULL)
		return true;
	m->labels(series, labels, MAX_LABELS);
	return labels[0] != '\0';
}

static void
render_series(const struct kp_metrics *metrics, struct kp_buf *out,
    unsigned metric, unsigned series)
{
	const struct kp_metric *m = &metrics->table->metrics[metric];
	int64_t value = kp_metrics_read(metrics, metric, series);
	char labels[MAX_LABELS], text[32];

	if (!label_series(m, series, value, labels))
		return;
	if (m->kind == KP_METRIC_HISTOGRAM) {
		render_histogram(metrics, out, m->name, labels,
		    series_slot(metrics, metric, series));
		return;
	}
	(void)snprintf(text, sizeof(text), "%lld", (long long)value);
	render_sample(out, m->name, labels, "", text);
}

void
kp_metrics_render(const struct kp_metrics *metrics, struct kp_buf *out)
{
	static const char *const kinds[] = { "counter", "gauge", "histogram" };

	for (unsigned i = 0; i < metrics->table->num_metrics; i++) {
		const struct kp_metric *m = &metrics->table->metrics[i];

		kp_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", m->name,
		    m->help, m->name, kinds[m->kind]);
		for (unsigned s = 0; s < m->num_series; s++)
			render_series(metrics, out, i, s);
	}
}

static void
visit_series(const struct kp_metrics *metrics, unsigned metric, unsigned series,
    kp_visit_series visit, void *ctx)
{
	const struct kp_metric *m = &metrics->table->metrics[metric];
	int64_t value = kp_metrics_read(metrics, metric, series);
	char labels[MAX_LABELS], name[128 + MAX_LABELS];

	if (!label_series(m, series, value, labels))
		return;
	(void)snprintf(name, sizeof(name),
	    labels[0] == '\0' ? "%s%s" : "%s{%s}", m->name, labels);
	visit(ctx, name, value);
}

void
kp_metrics_each(
    const struct kp_metrics *metrics, kp_visit_series visit, void *ctx)
{
	for (unsigned i = 0; i < metrics->table->num_metrics; i++) {
		const struct kp_metric *m = &metrics->table->metrics[i];

		for (unsigned s = 0;
		     m->kind != KP_METRIC_HISTOGRAM && s < m->num_series; s++)
			visit_series(metrics, i, s, visit, ctx);
	}
}
