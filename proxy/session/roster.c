/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/session/roster.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

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
unlink_locked(struct kp_roster *roster, struct kp_roster_entry *entry)
{
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

bool
kp_roster_add(struct kp_roster *roster, struct kp_roster_entry *entry,
    const char *group, const struct kp_roster_limits *limits)
{
	bool is_in;

	kp_mutex_lock(&roster->list_mutex);
	entry->group = group_locked(roster, group);
	is_in = is_below(roster->num_live, limits->in_all) &&
		is_below(entry->group->num_live, limits->per_group) &&
		(limits->per_host == 0 ||
		    count_host_locked(roster, entry->host) < limits->per_host);
	if (is_in)
		link_locked(roster, entry);
	kp_mutex_unlock(&roster->list_mutex);
	return is_in;
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

void
kp_roster_wake_all(struct kp_roster *roster)
{
	kp_mutex_lock(&roster->list_mutex);
	for (unsigned i = 0; i < KP_ROSTER_BUCKETS; i++) {
		for (struct kp_roster_entry *entry = roster->live[i];
		     entry != NULL; entry = entry->next) {
			if (entry->is_running)
				kp_must(pthread_kill(
				    entry->thread, KP_WAKE_SIGNAL));
		}
	}
	kp_mutex_unlock(&roster->list_mutex);
}
