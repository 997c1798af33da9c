/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Forgets old revisions, by number and by age, in a thread of its own. @thread
 * main
 */
#ifndef KP_CONTROL_SERVER_COMPACT_H
#define KP_CONTROL_SERVER_COMPACT_H

#include "control/server/store.h"

/* The newest revisions, which are never forgotten. */
#define KP_COMPACT_KEPT 10
#define KP_COMPACT_EVERY_MS 60000

struct kp_compact;

struct kp_compact_config {
	struct kp_store *store; /* borrowed */
	uint64_t max_revisions;
	int64_t max_age_ms;
};

/* kp_compact_once forgets what is due at now_ms (of kp_wall_ms). */
bool kp_compact_once(const struct kp_compact_config *config, int64_t now_ms,
    struct kp_error *err) KP_MUST_CHECK;

/* kp_compact_new does so now and every minute, while this server leads. */
struct kp_compact *kp_compact_new(const struct kp_compact_config *config);
void kp_compact_free(struct kp_compact *compact);

#endif
