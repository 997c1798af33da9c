/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/limits.h"

#define KIB INT64_C(1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define TIB (1024 * GIB)
#define SECOND INT64_C(1000)
#define HOUR (3600 * SECOND)
#define DAY (24 * HOUR)
#define MANY 1000000

#define CLOSED(reason) "kproxy_connections_closed_total{reason=\"" reason "\"}"

/*
 * X(id, name, type, min, max, default, the same as one would write it, what it
 * is, what a client sees beyond it, what counts that)
 */
/* clang-format off */
#define LIMITS(X) \
	X(CONNECTIONS, "connections", INT, 1, MANY, 10000, "10000", \
	    "Client connections of the node.", \
	    "closed at once", CLOSED("connection_limit")) \
	X(CONNECTIONS_PER_ADDRESS, "connectionsPerAddress", INT, 0, MANY, 0, "0", \
	    "Client connections from one address; 0: no limit of its own.", \
	    "closed at once", CLOSED("address_limit")) \
	X(CONNECTIONS_OPENING, "connectionsOpening", INT, 1, MANY, 1000, "1000", \
	    "Client connections that have not begun a request yet.", \
	    "the oldest of these is closed", CLOSED("opening_limit")) \
	X(MEMORY, "memory", SIZE, 16 * MIB, 64 * TIB, 4 * GIB, "4GiB", \
	    "Buffers of all connections together. Of it, a quarter is for " \
	    "requests and half for answers of more than 64 KiB that have to " \
	    "be held.", \
	    "the connection that needs more is closed", \
	    CLOSED("memory_limit")) \
	X(MEMORY_PER_CONNECTION, "memoryPerConnection", SIZE, 1 * MIB, \
	    64 * TIB, 256 * MIB, "256MiB", \
	    "Buffers of one connection.", \
	    "closed", CLOSED("connection_memory_limit")) \
	X(FRAME, "frame", SIZE, 64 * KIB, 1 * GIB, 100 * MIB, "100MiB", \
	    "One request or answer. Not less than the brokers' " \
	    "socket.request.max.bytes.", \
	    "closed", CLOSED("frame_too_large")) \
	X(FRAME_BEFORE_AUTH, "frameBeforeAuthentication", SIZE, 1 * KIB, \
	    1 * GIB, 512 * KIB, "512KiB", \
	    "One request of a client that nobody knows yet.", \
	    "closed", CLOSED("frame_too_large")) \
	X(GOVERNED_REQUEST, "governedRequest", SIZE, 1 * KIB, 64 * MIB, \
	    1 * MIB, "1MiB", \
	    "One request that policies are asked about. While they are, it " \
	    "takes up to 128 times as much memory, 192 times where policies " \
	    "set something.", \
	    "closed", CLOSED("frame_too_large")) \
	X(IN_FLIGHT, "inFlight", INT, 1, MANY, 1000, "1000", \
	    "Requests of one connection that wait for their answers.", \
	    "not read until answers have come", \
	    "kproxy_in_flight_limit_reached_total") \
	X(HANDSHAKE_TIMEOUT, "handshakeTimeout", DURATION, 100, 1 * HOUR, \
	    10 * SECOND, "10s", \
	    "PROXY protocol header and TLS handshake.", \
	    "closed", CLOSED("handshake_timeout")) \
	X(FIRST_REQUEST_TIMEOUT, "firstRequestTimeout", DURATION, 100, \
	    1 * HOUR, 30 * SECOND, "30s", \
	    "From connection to first request.", \
	    "closed", CLOSED("first_request_timeout")) \
	X(REQUEST_TIMEOUT, "requestTimeout", DURATION, 100, 1 * DAY, \
	    60 * SECOND, "60s", \
	    "For each 64 KiB of a request or answer, once begun.", \
	    "closed", CLOSED("request_timeout")) \
	X(FRAME_TIMEOUT, "frameTimeout", DURATION, 100, 1 * DAY, \
	    600 * SECOND, "10m", \
	    "For all of a request or answer, once begun.", \
	    "closed", CLOSED("frame_timeout")) \
	X(IDLE_TIMEOUT, "idleTimeout", DURATION, 1 * SECOND, 30 * DAY, \
	    660 * SECOND, "11m", \
	    "No byte in either direction. Longer than the brokers' " \
	    "connections.max.idle.ms (10 minutes), so that the broker " \
	    "decides.", \
	    "closed", CLOSED("idle_timeout")) \
	X(WRITE_TIMEOUT, "writeTimeout", DURATION, 100, 1 * DAY, \
	    60 * SECOND, "60s", \
	    "A peer that does not read what is sent to it.", \
	    "closed", CLOSED("write_timeout")) \
	X(DRAIN_TIMEOUT, "drainTimeout", DURATION, 100, 1 * DAY, \
	    30 * SECOND, "30s", \
	    "From SIGTERM until connections are cut.", \
	    "closed", CLOSED("drain"))
