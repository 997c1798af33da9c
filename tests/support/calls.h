/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The system calls of the connection code, with a test in between. Sockets and
 * pipes are the kernel's. What is not: connect(2), which always reaches the far
 * end of a pair that is made for it; the clock, which stands still but while
 * the code waits for nothing that can happen; and the faults that a test asks
 * for, refused memory among them. While the code under test waits, the test's
 * own ends have their turn: all of it is one thread. Programs are linked with
 * kp_wrap_calls (CMake).
 * @thread main
 */
#ifndef KP_TESTS_SUPPORT_CALLS_H
#define KP_TESTS_SUPPORT_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum kp_test_call {
	KP_CALL_RECEIVE, /* recv, recvmsg */
	KP_CALL_SEND,    /* send, sendmsg */
	KP_CALL_SPLICE,
	KP_CALL_WAIT, /* poll, ppoll */
	KP_CALL_SOCKET,
	KP_CALL_CONNECT,
	KP_CALL_PIPE,
	KP_CALL_MEMORY,     /* kp_try_alloc, kp_try_realloc */
	KP_CALL_TLS_MEMORY, /* BoringSSL's */
	KP_NUM_CALLS,
};

/* What the n-th of these calls comes to. */
struct kp_test_fault {
	uint32_t calls; /* bits 1 << enum kp_test_call; 0: no fault */
	unsigned nth;   /* 1: the first one; 0: every one */
	size_t max_len; /* bytes it moves at most; 0: none, it fails with … */
	int reason;     /* … this errno. A broken connection stays broken */
};

struct kp_test_calls {
	/*
	 * turn lets the far ends do something while the code waits; false: they
	 * did nothing, and will not before the code does.
	 */
	bool (*turn)(void *context);
	/* When somebody else ends a wait without timeout; INT64_MAX: never. */
	int64_t (*late_ns)(void *context);
	void *context;
	struct kp_test_fault fault;

	/* filled in */
	unsigned num_calls; /* that fault is meant for */
	int faulty_fd;      /* of the last one that met it; -1: none did */
	unsigned num_waits;
	unsigned num_timeouts; /* waits that ended because time passed */
	int num_open;          /* descriptors opened less those closed */
	int near_fd, far_fd; /* of the newest socket; far_fd until taken, -1 */
	int64_t now_ns;
};

/*
 * kp_test_calls_begin takes the calls over until kp_test_calls_end. The clock
 * starts at now_ns; the caller counts what it opened itself into num_open.
 */
void kp_test_calls_begin(struct kp_test_calls *calls);
void kp_test_calls_end(void);

/* What follows is done by the far ends: it meets no fault. */
void kp_test_calls_set_far(bool is_far);

#endif
