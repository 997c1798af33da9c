/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/server_limits.h"

#define KIB INT64_C(1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define SECOND INT64_C(1000)
#define HOUR (3600 * SECOND)

#define REFUSED "RESOURCE_EXHAUSTED"

/*
 * X(id, name, type, min, max, default, the same as one would write it, what it
 * is, what a caller sees beyond it)
 */
/* clang-format off */
#define LIMITS(X) \
	X(CONNECTIONS, "connections", INT, 16, 1000000, 10000, "10000", \
	    "Connections of all clients. The hard limit of descriptors " \
	    "(ulimit -Hn) must be 128 above it.", \
	    "closed at once") \
	X(CALLS, "calls", INT, 16, 1000000, 8192, "8192", \
	    "Calls at the same time; a stream of a node or a watch is one.", \
	    REFUSED) \
	X(CALLS_PER_CONNECTION, "callsPerConnection", INT, 1, 10000, 128, \
	    "128", \
	    "Calls of one connection at the same time.", \
	    "waits at the client") \
	X(THREADS, "threads", INT, 2, 256, 16, "16", \
	    "Calls that are worked on at the same time.", \
	    "waits") \
	X(CHANGES, "changes", INT, 1, 255, 8, "8", \
	    "Changes that are judged, which is done one after the other, or " \
	    "wait for that. Less than threads, so that reads never wait for " \
	    "them.", \
	    REFUSED) \
	X(WATCHES, "watches", INT, 1, 100000, 1000, "1000", \
	    "Calls of Watch at the same time.", \
	    REFUSED) \
	X(MESSAGE, "message", SIZE, 64 * KIB, 16 * MIB, 16 * MIB, "16MiB", \
	    "One request.", \
	    REFUSED) \
	X(MEMORY, "memory", SIZE, 64 * MIB, 1024 * GIB, 512 * MIB, \
	    "512MiB", \
	    "Buffers of all connections together.", \
	    "connections are refused") \
	X(RATE, "rate", INT, 1, 1000000, 100, "100", \
	    "Calls of one identity in a second, over a longer time.", \
	    REFUSED) \
	X(RATE_BURST, "rateBurst", INT, 1, 1000000, 200, "200", \
	    "Calls of one identity at once.", \
	    REFUSED) \
	X(TIMEOUT, "timeout", DURATION, 100, 1 * HOUR, 60 * SECOND, "60s", \
	    "A call whose client named no deadline.", \
	    "DEADLINE_EXCEEDED") \
	X(WATCH_TIMEOUT, "watchTimeout", DURATION, 100, 1 * HOUR, \
	    30 * SECOND, "30s", \
	    "A watch whose client does not read what waits for it.", \
	    "RESOURCE_EXHAUSTED; it can go on where it was") \
	X(HANDSHAKE_TIMEOUT, "handshakeTimeout", DURATION, 100, 1 * HOUR, \
	    10 * SECOND, "10s", \
	    "The TLS handshake.", \
	    "closed") \
	X(IDLE_TIMEOUT, "idleTimeout", DURATION, 1 * SECOND, 24 * HOUR, \
	    300 * SECOND, "5m", \
	    "A connection without calls.", \
	    "closed") \
	X(KEEPALIVE, "keepalive", DURATION, 1 * SECOND, 24 * HOUR, \
	    30 * SECOND, "30s", \
	    "A connection without a sign of life is asked for one.", \
	    "asked") \
	X(KEEPALIVE_TIMEOUT, "keepaliveTimeout", DURATION, 100, 1 * HOUR, \
	    20 * SECOND, "20s", \
	    "From then until there is one.", \
	    "closed") \
	X(DRAIN_TIMEOUT, "drainTimeout", DURATION, 100, 1 * HOUR, \
	    10 * SECOND, "10s", \
	    "From SIGTERM until calls that are worked on are cut off.", \
	    "UNAVAILABLE")
/* clang-format on */

const struct kp_setting kp_server_limit_settings[KP_NUM_SERVER_LIMITS + 1] = {
#define SETTING(id, name_, type_, min_, max_, number, text, help_, effect) \
	[KP_SERVER_##id] = { .name = (name_), \
		.type = KP_SETTING_##type_, \
		.min = (min_), \
		.max = (max_), \
		.fallback = (text), \
		.help = help_ },
	LIMITS(SETTING)
#undef SETTING
	    [KP_NUM_SERVER_LIMITS] = { .type = KP_SETTING_END },
};

const char *const kp_server_limit_effects[KP_NUM_SERVER_LIMITS] = {
#define EFFECT(id, name, type, min, max, number, text, help, effect) \
	[KP_SERVER_##id] = effect,
	LIMITS(EFFECT)
#undef EFFECT
};

void
kp_server_limits_default(struct kp_server_limits *out)
{
	*out = (struct kp_server_limits){ {
#define NUMBER(id, name, type, min, max, number, ...) \
	[KP_SERVER_##id] = (number),
	    LIMITS(NUMBER)
#undef NUMBER
	} };
}

const char *
kp_server_limits_complaint(
    const struct kp_server_limits *limits, enum kp_server_limit *out_which)
{
	*out_which = KP_SERVER_CHANGES;
	if (limits->of[KP_SERVER_CHANGES] >= limits->of[KP_SERVER_THREADS])
		return "changes is not less than threads: reads would wait";
	*out_which = KP_SERVER_WATCHES;
	if (limits->of[KP_SERVER_WATCHES] >= limits->of[KP_SERVER_CALLS])
		return "watches is not less than calls";
	return NULL;
}
