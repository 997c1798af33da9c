/* SPDX-License-Identifier: Apache-2.0 */
/* All commands. Their order is that of help. */
#include <stdint.h>

#include "cli/command.h"
#include "cli/input.h"
#include "cli/output.h"
#include "cli/run.h"

const char *const kp_exit_meanings[] = {
	[KP_EXIT_OK] = "ok",
	[KP_EXIT_FAILED] = "failed",
	[KP_EXIT_USAGE] = "usage",
	[KP_EXIT_REFUSED] = "refused by validation",
	[KP_EXIT_NO_SERVER] = "server not reached",
	NULL,
};

static const char *const text_words[] = { "text", "json", "yaml", NULL };
static const char *const tree_words[] = { "yaml", "json", NULL };
static const char *const list_words[] = { "table", "wide", "name", NULL };
static const char *const all_words[] = { "yaml", "json", "table", "wide",
	"name", NULL };

static const struct kp_flag text_flags[] = {
	KP_OUTPUT_FLAG(text_words, "text"),
	{ .type = KP_FLAG_END },
};

static const struct kp_flag tree_flags[] = {
	KP_OUTPUT_FLAG(tree_words, "yaml"),
	{ .type = KP_FLAG_END },
};

static const struct kp_flag list_flags[] = {
	KP_OUTPUT_FLAG(list_words, "table"),
	{ .type = KP_FLAG_END },
};

static const struct kp_flag validate_flags[] = {
	KP_INPUT_FLAGS,
	KP_OUTPUT_FLAG(text_words, "text"),
	{ .type = KP_FLAG_END },
};

static const struct kp_example validate_examples[] = {
	{ "all that is wrong with a folder", "kpctl validate -f resources/" },
	{ "for a program", "kpctl validate -f resources/ -o json" },
	{ "what another program makes",
	    "kpctl format -f resources/ | kpctl validate -f -" },
	{ NULL, NULL },
};

static const struct kp_flag format_flags[] = {
	KP_INPUT_FLAGS,
	{ .name = "diff",
	    .type = KP_FLAG_SWITCH,
	    .help = "Show what differs from the file, one only, that was "
		    "named; exit code 1 if anything does." },
	KP_OUTPUT_FLAG(all_words, "yaml"),
	{ .type = KP_FLAG_END },
};

static const struct kp_example format_examples[] = {
	{ "as YAML", "kpctl format -f resources/" },
	{ "what is in a folder, and where",
	    "kpctl format -f resources/ -o wide" },
	{ "is a file in this form?",
	    "kpctl format --diff -f resources/cluster.yaml" },
	{ NULL, NULL },
};

static const struct kp_flag explain_flags[] = {
	{ .name = "recursive",
	    .letter = 'R',
	    .type = KP_FLAG_SWITCH,
	    .help = "All fields below, a line each." },
	{ .type = KP_FLAG_END },
};

static const struct kp_example explain_examples[] = {
	{ "all kinds", "kpctl explain" },
	{ "one field", "kpctl explain Listener.spec.ports" },
	{ "all that node.yaml may say", "kpctl explain node --recursive" },
	{ NULL, NULL },
};

static const struct kp_flag set_context_flags[] = {
	{ .name = "server",
	    .type = KP_FLAG_TEXT,
	    .is_repeated = true,
	    .value = "HOST:PORT",
	    .help = "Address of a policy server; replaces those that were "
		    "set." },
	{ .name = "ca",
	    .type = KP_FLAG_FILE,
	    .value = "FILE",
	    .help = "PEM certificates that the server's must lead to." },
	{ .name = "certificate",
	    .type = KP_FLAG_FILE,
	    .value = "FILE",
	    .help = "PEM certificate chain to show to the server." },
	{ .name = "key",
	    .type = KP_FLAG_FILE,
	    .value = "FILE",
	    .help = "PEM private key of the certificate." },
	{ .type = KP_FLAG_END },
};

static const struct kp_example set_context_examples[] = {
	{ "two servers",
	    "kpctl config set-context prod --server=kp-1.example.com:9190 "
	    "--server=kp-2.example.com:9190 --ca=ca.pem "
	    "--certificate=me.pem --key=me.key" },
	{ "another key, the rest stays",
	    "kpctl config set-context prod --key=new.key" },
	{ NULL, NULL },
};

