/* SPDX-License-Identifier: Apache-2.0 */
#include "control/agent/follow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "control/agent/agent_priv.h"
#include "control/agent/intake.h"
#include "control/api/methods.h"
#include "control/api/problems.h"

/* A report's envelope around its problems. */
#define ENVELOPE_LEN 64
/* For memory to be there again. */
#define READ_AGAIN_MS 1000

void
kp_link_offer_fini(struct kp_link_offer *offer)
{
	kp_held_unref(offer->held);
	kp_diagnostics_fini(&offer->diagnostics);
	*offer = (struct kp_link_offer){ .held = NULL };
}

static void
publish(struct kp_agent *agent)
{
	if (agent->link != NULL)
		agent->link_api->state(agent->link, &agent->facts.link);
	kp_agent_publish(agent);
}

static void
settle(struct kp_agent *agent, const Kproxy__Control__V1__Problems *problems)
{
	if (agent->link != NULL)
		agent->link_api->settle(agent->link, agent->held, problems);
	publish(agent);
}

/* Paths of documents that nobody has as files: their last part is enough. */
static void
shorten_files(struct kp_agent *agent, struct kp_api_problems *problems)
{
	size_t len = strlen(agent->folder);

	for (size_t i = 0; i < problems->message.n_problems; i++) {
		char **file = &problems->message.problems[i]->file;

		if (strncmp(*file, agent->folder, len) == 0 &&
		    (*file)[len] == '/')
			*file += len + 1;
	}
}

static void
settle_refused(struct kp_agent *agent, const struct kp_diagnostics *diagnostics)
{
	struct kp_api_problems problems;

	kp_api_problems_init(
	    &problems, diagnostics, KP_API_MAX_REPORT - ENVELOPE_LEN);
	shorten_files(agent, &problems);
	settle(agent, &problems.message);
	kp_api_problems_fini(&problems);
}

static void
open_link(struct kp_agent *agent, const struct kp_link_identity *identity)
{
	const struct kp_link_config config = {
		.node = agent->config,
		.folder = agent->folder,
		.identity = *identity,
		.metrics = agent->metrics,
	};
	struct kp_error err;

	agent->link = agent->link_api->open(&config, &err);
	if (agent->link == NULL)
		kp_log(KP_LOG_ERROR, "certificate_refused",
		    KP_STR("reason", err.text));
	/* else it is told what is held when that is known */
	if (agent->current != NULL || agent->kept == KP_FOLLOW_NOTHING)
		settle(agent, NULL);
}

static bool
take_identity(struct kp_agent *agent, const struct kp_link_identity *identity)
{
	struct kp_error err;

	if (agent->link == NULL) {
		open_link(agent, identity);
		return agent->link != NULL;
	}
	if (!agent->link_api->reload(agent->link, identity, &err)) {
		kp_log(KP_LOG_ERROR, "certificate_refused",
		    KP_STR("reason", err.text));
		return false;
	}
	kp_log(KP_LOG_INFO, "certificate_reloaded",
	    KP_STR("file", agent->config->server.certificate));
	return true;
}

static bool
is_same(const struct kp_buf *a, const struct kp_buf *b)
{
	return kp_bytes_equal(kp_buf_bytes(a), kp_buf_bytes(b));
}

/* Was there no memory for it? */
static bool
is_refused(const struct kp_follow_identity *identity)
{
	return identity->ca.is_refused || identity->certificate.is_refused ||
	       identity->key.is_refused;
}

/* A bad certificate is said once, and the one before stays. */
static void
refresh_identity(struct kp_agent *agent, const struct kp_node_server *config)
{
	struct kp_follow_identity fresh, *old = &agent->identity;
	struct kp_link_identity pems;
	struct kp_error err;

	if (!kp_follow_read_identity(&fresh, config, &err)) {
		kp_log(KP_LOG_ERROR, "certificate_refused",
		    KP_STR("reason", err.text));
		/* no file will change, of which the watch would tell */
		if (is_refused(&fresh))
			agent->reload_at_ms = kp_now_ms() + READ_AGAIN_MS;
	} else if (!is_same(&fresh.ca, &old->ca) ||
		   !is_same(&fresh.certificate, &old->certificate) ||
		   !is_same(&fresh.key, &old->key)) {
		pems = kp_follow_pems(&fresh);
		(void)take_identity(agent, &pems);
		kp_follow_identity_fini(old);
		*old = fresh;
		return;
	}
	kp_follow_identity_fini(&fresh);
}

void
kp_follow_first(struct kp_agent *agent, const struct kp_source *source)
{
	agent->facts.has_servers = true;
	refresh_identity(agent, &source->config.server);
	kp_config_watch(agent, source);
	kp_follow_fall_back(agent);
	publish(agent);
}

