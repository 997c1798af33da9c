/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/args.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/text.h"

#define MAX_NAMES 64

/* Where the parser is. */
struct parser {
	struct kp_args *args;
	const char *const *words;
	size_t num_words;
	size_t at; /* the word after the current one */
	struct kp_error *err;
};

const struct kp_command *
kp_command_find(const struct kp_command *group, const char *name)
{
	const struct kp_command *command = group->commands;

	for (; command != NULL && command->name != NULL; command++) {
		if (strcmp(command->name, name) == 0)
			return command;
	}
	return NULL;
}

const struct kp_command *
kp_args_command(const struct kp_args *args)
{
	return args->path[args->depth - 1];
}

const struct kp_flag *
kp_args_find_flag(const struct kp_args *args, const char *name, size_t len)
{
	for (size_t i = args->depth; i > 0; i--) {
		const struct kp_flag *flag = args->path[i - 1]->flags;

		for (; flag != NULL && flag->type != KP_FLAG_END; flag++) {
			if (strlen(flag->name) == len &&
			    memcmp(flag->name, name, len) == 0)
				return flag;
		}
	}
	return NULL;
}

const struct kp_flag *
kp_args_find_letter(const struct kp_args *args, char letter)
{
	for (size_t i = args->depth; i > 0; i--) {
		const struct kp_flag *flag = args->path[i - 1]->flags;

		for (; flag != NULL && flag->type != KP_FLAG_END; flag++) {
			if (flag->letter == letter)
				return flag;
		}
	}
	return NULL;
}

/* Names of all flags that may be said here, for suggestions. */
static void
flag_names(const struct kp_args *args, const char *names[MAX_NAMES + 1])
{
	size_t num = 0;

	for (size_t i = args->depth; i > 0; i--) {
		const struct kp_flag *flag = args->path[i - 1]->flags;

		for (; flag != NULL && flag->type != KP_FLAG_END; flag++) {
			if (num < MAX_NAMES)
				names[num++] = flag->name;
		}
	}
	names[num] = NULL;
}

static bool
unknown_flag(struct parser *p, const char *word)
{
	const char *names[MAX_NAMES + 1];
	char name[64];
	const char *near;

	(void)snprintf(
	    name, sizeof(name), "%.*s", (int)strcspn(word + 2, "="), word + 2);
	flag_names(p->args, names);
	near = kp_suggest(name, names);
	if (near != NULL)
		return kp_error_set(p->err, KP_ERR_CONFIG,
		    "unknown flag \"--%s\"; did you mean --%s?", name, near);
	return kp_error_set(
	    p->err, KP_ERR_CONFIG, "unknown flag \"--%s\"", name);
}

static bool
unknown_command(struct parser *p, const char *word)
{
	const struct kp_command *command = kp_args_command(p->args)->commands;
	const char *names[MAX_NAMES + 1] = { NULL };
	size_t num = 0;
	const char *near;

	for (; command->name != NULL; command++) {
		if (!command->is_hidden && num < MAX_NAMES)
			names[num++] = command->name;
	}
	near = kp_suggest(word, names);
	if (near != NULL)
		return kp_error_set(p->err, KP_ERR_CONFIG,
		    "unknown command \"%.64s\"; did you mean \"%s\"?", word,
		    near);
	return kp_error_set(
	    p->err, KP_ERR_CONFIG, "unknown command \"%.64s\"", word);
}

static bool
wrong_word(struct parser *p, const struct kp_flag *flag, const char *text)
{
	const char *near = kp_suggest(text, flag->words);
	struct kp_buf list;

	if (near != NULL)
		return kp_error_set(p->err, KP_ERR_CONFIG,
		    "--%s: unknown word \"%.64s\"; did you mean \"%s\"?",
		    flag->name, text, near);
	kp_buf_init(&list, 160);
	for (size_t i = 0; flag->words[i] != NULL; i++)
		kp_buf_printf(&list, "%s%s", i > 0 ? ", " : "", flag->words[i]);
	kp_error_set(p->err, KP_ERR_CONFIG,
	    "--%s: must be one of %s, not \"%.64s\"", flag->name,
	    kp_buf_text(&list), text);
	kp_buf_fini(&list);
	return false;
}

static bool
is_one_of(const char *text, const char *const *words)
{
	for (; *words != NULL; words++) {
		if (strcmp(*words, text) == 0)
			return true;
	}
	return false;
}

static bool
say(struct parser *p, const struct kp_flag *flag, const char *text)
{
	static const char *const switches[] = { "true", "false", NULL };
	struct kp_args *args = p->args;

	if (flag->type == KP_FLAG_SWITCH && !is_one_of(text, switches))
		return kp_error_set(p->err, KP_ERR_CONFIG,
		    "--%s: must be true or false, not \"%.64s\"", flag->name,
		    text);
	if (flag->type == KP_FLAG_WORD && !is_one_of(text, flag->words))
		return wrong_word(p, flag, text);
	args->flags[args->num_flags++] = (struct kp_said_flag){ flag, text };
	if (strcmp(flag->name, "help") == 0)
		args->is_help = strcmp(text, "true") == 0;
	return true;
}

/* The text of a flag that has none in its own word. */
static bool
say_next(struct parser *p, const struct kp_flag *flag)
{
	if (flag->type == KP_FLAG_SWITCH)
		return say(p, flag, "true");
	if (flag->bare != NULL)
		return say(p, flag, flag->bare);
	if (p->at == p->num_words)
		return kp_error_set(
		    p->err, KP_ERR_CONFIG, "--%s needs a value", flag->name);
	return say(p, flag, p->words[p->at++]);
}

