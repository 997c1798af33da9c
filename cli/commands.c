/* SPDX-License-Identifier: Apache-2.0 */
/* All commands. Their order is that of help. */
#include <stdint.h>

#include "cli/command.h"
#include "cli/commands_server.h"
#include "cli/input.h"
#include "cli/output.h"
#include "cli/run.h"
#include "cli/settings.h"

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

static const struct kp_flag tree_flags[] = {
	KP_OUTPUT_FLAG(tree_words, "yaml"),
	{ .type = KP_FLAG_END },
};

static const struct kp_flag list_flags[] = {
	KP_OUTPUT_FLAG(list_words, "table"),
	{ .type = KP_FLAG_END },
};

/* Where a server may be asked, but need not be. */
#define MAY_ASK_SERVER \
	{ .name = "server", \
		.type = KP_FLAG_TEXT, \
		.is_repeated = true, \
		.value = "HOST:PORT", \
		.bare = "", \
		.help = "Ask a policy server, too: that of the context, or " \
			"this one." }, \
	    KP_SETTINGS_FLAGS_BUT_SERVER

static const struct kp_flag version_flags[] = {
	KP_OUTPUT_FLAG(text_words, "text"),
	MAY_ASK_SERVER,
	{ .type = KP_FLAG_END },
};

static const struct kp_flag validate_flags[] = {
	KP_INPUT_FLAGS,
	KP_OUTPUT_FLAG(text_words, "text"),
	MAY_ASK_SERVER,
	{ .type = KP_FLAG_END },
};

static const struct kp_example validate_examples[] = {
	{ "all that is wrong with a folder", "kpctl validate -f resources/" },
	{ "for a program", "kpctl validate -f resources/ -o json" },
	{ "what another program makes",
	    "kpctl format -f resources/ | kpctl validate -f -" },
	{ NULL, NULL },
};

static const struct kp_flag test_flags[] = {
	KP_INPUT_FLAGS,
	KP_OUTPUT_FLAG(text_words, "text"),
	{ .type = KP_FLAG_END },
};