void
kp_follow_stop(struct kp_agent *agent)
{
	if (agent->link != NULL)
		agent->link_api->close(agent->link);
	agent->link = NULL;
	kp_follow_identity_fini(&agent->identity);
	kp_held_unref(agent->held);
	kp_held_unref(agent->refused);
	free(agent->folder);
}

/* A set that was kept; NULL if there is none, or none that can be used. */
static struct kp_held *
load_set(struct kp_agent *agent, enum kp_state_set which)
{
	struct kp_diagnostics diagnostics = { .num_lines = 0 };
	struct kp_held *held = NULL;
	struct kp_buf packed;
	struct kp_error err;

	kp_buf_init(&packed, KP_STATE_MAX_LEN);
	if (kp_state_load_set(agent->state, which, &packed, &err) &&
	    packed.len > 0)
		held = kp_held_unpack(
		    kp_buf_bytes(&packed), agent->folder, &diagnostics, &err);
	if (held == NULL && packed.len > 0)
		kp_log(KP_LOG_WARN, "state_damaged",
		    KP_STR("reason", diagnostics.num_lines > 0
					 ? diagnostics.lines[0]
					 : err.text));
	kp_buf_fini(&packed);
	kp_diagnostics_fini(&diagnostics);
	return held;
}

/* Compiles held with the files as they are now; source is to be ended. */
static struct kp_edition *
compile(struct kp_agent *agent, struct kp_source *source, struct kp_held *held)
{
	struct kp_edition *edition = NULL;

	if (!kp_config_load(agent, source)) {
		kp_config_refuse_source(agent, source);
		return NULL;
	}
	kp_source_hold(source, held);
	edition = kp_config_compile(agent, source);
	kp_config_watch(agent, source);
	return edition;
}

static struct kp_edition *
try_set(struct kp_agent *agent, enum kp_state_set which)
{
	struct kp_held *held = load_set(agent, which);
	struct kp_edition *edition = NULL;
	struct kp_source source;

	if (held != NULL) {
		edition = compile(agent, &source, held);
		kp_source_fini(&source);
	}
	kp_held_unref(held);
	agent->has_next_set = edition != NULL && which == KP_STATE_SET_NEXT;
	return edition;
}

static struct kp_edition *
try_kept(struct kp_agent *agent, enum kp_follow_kept kept)
{
	struct kp_edition *edition = NULL;
	struct kp_error err;

	if (kept == KP_FOLLOW_NEXT_SET)
		edition = try_set(agent, KP_STATE_SET_NEXT);
	else if (kept == KP_FOLLOW_ACCEPTED_SET)
		edition = try_set(agent, KP_STATE_SET_ACCEPTED);
	else
		edition = kp_config_last_good(agent, &err);
	return edition;
}

void
kp_follow_fall_back(struct kp_agent *agent)
{
	struct kp_edition *edition = NULL;

	while (edition == NULL && agent->kept != KP_FOLLOW_NOTHING)
		edition = try_kept(agent, agent->kept++);
	if (edition != NULL) {
		kp_log(KP_LOG_INFO, "last_known_good",
		    KP_INT("revision", edition->held == NULL
					   ? 0
					   : kp_held_revision(edition->held)),
		    KP_STR("until", "a policy server is reached"));
		kp_rollout_begin(agent, &edition);
		return;
	}
	kp_log(KP_LOG_WARN, "waiting_for_server",
	    KP_STR("reason", "nothing that could be served was kept"));
	settle(agent, NULL);
}

/* On its way from here on, also if this process ends. */
static void
keep_next(struct kp_agent *agent, const struct kp_held *held)
{
	struct kp_buf packed;
	struct kp_error err;

	kp_buf_init(&packed, KP_STATE_MAX_LEN);
	agent->has_next_set =
	    (kp_held_pack(held, &packed) ||
		kp_buf_error(&packed, &err, "too many resources")) &&
	    kp_state_offer_set(agent->state, kp_buf_bytes(&packed), &err);
	if (!agent->has_next_set)
		kp_log(KP_LOG_ERROR, "state_not_saved",
		    KP_STR("reason", err.text));
	kp_buf_fini(&packed);
}

static void
note_refused(struct kp_agent *agent, struct kp_held *held)
{
	kp_held_unref(agent->refused);
	agent->refused = held == NULL ? NULL : kp_held_ref(held);
}

