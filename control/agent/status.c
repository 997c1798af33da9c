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

static bool
is_waiting(const struct kp_status_facts *facts)
{
	return facts->has_servers && !facts->is_serving &&
	       facts->problem[0] == '\0' && !facts->is_config_valid;
}

static void
add_config(const struct kp_status_facts *facts, struct kp_buf *out)
{
	if (is_waiting(facts))
		kp_buf_add_text(out, "config: waiting for a policy server\n");
	else if (facts->is_config_valid)
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

static void
add_server(const struct kp_status_facts *facts, struct kp_buf *out)
{
	const struct kp_link_state *link = &facts->link;
	int64_t for_ms = kp_wall_ms() - link->since_ms;

	if (link->since_ms == 0)
		kp_buf_add_text(
		    out, "source: server, without a certificate to connect\n");
	else if (link->is_connected)
		kp_buf_printf(out,
		    "source: server %s, connected for %lld s%s\n",
		    link->address, (long long)(for_ms / 1000),
		    link->is_cordoned ? ", cordoned" : "");
	else
		kp_buf_printf(out,
		    "source: server, not connected for %lld s: %s\n",
		    (long long)(for_ms / 1000),
		    link->reason[0] == '\0' ? "connecting" : link->reason);
	if (facts->is_serving)
		kp_buf_printf(out, "revision: %llu\n",
		    (unsigned long long)facts->revision);
	if (link->refused_revision != 0)
		kp_buf_printf(out, "refused: revision %llu: %s\n",
		    (unsigned long long)link->refused_revision, link->refusal);
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
	if (facts.has_servers)
		add_server(&facts, out);
	return is_ready;
}

static void
gauge(struct kp_buf *out, const char *name, const char *help, double value)
{
	kp_buf_printf(out, "# HELP %s %s\n# TYPE %s gauge\n%s %.15g\n", name,
	    help, name, name, value);
}

static void
render_server(const struct kp_status_facts *facts, struct kp_buf *out)
{
	const struct kp_link_state *link = &facts->link;

	gauge(out, "kproxy_control_connected",
	    "Whether there is a stream to a policy server.",
	    link->is_connected);
	gauge(out, "kproxy_control_since_timestamp_seconds",
	    "Since when that is so.", (double)link->since_ms / 1000);
	gauge(out, "kproxy_control_cordoned",
	    "Whether the policy server keeps the node at what it runs.",
	    link->is_cordoned);
	gauge(out, "kproxy_control_revision",
	    "Revision of the resources in force, 0 if it is not known.",
	    (double)facts->revision);
	gauge(out, "kproxy_control_refused_revision",
	    "Revision that was refused, 0 if the newest one is in force.",
	    (double)link->refused_revision);
	gauge(out, "kproxy_control_certificate_expiry_timestamp_seconds",
	    "When the node's certificate for policy servers expires, 0 if it "
	    "is not known.",
	    (double)link->valid_until);
	kp_buf_printf(out,
	    "# HELP kproxy_control_connects_total Streams to policy servers "
	    "that began.\n"
	    "# TYPE kproxy_control_connects_total counter\n"
	    "kproxy_control_connects_total %llu\n",
	    (unsigned long long)link->num_connects);
	kp_buf_printf(out,
	    "# HELP kproxy_control_silences_total Streams that were left "
	    "because what was due of the policy server did not come.\n"
	    "# TYPE kproxy_control_silences_total counter\n"
	    "kproxy_control_silences_total %llu\n",
	    (unsigned long long)link->num_silences);
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
	kp_buf_printf(out,
	    "# HELP kproxy_control_source_info Where resources come from.\n"
	    "# TYPE kproxy_control_source_info gauge\n"
	    "kproxy_control_source_info{source=\"%s\"} 1\n",
	    facts.has_servers ? "server" : "files");
	if (facts.has_servers)
		render_server(&facts, out);
	gauge(out, "kproxy_agent_start_time_seconds", "When the agent started.",
	    (double)facts.started_ms / 1000);
	gauge(out, "kproxy_worker_up",
	    "Whether the worker is connected to the agent.", facts.has_worker);
}