static const struct kp_example test_examples[] = {
	{ "cases of one file",
	    "kpctl test -f policies/ -f tests/topic-hygiene.yaml" },
	{ "all there are, for a program",
	    "kpctl test -R -f policies/ -o json" },
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
	    .summary = "say what is wrong with resources",
	    .help = "Reads resources with the very code that a node reads them "
		    "with, and says everything that is wrong: file, line, "
		    "column, reason and, where one is near, what may have been "
		    "meant. All files that are named make one set: what one "
		    "refers to may be in another. Keys and certificates are "
		    "not looked at; kproxy --check does that on a node. Exit "
		    "code 3 if anything is wrong, 1 if a file could not be "
		    "read. With --server a policy server judges, which knows "
		    "all that is declared already.",
	    .flags = validate_flags,
	    .examples = validate_examples,
	    .run = kp_run_validate },
	{ .name = "test",
	    .operands = "",
	    .summary = "say whether policies do what is expected of them",
	    .help = "Asks policies about requests that files of cases "
		    "describe, with the very code with which a node asks "
		    "them, and says which of them were not decided as "
		    "expected. No server is needed. Files of resources and "
		    "files of cases may be named in any order, and be in one "
		    "folder; kpctl explain test says what a case is. Policies "
		    "for some nodes only (spec.nodes) are asked as well. Exit "
		    "code 1 if a case was not decided as expected; 3 if a file "
		    "is wrong or could not be read, or there is no case or no "
		    "policy: then nothing is asked.",
	    .flags = test_flags,
	    .examples = test_examples,
	    .run = kp_run_test },
	{ .name = "trace",
	    .operands = "",
	    .summary = "say what each policy says of a request, and why",
	    .help = "Asks policies about one request, with the very code with "
		    "which a node asks them, and shows all of it: which "
		    "policies are asked and why others are not, the values of "
		    "their variables, what each validation comes to, and what "
		    "a client is told. The item of the request is said by "
		    "flags or, for any request that policies judge, as "
		    "--item; it has the fields that cases of kpctl test have. "
		    "Policies are those of files or, without --filename, of a "
		    "server. Exit code 3 if the request is refused; 1 if "
		    "policies are wrong or could not be read: then nothing is "
		    "asked.",
	    .flags = kp_trace_flags,
	    .examples = kp_trace_examples,
	    .run = kp_run_trace },
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
	{ .name = "get",
	    .operands = "KIND|all [NAME...] | KIND/NAME...",
	    .summary = "show resources and nodes of a server",
	    .help = "Shows what a server has: resources of a kind, of several "
		    "(cluster,listener), of all, or those that are named; or "
		    "nodes. Kinds may be said in lower case, as a plural "
		    "(clusters) or by their initials (vc). -o yaml is what "
		    "apply takes, -o json a list for programs.",
	    .min_operands = 1,
	    .max_operands = SIZE_MAX,
	    .complete = kp_complete_targets,
	    .flags = kp_get_flags,
	    .examples = kp_get_examples,
	    .run = kp_run_get },
	{ .name = "describe",
	    .operands = "KIND NAME... | KIND/NAME...",
	    .summary = "say all that is known of a resource or a node",
	    .help = "Of a resource: what it says, who changed it last, when "
		    "and why, and which nodes have it. Of a node: what it "
		    "runs, what it refused and why, and its counters.",
	    .min_operands = 1,
	    .max_operands = SIZE_MAX,
	    .complete = kp_complete_targets,
	    .flags = kp_describe_flags,
	    .examples = kp_describe_examples,
	    .run = kp_run_describe },
	{ .name = "apply",
	    .operands = "",
	    .summary = "make a server have what files say",
	    .help = "Sends resources to a server, which judges them with all "
		    "others that it has: either everything is stored, as one "
		    "revision, or nothing. What is wrong is said as validate "
		    "does; exit code 3.",
	    .flags = kp_apply_flags,
	    .examples = kp_apply_examples,
	    .run = kp_run_apply },
	{ .name = "diff",
	    .operands = "",
	    .summary = "show what apply would change",
	    .help = "Shows what apply would change at a server, resource by "
		    "resource. Exit code 1 if anything differs.",
	    .flags = kp_diff_flags,
	    .examples = kp_diff_examples,
	    .run = kp_run_diff },
	{ .name = "edit",
	    .operands = "KIND NAME | KIND/NAME",
	    .summary = "change a resource in an editor",
	    .help = "Opens a resource in the editor that KPCTL_EDITOR, VISUAL "
		    "or EDITOR names, else vi, and applies what was saved. "
		    "What is refused comes back with the reasons above it. "
		    "What somebody else has changed in the meantime is not "
		    "overwritten.",
	    .min_operands = 1,
	    .max_operands = 2,
	    .complete = kp_complete_targets,
	    .flags = kp_edit_flags,
	    .examples = kp_edit_examples,
	    .run = kp_run_edit },
	{ .name = "delete",
	    .operands = "[KIND [NAME...] | KIND/NAME...]",
	    .summary = "delete resources at a server",
	    .help = "Deletes resources that are named, that files say, or "
		    "that labels pick: all of them in one revision, or none. "
		    "What others refer to is not deleted; exit code 3.",
	    .max_operands = SIZE_MAX,
	    .complete = kp_complete_targets,
	    .flags = kp_delete_flags,
	    .examples = kp_delete_examples,
	    .run = kp_run_delete },
	{ .name = "history",
	    .operands = "[KIND [NAME] | KIND/NAME]",
	    .summary = "show who changed what, when and why",
	    .help = "Lists revisions, the newest first: of everything, of a "
		    "kind or of one resource. -o yaml and json have the "
		    "documents, too.",
	    .max_operands = 2,
	    .complete = kp_complete_targets,
	    .flags = kp_history_flags,
	    .examples = kp_history_examples,
	    .run = kp_run_history },
	{ .name = "rollback",
	    .operands = "",
	    .summary = "declare again what an old revision said",
	    .help = "Makes a new revision with the state of an old one. "
		    "Nothing is lost: that, too, can be rolled back.",
	    .flags = kp_rollback_flags,
	    .examples = kp_rollback_examples,
	    .run = kp_run_rollback },
	{ .name = "status",
	    .operands = "",
	    .summary = "show which nodes run what is declared",
	    .help = "Lists nodes with what they run, how many revisions they "
		    "are behind, and why they refuse something; last a line "
		    "that sums up. A node is current, behind, refused, "
		    "drifted (it runs something else than it was given) or "
		    "lost (it has no connection to a server, and goes on with "
		    "what it had).",
	    .flags = kp_status_flags,
	    .examples = kp_status_examples,
	    .run = kp_run_status },
	{ .name = "cordon",
	    .operands = "NODE...",
	    .summary = "keep nodes at what they run now",
	    .help = "Nothing is given to these nodes until they are "
		    "uncordoned.",
	    .min_operands = 1,
	    .max_operands = SIZE_MAX,
	    .complete = kp_complete_node,
	    .flags = kp_cordon_flags,
	    .examples = kp_cordon_examples,
	    .run = kp_run_cordon },
	{ .name = "uncordon",
	    .operands = "NODE...",
	    .summary = "give nodes again what is declared",
	    .help = "Ends what cordon began.",
	    .min_operands = 1,
	    .max_operands = SIZE_MAX,
	    .complete = kp_complete_node,
	    .flags = kp_uncordon_flags,
	    .run = kp_run_uncordon },
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
		    "resources that it knows, and with --server that of the "
		    "server.",
	    .flags = version_flags,
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
