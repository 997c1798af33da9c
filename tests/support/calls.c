/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/calls.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/bytes.h"

/* The linker's --wrap gives these names to what the code calls … */
ssize_t __wrap_recv(int fd, void *data, size_t len, int flags);
ssize_t __wrap_recvmsg(int fd, struct msghdr *message, int flags);
ssize_t __wrap_send(int fd, const void *data, size_t len, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags);
ssize_t __wrap_splice(int from, off64_t *from_at, int to, off64_t *to_at,
    size_t len, unsigned flags);
int __wrap_poll(struct pollfd *fds, nfds_t num, int timeout_ms);
int __wrap_ppoll(struct pollfd *fds, nfds_t num, const struct timespec *timeout,
    const sigset_t *mask);
int __wrap_socket(int domain, int type, int protocol);
int __wrap_connect(int fd, const struct sockaddr *address, socklen_t len);
int __wrap_pipe2(int fds[2], int flags);
int __wrap_close(int fd);
int __wrap_clock_gettime(clockid_t id, struct timespec *out);
ssize_t __wrap_write(int fd, const void *data, size_t len);
void *__wrap_kp_try_alloc(size_t size);
void *__wrap_kp_try_realloc(void *old, size_t size);

/* … and these to what it would have called. */
ssize_t __real_recv(int fd, void *data, size_t len, int flags);
ssize_t __real_recvmsg(int fd, struct msghdr *message, int flags);
ssize_t __real_send(int fd, const void *data, size_t len, int flags);
ssize_t __real_sendmsg(int fd, const struct msghdr *message, int flags);
ssize_t __real_splice(int from, off64_t *from_at, int to, off64_t *to_at,
    size_t len, unsigned flags);
int __real_poll(struct pollfd *fds, nfds_t num, int timeout_ms);
int __real_ppoll(struct pollfd *fds, nfds_t num, const struct timespec *timeout,
    const sigset_t *mask);
int __real_socket(int domain, int type, int protocol);
int __real_connect(int fd, const struct sockaddr *address, socklen_t len);
int __real_pipe2(int fds[2], int flags);
int __real_close(int fd);
int __real_clock_gettime(clockid_t id, struct timespec *out);
ssize_t __real_write(int fd, const void *data, size_t len);
void *__real_kp_try_alloc(size_t size);
void *__real_kp_try_realloc(void *old, size_t size);

/* BoringSSL allocates with these if a program has them. */
void *OPENSSL_memory_alloc(size_t size);
void OPENSSL_memory_free(void *memory);
size_t OPENSSL_memory_get_size(void *memory);

enum met {
	NO_FAULT,
	IS_SHORT,
	FAILS, /* errno is set */
};

static struct kp_test_calls *active;
static bool is_far_end; /* that calls: nothing is faulty then */

void
kp_test_calls_begin(struct kp_test_calls *calls)
{
	kp_assert(active == NULL);
	calls->num_calls = 0;
	calls->faulty_fd = -1;
	calls->num_waits = 0;
	calls->num_timeouts = 0;
	calls->num_open = 0;
	calls->near_fd = -1;
	calls->far_fd = -1;
	active = calls;
}

void
kp_test_calls_end(void)
{
	active = NULL;
}

void
kp_test_calls_set_far(bool is_far)
{
	is_far_end = is_far;
}

static enum met
meet(enum kp_test_call call, int fd)
{
	const struct kp_test_fault *fault = &active->fault;

	if (is_far_end || (fault->calls & 1u << call) == 0)
		return NO_FAULT;
	active->num_calls++;
	if (fault->nth != 0 && fault->nth != active->num_calls)
		return NO_FAULT;
	active->faulty_fd = fd;
	if (fault->max_len > 0)
		return IS_SHORT;
	if (fault->reason == ECONNRESET || fault->reason == EPIPE)
		(void)shutdown(fd, SHUT_RDWR);
	errno = fault->reason;
	return FAILS;
}

