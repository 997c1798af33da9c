/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine under the forms of walking. One run goes over one piece of a body:
 * all of it, the next bytes that came, or its tail. It takes steps: each reads
 * one thing (a number, a length, a count, a tag) that is either there as a
 * whole or is not touched, so that a walk can stop and go on between any two
 * bytes.
 *
 * Two bounds hold everywhere: what reaches beyond walker->limit (the end of the
 * innermost tagged field, or of the body) is malformed; what reaches beyond the
 * piece has not come yet. @thread connection
 */
#ifndef KP_PROTO_KAFKA_WALK_PRIV_H
#define KP_PROTO_KAFKA_WALK_PRIV_H

#include "proto/kafka/reader.h"
#include "proto/kafka/rewrite_priv.h"
#include "proto/kafka/walker.h"

/* What the visitor's verdicts may do. */
enum kp_walk_mode {
	KP_WALK_LOOK,     /* nothing */
	KP_WALK_REWRITE,  /* anything: a new body is written */
	KP_WALK_IN_PLACE, /* what keeps all lengths: data is changed */
};

struct kp_walk_run {
	struct kp_walker *walker; /* its offset is that of the piece */
	enum kp_walk_mode mode;
	bool stops_at_tail;
	uint8_t *data; /* the piece; never NULL; written to only in place */
	size_t len;
	size_t pos;               /* in the piece */
	struct kp_output *output; /* of KP_WALK_REWRITE, else NULL */
	bool leaves_tags_open;    /* the hole of the top-level tagged fields */
	struct kp_error *err;
};

enum kp_step {
	KP_STEP_ON,
	KP_STEP_MORE,
	KP_STEP_TAIL,
	KP_STEP_DONE,
	KP_STEP_FAILED,
};

/*
 * kp_walk_run goes on until the piece is used up, the tail begins, the body has
 * ended or something is wrong.
 */
enum kp_walk_status kp_walk_run(struct kp_walk_run *run);

/* kp_walk_piece is data of bytes, never NULL; only a run in place writes it. */
uint8_t *kp_walk_piece(struct kp_bytes bytes);

/* Both return KP_STEP_FAILED. field may be NULL. */
enum kp_step kp_walk_fail(const struct kp_walk_run *run,
    const struct kp_field *field, const char *what);
/* kp_walk_refuse is for a verdict that cannot be obeyed here. */
enum kp_step kp_walk_refuse(
    const struct kp_walk_run *run, const struct kp_field *field);

/* kp_walk_left is how many bytes the field at hand can have at most. */
size_t kp_walk_left(const struct kp_walk_run *run);

/*
 * kp_walk_reader reads on from the run's position, which it does not move;
 * kp_walk_judge says what the reader's failure means, if it has failed.
 */
struct kp_reader kp_walk_reader(const struct kp_walk_run *run);
enum kp_step kp_walk_judge(const struct kp_walk_run *run,
    const struct kp_reader *reader, const struct kp_field *field);

/* The level at work. */
struct kp_walk_level *kp_walk_top(const struct kp_walk_run *run);

/* kp_walk_wants: is field to be shown? Not while it is being left out. */
bool kp_walk_wants(const struct kp_walk_run *run, const struct kp_field *field);

/* kp_walk_ask shows visit to the visitor. */
enum kp_verdict kp_walk_ask(const struct kp_walk_run *run,
    struct kp_visit *visit, struct kp_replacement *replacement);

/* kp_walk_skip passes over bytes of the piece, showing them if that is wanted.
 */
enum kp_step kp_walk_skip(struct kp_walk_run *run);

/* kp_walk_value reads one number, string, bytes or uuid. */
enum kp_step kp_walk_value(
    struct kp_walk_run *run, const struct kp_field *field);

#endif
