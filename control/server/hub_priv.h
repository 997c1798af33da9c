/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of the hub. hub.c: its life, and its thread; node_list.c: nodes;
 * node_sync.c: what agents say; node_push.c: what is sent to them;
 * node_check.c: limits of what they say; node_records.c: the store.
 *
 * One lock guards nodes and sessions, and is held for moments: nothing is
 * packed, sent or stored under it. Only for control/server/hub*.c, node*.c.
 */
#ifndef KP_CONTROL_SERVER_HUB_PRIV_H
#define KP_CONTROL_SERVER_HUB_PRIV_H

#include "base/mutex.h"
#include "control/api/methods.h"
#include "control/rpc/call.h"
#include "control/server/edition_priv.h"
#include "control/server/hub.h"
#include "control/server/hub_metrics_priv.h"

/* Limits of what an agent says; more counters and problems are left out. */
#define KP_NODE_MAX_NAME_LEN 253
#define KP_NODE_MAX_VERSION_LEN 64
#define KP_NODE_MAX_COUNTERS 64
#define KP_NODE_MAX_COUNTER_LEN 128
#define KP_NODE_MAX_PROBLEMS 64
#define KP_NODE_MAX_PROBLEMS_LEN (24u << 10)
#define KP_NODE_MAX_REASON_LEN 1024

/* What is queued for an agent before it has taken what was queued. */
#define KP_PUSH_BURST_LEN (1u << 20)

/*
 * Some of what is known of a node, as fields of its message that stay as they
 * are: who it is, what it counts, what it refused. Immutable.
 */
struct kp_said {
	atomic_uint refs;
	Kproxy__Control__V1__Node *node;
	struct kp_labels labels; /* of node */
};

/* kp_said_new copies node; NULL for one that is longer than what is allowed. */
struct kp_said *kp_said_new(const Kproxy__Control__V1__Node *node);
struct kp_said *kp_said_ref(struct kp_said *said); /* NULL: NULL */
void kp_said_unref(struct kp_said *said);
/* kp_said_take replaces *at by *said, which becomes NULL. */
void kp_said_take(struct kp_said **at, struct kp_said **said);

/* All fields of it are guarded by the hub's lock. */
struct kp_node {
	struct kp_said *who;        /* name, labels, version, address, server,
				       connected_ms */
	struct kp_said *report;     /* counters; NULL */
	struct kp_said *refusal;    /* refused_revision, problems; NULL */
	struct kp_said *cordon;     /* cordon_reason; NULL: it is not */
	struct kp_session *session; /* NULL: none with this server */
	struct kp_held in_force;
	bool is_drifted;
	uint64_t drifted_to;         /* the revision that it says it runs */
	int64_t seen_ms, applied_ms; /* since 1970-01-01 UTC */
	/* what the record says, which another server may have written */
	Kproxy__Control__V1__NodeState recorded_state;
	int64_t recorded_ms; /* seen_ms there */
	bool is_dirty;       /* the record does not say it yet */
};

/* One stream. Its fields but the first ones are guarded by the hub's lock. */
struct kp_session {
	atomic_uint refs;
	struct kp_hub *hub;
	struct kp_rpc_call *call;       /* a reference */
	struct kp_session *prev, *next; /* the hub's list, until closed */
	struct kp_said *who;            /* since hello */
	struct kp_node *node;           /* since hello, until replaced */
	int64_t opened_ms, heard_ms;    /* of kp_now_ms */
	bool is_welcomed;
	bool is_expired;               /* and ended */
	bool is_preparing, is_sending; /* a thread is at it, without the lock */
	bool wants_whole;
	bool is_prepared;  /* for the revision that follows */
	uint64_t prepared; /* nothing is to be done for it any more */
	bool was_current;  /* before what is pushed now */
	bool has_acked;
	struct kp_push *push; /* under way; NULL: none */
	size_t num_sent;      /* packets of it */
	size_t burst_len;
	int64_t pushed_ms; /* of kp_now_ms */
};

