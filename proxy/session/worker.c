/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/worker.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "proto/control/node_metrics.h"
#include "proxy/net/address.h"
#include "proxy/rename/view.h"
#include "proxy/session/acceptor.h"
#include "proxy/session/session.h"
#include "proxy/session/shared.h"

/* A listening socket as the supervisor handed it over. */
struct listening {
	char address[KP_ADDRESS_TEXT_LEN];
	int fd;
	bool is_wanted; /* by the tables that are being put in force */
	bool is_used;   /* by a door that is open */
};

struct kp_worker {
	struct kp_shared shared;
	struct kp_tls_tickets *tickets;
	struct kp_acceptor *acceptor;
	struct listening *sockets;
	size_t num_sockets, max_sockets;
	size_t at; /* behind the socket that was found last */
};

void
kp_worker_prepare(void)
{
	kp_tls_prepare();
	kp_pipes_prepare();
}

struct kp_worker *
kp_worker_new(struct kp_metrics *metrics, const struct kp_reports *reports)
{
	struct kp_worker *worker = kp_alloc(1, sizeof(*worker));

	kp_session_prepare_wait();
	kp_shared_init(&worker->shared, metrics, reports);
	worker->tickets = kp_tls_tickets_new();
	worker->acceptor = kp_acceptor_start(&worker->shared);
	return worker;
}

/*
 * Looked for from where the last one was found: tables and supervisor name them
 * in one order, and thousands are not searched thousands of times.
 */
static struct listening *
find_socket(struct kp_worker *worker, const char *address)
{
	for (size_t step = 0; step < worker->num_sockets; step++) {
		size_t i = (worker->at + step) % worker->num_sockets;

		if (strcmp(worker->sockets[i].address, address) == 0) {
			worker->at = i + 1;
			return &worker->sockets[i];
		}
	}
	return NULL;
}

static struct listening *
new_socket(struct kp_worker *worker)
{
	if (worker->num_sockets == worker->max_sockets) {
		struct listening *old = worker->sockets;

		worker->max_sockets = worker->max_sockets * 2 + 8;
		worker->sockets =
		    kp_alloc(worker->max_sockets, sizeof(*worker->sockets));
		kp_copy(worker->sockets, old,
		    worker->num_sockets * sizeof(*worker->sockets));
		free(old);
	}
	return &worker->sockets[worker->num_sockets++];
}

void
kp_worker_add_socket(struct kp_worker *worker, const char *address, int fd)
{
	struct listening *socket = find_socket(worker, address);

	if (socket != NULL || strlen(address) >= sizeof(socket->address)) {
		(void)close(fd);
		return;
	}
	socket = new_socket(worker);
	*socket = (struct listening){ .fd = fd };
	kp_copy(socket->address, address, strlen(address) + 1);
}

static size_t
num_doors_of(const struct kp_tables_listener *listener)
{
	return 1 + (listener->strategy == KP_LISTEN_PORTS
			   ? (size_t)listener->num_ports
			   : 0);
}

static bool
make_door(struct kp_worker *worker, struct kp_door *door,
    const struct kp_tables_listener *listener, uint16_t port,
    struct kp_error *err)
{
	struct kp_address address;
	char text[KP_ADDRESS_TEXT_LEN];
	struct listening *socket;

	if (!kp_address_parse(&address, listener->bind, port))
		return kp_error_set(err, KP_ERR_CONFIG,
		    "listener \"%s\": bind \"%.100s\" is no address",
		    listener->name, listener->bind);
	kp_address_format(&address, text);
	socket = find_socket(worker, text);
	if (socket == NULL)
		return kp_error_set(err, KP_ERR_UNAVAILABLE,
		    "listener \"%s\": no socket for %s", listener->name, text);
	socket->is_wanted = true;
	door->fd = socket->fd;
	return kp_view_node_of_port(listener, port, &door->node_id);
}

static bool
make_doors(struct kp_worker *worker, const struct kp_snapshot *snapshot,
    struct kp_door *doors, struct kp_error *err)
{
	size_t num = 0;

	for (size_t i = 0; i < worker->num_sockets; i++)
		worker->sockets[i].is_wanted = false;
	for (size_t i = 0; i < snapshot->num_endpoints; i++) {
		const struct kp_tables_listener *listener =
		    snapshot->endpoints[i].listener;
		size_t num_of_listener = num_doors_of(listener);

		for (size_t d = 0; d < num_of_listener; d++) {
			uint16_t port =
			    d == 0 ? listener->bootstrap_port
				   : (uint16_t)(listener->first_port + d - 1);

			doors[num].endpoint = i;
			if (!make_door(
				worker, &doors[num++], listener, port, err))
				return false;
		}
	}
	return true;
}

/* Closes the sockets that no open door uses. */
static void
close_unused(struct kp_worker *worker)
{
	size_t num = 0;

	for (size_t i = 0; i < worker->num_sockets; i++) {
		if (worker->sockets[i].is_used)
			worker->sockets[num++] = worker->sockets[i];
		else
			(void)close(worker->sockets[i].fd);
	}
	worker->num_sockets = num;
}

