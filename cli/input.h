/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What -f names: files, folders, "-" for stdin, read into one set of resources.
 * The resources of a folder are those that a node would take. @thread main
 */
#ifndef KP_CLI_INPUT_H
#define KP_CLI_INPUT_H

#include "cli/args.h"
#include "rules/diagnostics.h"
#include "rules/resource.h"

#define KP_INPUT_MAX_FILES 10000
#define KP_INPUT_STDIN "<stdin>"

/* For tables of flags: -f and -R. */
#define KP_INPUT_FLAGS \
	{ .name = "filename", \
		.letter = 'f', \
		.type = KP_FLAG_FILE, \
		.is_repeated = true, \
		.is_required = true, \
		.value = "FILE", \
		.help = "File or folder of resources (*.yaml, *.yml), or - " \
			"for standard input." }, \
	{ \
		.name = "recursive", .letter = 'R', .type = KP_FLAG_SWITCH, \
		.help = "Folders with all folders in them; links to folders " \
			"are not followed." \
	}

struct kp_input {
	struct kp_resources *resources;
	struct kp_diagnostics diagnostics;
	size_t num_files;
	bool has_read_all; /* else diagnostics says what could not be read */
};

/*
 * kp_input_load reads all that args names. Resources are parsed, not checked
 * with each other. To be ended with kp_input_fini.
 */
void kp_input_load(struct kp_input *out, const struct kp_args *args);
void kp_input_fini(struct kp_input *input);

/* kp_input_read adds the content of path, which may be a pipe or "-". */
bool kp_input_read(
    struct kp_buf *out, const char *path, struct kp_error *err) KP_MUST_CHECK;

#endif
