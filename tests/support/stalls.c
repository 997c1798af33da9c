/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads that stand still at random, for tests that count on another one
 * having come along: for LD_PRELOAD (`make stalls`). After a call that others
 * see the effect of, a thread waits for up to KP_STALL_MS, KP_STALLS times in a
 * process. How soon differs from process to process, so that some are hit at
 * their start and some late. A process with one thread is left alone.
 */
#include <dlfcn.h>
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/single_threaded.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_STALLS 40
#define DEFAULT_STALL_MS 400

static _Atomic long left; /* in this process */
static unsigned once_in;  /* so many calls, on average */
static unsigned longest_ms;

static long
setting(const char *name, long otherwise)
{
	const char *text = getenv(name);

	return text == NULL ? otherwise : strtol(text, NULL, 10);
}

/* In each process: a child of fork begins anew. */
static void
begin(void)
{
	static const unsigned rarely[] = { 5, 30, 150, 700, 3000 };
	const unsigned num = sizeof(rarely) / sizeof(rarely[0]);

	once_in = rarely[arc4random_uniform(num)];
	longest_ms = (unsigned)setting("KP_STALL_MS", DEFAULT_STALL_MS);
	atomic_store(&left, setting("KP_STALLS", DEFAULT_STALLS));
}

__attribute__((constructor)) static void
load(void)
{
	(void)pthread_atfork(NULL, NULL, begin);
	begin();
}

/* The worker's sandbox has no sleep, and no random numbers of the system. */
static unsigned
next_random(void)
{
	static _Thread_local uint64_t state;
	struct timespec now;

	if (state == 0) {
		(void)clock_gettime(CLOCK_MONOTONIC, &now);
		state = (uint64_t)now.tv_nsec * 2654435761u + (uintptr_t)&state;
	}
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(state >> 33);
}

static void
stall(void)
{
	const unsigned same = 1;
	struct timespec time;
	unsigned ms;

	if (__libc_single_threaded || next_random() % once_in != 0 ||
	    atomic_load(&left) <= 0)
		return;
	(void)atomic_fetch_sub(&left, 1);
	ms = 1 + next_random() % longest_ms;
	time.tv_sec = ms / 1000;
	time.tv_nsec = (long)(ms % 1000) * 1000000;
	(void)syscall(
	    SYS_futex, &same, FUTEX_WAIT_PRIVATE, same, &time, NULL, 0);
}

/* The function of that name, and then perhaps a stall. */
#define STALLED(type, name, parameters, arguments) \
	type name parameters \
	{ \
		static type(*next) parameters; \
		type result; \
		int error; \
\
		if (next == NULL) \
			*(void **)&next = dlsym(RTLD_NEXT, #name); \
		result = next arguments; \
		error = errno; \
		stall(); \
		errno = error; \
		return result; \
	}

STALLED(int, pthread_mutex_unlock, (pthread_mutex_t * mutex), (mutex))
STALLED(ssize_t, send, (int fd, const void *data, size_t len, int flags),
    (fd, data, len, flags))
STALLED(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags),
    (fd, message, flags))
STALLED(ssize_t, recv, (int fd, void *data, size_t len, int flags),
    (fd, data, len, flags))
STALLED(ssize_t, recvmsg, (int fd, struct msghdr *message, int flags),
    (fd, message, flags))
STALLED(ssize_t, write, (int fd, const void *data, size_t len), (fd, data, len))
STALLED(ssize_t, writev, (int fd, const struct iovec *list, int num),
    (fd, list, num))
STALLED(int, close, (int fd), (fd))