static size_t
shorten(enum met met, size_t len)
{
	if (met == NO_FAULT || len < active->fault.max_len)
		return len;
	return active->fault.max_len;
}

ssize_t
__wrap_recv(int fd, void *data, size_t len, int flags)
{
	enum met met = active == NULL ? NO_FAULT : meet(KP_CALL_RECEIVE, fd);

	if (met == FAILS)
		return -1;
	return __real_recv(fd, data, shorten(met, len), flags);
}

ssize_t
__wrap_recvmsg(int fd, struct msghdr *message, int flags)
{
	enum met met = active == NULL ? NO_FAULT : meet(KP_CALL_RECEIVE, fd);

	if (met == FAILS)
		return -1;
	if (met == IS_SHORT)
		return __real_recv(fd, message->msg_iov[0].iov_base,
		    shorten(met, message->msg_iov[0].iov_len), flags);
	return __real_recvmsg(fd, message, flags);
}

ssize_t
__wrap_send(int fd, const void *data, size_t len, int flags)
{
	enum met met = active == NULL ? NO_FAULT : meet(KP_CALL_SEND, fd);

	if (met == FAILS)
		return -1;
	return __real_send(fd, data, shorten(met, len), flags);
}

static ssize_t
send_first_span(int fd, const struct msghdr *message, int flags)
{
	const struct iovec *span = message->msg_iov;

	while (span->iov_len == 0)
		span++;
	return __real_send(
	    fd, span->iov_base, shorten(IS_SHORT, span->iov_len), flags);
}

ssize_t
__wrap_sendmsg(int fd, const struct msghdr *message, int flags)
{
	enum met met = active == NULL ? NO_FAULT : meet(KP_CALL_SEND, fd);

	if (met == FAILS)
		return -1;
	return met == IS_SHORT ? send_first_span(fd, message, flags)
			       : __real_sendmsg(fd, message, flags);
}

static bool
is_socket(int fd)
{
	int type;
	socklen_t len = sizeof(type);

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0;
}

/* One end is a pipe, the other one mostly a socket. */
static int
socket_of(int one, int other)
{
	return is_socket(one) ? one : other;
}

ssize_t
__wrap_splice(int from, off64_t *from_at, int to, off64_t *to_at, size_t len,
    unsigned flags)
{
	int fd = socket_of(from, to);
	enum met met = active == NULL || !is_socket(fd)
			   ? NO_FAULT
			   : meet(KP_CALL_SPLICE, fd);

	if (met == FAILS)
		return -1;
	return __real_splice(
	    from, from_at, to, to_at, shorten(met, len), flags);
}

static bool
have_turn(void)
{
	bool has_moved;

	is_far_end = true;
	has_moved = active->turn(active->context);
	is_far_end = false;
	return has_moved;
}

/* As if the acceptor's signal came. */
static int
wait_to_be_woken(void)
{
	int64_t late_ns = active->late_ns(active->context);

	/* in the past: the code has not looked at the clock */
	kp_assert(late_ns > active->now_ns);
	kp_assert(late_ns != INT64_MAX); /* or it would wait for ever */
	active->now_ns = late_ns;
	errno = EINTR;
	return -1;
}

/* Time passes only when nothing else can happen any more. */
static int
wait_in_turns(struct pollfd *fds, nfds_t num, int timeout_ms)
{
	bool has_moved = true;
	int num_ready = 0;

	active->num_waits++;
	while (num_ready == 0 && has_moved) {
		has_moved = have_turn();
		num_ready = __real_poll(fds, num, 0);
		if (timeout_ms == 0)
			return num_ready;
	}
	if (num_ready != 0)
		return num_ready;
	active->num_timeouts++;
	if (timeout_ms > 0) {
		active->now_ns += (int64_t)timeout_ms * 1000000;
		return 0;
	}
	return wait_to_be_woken();
}

