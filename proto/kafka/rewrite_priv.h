/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the walker writes: the new body as spans, made while the old one is
 * walked. Runs of untouched input are spans by reference; what is short is
 * copied next to what is new, so that many small changes do not become many
 * small spans.
 *
 * A count or size in front of things that may change is a hole. Holes nest like
 * what they count: they are opened and closed in stack order. Before the first
 * change behind it a hole is made: copied to the arena, where it is patched
 * when it is closed. @thread connection
 */
#ifndef KP_PROTO_KAFKA_REWRITE_PRIV_H
#define KP_PROTO_KAFKA_REWRITE_PRIV_H

#include "proto/kafka/walker.h"

/* 32 MiB of spans: more changes than that are no answer of a real broker. */
#define KP_REWRITE_MAX_SPANS (2u << 20)
/* Holes of one level: its count, the number of its tags, a tag's size. */
#define KP_OUTPUT_MAX_HOLES (3 * KP_WALK_MAX_DEPTH)

enum kp_hole_kind {
	KP_HOLE_COUNT,         /* int32 number of elements */
	KP_HOLE_COMPACT_COUNT, /* uvarint number of elements + 1 */
	KP_HOLE_TAGS,          /* uvarint number of tagged fields */
	KP_HOLE_TAG_SIZE,      /* uvarint bytes of a tagged field */
};

struct kp_hole {
	enum kp_hole_kind kind;
	size_t at, len; /* in the input */
	uint32_t value; /* in the input */
	uint32_t kept;  /* of a count: what is left of value */
	size_t begin;   /* of a size: output length behind the hole */
	unsigned span;  /* once it is made: where it is */
	size_t offset;  /* in that span */
};

/* Where the output stood before an element that may be left out. */
struct kp_output_mark {
	size_t at; /* of the element, in the input */
	size_t flushed;
	unsigned num_holes;
	unsigned num_spans;
	size_t last_span_len;
	size_t total_len;
	struct kp_arena_chunk *chunk;
	size_t chunk_used;
};

struct kp_output {
	struct kp_rewrite *rewrite;
	const uint8_t *input;
	size_t flushed; /* input before it has been written or left out */
	bool failed;    /* memory or spans ran out; sticky */
	/*
	 * Depth of the level whose element (or all of whose elements) is left
	 * out at the moment, 0 if none is. Then nothing else may be called but
	 * kp_output_resume.
	 */
	unsigned mute_depth;
	bool mutes_array;
	struct kp_hole holes[KP_OUTPUT_MAX_HOLES];
	unsigned num_holes;
	unsigned num_made; /* of them are made: the outermost ones */
	struct kp_output_mark marks[KP_WALK_MAX_DEPTH + 1]; /* by depth */
};

void kp_output_init(
    struct kp_output *output, struct kp_rewrite *rewrite, const uint8_t *input);

/* kp_output_replace puts head and body in the place of input [from, to). */
void kp_output_replace(struct kp_output *output, size_t from, size_t to,
    struct kp_bytes head, struct kp_bytes body);

/* kp_output_open opens a hole that is input [at, at + len). */
void kp_output_open(struct kp_output *output, enum kp_hole_kind kind, size_t at,
    size_t len, uint32_t value);
/* kp_output_close closes the innermost hole; the input before at is walked. */
void kp_output_close(struct kp_output *output, size_t at);

/* kp_output_add_tag counts a tagged field that is appended to the innermost. */
void kp_output_add_tag(struct kp_output *output);
/* kp_output_closed_len is the output's length once the innermost is closed. */
size_t kp_output_closed_len(struct kp_output *output);

/* kp_output_make_holes makes all open holes. */
void kp_output_make_holes(struct kp_output *output);

/*
 * kp_output_remove leaves out input [from, to), which is one of what the
 * innermost hole counts.
 */
void kp_output_remove(struct kp_output *output, size_t from, size_t to);

/* kp_output_mark remembers where an element of the level at depth begins. */
void kp_output_mark(struct kp_output *output, unsigned depth, size_t at);

/*
 * kp_output_drop takes back what was written since that mark and leaves the
 * element out: mute until kp_output_resume at its end.
 */
void kp_output_drop(struct kp_output *output, unsigned depth);

/*
 * kp_output_clear replaces the count at input [at, at + len) by zero and leaves
 * out all elements of the array, whose level will be at depth.
 */
void kp_output_clear(struct kp_output *output, unsigned depth, size_t at,
    size_t len, bool is_compact);

/* kp_output_resume ends what drop or clear began; it ended before input at. */
void kp_output_resume(struct kp_output *output, size_t at);

/*
 * kp_output_finish writes what is left of input_len bytes. Returns false with
 * KP_ERR_LIMIT if the new body is too large or memory ran out on the way.
 */
bool kp_output_finish(struct kp_output *output, size_t input_len,
    struct kp_error *err) KP_MUST_CHECK;

/* kp_output_append adds content after all that was written. */
void kp_output_append(struct kp_output *output, struct kp_bytes content);

/* kp_output_check turns failed into an error. */
bool kp_output_check(
    const struct kp_output *output, struct kp_error *err) KP_MUST_CHECK;

#endif
