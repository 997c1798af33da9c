/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes that say what a client and a broker do to a session between them: a
 * script of steps, a byte that says which and then what the step needs. Every
 * script can be played to its end; what it lacks is zero. @thread main
 */
#ifndef KP_TESTS_FUZZ_PLAY_H
#define KP_TESTS_FUZZ_PLAY_H

#include "proto/kafka/reader.h"
#include "tests/support/bridge.h"

/* Low half of a step's first byte. */
enum kp_step {
	KP_STEP_CLIENT_SENDS, /* these bytes: length, content */
	KP_STEP_BROKER_SENDS, /* the same */
	KP_STEP_ASK,          /* a good request: key, version, seed */
	KP_STEP_ANSWER,       /* a good answer to the oldest request: seed */
	KP_STEP_CLIENT_ERRS,  /* a byte still to be sent: where, value */
	KP_STEP_BROKER_ERRS,  /* the same */
	KP_STEP_HEARING,      /* who reads from now on: bits of param */
	KP_STEP_CLIENT_GOES,
	KP_STEP_BROKER_GOES,
	KP_STEP_FAULT,    /* which calls, which of them, what happens */
	KP_STEP_TIME,     /* seconds */
	KP_STEP_RULES,    /* new ones; param: the virtual cluster is gone */
	KP_STEP_DRAIN,    /* the worker takes no more requests */
	KP_STEP_EVICT,    /* the connection has to make room */
	KP_STEP_LOGIN,    /* a handshake: its version, mechanism */
	KP_STEP_VERSIONS, /* an answer to ApiVersions: highest version */
};
/* Bit 4: the next step comes in the same turn. Bits 5 to 7: param. */
#define KP_STEP_MORE 0x10
#define KP_STEP_PARAM_SHIFT 5

struct kp_play {
	struct kp_test_bridge *bridge;
	struct kp_reader script;
	int32_t next_id;
	size_t served;   /* of what the broker received: requests answered */
	bool is_true;    /* both sides have kept to the protocol so far */
	bool is_patient; /* nothing has happened that may end the connection */
	/*
	 * Once the script is at its end, all requests are answered, and when
	 * nothing is left to do the client goes.
	 */
	bool was_quiet;
	unsigned idle_wait;    /* the last one in which nothing moved */
	unsigned num_timeouts; /* until the client went */
};

/* kp_play_run plays script over one connection of bridge. */
void kp_play_run(struct kp_play *play, struct kp_test_bridge *bridge,
    struct kp_bytes script);

/* kp_play_is_answered is false for Produce requests with acks 0 alone. */
bool kp_play_is_answered(
    const struct kp_request_header *header, struct kp_bytes frame);

#endif
