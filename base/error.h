/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors that carry their reason. The lowest level says what happened, each
 * level above adds where (kp_error_prefix), the top prints it once. Callers
 * decide on the kind, never on the text. No allocation: a failure must be
 * reportable when memory is what failed. @thread any
 */
#ifndef KP_BASE_ERROR_H
#define KP_BASE_ERROR_H

#include <stdbool.h>

enum kp_error_kind {
	KP_ERR_NONE = 0,
	KP_ERR_SYSTEM,      /* a system call failed; sys_errno says why */
	KP_ERR_LIMIT,       /* a named limit was reached */
	KP_ERR_PROTOCOL,    /* a peer sent bytes that the protocol forbids */
	KP_ERR_UNSUPPORTED, /* valid, but an API or version we do not know */
	KP_ERR_CONFIG,      /* the operator's input is wrong */
	KP_ERR_TLS,         /* handshake or record layer */
	KP_ERR_TIMEOUT,     /* a deadline passed */
	KP_ERR_CLOSED,      /* the peer closed the connection */
	KP_ERR_UNAVAILABLE, /* something we depend on is not there now */
};

struct kp_error {
	enum kp_error_kind kind;
	int sys_errno;
	char text[256];
};

/*
 * For large variables on the way of every request that are filled before they
 * are read: the released programs set all others to zero, which costs time and
 * touches the stack.
 */
#define KP_UNINITIALIZED __attribute__((uninitialized))

#define KP_MUST_CHECK __attribute__((warn_unused_result))
#define KP_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/* kp_error_set fills err and returns false, so that callers can return it. */
bool kp_error_set(struct kp_error *err, enum kp_error_kind kind,
    const char *fmt, ...) KP_PRINTF(3, 4);

/*
 * kp_error_sys is kp_error_set with KP_ERR_SYSTEM, errno and its text after a
 * colon. Returns false.
 */
bool kp_error_sys(struct kp_error *err, const char *fmt, ...) KP_PRINTF(2, 3);

/* kp_error_prefix puts "text: " in front: where it happened. Returns false. */
bool kp_error_prefix(struct kp_error *err, const char *fmt, ...)
    KP_PRINTF(2, 3);

/* kp_error_kind_name is the kind as one word, for logs and metric labels. */
const char *kp_error_kind_name(enum kp_error_kind kind);

/* Number of kinds, for tables indexed by kind. */
#define KP_NUM_ERROR_KINDS (KP_ERR_UNAVAILABLE + 1)

/*
 * kp_assert stays on in release and is for our own invariants only, never for
 * bytes from outside.
 */
#define kp_assert(cond) \
	((cond) ? (void)0 : kp_assert_failed(__FILE__, __LINE__, #cond))
_Noreturn void kp_assert_failed(
    const char *file, int line, const char *condition);

/* kp_must is for calls that cannot fail unless we misuse them: pthread_*. */
#define kp_must(call) kp_must_be_zero((call), __FILE__, __LINE__, #call)
void kp_must_be_zero(int result, const char *file, int line, const char *call);

#endif
