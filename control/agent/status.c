/* SPDX-License-Identifier: Apache-2.0 */
#include "control/agent/status.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/mutex.h"

struct kp_status {
	struct kp_mutex lock; /* guards facts */
	struct kp_status_facts facts;
};

struct kp_status *
kp_status_new(void)
{
	struct kp_status *status = kp_alloc(1, sizeof(*status));

	kp_mutex_init(&status->lock, KP_RANK_SNAPSHOT);
	return status;
}

void
kp_status_free(struct kp_status *status)
{
	if (status == NULL)
		return;
	kp_mutex_fini(&status->lock);
	free(status);
}

void
kp_status_set(struct kp_status *status, const struct kp_status_facts *facts)
{
	kp_mutex_lock(&status->lock);
	status->facts = *facts;
	kp_mutex_unlock(&status->lock);
}

void
kp_status_get(struct kp_status *status, struct kp_status_facts *out)
{
	kp_mutex_lock(&status->lock);
	*out = status->facts;
	kp_mutex_unlock(&status->lock);
}

static void
add_config(const struct kp_status_facts *facts, struct kp_buf *out)
{
	if (facts->is_config_valid)
		kp_buf_printf(out, "config: generation %llu\n",
		    (unsigned long long)facts->generation);
	else if (!facts->is_serving)
		kp_buf_printf(out, "config: refused: %s\n", facts->problem);
	else
		kp_buf_printf(out,
		    "config: refused, serving %sgeneration %llu: "
		    "%s\n",
		    facts->is_last_good ? "last known good " : "",
		    (unsigned long long)facts->generation, facts->problem);
}

bool
kp_status_ready(struct kp_status *status, struct kp_buf *out)
{
	struct kp_status_facts facts;
	bool is_ready;

	kp_status_get(status, &facts);
	is_ready = facts.has_worker && facts.is_serving && !facts.is_draining;
	kp_buf_add_text(out, is_ready ? "ok\n" : "not ready\n");
	if (!facts.has_worker)
		kp_buf_add_text(out, "worker: not there\n");
	else if (!facts.is_serving)
		kp_buf_add_text(out, "worker: has no tables yet\n");
	else
		kp_buf_add_text(out, "worker: accepting\n");
	if (facts.is_draining)
		kp_buf_add_text(out, "node: draining\n");
	add_config(&facts, out);
	return is_ready;
}

static void
gauge(struct kp_buf *out, const char *name, const char *help, double value)
{
	kp_buf_printf(out, "# HELP %s %s\n# TYPE %s gauge\n%s %.15g\n", name,
	    help, name, name, value);
}

void
kp_status_render(struct kp_status *status, struct kp_buf *out)
{
	struct kp_status_facts facts;
	int64_t age_ms;

	kp_status_get(status, &facts);
	age_ms = facts.applied_ms == 0 ? 0 : kp_wall_ms() - facts.applied_ms;
	kp_buf_printf(out,
	    "# HELP kproxy_build_info Version of the program.\n"
	    "# TYPE kproxy_build_info gauge\n"
	    "kproxy_build_info{version=\"%s\"} 1\n",
	    KP_VERSION);
	gauge(out, "kproxy_config_generation",
	    "Generation of the configuration in force.",
	    (double)facts.generation);
	gauge(out, "kproxy_config_age_seconds",
	    "Time since the configuration in force was applied.",
	    (double)age_ms / 1000);
	gauge(out, "kproxy_config_valid",
	    "Whether the files as they are now were accepted.",
	    facts.is_config_valid);
	gauge(out, "kproxy_config_last_reload_timestamp_seconds",
	    "When files were read last.", (double)facts.reloaded_ms / 1000);
	gauge(out, "kproxy_agent_start_time_seconds", "When the agent started.",
	    (double)facts.started_ms / 1000);
	gauge(out, "kproxy_worker_up",
	    "Whether the worker is connected to the agent.", facts.has_worker);
}
