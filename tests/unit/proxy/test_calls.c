/* SPDX-License-Identifier: Apache-2.0 */
/* The list of system calls: what it lets through, and what dies. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "tests/support/inside.h"

struct inside {
	const char *name;
	kp_inside_fn *function;
};

static int
run(kp_inside_fn *function)
{
	const struct kp_sandbox sandbox = kp_inside_usual(false);

	return kp_inside_run(&sandbox, function);
}

/* More than the heaps that malloc makes before it asks how many it may. */
#define NUM_THREADS 24
#define NUM_BLOCKS 12
static pthread_barrier_t all_have_memory;

/* Allocates, waits until all others have, too, and gives it back. */
static void *
use_memory(void *arg)
{
	void *blocks[NUM_BLOCKS];
	char *grown = malloc(1u << 20);

	for (unsigned i = 0; i < NUM_BLOCKS; i++)
		blocks[i] = malloc(65536);
	(void)pthread_barrier_wait(&all_have_memory);
	for (unsigned i = 0; i < NUM_BLOCKS; i++) {
		if (blocks[i] == NULL)
			return NULL;
		free(blocks[i]);
	}
	grown = realloc(grown, 8u << 20);
	free(grown);
	return grown == NULL ? NULL : arg;
}

static int
threads_and_memory(void)
{
	pthread_t threads[NUM_THREADS];
	unsigned num_ok = 0;
	void *result;

	(void)pthread_barrier_init(&all_have_memory, NULL, NUM_THREADS);
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < NUM_THREADS; i++) {
			if (pthread_create(
				&threads[i], NULL, use_memory, &num_ok) != 0)
				return 1;
		}
		for (unsigned i = 0; i < NUM_THREADS; i++) {
			if (pthread_join(threads[i], &result) == 0)
				num_ok += result == &num_ok;
		}
	}
	return num_ok == 2 * NUM_THREADS ? 0 : 2;
}

static int
accept_from_listener(void)
{
	return accept4(
	    kp_inside_listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

static int
connections(void)
{
	int client = kp_inside_connect(), server = accept_from_listener();
	struct sockaddr_in6 address;
	socklen_t len = sizeof(address);
	char byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (client < 0 || server < 0 || send(client, "x", 1, 0) != 1 ||
	    recv(server, &byte, 1, 0) != 1 || byte != 'x' ||
	    sendmsg(server, &message, 0) != 1 ||
	    recvmsg(client, &message, 0) != 1)
		return 1;
	if (getpeername(server, (struct sockaddr *)&address, &len) != 0 ||
	    getsockname(server, (struct sockaddr *)&address, &len) != 0)
		return 2;
	return socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0) >= 0 ? 0 : 3;
}

static int
payload_past_us(void)
{
	int client = kp_inside_connect(), server = accept_from_listener();
	int fds[2], copy[2];
	char bytes[8];

	if (client < 0 || server < 0 || pipe2(fds, O_CLOEXEC) != 0 ||
	    fcntl(fds[1], F_SETPIPE_SZ, 131072) < 0 ||
	    fcntl(fds[1], F_GETPIPE_SZ) != 131072)
		return 1;
	if (send(client, "payload", 7, 0) != 7 || pipe2(copy, O_CLOEXEC) != 0 ||
	    splice(server, NULL, fds[1], NULL, 7, SPLICE_F_MOVE) != 7 ||
	    tee(fds[0], copy[1], 7, SPLICE_F_NONBLOCK) != 7 ||
	    splice(fds[0], NULL, server, NULL, 7, SPLICE_F_MOVE) != 7)
		return 2;
	return recv(client, bytes, sizeof(bytes), 0) == 7 ? 0 : 3;
}

/* What the C library does where the kernel gave it no faster way. */
static const long clocks[] = {
	SYS_gettimeofday,
#ifdef SYS_time
	SYS_time,
#endif
};

static int
time_and_chance(void)
{
	struct timespec now;
	uint64_t chance;

	for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
		if (syscall(clocks[i], NULL, NULL) < 0)
			return 1;
	}
	if (syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now) != 0 ||
	    getrandom(&chance, sizeof(chance), 0) != sizeof(chance))
		return 2;
	/* a wait goes on like this; here there was none */
	return syscall(SYS_restart_syscall) < 0 && errno == EINTR ? 0 : 3;
}

