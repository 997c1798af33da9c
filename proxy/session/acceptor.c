/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/session/acceptor.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "proxy/session/session.h"

/*
 * A connection's thread maps this much and touches a small part of it; TLS
 * handshakes need the most.
 */
#define STACK_LEN (256u * 1024)

/* Gauges are written and deadlines looked at this often. */
#define TICK_MS 500

/* Then the next door has its turn, and connections that ended are joined. */
#define ACCEPT_TURN 64

/* malloc is asked to give back what ended connections left this often. */
#define TRIM_MS 2000

/* After running out of file descriptors nothing is accepted for this long. */
#define PAUSE_MS 100

struct doors {
	struct kp_door *doors;
	size_t num_doors;
	struct kp_snapshot *snapshot; /* a share of it */
	struct pollfd *fds;           /* the eventfds first, then the doors */
};

struct kp_acceptor {
	struct kp_shared *shared;
	pthread_t thread;
	pthread_attr_t stack;
	int command_event; /* eventfd: next or is_stopping has changed */
	int64_t next_look_ms;
	int64_t next_trim_ms;
	bool has_joined; /* since the last trim */

	struct kp_mutex next_mutex; /* guards what follows */
	struct kp_cond taken;
	struct doors *next; /* to be used from now on; NULL: no change */
	bool is_stopping;
};

#define NUM_EVENTS 2

static void
free_doors(struct doors *doors)
{
	if (doors == NULL)
		return;
	kp_snapshot_unref(doors->snapshot);
	free(doors->doors);
	free(doors->fds);
	free(doors);
}

static struct doors *
new_doors(const struct kp_acceptor *acceptor, struct kp_door *list,
    size_t num_doors, struct kp_snapshot *snapshot)
{
	struct doors *doors = kp_alloc(1, sizeof(*doors));

	doors->doors = list;
	doors->num_doors = num_doors;
	doors->snapshot = snapshot;
	doors->fds = kp_alloc(NUM_EVENTS + num_doors, sizeof(*doors->fds));
	doors->fds[0] =
	    (struct pollfd){ .fd = acceptor->command_event, .events = POLLIN };
	doors->fds[1] = (struct pollfd){ .fd = acceptor->shared->ended_event,
		.events = POLLIN };
	for (size_t i = 0; i < num_doors; i++)
		doors->fds[NUM_EVENTS + i] =
		    (struct pollfd){ .fd = list[i].fd, .events = POLLIN };
	return doors;
}

static void
refuse(struct kp_shared *shared, struct kp_session *session,
    enum kp_close_reason reason, const char *detail)
{
	static struct kp_log_limiter limiter;
	uint64_t suppressed;

	kp_metrics_add(shared->metrics, 0, KP_M_CLOSED, reason, 1);
	if (kp_log_admit(&limiter, &suppressed))
		kp_log(KP_LOG_WARN, "connection_refused",
		    KP_STR("peer", session->peer),
		    KP_STR("listener", session->endpoint->listener->name),
		    KP_STR("reason", kp_close_reason_name(reason)),
		    KP_STR("detail", detail), KP_INT("suppressed", suppressed));
	kp_session_free(session);
}

static enum kp_close_reason
reason_of(enum kp_roster_verdict verdict)
{
	switch (verdict) {
	case KP_ROSTER_HOST_FULL:
		return KP_CLOSE_ADDRESS_LIMIT;
	case KP_ROSTER_GROUP_FULL:
		return KP_CLOSE_VIRTUAL_CLUSTER_LIMIT;
	case KP_ROSTER_FULL:
	case KP_ROSTER_IN:
		break;
	}
	return KP_CLOSE_CONNECTION_LIMIT;
}