static void
open_doors(struct kp_worker *worker, struct kp_door *doors, size_t num_doors,
    struct kp_snapshot *snapshot)
{
	for (size_t i = 0; i < worker->num_sockets; i++)
		worker->sockets[i].is_used = worker->sockets[i].is_wanted;
	kp_acceptor_set_doors(worker->acceptor, &doors, num_doors, snapshot);
	close_unused(worker);
}

static void
publish(struct kp_worker *worker, struct kp_snapshot *snapshot)
{
	struct kp_metrics *metrics = worker->shared.metrics;
	const struct kp_tables *tables = snapshot->tables;

	/* said before it is counted: who sees the number may look it up */
	kp_log(KP_LOG_INFO, "tables_published",
	    KP_INT("generation", tables->generation),
	    KP_INT("virtual_clusters", tables->num_virtual_clusters));
	kp_metrics_set(
	    metrics, KP_M_SNAPSHOT_GENERATION, 0, (int64_t)tables->generation);
	kp_metrics_set(
	    metrics, KP_M_SNAPSHOT_PUBLISHED, 0, kp_wall_ms() / 1000);
	kp_pool_set_limit(
	    worker->shared.pool, (uint64_t)tables->limits.of[KP_LIMIT_MEMORY]);
	kp_snapshot_publish(&worker->shared.snapshots, &snapshot);
}

/*
 * Connections may wait at a door with a request already: what they are served
 * from is published before it opens.
 */
static bool
put_in_force(struct kp_worker *worker, struct kp_snapshot *snapshot,
    struct kp_error *err)
{
	struct kp_door *doors;
	size_t num_doors = 0;

	for (size_t i = 0; i < snapshot->num_endpoints; i++)
		num_doors += num_doors_of(snapshot->endpoints[i].listener);
	doors = kp_alloc(num_doors + 1, sizeof(*doors));
	if (!make_doors(worker, snapshot, doors, err)) {
		free(doors);
		return false;
	}
	publish(worker, kp_snapshot_ref(snapshot));
	if (atomic_load(&worker->shared.is_draining))
		free(doors);
	else
		open_doors(worker, doors, num_doors, snapshot);
	return true;
}

bool
kp_worker_apply(
    struct kp_worker *worker, struct kp_tables **tables, struct kp_error *err)
{
	struct kp_snapshot *before =
	    kp_snapshot_acquire(&worker->shared.snapshots);
	struct kp_snapshot *snapshot = kp_snapshot_new(
	    tables, before, worker->tickets, worker->shared.metrics, err);
	bool is_ok = snapshot != NULL && put_in_force(worker, snapshot, err);

	/* a port must not stay taken for tables that were refused */
	if (!is_ok)
		close_unused(worker);
	kp_snapshot_unref(before);
	kp_snapshot_unref(snapshot);
	return is_ok;
}

void
kp_worker_resolved(struct kp_worker *worker, const char *host,
    const char *const *addresses, size_t num_addresses)
{
	kp_names_set(worker->shared.names, host, addresses, num_addresses);
}

static void
close_all(struct kp_worker *worker)
{
	for (size_t i = 0; i < worker->num_sockets; i++)
		(void)close(worker->sockets[i].fd);
	worker->num_sockets = 0;
}

static void
stop_accepting(struct kp_worker *worker)
{
	struct kp_snapshot *snapshot =
	    kp_snapshot_acquire(&worker->shared.snapshots);
	struct kp_door *none = NULL;

	kp_acceptor_set_doors(worker->acceptor, &none, 0, snapshot);
	kp_snapshot_unref(snapshot);
	close_all(worker);
}

void
kp_worker_drain(struct kp_worker *worker, int32_t timeout_ms)
{
	struct kp_shared *shared = &worker->shared;

	atomic_store(&shared->hard_stop_ms, kp_now_ms() + timeout_ms);
	if (!atomic_exchange(&shared->is_draining, true)) {
		kp_log(KP_LOG_INFO, "draining",
		    KP_INT("connections", kp_roster_count(&shared->roster)),
		    KP_INT("timeout_ms", timeout_ms));
		stop_accepting(worker);
	}
	kp_roster_wake_all(&shared->roster);
}

bool
kp_worker_is_drained(struct kp_worker *worker)
{
	return atomic_load(&worker->shared.is_draining) &&
	       kp_roster_count(&worker->shared.roster) == 0;
}

void
kp_worker_free(struct kp_worker *worker)
{
	if (worker == NULL)
		return;
	kp_assert(kp_roster_count(&worker->shared.roster) == 0);
	kp_acceptor_stop(worker->acceptor);
	close_all(worker);
	free(worker->sockets);
	kp_shared_fini(&worker->shared);
	kp_tls_tickets_unref(worker->tickets);
	free(worker);
}
