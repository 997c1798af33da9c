/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS contexts built from the rule tables: everything from PEM bytes in memory,
 * no file is opened. A context is immutable, shared by all threads and counted;
 * streams hold a reference of their own. TLS 1.2 and 1.3 with forward secrecy
 * and AEAD only; the post-quantum hybrid X25519MLKEM768 comes first.
 * @thread any
 */
#ifndef KP_PROXY_NET_TLS_H
#define KP_PROXY_NET_TLS_H

#include "base/error.h"
#include "rules/tables.h"

/*
 * kp_tls_prepare opens what the library needs of the system, before a sandbox
 * forbids it: on old kernels random bytes come from a file.
 */
void kp_tls_prepare(void);

/*
 * Keys of session tickets. One per process, given to every server context, so
 * that a reconnecting client resumes also after its listener's certificate was
 * replaced. Keys change every KP_TLS_TICKET_KEY_MS; the one before is still
 * accepted for as long.
 */
#define KP_TLS_TICKET_KEY_MS ((int64_t)4 * 3600 * 1000)
struct kp_tls_tickets;
struct kp_tls_tickets *kp_tls_tickets_new(void);
struct kp_tls_tickets *kp_tls_tickets_ref(struct kp_tls_tickets *tickets);
void kp_tls_tickets_unref(struct kp_tls_tickets *tickets);

/* kp_tls_tickets_rotate makes a new key now. */
void kp_tls_tickets_rotate(struct kp_tls_tickets *tickets);

/*
 * kp_tls_server_new makes the context of a listener with TLS; NULL with
 * KP_ERR_CONFIG if a certificate, key or CA is not usable. The client gets the
 * certificate whose names match its SNI, otherwise the first. A ticket is good
 * only for a listener of the same name, client CA and client authentication.
 */
struct kp_tls_server;
struct kp_tls_server *kp_tls_server_new(
    const struct kp_tables_listener *listener, struct kp_tls_tickets *tickets,
    struct kp_error *err);
/*
 * kp_tls_server_is_same tells whether a context of a is one of b as well: all
 * that kp_tls_server_new looks at is the same, secrets included.
 */
bool kp_tls_server_is_same(
    const struct kp_tables_listener *a, const struct kp_tables_listener *b);
struct kp_tls_server *kp_tls_server_ref(struct kp_tls_server *ctx);
void kp_tls_server_unref(struct kp_tls_server *ctx); /* NULL is fine */

/*
 * kp_tls_client_new makes the context for connections to a cluster with TLS;
 * NULL with KP_ERR_CONFIG. The broker's chain is always verified, its name
 * unless the cluster says otherwise.
 */
struct kp_tls_client;
struct kp_tls_client *kp_tls_client_new(
    const struct kp_tables_cluster *cluster, struct kp_error *err);
/* kp_tls_client_is_same: as kp_tls_server_is_same, but of clusters. */
bool kp_tls_client_is_same(
    const struct kp_tables_cluster *a, const struct kp_tables_cluster *b);
struct kp_tls_client *kp_tls_client_ref(struct kp_tls_client *ctx);
void kp_tls_client_unref(struct kp_tls_client *ctx); /* NULL is fine */

#endif
