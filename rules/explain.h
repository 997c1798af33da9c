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
#include "rules/setting.h"

/*
 * kp_explain adds what path means to out: "Listener", "Listener.spec.ports" or,
 * shorter, "Listener.ports"; "node" and "node.limits" for node.yaml, "server"
 * for kpserver.yaml, "test" for cases of policies. An empty path lists the
 * kinds. False with a suggestion if there is no such thing.
 */
bool kp_explain(
    struct kp_buf *out, const char *path, struct kp_error *err) KP_MUST_CHECK;

/*
 * kp_explain_tree does so with all that is below path, a line for each field.
 */
bool kp_explain_tree(
    struct kp_buf *out, const char *path, struct kp_error *err) KP_MUST_CHECK;

/*
 * kp_explain_names shows every path that is one name longer than what of begun
 * ends with a dot, with its help; "Lis" and "" show all kinds. Nothing if there
 * is no such thing. path is valid during the call.
 */
typedef void (*kp_visit_name)(
    void *ctx, const char *path, const char *help, bool has_fields);
void kp_explain_names(const char *begun, kp_visit_name visit, void *ctx);

/* kp_explain_table adds fields as a table of Markdown, all below them, too. */
void kp_explain_table(struct kp_buf *out, const struct kp_setting *fields);

/* docs/resources.md, docs/config.md, docs/server-config.md, docs/limits.md. */
void kp_explain_resources_page(struct kp_buf *out);
void kp_explain_config_page(struct kp_buf *out);
void kp_explain_server_page(struct kp_buf *out);
void kp_explain_limits_page(struct kp_buf *out);

#endif
