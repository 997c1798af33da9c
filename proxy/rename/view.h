/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The addresses under which a listener shows the nodes of its cluster: a port
 * per node (ports) or a host name per node on one port (sni). A pure function
 * of the listener's definition, so every proxy of a fleet shows the same.
 * @thread any
 */
#ifndef KP_PROXY_RENAME_VIEW_H
#define KP_PROXY_RENAME_VIEW_H

#include "proxy/upstream/topology.h"
#include "rules/tables.h"

/* No node: a connection to the bootstrap address. */
#define KP_NO_NODE (-1)

/*
 * kp_view_of_node fills out with the address that clients are given for node
 * id; false if the listener has no address for it.
 */
bool kp_view_of_node(
    const struct kp_tables_listener *listener, int32_t id, struct kp_node *out);

/* kp_view_of_bootstrap is the address that clients start with. */
void kp_view_of_bootstrap(
    const struct kp_tables_listener *listener, struct kp_node *out);

/*
 * kp_view_node_of_port tells which node a connection to that port is meant for:
 * KP_NO_NODE for the bootstrap port. false if the port is not the listener's.
 */
bool kp_view_node_of_port(
    const struct kp_tables_listener *listener, uint16_t port, int32_t *out_id);

/*
 * kp_view_node_of_name is the same for the TLS server name of strategy sni;
 * names compare without case (RFC 6066).
 */
bool kp_view_node_of_name(const struct kp_tables_listener *listener,
    const char *name, int32_t *out_id);

#endif
