/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The body of a message as a tree that can be looked at and changed in any
 * order and written again. For the few messages that are judged item by item or
 * put together by us; what only passes by is walked (walker.h), which needs no
 * memory for each value.
 *
 * Both agree on what is malformed. Tagged fields that the table does not know
 * are left out, and tagged fields that have their defaults are not written
 * (KIP-482). @thread any, one at a time
 */
#ifndef KP_PROTO_KAFKA_TREE_H
#define KP_PROTO_KAFKA_TREE_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/error.h"
#include "proto/kafka/schema.h"

/*
 * One value. Of an array items are its elements; of a struct they are its
 * fields, one for each row of its table, in that order: fields that the version
 * does not have hold their defaults.
 */
struct kp_tree_value {
	bool is_null;         /* of arrays and structs; texts say it by data */
	uint32_t num;         /* items */
	int64_t number;       /* of a float64 its bits; of bool 0 or 1 */
	struct kp_bytes text; /* string, bytes, records, uuid; NULL: null */
	struct kp_tree_value *items;
};

struct kp_tree {
	const struct kp_message *message;
	int16_t version;
	bool has_unknown; /* there were tagged fields that the table lacks */
	struct kp_arena *arena;
	struct kp_tree_value root; /* a struct with the message's fields */
};

/*
 * kp_tree_read fails with KP_ERR_PROTOCOL if body is malformed and with
 * KP_ERR_LIMIT if it takes more than arena has. Texts borrow from body; all
 * else lives in arena.
 */
bool kp_tree_read(struct kp_tree *tree, const struct kp_message *message,
    int16_t version, struct kp_bytes body, struct kp_arena *arena,
    struct kp_error *err) KP_MUST_CHECK;

/*
 * kp_tree_make makes one in which everything has its default; arena->failed
 * tells whether there was memory for it.
 */
void kp_tree_make(struct kp_tree *tree, const struct kp_message *message,
    int16_t version, struct kp_arena *arena);

/*
 * kp_tree_write adds the body to out, whose failure is sticky. A value that the
 * version cannot hold (null where there is none, a number or a text that is too
 * long) makes out fail.
 */
void kp_tree_write(const struct kp_tree *tree, struct kp_buf *out);

/*
 * kp_tree_find is the index of the field with that name among fields; there
 * must be one.
 */
size_t kp_tree_find(const struct kp_field *fields, const char *name);

/* kp_tree_has: is there one with that name? */
bool kp_tree_has(const struct kp_field *fields, const char *name);

/* kp_tree_get is the value of that field of a struct with these fields. */
struct kp_tree_value *kp_tree_get(const struct kp_tree_value *value,
    const struct kp_field *fields, const char *name);

/* kp_tree_fill gives all of these fields their defaults; false: no memory. */
bool kp_tree_fill(const struct kp_tree *tree, const struct kp_field *fields,
    struct kp_tree_value *out);

/*
 * kp_tree_reserve makes room for num items of an array, which keeps those that
 * it has and gets zeroed ones; NULL: no memory.
 */
struct kp_tree_value *kp_tree_reserve(
    const struct kp_tree *tree, struct kp_tree_value *array, size_t num);

#endif
