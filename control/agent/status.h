/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the node is, as the agent's main thread says and the admin pages show.
 * @thread any @locks takes its own
 */
#ifndef KP_CONTROL_AGENT_STATUS_H
#define KP_CONTROL_AGENT_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "control/agent/link.h"

#define KP_STATUS_MAX_PROBLEM 1024

struct kp_status_facts {
	bool has_worker; /* its channel is there */
	bool is_serving; /* the worker has these tables: */
	bool is_draining;
	uint64_t generation;  /* of the tables in force, 0 without */
	int64_t applied_ms;   /* wall clock, when they came into force */
	int64_t reloaded_ms;  /* wall clock, when files were read last */
	int64_t started_ms;   /* wall clock, when the agent started */
	bool is_config_valid; /* the files as they are now, the newest push */
	bool is_last_good;    /* serving what was kept from before */
	char problem[KP_STATUS_MAX_PROBLEM]; /* why not valid */
	bool has_servers;          /* resources come from policy servers: */
	uint64_t revision;         /* in force; 0: not known */
	struct kp_link_state link; /* of a link that is open */
};

struct kp_status;

struct kp_status *kp_status_new(void);
void kp_status_free(struct kp_status *status);

void kp_status_set(
    struct kp_status *status, const struct kp_status_facts *facts);
void kp_status_get(struct kp_status *status, struct kp_status_facts *out);

/*
 * kp_status_ready adds the body of /readyz to out and returns whether the node
 * takes connections.
 */
bool kp_status_ready(struct kp_status *status, struct kp_buf *out);

/* kp_status_render adds the agent's own metrics. */
void kp_status_render(struct kp_status *status, struct kp_buf *out);

#endif
