/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store in etcd, for any number of servers
 * (docs/decisions/011-etcd-layout.md says how it lies there). A commit is one
 * compare-and-swap; each server hears of the others' commits from a watch.
 * Without a quorum of etcd's nodes nothing can be committed, and what is read
 * may be older than the newest revision, but never older than what this store
 * has known. Two threads of its own: one watches, one keeps the lease of the
 * leader and does the leader's work.
 */
#ifndef KP_CONTROL_SERVER_ETCD_H
#define KP_CONTROL_SERVER_ETCD_H

#include "control/rpc/identity.h"
#include "control/server/store.h"

#define KP_ETCD_MAX_ENDPOINTS 16
#define KP_ETCD_MAX_PREFIX_LEN 128

/* Zero fields are the defaults. Copied by kp_etcd_open. */
struct kp_etcd_config {
	/*
	 * "https://host:port" each, tried in turn; or "http://host:port" each:
	 * in the clear, with a warning in the log.
	 */
	const char *const *endpoints;
	size_t num_endpoints; /* 1 to KP_ETCD_MAX_ENDPOINTS */
	const char *prefix;   /* of all keys, ends with '/'; "/kproxy/" */
	/* For https: all three parts, also where etcd asks for no certificate.
	 */
	struct kp_rpc_identity identity;
	const char *server_name; /* its certificate's; the endpoint's host */
	const char *user, *password; /* NULL: no login */
	/*
	 * Fills out, which it initializes, with the password as a C string as
	 * it is now, for when etcd refuses the one in use; the caller wipes
	 * out. NULL: there is no other. @thread any
	 */
	bool (*read_password)(
	    void *ctx, struct kp_buf *out, struct kp_error *err);
	void *password_ctx;
	int64_t timeout_ms;    /* of a commit or a read; 5 s */
	int64_t lease_ms;      /* of the leader, whole seconds; 10 s */
	size_t max_commit_len; /* bytes of all changes; 256 MiB */
	size_t max_state_len;  /* bytes of all resources and of what changed
				  since the last snapshot; 1 GiB */
	/* A snapshot is due when what changed since the last one takes as many
	 * bytes, and as many as that has; 1 MiB. */
	size_t snapshot_len;
};

/*
 * kp_etcd_open returns NULL with the reason if the configuration is wrong
 * (KP_ERR_CONFIG, KP_ERR_TLS), if no endpoint answers (KP_ERR_UNAVAILABLE), or
 * if what is there was written by a newer version (KP_ERR_CONFIG). The program
 * must not fork while it is open.
 */
struct kp_store *kp_etcd_open(
    const struct kp_etcd_config *config, struct kp_error *err);

/*
 * kp_etcd_reload takes a new identity for connections that are made from now
 * on; requests that are under way and the watch go on over those that there
 * are. An identity that cannot be used changes nothing. store was opened here,
 * with https. @thread any
 */
bool kp_etcd_reload(struct kp_store *store,
    const struct kp_rpc_identity *identity, struct kp_error *err) KP_MUST_CHECK;

/*
 * kp_etcd_reload_password reads the password anew. Another one is used from now
 * on if etcd lets it in; else the old one stays, and the new one is tried again
 * when etcd refuses that. store was opened here, with read_password. Waits for
 * etcd, for two seconds at most. @thread any
 */
bool kp_etcd_reload_password(struct kp_store *store, bool *out_is_new,
    struct kp_error *err) KP_MUST_CHECK;

#endif