static const struct kp_command config_commands[] = {
	{ .name = "view",
	    .operands = "",
	    .summary = "show all that is configured",
	    .help = "Shows the file of contexts. It names keys and holds none.",
	    .flags = tree_flags,
	    .run = kp_run_config_view },
	{ .name = "get-contexts",
	    .operands = "[NAME...]",
	    .summary = "list contexts",
	    .help = "Lists all contexts, or those that are named. The current "
		    "one has a star.",
	    .max_operands = SIZE_MAX,
	    .complete = kp_complete_context,
	    .flags = list_flags,
	    .run = kp_run_get_contexts },
	{ .name = "current-context",
	    .operands = "",
	    .summary = "print the current context's name",
	    .help = "Prints the name of the context that commands use.",
	    .run = kp_run_current_context },
	{ .name = "use-context",
	    .operands = "NAME",
	    .summary = "make a context the current one",
	    .help = "Makes a context the one that commands use.",
	    .min_operands = 1,
	    .max_operands = 1,
	    .complete = kp_complete_context,
	    .run = kp_run_use_context },
	{ .name = "set-context",
	    .operands = "NAME",
	    .summary = "make or change a context",
	    .help = "Makes a context, or changes what flags name of one that "
		    "is there. An empty path takes away what was set.",
	    .min_operands = 1,
	    .max_operands = 1,
	    .complete = kp_complete_context,
	    .flags = set_context_flags,
	    .examples = set_context_examples,
	    .run = kp_run_set_context },
	{ .name = "delete-context",
	    .operands = "NAME",
	    .summary = "take a context away",
	    .help = "Takes a context away. The files it names stay.",
	    .min_operands = 1,
	    .max_operands = 1,
	    .complete = kp_complete_context,
	    .run = kp_run_delete_context },
	{ .name = NULL },
};

static const struct kp_example completion_examples[] = {
	{ "for this shell", "source <(kpctl completion bash)" },
	{ "for every shell of fish",
	    "kpctl completion fish > ~/.config/fish/completions/kpctl.fish" },
	{ NULL, NULL },
};

static const struct kp_command commands[] = {
	{ .name = "validate",
	    .operands = "",
	    .summary = "say what is wrong with resources, without a server",
	    .help = "Reads resources with the very code that a node reads them "
		    "with, and says everything that is wrong: file, line, "
		    "column, reason and, where one is near, what may have been "
		    "meant. All files that are named make one set: what one "
		    "refers to may be in another. Keys and certificates are "
		    "not looked at; kproxy --check does that on a node. Exit "
		    "code 3 if anything is wrong, 1 if a file could not be "
		    "read.",
	    .flags = validate_flags,
	    .examples = validate_examples,
	    .run = kp_run_validate },
	{ .name = "format",
	    .operands = "",
	    .summary = "print resources in their canonical form",
	    .help = "Prints resources in the one form in which they are stored "
		    "and compared: fields in the order of the documentation, "
		    "no comments, nothing that was not said. References need "
		    "not lead anywhere; see validate.",
	    .flags = format_flags,
	    .examples = format_examples,
	    .run = kp_run_format },
	{ .name = "explain",
	    .operands = "[KIND[.FIELD...]]",
	    .summary = "say what a kind or a field is for",
	    .help = "Says what a kind of resource or one of its fields is for: "
		    "type, limits, default, an example. node is the "
		    "configuration of a node, server that of a server. "
		    "\"spec.\" may be left out.",
	    .max_operands = 1,
	    .complete = kp_complete_explain,
	    .flags = explain_flags,
	    .examples = explain_examples,
	    .run = kp_run_explain },
	{ .name = "config",
	    .operands = "",
	    .summary = "the servers that kpctl knows",
	    .help = "A context is a policy server and the certificate to show "
		    "to it, under a name. They are in "
		    "~/.config/kproxy/kpctl.yaml, or in the file that "
		    "KPCTL_CONFIG or --kpctl-config names.",
	    .commands = config_commands },
	{ .name = "completion",
	    .operands = "bash|zsh|fish",
	    .summary = "print a script that lets a shell complete commands",
	    .help = "Prints a script that lets a shell complete commands, "
		    "flags, kinds, fields, contexts and files.",
	    .min_operands = 1,
	    .max_operands = 1,
	    .complete = kp_complete_shell,
	    .examples = completion_examples,
	    .run = kp_run_completion },
	{ .name = "version",
	    .operands = "",
	    .summary = "print the version",
	    .help = "Prints the version of kpctl and of the language of "
		    "resources that it knows.",
	    .flags = text_flags,
	    .run = kp_run_version },
	{ .name = "help",
	    .operands = "[COMMAND...]",
	    .summary = "say what a command does",
	    .help = "Says what a command does, like COMMAND --help.",
	    .max_operands = KP_ARGS_MAX_DEPTH,
	    .complete = kp_complete_help,
	    .run = kp_run_help },
	{ .name = "__complete",
	    .operands = "-- WORD...",
	    .summary = "",
	    .help = "Prints what the last word may become, for shells.",
	    .is_hidden = true,
	    .max_operands = SIZE_MAX,
	    .run = kp_run_complete },
	{ .name = NULL },
};

static const struct kp_flag global_flags[] = {
	{ .name = "kpctl-config",
	    .type = KP_FLAG_FILE,
	    .value = "FILE",
	    .help = "File of contexts. Without it KPCTL_CONFIG, or "
		    "~/.config/kproxy/kpctl.yaml." },
	{ .name = "help",
	    .letter = 'h',
	    .type = KP_FLAG_SWITCH,
	    .help = "Say what the command does." },
	{ .type = KP_FLAG_END },
};

const struct kp_command kp_kpctl = {
	.name = "kpctl",
	.operands = "",
	.summary = "the operator's hand of kproxy",
	.help = "kpctl declares, checks and explains what kproxy does.",
	.flags = global_flags,
	.commands = commands,
};
