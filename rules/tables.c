/* SPDX-License-Identifier: Apache-2.0 */
/* Life and soundness of rule tables. Serialized: tables_pack.c, tables_wire.c.
 */
#include "rules/tables.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/text.h"
#include "rules/tables_priv.h"

/* Tables own their bytes; const is for those who read them. */
static void
bytes_wipe(struct kp_bytes *bytes)
{
	union {
		const uint8_t *borrowed;
		void *owned;
	} data = { .borrowed = bytes->data };

	if (bytes->len > 0)
		explicit_bzero(data.owned, bytes->len);
	free(data.owned);
	*bytes = (struct kp_bytes){ 0 };
}

static void
key_pair_fini(struct kp_key_pair *pair)
{
	bytes_wipe(&pair->certificate_pem);
	bytes_wipe(&pair->key_pem);
	free(pair->certificate_ref);
	free(pair->key_ref);
}

static void
cluster_fini(struct kp_tables_cluster *cluster)
{
	for (size_t i = 0; i < cluster->num_bootstrap; i++)
		free(cluster->bootstrap[i].host);
	for (size_t i = 0; i < cluster->num_nodes; i++)
		free(cluster->nodes[i].address.host);
	free(cluster->bootstrap);
	free(cluster->nodes);
	bytes_wipe(&cluster->ca_pem);
	free(cluster->ca_ref);
	key_pair_fini(&cluster->client);
	free(cluster->name);
}

static void
listener_fini(struct kp_tables_listener *listener)
{
	for (size_t i = 0; i < listener->num_certificates; i++)
		key_pair_fini(&listener->certificates[i]);
	free(listener->certificates);
	bytes_wipe(&listener->client_ca_pem);
	free(listener->client_ca_ref);
	free(listener->name);
	free(listener->bind);
	free(listener->advertised_host);
	free(listener->sni_bootstrap);
	free(listener->sni_broker);
}

void
kp_tables_free(struct kp_tables *tables)
{
	if (tables == NULL)
		return;
	for (size_t i = 0; i < tables->num_clusters; i++)
		cluster_fini(&tables->clusters[i]);
	for (size_t i = 0; i < tables->num_listeners; i++)
		listener_fini(&tables->listeners[i]);
	for (size_t i = 0; i < tables->num_virtual_clusters; i++)
		free(tables->virtual_clusters[i].name);
	for (size_t i = 0; i < tables->num_policies; i++)
		kp_tables_policy_fini(&tables->policies[i]);
	free(tables->policies);
	free(tables->clusters);
	free(tables->listeners);
	free(tables->virtual_clusters);
	free(tables);
}

static bool
fail(struct kp_error *err, const char *what)
{
	return kp_error_set(err, KP_ERR_CONFIG, "%s", what);
}

static bool
is_address_sound(const struct kp_host_port *address)
{
	return address->host != NULL && kp_is_host(address->host) &&
	       address->port != 0;
}

static bool
check_cluster(const struct kp_tables_cluster *cluster, struct kp_error *err)
{
	if (cluster->name == NULL)
		return fail(err, "a cluster has no name");
	if (cluster->num_bootstrap == 0)
		return fail(err, "a cluster has no bootstrap address");
	for (size_t i = 0; i < cluster->num_bootstrap; i++) {
		if (!is_address_sound(&cluster->bootstrap[i]))
			return fail(err, "a bootstrap address is not valid");
	}
	for (size_t i = 0; i < cluster->num_nodes; i++) {
		if (cluster->nodes[i].id < 0 ||
		    !is_address_sound(&cluster->nodes[i].address))
			return fail(err, "a node's address is not valid");
	}
	if (cluster->connect_timeout_ms <= 0)
		return fail(err, "a time limit is not positive");
	return true;
}

static bool
check_ports(const struct kp_tables_listener *listener, struct kp_error *err)
{
	uint32_t last = (uint32_t)listener->first_port + listener->num_ports;

	if (listener->advertised_host == NULL ||
	    !kp_is_host(listener->advertised_host))
		return fail(err, "an advertised host is not valid");
	if (listener->first_port == 0 || listener->num_ports == 0 ||
	    last - 1 > UINT16_MAX)
		return fail(err, "a range of ports is not valid");
	if (listener->bootstrap_port >= listener->first_port &&
	    listener->bootstrap_port < last)
		return fail(err, "a bootstrap port is a broker's port");
	if (listener->first_node_id < 0 ||
	    listener->first_node_id > INT32_MAX - listener->num_ports + 1)
		return fail(err, "a first node id is not valid");
	return true;
}

static bool
check_sni(const struct kp_tables_listener *listener, struct kp_error *err)
{
	if (!listener->has_tls)
		return fail(err, "a listener with host names has no TLS");
	if (listener->sni_bootstrap == NULL ||
	    !kp_is_host(listener->sni_bootstrap))
		return fail(err, "a bootstrap host name is not valid");
	if (listener->sni_broker == NULL ||
	    strstr(listener->sni_broker, "{node}") == NULL)
		return fail(err, "a pattern of host names has no {node}");
	return true;
}

static bool
check_listener(const struct kp_tables_listener *listener, struct kp_error *err)
{
	if (listener->name == NULL)
		return fail(err, "a listener has no name");
	if (listener->bind == NULL || !kp_is_address(listener->bind) ||
	    listener->bootstrap_port == 0)
		return fail(err, "an address to listen on is not valid");
	if (listener->has_tls != (listener->num_certificates > 0))
		return fail(err, "TLS and certificates do not go together");
	if (listener->client_auth != KP_CLIENT_AUTH_NONE && !listener->has_tls)
		return fail(err, "client certificates need TLS");
	if (listener->strategy == KP_LISTEN_SNI)
		return check_sni(listener, err);
	return check_ports(listener, err);
}

/* Every index is in range and no listener has two virtual clusters. */
static bool
check_virtual_clusters(const struct kp_tables *tables, struct kp_error *err)
{
	bool *is_used = kp_alloc(tables->num_listeners, sizeof(*is_used));
	bool ok = true;

	for (size_t i = 0; i < tables->num_virtual_clusters && ok; i++) {
		const struct kp_tables_virtual_cluster *v =
		    &tables->virtual_clusters[i];

		if (v->name == NULL)
			ok = fail(err, "a virtual cluster has no name");
		else if (v->cluster >= tables->num_clusters)
			ok = fail(err, "a virtual cluster has no cluster");
		else if (v->listener >= tables->num_listeners)
			ok = fail(err, "a virtual cluster has no listener");
		else if (is_used[v->listener])
			ok = fail(err, "a listener is used twice");
		else
			is_used[v->listener] = true;
	}
	free(is_used);
	return ok;
}

bool
kp_tables_check(const struct kp_tables *tables, struct kp_error *err)
{
	if (!kp_limits_are_in_bounds(&tables->limits))
		return fail(err, "a limit is out of its bounds");
	for (size_t i = 0; i < tables->num_clusters; i++) {
		if (!check_cluster(&tables->clusters[i], err))
			return false;
	}
	for (size_t i = 0; i < tables->num_listeners; i++) {
		if (!check_listener(&tables->listeners[i], err))
			return false;
	}
	for (size_t i = 0; i < tables->num_policies; i++) {
		if (!kp_tables_policy_check(&tables->policies[i], err))
			return false;
	}
	return check_virtual_clusters(tables, err);
}
