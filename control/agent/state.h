/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The folder stateDir: what a node keeps over restarts. tables.pb holds the
 * last tables that were accepted, without secrets; nodes.pb the nodes of
 * clusters; resources.pb the set of a policy server that they were made of. One
 * agent at a time. @thread main
 */
#ifndef KP_CONTROL_AGENT_STATE_H
#define KP_CONTROL_AGENT_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "rules/tables.h"

/* The largest file that is believed. */
#define KP_STATE_MAX_LEN (64u << 20)

struct kp_state;

/*
 * kp_state_open makes the folder (for the owner only) if it is not there and
 * locks it. Returns NULL if another agent has it.
 */
struct kp_state *kp_state_open(const char *path, struct kp_error *err);
void kp_state_close(struct kp_state *state);

/*
 * Generation and content hash of the tables that were accepted last; 0 without
 * any. Known even if the tables themselves are of no use any more.
 */
uint64_t kp_state_generation(const struct kp_state *state);
uint64_t kp_state_content_hash(const struct kp_state *state);

/*
 * kp_state_load_tables returns the tables, secrets still missing; NULL with
 * KP_ERR_UNAVAILABLE if there never were any.
 */
struct kp_tables *kp_state_load_tables(
    struct kp_state *state, struct kp_error *err);

bool kp_state_save_tables(struct kp_state *state,
    const struct kp_tables *tables, uint64_t content_hash,
    struct kp_error *err) KP_MUST_CHECK;

/*
 * kp_state_note_tables says what was accepted without writing it: the file has
 * those that were saved last until kp_state_save_tables is called, and a start
 * after a crash before that knows of no others.
 */
void kp_state_note_tables(
    struct kp_state *state, uint64_t generation, uint64_t content_hash);

/* The bytes of nodes.pb (see nodes.h). */
bool kp_state_load_nodes(struct kp_state *state, struct kp_buf *out,
    struct kp_error *err) KP_MUST_CHECK;
bool kp_state_save_nodes(struct kp_state *state, struct kp_bytes packed,
    struct kp_error *err) KP_MUST_CHECK;

/*
 * A set on its way is kept beside the accepted one, so that an agent that is
 * ended in between takes up the newer one, which may be in force. offer
 * replaces it, accept gives it the other's place, drop forgets it. Files that
 * are not there load as nothing.
 */
enum kp_state_set { KP_STATE_SET_NEXT, KP_STATE_SET_ACCEPTED };

bool kp_state_load_set(struct kp_state *state, enum kp_state_set which,
    struct kp_buf *out, struct kp_error *err) KP_MUST_CHECK;
bool kp_state_offer_set(struct kp_state *state, struct kp_bytes packed,
    struct kp_error *err) KP_MUST_CHECK;
bool kp_state_accept_set(
    struct kp_state *state, struct kp_error *err) KP_MUST_CHECK;
void kp_state_drop_set(struct kp_state *state);

#endif
