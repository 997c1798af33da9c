/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kpagent is the control service of one node, started by kproxy. By hand it
 * only checks a configuration. It is two programs, because gRPC and what it
 * loads would take longer than all else that a node with files does at its
 * start: the one without it gives way to the other where there are policy
 * servers.
 */
#include "control/agent/command.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "control/agent/agent.h"
#include "control/agent/agent_priv.h"

#define LINKED_NAME "kpagent-grpc"
#define EXIT_USAGE 2
/* What the supervisor gives its children (proxy/supervisor/child.h). */
#define CHANNEL_FD 3
#define METRICS_FD 4

static const char help_text[] =
    "usage: kpagent --check --config FILE   check node.yaml and resources\n"
    "       kpagent --version | --help\n"
    "\n"
    "kpagent is the control service of a node. kproxy starts it:\n"
    "\n"
    "  kproxy --config /etc/kproxy/node.yaml\n";

static const struct option long_options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "check", no_argument, NULL, 't' },
	{ "supervised", no_argument, NULL, 's' },
	{ "version", no_argument, NULL, 'V' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

/* kpagent-grpc in the folder of this program. */
static void
linked_program(char out[PATH_MAX])
{
	ssize_t len = readlink("/proc/self/exe", out, PATH_MAX - 1);
	char *slash;

	out[len < 0 ? 0 : len] = '\0';
	slash = strrchr(out, '/');
	if (slash != NULL)
		(void)snprintf(slash + 1, PATH_MAX - (size_t)(slash + 1 - out),
		    LINKED_NAME);
}

void
kp_agent_become_linked(const char *config_path, const char *mode)
{
	char program[PATH_MAX];

	linked_program(program);
	(void)execl(program, LINKED_NAME, mode, "--config", config_path, NULL);
	kp_log(KP_LOG_ERROR, "start_failed", KP_STR("program", program),
	    KP_STR("reason", strerrordesc_np(errno)));
	exit(EXIT_FAILURE);
}

static int
usage(const char *hint)
{
	(void)fprintf(stderr, "kpagent: %s\ntry: kpagent --help\n", hint);
	return EXIT_USAGE;
}

int
kp_agent_command(int argc, char **argv, const struct kp_link_api *link_api)
{
	struct kp_agent_start start = { .supervisor_fd = CHANNEL_FD,
		.metrics_fd = METRICS_FD,
		.link_api = link_api };
	bool is_check = false, is_supervised = false;
	int code;

	while ((code = getopt_long(argc, argv, "c:tVh", long_options, NULL)) !=
	       -1) {
		if (code == 'V')
			return puts("kpagent " KP_VERSION) < 0;
		if (code == 'h')
			return fputs(help_text, stdout) < 0;
		if (code == '?')
			return usage("see above");
		if (code == 'c')
			start.config_path = optarg;
		is_check |= code == 't';
		is_supervised |= code == 's';
	}
	if (start.config_path == NULL || optind < argc)
		return usage("--config FILE is missing");
	if (is_check)
		return kp_agent_check(start.config_path, link_api);
	if (!is_supervised)
		return usage("it is started by kproxy --config FILE");
	return kp_agent_main(&start);
}
