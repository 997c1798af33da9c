/* SPDX-License-Identifier: Apache-2.0 */
#include "control/server/hub.h"

#include <signal.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "control/server/hub_priv.h"

/* Records are written and read this often at most. */
#define SHARE_MS 1000
/* How long a push that nobody needs is kept for another one. */
#define KEEP_MS 10000
/* Items in all cuts of editions that are kept as a base: 8 bytes each. */
#define MAX_KEPT ((size_t)2 << 20)
/* The thread looks after deadlines at least, and at most, this often. */
#define MIN_TICK_MS 20
#define MAX_TICK_MS 1000

void
kp_hub_config_default(struct kp_hub_config *out)
{
	*out = (struct kp_hub_config){
		.heartbeat_ms = 10000,
		.lost_after_ms = 30000,
		.answer_ms = 120000,
		.catch_up_ms = 5000,
		.forget_after_ms = (int64_t)7 * 24 * 60 * 60 * 1000,
	};
}

void
kp_hub_pick(struct kp_hub *hub, struct kp_sessions *out)
{
	size_t num = 0;

	kp_mutex_lock(&hub->lock);
	out->list = kp_alloc(hub->num_sessions, sizeof(*out->list));
	for (struct kp_session *s = hub->sessions; s != NULL; s = s->next)
		out->list[num++] = kp_session_ref(s);
	out->num = num;
	kp_mutex_unlock(&hub->lock);
}

void
kp_sessions_fini(struct kp_sessions *sessions)
{
	for (size_t i = 0; i < sessions->num; i++)
		kp_session_unref(sessions->list[i]);
	free(sessions->list);
}

static bool
is_too_much(const struct kp_editions *editions)
{
	size_t kept = 0;

	for (size_t i = 0; i < editions->num; i++)
		kept += atomic_load(&editions->list[i]->num_cut);
	return editions->num == KP_MAX_EDITIONS ||
	       (editions->num > 0 && kept > MAX_KEPT);
}

/* Makes room for one; what goes is given to out. */
static void
make_room_locked(struct kp_editions *editions, struct kp_editions *out)
{
	while (is_too_much(editions)) {
		out->list[out->num++] = editions->list[0];
		editions->num--;
		kp_move(&editions->list[0], &editions->list[1],
		    editions->num * sizeof(editions->list[0]));
	}
}

void
kp_hub_changed(
    struct kp_hub *hub, const struct kp_items *items, int64_t committed_ms)
{
	struct kp_edition *edition = kp_edition_new(items, committed_ms);
	struct kp_editions gone = { .num = 0 };

	kp_mutex_lock(&hub->lock);
	make_room_locked(&hub->editions, &gone);
	hub->editions.list[hub->editions.num++] = edition;
	hub->edition = edition;
	hub->is_news = true;
	kp_cond_broadcast(&hub->changed);
	kp_mutex_unlock(&hub->lock);
	kp_editions_fini(&gone);
}

/* Is there something to do before that time? False if the hub stops. */
static bool
wait_for_news(struct kp_hub *hub, int64_t until_ms)
{
	bool goes_on;

	kp_mutex_lock(&hub->lock);
	while (!hub->is_stopping && !hub->is_news &&
	       kp_cond_wait(&hub->changed, &hub->lock, until_ms))
		;
	hub->is_news = false;
	goes_on = !hub->is_stopping;
	kp_mutex_unlock(&hub->lock);
	return goes_on;
}

static void
visit_sessions(struct kp_hub *hub, void (*visit)(struct kp_session *session))
{
	struct kp_sessions sessions;

	kp_hub_pick(hub, &sessions);
	for (size_t i = 0; i < sessions.num; i++)
		visit(sessions.list[i]);
	kp_sessions_fini(&sessions);
}

static void
trim(struct kp_hub *hub, int64_t now_ms)
{
	struct kp_editions editions;

	kp_mutex_lock(&hub->lock);
	kp_editions_copy(&editions, &hub->editions);
	kp_mutex_unlock(&hub->lock);
	for (size_t i = 0; i < editions.num; i++)
		kp_edition_trim(editions.list[i], now_ms - KEEP_MS);
	kp_editions_fini(&editions);
}

