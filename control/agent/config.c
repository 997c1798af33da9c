/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files say, and what follows from it: a rollout, a refusal, or what
 * was kept from before.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "control/agent/agent.h"
#include "control/agent/agent_priv.h"
#include "control/api/problems.h"
#include "proto/control/node_metrics.h"

void
kp_config_greet(struct kp_agent *agent, const struct kp_node_config *config)
{
	Kp__Node__Envelope envelope;
	Kp__Node__Hello hello;
	Kp__Node__Logging logging;
	struct kp_error err;

	kp__node__envelope__init(&envelope);
	kp__node__hello__init(&hello);
	kp__node__logging__init(&logging);
	envelope.body_case = KP__NODE__ENVELOPE__BODY_HELLO;
	envelope.hello = &hello;
	hello.logging = &logging;
	hello.drain_timeout_ms =
	    (int32_t)config->limits.of[KP_LIMIT_DRAIN_TIMEOUT];
	logging.level = config->log_level;
	logging.format = config->log_format;
	(void)kp_agent_tell_supervisor(agent, &envelope, &err);
}

void
kp_config_refused(struct kp_agent *agent, const char *problem)
{
	kp_metrics_add(agent->metrics, 0, KP_M_CONFIG_REFUSED, 0, 1);
	agent->facts.is_config_valid = false;
	(void)snprintf(
	    agent->facts.problem, sizeof(agent->facts.problem), "%s", problem);
	kp_agent_publish(agent);
}

void
kp_config_refuse_source(struct kp_agent *agent, const struct kp_source *source)
{
	kp_api_problems_log(&source->diagnostics, "resources_refused");
	kp_config_refused(agent, source->diagnostics.num_lines > 0
				     ? source->diagnostics.lines[0]
				     : "unknown problem");
}

bool
kp_config_load(struct kp_agent *agent, struct kp_source *out)
{
	bool is_valid =
	    kp_source_load(out, agent->config_path, agent->node_file);

	if (out->has_config) {
		kp_node_file_unref(agent->node_file);
		agent->node_file = kp_node_file_ref(out->node_file);
	}
	return is_valid;
}

static void
watch_secret(void *ctx, const struct kp_secret_ref *ref)
{
	if (ref->source == KP_SECRET_FILE)
		kp_watch_file(ctx, ref->name);
}

static void
watch_secrets(struct kp_agent *agent, const struct kp_resources *resources)
{
	kp_resources_each_secret(resources, watch_secret, agent->watch);
}

static void
watch_held(struct kp_agent *agent, const struct kp_held *held)
{
	if (held != NULL)
		watch_secrets(agent, kp_held_resources(held));
}

static void
watch_identity(struct kp_watch *watch, const struct kp_node_server *config)
{
	kp_watch_file(watch, config->ca);
	kp_watch_file(watch, config->certificate);
	kp_watch_file(watch, config->key);
}

/*
 * Even what is refused is watched: it is about to be repaired. Only a node.yaml
 * that cannot be read leaves the watches as they are.
 */
void
kp_config_watch(struct kp_agent *agent, const struct kp_source *source)
{
	if (!source->has_config)
		return;
	kp_watch_begin(agent->watch);
	kp_watch_file(agent->watch, agent->config_path);
	if (kp_source_has_servers(source))
		watch_identity(agent->watch, &source->config.server);
	else
		kp_watch_folder(agent->watch, source->config.files_dir);
	watch_secrets(agent, kp_source_resources(source));
	watch_held(agent, agent->held);
	watch_held(agent, agent->refused);
	if (agent->next != NULL)
		watch_held(agent, agent->next->held);
	kp_watch_end(agent->watch);
}

static void
warn_restart(const char *setting)
{
	kp_log(KP_LOG_WARN, "restart_needed", KP_STR("setting", setting),
	    KP_STR("reason", "a change of it has no effect before"));
}

/* What can change at run time does; for the rest a restart is asked for. */
static void
apply_config(struct kp_agent *agent, const struct kp_node_config *config)
{
	const struct kp_node_config *old = agent->config;

	if (strcmp(config->node, old->node) != 0)
		warn_restart("node");
	if (strcmp(config->state_dir, old->state_dir) != 0)
		warn_restart("stateDir");
	if (strcmp(config->admin.host, old->admin.host) != 0 ||
	    config->admin.port != old->admin.port)
		warn_restart("admin.listen");
	if (config->log_format != old->log_format)
		warn_restart("log.format");
	kp_log_init("agent", old->log_format, config->log_level);
	kp_config_greet(agent, config);
}