static void
start_session(struct kp_acceptor *acceptor, struct kp_session *session)
{
	struct kp_shared *shared = acceptor->shared;
	const struct kp_limits *limits = session->limits;
	const struct kp_tables_virtual_cluster *vc =
	    session->endpoint->virtual_cluster;
	const struct kp_roster_limits roster_limits = {
		.in_all = (uint32_t)limits->of[KP_LIMIT_CONNECTIONS],
		.opening = (uint32_t)limits->of[KP_LIMIT_CONNECTIONS_OPENING],
		.per_host =
		    (uint32_t)limits->of[KP_LIMIT_CONNECTIONS_PER_ADDRESS],
		.per_group = vc->max_connections,
	};
	enum kp_roster_verdict verdict;
	pthread_t thread;

	kp_metrics_add(shared->metrics, 0, KP_M_CONNECTIONS_TOTAL, 0, 1);
	verdict = kp_roster_add(
	    &shared->roster, &session->roster, vc->name, &roster_limits);
	if (verdict != KP_ROSTER_IN) {
		refuse(shared, session, reason_of(verdict),
		    "a connection limit is reached");
		return;
	}
	kp_metrics_add(
	    shared->metrics, (unsigned)session->id, KP_M_CONNECTIONS, 0, 1);
	if (pthread_create(
		&thread, &acceptor->stack, kp_session_run, session) == 0)
		return;
	kp_metrics_add(
	    shared->metrics, (unsigned)session->id, KP_M_CONNECTIONS, 0, -1);
	kp_roster_cancel(&shared->roster, &session->roster);
	refuse(shared, session, KP_CLOSE_INTERNAL, "could not start a thread");
}

