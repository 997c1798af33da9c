/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent's state, for the files of this folder. One thread owns it all; the
 * resolver and the admin pages have threads and locks of their own.
 */
#ifndef KP_CONTROL_AGENT_AGENT_PRIV_H
#define KP_CONTROL_AGENT_AGENT_PRIV_H

#include "base/metrics.h"
#include "control/agent/admin.h"
#include "control/agent/edition.h"
#include "control/agent/follow.h"
#include "control/agent/nodes.h"
#include "control/agent/resolver.h"
#include "control/agent/source.h"
#include "control/agent/state.h"
#include "control/agent/status.h"
#include "control/host/watch.h"
#include "proto/control/channel.h"

/* The way of a new edition: bind its ports, hand it to the worker, keep it. */
enum kp_rollout_step {
	KP_ROLLOUT_IDLE,
	KP_ROLLOUT_BINDING, /* the supervisor has not answered yet */
	KP_ROLLOUT_BOUND,   /* to be sent to the worker */
	KP_ROLLOUT_SENT,    /* the worker has not answered yet */
};

struct kp_agent {
	const char *config_path;
	const struct kp_node_config *config; /* as it was at the start */
	struct kp_node_file *node_file;      /* as it was read last */
	struct kp_channel supervisor;
	struct kp_channel worker; /* not open while there is none */

	bool has_greeted; /* the worker said what it serves: */
	uint64_t worker_generation;
	uint64_t worker_hash;

	struct kp_edition *current; /* the worker accepted it; NULL before */
	struct kp_edition *next;    /* NULL while step is IDLE */
	enum kp_rollout_step step;
	uint64_t bind_id;
	bool is_bound;     /* the ports of current and no others, or soon */
	unsigned num_sent; /* times that next was sent, to different workers */
	int64_t send_again_at_ms; /* current to the worker; KP_NEVER: not due */
	bool has_started;

	struct kp_metrics *metrics;
	struct kp_state *state;
	struct kp_nodes *nodes;
	int64_t save_nodes_at_ms;  /* KP_NEVER: nothing to save */
	int64_t save_tables_at_ms; /* of current; KP_NEVER: they are */
	struct kp_resolver *resolver;
	struct kp_watch *watch;
	bool is_reload_due;   /* files changed while a rollout was under way */
	int64_t reload_at_ms; /* to be read again; KP_NEVER: not by then */

	bool is_following; /* resources come from policy servers: */
	char *folder;      /* of node.yaml; paths in resources begin there */
	const struct kp_link_api *link_api;
	struct kp_link *link; /* NULL: no certificate to connect with */
	struct kp_follow_identity identity; /* as it was read last */
	struct kp_held *held;     /* accepted by the worker; NULL: none was */
	struct kp_held *refused;  /* the last offer, if files may be why */
	enum kp_follow_kept kept; /* to be tried while there is no current */
	bool has_next_set; /* what is rolled out is kept as the next set */

	struct kp_status *status;
	struct kp_status_facts facts; /* published by kp_agent_publish */
	struct kp_admin *admin;

	bool is_stopping;
	int exit_code;
};

/* Shows facts on the admin pages. */
void kp_agent_publish(struct kp_agent *agent);

/* kp_agent_stop ends the loop after this turn. */
void kp_agent_stop(struct kp_agent *agent, int exit_code);

/* kp_agent_save_tables keeps the current tables in stateDir. */
void kp_agent_save_tables(struct kp_agent *agent);

/*
 * Sending: false with err, which is logged, if there was no memory or no room
 * for the message. An end that is gone, or not there, is noticed when it is
 * read from.
 */
bool kp_agent_tell_supervisor(struct kp_agent *agent,
    const Kp__Node__Envelope *envelope, struct kp_error *err);
bool kp_agent_tell_worker(struct kp_agent *agent,
    const Kp__Node__Envelope *envelope, struct kp_error *err);

/*
 * kp_rollout_begin takes *edition over (NULL afterwards) and starts its way;
 * only in step IDLE.
 */
void kp_rollout_begin(struct kp_agent *agent, struct kp_edition **edition);
void kp_rollout_on_bound(struct kp_agent *agent, const Kp__Node__Bound *bound);
void kp_rollout_on_serving(
    struct kp_agent *agent, const Kp__Node__Serving *serving);
void kp_rollout_on_applied(
    struct kp_agent *agent, const Kp__Node__Applied *applied);
/* A worker that could not be sent the tables in force is sent them now. */
void kp_rollout_send_again(struct kp_agent *agent);

/*
 * kp_config_reload reads all files and starts a rollout if they say something
 * new and are valid. is_asked_for: by a person, who wants an answer in the log.
 */
void kp_config_reload(struct kp_agent *agent, bool is_asked_for);

/* kp_config_first is the same at the start, with last known good behind it. */
void kp_config_first(struct kp_agent *agent, struct kp_source *source);

/*
 * kp_config_fall_back starts with what was kept before; false if that is not
 * possible, and says why.
 */
bool kp_config_fall_back(struct kp_agent *agent);

/*
 * kp_config_compile compiles a valid source; NULL with the reason in its
 * diagnostics and in the log. kp_config_refuse_source is for one that is not
 * valid to begin with.
 */
struct kp_edition *kp_config_compile(
    struct kp_agent *agent, struct kp_source *source);
void kp_config_refuse_source(
    struct kp_agent *agent, const struct kp_source *source);

/*
 * kp_config_load is kp_source_load of the agent's node.yaml, which is parsed
 * only if it says something else than when it was read last.
 */
bool kp_config_load(
    struct kp_agent *agent, struct kp_source *out) KP_MUST_CHECK;

/* kp_config_watch watches all files that source refers to. */
void kp_config_watch(struct kp_agent *agent, const struct kp_source *source);

/*
 * kp_config_roll_out begins a rollout unless that is in force already; takes
 * *edition over.
 */
void kp_config_roll_out(
    struct kp_agent *agent, struct kp_edition **edition, bool is_asked_for);

/* The tables that were kept; NULL with err. */
struct kp_edition *kp_config_last_good(
    struct kp_agent *agent, struct kp_error *err);

/* kp_follow_fall_back tries what was kept, until something can be rolled out.
 */
void kp_follow_fall_back(struct kp_agent *agent);

/* kp_agent_become_linked replaces this program by the one with gRPC. */
_Noreturn void kp_agent_become_linked(
    const char *config_path, const char *mode);

void kp_agent_print_problems(const struct kp_source *source);

/* kp_config_refused notes that what the files say now is not in force. */
void kp_config_refused(struct kp_agent *agent, const char *problem);

/* kp_config_greet tells the supervisor what it has to know of the settings. */
void kp_config_greet(
    struct kp_agent *agent, const struct kp_node_config *config);

#endif
