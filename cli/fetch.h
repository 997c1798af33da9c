/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists of a policy server, all pages of them. What a server may send is
 * bounded: in number, in length and in time. @thread main
 */
#ifndef KP_CLI_FETCH_H
#define KP_CLI_FETCH_H

#include "cli/connection.h"

#define KP_FETCH_MAX_RESOURCES 100000
#define KP_FETCH_MAX_NODES 100000
/* Of all pages together, packed. */
#define KP_FETCH_MAX_LEN (256u << 20)
/* For all pages, unless --request-timeout gives them longer. */
#define KP_FETCH_TIMEOUT_MS 60000

/* Zero fields: all kinds, all labels, the newest revision, with documents. */
struct kp_query {
	const char *kind, *selector;
	uint64_t revision;
	bool is_names_only;
};

/* Borrowed from pages. */
struct kp_listed {
	Kproxy__Control__V1__Resource **list;
	size_t num;
	uint64_t revision;
	ProtobufCMessage **pages;
	size_t num_pages;
};

struct kp_listed_nodes {
	Kproxy__Control__V1__Node **list;
	size_t num;
	uint64_t revision;
	const char *version; /* of the server's program; may be "" */
	ProtobufCMessage **pages;
	size_t num_pages;
};

/* Each says on stderr what went wrong. To be ended with its fini either way. */
enum kp_exit kp_fetch_resources(struct kp_connection *connection,
    struct kp_listed *out, const struct kp_query *query);

/*
 * kp_fetch_resources_why does not say that a call failed: that is in why, which
 * is OK before, for kp_rpc_status_fini, and KP_EXIT_OK is returned.
 */
enum kp_exit kp_fetch_resources_why(struct kp_connection *connection,
    struct kp_listed *out, const struct kp_query *query,
    struct kp_rpc_status *why);
void kp_listed_fini(struct kp_listed *listed);

enum kp_exit kp_fetch_nodes(struct kp_connection *connection,
    struct kp_listed_nodes *out, const char *selector, bool is_brief);
void kp_listed_nodes_fini(struct kp_listed_nodes *listed);

/*
 * kp_fetch_resource asks for one, as of a revision (0: the newest). *out is for
 * kp_unpacked_free; its resource is there.
 */
enum kp_exit kp_fetch_resource(struct kp_connection *connection,
    Kproxy__Control__V1__GetResponse **out, const char *kind, const char *name,
    uint64_t revision);

/* The same for a node. */
enum kp_exit kp_fetch_node(struct kp_connection *connection,
    Kproxy__Control__V1__GetNodeResponse **out, const char *name);

#endif
