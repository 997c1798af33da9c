/* SPDX-License-Identifier: Apache-2.0 */
/* What the programs of make bench-control share: PEM files, resources, and
 * lines of JSON. A failure ends the process. @thread main */
#ifndef KP_BENCH_CONTROL_H
#define KP_BENCH_CONTROL_H

#include "base/bytes.h"
#include "control/rpc/identity.h"

_Noreturn void kp_control_die(const char *what, const struct kp_error *err);

/* CA, certificate and key from files; kept for the life of the process. */
struct kp_rpc_identity kp_control_identity(
    const char *ca, const char *certificate, const char *key);

/*
 * kp_control_resources adds num Clusters to out, as YAML documents, the one
 * with the number first and those after it; other ports are another content.
 */
void kp_control_resources(
    struct kp_buf *out, size_t first, size_t num, unsigned port);

/* The next line of stdin as a word and a number; false at its end. */
bool kp_control_command(char word[32], unsigned long *number);

/* Writes {"event":…} with the fields of fmt. @thread any */
void kp_control_say(const char *event, const char *fmt, ...) KP_PRINTF(2, 3);

#endif
