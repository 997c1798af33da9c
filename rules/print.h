/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resources in their canonical form: the fields of every table in its order,
 * maps by their keys, quantities in the largest unit that divides them, paths
 * as they were said, and no fallback that was not. It parses back to the same
 * resource and is then printed the same. As text: yaml_write.h. @thread any
 */
#ifndef KP_RULES_PRINT_H
#define KP_RULES_PRINT_H

#include "base/yaml.h"
#include "rules/resource.h"
#include "rules/value.h"

/* kp_print_value returns what was said as a tree, for kp_yaml_free. */
struct kp_yaml *kp_print_value(const struct kp_value *value);

/* kp_print_resource does so for one that has no problems of its own. */
struct kp_yaml *kp_print_resource(const struct kp_resource *resource);

/* kp_print_resources adds all of a set that is valid as YAML documents. */
void kp_print_resources(struct kp_buf *out, const struct kp_resources *set);

#endif
