/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The system calls of the worker after its start, all of them. One that is
 * missing here ends the worker: run with --sandbox=log, and the kernel's log
 * tells its number. A row more needs a reason, and checks of its arguments that
 * leave as little as the reason allows.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <seccomp.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxy/link/sandbox_priv.h"

#define MAX_CHECKS 3

/*
 * (argument & mask) == value. 32 bits are enough, and must be: of an int the
 * upper half of the register says nothing.
 */
struct check {
	unsigned argument;
	uint32_t mask; /* 0: no check, nor is there another after it */
	uint32_t value;
};

/* Rows of one call are alternatives; the checks of one row must all hold. */
struct call {
	int number; /* below 0 where the architecture lacks it: no rule */
	struct check checks[MAX_CHECKS];
};

/* clang-format off */
#define CALL(name) .number = SCMP_SYS(name)
#define IS(argument, value) { argument, UINT32_MAX, value }
#define HAS(argument, bits) { argument, bits, bits }
#define HAS_NO(argument, bits) { argument, bits, 0 }
/* Stands for our process id, which is known only when the filter is made. */
#define OWN_PID (UINT32_MAX - 1)

/* A thread, whatever else the C library wants of it; never a process. */
#define THREAD (CLONE_THREAD | CLONE_VM | CLONE_SIGHAND)
#define NAMESPACES \
	(CLONE_NEWCGROUP | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWNS | \
	    CLONE_NEWPID | CLONE_NEWUSER | CLONE_NEWUTS)
#define SOCKET_FLAGS (uint32_t)(SOCK_CLOEXEC | SOCK_NONBLOCK)

static const struct call calls[] = {
	/* bytes: clients, brokers, channels to the other processes, the log */
	{ CALL(recvfrom) },
	{ CALL(recvmsg) },
	{ CALL(sendto) },
	{ CALL(sendmsg) },
	{ CALL(read) },           /* event descriptors */
	{ CALL(write) },          /* … and the log */
	{ CALL(writev) },         /* the C library's last words */
	{ CALL(poll) },
	{ CALL(ppoll) },          /* where a signal ends the wait */
	{ CALL(splice) },         /* payload past us, through a pipe */
	{ CALL(tee) },            /* … of which we see a part */
	{ CALL(close) },

	/* sockets: to brokers, and what the supervisor listens on */
	{ CALL(accept4) },
	{ CALL(socket), { IS(0, AF_INET),
	    { 1, ~SOCKET_FLAGS, SOCK_STREAM }, IS(2, 0) } },
	{ CALL(socket), { IS(0, AF_INET6),
	    { 1, ~SOCKET_FLAGS, SOCK_STREAM }, IS(2, 0) } },
	{ CALL(connect) },
	{ CALL(getpeername) },    /* whom the log and the limits mean */
	{ CALL(getsockname) },    /* … and which port was called */
	{ CALL(getsockopt), { IS(1, SOL_SOCKET), IS(2, SO_ERROR) } },
	{ CALL(setsockopt), { IS(1, SOL_SOCKET), IS(2, SO_KEEPALIVE) } },
	{ CALL(setsockopt), { IS(1, IPPROTO_TCP), IS(2, TCP_NODELAY) } },
	{ CALL(setsockopt), { IS(1, IPPROTO_TCP), IS(2, TCP_KEEPIDLE) } },
	{ CALL(setsockopt), { IS(1, IPPROTO_TCP), IS(2, TCP_KEEPINTVL) } },
	{ CALL(setsockopt), { IS(1, IPPROTO_TCP), IS(2, TCP_KEEPCNT) } },

	/* other descriptors */
	{ CALL(eventfd2) },       /* to wake acceptor and link */
	{ CALL(pipe2) },          /* between the two sockets of splice */
	{ CALL(fcntl), { IS(1, F_GETFL) } },
	{ CALL(fcntl), { IS(1, F_SETFL) } },      /* O_NONBLOCK */
	{ CALL(fcntl), { IS(1, F_GETPIPE_SZ) } },
	{ CALL(fcntl), { IS(1, F_SETPIPE_SZ) } }, /* more for each splice */
	{ CALL(ioctl), { IS(1, TCGETS) } },       /* is the log a terminal? */

	/* memory: never code, never a file */
	{ CALL(brk) },
	{ CALL(mmap), { HAS_NO(2, PROT_EXEC), HAS(3, MAP_ANONYMOUS) } },
	{ CALL(mprotect), { HAS_NO(2, PROT_EXEC) } }, /* heaps and stacks grow */
	{ CALL(mremap) },         /* realloc */
	{ CALL(munmap) },
	{ CALL(madvise) },        /* stacks of ended threads, TLS' own pages */

	/* threads; clone3, whose flags cannot be seen, is denied below */
	{ CALL(clone), { { 0, THREAD | NAMESPACES, THREAD } } },
	{ CALL(set_robust_list) },
	{ CALL(rseq) },
	{ CALL(futex) },
	{ CALL(exit) },

	/* signals: waking a thread of ours, abort() */
	{ CALL(getpid) },
	{ CALL(gettid) },
	{ CALL(tgkill), { IS(0, OWN_PID) } },
	{ CALL(rt_sigaction) },
	{ CALL(rt_sigprocmask) },
	{ CALL(rt_sigreturn) },
	{ CALL(restart_syscall) }, /* poll, after being stopped and continued */

	/* time where the kernel has no faster way to tell; random bytes; end */
	{ CALL(clock_gettime) },
	{ CALL(gettimeofday) },
	{ CALL(time) },
	{ CALL(getrandom) },
	{ CALL(exit_group) },
};
/* clang-format on */

static bool
allow(scmp_filter_ctx filter, const struct call *call)
{
	struct scmp_arg_cmp checks[MAX_CHECKS];
	unsigned num = 0;

	for (; num < MAX_CHECKS && call->checks[num].mask != 0; num++) {
		const struct check *check = &call->checks[num];

		checks[num] = (struct scmp_arg_cmp){
			.arg = check->argument,
			.op = SCMP_CMP_MASKED_EQ,
			.datum_a = check->mask,
			.datum_b = check->value == OWN_PID ? (uint32_t)getpid()
							   : check->value,
		};
	}
	return seccomp_rule_add_array(
		   filter, SCMP_ACT_ALLOW, call->number, num, checks) == 0;
}

static bool
fill(scmp_filter_ctx filter, uint32_t otherwise)
{
	/* of other architectures, such as 32 bits, there is no list */
	bool is_ok =
	    seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, otherwise) == 0;

	for (size_t i = 0; is_ok && i < sizeof(calls) / sizeof(calls[0]); i++)
		is_ok = allow(filter, &calls[i]);
	/* the C library knows kernels without it, and takes clone then */
	return is_ok && seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS),
			    SCMP_SYS(clone3), 0) == 0;
}

bool
kp_calls_restrict(bool is_log_only, struct kp_error *err)
{
	uint32_t otherwise = is_log_only ? SCMP_ACT_LOG : SCMP_ACT_KILL_PROCESS;
	scmp_filter_ctx filter = seccomp_init(otherwise);
	bool is_ok = filter != NULL && fill(filter, otherwise) &&
		     seccomp_load(filter) == 0;

	seccomp_release(filter);
	if (!is_ok)
		return kp_error_set(
		    err, KP_ERR_SYSTEM, "could not load the call filter");
	return true;
}