static bool
parse_long(struct parser *p, const char *word)
{
	size_t len = strcspn(word + 2, "=");
	const struct kp_flag *flag = kp_args_find_flag(p->args, word + 2, len);

	if (flag == NULL)
		return unknown_flag(p, word);
	if (word[2 + len] == '=')
		return say(p, flag, word + 2 + len + 1);
	return say_next(p, flag);
}

/* -Rf FILE, -fFILE and, as pflag has it, -f=FILE. */
static bool
parse_letters(struct parser *p, const char *word)
{
	for (const char *at = word + 1; *at != '\0'; at++) {
		const struct kp_flag *flag = kp_args_find_letter(p->args, *at);

		if (flag == NULL)
			return kp_error_set(p->err, KP_ERR_CONFIG,
			    "unknown flag \"-%c\" in \"%.64s\"", *at, word);
		if (at[1] == '=')
			return say(p, flag, at + 2);
		if (flag->type != KP_FLAG_SWITCH && at[1] != '\0')
			return say(p, flag, at + 1);
		if (!say_next(p, flag))
			return false;
	}
	return true;
}

static bool
parse_operand(struct parser *p, const char *word)
{
	const struct kp_command *group = kp_args_command(p->args), *command;

	if (group->commands == NULL) {
		p->args->operands[p->args->num_operands++] = word;
		return true;
	}
	command = kp_command_find(group, word);
	if (command == NULL)
		return unknown_command(p, word);
	kp_assert(p->args->depth < KP_ARGS_MAX_DEPTH);
	p->args->path[p->args->depth++] = command;
	return true;
}

static bool
parse_words(struct parser *p)
{
	bool has_flags = true;

	while (p->at < p->num_words) {
		const char *word = p->words[p->at++];
		bool ok;

		if (has_flags && strcmp(word, "--") == 0) {
			has_flags = false;
			continue;
		}
		if (!has_flags || word[0] != '-' || word[1] == '\0')
			ok = parse_operand(p, word);
		else if (word[1] == '-')
			ok = parse_long(p, word);
		else
			ok = parse_letters(p, word);
		if (!ok)
			return false;
	}
	return true;
}

static bool
check_required(struct parser *p)
{
	const struct kp_flag *flag = kp_args_command(p->args)->flags;

	for (; flag != NULL && flag->type != KP_FLAG_END; flag++) {
		if (flag->is_required &&
		    kp_args_text(p->args, flag->name) == NULL)
			return kp_error_set(p->err, KP_ERR_CONFIG,
			    "--%s %s is missing", flag->name, flag->value);
	}
	return true;
}

static bool
check_operands(struct parser *p)
{
	const struct kp_command *command = kp_args_command(p->args);

	if (command->commands != NULL)
		return kp_error_set(
		    p->err, KP_ERR_CONFIG, "a command is missing");
	if (p->args->num_operands < command->min_operands)
		return kp_error_set(
		    p->err, KP_ERR_CONFIG, "%s is missing", command->operands);
	if (p->args->num_operands > command->max_operands)
		return kp_error_set(p->err, KP_ERR_CONFIG,
		    "unexpected argument \"%.64s\"",
		    p->args->operands[command->max_operands]);
	return true;
}

static size_t
count_letters(const char *const *words, size_t num_words)
{
	size_t num = 0;

	for (size_t i = 0; i < num_words; i++)
		num += strlen(words[i]);
	return num;
}

bool
kp_args_parse(struct kp_args *out, const struct kp_command *program,
    const char *const *words, size_t num_words, struct kp_error *err)
{
	struct parser p = { out, words, num_words, 0, err };

	*out = (struct kp_args){ .path = { program }, .depth = 1 };
	/* a word has at most as many flags as letters */
	out->flags =
	    kp_alloc(count_letters(words, num_words) + 1, sizeof(*out->flags));
	out->operands = kp_alloc(num_words + 1, sizeof(*out->operands));
	if (!parse_words(&p))
		return false;
	return out->is_help || (check_operands(&p) && check_required(&p));
}

void
kp_args_fini(struct kp_args *args)
{
	free(args->flags);
	free(args->operands);
	*args = (struct kp_args){ 0 };
}

static const struct kp_flag *
known_flag(const struct kp_args *args, const char *name)
{
	const struct kp_flag *flag =
	    kp_args_find_flag(args, name, strlen(name));

	kp_assert(flag != NULL);
	return flag;
}

const char *
kp_args_text(const struct kp_args *args, const char *name)
{
	const struct kp_flag *flag = known_flag(args, name);

	for (size_t i = args->num_flags; i > 0; i--) {
		if (args->flags[i - 1].flag == flag)
			return args->flags[i - 1].text;
	}
	return flag->fallback;
}

bool
kp_args_is(const struct kp_args *args, const char *name)
{
	const char *text = kp_args_text(args, name);

	return text != NULL && strcmp(text, "true") == 0;
}

const char *
kp_args_next(const struct kp_args *args, const char *name, size_t *at)
{
	const struct kp_flag *flag = known_flag(args, name);

	while (*at < args->num_flags) {
		const struct kp_said_flag *said = &args->flags[(*at)++];

		if (said->flag == flag)
			return said->text;
	}
	return NULL;
}
