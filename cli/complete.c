/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/complete.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "cli/output.h"
#include "cli/run.h"

#define MAX_LINES_LEN (4u << 20)

bool
kp_candidates_add(struct kp_candidates *out, const char *word, const char *help)
{
	/* the help's first sentence is enough, and is one line */
	const char *stop = strstr(help, ". ");
	int len = (int)(stop == NULL ? strlen(help) : (size_t)(stop - help));

	if (strncmp(word, out->begun, strlen(out->begun)) != 0)
		return false;
	kp_buf_printf(&out->lines, "%.*s%s\t%.*s\n", (int)out->prefix_len,
	    out->prefix, word, len, help);
	return true;
}

static void
add_values(struct kp_candidates *out, const struct kp_args *args,
    const struct kp_flag *flag)
{
	if (flag->type == KP_FLAG_CONTEXT)
		kp_complete_context(out, args, out->begun);
	if (flag->type == KP_FLAG_API)
		kp_complete_api(out, args, out->begun);
	out->is_file = flag->type == KP_FLAG_FILE;
	if (flag->type == KP_FLAG_SWITCH) {
		kp_candidates_add(out, "true", "");
		kp_candidates_add(out, "false", "");
	}
	for (size_t i = 0; flag->type == KP_FLAG_WORD && flag->words[i] != NULL;
	     i++)
		kp_candidates_add(out, flag->words[i], "");
}

/* One that was said already is offered only if it may be repeated. */
static bool
is_to_offer(const struct kp_args *args, const struct kp_flag *flag)
{
	for (size_t i = 0; i < args->num_flags; i++) {
		if (args->flags[i].flag == flag)
			return flag->is_repeated;
	}
	return true;
}

static void
add_flags(struct kp_candidates *out, const struct kp_args *args)
{
	for (size_t i = args->depth; i > 0; i--) {
		const struct kp_flag *flag = args->path[i - 1]->flags;

		for (; flag != NULL && flag->type != KP_FLAG_END; flag++) {
			char word[64];

			(void)snprintf(word, sizeof(word), "--%s", flag->name);
			if (is_to_offer(args, flag))
				kp_candidates_add(out, word, flag->help);
		}
	}
}

static void
add_operands(struct kp_candidates *out, const struct kp_args *args)
{
	const struct kp_command *command = kp_args_command(args);
	const struct kp_command *sub = command->commands;

	for (; sub != NULL && sub->name != NULL; sub++) {
		if (!sub->is_hidden)
			kp_candidates_add(out, sub->name, sub->summary);
	}
	if (command->complete != NULL &&
	    args->num_operands < command->max_operands)
		command->complete(out, args, out->begun);
}

/* The flag that waits for its value at the end of words, or NULL. */
static const struct kp_flag *
open_flag(
    const struct kp_args *args, const char *const *words, size_t num_words)
{
	const struct kp_flag *flag = NULL;
	const char *last;

	if (num_words == 0)
		return NULL;
	last = words[num_words - 1];
	if (last[0] != '-' || last[1] == '\0' || strchr(last, '=') != NULL)
		return NULL;
	if (last[1] == '-')
		flag = kp_args_find_flag(args, last + 2, strlen(last + 2));
	else
		flag = kp_args_find_letter(args, last[strlen(last) - 1]);
	if (flag == NULL || flag->type == KP_FLAG_SWITCH || flag->bare != NULL)
		return NULL;
	return flag;
}

static void
complete_word(struct kp_candidates *out, const struct kp_args *args)
{
	const char *equals = strchr(out->begun, '=');
	const struct kp_flag *flag;

	if (strncmp(out->begun, "--", 2) == 0 && equals != NULL) {
		flag = kp_args_find_flag(
		    args, out->begun + 2, (size_t)(equals - out->begun) - 2);
		if (flag == NULL)
			return;
		out->prefix = out->begun;
		out->prefix_len = (size_t)(equals - out->begun) + 1;
		out->begun = equals + 1;
		add_values(out, args, flag);
	} else if (out->begun[0] == '-') {
		add_flags(out, args);
	} else {
		add_operands(out, args);
	}
}

static bool
has_dashes(const char *const *words, size_t num_words)
{
	for (size_t i = 0; i < num_words; i++) {
		if (strcmp(words[i], "--") == 0)
			return true;
	}
	return false;
}

/* The last of words is the one to complete. */
static void
complete(struct kp_candidates *out, const struct kp_command *program,
    const char *const *words, size_t num_words)
{
	size_t num_before = num_words - 1;
	const struct kp_flag *flag;
	struct kp_args args;
	struct kp_error err;
	bool is_whole;

	/* what is not whole yet is understood as far as it goes */
	is_whole = kp_args_parse(&args, program, words, num_before, &err);
	(void)is_whole;
	flag = open_flag(&args, words, num_before);
	if (has_dashes(words, num_before))
		add_operands(out, &args);
	else if (flag != NULL)
		add_values(out, &args, flag);
	else
		complete_word(out, &args);
	kp_args_fini(&args);
}

/*
 * bash makes three words of --output=json. Leaves out the "=", which is as good
 * as a blank; returns how many words are left.
 */
static size_t
join_equals(const char **out, const char *const *words, size_t num_words)
{
	size_t num = 0;

	for (size_t i = 0; i < num_words; i++) {
		bool is_equals = strcmp(words[i], "=") == 0 && num > 0 &&
				 strncmp(out[num - 1], "--", 2) == 0;

		if (!is_equals)
			out[num++] = words[i];
		else if (i + 1 == num_words)
			out[num++] = "";
	}
	return num;
}

void
kp_complete(struct kp_buf *out, const struct kp_command *program,
    const char *const *words, size_t num_words)
{
	const char **joined = kp_alloc(num_words + 1, sizeof(*joined));
	size_t num = join_equals(joined, words, num_words);
	struct kp_candidates found = { .prefix = "" };

	if (num == 0)
		joined[num++] = "";
	found.begun = joined[num - 1];
	kp_buf_init(&found.lines, MAX_LINES_LEN);
	complete(&found, program, joined, num);
	kp_output_part(&found.lines);
	kp_buf_add(out, found.lines.data, found.lines.len);
	if (found.is_file)
		kp_buf_add_text(out, ":files\n");
	else
		kp_buf_add_text(
		    out, found.is_to_go_on ? ":nospace\n" : ":none\n");
	kp_buf_fini(&found.lines);
	free(joined);
}

/* A shell is in the middle of a line: nothing is said to it but words. */
static void
complete_silently(struct kp_buf *out, const struct kp_args *args)
{
	int said = dup(STDERR_FILENO), nowhere = open("/dev/null", O_WRONLY);

	if (nowhere >= 0)
		(void)dup2(nowhere, STDERR_FILENO);
	kp_complete(out, &kp_kpctl, args->operands, args->num_operands);
	if (said >= 0)
		(void)dup2(said, STDERR_FILENO);
	(void)close(said);
	(void)close(nowhere);
}

enum kp_exit
kp_run_complete(const struct kp_args *args)
{
	struct kp_buf out;

	kp_buf_init(&out, KP_OUTPUT_MAX_LEN);
	complete_silently(&out, args);
	kp_output_write(&out);
	return KP_EXIT_OK;
}
