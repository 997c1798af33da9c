/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How often each identity calls: a bucket of tokens for each, filled at a rate
 * up to a burst. @thread one at a time
 */
#ifndef KP_CONTROL_SERVER_RATES_H
#define KP_CONTROL_SERVER_RATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kp_rates;

/* rate and burst are at least 1; max identities are remembered. */
struct kp_rates *kp_rates_new(int64_t rate, int64_t burst, size_t max);
void kp_rates_free(struct kp_rates *rates);

/* kp_rates_take: may identity call at now_ms (of kp_now_ms)? */
bool kp_rates_take(
    struct kp_rates *rates, const char *identity, int64_t now_ms);

#endif
