/* SPDX-License-Identifier: Apache-2.0 */
/*
 * YAML documents as a tree in which every node knows its line and column. Built
 * from libyaml's events with bounds on size, depth and number of nodes.
 * Anchors, aliases, tags and merge keys are refused; so are duplicate keys.
 * @thread any
 */
#ifndef KP_BASE_YAML_H
#define KP_BASE_YAML_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "base/error.h"

#define KP_YAML_MAX_BYTES (8u << 20)
#define KP_YAML_MAX_DEPTH 32
#define KP_YAML_MAX_NODES 500000

struct kp_arena;

enum kp_yaml_kind { KP_YAML_NULL, KP_YAML_SCALAR, KP_YAML_LIST, KP_YAML_MAP };

struct kp_yaml {
	enum kp_yaml_kind kind;
	unsigned line;    /* from 1 */
	unsigned column;  /* from 1 */
	char *text;       /* of a scalar */
	bool is_quoted;   /* a quoted scalar is always a string */
	size_t num_items; /* of a list, or pairs of a map */
	struct kp_yaml **items;
	struct kp_yaml **keys;   /* of a map: scalars */
	struct kp_arena *memory; /* that its document is in, if it was parsed */
};

/* A sequence of documents in one file. Empty documents are left out. */
struct kp_yaml_stream {
	struct kp_yaml **documents;
	size_t num_documents;
};

/*
 * kp_yaml_parse parses text. On failure err->text starts with "LINE:COLUMN: ".
 * The caller ends a success with kp_yaml_stream_fini.
 */
bool kp_yaml_parse(struct kp_yaml_stream *out, struct kp_bytes text,
    struct kp_error *err) KP_MUST_CHECK;
void kp_yaml_stream_fini(struct kp_yaml_stream *stream);

/*
 * kp_yaml_free frees node with all that is in it; NULL does nothing. Of what
 * was parsed a document is freed as a whole, by its root.
 */
void kp_yaml_free(struct kp_yaml *node);

/* kp_yaml_get returns the value of key in a map, borrowed; NULL if absent. */
const struct kp_yaml *kp_yaml_get(const struct kp_yaml *map, const char *key);

#endif
