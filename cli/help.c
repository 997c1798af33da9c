/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/help.h"

#include "base/text.h"

#define WIDTH 78
#define COLUMN 28
#define MAX_TEXT_LEN 4096

void
kp_help_title(
    struct kp_buf *out, const struct kp_command *const *path, size_t depth)
{
	for (size_t i = 0; i < depth; i++)
		kp_buf_printf(out, "%s%s", i > 0 ? " " : "", path[i]->name);
}

void
kp_help_usage(
    struct kp_buf *out, const struct kp_command *const *path, size_t depth)
{
	const struct kp_command *command = path[depth - 1];
	const struct kp_flag *flag = command->flags;

	kp_help_title(out, path, depth);
	if (command->commands != NULL)
		kp_buf_add_text(out, " COMMAND");
	for (; flag != NULL && flag->type != KP_FLAG_END; flag++) {
		if (flag->is_required)
			kp_buf_printf(out, " -%c %s%s", flag->letter,
			    flag->value, flag->is_repeated ? "..." : "");
	}
	if (command->operands[0] != '\0')
		kp_buf_printf(out, " %s", command->operands);
	kp_buf_add_text(out, " [flags]");
}

void
kp_help_flag(struct kp_buf *out, const struct kp_flag *flag)
{
	if (flag->letter != 0)
		kp_buf_printf(out, "-%c, ", flag->letter);
	else
		kp_buf_add_text(out, "    ");
	kp_buf_printf(out, "--%s", flag->name);
	if (flag->bare != NULL)
		kp_buf_printf(out, "[=%s]", flag->value);
	else if (flag->type != KP_FLAG_SWITCH)
		kp_buf_printf(out, " %s", flag->value);
}

void
kp_help_flag_text(struct kp_buf *out, const struct kp_flag *flag)
{
	kp_buf_add_text(out, flag->help);
	if (flag->type == KP_FLAG_WORD) {
		kp_buf_add_text(out, " One of ");
		for (size_t i = 0; flag->words[i] != NULL; i++)
			kp_buf_printf(
			    out, "%s%s", i > 0 ? ", " : "", flag->words[i]);
		kp_buf_add_text(out, ".");
	}
	if (flag->bare != NULL && flag->bare[0] != '\0')
		kp_buf_printf(out, " Alone it is %s.", flag->bare);
	if (flag->fallback != NULL)
		kp_buf_printf(out, " Default %s.", flag->fallback);
	if (flag->is_repeated)
		kp_buf_add_text(out, " May be given several times.");
}

/* Two columns: term, and text that goes on below itself. */
static void
add_row(struct kp_buf *out, const char *term, const char *text)
{
	struct kp_buf column;
	size_t used = 2 + strlen(term);

	kp_buf_printf(out, "  %s", term);
	if (used + 2 > COLUMN) {
		kp_buf_add_text(out, "\n");
		kp_wrap(out, text, COLUMN, WIDTH);
		return;
	}
	kp_buf_init_small(&column, MAX_TEXT_LEN);
	kp_wrap(&column, text, COLUMN, WIDTH);
	kp_buf_add(out, column.data + used, column.len - used);
	kp_buf_fini(&column);
}

static void
add_flag(struct kp_buf *out, const struct kp_flag *flag)
{
	struct kp_buf term, text;

	kp_buf_init_small(&term, MAX_TEXT_LEN);
	kp_buf_init_small(&text, MAX_TEXT_LEN);
	kp_help_flag(&term, flag);
	kp_help_flag_text(&text, flag);
	add_row(out, kp_buf_text(&term), kp_buf_text(&text));
	kp_buf_fini(&term);
	kp_buf_fini(&text);
}

static void
add_flags(struct kp_buf *out, const char *heading, const struct kp_flag *flags)
{
	if (flags == NULL)
		return;
	kp_buf_printf(out, "\n%s:\n", heading);
	for (; flags->type != KP_FLAG_END; flags++)
		add_flag(out, flags);
}

static void
add_commands(struct kp_buf *out, const struct kp_command *commands)
{
	kp_buf_add_text(out, "\ncommands:\n");
	for (; commands->name != NULL; commands++) {
		if (!commands->is_hidden)
			add_row(out, commands->name, commands->summary);
	}
}

static void
add_examples(struct kp_buf *out, const struct kp_example *examples)
{
	kp_buf_add_text(out, "\nexamples:\n");
	for (; examples->what != NULL; examples++)
		kp_buf_printf(
		    out, "  # %s\n  %s\n", examples->what, examples->command);
}

void
kp_help_print(
    struct kp_buf *out, const struct kp_command *const *path, size_t depth)
{
	const struct kp_command *command = path[depth - 1];

	kp_buf_add_text(out, "usage: ");
	kp_help_usage(out, path, depth);
	kp_buf_add_text(out, "\n\n");
	kp_wrap(out, command->help, 0, WIDTH);
	if (command->commands != NULL)
		add_commands(out, command->commands);
	if (depth > 1)
		add_flags(out, "flags", command->flags);
	add_flags(out, "flags of all commands", path[0]->flags);
	if (command->examples != NULL)
		add_examples(out, command->examples);
	if (depth > 1)
		return;
	kp_buf_add_text(out, "\nexit codes:\n");
	for (int i = 0; kp_exit_meanings[i] != NULL; i++)
		kp_buf_printf(out, "  %d  %s\n", i, kp_exit_meanings[i]);
}
