/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/session/roster.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"

void
kp_roster_init(struct kp_roster *roster)
{
	*roster = (struct kp_roster){ .num_live = 0 };
	kp_mutex_init(&roster->list_mutex, KP_RANK_SESSIONS);
}

void
kp_roster_fini(struct kp_roster *roster)
{
	struct kp_roster_group *next;

	for (struct kp_roster_group *g = roster->groups; g != NULL; g = next) {
		next = g->next;
		free(g->name);
		free(g);
	}
	kp_mutex_fini(&roster->list_mutex);
}

/* FNV-1a: spreads addresses; a peer gains nothing from a full bucket. */
static unsigned
bucket_of(const char *host)
{
	uint32_t hash = 2166136261u;

	for (; *host != '\0'; host++)
		hash = (hash ^ (uint8_t)*host) * 16777619u;
	return hash % KP_ROSTER_BUCKETS;
}

static uint32_t
count_host_locked(const struct kp_roster *roster, const char *host)
{
	uint32_t num = 0;

	for (const struct kp_roster_entry *entry =
		 roster->live[bucket_of(host)];
	     entry != NULL; entry = entry->next) {
		if (strcmp(entry->host, host) == 0)
			num++;
	}
	return num;
}

static struct kp_roster_group *
group_locked(struct kp_roster *roster, const char *name)
{
	struct kp_roster_group *group = roster->groups;

	while (group != NULL && strcmp(group->name, name) != 0)
		group = group->next;
	if (group != NULL)
		return group;
	group = kp_alloc(1, sizeof(*group));
	group->name = kp_strdup(name);
	group->next = roster->groups;
	roster->groups = group;
	return group;
}

static void
link_locked(struct kp_roster *roster, struct kp_roster_entry *entry)
{
	struct kp_roster_entry **head = &roster->live[bucket_of(entry->host)];

	entry->before = NULL;
	entry->next = *head;
	if (*head != NULL)
		(*head)->before = entry;
	*head = entry;
	entry->group->num_live++;
	roster->num_live++;
}

static void
leave_opening_locked(struct kp_roster *roster, struct kp_roster_entry *entry)
{
	if (!entry->is_opening)
		return;
	entry->is_opening = false;
	*(entry->older != NULL ? &entry->older->younger : &roster->oldest) =
	    entry->younger;
	*(entry->younger != NULL ? &entry->younger->older : &roster->youngest) =
	    entry->older;
	roster->num_opening--;
}

static void
wake_locked(const struct kp_roster_entry *entry)
{
	if (entry->is_running)
		kp_must(pthread_kill(entry->thread, KP_WAKE_SIGNAL));
}

/* The youngest of all; the oldest one makes room for it if need be. */
static void
enter_opening_locked(
    struct kp_roster *roster, struct kp_roster_entry *entry, uint32_t limit)
{
	struct kp_roster_entry *oldest = roster->oldest;

	if (limit != 0 && roster->num_opening >= limit && oldest != NULL) {
		leave_opening_locked(roster, oldest);
		atomic_store(&oldest->is_evicted, true);
		wake_locked(oldest);
	}
	entry->is_opening = true;
	entry->younger = NULL;
	entry->older = roster->youngest;
	*(entry->older != NULL ? &entry->older->younger : &roster->oldest) =
	    entry;
	roster->youngest = entry;
	roster->num_opening++;
}

static void
unlink_locked(struct kp_roster *roster, struct kp_roster_entry *entry)
{
	leave_opening_locked(roster, entry);
	if (entry->before != NULL)
		entry->before->next = entry->next;
	else
		roster->live[bucket_of(entry->host)] = entry->next;
	if (entry->next != NULL)
		entry->next->before = entry->before;
	entry->group->num_live--;
	roster->num_live--;
}

static bool
is_below(uint32_t num, uint32_t limit)
{
	return limit == 0 || num < limit;
}

