/* SPDX-License-Identifier: Apache-2.0 */
/* The table of commands: is every row fit for all that is made from it? */
#include "cli/command.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/args.h"
#include "cli/complete.h"
#include "cli/help.h"

#define MAX_LEN (1u << 20)

static void
check_flags(const struct kp_flag *flags)
{
	for (; flags != NULL && flags->type != KP_FLAG_END; flags++) {
		cr_assert_eq(flags->help[strlen(flags->help) - 1], '.', "%s",
		    flags->name);
		cr_assert_eq(flags->type == KP_FLAG_WORD, flags->words != NULL);
		cr_assert_eq(
		    flags->type == KP_FLAG_SWITCH, flags->value == NULL);
		cr_assert(!flags->is_required || flags->letter != 0);
	}
}

static void
check_command(const struct kp_command *command)
{
	cr_assert_not_null(command->operands, "%s", command->name);
	cr_assert_not_null(command->summary, "%s", command->name);
	cr_assert_eq(command->help[strlen(command->help) - 1], '.');
	cr_assert((command->run == NULL) != (command->commands == NULL));
	cr_assert(command->min_operands <= command->max_operands);
	cr_assert_eq(command->max_operands == 0, command->operands[0] == '\0');
	check_flags(command->flags);
	for (const struct kp_command *sub = command->commands;
	     sub != NULL && sub->name != NULL; sub++)
		check_command(sub);
}

Test(commands, every_row_has_what_it_needs)
{
	check_command(&kp_kpctl);
}

static void
check_help(const struct kp_command **path, size_t depth)
{
	const struct kp_command *command = path[depth - 1];
	struct kp_buf out;
	const char *line;

	kp_buf_init(&out, MAX_LEN);
	kp_help_print(&out, path, depth);
	kp_buf_add(&out, "", 1);
	cr_assert(!out.failed);
	for (line = (const char *)out.data; *line != '\0';) {
		size_t len = strcspn(line, "\n");

		/* examples are not broken */
		if (strstr(line, "kpctl ") != line + 2)
			cr_assert(len <= 78, "%.*s", (int)len, line);
		line += len + 1;
	}
	kp_buf_fini(&out);
	for (const struct kp_command *sub = command->commands;
	     sub != NULL && sub->name != NULL; sub++) {
		path[depth] = sub;
		check_help(path, depth + 1);
	}
}

Test(commands, help_fits_a_terminal)
{
	const struct kp_command *path[KP_ARGS_MAX_DEPTH] = { &kp_kpctl };

	check_help(path, 1);
}

/* Completes line, whose last word is after the last blank. */
static void
complete(const char *line, struct kp_buf *out)
{
	char copy[256];
	const char *words[16];
	size_t num = 0;
	char *rest = copy, *word;

	(void)snprintf(copy, sizeof(copy), "%s", line);
	while ((word = strsep(&rest, " ")) != NULL)
		words[num++] = word;
	kp_buf_init(out, MAX_LEN);
	kp_complete(out, &kp_kpctl, words, num);
	kp_buf_add(out, "", 1);
}

/* Words alone: "a b :none". */
static void
strip_help(char *text)
{
	char *to = text;

	for (const char *at = text; *at != '\0';) {
		size_t len = strcspn(at, "\t\n");

		kp_move(to, at, len);
		to += len;
		at += strcspn(at, "\n");
		if (*at == '\n' && *++at != '\0')
			*to++ = ' ';
	}
	*to = '\0';
}

Test(commands, words_are_completed)
{
	static const struct {
		const char *line;
		const char *words;
	} cases[] = {
		{ "", "validate test trace format get describe apply diff edit "
		      "delete "
		      "history rollback status cordon uncordon explain "
		      "config completion version help :none" },
		{ "v", "validate version :none" },
		{ "__", ":none" },
		{ "xyzzy", ":none" },
		{ "get clus", "cluster :none" },
		{ "describe n", "node :none" },
		{ "apply --dry-run=s", "--dry-run=server :none" },
		/* its value may be left out: another word is no value */
		{ "rollback --dry-run s", ":none" },
		{ "config d", "delete-context :none" },
		{ "help conf", "config :none" },
		{ "help config u", "use-context :none" },
		{ "completion ", "bash zsh fish :none" },
		{ "completion bash ", ":none" },
		{ "validate -", "--filename --recursive --output --server "
				"--context --ca --certificate --key "
				"--request-timeout --kpctl-config --help "
				":none" },
		{ "validate -o json --out", ":none" },
		{ "validate -f a --f", "--filename :none" },
		{ "validate -f ", ":files" },
		{ "validate -Rf ", ":files" },
		{ "validate --filename=a", ":files" },
		{ "validate --filename = a", ":files" },
		{ "validate -o ", "text json yaml :none" },
		{ "validate -o j", "json :none" },
		{ "trace --api Delete", "DeleteTopics DeleteRecords "
					"DeleteShareGroupOffsets DeleteAcls "
					"DeleteGroups :none" },
		{ "trace --api=Delete",
		    "--api=DeleteTopics "
		    "--api=DeleteRecords --api=DeleteShareGroupOffsets "
		    "--api=DeleteAcls "
		    "--api=DeleteGroups :none" },
		{ "validate --output=j", "--output=json :none" },
		{ "validate --output = j", "json :none" },
		{ "validate --output =", "text json yaml :none" },
		{ "validate --recursive=", "--recursive=true "
					   "--recursive=false :none" },
		{ "validate --nothing=", ":none" },
		{ "validate ", ":none" },
		{ "explain Li", "Listener :nospace" },
		{ "explain Listener.spec.bi", "Listener.spec.bi"
					      "nd :none" },
		{ "explain Listener.spec.tl", "Listener.spec.tls :nospace" },
		{ "explain --recursive node.lo", "node.log :nospace" },
		{ "explain -- node.lo", "node.log :nospace" },
		{ "explain node ", ":none" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kp_buf out;

		complete(cases[i].line, &out);
		strip_help((char *)out.data);
		cr_assert_str_eq((const char *)out.data, cases[i].words);
		kp_buf_fini(&out);
	}
}
