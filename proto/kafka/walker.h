/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walker goes through the body of one message as its table says, checks
 * every length and count against what remains, and shows the fields of interest
 * to a visitor. It is the only interpreter of the tables on the data path.
 *
 * Two ways to use one engine:
 *  - kp_walk_whole has all bytes of the body and writes a new body: untouched
 *    bytes by reference, changed ones from an arena, as a list of spans for
 *    writev. Counts, tag sizes and length prefixes follow what the visitor did.
 *    Tagged fields that the table does not know are left out: an unknown field
 *    could carry an address.
 *  - kp_walk_feed gets the body piece by piece, never more memory than the
 *    pieces, and cannot change lengths: the visitor may edit values in place.
 *    It may stop where the tail begins (see kp_walk_tail), which is walked
 *    whole. Tagged fields that the table does not know are blanked.
 *
 * Malformed input ends with KP_ERR_PROTOCOL: nothing is read past the end, no
 * count is believed, depth is bounded by the table. @thread connection
 */
#ifndef KP_PROTO_KAFKA_WALKER_H
#define KP_PROTO_KAFKA_WALKER_H

#include <sys/uio.h>

#include "base/bytes.h"
#include "proto/kafka/schema.h"

enum kp_visit_kind {
	KP_VISIT_VALUE,   /* a number, string, bytes, uuid, also in an array */
	KP_VISIT_ARRAY,   /* before the elements of an array of interest */
	KP_VISIT_ELEMENT, /* before each struct of such an array */
	KP_VISIT_RECORDS, /* kp_walk_feed, instead of VALUE: records come next;
			   * number is their length, -1 null */
	KP_VISIT_PIECE,   /* … and these are the next bytes of them */
};

struct kp_visit {
	enum kp_visit_kind kind;
	const struct kp_message *message;
	const struct kp_field *field;
	int16_t version;
	int64_t number; /* of numbers and bool; of a float64 its bits; of an
			 * array the number of elements, -1 null */
	/*
	 * String, bytes, uuid: the content without its length; NULL if null.
	 * Only kp_walk_feed's visitor may write to it, and not to a PIECE.
	 */
	uint8_t *data;
	size_t len;
};

/*
 * A verdict that cannot be obeyed ends the walk with KP_ERR_UNSUPPORTED: a
 * value that does not fit its field, null where there is none, a value to be
 * left out that is in no array of interest. kp_walk_feed can only replace a
 * value by one of the same length.
 */
enum kp_verdict {
	KP_KEEP,
	KP_REPLACE, /* a VALUE, by number or bytes of the replacement */
	KP_DROP,    /* an ELEMENT: leave it out. A VALUE: leave out the item of
		     * an array without structs that it is, or else the element
		     * of the innermost array of interest it is in; nothing
		     * more of that is shown */
	KP_CLEAR,   /* an ARRAY: keep the field with no elements */
	KP_FAIL,    /* the walk ends; the visitor has filled the error */
};

struct kp_replacement {
	int64_t number; /* after a PIECE: how many of the bytes that follow
			 * need not be shown */
	struct kp_bytes bytes; /* copied before the next visit; data NULL
				* writes null where the field may be null */
};

typedef enum kp_verdict (*kp_visit_fn)(void *context,
    const struct kp_visit *visit, struct kp_replacement *out,
    struct kp_error *err);

/*
 * What is shown: values whose entity is in interest, and arrays of structs (and
 * their elements) whose own entity is in it.
 */
struct kp_visitor {
	uint64_t interest; /* KP_ENTITY_BIT… */
	kp_visit_fn visit;
	void *context;
};

/*
 * The new body. Spans borrow from the input and from the arena; both must stay
 * until they are written. Zero state is empty; kp_rewrite_fini frees it,
 * kp_rewrite_clear empties it for the next message and keeps some memory.
 */
struct kp_rewrite {
	struct iovec *spans;
	unsigned num_spans, max_spans;
	size_t total_len;
	bool is_changed;
	struct kp_arena_chunk *arena;
};

void kp_rewrite_clear(struct kp_rewrite *rewrite);
void kp_rewrite_fini(struct kp_rewrite *rewrite);

/* kp_rewrite_memory is how many bytes it takes, besides what spans borrow. */
size_t kp_rewrite_memory(const struct kp_rewrite *rewrite);

/*
 * kp_walk_whole walks the complete body. rewrite may be NULL to look only; then
 * any verdict but KP_KEEP and KP_FAIL is an assertion failure. All bytes must
 * be used up, or it fails.
 */
bool kp_walk_whole(const struct kp_message *message, int16_t version,
    struct kp_bytes body, const struct kp_visitor *visitor,
    struct kp_rewrite *rewrite, struct kp_error *err) KP_MUST_CHECK;

/*
 * kp_walk_look is kp_walk_whole without a rewrite; *out_has_unknown tells
 * whether there are tagged fields that the table does not know, which a rewrite
 * would leave out.
 */