static int
events_and_log(void)
{
	eventfd_t count = 0;
	int event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

	if (event < 0 || eventfd_write(event, 7) != 0 ||
	    eventfd_read(event, &count) != 0 || count != 7)
		return 1;
	/* formats a time, asks whether stderr is a terminal */
	kp_log_init("test", KP_LOG_AUTO, KP_LOG_INFO);
	kp_log(KP_LOG_INFO, "inside", KP_INT("count", count));
	return close(event);
}

static void
ignore(int number)
{
	(void)number;
}

static void *
wait_for_signal(void *arg)
{
	struct sigaction action = { .sa_handler = ignore };
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigaction(SIGUSR1, &action, NULL);
	return ppoll(NULL, 0, NULL, &none) < 0 && errno == EINTR ? arg : NULL;
}

static int
signals_to_threads(void)
{
	pthread_t thread;
	void *result = NULL;
	sigset_t usr1;

	(void)sigemptyset(&usr1);
	(void)sigaddset(&usr1, SIGUSR1);
	if (pthread_sigmask(SIG_BLOCK, &usr1, NULL) != 0 ||
	    pthread_create(&thread, NULL, wait_for_signal, &usr1) != 0 ||
	    pthread_kill(thread, SIGUSR1) != 0)
		return 1;
	return pthread_join(thread, &result) == 0 && result == &usr1 ? 0 : 2;
}

Test(calls, the_work_of_a_worker_goes_on)
{
	static const struct inside works[] = {
		{ "threads and memory", threads_and_memory },
		{ "connections", connections },
		{ "splice", payload_past_us },
		{ "time and chance", time_and_chance },
		{ "events and log", events_and_log },
		{ "signals to threads", signals_to_threads },
	};

	kp_inside_listen();
	for (size_t i = 0; i < sizeof(works) / sizeof(works[0]); i++) {
		int status = run(works[i].function);

		cr_expect(kp_has_exited_with(status, 0), "%s: status %x",
		    works[i].name, (unsigned)status);
	}
}

static int
plant_open(void)
{
	return open("/etc/passwd", O_RDONLY | O_CLOEXEC);
}

static int
plant_openat2(void)
{
	struct open_how how = { .flags = O_RDONLY };

	return (int)syscall(
	    SYS_openat2, AT_FDCWD, "/etc/passwd", &how, sizeof(how));
}

static int
plant_creat(void)
{
	return creat("/tmp/kproxy-sandbox", 0600);
}

static int
plant_stat(void)
{
	struct stat st;

	return stat("/etc/passwd", &st);
}

static int
plant_execve(void)
{
	static char *const argv[] = { NULL };

	return execve("/bin/true", argv, argv);
}

static int
plant_fork(void)
{
	return fork();
}

static int
plant_clone_with_namespace(void)
{
	return (int)syscall(SYS_clone,
	    CLONE_VM | CLONE_SIGHAND | CLONE_THREAD | CLONE_NEWNET, NULL, NULL,
	    NULL, NULL);
}

static int
plant_ptrace(void)
{
	return (int)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static int
plant_kill(void)
{
	return kill(getpid(), 0);
}

static int
plant_signal_to_another(void)
{
	/* process 1 is not we */
	return (int)syscall(SYS_tgkill, 1, 1, 0);
}

static int
plant_unix_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0);
}

static int
plant_netlink(void)
{
	return socket(AF_NETLINK, SOCK_RAW, 0);
}

static int
plant_udp(void)
{
	return socket(AF_INET, SOCK_DGRAM, 0);
}

static int
plant_sctp(void)
{
	return socket(AF_INET6, SOCK_STREAM, IPPROTO_SCTP);
}

