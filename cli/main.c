/* SPDX-License-Identifier: Apache-2.0 */
/* The program kpctl: finds out which command is meant, and ends with its code.
 */
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/args.h"
#include "cli/help.h"
#include "cli/output.h"

/*
 * gRPC's libraries open descriptors when they are loaded: one that our caller
 * has closed must not become theirs and then be taken for a standard stream.
 * What takes its place fails as a closed one does.
 */
static void
keep_streams_closed(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) == -1)
			(void)open("/dev/null",
			    fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
	}
}

/* Before those of shared libraries. */
static void (*const before_libraries)(void)
    __attribute__((section(".preinit_array"), used)) = keep_streams_closed;

/* What is wrong with the command line, and where to find help. */
static enum kp_exit
refuse_line(const struct kp_args *args, const struct kp_error *err)
{
	struct kp_buf title;

	kp_buf_init(&title, KP_OUTPUT_MAX_LEN);
	kp_help_title(&title, args->path, args->depth);
	kp_output_problem("%s\ntry: %s --help", err->text, kp_buf_text(&title));
	kp_buf_fini(&title);
	return KP_EXIT_USAGE;
}

static enum kp_exit
print_help(const struct kp_args *args)
{
	struct kp_buf out;

	kp_buf_init(&out, KP_OUTPUT_MAX_LEN);
	kp_help_print(&out, args->path, args->depth);
	kp_output_write(&out);
	return KP_EXIT_OK;
}

int
main(int argc, char **argv)
{
	const char *const *words = (const char *const *)argv + 1;
	size_t num_words = argc > 0 ? (size_t)argc - 1 : 0;
	enum kp_exit result;
	struct kp_args args;
	struct kp_error err;
	bool is_ok;

	/* widths of characters in tables */
	(void)setlocale(LC_CTYPE, "");
	is_ok = kp_args_parse(&args, &kp_kpctl, words, num_words, &err);
	if (!is_ok)
		result = refuse_line(&args, &err);
	else if (args.is_help)
		result = print_help(&args);
	else
		result = kp_args_command(&args)->run(&args);
	kp_args_fini(&args);
	return (int)kp_output_finish(result);
}
