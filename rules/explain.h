/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tables say, for people: `explain KIND.field` and the reference pages
 * in docs/. @thread any
 */
#ifndef KP_RULES_EXPLAIN_H
#define KP_RULES_EXPLAIN_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/error.h"

/*
 * kp_explain adds what path means to out: "Listener", "Listener.spec.ports" or,
 * shorter, "Listener.ports"; "node" and "node.limits" for node.yaml. An empty
 * path lists the kinds. False with a suggestion if there is no such thing.
 */
bool kp_explain(
    struct kp_buf *out, const char *path, struct kp_error *err) KP_MUST_CHECK;

/* docs/resources.md, docs/config.md, docs/limits.md. */
void kp_explain_resources_page(struct kp_buf *out);
void kp_explain_config_page(struct kp_buf *out);
void kp_explain_limits_page(struct kp_buf *out);

#endif