int
__wrap_poll(struct pollfd *fds, nfds_t num, int timeout_ms)
{
	if (active == NULL || is_far_end)
		return __real_poll(fds, num, timeout_ms);
	if (meet(KP_CALL_WAIT, -1) == FAILS)
		return -1;
	return wait_in_turns(fds, num, timeout_ms);
}

int
__wrap_ppoll(struct pollfd *fds, nfds_t num, const struct timespec *timeout,
    const sigset_t *mask)
{
	if (active == NULL || is_far_end)
		return __real_ppoll(fds, num, timeout, mask);
	if (meet(KP_CALL_WAIT, -1) == FAILS)
		return -1;
	return wait_in_turns(fds, num,
	    timeout == NULL
		? -1
		: (int)(timeout->tv_sec * 1000 + timeout->tv_nsec / 1000000));
}

int
__wrap_socket(int domain, int type, int protocol)
{
	int fds[2];

	if (active == NULL)
		return __real_socket(domain, type, protocol);
	if (meet(KP_CALL_SOCKET, -1) == FAILS)
		return -1;
	kp_assert(socketpair(AF_UNIX, type, 0, fds) == 0);
	if (active->far_fd >= 0) /* of an attempt before this one */
		(void)__real_close(active->far_fd);
	else
		active->num_open++;
	active->num_open++;
	active->near_fd = fds[0];
	active->far_fd = fds[1];
	return fds[0];
}

int
__wrap_connect(int fd, const struct sockaddr *address, socklen_t len)
{
	if (active == NULL)
		return __real_connect(fd, address, len);
	return meet(KP_CALL_CONNECT, fd) == FAILS ? -1 : 0;
}

int
__wrap_pipe2(int fds[2], int flags)
{
	if (active == NULL)
		return __real_pipe2(fds, flags);
	if (meet(KP_CALL_PIPE, -1) == FAILS)
		return -1;
	active->num_open += 2;
	return __real_pipe2(fds, flags);
}

int
__wrap_close(int fd)
{
	int result = __real_close(fd);

	if (active == NULL)
		return result;
	kp_assert(result == 0);
	active->num_open--;
	return result;
}

int
__wrap_clock_gettime(clockid_t id, struct timespec *out)
{
	if (active == NULL || id != CLOCK_MONOTONIC)
		return __real_clock_gettime(id, out);
	out->tv_sec = (time_t)(active->now_ns / 1000000000);
	out->tv_nsec = (long)(active->now_ns % 1000000000);
	return 0;
}

/* Nobody is to read the log of a run that is full of faults. */
ssize_t
__wrap_write(int fd, const void *data, size_t len)
{
	if (active == NULL || fd != STDERR_FILENO)
		return __real_write(fd, data, len);
	return (ssize_t)len;
}

void *
__wrap_kp_try_alloc(size_t size)
{
	if (active != NULL && meet(KP_CALL_MEMORY, -1) != NO_FAULT)
		return NULL;
	return __real_kp_try_alloc(size);
}

void *
__wrap_kp_try_realloc(void *old, size_t size)
{
	if (active != NULL && meet(KP_CALL_MEMORY, -1) != NO_FAULT)
		return NULL;
	return __real_kp_try_realloc(old, size);
}

/* In front of BoringSSL's memory: it wants to be told how much that is. */
#define SIZE_LEN 16

void *
OPENSSL_memory_alloc(size_t size)
{
	uint8_t *memory;

	if (active != NULL && meet(KP_CALL_TLS_MEMORY, -1) != NO_FAULT)
		return NULL;
	memory = malloc(SIZE_LEN + size);
	kp_assert(memory != NULL);
	kp_copy(memory, &size, sizeof(size));
	return memory + SIZE_LEN;
}

void
OPENSSL_memory_free(void *memory)
{
	free((uint8_t *)memory - SIZE_LEN);
}

size_t
OPENSSL_memory_get_size(void *memory)
{
	size_t size;

	kp_copy(&size, (uint8_t *)memory - SIZE_LEN, sizeof(size));
	return size;
}
