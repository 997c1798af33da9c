/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What commands do, for the table in commands.c. Each writes its answer to
 * stdout, what went wrong to stderr, and returns what kpctl ends with.
 * @thread main
 */
#ifndef KP_CLI_RUN_H
#define KP_CLI_RUN_H

#include <stdint.h>

#include "base/error.h"
#include "cli/command.h"

enum kp_exit kp_run_validate(const struct kp_args *args);
enum kp_exit kp_run_test(const struct kp_args *args);
enum kp_exit kp_run_trace(const struct kp_args *args);
enum kp_exit kp_run_format(const struct kp_args *args);
enum kp_exit kp_run_explain(const struct kp_args *args);
enum kp_exit kp_run_version(const struct kp_args *args);
enum kp_exit kp_run_help(const struct kp_args *args);
enum kp_exit kp_run_completion(const struct kp_args *args);
enum kp_exit kp_run_complete(const struct kp_args *args);

enum kp_exit kp_run_apply(const struct kp_args *args);
enum kp_exit kp_run_diff(const struct kp_args *args);
enum kp_exit kp_run_get(const struct kp_args *args);
enum kp_exit kp_run_describe(const struct kp_args *args);
enum kp_exit kp_run_edit(const struct kp_args *args);
enum kp_exit kp_run_delete(const struct kp_args *args);
enum kp_exit kp_run_history(const struct kp_args *args);
enum kp_exit kp_run_rollback(const struct kp_args *args);
enum kp_exit kp_run_status(const struct kp_args *args);
enum kp_exit kp_run_cordon(const struct kp_args *args);
enum kp_exit kp_run_uncordon(const struct kp_args *args);

enum kp_exit kp_run_config_view(const struct kp_args *args);
enum kp_exit kp_run_get_contexts(const struct kp_args *args);
enum kp_exit kp_run_current_context(const struct kp_args *args);
enum kp_exit kp_run_use_context(const struct kp_args *args);
enum kp_exit kp_run_set_context(const struct kp_args *args);
enum kp_exit kp_run_delete_context(const struct kp_args *args);

/* What operands may be. */
void kp_complete_explain(
    struct kp_candidates *out, const struct kp_args *args, const char *begun);
void kp_complete_help(
    struct kp_candidates *out, const struct kp_args *args, const char *begun);
void kp_complete_shell(
    struct kp_candidates *out, const struct kp_args *args, const char *begun);
void kp_complete_api(
    struct kp_candidates *out, const struct kp_args *args, const char *begun);
void kp_complete_context(
    struct kp_candidates *out, const struct kp_args *args, const char *begun);

/* Kinds, and names that a server tells within half a second. */
void kp_complete_targets(
    struct kp_candidates *out, const struct kp_args *args, const char *begun);
void kp_complete_node(
    struct kp_candidates *out, const struct kp_args *args, const char *begun);

/*
 * kp_revision_said reads the number of a revision that a flag says, 0 if it
 * says none; if it is no number, says so.
 */
bool kp_revision_said(
    uint64_t *out, const struct kp_args *args, const char *flag) KP_MUST_CHECK;

#endif