static int
plant_bind(void)
{
	return bind(0, (struct sockaddr *)&kp_inside_address,
	    sizeof(kp_inside_address));
}

static int
plant_listen(void)
{
	return listen(kp_inside_listener, 1);
}

static int
plant_socket_option(void)
{
	int filter = 0;

	return setsockopt(kp_inside_listener, SOL_SOCKET, SO_ATTACH_FILTER,
	    &filter, sizeof(filter));
}

static int
plant_code_in_fresh_memory(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED;
}

static int
plant_code_in_old_memory(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return mprotect(page, 4096, PROT_READ | PROT_EXEC);
}

static int
plant_mapped_file(void)
{
	return mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, kp_inside_listener,
		   0) == MAP_FAILED;
}

static int
plant_typed_characters(void)
{
	return ioctl(0, TIOCSTI, "x");
}

static int
plant_lock(void)
{
	struct flock lock = { .l_type = F_RDLCK };

	return fcntl(kp_inside_listener, F_SETLK, &lock);
}

static int
plant_prctl(void)
{
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static int
plant_question_to_a_socket(void)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return getsockopt(
	    kp_inside_listener, SOL_SOCKET, SO_PEERCRED, &peer, &len);
}

/* Calls of another kind: the number says x32, or is none at all. */
static int
plant_x32(void)
{
	return (int)syscall(0x40000000 | SYS_getpid);
}

static const struct inside plants[] = {
	{ "open", plant_open },
	{ "openat2", plant_openat2 },
	{ "creat", plant_creat },
	{ "stat", plant_stat },
	{ "execve", plant_execve },
	{ "fork", plant_fork },
	{ "clone with a namespace", plant_clone_with_namespace },
	{ "ptrace", plant_ptrace },
	{ "kill", plant_kill },
	{ "tgkill of another process", plant_signal_to_another },
	{ "unix socket", plant_unix_socket },
	{ "netlink", plant_netlink },
	{ "UDP", plant_udp },
	{ "SCTP", plant_sctp },
	{ "bind", plant_bind },
	{ "listen", plant_listen },
	{ "socket option", plant_socket_option },
	{ "question to a socket", plant_question_to_a_socket },
	{ "mmap of code", plant_code_in_fresh_memory },
	{ "mprotect to code", plant_code_in_old_memory },
	{ "mmap of a file", plant_mapped_file },
	{ "TIOCSTI", plant_typed_characters },
	{ "file lock", plant_lock },
	{ "prctl", plant_prctl },
	{ "x32", plant_x32 },
};

Test(calls, a_call_that_is_not_in_the_list_ends_the_process)
{
	kp_inside_listen();
	for (size_t i = 0; i < sizeof(plants) / sizeof(plants[0]); i++) {
		int status = run(plants[i].function);

		cr_expect(kp_was_killed_by(status, SIGSYS), "%s: status %x",
		    plants[i].name, (unsigned)status);
	}
}

#ifdef __x86_64__
/* getpid as programs of 32 bits call it. */
static int
call_as_i386(void)
{
	long result = 20;

	__asm__ volatile("int $0x80" : "+a"(result) : : "memory");
	return 0;
}

Test(calls, one_of_another_architecture_ends_the_process)
{
	int status = run(call_as_i386);

	/* SEGV: a kernel that knows no such calls */
	cr_assert(kp_was_killed_by(status, SIGSYS) ||
		  kp_was_killed_by(status, SIGSEGV));
}
#endif

/* What the C library calls when the stack was overwritten. */
_Noreturn extern void __stack_chk_fail(void);

static int
fail_assertion(void)
{
	kp_assert(getpid() < 0);
	return 0;
}

static int
overwrite_stack(void)
{
	__stack_chk_fail();
}

Test(calls, a_crash_is_still_told_from_a_forbidden_call)
{
	cr_assert(kp_was_killed_by(run(fail_assertion), SIGABRT));
	cr_assert(kp_was_killed_by(run(overwrite_stack), SIGABRT));
}