/* clang-format on */

const struct kp_setting kp_limit_settings[KP_NUM_LIMITS + 1] = {
#define SETTING( \
    id, name_, type_, min_, max_, number, text, help_, sees, count) \
	[KP_LIMIT_##id] = { .name = (name_), \
		.type = KP_SETTING_##type_, \
		.min = (min_), \
		.max = (max_), \
		.fallback = (text), \
		.help = help_ },
	LIMITS(SETTING)
#undef SETTING
	    [KP_NUM_LIMITS] = { .type = KP_SETTING_END },
};

const struct kp_limit_row kp_limit_rows[KP_NUM_LIMITS] = {
#define ROW(id, name, type, min, max, number, text, help, client, counter) \
	[KP_LIMIT_##id] = { client, counter },
	LIMITS(ROW)
#undef ROW
};

void
kp_limits_default(struct kp_limits *out)
{
	*out = (struct kp_limits){ {
#define NUMBER(id, name, type, min, max, number, ...) \
	[KP_LIMIT_##id] = (number),
	    LIMITS(NUMBER)
#undef NUMBER
	} };
}

const struct kp_fixed_limit kp_fixed_limits[] = {
	{ "Header of a request or answer", "64 KiB, 256 tagged fields",
	    "closed, `protocol_error`" },
	{ "Tagged fields of one struct of a message", "1000",
	    "closed, `protocol_error`" },
	{ "Length or count inside a message", "what is left of its frame",
	    "closed, `protocol_error`" },
	{ "Text that has to be looked at in an answer that is passed on as it "
	  "comes",
	    "32 KiB", "closed, `memory_limit`" },
	{ "PROXY protocol header", "4 KiB", "closed, `proxy_protocol`" },
	{ "Certificate chain of a client or broker", "64 KiB",
	    "closed, `tls_error`" },
	{ "Memory of a connection besides `memory`",
	    "64 KiB, 128 bytes for each request in flight, and for each side "
	    "with TLS 128 KiB: records that are read and written, a handshake",
	    "closed, `tls_error`" },
	{ "Pipes for bytes that nobody looks at", "32 of 1 MiB per worker",
	    "copied instead" },
	{ "Nodes that are remembered of a cluster", "10000",
	    "not connected to" },
	{ "Connections to the admin address", "64", "closed" },
	{ .what = NULL },
};

const char *
kp_limits_complaint(const struct kp_limits *limits, enum kp_limit *out_which)
{
	static const struct {
		enum kp_limit smaller, larger;
		int divisor; /* of the larger one */
		const char *complaint;
	} order[] = {
		{ KP_LIMIT_FRAME_BEFORE_AUTH, KP_LIMIT_FRAME, 1,
		    "frameBeforeAuthentication is larger than frame" },
		{ KP_LIMIT_FRAME, KP_LIMIT_MEMORY_PER_CONNECTION, 1,
		    "frame is larger than memoryPerConnection" },
		{ KP_LIMIT_FRAME, KP_LIMIT_MEMORY, 2,
		    "frame is larger than half of memory" },
		{ KP_LIMIT_FRAME_BEFORE_AUTH, KP_LIMIT_MEMORY, 4,
		    "frameBeforeAuthentication is larger than a quarter of "
		    "memory" },
	};

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		*out_which = order[i].smaller;
		if (limits->of[order[i].smaller] >
		    limits->of[order[i].larger] / order[i].divisor)
			return order[i].complaint;
	}
	return NULL;
}

bool
kp_limits_are_in_bounds(const struct kp_limits *limits)
{
	for (int i = 0; i < KP_NUM_LIMITS; i++) {
		if (limits->of[i] < kp_limit_settings[i].min ||
		    limits->of[i] > kp_limit_settings[i].max)
			return false;
	}
	return true;
}
