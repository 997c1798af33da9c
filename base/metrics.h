/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counters, gauges and histograms in shared memory. One process (the worker)
 * writes, another (the agent) maps the same segment and renders Prometheus
 * text, so the data plane needs no HTTP, and a restarted process finds the
 * numbers where they were. What is measured is a table that both sides compile
 * in; the segment carries a fingerprint of it.
 *
 * Counters are striped: threads add to different cache lines and the reader
 * sums. Writing never locks, never allocates, never fails. @thread any
 */
#ifndef KP_BASE_METRICS_H
#define KP_BASE_METRICS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"

#define KP_METRIC_STRIPES 16

enum kp_metric_kind {
	KP_METRIC_COUNTER,   /* only grows; striped */
	KP_METRIC_GAUGE,     /* goes up and down; striped, the sum is shown */
	KP_METRIC_HISTOGRAM, /* of durations in ns, shown in seconds */
};

/* Upper bounds of a histogram's buckets: 1 us * 4^i, then +Inf. */
#define KP_METRIC_BUCKETS 12

struct kp_metric {
	const char *name; /* kproxy_..., base units */
	const char *help;
	enum kp_metric_kind kind;
	unsigned num_series; /* 1 without labels */
	/*
	 * Writes the labels of one series, such as api="Fetch"; NULL without
	 * labels. An empty text hides the series.
	 */
	void (*labels)(unsigned series, char *out, size_t out_size);
	bool is_sparse; /* series that are zero are not shown */
};

/* The whole of what is measured; an index into it is a metric's id. */
struct kp_metric_table {
	const struct kp_metric *metrics;
	unsigned num_metrics;
};

struct kp_metrics;

/* Bytes that the shared segment of table needs. */
size_t kp_metrics_size(const struct kp_metric_table *table);

/*
 * kp_metrics_new_segment makes a memfd of that size, sealed against resizing,
 * filled with zero and stamped with the table's fingerprint. Returns the fd, -1
 * with err on failure.
 */
int kp_metrics_new_segment(
    const struct kp_metric_table *table, struct kp_error *err);

/*
 * kp_metrics_map maps fd. Returns NULL with KP_ERR_CONFIG if the segment was
 * made for another table. fd may be closed afterwards; free with
 * kp_metrics_free, which leaves the segment to others.
 */
struct kp_metrics *kp_metrics_map(
    const struct kp_metric_table *table, int fd, struct kp_error *err);
void kp_metrics_free(struct kp_metrics *metrics);

/*
 * kp_metrics_reset_gauges sets every gauge to zero: a new writer starts with no
 * connections, whatever the one before left behind.
 */
void kp_metrics_reset_gauges(struct kp_metrics *metrics);

/*
 * Where a thread counts: stripe is any number of the caller's, best one per
 * thread. Valid for as long as metrics. The fields are for the inline function.
 */
struct kp_stripe {
	_Atomic int64_t *slots;
	const struct kp_metric_place *places; /* of each metric */
};

struct kp_metric_place {
	uint32_t first_slot, num_series;
};

struct kp_stripe kp_metrics_stripe(
    const struct kp_metrics *metrics, unsigned stripe);

static inline void
kp_stripe_add(
    const struct kp_stripe *stripe, unsigned metric, unsigned series, int64_t n)
{
	const struct kp_metric_place *place = &stripe->places[metric];

	kp_assert(series < place->num_series);
	atomic_fetch_add_explicit(&stripe->slots[place->first_slot + series], n,
	    memory_order_relaxed);
}

/* kp_stripe_observe adds one duration to a histogram. */
void kp_stripe_observe(const struct kp_stripe *stripe, unsigned metric,
    unsigned series, int64_t duration_ns);

/* The same for those who count now and then. */
void kp_metrics_add(struct kp_metrics *metrics, unsigned stripe,
    unsigned metric, unsigned series, int64_t n);

/* kp_metrics_set sets a gauge (to be used by one thread per series). */
void kp_metrics_set(struct kp_metrics *metrics, unsigned metric,
    unsigned series, int64_t value);

/* The sum over all stripes; of a histogram the number of observations. */
int64_t kp_metrics_read(
    const struct kp_metrics *metrics, unsigned metric, unsigned series);

/*
 * kp_metrics_each shows every series but those of histograms, named as in the
 * text that kp_metrics_render makes.
 */
typedef void (*kp_visit_series)(void *ctx, const char *series, int64_t value);
void kp_metrics_each(
    const struct kp_metrics *metrics, kp_visit_series visit, void *ctx);

/* kp_metrics_render adds the Prometheus text (format 0.0.4) to out. */
void kp_metrics_render(const struct kp_metrics *metrics, struct kp_buf *out);

#endif
