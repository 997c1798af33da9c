/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program kproxy. What users start is the supervisor; it starts this
 * program again as the worker, and kpagent. Parses the command line and nothing
 * else.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "proto/kafka/coverage.h"
#include "proxy/link/worker_main.h"
#include "proxy/rename/answer.h"
#include "proxy/supervisor/child.h"
#include "proxy/supervisor/supervisor.h"
#include "proxy/supervisor/user.h"

#define EXIT_USAGE 2
#define AGENT_NAME "kpagent"
/* How the supervisor starts the worker, before options; not for users. */
#define ROLE_WORKER "--role=worker"
/* "--user=" with two numbers. */
#define USER_ARGUMENT_LEN 32

static const char help_text[] =
    "usage: kproxy --config FILE            run a node\n"
    "       kproxy --check --config FILE    check node.yaml and resources\n"
    "       kproxy --coverage[=text|json]   print what is understood of Kafka\n"
    "       kproxy --version | --help\n"
    "\n"
    "kproxy stands in front of Apache Kafka: clients connect to it as if it\n"
    "were the cluster.\n"
    "\n"
    "  -c, --config FILE   node configuration (node.yaml)\n"
    "  -t, --check         read everything, print what is wrong, change "
    "nothing\n"
    "      --coverage      all APIs, versions and fields, and what is done\n"
    "      --sandbox MODE  on, or log: system calls that the worker may not\n"
    "                      make are logged, not deadly; not for production\n"
    "      --user USER     name or UID:GID that the worker runs as, if root\n"
    "                      starts it: kproxy, or nobody if there is none\n"
    "  -V, --version       print the version\n"
    "  -h, --help          print this\n"
    "\n"
    "signals:\n"
    "  TERM, INT   finish what is in flight, then stop; a second one stops "
    "now\n"
    "  HUP         read files and certificates again\n"
    "\n"
    "exit codes: 0 ok, 1 failed, 2 usage, 3 configuration refused\n"
    "\n"
    "examples:\n"
    "  kproxy --check --config /etc/kproxy/node.yaml\n"
    "  kproxy --config /etc/kproxy/node.yaml\n"
    "  curl http://127.0.0.1:9180/readyz\n";

enum option_code {
	OPT_CONFIG = 'c',
	OPT_CHECK = 't',
	OPT_VERSION = 'V',
	OPT_HELP = 'h',
	OPT_COVERAGE = 256,
	OPT_SANDBOX,
	OPT_USER,
};

static const struct option long_options[] = {
	{ "config", required_argument, NULL, OPT_CONFIG },
	{ "check", no_argument, NULL, OPT_CHECK },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ "help", no_argument, NULL, OPT_HELP },
	{ "coverage", optional_argument, NULL, OPT_COVERAGE },
	{ "sandbox", required_argument, NULL, OPT_SANDBOX },
	{ "user", required_argument, NULL, OPT_USER },
	{ 0 },
};

/* What the user asked for; at most one of the questions. */
struct request {
	const char *config;
	const char *sandbox; /* NULL: on */
	const char *user;    /* NULL: the default */
	bool is_check, is_version, is_help, is_coverage;
	const char *coverage_format; /* NULL: text */
};

static int
usage(const char *hint)
{
	(void)fprintf(stderr, "kproxy: %s\ntry: kproxy --help\n", hint);
	return EXIT_USAGE;
}

/* Says what was wrong with the argument that getopt has just refused. */
static int
refuse_argument(const char *argument, int code)
{
	static const char *const known[] = { "--config", "--check", "--version",
		"--help", "--coverage", "--sandbox", "--user", NULL };
	const char *near = kp_suggest(argument, known);
	char hint[256];

	if (code == ':')
		(void)snprintf(hint, sizeof(hint),
		    "option \"%s\" needs a value", argument);
	else if (near != NULL)
		(void)snprintf(hint, sizeof(hint),
		    "unknown option \"%s\"; did you mean %s?", argument, near);
	else
		(void)snprintf(
		    hint, sizeof(hint), "unknown option \"%s\"", argument);
	return usage(hint);
}

static void
note(struct request *request, int code)
{
	switch ((enum option_code)code) {
	case OPT_CONFIG:
		request->config = optarg;
		break;
	case OPT_CHECK:
		request->is_check = true;
		break;
	case OPT_VERSION:
		request->is_version = true;
		break;
	case OPT_HELP:
		request->is_help = true;
		break;
	case OPT_COVERAGE:
		request->is_coverage = true;
		request->coverage_format = optarg;
		break;
	case OPT_SANDBOX:
		request->sandbox = optarg;
		break;
	case OPT_USER:
		request->user = optarg;
		break;
	}
}