static int64_t
tick_of(const struct kp_hub_config *config)
{
	int64_t tick_ms = config->lost_after_ms / 4;

	if (tick_ms < MIN_TICK_MS)
		return MIN_TICK_MS;
	return tick_ms > MAX_TICK_MS ? MAX_TICK_MS : tick_ms;
}

static void *
run(void *arg)
{
	struct kp_hub *hub = arg;
	int64_t tick_ms = kp_now_ms(), share_ms = kp_now_ms() + SHARE_MS;

	while (wait_for_news(hub, tick_ms)) {
		int64_t now_ms = kp_now_ms();

		visit_sessions(hub, kp_session_push);
		if (now_ms < tick_ms)
			continue;
		visit_sessions(hub, kp_session_expire);
		trim(hub, now_ms);
		tick_ms = now_ms + tick_of(&hub->config);
		if (now_ms < share_ms)
			continue;
		kp_hub_share(hub, true);
		share_ms = now_ms + SHARE_MS;
	}
	return NULL;
}

struct kp_hub *
kp_hub_prepare(const struct kp_hub_config *config, struct kp_error *err)
{
	struct kp_hub *hub = kp_alloc(1, sizeof(*hub));

	hub->config = *config;
	hub->server_identity = kp_strdup(config->server_identity);
	hub->version = kp_strdup(config->version);
	kp_mutex_init(&hub->store_lock, KP_RANK_HUB_STORE);
	kp_mutex_init(&hub->lock, KP_RANK_HUB);
	kp_cond_init(&hub->changed);
	hub->metrics = kp_hub_metrics_new(err);
	if (hub->metrics != NULL && kp_hub_load(hub, err))
		return hub;
	kp_hub_dispose(hub);
	return NULL;
}

void
kp_hub_dispose(struct kp_hub *hub)
{
	while (hub->num_nodes > 0)
		kp_node_remove_locked(hub, hub->nodes[hub->num_nodes - 1]);
	free(hub->nodes);
	kp_editions_fini(&hub->editions);
	kp_metrics_free(hub->metrics);
	kp_cond_fini(&hub->changed);
	kp_mutex_fini(&hub->lock);
	kp_mutex_fini(&hub->store_lock);
	free(hub->server_identity);
	free(hub->version);
	free(hub);
}

static void
start(struct kp_hub *hub)
{
	sigset_t all, before;

	(void)sigfillset(&all);
	kp_must(pthread_sigmask(SIG_SETMASK, &all, &before));
	kp_must(pthread_create(&hub->thread, NULL, run, hub));
	kp_must(pthread_sigmask(SIG_SETMASK, &before, NULL));
}

struct kp_hub *
kp_hub_new(const struct kp_hub_config *config, struct kp_error *err)
{
	struct kp_hub *hub = kp_hub_prepare(config, err);

	if (hub != NULL)
		start(hub);
	return hub;
}

void
kp_hub_render(struct kp_hub *hub, struct kp_buf *out)
{
	size_t num_nodes, num_connected = 0;

	kp_mutex_lock(&hub->lock);
	num_nodes = hub->num_nodes;
	for (size_t i = 0; i < num_nodes; i++)
		num_connected += hub->nodes[i]->session != NULL;
	kp_mutex_unlock(&hub->lock);
	kp_metrics_set(
	    hub->metrics, KP_HUB_CONNECTED, 0, (int64_t)num_connected);
	kp_metrics_set(hub->metrics, KP_HUB_NODES, 0, (int64_t)num_nodes);
	kp_metrics_render(hub->metrics, out);
}

void
kp_hub_free(struct kp_hub *hub)
{
	if (hub == NULL)
		return;
	kp_mutex_lock(&hub->lock);
	hub->is_stopping = true;
	kp_assert(hub->sessions == NULL);
	kp_cond_broadcast(&hub->changed);
	kp_mutex_unlock(&hub->lock);
	kp_must(pthread_join(hub->thread, NULL));
	kp_hub_share(hub, false);
	kp_hub_dispose(hub);
}