/* It is no set, or none that can be used; the link said so. */
static void
refuse_offer(struct kp_agent *agent, const struct kp_link_offer *offer)
{
	const struct kp_diagnostics *all = &offer->diagnostics;

	for (size_t i = 0; i < all->num_lines; i++)
		kp_log(KP_LOG_ERROR, "resources_refused",
		    KP_INT("revision", offer->revision),
		    KP_STR("problem", all->lines[i]));
	kp_config_refused(agent, all->lines[0]);
	settle_refused(agent, all);
}

static void
on_offer(struct kp_agent *agent, struct kp_link_offer *offer)
{
	struct kp_edition *edition;
	struct kp_source source;

	agent->facts.reloaded_ms = kp_wall_ms();
	note_refused(agent, NULL);
	if (offer->held == NULL) {
		refuse_offer(agent, offer);
		return;
	}
	edition = compile(agent, &source, offer->held);
	if (edition == NULL) {
		note_refused(agent, offer->held);
		settle_refused(agent, &source.diagnostics);
	} else {
		keep_next(agent, offer->held);
		kp_config_roll_out(agent, &edition, false);
	}
	kp_source_fini(&source);
}

int
kp_follow_fd(const struct kp_agent *agent)
{
	return agent->link == NULL || agent->step != KP_ROLLOUT_IDLE
		   ? -1
		   : agent->link_api->fd(agent->link);
}

void
kp_follow_turn(struct kp_agent *agent)
{
	struct kp_link_offer offer;

	if (kp_follow_fd(agent) < 0)
		return;
	if (agent->link_api->take(agent->link, &offer))
		on_offer(agent, &offer);
	else
		publish(agent);
	kp_link_offer_fini(&offer);
}

/* What was refused last may be good with the files as they are now. */
static struct kp_edition *
compile_refused(struct kp_agent *agent)
{
	struct kp_edition *edition;
	struct kp_source source;

	if (agent->refused == NULL)
		return NULL;
	edition = compile(agent, &source, agent->refused);
	kp_source_fini(&source);
	if (edition != NULL)
		keep_next(agent, agent->refused);
	return edition;
}

struct kp_edition *
kp_follow_reload(struct kp_agent *agent, struct kp_source *source)
{
	struct kp_edition *edition;

	refresh_identity(agent, &source->config.server);
	edition = compile_refused(agent);
	if (edition == NULL && agent->held != NULL) {
		kp_source_hold(source, agent->held);
		edition = kp_config_compile(agent, source);
	}
	if (edition == NULL && agent->current == NULL) {
		agent->kept = KP_FOLLOW_NEXT_SET;
		kp_follow_fall_back(agent);
	}
	return edition;
}

void
kp_follow_accepted(struct kp_agent *agent)
{
	struct kp_held *held = agent->current->held;
	struct kp_error err;

	agent->kept = KP_FOLLOW_NOTHING;
	if (held != agent->held) {
		kp_held_unref(agent->held);
		agent->held = held == NULL ? NULL : kp_held_ref(held);
		note_refused(agent, NULL);
		if (agent->has_next_set &&
		    !kp_state_accept_set(agent->state, &err))
			kp_log(KP_LOG_ERROR, "state_not_saved",
			    KP_STR("reason", err.text));
		agent->has_next_set = false;
	}
	settle(agent, NULL);
}

/* Is address named in reason, as in "could not listen on ip:port: why"? */
static bool
names(const char *reason, const char *address)
{
	const char *at = strstr(reason, address);

	return at != NULL && at[strlen(address)] == ':' &&
	       (at == reason || at[-1] == ' ');
}

/* A port that could not be had is the business of the listener that wanted it.
 */
static const char *
listener_of(const struct kp_edition *edition, const char *reason)
{
	for (size_t i = 0; i < edition->num_addresses; i++) {
		if (names(reason, edition->addresses[i]))
			return edition->tables->listeners[edition->listeners[i]]
			    .name;
	}
	return NULL;
}

void
kp_follow_refused(struct kp_agent *agent, const struct kp_edition *edition,
    const char *reason)
{
	struct kp_diagnostics diagnostics = { .num_lines = 0 };
	const struct kp_origin at = { .file = "node" };
	const char *listener = listener_of(edition, reason);
	char title[KP_RESOURCE_TITLE_SIZE] = "";

	if (agent->has_next_set && edition->held != agent->held) {
		kp_state_drop_set(agent->state);
		agent->has_next_set = false;
		note_refused(agent, edition->held);
	}
	if (listener != NULL)
		(void)snprintf(
		    title, sizeof(title), "Listener \"%s\"", listener);
	kp_diagnostics_add_about(&diagnostics, &at, title, "", reason);
	settle_refused(agent, &diagnostics);
	kp_diagnostics_fini(&diagnostics);
	if (agent->current == NULL)
		kp_follow_fall_back(agent);
}
