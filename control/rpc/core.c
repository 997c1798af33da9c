/* SPDX-License-Identifier: Apache-2.0 */
#include "control/rpc/core_priv.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <grpc/support/log.h>
#include <grpc/support/time.h>

#include "base/clock.h"
#include "base/log.h"

#define REASON_SIZE 256

static _Thread_local struct {
	bool is_wanted;
	char text[REASON_SIZE];
} reason;

/* The start of what gRPC's TLS says when a handshake failed, and of nothing
 * else. */
static const char handshake_text[] = "Handshake failed with fatal error ";

static void
log_handshake(const char *text)
{
	static struct kp_log_limiter limiter;
	uint64_t suppressed;

	if (kp_log_admit(&limiter, &suppressed))
		kp_log(KP_LOG_WARN, "rpc_handshake_failed",
		    KP_STR("reason", text), KP_INT("suppressed", suppressed));
}

static void
log_other(const char *text)
{
	static struct kp_log_limiter limiter;
	uint64_t suppressed;

	if (kp_log_admit(&limiter, &suppressed))
		kp_log(KP_LOG_WARN, "grpc", KP_STR("text", text),
		    KP_INT("suppressed", suppressed));
}

static void
on_log(gpr_log_func_args *args)
{
	size_t prefix_len = sizeof(handshake_text) - 1;

	if (strncmp(args->message, handshake_text, prefix_len) == 0) {
		log_handshake(args->message + prefix_len);
		return;
	}
	if (args->severity != GPR_LOG_SEVERITY_ERROR)
		return;
	if (reason.is_wanted)
		(void)snprintf(
		    reason.text, sizeof(reason.text), "%s", args->message);
	else
		log_other(args->message);
}

void
kp_rpc_core_listen_reason(void)
{
	reason.is_wanted = true;
	reason.text[0] = '\0';
}

const char *
kp_rpc_core_reason(void)
{
	reason.is_wanted = false;
	return reason.text;
}

void
kp_rpc_core_acquire(void)
{
	sigset_t all, before;

	(void)sigfillset(&all);
	kp_must(pthread_sigmask(SIG_SETMASK, &all, &before));
	gpr_set_log_function(on_log);
	gpr_set_log_verbosity(GPR_LOG_SEVERITY_INFO);
	grpc_init();
	kp_must(pthread_sigmask(SIG_SETMASK, &before, NULL));
}

void
kp_rpc_core_release(void)
{
	grpc_shutdown();
}

gpr_timespec
kp_rpc_core_time(int64_t deadline_ms)
{
	int64_t left_ms;

	if (deadline_ms == KP_NEVER)
		return gpr_inf_future(GPR_CLOCK_MONOTONIC);
	left_ms = deadline_ms - kp_now_ms();
	return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
	    gpr_time_from_millis(left_ms, GPR_TIMESPAN));
}

int64_t
kp_rpc_core_deadline(gpr_timespec time)
{
	gpr_timespec left;

	if (gpr_time_cmp(time, gpr_inf_future(time.clock_type)) == 0)
		return KP_NEVER;
	left = gpr_time_sub(gpr_convert_clock_type(time, GPR_CLOCK_MONOTONIC),
	    gpr_now(GPR_CLOCK_MONOTONIC));
	return kp_now_ms() + gpr_time_to_millis(left);
}

static grpc_arg *
add(struct kp_rpc_args *args, const char *key, grpc_arg_type type)
{
	grpc_arg *arg = &args->list[args->num];

	kp_assert(args->num < KP_RPC_MAX_ARGS);
	args->num++;
	arg->type = type;
	arg->key = (char *)(uintptr_t)key; /* gRPC copies it */
	return arg;
}

void
kp_rpc_args_int(struct kp_rpc_args *args, const char *key, int64_t value)
{
	grpc_arg *arg = add(args, key, GRPC_ARG_INTEGER);

	arg->value.integer = value > INT_MAX ? INT_MAX : (int)value;
}

void
kp_rpc_args_text(struct kp_rpc_args *args, const char *key, const char *value)
{
	grpc_arg *arg = add(args, key, GRPC_ARG_STRING);

	arg->value.string = (char *)(uintptr_t)value;
}

void
kp_rpc_args_common(struct kp_rpc_args *args)
{
	kp_rpc_args_int(args, GRPC_ARG_ENABLE_PER_MESSAGE_COMPRESSION, 0);
	kp_rpc_args_int(args, GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
	kp_rpc_args_int(args,
	    GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET,
	    1 << GRPC_COMPRESS_NONE);
	kp_rpc_args_int(args, GRPC_ARG_ENABLE_CHANNELZ, 0);
	kp_rpc_args_int(
	    args, GRPC_ARG_MAX_CHANNEL_TRACE_EVENT_MEMORY_PER_NODE, 0);
	kp_rpc_args_int(args, GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
	kp_rpc_args_int(args, GRPC_ARG_ENABLE_HTTP_PROXY, 0);
	kp_rpc_args_int(args, GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
	kp_rpc_args_int(args, GRPC_ARG_ENABLE_RETRIES, 0);
}
