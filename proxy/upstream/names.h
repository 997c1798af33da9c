/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What host names resolve to. The worker opens no file and so cannot resolve:
 * the agent does and tells; the last answer stays in use. Whoever needs a name
 * that is not there yet asks for it and waits. @thread any
 */
#ifndef KP_PROXY_UPSTREAM_NAMES_H
#define KP_PROXY_UPSTREAM_NAMES_H

#include "proxy/net/address.h"
#include "proxy/upstream/reports.h"

/* Of one name; more are left out. */
#define KP_NAMES_MAX_ADDRESSES 16

struct kp_names;

/* reports, to ask for names, are copied. */
struct kp_names *kp_names_new(const struct kp_reports *reports);
void kp_names_free(struct kp_names *names);

/* kp_names_set replaces what is known of host; bad literals are left out. */
void kp_names_set(struct kp_names *names, const char *host,
    const char *const *literals, size_t num_literals);

/*
 * kp_names_get fills out with up to KP_NAMES_MAX_ADDRESSES addresses of host
 * with that port and returns how many. A literal needs nobody; a name that is
 * not known is waited for until deadline_ms. Returns 0 with KP_ERR_UNAVAILABLE
 * if there are none by then.
 */
size_t kp_names_get(struct kp_names *names, const char *host, uint16_t port,
    int64_t deadline_ms, struct kp_address *out, struct kp_error *err);

#endif
