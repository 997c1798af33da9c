/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gRPC's C core as a whole: its start, its log, tags and arguments.
 */
#ifndef KP_CONTROL_RPC_CORE_PRIV_H
#define KP_CONTROL_RPC_CORE_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <grpc/grpc.h>

#include "control/rpc/identity.h"

/*
 * kp_rpc_core_acquire starts gRPC for its first user, with all signals blocked
 * in the threads that it makes, and sends its log to ours: the reason of a
 * failed TLS handshake is told to nobody else. @thread any
 */
void kp_rpc_core_acquire(void);
void kp_rpc_core_release(void);

/*
 * kp_rpc_core_listen_reason begins to keep the last error that gRPC logs in
 * this thread, kp_rpc_core_reason returns it ("" if there was none) and ends
 * that. Some functions of gRPC say no more than that they failed.
 */
void kp_rpc_core_listen_reason(void);
const char *kp_rpc_core_reason(void);

/* A point of kp_now_ms, or KP_NEVER, as gRPC wants it. */
gpr_timespec kp_rpc_core_time(int64_t deadline_ms);
/* The way back; KP_NEVER for one that never comes. */
int64_t kp_rpc_core_deadline(gpr_timespec time);

/*
 * What begins an operation happens before what its completion does, which
 * ThreadSanitizer cannot see: gRPC is not instrumented. Called with the tag
 * before the operation starts and after it came back.
 */
void kp_rpc_tag_sent(void *tag);
void kp_rpc_tag_came(void *tag);

/* Arguments of a channel or server. Keys and texts are borrowed. */
#define KP_RPC_MAX_ARGS 24
struct kp_rpc_args {
	grpc_arg list[KP_RPC_MAX_ARGS];
	size_t num;
};

void kp_rpc_args_int(struct kp_rpc_args *args, const char *key, int64_t value);
void kp_rpc_args_text(
    struct kp_rpc_args *args, const char *key, const char *value);

/*
 * kp_rpc_args_common is what both ends want: nothing is compressed (what is to
 * be unfolded has no bound that holds before it is), no statistics per
 * connection, connections of their own for each channel.
 */
void kp_rpc_args_common(struct kp_rpc_args *args);

/* PEM texts with a NUL each, as gRPC takes them; wiped when freed. */
struct kp_rpc_pem {
	char *ca, *certificate, *key;
};

void kp_rpc_pem_init(
    struct kp_rpc_pem *out, const struct kp_rpc_identity *identity);
void kp_rpc_pem_fini(struct kp_rpc_pem *pem);

#endif
