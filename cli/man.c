/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/man.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/yaml_tree.h"
#include "base/yaml_write.h"
#include "cli/args.h"
#include "cli/help.h"
#include "cli/man_priv.h"
#include "rules/example.h"
#include "rules/node_config.h"

#define MAX_TEXT_LEN 65536
#define MAX_NAME_LEN 32

void
kp_man_add_text(struct kp_buf *out, const char *text)
{
	bool is_line_begun = false;

	for (; *text != '\0'; text++) {
		if (!is_line_begun && (*text == '.' || *text == '\''))
			kp_buf_add_text(out, "\\&");
		if (*text == '\\')
			kp_buf_add_text(out, "\\e");
		else if (*text == '-')
			kp_buf_add_text(out, "\\-");
		else
			kp_buf_add(out, text, 1);
		is_line_begun = *text != '\n';
	}
}

static void
add_buf(struct kp_buf *out, struct kp_buf *text)
{
	kp_assert(!text->failed);
	kp_man_add_text(out, kp_buf_text(text));
	kp_buf_fini(text);
}

void
kp_man_add_title(
    struct kp_buf *out, const char *name, int section, const char *about)
{
	char upper[MAX_NAME_LEN + 1];
	size_t len = 0;

	for (; name[len] != '\0' && len < MAX_NAME_LEN; len++)
		upper[len] = (char)toupper((unsigned char)name[len]);
	upper[len] = '\0';
	kp_buf_printf(out,
	    ".TH %s %d \"\" \"kproxy " KP_VERSION "\" \"kproxy\"\n"
	    ".SH NAME\n",
	    upper, section);
	kp_man_add_text(out, name);
	kp_buf_add_text(out, " \\- ");
	kp_man_add_text(out, about);
	kp_buf_add_text(out, "\n");
}

static void
add_flags(struct kp_buf *out, const struct kp_flag *flags)
{
	for (; flags != NULL && flags->type != KP_FLAG_END; flags++) {
		struct kp_buf term, text;
		const char *said;

		kp_buf_init(&term, MAX_TEXT_LEN);
		kp_buf_init(&text, MAX_TEXT_LEN);
		kp_help_flag(&term, flags);
		kp_help_flag_text(&text, flags);
		kp_buf_add_text(out, ".TP\n");
		said = kp_buf_text(&term);
		/* help has a column for letters */
		kp_man_add_text(out, said + strspn(said, " "));
		kp_buf_fini(&term);
		kp_buf_add_text(out, "\n");
		add_buf(out, &text);
		kp_buf_add_text(out, "\n");
	}
}

static void
add_examples(struct kp_buf *out, const struct kp_example *examples)
{
	for (; examples != NULL && examples->what != NULL; examples++) {
		kp_buf_add_text(out, ".PP\nExample: ");
		kp_man_add_text(out, examples->what);
		kp_buf_add_text(out, "\n.PP\n.nf\n.RS 4\n");
		kp_man_add_text(out, examples->command);
		kp_buf_add_text(out, "\n.RE\n.fi\n");
	}
}

/* Commands that do something, each with its whole name. */
static void
add_commands(struct kp_buf *out, const struct kp_command **path, size_t depth)
{
	const struct kp_command *command = path[depth - 1];
	const struct kp_command *sub = command->commands;
	struct kp_buf usage;

	if (command->run != NULL) {
		kp_buf_init(&usage, MAX_TEXT_LEN);
		kp_help_usage(&usage, path, depth);
		kp_buf_add_text(out, ".SS ");
		add_buf(out, &usage);
		kp_buf_add_text(out, "\n");
		kp_man_add_text(out, command->help);
		kp_buf_add_text(out, "\n");
		add_flags(out, command->flags);
		add_examples(out, command->examples);
	}
	for (; sub != NULL && sub->name != NULL; sub++) {
		path[depth] = sub;
		if (!sub->is_hidden)
			add_commands(out, path, depth + 1);
	}
}

static void
add_exit_codes(struct kp_buf *out)
{
	kp_buf_add_text(out, ".SH EXIT STATUS\n");
	for (int i = 0; kp_exit_meanings[i] != NULL; i++) {
		kp_buf_printf(out, ".TP\n%d\n", i);
		kp_man_add_text(out, kp_exit_meanings[i]);
		kp_buf_add_text(out, "\n");
	}
}

