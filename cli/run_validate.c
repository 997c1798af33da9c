/* SPDX-License-Identifier: Apache-2.0 */
/* kpctl validate: the parser, the checks and the compiler of a node,
 * here or at a server. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/yaml_tree.h"
#include "cli/color.h"
#include "cli/input.h"
#include "cli/output.h"
#include "cli/problems.h"
#include "cli/request.h"
#include "cli/run.h"
#include "control/api/problems.h"
#include "proto/control/unpack.h"

/* Finds all that is wrong; what is not there cannot be referred to. */
static enum kp_exit
judge(struct kp_input *input)
{
	if (!input->has_read_all)
		return KP_EXIT_FAILED;
	kp_tables_free(kp_input_compile(input));
	return kp_diagnostics_count(&input->diagnostics) > 0 ? KP_EXIT_REFUSED
							     : KP_EXIT_OK;
}

/* The form is a promise: fields are added, none is changed. */
static void
write_tree(const struct kp_args *args, const struct kp_input *input,
    enum kp_exit result)
{
	const struct kp_diagnostics *found = &input->diagnostics;
	struct kp_yaml *root = kp_yaml_new_map();
	struct kp_api_problems problems;
	struct kp_buf out;

	kp_yaml_put(root, "valid", kp_yaml_new_bool(result == KP_EXIT_OK));
	kp_yaml_put(root, "files", kp_yaml_new_int((int64_t)input->num_files));
	kp_yaml_put(root, "resources",
	    kp_yaml_new_int((int64_t)kp_resources_count(input->resources)));
	kp_api_problems_init(&problems, found, KP_OUTPUT_MAX_LEN);
	kp_yaml_put(root, "problems", kp_problems_tree(&problems.message));
	kp_yaml_put(root, "problemsLeftOut",
	    kp_yaml_new_int(problems.message.left_out));
	kp_api_problems_fini(&problems);
	kp_buf_init(&out, KP_OUTPUT_MAX_LEN);
	kp_output_add_tree(&out, args, root);
	kp_output_write(&out);
	kp_yaml_free(root);
}

static void
write_problems(const struct kp_diagnostics *diagnostics)
{
	struct kp_buf text;

	kp_buf_init(&text, KP_OUTPUT_MAX_LEN);
	kp_diagnostics_print(diagnostics, &text);
	kp_output_part(&text);
	if (text.len > 0)
		(void)fwrite(text.data, text.len, 1, stderr);
	kp_buf_fini(&text);
}

static void
write_text(const struct kp_input *input, enum kp_exit result)
{
	size_t num = kp_diagnostics_count(&input->diagnostics);
	bool is_colored = kp_color_is_wanted(STDERR_FILENO);

	if (kp_output_is_refused())
		return;
	if (result == KP_EXIT_OK) {
		(void)printf("valid: %zu resource%s in %zu file%s\n",
		    kp_resources_count(input->resources),
		    kp_resources_count(input->resources) == 1 ? "" : "s",
		    input->num_files, input->num_files == 1 ? "" : "s");
		return;
	}
	write_problems(&input->diagnostics);
	(void)fprintf(stderr, "%s%s%s: %zu problem%s\n",
	    is_colored ? KP_COLOR_RED : "",
	    result == KP_EXIT_REFUSED ? "refused" : "not everything was read",
	    is_colored ? KP_COLOR_OFF : "", num, num == 1 ? "" : "s");
}

/* How many resources are in the texts, as far as they can be read. */
static void
count_resources(struct kp_input *input)
{
	struct kp_diagnostics ignored = { 0 };

	input->resources = kp_resources_new();
	for (size_t i = 0; i < input->num_files; i++)
		kp_resources_add_file(input->resources, input->files[i].name,
		    kp_buf_bytes(&input->files[i].text), &ignored);
	if (ignored.is_refused)
		kp_output_refuse();
	kp_diagnostics_fini(&ignored);
}

/* As if we had found it. */
static void
take_problem(struct kp_input *input, const Kproxy__Control__V1__Problem *from)
{
	struct kp_origin at = { from->file, from->line, from->column };
	char *title = NULL, *text = NULL;

	kp_assert(asprintf(&title, from->name[0] != '\0' ? "%s \"%s\"" : "%s",
		      from->kind, from->name) >= 0);
	kp_assert(asprintf(&text, "%s%s%s", from->field,
		      from->field[0] != '\0' ? ": " : "", from->message) >= 0);
	kp_diagnostics_add_about(
	    &input->diagnostics, &at, title, from->field, text);
	free(title);
	free(text);
}

static enum kp_exit
take_answer(
    struct kp_input *input, const Kproxy__Control__V1__ValidateResponse *answer)
{
	const Kproxy__Control__V1__Problems *problems = answer->problems;

	for (size_t i = 0; problems != NULL && i < problems->n_problems; i++)
		take_problem(input, problems->problems[i]);
	if (problems != NULL)
		input->diagnostics.num_left_out += problems->left_out;
	return kp_problems_count(problems) > 0 ? KP_EXIT_REFUSED : KP_EXIT_OK;
}

/* A server knows what else is there, and what it may be told to do. */
static enum kp_exit
ask_server(struct kp_input *input, const struct kp_args *args)
{
	struct kp_connection connection;
	struct kp_request request = { 0 };
	Kproxy__Control__V1__ValidateResponse *answer = NULL;
	enum kp_exit result = kp_connection_open(&connection, args);

	kp_request_files(&request, input);
	if (result == KP_EXIT_OK)
		result =
		    kp_request_ask_validate(&request, &connection, &answer);
	if (result == KP_EXIT_OK) {
		result = take_answer(input, answer);
		kp_unpacked_free(&answer->base);
	}
	kp_request_fini(&request);
	kp_connection_close(&connection);
	return result;
}

static enum kp_exit
judge_there(struct kp_input *input, const struct kp_args *args)
{
	if (!input->has_read_all)
		return KP_EXIT_FAILED;
	return ask_server(input, args);
}

enum kp_exit
kp_run_validate(const struct kp_args *args)
{
	bool is_local = kp_args_text(args, "server") == NULL;
	struct kp_input input;
	enum kp_exit result;

	if (is_local) {
		kp_input_load(&input, args);
		result = judge(&input);
	} else {
		kp_input_load_raw(&input, args);
		result = judge_there(&input, args);
		count_resources(&input);
	}
	/* nothing was judged: why has been said */
	if (result != KP_EXIT_OK &&
	    kp_diagnostics_count(&input.diagnostics) == 0) {
		kp_input_fini(&input);
		return result;
	}
	if (kp_output_is(args, "text"))
		write_text(&input, result);
	else
		write_tree(args, &input, result);
	kp_input_fini(&input);
	return result;
}