/* Accepts from one door; false when descriptors are used up. */
static bool
accept_some(struct kp_acceptor *acceptor, const struct doors *doors,
    const struct kp_door *door)
{
	for (unsigned i = 0; i < ACCEPT_TURN; i++) {
		int fd =
		    accept4(door->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		struct kp_snapshot *snapshot;
		struct kp_session *session;

		if (fd < 0)
			return errno != EMFILE && errno != ENFILE &&
			       errno != ENOBUFS && errno != ENOMEM;
		snapshot = kp_snapshot_ref(doors->snapshot);
		session = kp_session_new(acceptor->shared, &snapshot,
		    &doors->snapshot->endpoints[door->endpoint], door->node_id,
		    fd);
		if (session != NULL)
			start_session(acceptor, session);
	}
	return true;
}

static void
log_pause(void)
{
	static struct kp_log_limiter limiter;
	uint64_t suppressed;

	if (kp_log_admit(&limiter, &suppressed))
		kp_log(KP_LOG_ERROR, "accept_paused",
		    KP_STR("reason", "no file descriptor or memory left"),
		    KP_STR("hint", "raise the limit of open files"),
		    KP_INT("suppressed", suppressed));
}

static bool
accept_from_doors(struct kp_acceptor *acceptor, const struct doors *doors)
{
	bool has_room = true;

	for (size_t i = 0; i < doors->num_doors && has_room; i++) {
		if (doors->fds[NUM_EVENTS + i].revents != 0)
			has_room =
			    accept_some(acceptor, doors, &doors->doors[i]);
	}
	if (!has_room)
		log_pause();
	return has_room;
}

static void
join_ended(struct kp_acceptor *acceptor)
{
	struct kp_roster_entry *entry;

	while (
	    (entry = kp_roster_take_ended(&acceptor->shared->roster)) != NULL) {
		kp_must(pthread_join(entry->thread, NULL));
		kp_session_free((struct kp_session *)entry);
		acceptor->has_joined = true;
	}
}

/*
 * What was freed stays with malloc, below the little that is not: after a crowd
 * it would be the crowd's for good.
 */
static void
trim(struct kp_acceptor *acceptor, int64_t now_ms)
{
	if (!acceptor->has_joined || now_ms < acceptor->next_trim_ms)
		return;
	acceptor->has_joined = false;
	acceptor->next_trim_ms = now_ms + TRIM_MS;
	(void)malloc_trim(0);
}

/* Not more often than each tick, however many events there are. */
static void
look_around(struct kp_acceptor *acceptor)
{
	struct kp_shared *shared = acceptor->shared;
	int64_t now_ms = kp_now_ms();

	if (now_ms < acceptor->next_look_ms)
		return;
	acceptor->next_look_ms = now_ms + TICK_MS;
	kp_roster_wake_late(&shared->roster, now_ms);
	trim(acceptor, now_ms);

	kp_metrics_set(shared->metrics, KP_M_BUFFER_BYTES, 0,
	    (int64_t)kp_pool_in_use(shared->pool));
	kp_metrics_set(shared->metrics, KP_M_BUFFER_LIMIT, 0,
	    (int64_t)kp_pool_limit(shared->pool));
	kp_metrics_set(shared->metrics, KP_M_OPENING, 0,
	    kp_roster_count_opening(&shared->roster));
}

/* Takes what kp_acceptor_set_doors left; false when it is time to stop. */
static bool
take_commands(struct kp_acceptor *acceptor, struct doors **doors)
{
	struct doors *old = NULL;
	bool is_stopping;

	kp_mutex_lock(&acceptor->next_mutex);
	if (acceptor->next != NULL) {
		old = *doors;
		*doors = acceptor->next;
		acceptor->next = NULL;
	}
	is_stopping = acceptor->is_stopping;
	kp_mutex_unlock(&acceptor->next_mutex);
	kp_cond_broadcast(&acceptor->taken);
	free_doors(old);
	return !is_stopping;
}

static void
clear_events(const struct doors *doors)
{
	eventfd_t count;

	for (unsigned i = 0; i < NUM_EVENTS; i++) {
		if (doors->fds[i].revents != 0)
			(void)eventfd_read(doors->fds[i].fd, &count);
	}
}

static void *
run(void *argument)
{
	struct kp_acceptor *acceptor = argument;
	struct doors *doors = new_doors(acceptor, NULL, 0, NULL);
	bool has_room = true;

	while (take_commands(acceptor, &doors)) {
		nfds_t num = NUM_EVENTS + (has_room ? doors->num_doors : 0);
		int events =
		    poll(doors->fds, num, has_room ? TICK_MS : PAUSE_MS);

		look_around(acceptor);
		if (events > 0)
			clear_events(doors);
		join_ended(acceptor);
		if (events > 0 && has_room)
			has_room = accept_from_doors(acceptor, doors);
		else
			has_room = true;
	}
	join_ended(acceptor);
	free_doors(doors);
	return NULL;
}

struct kp_acceptor *
kp_acceptor_start(struct kp_shared *shared)
{
	struct kp_acceptor *acceptor = kp_alloc(1, sizeof(*acceptor));

	acceptor->shared = shared;
	kp_mutex_init(&acceptor->next_mutex, KP_RANK_SESSIONS);
	kp_cond_init(&acceptor->taken);
	acceptor->command_event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	kp_assert(acceptor->command_event >= 0);
	kp_must(pthread_attr_init(&acceptor->stack));
	kp_must(pthread_attr_setstacksize(&acceptor->stack, STACK_LEN));
	kp_must(pthread_create(&acceptor->thread, NULL, run, acceptor));
	return acceptor;
}

void
kp_acceptor_set_doors(struct kp_acceptor *acceptor, struct kp_door **doors,
    size_t num_doors, struct kp_snapshot *snapshot)
{
	struct doors *next = new_doors(acceptor, *doors, num_doors,
	    snapshot == NULL ? NULL : kp_snapshot_ref(snapshot));

	*doors = NULL;
	kp_mutex_lock(&acceptor->next_mutex);
	acceptor->next = next;
	(void)eventfd_write(acceptor->command_event, 1);
	while (acceptor->next != NULL)
		(void)kp_cond_wait(
		    &acceptor->taken, &acceptor->next_mutex, KP_NEVER);
	kp_mutex_unlock(&acceptor->next_mutex);
}

void
kp_acceptor_stop(struct kp_acceptor *acceptor)
{
	kp_mutex_lock(&acceptor->next_mutex);
	acceptor->is_stopping = true;
	kp_mutex_unlock(&acceptor->next_mutex);
	(void)eventfd_write(acceptor->command_event, 1);
	kp_must(pthread_join(acceptor->thread, NULL));
	kp_must(pthread_attr_destroy(&acceptor->stack));
	kp_cond_fini(&acceptor->taken);
	kp_mutex_fini(&acceptor->next_mutex);
	(void)close(acceptor->command_event);
	free(acceptor);
}
