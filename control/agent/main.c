/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program kpagent: the control service of one node, started by kproxy. By
 * hand it only checks a configuration.
 */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "control/agent/agent.h"

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

static int
usage(const char *hint)
{
	(void)fprintf(stderr, "kpagent: %s\ntry: kpagent --help\n", hint);
	return EXIT_USAGE;
}

int
main(int argc, char **argv)
{
	const char *config = NULL;
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
			config = optarg;
		is_check |= code == 't';
		is_supervised |= code == 's';
	}
	if (config == NULL || optind < argc)
		return usage("--config FILE is missing");
	if (is_check)
		return kp_agent_check(config);
	if (!is_supervised)
		return usage("it is started by kproxy --config FILE");
	return kp_agent_main(config, CHANNEL_FD, METRICS_FD);
}
