/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trees of yaml.h that are made by hand, to be written (yaml_write.h). For what
 * is ours and small: memory that is refused aborts. @thread any
 */
#ifndef KP_BASE_YAML_TREE_H
#define KP_BASE_YAML_TREE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/yaml.h"

/* Each returns a new node, to be freed with kp_yaml_free or given to another.
 */
struct kp_yaml *kp_yaml_new_map(void);
struct kp_yaml *kp_yaml_new_list(void);
struct kp_yaml *kp_yaml_new_null(void);
/* A string, whatever it looks like. */
struct kp_yaml *kp_yaml_new_text(const char *text);
/* What YAML makes of word: a number, true, false, or else a string. */
struct kp_yaml *kp_yaml_new_word(const char *word);
struct kp_yaml *kp_yaml_new_int(int64_t number);
struct kp_yaml *kp_yaml_new_bool(bool is_true);

/*
 * kp_yaml_put adds key with value to map, which owns value from here on: a node
 * made by hand, or a document that was parsed. The key must not be in the map
 * yet; nobody looks, maps may be long. To what was parsed nothing can be added.
 * Returns value, borrowed from map.
 */
struct kp_yaml *kp_yaml_put(
    struct kp_yaml *map, const char *key, struct kp_yaml *value);

/* kp_yaml_append adds item to list in the same way. */
struct kp_yaml *kp_yaml_append(struct kp_yaml *list, struct kp_yaml *item);

/*
 * kp_yaml_is_same: do a and b say the same? Places do not matter, nor do quotes
 * around what is a string without them.
 */
bool kp_yaml_is_same(const struct kp_yaml *a, const struct kp_yaml *b);

#endif
