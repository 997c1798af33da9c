/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What -f names: files, folders, "-" for stdin, read into one set of resources.
 * The resources of a folder are those that a node would take. @thread main
 */
#ifndef KP_CLI_INPUT_H
#define KP_CLI_INPUT_H

#include "cli/args.h"
#include "rules/compile.h"
#include "rules/diagnostics.h"
#include "rules/resource.h"

#define KP_INPUT_MAX_FILES 10000
#define KP_INPUT_STDIN "<stdin>"

/* For tables of flags: -f and -R. */
#define KP_INPUT_FLAGS KP_INPUT_FLAGS_OF(true)
#define KP_INPUT_FLAGS_OF(is_required_) \
	{ .name = "filename", \
		.letter = 'f', \
		.type = KP_FLAG_FILE, \
		.is_repeated = true, \
		.is_required = (is_required_), \
		.value = "FILE", \
		.help = "File or folder of resources (*.yaml, *.yml), or - " \
			"for standard input." }, \
	{ \
		.name = "recursive", .letter = 'R', .type = KP_FLAG_SWITCH, \
		.help = "Folders with all folders in them; links to folders " \
			"are not followed." \
	}

/* Of all files together, where they are sent to a server. */
#define KP_INPUT_MAX_RAW_LEN (16u << 20)

struct kp_input_file {
	char *name;
	struct kp_buf text;
};

struct kp_input {
	struct kp_resources *resources; /* none of raw files */
	struct kp_input_file *files;    /* raw ones */
	struct kp_diagnostics diagnostics;
	size_t num_files;
	bool has_read_all; /* else diagnostics says what could not be read */
};

/*
 * kp_input_load reads all that args names. Resources are parsed, not checked
 * with each other. To be ended with kp_input_fini.
 */
void kp_input_load(struct kp_input *out, const struct kp_args *args);

/*
 * kp_input_load_but does so with all files but those that take takes: it is
 * shown each, and returns false for those that are resources. text is valid
 * during the call.
 */
typedef bool (*kp_input_take)(
    void *ctx, const char *name, struct kp_bytes text);
void kp_input_load_but(struct kp_input *out, const struct kp_args *args,
    kp_input_take take, void *ctx);

/*
 * kp_input_compile checks all resources with each other and compiles them as a
 * node would, but for keys and certificates, which are not looked at. NULL if
 * anything is wrong; diagnostics has it. Free with kp_tables_free.
 */
struct kp_tables *kp_input_compile(struct kp_input *input);

/* kp_input_load_raw keeps the texts of all files, for somebody else to parse.
 */
void kp_input_load_raw(struct kp_input *out, const struct kp_args *args);

/* kp_input_refuse writes every problem to stderr; returns what to end with. */
enum kp_exit kp_input_refuse(const struct kp_input *input);

void kp_input_fini(struct kp_input *input);

/* kp_input_read adds the content of path, which may be a pipe or "-". */
bool kp_input_read(
    struct kp_buf *out, const char *path, struct kp_error *err) KP_MUST_CHECK;

#endif
