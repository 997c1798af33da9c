/* SPDX-License-Identifier: Apache-2.0 */
/* kp_bench_sink: options, sockets, the loop and the report. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/options.h"
#include "bench/sink.h"

#define HOST "127.0.0.1"
#define MAX_EVENTS 64
#define BACKLOG 4096
#define MAX_REPORT_LEN ((size_t)4 << 20)

_Noreturn static void
die(const char *what)
{
	(void)fprintf(
	    stderr, "kp_bench_sink: %s: %s\n", what, strerrordesc_np(errno));
	exit(EXIT_FAILURE);
}

static void
print_line(struct kp_buf *line)
{
	kp_buf_add_text(line, "}\n");
	kp_assert(!line->failed);
	if (fwrite(line->data, 1, line->len, stdout) != line->len ||
	    fflush(stdout) != 0)
		die("stdout");
	kp_buf_fini(line);
}

static void
say_ports(const struct kp_sink *sink)
{
	struct kp_buf line;

	kp_buf_init(&line, MAX_REPORT_LEN);
	kp_buf_printf(&line,
	    "{\"event\":\"listening\",\"host\":\"" HOST "\",\"ports\":[");
	for (uint32_t i = 0; i < sink->cluster.num_nodes; i++)
		kp_buf_printf(
		    &line, "%s%u", i == 0 ? "" : ",", sink->cluster.ports[i]);
	kp_buf_add_text(&line, "]");
	print_line(&line);
}

static void
add_counters(struct kp_buf *line, const struct kp_sink *sink)
{
	kp_buf_add_text(line, ",\"apis\":{");
	for (unsigned i = 0; i < KP_NUM_BENCH_APIS; i++) {
		const struct kp_sink_counter *c = &sink->counters[i];

		kp_buf_printf(line,
		    "%s\"%s\":{\"requests\":%lu,\"request_bytes\":%lu,"
		    "\"answer_bytes\":%lu}",
		    i == 0 ? "" : ",", kp_bench_apis[i].name, c->requests,
		    c->request_bytes, c->answer_bytes);
	}
	kp_buf_add_text(line, "}");
}

/* Peer ports of open connections that carried something since last time. */
static void
add_ports(struct kp_buf *line, struct kp_sink *sink)
{
	const char *comma = "";

	kp_buf_add_text(line, ",\"ports\":[");
	for (struct kp_sink_connection *c = sink->connections; c != NULL;
	     c = c->next) {
		if (c->has_traffic) {
			kp_buf_printf(line, "%s%u", comma, c->peer_port);
			comma = ",";
		}
		c->has_traffic = false;
	}
	kp_buf_add_text(line, "]");
}

static void
report(struct kp_sink *sink)
{
	struct kp_buf line;

	kp_buf_init(&line, MAX_REPORT_LEN);
	kp_buf_printf(&line,
	    "{\"event\":\"report\",\"accepted\":%lu,\"open\":%lu,"
	    "\"stalled\":%lu,\"records\":%lu,\"moved_bytes\":%lu",
	    sink->num_accepted, sink->num_open, sink->num_stalled,
	    sink->num_records, sink->moved_bytes);
	add_counters(&line, sink);
	add_ports(&line, sink);
	print_line(&line);
}

/* SIGUSR1 asks for a report, the others for the last one. */
static bool
on_signal(struct kp_sink *sink, struct kp_sink_source *source, uint32_t events)
{
	struct signalfd_siginfo info;

	(void)events;
	if (read(source->fd, &info, sizeof(info)) != sizeof(info))
		die("signalfd");
	report(sink);
	if (info.ssi_signo != SIGUSR1)
		exit(EXIT_SUCCESS);
	return true;
}

static void
add_source(struct kp_sink *sink, struct kp_sink_source *source)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = source };

	if (epoll_ctl(sink->epoll, EPOLL_CTL_ADD, source->fd, &event) != 0)
		die("epoll_ctl");
}