struct kp_edition *
kp_config_compile(struct kp_agent *agent, struct kp_source *source)
{
	const struct kp_origin at = { .file = agent->config_path };
	struct kp_tables *tables = kp_source_compile(source);
	struct kp_edition *edition = NULL;
	struct kp_error err;

	if (tables != NULL) {
		edition = kp_edition_new(&tables, &err);
		if (edition == NULL)
			kp_diagnostics_add(
			    &source->diagnostics, &at, "%s", err.text);
	}
	if (edition == NULL)
		kp_config_refuse_source(agent, source);
	else if (source->held != NULL)
		edition->held = kp_held_ref(source->held);
	return edition;
}

static bool
is_unchanged(const struct kp_agent *agent, const struct kp_edition *edition)
{
	return agent->current != NULL && !agent->current->is_last_good &&
	       agent->current->content_hash == edition->content_hash;
}

/* The same tables, but perhaps of a newer set. */
static void
adopt(struct kp_agent *agent, struct kp_edition *edition)
{
	struct kp_held *before = agent->current->held;

	agent->current->held = edition->held;
	edition->held = before;
	kp_follow_accepted(agent);
}

void
kp_config_roll_out(
    struct kp_agent *agent, struct kp_edition **edition, bool is_asked_for)
{
	if (!is_unchanged(agent, *edition)) {
		kp_rollout_begin(agent, edition);
		return;
	}
	if (is_asked_for || !agent->facts.is_config_valid)
		kp_log(KP_LOG_INFO, "resources_unchanged",
		    KP_INT("generation", agent->facts.generation));
	agent->facts.is_config_valid = true;
	agent->facts.problem[0] = '\0';
	if (agent->is_following)
		adopt(agent, *edition);
	else
		kp_agent_publish(agent);
	kp_edition_free(*edition);
	*edition = NULL;
}

/* What the files say now; NULL if it is of no use, or nothing new. */
static struct kp_edition *
reload(struct kp_agent *agent, struct kp_source *source)
{
	if (!kp_config_load(agent, source)) {
		kp_config_refuse_source(agent, source);
		return NULL;
	}
	if (kp_source_has_servers(source) != agent->is_following) {
		warn_restart("control");
		return NULL;
	}
	apply_config(agent, &source->config);
	return agent->is_following ? kp_follow_reload(agent, source)
				   : kp_config_compile(agent, source);
}

void
kp_config_reload(struct kp_agent *agent, bool is_asked_for)
{
	struct kp_source source;
	struct kp_edition *edition;

	if (agent->step != KP_ROLLOUT_IDLE) {
		agent->is_reload_due = true;
		return;
	}
	agent->is_reload_due = false;
	agent->reload_at_ms = KP_NEVER;
	agent->facts.reloaded_ms = kp_wall_ms();
	edition = reload(agent, &source);
	kp_config_watch(agent, &source);
	if (edition != NULL)
		kp_config_roll_out(agent, &edition, is_asked_for);
	kp_source_fini(&source);
}

void
kp_config_first(struct kp_agent *agent, struct kp_source *source)
{
	struct kp_edition *edition = NULL;

	agent->facts.reloaded_ms = kp_wall_ms();
	if (agent->is_following) {
		kp_follow_first(agent, source);
		return;
	}
	if (kp_diagnostics_count(&source->diagnostics) > 0)
		kp_config_refuse_source(agent, source);
	else
		edition = kp_config_compile(agent, source);
	kp_config_watch(agent, source);
	/* what has changed since they were read was not watched */
	agent->is_reload_due = true;
	if (edition != NULL)
		kp_rollout_begin(agent, &edition);
	else if (!kp_config_fall_back(agent))
		kp_agent_stop(agent, KP_AGENT_EXIT_REFUSED);
}

struct kp_edition *
kp_config_last_good(struct kp_agent *agent, struct kp_error *err)
{
	struct kp_tables *tables = kp_state_load_tables(agent->state, err);
	struct kp_edition *edition;

	if (tables == NULL)
		return NULL;
	if (!kp_tables_read_secrets(tables, kp_source_read_secret, NULL, err)) {
		kp_tables_free(tables);
		return NULL;
	}
	edition = kp_edition_new(&tables, err);
	if (edition != NULL)
		edition->is_last_good = true;
	return edition;
}

bool
kp_config_fall_back(struct kp_agent *agent)
{
	struct kp_error err;
	struct kp_edition *edition = kp_config_last_good(agent, &err);

	if (edition == NULL) {
		kp_log(KP_LOG_ERROR, "no_last_known_good",
		    KP_STR("reason", err.text));
		return false;
	}
	kp_log(KP_LOG_WARN, "last_known_good",
	    KP_INT("generation", kp_state_generation(agent->state)),
	    KP_STR("reason", "the files as they are now were refused"));
	kp_rollout_begin(agent, &edition);
	return true;
}
