/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How new tables come into force. The supervisor first binds old and new ports
 * together, so that nothing is closed for tables that the worker then refuses;
 * the worker takes the tables or keeps its own; only then the old ports go. A
 * worker or an agent may die in between: whoever is new says what it has, and
 * the way is taken up from there.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "control/agent/agent.h"
#include "control/agent/agent_priv.h"

/* Tables that end this many workers are not tried again. */
#define MAX_SENT 3
/* For memory to be there again. */
#define SEND_AGAIN_MS 1000

#define SAVE_TABLES_AFTER_MS 1000

static bool
send_bind(struct kp_agent *agent, const struct kp_edition *a,
    const struct kp_edition *b, struct kp_error *err)
{
	Kp__Node__Envelope envelope;
	Kp__Node__Bind bind;
	bool is_sent;

	kp__node__envelope__init(&envelope);
	kp__node__bind__init(&bind);
	envelope.body_case = KP__NODE__ENVELOPE__BODY_BIND;
	envelope.bind = &bind;
	bind.id = ++agent->bind_id;
	bind.n_addresses = kp_edition_addresses(&bind.addresses, a, b);
	is_sent = kp_agent_tell_supervisor(agent, &envelope, err);
	agent->is_bound = is_sent && b == NULL;
	free(bind.addresses);
	return is_sent;
}

static bool
send_started(struct kp_agent *agent)
{
	Kp__Node__Envelope envelope;
	Kp__Node__Started started;
	struct kp_error err;

	kp__node__envelope__init(&envelope);
	kp__node__started__init(&started);
	envelope.body_case = KP__NODE__ENVELOPE__BODY_STARTED;
	envelope.started = &started;
	return kp_agent_tell_supervisor(agent, &envelope, &err);
}

/* False with err if a worker that is there did not get them. */
static bool
send_tables(struct kp_agent *agent, const struct kp_edition *edition,
    struct kp_error *err)
{
	Kp__Node__Envelope envelope;
	Kp__Node__Tables tables;
	struct kp_buf packed;
	bool is_sent;

	kp_buf_init(&packed, KP_CHANNEL_MAX_MESSAGE);
	kp__node__envelope__init(&envelope);
	kp__node__tables__init(&tables);
	envelope.body_case = KP__NODE__ENVELOPE__BODY_TABLES;
	envelope.tables = &tables;
	kp_nodes_adopt(agent->nodes, edition->tables);
	tables.generation = edition->tables->generation;
	tables.content_hash = edition->content_hash;
	is_sent = kp_tables_pack(&packed, edition->tables, true) ||
		  kp_buf_error(&packed, err, "tables larger than %u MiB",
		      KP_CHANNEL_MAX_MESSAGE >> 20);
	if (is_sent) {
		tables.packed.data = packed.data;
		tables.packed.len = packed.len;
		is_sent = kp_agent_tell_worker(agent, &envelope, err);
	}
	if (packed.data != NULL)
		explicit_bzero(packed.data, packed.len);
	kp_buf_fini(&packed);
	return is_sent;
}

static const struct kp_tables_cluster *
cluster_of(const struct kp_tables *tables, size_t virtual_cluster)
{
	return &tables->clusters[tables->virtual_clusters[virtual_cluster]
				     .cluster];
}

/* Of clusters that clients reach; nobody connects to the others. */
static void
resolve_hosts(struct kp_agent *agent)
{
	const struct kp_tables *tables = agent->current->tables;
	size_t num = 0, max = 0;
	const char **hosts;

	for (size_t i = 0; i < tables->num_virtual_clusters; i++)
		max += cluster_of(tables, i)->num_bootstrap;
	hosts = kp_alloc(max + 1, sizeof(*hosts));
	for (size_t i = 0; i < tables->num_virtual_clusters; i++) {
		const struct kp_tables_cluster *cluster = cluster_of(tables, i);

		for (size_t j = 0; j < cluster->num_bootstrap; j++)
			hosts[num++] = cluster->bootstrap[j].host;
	}
	kp_resolver_keep(agent->resolver, hosts, num);
	free(hosts);
}

