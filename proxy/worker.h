/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The worker process as its link thread sees it: what supervisor and agent may
 * tell it to do. Everything here is called by the link thread only.
 * @thread control
 */
#ifndef KP_PROXY_WORKER_H
#define KP_PROXY_WORKER_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/metrics.h"
#include "rules/tables.h"

struct kp_reports;
struct kp_worker;

/*
 * kp_worker_prepare does what may need a file and is done once: to be called
 * before files are out of reach.
 */
void kp_worker_prepare(void);

/* kp_worker_new serves nobody yet. metrics is borrowed, reports are copied. */
struct kp_worker *kp_worker_new(
    struct kp_metrics *metrics, const struct kp_reports *reports);

/*
 * kp_worker_add_socket takes over a listening socket bound to address
 * ("ip:port" or "[ip6]:port", as in the supervisor's list). It is accepted from
 * as soon as tables name it, and closed when tables no longer do.
 */
void kp_worker_add_socket(
    struct kp_worker *worker, const char *address, int fd);

/*
 * kp_worker_apply publishes tables and takes them over; *tables is NULL
 * afterwards. On failure (a certificate that does not parse, a socket that is
 * missing) the tables in force stay in force.
 */
bool kp_worker_apply(struct kp_worker *worker, struct kp_tables **tables,
    struct kp_error *err) KP_MUST_CHECK;

/*
 * kp_worker_resolved tells the addresses (literals) of a host name; the last
 * answer stays in use until the next one.
 */
void kp_worker_resolved(struct kp_worker *worker, const char *host,
    const char *const *addresses, size_t num_addresses);

/*
 * kp_worker_drain stops accepting and closes connections as soon as they have
 * no request in flight; after timeout_ms it closes the rest. Returns at once;
 * kp_worker_is_drained tells when nothing is left.
 */
void kp_worker_drain(struct kp_worker *worker, int32_t timeout_ms);
bool kp_worker_is_drained(struct kp_worker *worker);

/* kp_worker_free is for a worker that is drained; NULL is fine. */
void kp_worker_free(struct kp_worker *worker);

#endif
