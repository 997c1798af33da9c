/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The values of CEL: 16 bytes each, passed by value. What does not fit is
 * borrowed: from the expression, from the arena of the evaluation, or from the
 * host, whose lists, maps and objects are asked and never converted.
 * @thread any
 */
#ifndef KP_RULES_CEL_VALUE_H
#define KP_RULES_CEL_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

enum kp_cel_type {
	KP_CEL_ERROR = 0,
	KP_CEL_NULL,
	KP_CEL_BOOL,
	KP_CEL_INT,
	KP_CEL_UINT,
	KP_CEL_DOUBLE,
	KP_CEL_STRING,
	KP_CEL_BYTES,
	KP_CEL_LIST,
	KP_CEL_MAP,
	KP_CEL_TIMESTAMP,
	KP_CEL_DURATION,
	KP_CEL_TYPE,
	KP_CEL_OPTIONAL,
	KP_CEL_OBJECT,
};
#define KP_CEL_NUM_TYPES (KP_CEL_OBJECT + 1)

/* Bytes of a text that are worked on for the price of one step. */
#define KP_CEL_BYTES_A_STEP 16

/*
 * What an evaluation may cost, and what it has cost so far, in steps: about one
 * for each node of the expression, element of a list, or KP_CEL_BYTES_A_STEP
 * bytes of a text that were looked at.
 */
struct kp_cel_meter {
	uint64_t used, max;
};

static inline void
kp_cel_meter_add(struct kp_cel_meter *meter, uint64_t steps)
{
	if (__builtin_add_overflow(meter->used, steps, &meter->used))
		meter->used = UINT64_MAX;
}

static inline bool
kp_cel_meter_is_spent(const struct kp_cel_meter *meter)
{
	return meter->used > meter->max;
}

struct kp_cel_value {
	enum kp_cel_type type;
	/* STRING, BYTES: bytes; TIMESTAMP: nanoseconds, 0..999999999; ERROR:
	 * position in the expression */
	uint32_t extra;
	union {
		bool truth;
		int64_t number; /* TIMESTAMP: seconds; DURATION: nanoseconds */
		uint64_t natural;
		double real;
		const uint8_t *data; /* STRING in UTF-8, BYTES */
		const char *name;    /* TYPE: its name; ERROR: what happened */
		const struct kp_cel_list *list;
		const struct kp_cel_map *map;
		const struct kp_cel_value *inner; /* OPTIONAL; NULL: none */
		const struct kp_cel_object *object;
	} as;
};

/* A list of the host has at; all others have items. */
struct kp_cel_list {
	size_t num;
	const struct kp_cel_value *items;
	struct kp_cel_value (*at)(const struct kp_cel_list *list, size_t index);
	const void *host;
};

struct kp_cel_entry {
	struct kp_cel_value key, value;
};

/*
 * A map of the host has both functions; all others have entries. find is asked
 * for keys that are strings; at gives the entries in a fixed order.
 */
struct kp_cel_map {
	size_t num;
	const struct kp_cel_entry *entries;
	bool (*find)(const struct kp_cel_map *map, struct kp_bytes key,
	    struct kp_cel_value *out);
	struct kp_cel_entry (*at)(const struct kp_cel_map *map, size_t index);
	const void *host;
};

enum kp_cel_presence {
	KP_CEL_NO_FIELD, /* objects of this type have none of that name */
	KP_CEL_UNSET,    /* has() is false; *out is the default */
	KP_CEL_SET,
};

/* Something of the host with named fields. Equal is what has the same host. */
struct kp_cel_object {
	const char *type_name;
	enum kp_cel_presence (*field)(const struct kp_cel_object *object,
	    struct kp_bytes name, struct kp_cel_value *out);
	const void *host;
};

struct kp_cel_value kp_cel_null(void);
struct kp_cel_value kp_cel_bool(bool truth);
struct kp_cel_value kp_cel_int(int64_t number);
struct kp_cel_value kp_cel_uint(uint64_t number);
struct kp_cel_value kp_cel_double(double number);
/* The bytes are borrowed; 4 GiB and more is an error. */
struct kp_cel_value kp_cel_string(struct kp_bytes text);
struct kp_cel_value kp_cel_bytes(struct kp_bytes bytes);
struct kp_cel_value kp_cel_list(const struct kp_cel_list *list);
struct kp_cel_value kp_cel_map(const struct kp_cel_map *map);
struct kp_cel_value kp_cel_object(const struct kp_cel_object *object);
struct kp_cel_value kp_cel_timestamp(int64_t seconds, uint32_t nanoseconds);
struct kp_cel_value kp_cel_duration(int64_t nanoseconds);
struct kp_cel_value kp_cel_type(const char *name);
struct kp_cel_value kp_cel_optional(const struct kp_cel_value *inner);
/* text is borrowed and must outlive the value. */
struct kp_cel_value kp_cel_error(const char *text);

/* The content of a STRING or of BYTES. */
struct kp_bytes kp_cel_content(struct kp_cel_value value);

/* Steps that looking at all of it takes: 0 for what is neither. */
uint64_t kp_cel_content_steps(struct kp_cel_value value);

/* The name that type() of the value has. */
const char *kp_cel_type_name(struct kp_cel_value value);

struct kp_cel_value kp_cel_list_at(
    const struct kp_cel_list *list, size_t index);
struct kp_cel_entry kp_cel_map_at(const struct kp_cel_map *map, size_t index);

/* Values inside values inside values, at most. */
#define KP_CEL_MAX_VALUE_DEPTH 64

/*
 * kp_cel_equal compares as "==" does: numbers by what they are, whatever their
 * types, other types never equal. What was compared is counted; values that are
 * deeper than KP_CEL_MAX_VALUE_DEPTH spend the meter. Once that is spent, the
 * result has no meaning.
 */
bool kp_cel_equal(
    struct kp_cel_value a, struct kp_cel_value b, struct kp_cel_meter *meter);

/* kp_cel_map_find: a key is found by equality. */
bool kp_cel_map_find(const struct kp_cel_map *map, struct kp_cel_value key,
    struct kp_cel_value *out, struct kp_cel_meter *meter);

enum kp_cel_order {
	KP_CEL_LESS,
	KP_CEL_SAME,
	KP_CEL_GREATER,
	KP_CEL_UNORDERED, /* there is a NaN */
	KP_CEL_NO_ORDER,  /* these types have none */
};
enum kp_cel_order kp_cel_compare(struct kp_cel_value a, struct kp_cel_value b);

#endif
