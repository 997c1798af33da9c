/* SPDX-License-Identifier: Apache-2.0 */
#include "control/rpc/accept_priv.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"

void
kp_rpc_accept_guard(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 ||
	    limit.rlim_cur == limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

/* The first descriptor that no connection may have. */
static rlim_t
first_reserved(void)
{
	struct rlimit limit;
	rlim_t reserve;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return 0;
	reserve = limit.rlim_cur / 8;
	if (reserve > KP_RPC_MAX_RESERVE)
		reserve = KP_RPC_MAX_RESERVE;
	return limit.rlim_cur - reserve;
}

static void
log_refused(rlim_t limit)
{
	static struct kp_log_limiter limiter;
	uint64_t suppressed;

	if (kp_log_admit(&limiter, &suppressed))
		kp_log(KP_LOG_WARN, "rpc_connection_refused",
		    KP_STR("reason", "descriptor_limit"),
		    KP_INT("limit", limit), KP_INT("suppressed", suppressed));
}

/*
 * The kernel gives out the lowest descriptor that is free, so its number says
 * how many are in use. gRPC waits for an edge: it must be told EAGAIN only once
 * nobody waits in the queue, which is why this goes on after a refusal.
 */
int
accept4(int listener, __SOCKADDR_ARG address, socklen_t *len, int flags)
{
	socklen_t room = len == NULL ? 0 : *len;

	for (;;) {
		int fd = (int)syscall(
		    SYS_accept4, listener, address.__sockaddr__, len, flags);

		if (fd < 0) {
			if (errno == EMFILE || errno == ENFILE)
				errno = EAGAIN;
			return -1;
		}
		if ((rlim_t)fd < first_reserved())
			return fd;
		(void)close(fd);
		log_refused(first_reserved());
		if (len != NULL)
			*len = room;
	}
}