static enum kp_roster_verdict
judge_locked(const struct kp_roster *roster,
    const struct kp_roster_entry *entry, const struct kp_roster_limits *limits)
{
	if (!is_below(roster->num_live, limits->in_all))
		return KP_ROSTER_FULL;
	if (!is_below(entry->group->num_live, limits->per_group))
		return KP_ROSTER_GROUP_FULL;
	if (limits->per_host != 0 &&
	    count_host_locked(roster, entry->host) >= limits->per_host)
		return KP_ROSTER_HOST_FULL;
	return KP_ROSTER_IN;
}

enum kp_roster_verdict
kp_roster_add(struct kp_roster *roster, struct kp_roster_entry *entry,
    const char *group, const struct kp_roster_limits *limits)
{
	enum kp_roster_verdict verdict;

	atomic_store(&entry->wake_ms, KP_NEVER);
	kp_mutex_lock(&roster->list_mutex);
	entry->group = group_locked(roster, group);
	verdict = judge_locked(roster, entry, limits);
	if (verdict == KP_ROSTER_IN) {
		link_locked(roster, entry);
		enter_opening_locked(roster, entry, limits->opening);
	}
	kp_mutex_unlock(&roster->list_mutex);
	return verdict;
}

void
kp_roster_opened(struct kp_roster *roster, struct kp_roster_entry *entry)
{
	kp_mutex_lock(&roster->list_mutex);
	leave_opening_locked(roster, entry);
	kp_mutex_unlock(&roster->list_mutex);
}

void
kp_roster_started(struct kp_roster *roster, struct kp_roster_entry *entry)
{
	kp_mutex_lock(&roster->list_mutex);
	entry->thread = pthread_self();
	entry->is_running = true;
	kp_mutex_unlock(&roster->list_mutex);
}

void
kp_roster_cancel(struct kp_roster *roster, struct kp_roster_entry *entry)
{
	kp_mutex_lock(&roster->list_mutex);
	unlink_locked(roster, entry);
	kp_mutex_unlock(&roster->list_mutex);
}

void
kp_roster_end(struct kp_roster *roster, struct kp_roster_entry *entry)
{
	kp_mutex_lock(&roster->list_mutex);
	unlink_locked(roster, entry);
	entry->next = roster->ended;
	roster->ended = entry;
	roster->num_ended++;
	kp_mutex_unlock(&roster->list_mutex);
}

struct kp_roster_entry *
kp_roster_take_ended(struct kp_roster *roster)
{
	struct kp_roster_entry *entry;

	kp_mutex_lock(&roster->list_mutex);
	entry = roster->ended;
	if (entry != NULL) {
		roster->ended = entry->next;
		roster->num_ended--;
	}
	kp_mutex_unlock(&roster->list_mutex);
	return entry;
}

uint32_t
kp_roster_count(struct kp_roster *roster)
{
	uint32_t num;

	kp_mutex_lock(&roster->list_mutex);
	num = roster->num_live + roster->num_ended;
	kp_mutex_unlock(&roster->list_mutex);
	return num;
}

uint32_t
kp_roster_count_opening(struct kp_roster *roster)
{
	uint32_t num;

	kp_mutex_lock(&roster->list_mutex);
	num = roster->num_opening;
	kp_mutex_unlock(&roster->list_mutex);
	return num;
}

void
kp_roster_wake_late(struct kp_roster *roster, int64_t now_ms)
{
	kp_mutex_lock(&roster->list_mutex);
	for (unsigned i = 0; i < KP_ROSTER_BUCKETS; i++) {
		for (struct kp_roster_entry *entry = roster->live[i];
		     entry != NULL; entry = entry->next) {
			if (atomic_load_explicit(&entry->wake_ms,
				memory_order_relaxed) <= now_ms)
				wake_locked(entry);
		}
	}
	kp_mutex_unlock(&roster->list_mutex);
}

void
kp_roster_wake_all(struct kp_roster *roster)
{
	kp_roster_wake_late(roster, KP_NEVER);
}