/* Returns 0, or the exit code after saying what is wrong. */
static int
parse(struct request *request, int argc, char **argv)
{
	int code, at = 1;

	opterr = 0;
	while ((code = getopt_long(argc, argv, ":c:tVh", long_options, NULL)) !=
	       -1) {
		if (code == '?' || code == ':')
			return refuse_argument(argv[at], code);
		note(request, code);
		at = optind;
	}
	if (optind < argc)
		return refuse_argument(argv[optind], '?');
	return 0;
}

/* kpagent beside this program, or by its name alone for PATH to find it. */
static const char *
find_agent(char *out, size_t out_size)
{
	ssize_t len = readlink("/proc/self/exe", out, out_size - 1);
	char *slash;

	if (len <= 0)
		return AGENT_NAME;
	out[len] = '\0';
	slash = strrchr(out, '/');
	if (slash == NULL ||
	    (size_t)(slash + 1 - out) + sizeof(AGENT_NAME) > out_size)
		return AGENT_NAME;
	(void)snprintf(
	    slash + 1, out_size - (size_t)(slash + 1 - out), AGENT_NAME);
	return access(out, X_OK) == 0 ? out : AGENT_NAME;
}

/* The agent is the one that reads files: it checks them, too. */
static int
check(const char *agent, const char *config)
{
	(void)execlp(agent, agent, "--check", "--config", config, (char *)NULL);
	(void)fprintf(
	    stderr, "kproxy: could not start %s: %s\n", agent, strerror(errno));
	return EXIT_FAILURE;
}

static int
coverage(const char *format)
{
	enum kp_coverage_format kind = KP_COVERAGE_TEXT;

	if (format != NULL && strcmp(format, "json") == 0)
		kind = KP_COVERAGE_JSON;
	else if (format != NULL && strcmp(format, "text") != 0)
		return usage("--coverage takes text or json");
	kp_coverage_print(stdout, kind, kp_rename_action);
	return ferror(stdout) || fflush(stdout) != 0 ? EXIT_FAILURE
						     : EXIT_SUCCESS;
}

/* What --sandbox and --user say, found out by the supervisor. */
static int
read_sandbox(struct kp_sandbox *out, const struct request *request)
{
	struct kp_user user;
	struct kp_error err;

	*out = (struct kp_sandbox){ 0 };
	if (request->sandbox != NULL) {
		out->is_log_only = strcmp(request->sandbox, "log") == 0;
		if (!out->is_log_only && strcmp(request->sandbox, "on") != 0)
			return usage("--sandbox takes on or log");
	}
	if (!kp_user_choose(&user, request->user, geteuid(), &err))
		return usage(err.text);
	out->has_user = user.is_other;
	out->uid = user.uid;
	out->gid = user.is_other ? user.gid : getegid();
	return 0;
}

static int
supervise(
    const char *agent, const char *config, const struct kp_sandbox *sandbox)
{
	char user[USER_ARGUMENT_LEN];
	const char *const worker_argv[] = { "/proc/self/exe", ROLE_WORKER,
		sandbox->is_log_only ? "--sandbox=log" : "--sandbox=on", user,
		NULL };
	const char *const agent_argv[] = { agent, "--supervised", "--config",
		config, NULL };
	const struct kp_supervisor_options options = { worker_argv,
		agent_argv };

	(void)snprintf(user, sizeof(user), "--user=%u:%u",
	    (unsigned)sandbox->uid, (unsigned)sandbox->gid);
	return kp_supervisor_main(&options);
}

static int
work(int argc, char **argv)
{
	struct request request = { .config = NULL };
	struct kp_sandbox sandbox;
	int failed = parse(&request, argc, argv);

	if (failed == 0)
		failed = read_sandbox(&sandbox, &request);
	if (failed != 0)
		return failed;
	return kp_worker_main(
	    KP_CHILD_CHANNEL_FD, KP_CHILD_METRICS_FD, &sandbox);
}

static int
run_node(const struct request *request)
{
	char path[PATH_MAX];
	const char *agent = find_agent(path, sizeof(path));
	struct kp_sandbox sandbox;
	int failed;

	if (request->is_check)
		return check(agent, request->config);
	failed = read_sandbox(&sandbox, request);
	return failed != 0 ? failed
			   : supervise(agent, request->config, &sandbox);
}

int
main(int argc, char **argv)
{
	struct request request = { .config = NULL };
	int failed;

	if (argc > 1 && strcmp(argv[1], ROLE_WORKER) == 0)
		return work(argc - 1, argv + 1);
	failed = parse(&request, argc, argv);
	if (failed != 0)
		return failed;
	if (request.is_help)
		return fputs(help_text, stdout) < 0 ? EXIT_FAILURE
						    : EXIT_SUCCESS;
	if (request.is_version)
		return puts("kproxy " KP_VERSION) < 0 ? EXIT_FAILURE
						      : EXIT_SUCCESS;
	if (request.is_coverage)
		return coverage(request.coverage_format);
	if (request.config == NULL)
		return usage("--config FILE is missing");
	return run_node(&request);
}