static void
add_surroundings(struct kp_buf *out)
{
	static const char *const variables[][2] = {
		{ "KPCTL_CONFIG", "The file of contexts." },
		{ "KPCTL_EDITOR, VISUAL, EDITOR",
		    "The editor of kpctl edit; the first that is set." },
		{ "NO_COLOR", "Anything but nothing: no colours." },
	};

	kp_buf_add_text(out, ".SH ENVIRONMENT\n");
	for (size_t i = 0; i < 3; i++) {
		kp_buf_printf(out, ".TP\n%s\n", variables[i][0]);
		kp_man_add_text(out, variables[i][1]);
		kp_buf_add_text(out, "\n");
	}
	kp_buf_add_text(out, ".SH FILES\n.TP\n");
	kp_man_add_text(out, "~/.config/kproxy/kpctl.yaml\n");
	kp_man_add_text(
	    out, "Contexts: servers and the paths of certificates.\n");
}

void
kp_man_commands(struct kp_buf *out, const struct kp_command *program)
{
	const struct kp_command *path[KP_ARGS_MAX_DEPTH] = { program };

	kp_man_add_title(out, program->name, 1, program->summary);
	kp_buf_add_text(out, ".SH SYNOPSIS\n");
	kp_help_usage(out, path, 1);
	kp_buf_add_text(out, "\n.SH DESCRIPTION\n");
	kp_man_add_text(out, program->help);
	kp_buf_add_text(out, "\n.SH COMMANDS\n");
	add_commands(out, path, 1);
	kp_buf_add_text(out, ".SH FLAGS OF ALL COMMANDS\n");
	add_flags(out, program->flags);
	add_exit_codes(out);
	add_surroundings(out);
	kp_buf_add_text(out, ".SH SEE ALSO\n");
	kp_man_add_text(out, "kproxy.yaml(5)\n");
}

static void
add_setting(
    struct kp_buf *out, const char *path, const struct kp_setting *setting)
{
	struct kp_buf type;

	kp_buf_init(&type, MAX_TEXT_LEN);
	kp_setting_describe(setting, &type);
	kp_buf_add_text(out, ".TP\n");
	kp_man_add_text(out, path);
	kp_buf_add_text(out, " <");
	add_buf(out, &type);
	kp_buf_add_text(out, ">\n");
	kp_man_add_text(out, setting->help);
	if (setting->is_required)
		kp_buf_add_text(out, " Required.");
	if (setting->fallback != NULL && setting->type != KP_SETTING_OBJECT) {
		kp_buf_add_text(out, " Default ");
		kp_man_add_text(out, setting->fallback);
		kp_buf_add_text(out, ".");
	}
	kp_buf_add_text(out, "\n");
}

static void
add_settings(
    struct kp_buf *out, const char *prefix, const struct kp_setting *fields)
{
	for (; fields->type != KP_SETTING_END; fields++) {
		char path[256];

		if (fields->refused != NULL)
			continue;
		(void)snprintf(
		    path, sizeof(path), "%s%s", prefix, fields->name);
		add_setting(out, path, fields);
		if (fields->fields == NULL)
			continue;
		(void)snprintf(
		    path, sizeof(path), "%s%s.", prefix, fields->name);
		add_settings(out, path, fields->fields);
	}
}

void
kp_man_node_config(struct kp_buf *out)
{
	struct kp_yaml *example = kp_example_new(&kp_node_config_setting);
	struct kp_buf text;

	kp_man_add_title(
	    out, "kproxy.yaml", 5, "configuration of a node of kproxy");
	kp_buf_add_text(out, ".SH DESCRIPTION\n");
	kp_man_add_text(out, kp_node_config_setting.help);
	kp_buf_add_text(out, "\nIt is the file that ");
	kp_man_add_text(out,
	    "kproxy --config takes, in YAML. Paths are relative to "
	    "its folder.\n");
	kp_buf_add_text(out, ".SH SETTINGS\n");
	add_settings(out, "", kp_node_config_setting.fields);
	kp_buf_add_text(out, ".SH EXAMPLE\n.nf\n");
	kp_buf_init(&text, MAX_TEXT_LEN);
	kp_yaml_write(&text, example);
	kp_yaml_free(example);
	add_buf(out, &text);
	kp_buf_add_text(out, ".fi\n.SH SEE ALSO\n");
	kp_man_add_text(out, "kpctl(1)\n");
}