/*
 * A set of a policy server that is in stateDir says all that its tables say,
 * and a start takes it first. So the tables may wait, and changes that follow
 * each other write them once.
 */
static void
keep(struct kp_agent *agent, const struct kp_edition *edition)
{
	if (kp_state_generation(agent->state) == edition->tables->generation &&
	    kp_state_content_hash(agent->state) == edition->content_hash)
		return;
	if (!agent->has_next_set) {
		kp_agent_save_tables(agent);
		return;
	}
	kp_state_note_tables(
	    agent->state, edition->tables->generation, edition->content_hash);
	if (agent->save_tables_at_ms == KP_NEVER)
		agent->save_tables_at_ms = kp_now_ms() + SAVE_TABLES_AFTER_MS;
}

static void
end_rollout(struct kp_agent *agent)
{
	agent->step = KP_ROLLOUT_IDLE;
	agent->next = NULL;
	agent->num_sent = 0;
}

static const char *
source_of(const struct kp_edition *edition)
{
	if (edition->is_last_good)
		return "last known good";
	return edition->held != NULL ? "server" : "files";
}

/* The worker serves from next now. */
static void
accept(struct kp_agent *agent)
{
	struct kp_edition *edition = agent->next;
	const struct kp_tables *tables = edition->tables;
	struct kp_error err;

	kp_edition_free(agent->current);
	agent->current = edition;
	end_rollout(agent);
	agent->facts.is_serving = true;
	agent->facts.generation = tables->generation;
	agent->facts.applied_ms = kp_wall_ms();
	agent->facts.is_last_good = edition->is_last_good;
	if (!edition->is_last_good) {
		agent->facts.is_config_valid = true;
		agent->facts.problem[0] = '\0';
	}
	kp_agent_publish(agent);
	kp_log(KP_LOG_INFO, "resources_applied",
	    KP_INT("generation", tables->generation),
	    KP_INT("virtual_clusters", tables->num_virtual_clusters),
	    KP_INT("ports", edition->num_addresses),
	    KP_STR("source", source_of(edition)));
	if (!agent->has_started)
		agent->has_started = send_started(agent);
	/* ports that were not given up now are with the next success */
	if (!agent->is_bound)
		(void)send_bind(agent, agent->current, NULL, &err);
	resolve_hosts(agent);
	keep(agent, agent->current);
	if (agent->is_following)
		kp_follow_accepted(agent);
}

/*
 * Ports that were bound for next stay bound until the next success: the worker
 * may hold them still.
 */
static void
refuse(struct kp_agent *agent, const char *reason, int exit_code)
{
	struct kp_edition *refused = agent->next;

	kp_log(KP_LOG_ERROR, "resources_refused", KP_STR("problem", reason));
	end_rollout(agent);
	kp_config_refused(agent, reason);
	if (agent->is_following)
		kp_follow_refused(agent, refused, reason);
	else if (agent->current == NULL &&
		 (refused->is_last_good || !kp_config_fall_back(agent)))
		kp_agent_stop(agent, exit_code);
	kp_edition_free(refused);
}

/*
 * The same content keeps its number; anything else gets one that neither the
 * worker nor the file has.
 */
static uint64_t
choose_generation(const struct kp_agent *agent, uint64_t content_hash)
{
	uint64_t last = kp_state_generation(agent->state);

	if (last != 0 && kp_state_content_hash(agent->state) == content_hash)
		return last;
	if (agent->worker_generation > last)
		last = agent->worker_generation;
	return last + 1;
}

/* Goes on with next as far as that is possible now. */
static void
advance(struct kp_agent *agent)
{
	struct kp_edition *next = agent->next;
	struct kp_error err;

	if (agent->step != KP_ROLLOUT_BOUND || !agent->has_greeted)
		return;
	if (agent->worker_generation != 0 &&
	    agent->worker_hash == next->content_hash) {
		next->tables->generation = agent->worker_generation;
		accept(agent);
		return;
	}
	if (agent->num_sent == MAX_SENT) {
		refuse(agent, "the worker ended while it took the tables over",
		    EXIT_FAILURE);
		return;
	}
	next->tables->generation = choose_generation(agent, next->content_hash);
	agent->num_sent++;
	agent->step = KP_ROLLOUT_SENT;
	if (!send_tables(agent, next, &err))
		refuse(agent, err.text, EXIT_FAILURE);
}

