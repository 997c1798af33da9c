/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Examples made from the tables of settings: what the parser accepts. Of an
 * object they show the fields that are required and those that say they belong
 * to it. @thread any
 */
#ifndef KP_RULES_EXAMPLE_H
#define KP_RULES_EXAMPLE_H

#include "base/yaml.h"
#include "rules/resource.h"
#include "rules/setting.h"

/* kp_example_new returns a value for setting, to be freed with kp_yaml_free. */
struct kp_yaml *kp_example_new(const struct kp_setting *setting);

/* kp_example_of_kind is a whole resource. */
struct kp_yaml *kp_example_of_kind(const struct kp_resource_kind *kind);

/*
 * kp_example_of_field is a value for the field at path in fields, inside of all
 * that surrounds it there. The path must be that of a field.
 */
struct kp_yaml *kp_example_of_field(
    const struct kp_setting *fields, const char *path);

#endif