static void
open_signals(struct kp_sink *sink)
{
	sigset_t signals;

	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGUSR1);
	(void)sigaddset(&signals, SIGTERM);
	(void)sigaddset(&signals, SIGINT);
	if (sigprocmask(SIG_BLOCK, &signals, NULL) != 0)
		die("sigprocmask");
	sink->signals = (struct kp_sink_source){ on_signal,
		signalfd(-1, &signals, SFD_CLOEXEC) };
	if (sink->signals.fd < 0)
		die("signalfd");
	add_source(sink, &sink->signals);
}

static void
open_listener(struct kp_sink *sink, uint32_t node, uint16_t port)
{
	static const int on = 1;
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_port = htons(port) };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (fd < 0 || inet_pton(AF_INET, HOST, &address.sin_addr) != 1 ||
	    bind(fd, (struct sockaddr *)&address, len) != 0 ||
	    listen(fd, BACKLOG) != 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &len) != 0)
		die("could not listen");
	sink->cluster.ports[node] = ntohs(address.sin_port);
	sink->listeners[node] = (struct kp_sink_source){ kp_sink_accept, fd };
	add_source(sink, &sink->listeners[node]);
}

static void
raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		die("getrlimit");
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		die("setrlimit");
}

static void
parse(struct kp_sink *sink, int argc, char **argv, uint64_t *first_port)
{
	uint64_t nodes = 3, topics = 1, partitions = 10, batch = 16 * 1024;
	const struct kp_option options[] = {
		{ "port", KP_OPTION_COUNT, first_port,
		    "of node 0, the others follow; 0: any (default)" },
		{ "nodes", KP_OPTION_COUNT, &nodes, "brokers to be (3)" },
		{ "topics", KP_OPTION_COUNT, &topics, "in Metadata (1)" },
		{ "partitions", KP_OPTION_COUNT, &partitions,
		    "of each topic (10)" },
		{ "batch", KP_OPTION_SIZE, &batch,
		    "longest record batch in Fetch answers (16KiB)" },
		{ "stall-after", KP_OPTION_SIZE, &sink->stall_after,
		    "read no more of a request after that; 0: never" },
		{ "verify", KP_OPTION_FLAG, &sink->is_verifying,
		    "decode every record of Produce requests" },
		{ NULL, KP_OPTION_FLAG, NULL, NULL },
	};

	kp_options_parse(options,
	    "kp_bench_sink: a synthetic broker on loopback. Prints its ports, "
	    "and a report on SIGUSR1 and at the end.",
	    argc, argv);
	if (nodes < 1 || nodes > KP_BENCH_MAX_NODES || topics < 1 ||
	    topics > 1000000 || partitions < 1 || partitions > 100000 ||
	    batch < 256 || *first_port > 65000) {
		errno = EINVAL;
		die("options");
	}
	sink->cluster = (struct kp_bench_cluster){ .host = HOST,
		.num_nodes = (uint32_t)nodes,
		.num_topics = (uint32_t)topics,
		.num_partitions = (uint32_t)partitions,
		.batch_len = batch };
}

_Noreturn static void
run(struct kp_sink *sink)
{
	struct epoll_event events[MAX_EVENTS];

	for (;;) {
		int count = epoll_wait(sink->epoll, events, MAX_EVENTS, -1);

		if (count < 0 && errno != EINTR)
			die("epoll_wait");
		for (int i = 0; i < count; i++) {
			struct kp_sink_source *source = events[i].data.ptr;

			(void)source->handle(sink, source, events[i].events);
		}
	}
}

int
main(int argc, char **argv)
{
	static struct kp_sink sink;
	uint64_t first_port = 0;

	parse(&sink, argc, argv, &first_port);
	raise_file_limit();
	sink.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (sink.epoll < 0)
		die("epoll_create1");
	open_signals(&sink);
	for (uint32_t i = 0; i < sink.cluster.num_nodes; i++)
		open_listener(
		    &sink, i, first_port == 0 ? 0 : (uint16_t)(first_port + i));
	say_ports(&sink);
	run(&sink);
}
