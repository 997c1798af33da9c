/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kinds of resources there are, one file each. A new kind is a table, a
 * check and a compile function in a file of its own, and a line here and in
 * kinds.c.
 */
#ifndef KP_RULES_KINDS_KINDS_H
#define KP_RULES_KINDS_KINDS_H

#include "rules/resource.h"

extern const struct kp_resource_kind kp_kind_cluster;
extern const struct kp_resource_kind kp_kind_listener;
extern const struct kp_resource_kind kp_kind_policy;
extern const struct kp_resource_kind kp_kind_virtual_cluster;

/* The APIs that policies judge, by name. */
extern const struct kp_setting_word kp_policy_api_words[];

/*
 * kp_kind_listener_compile is called by the virtual cluster that uses it.
 * Returns its index in the tables.
 */
uint32_t kp_kind_listener_compile(
    struct kp_compiler *compiler, const struct kp_resource *resource);

#endif
