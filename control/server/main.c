/* SPDX-License-Identifier: Apache-2.0 */
/* The program kpserver: what the command line asks for. */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "control/server/backup.h"
#include "control/server/init.h"
#include "control/server/issue.h"
#include "control/server/server.h"

#define EXIT_USAGE 2

static const char help_text[] =
    "usage: kpserver --config FILE [--restored]   serve\n"
    "       kpserver --config FILE --check        check the configuration\n"
    "       kpserver backup --config FILE OUT     copy the store to OUT\n"
    "       kpserver init DIR [--name HOST]...    make a folder to begin with\n"
    "       kpserver node-cert DIR NAME           one more node's certificate\n"
    "       kpserver user-cert DIR NAME           one more user's certificate\n"
    "       kpserver --version | --help\n"
    "\n"
    "kpserver keeps what is declared, with its history, and gives it to "
    "nodes.\n"
    "\n"
    "  --restored   a backup was put back: nodes may go back to older\n"
    "               revisions\n"
    "  --name       a name or address of the server, for its certificate;\n"
    "               without any it serves this machine alone\n"
    "\n"
    "init and the certificates are for development: the CA's key lies in DIR.\n"
    "All settings: kpctl explain server --recursive\n";

enum { OPTION_NAME = 256, OPTION_RESTORED };

static const struct option long_options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "check", no_argument, NULL, 't' },
	{ "restored", no_argument, NULL, OPTION_RESTORED },
	{ "name", required_argument, NULL, OPTION_NAME },
	{ "version", no_argument, NULL, 'V' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

/* What was said. */
struct line {
	const char *config;
	bool is_check, is_restored;
	const char *names[KP_ISSUE_MAX_NAMES];
	size_t num_names;
	char **words; /* that are no options */
	int num_words;
};

static int
usage(const char *hint)
{
	(void)fprintf(stderr, "kpserver: %s\ntry: kpserver --help\n", hint);
	return EXIT_USAGE;
}

static int
end_with(bool is_ok, const struct kp_error *err)
{
	if (is_ok)
		return EXIT_SUCCESS;
	(void)fprintf(stderr, "kpserver: %s\n", err->text);
	return EXIT_FAILURE;
}

static int
run_init(const struct line *line)
{
	const char *folder = line->num_words == 2 ? line->words[1] : NULL;
	struct kp_error err;

	if (folder == NULL)
		return usage("init needs a folder");
	if (!kp_init(folder, line->names, line->num_names, &err))
		return end_with(false, &err);
	(void)printf("made %s with a CA for development; the next commands:\n"
		     "\n"
		     "  kpserver --config %s/kpserver.yaml\n"
		     "  export KPCTL_CONFIG=%s/kpctl.yaml\n"
		     "  kpctl apply -f resources/\n"
		     "  kproxy --config %s/node.yaml\n"
		     "  kpserver node-cert %s node-2\n",
	    folder, folder, folder, folder, folder);
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int
run_certificate(const struct line *line,
    bool (*issue)(const char *folder, const char *name, struct kp_error *err))
{
	struct kp_error err;

	if (line->num_words != 3)
		return usage("a folder and a name are needed");
	return end_with(issue(line->words[1], line->words[2], &err), &err);
}

static int
run_backup(const struct line *line)
{
	struct kp_server_config config;
	struct kp_error err;
	bool is_ok = false;
	int code;

	if (line->config == NULL || line->num_words != 2)
		return usage("backup needs --config FILE and where to write");
	kp_log_init("server", KP_LOG_AUTO, KP_LOG_INFO);
	if (!kp_server_load(&config, line->config, "config_refused"))
		return KP_SERVER_EXIT_REFUSED;
	if (config.sqlite != NULL)
		is_ok = kp_backup_make(config.sqlite, line->words[1], &err);
	else
		(void)kp_error_set(&err, KP_ERR_CONFIG,
		    "the store is in etcd, which makes its own backups: "
		    "etcdctl snapshot save FILE");
	code = end_with(is_ok, &err);
	kp_server_config_fini(&config);
	return code;
}

static int
run_server(const struct line *line)
{
	if (line->config == NULL)
		return usage("--config FILE is missing");
	if (line->is_check)
		return kp_server_check(line->config);
	return kp_server_main(line->config, line->is_restored);
}

static int
run_word(const struct line *line)
{
	const char *word = line->words[0];

	if (strcmp(word, "init") == 0)
		return run_init(line);
	if (strcmp(word, "node-cert") == 0)
		return run_certificate(line, kp_init_node);
	if (strcmp(word, "user-cert") == 0)
		return run_certificate(line, kp_init_user);
	if (strcmp(word, "backup") == 0)
		return run_backup(line);
	return usage("there is no such command");
}

int
main(int argc, char **argv)
{
	struct line line = { .config = NULL };
	int code;

	while ((code = getopt_long(argc, argv, "c:tVh", long_options, NULL)) !=
	       -1) {
		if (code == 'V')
			return puts("kpserver " KP_VERSION) < 0;
		if (code == 'h')
			return fputs(help_text, stdout) < 0;
		if (code == '?')
			return usage("see above");
		if (code == 'c')
			line.config = optarg;
		if (code == OPTION_NAME && line.num_names == KP_ISSUE_MAX_NAMES)
			return usage("too many names");
		if (code == OPTION_NAME)
			line.names[line.num_names++] = optarg;
		line.is_check |= code == 't';
		line.is_restored |= code == OPTION_RESTORED;
	}
	line.words = argv + optind;
	line.num_words = argc - optind;
	return line.num_words > 0 ? run_word(&line) : run_server(&line);
}
