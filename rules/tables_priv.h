/* SPDX-License-Identifier: Apache-2.0 */
/* What the serialized form needs of the tables. @thread any */
#ifndef KP_RULES_TABLES_PRIV_H
#define KP_RULES_TABLES_PRIV_H

#include "rules/tables.h"

/* The longest serialized form. */
#define KP_TABLES_MAX_PACKED_LEN (64u << 20)

/* Tables.needs in proto/control/tables.proto; the last is the newest. */
enum kp_tables_need { KP_TABLES_NEED_NOTHING, KP_TABLES_NEED_OVERRIDES };

/*
 * kp_tables_check: could the worker serve from these tables without looking at
 * them again? Indices, ports, names and limits; not certificates.
 */
bool kp_tables_check(
    const struct kp_tables *tables, struct kp_error *err) KP_MUST_CHECK;

/* kp_tables_policy_check is the same of one policy; not its expressions. */
bool kp_tables_policy_check(
    const struct kp_tables_policy *policy, struct kp_error *err) KP_MUST_CHECK;

#endif
