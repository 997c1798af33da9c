/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A node whose resources come from policy servers: what was kept is brought
 * into force first, then what the link offers, in the same way as files; the
 * link is told what came of it. Without server and without anything kept the
 * node waits. @thread main
 */
#ifndef KP_CONTROL_AGENT_FOLLOW_H
#define KP_CONTROL_AGENT_FOLLOW_H

#include "control/agent/link.h"
#include "control/agent/source.h"

struct kp_agent;
struct kp_edition;

/* What to try next while nothing is in force yet, best first. */
enum kp_follow_kept {
	KP_FOLLOW_NEXT_SET,
	KP_FOLLOW_ACCEPTED_SET,
	KP_FOLLOW_TABLES,
	KP_FOLLOW_NOTHING,
};

/* Certificates as they were read; the key is wiped. */
struct kp_follow_identity {
	struct kp_buf ca, certificate, key;
};

/*
 * kp_follow_read_identity reads the files that config names; false with the
 * path and why. The caller ends it with kp_follow_identity_fini either way.
 */
bool kp_follow_read_identity(struct kp_follow_identity *out,
    const struct kp_node_server *config, struct kp_error *err) KP_MUST_CHECK;
void kp_follow_identity_fini(struct kp_follow_identity *identity);
/* Borrowed from identity. */
struct kp_link_identity kp_follow_pems(
    const struct kp_follow_identity *identity);

/* kp_follow_first is kp_config_first for such a node. */
void kp_follow_first(struct kp_agent *agent, const struct kp_source *source);
void kp_follow_stop(struct kp_agent *agent);

/* Readable when kp_follow_turn has something to do; -1: not now. */
int kp_follow_fd(const struct kp_agent *agent);
void kp_follow_turn(struct kp_agent *agent);

/*
 * kp_follow_reload takes new certificates and compiles again what is held, or
 * what was refused last. NULL if there is nothing to roll out.
 */
struct kp_edition *kp_follow_reload(
    struct kp_agent *agent, struct kp_source *source);

/* The current edition is in force, now or still. */
void kp_follow_accepted(struct kp_agent *agent);
/* The worker, or the supervisor, did not take edition. */
void kp_follow_refused(struct kp_agent *agent, const struct kp_edition *edition,
    const char *reason);

#endif
