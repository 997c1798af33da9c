/* SPDX-License-Identifier: Apache-2.0 */
#include "control/agent/edition.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "proto/control/channel.h"

/*
 * FNV-1a over the packed tables: tells whether anything changed. Nobody gains
 * by a collision: whoever can choose the content may change it as well.
 */
static uint64_t
hash(struct kp_bytes bytes)
{
	uint64_t sum = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < bytes.len; i++)
		sum = (sum ^ bytes.data[i]) * UINT64_C(0x100000001b3);
	return sum;
}

static bool
hash_content(
    const struct kp_tables *tables, uint64_t *out, struct kp_error *err)
{
	struct kp_buf packed;
	bool is_ok;

	kp_buf_init(&packed, KP_CHANNEL_MAX_MESSAGE);
	is_ok = kp_tables_pack(&packed, tables, true) ||
		kp_buf_error(&packed, err,
		    "resources with their certificates are larger than %u MiB",
		    KP_CHANNEL_MAX_MESSAGE >> 20);
	*out = hash(kp_buf_bytes(&packed));
	if (packed.data != NULL)
		explicit_bzero(packed.data, packed.len);
	kp_buf_fini(&packed);
	return is_ok;
}

static void
forget_nodes(struct kp_tables *tables)
{
	for (size_t i = 0; i < tables->num_clusters; i++) {
		struct kp_tables_cluster *cluster = &tables->clusters[i];

		for (size_t j = 0; j < cluster->num_nodes; j++)
			free(cluster->nodes[j].address.host);
		free(cluster->nodes);
		cluster->nodes = NULL;
		cluster->num_nodes = 0;
	}
}

static size_t
num_ports_of(const struct kp_tables_listener *listener)
{
	if (listener->strategy == KP_LISTEN_SNI)
		return 1;
	return 1 + (size_t)listener->num_ports;
}

/* "ip:port" in the one way that the worker writes it, too. */
static char *
format(const char *bind, unsigned port)
{
	struct in6_addr bytes;
	char host[INET6_ADDRSTRLEN], *text = NULL;
	bool is_v6 = inet_pton(AF_INET6, bind, &bytes) == 1;
	const char *canonical = bind;

	if (is_v6)
		canonical = inet_ntop(AF_INET6, &bytes, host, sizeof(host));
	kp_assert(
	    asprintf(&text, is_v6 ? "[%s]:%u" : "%s:%u", canonical, port) >= 0);
	return text;
}

static unsigned
port_of(const struct kp_tables_listener *listener, size_t index)
{
	return index == 0 ? listener->bootstrap_port
			  : listener->first_port + (unsigned)index - 1;
}

static void
list_addresses(struct kp_edition *edition)
{
	const struct kp_tables *tables = edition->tables;
	size_t num = 0, at = 0;

	for (size_t i = 0; i < tables->num_listeners; i++)
		num += num_ports_of(&tables->listeners[i]);
	edition->addresses = kp_alloc(num, sizeof(*edition->addresses));
	edition->listeners = kp_alloc(num, sizeof(*edition->listeners));
	edition->num_addresses = num;
	for (size_t i = 0; i < tables->num_listeners; i++) {
		const struct kp_tables_listener *listener =
		    &tables->listeners[i];

		for (size_t p = 0; p < num_ports_of(listener); p++) {
			edition->listeners[at] = i;
			edition->addresses[at++] =
			    format(listener->bind, port_of(listener, p));
		}
	}
}

struct kp_edition *
kp_edition_new(struct kp_tables **tables, struct kp_error *err)
{
	struct kp_edition *edition = kp_alloc(1, sizeof(*edition));

	edition->tables = *tables;
	*tables = NULL;
	edition->tables->generation = 0;
	forget_nodes(edition->tables);
	if (!hash_content(edition->tables, &edition->content_hash, err)) {
		kp_edition_free(edition);
		return NULL;
	}
	list_addresses(edition);
	return edition;
}

void
kp_edition_free(struct kp_edition *edition)
{
	if (edition == NULL)
		return;
	for (size_t i = 0; i < edition->num_addresses; i++)
		free(edition->addresses[i]);
	free(edition->addresses);
	free(edition->listeners);
	kp_tables_free(edition->tables);
	kp_held_unref(edition->held);
	free(edition);
}

size_t
kp_edition_addresses(
    char ***out, const struct kp_edition *a, const struct kp_edition *b)
{
	const struct kp_edition *both[] = { a, b };
	size_t num = 0;

	*out = kp_alloc((a != NULL ? a->num_addresses : 0) +
			    (b != NULL ? b->num_addresses : 0) + 1,
	    sizeof(**out));
	for (unsigned i = 0; i < 2; i++) {
		for (size_t j = 0;
		     both[i] != NULL && j < both[i]->num_addresses; j++)
			(*out)[num++] = both[i]->addresses[j];
	}
	return num;
}

bool
kp_edition_same_addresses(
    const struct kp_edition *a, const struct kp_edition *b)
{
	if (a->num_addresses != b->num_addresses)
		return false;
	for (size_t i = 0; i < a->num_addresses; i++) {
		if (strcmp(a->addresses[i], b->addresses[i]) != 0)
			return false;
	}
	return true;
}
