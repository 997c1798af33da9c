/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names to addresses, in a thread of its own, since getaddrinfo blocks. Names
 * of the tables are resolved again and again; names that the worker asks for as
 * long as it keeps asking. An answer that fails leaves the last good one.
 * @locks takes its own
 */
#ifndef KP_CONTROL_AGENT_RESOLVER_H
#define KP_CONTROL_AGENT_RESOLVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define KP_RESOLVER_MAX_HOSTS 4096
/* As many as the worker keeps (proxy/upstream/names.h). */
#define KP_RESOLVER_MAX_ADDRESSES 16
#define KP_RESOLVER_REFRESH_MS 30000
/* One name is not asked for more often than this. */
#define KP_RESOLVER_MIN_GAP_MS 1000
/* A wanted name that nobody asked for in this time is forgotten. */
#define KP_RESOLVER_FORGET_MS 600000
/* A lookup is waited for so long when all ends. */
#define KP_RESOLVER_STOP_MS 500

struct kp_resolver;

/* How names are looked up; tests have their own. */
typedef size_t (*kp_lookup_fn)(
    void *ctx, const char *host, char **out, size_t max);

/*
 * kp_resolver_new starts the thread. lookup NULL is getaddrinfo. It fills up to
 * max literals that the caller frees, in any order, and returns how many.
 * @thread main
 */
struct kp_resolver *kp_resolver_new(
    kp_lookup_fn lookup, void *ctx, struct kp_error *err);
/*
 * kp_resolver_free waits KP_RESOLVER_STOP_MS at most: a lookup that takes
 * longer goes on, and its answer is thrown away. @thread main
 */
void kp_resolver_free(struct kp_resolver *resolver);

/* Readable when kp_resolver_take has something. */
int kp_resolver_fd(const struct kp_resolver *resolver);

/*
 * kp_resolver_keep resolves these hosts, and none that it was told before, as
 * long as the resolver lives. Beyond KP_RESOLVER_MAX_HOSTS they are left out,
 * which is logged; the worker asks for those that it needs. @thread main
 */
void kp_resolver_keep(
    struct kp_resolver *resolver, const char *const *hosts, size_t num);

/* kp_resolver_want resolves host soon, and tells also if nothing changed. */
void kp_resolver_want(struct kp_resolver *resolver, const char *host);

/* kp_resolver_tell_all lets kp_resolver_take say everything once more. */
void kp_resolver_tell_all(struct kp_resolver *resolver);

/*
 * kp_resolver_take calls visit for each host with news since the last time.
 * No addresses: it could never be resolved. @thread main
 */
typedef void (*kp_resolved_fn)(
    void *ctx, const char *host, char *const *addresses, size_t num_addresses);
void kp_resolver_take(
    struct kp_resolver *resolver, kp_resolved_fn visit, void *ctx);

#endif