struct kp_hub {
	struct kp_hub_config config;
	char *server_identity, *version;
	struct kp_metrics *metrics;
	pthread_t thread;
	struct kp_mutex store_lock; /* turns of the thread and of cordons at
				       the records */
	struct kp_mutex lock;       /* guards what follows */
	struct kp_cond changed;     /* is_stopping, is_news */
	bool is_stopping;
	bool is_news; /* an edition that the thread has not seen */
	struct kp_edition *edition;  /* the newest; NULL: none yet */
	struct kp_editions editions; /* the last ones, oldest first */
	struct kp_session *sessions;
	size_t num_sessions;
	struct kp_node **nodes; /* by name */
	size_t num_nodes, max_nodes;
};

/* A hub without its thread: hub.c. */
struct kp_hub *kp_hub_prepare(
    const struct kp_hub_config *config, struct kp_error *err);
void kp_hub_dispose(struct kp_hub *hub);

/* What kp_hub_pick returns: sessions, each with a reference. */
struct kp_sessions {
	struct kp_session **list;
	size_t num;
};
void kp_hub_pick(struct kp_hub *hub, struct kp_sessions *out);
void kp_sessions_fini(struct kp_sessions *sessions);

/* Nodes: node_list.c. @locks hub->lock */
struct kp_node *kp_node_find_locked(const struct kp_hub *hub, const char *name);
/* The index of the first node whose name is after that one. */
size_t kp_node_after_locked(const struct kp_hub *hub, const char *name);
/* Takes who. NULL if there are too many. */
struct kp_node *kp_node_add_locked(struct kp_hub *hub, struct kp_said **who);
void kp_node_remove_locked(struct kp_hub *hub, struct kp_node *node);
bool kp_node_is_ours_locked(
    const struct kp_hub *hub, const struct kp_node *node);
/* Nobody has it, or nobody that is still there. */
bool kp_node_is_lost_locked(
    const struct kp_hub *hub, const struct kp_node *node);

/* A node to be shown, outside of the lock. */
struct kp_shown {
	Kproxy__Control__V1__Node node; /* borrows from what follows */
	struct kp_said *who, *report, *refusal, *cordon;
};
void kp_shown_init_locked(struct kp_shown *out, const struct kp_hub *hub,
    const struct kp_node *node, bool is_brief);
void kp_shown_fini(struct kp_shown *shown);

/* Sessions: node_sync.c. */
struct kp_session *kp_session_ref(struct kp_session *session);
void kp_session_unref(struct kp_session *session);
/* Takes the node away from it. @locks hub->lock */
void kp_session_detach_locked(struct kp_session *session);
/* Ends those that are silent for too long. */
void kp_session_expire(struct kp_session *session);
/* Handlers of Sync. */
void kp_node_opened(struct kp_rpc_call *call);
void kp_node_message(struct kp_rpc_call *call, const ProtobufCMessage *message);
void kp_node_half_closed(struct kp_rpc_call *call);
void kp_node_sent(struct kp_rpc_call *call);
void kp_node_closed(struct kp_rpc_call *call);

/* kp_session_push brings its node to the newest edition, if it is not:
 * node_push.c. */
void kp_session_push(struct kp_session *session);
/* kp_session_send goes on with what is under way. */
void kp_session_send(struct kp_session *session);

/* Limits: node_check.c. The complaint, NULL if there is none. */
const char *kp_node_check_hello(const Kproxy__Control__V1__Hello *hello);
bool kp_node_is_peer(const struct kp_rpc_peer *peer, const char *name);
/* New ones, cut to the limits; NULL without memory for it. kp_node_refusal is
 * false if texts are no UTF-8. */
struct kp_said *kp_node_report(const Kproxy__Control__V1__Heartbeat *heartbeat);
bool kp_node_refusal(
    const Kproxy__Control__V1__Nack *nack, struct kp_said **out) KP_MUST_CHECK;
bool kp_node_is_text(const char *text, size_t max_len);

/* Records: node_records.c. */
bool kp_hub_load(struct kp_hub *hub, struct kp_error *err) KP_MUST_CHECK;
/* Writes what is dirty, and reads what others have written. */
void kp_hub_share(struct kp_hub *hub, bool with_reading);
/* kp_hub_cordon keeps a node as it is, or not. False with the status. */
bool kp_hub_cordon(struct kp_hub *hub,
    const Kproxy__Control__V1__CordonRequest *request,
    struct kp_rpc_status *status) KP_MUST_CHECK;

#endif