bool kp_walk_look(const struct kp_message *message, int16_t version,
    struct kp_bytes body, const struct kp_visitor *visitor,
    bool *out_has_unknown, struct kp_error *err) KP_MUST_CHECK;

/* The deepest message has 6 levels; a test sees to it. */
#define KP_WALK_MAX_DEPTH 8

enum kp_walk_state {
	KP_AT_ELEMENT,   /* before the next struct of the level */
	KP_AT_FIELDS,    /* between its fields */
	KP_AT_TAG_COUNT, /* before the number of its tagged fields */
	KP_AT_TAGS,      /* between its tagged fields */
	KP_AT_TAG_VALUE, /* before the value of one */
	KP_AT_ITEMS,     /* between the items of an array without structs */
};

/*
 * One level of the walk: structs of one kind after each other (of an array, or
 * a lone one), or the items of an array of numbers, strings or bytes.
 */
struct kp_walk_level {
	const struct kp_field *array;  /* NULL for a lone struct */
	const struct kp_field *fields; /* of the structs */
	const struct kp_field *next;   /* field to read next */
	uint32_t num_left;             /* elements, with the current one */
	uint32_t num_tags_left;        /* of the current struct */
	int64_t last_tag;              /* -1 before the first */
	size_t outer_limit;            /* the walker's before this tag's */
	uint8_t state;                 /* enum kp_walk_state */
	bool is_in_tag;                /* a value of the tagged section */
	bool is_counted;               /* its count follows what is left out */
};

struct kp_walker {
	const struct kp_message *message;
	int16_t version;
	bool is_flexible;
	bool is_blanking; /* what is skipped is an unknown field */
	bool has_unknown; /* there was such a field */
	struct kp_visitor visitor;
	size_t body_len; /* of the whole message */
	size_t offset;   /* bytes used so far */
	size_t limit;    /* where the innermost tagged field or the body ends */
	size_t skip_len; /* bytes of the current value still to pass over */
	size_t unseen_len; /* … of which these need not be shown first */
	const struct kp_field
	    *shown_field; /* if they are records of interest */
	bool has_tail;
	unsigned depth;
	struct kp_walk_level levels[KP_WALK_MAX_DEPTH];
};

enum kp_walk_status {
	KP_WALK_MORE, /* used what it could; feed the rest again with more */
	KP_WALK_TAIL, /* the tail begins at walker->offset */
	KP_WALK_DONE, /* the body ended exactly here, without a tail */
	KP_WALK_FAILED,
};

/*
 * kp_walk_init starts a walk over a body of body_len bytes in pieces, which
 * goes to its end. After kp_walk_stop_at_tail it ends where the tail begins.
 */
void kp_walk_init(struct kp_walker *walker, const struct kp_message *message,
    int16_t version, size_t body_len, const struct kp_visitor *visitor);
void kp_walk_stop_at_tail(struct kp_walker *walker);

/*
 * kp_walk_feed uses bytes of data, which continue the body; *out_used tells how
 * many. Unused bytes (a value of interest or a length that is not complete)
 * must come again in front of the next piece. A value of interest longer than
 * KP_WALK_MAX_VALUE fails with KP_ERR_LIMIT; other values may be of any length.
 */
#define KP_WALK_MAX_VALUE 32768
enum kp_walk_status kp_walk_feed(struct kp_walker *walker, uint8_t *data,
    size_t len, size_t *out_used, struct kp_error *err);

/*
 * kp_walk_unseen is how many of the bytes that come next nobody looks at. They
 * need not be fed: kp_walk_pass says that len of them have gone by.
 */
size_t kp_walk_unseen(const struct kp_walker *walker);
void kp_walk_pass(struct kp_walker *walker, size_t len);

/*
 * kp_walk_passing is how many of the bytes that come next go on whatever is in
 * them: those, and records that are shown. Of the latter kp_walk_show is given
 * a copy, len bytes, and only shows it; kp_walk_feed continues behind them.
 */
size_t kp_walk_passing(const struct kp_walker *walker);
bool kp_walk_show(struct kp_walker *walker, uint8_t *copy, size_t len,
    struct kp_error *err) KP_MUST_CHECK;

/*
 * The tail of a message is everything from its first top-level field with
 * entity KP_E_ENDPOINTS, or from its top-level tagged section, whichever comes
 * first. kp_walk_tail rewrites the tail of a message whose length was announced
 * before its content was known: the new tail has exactly tail.len bytes. What a
 * shorter one leaves over is taken by a tagged field with number KP_FILLER_TAG
 * or above, which no version of any message defines and every client must skip
 * (KIP-482). If the new one would be longer, endpoints are left out until it
 * fits.
 */
#define KP_FILLER_TAG 100
bool kp_walk_tail(const struct kp_walker *walker, struct kp_bytes tail,
    struct kp_rewrite *rewrite, struct kp_error *err) KP_MUST_CHECK;

#endif