void
kp_rollout_begin(struct kp_agent *agent, struct kp_edition **edition)
{
	struct kp_error err;

	kp_assert(agent->step == KP_ROLLOUT_IDLE);
	agent->next = *edition;
	*edition = NULL;
	if (agent->is_bound &&
	    kp_edition_same_addresses(agent->current, agent->next)) {
		agent->step = KP_ROLLOUT_BOUND;
		advance(agent);
		return;
	}
	agent->step = KP_ROLLOUT_BINDING;
	if (!send_bind(agent, agent->current, agent->next, &err))
		refuse(agent, err.text, EXIT_FAILURE);
}

void
kp_rollout_on_bound(struct kp_agent *agent, const Kp__Node__Bound *bound)
{
	if (agent->step != KP_ROLLOUT_BINDING || bound->id != agent->bind_id)
		return;
	for (size_t i = 0; i < bound->n_errors; i++)
		kp_log(KP_LOG_ERROR, "listen_failed",
		    KP_STR("reason", bound->errors[i]));
	if (bound->n_errors > 0) {
		refuse(agent, bound->errors[0], EXIT_FAILURE);
		return;
	}
	agent->step = KP_ROLLOUT_BOUND;
	advance(agent);
}

/* A worker without tables serves nobody: that is not left so. */
static void
send_current(struct kp_agent *agent)
{
	struct kp_error err;

	agent->send_again_at_ms = KP_NEVER;
	if (send_tables(agent, agent->current, &err))
		return;
	kp_log(KP_LOG_ERROR, "tables_not_sent", KP_STR("reason", err.text));
	agent->send_again_at_ms = kp_now_ms() + SEND_AGAIN_MS;
}

void
kp_rollout_send_again(struct kp_agent *agent)
{
	agent->send_again_at_ms = KP_NEVER;
	if (agent->current != NULL && agent->has_greeted &&
	    !agent->facts.is_serving)
		send_current(agent);
}

void
kp_rollout_on_serving(struct kp_agent *agent, const Kp__Node__Serving *serving)
{
	const struct kp_edition *current = agent->current;

	agent->has_greeted = true;
	agent->worker_generation = serving->generation;
	agent->worker_hash = serving->content_hash;
	agent->facts.is_serving =
	    current != NULL &&
	    serving->generation == current->tables->generation;
	kp_agent_publish(agent);
	if (current != NULL && !agent->facts.is_serving)
		send_current(agent);
	if (agent->step == KP_ROLLOUT_SENT)
		agent->step = KP_ROLLOUT_BOUND;
	advance(agent);
	kp_resolver_tell_all(agent->resolver);
}

static void
on_current_applied(struct kp_agent *agent, const Kp__Node__Applied *applied)
{
	agent->facts.is_serving = applied->is_ok;
	kp_agent_publish(agent);
	if (!applied->is_ok)
		kp_log(KP_LOG_ERROR, "tables_refused_again",
		    KP_INT("generation", applied->generation),
		    KP_STR("reason", applied->error));
}

void
kp_rollout_on_applied(struct kp_agent *agent, const Kp__Node__Applied *applied)
{
	bool is_next = agent->step == KP_ROLLOUT_SENT &&
		       applied->generation == agent->next->tables->generation;

	if (applied->is_ok)
		agent->worker_generation = applied->generation;
	if (is_next && applied->is_ok) {
		agent->worker_hash = agent->next->content_hash;
		accept(agent);
	} else if (is_next) {
		refuse(agent, applied->error, KP_AGENT_EXIT_REFUSED);
	} else if (agent->current != NULL &&
		   applied->generation == agent->current->tables->generation) {
		agent->worker_hash = agent->current->content_hash;
		on_current_applied(agent, applied);
	}
}
