/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages over plain HTTP, such as /metrics: read only, bounded in connections,
 * memory and time. A thread of its own serves them. @thread main
 */
#ifndef KP_CONTROL_HOST_PAGES_H
#define KP_CONTROL_HOST_PAGES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"

#define KP_PAGES_MAX_CONNECTIONS 64
#define KP_PAGES_TIMEOUT_S 10
#define KP_PAGES_CONNECTION_MEMORY (32u << 10)
/* The largest page. */
#define KP_PAGES_MAX_LEN (16u << 20)

struct kp_page {
	const char *path; /* NULL ends a list */
	bool is_metrics;  /* Prometheus text, not plain */
	/* Adds the body; false: 503, what is asked about is not well. So is a
	 * page that there is no memory for, and says so. @thread that of the
	 * pages */
	bool (*render)(void *ctx, struct kp_buf *out);
};

struct kp_pages;

/*
 * kp_pages_new listens on host, an address literal; pages and ctx are borrowed.
 * Returns NULL with err if that is not possible.
 */
struct kp_pages *kp_pages_new(const char *host, uint16_t port,
    const struct kp_page *pages, void *ctx, struct kp_error *err);
void kp_pages_free(struct kp_pages *pages);

#endif
