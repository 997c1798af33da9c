/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gRPC's health service: whether this server serves, for load balancers and
 * whoever else has a certificate. @thread any
 */
#ifndef KP_CONTROL_SERVER_HEALTH_H
#define KP_CONTROL_SERVER_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#include "control/server/service.h"

struct kp_health;

extern const struct kp_service_method kp_health_methods[];

/* Watches of health at the same time. */
#define KP_HEALTH_MAX_WATCHES 1000

/* kp_health_new is serving from the beginning. */
struct kp_health *kp_health_new(void);
/* kp_health_free: all streams have been closed. */
void kp_health_free(struct kp_health *health);

/* kp_health_set tells all who watch. It does not wait. */
void kp_health_set(struct kp_health *health, bool is_serving);

/* kp_health_flush waits until they have been told, until deadline_ms. */
void kp_health_flush(struct kp_health *health, int64_t deadline_ms);

#endif
