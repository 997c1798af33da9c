/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/commands_server.h"

#include "cli/input.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/request.h"
#include "cli/results.h"
#include "cli/settings.h"
#include "cli/view.h"

static const char *const dry_run_words[] = { "none", "server", "client", NULL };
static const char *const server_words[] = { "none", "server", NULL };
static const char *const trace_words[] = { "table", "yaml", "json", NULL };
static const char *const list_words[] = { "table", "wide", "json", "yaml",
	NULL };

#define SELECTOR_FLAG(the_help) \
	{ \
		.name = "selector", .letter = 'l', .type = KP_FLAG_TEXT, \
		.value = "LABELS", .help = (the_help) \
	}
#define SWITCH(the_name, the_help) \
	{ \
		.name = (the_name), .type = KP_FLAG_SWITCH, .help = (the_help) \
	}
#define WAIT_FLAG \
	SWITCH("wait", "Wait until every node runs it, or say which do not " \
		       "and why; exit code 1 if some do not.")
#define PRUNE_FLAGS \
	SWITCH("prune", "Delete what a server has and no file says, of what " \
			"--selector or --all picks."), \
	    SELECTOR_FLAG("With --prune: delete only among resources with " \
			  "these labels: env=prod,team!=red."), \
	    SWITCH("all", "With --prune: delete among all resources.")
#define TABLE_FLAGS \
	SWITCH("no-headers", "Tables without a heading."), \
	    SWITCH("show-labels", "A column with labels.")
#define END \
	{ \
		.type = KP_FLAG_END \
	}

#define TEXT(the_name, the_value, the_help) \
	{ \
		.name = (the_name), .type = KP_FLAG_TEXT, \
		.value = (the_value), .help = (the_help) \
	}

const struct kp_flag kp_trace_flags[] = {
	TEXT("as", "PRINCIPAL", "Who asks. Without it ANONYMOUS."),
	{ .name = "api",
	    .type = KP_FLAG_API,
	    .value = "API",
	    .help = "Which request it is, by its name in Kafka's protocol." },
	TEXT("topic", "NAME", "The topic that it is about."),
	TEXT("group", "NAME", "The group that it is about."),
	{ .name = "config",
	    .type = KP_FLAG_TEXT,
	    .is_repeated = true,
	    .value = "NAME=VALUE",
	    .help = "A setting of a topic or group." },
	TEXT("partitions", "NUMBER", "How many a topic is to have."),
	TEXT("replication-factor", "NUMBER",
	    "How many replicas a topic is to have."),
	TEXT("item", "YAML",
	    "The item of the request, instead of the flags "
	    "above."),
	TEXT("version", "NUMBER",
	    "Version of the request. Without it the "
	    "newest."),
	TEXT("client-id", "TEXT", "What the client calls itself."),
	TEXT("virtual-cluster", "NAME",
	    "Where the client is. Without it in one that no name but \"*\" "
	    "selects."),
	TEXT("listener", "NAME", "The listener that it came through."),
	TEXT("address", "ADDRESS", "The client's address."),
	KP_INPUT_FLAGS_OF(false),
	KP_OUTPUT_FLAG(trace_words, "table"),
	KP_SETTINGS_FLAGS,
	END,
};

const struct kp_example kp_trace_examples[] = {
	{ "by policies of files",
	    "kpctl trace --api CreateTopics --topic team.orders "
	    "--replication-factor 3 -f policies/" },
	{ "by those of the server",
	    "kpctl trace --as alice --api DeleteTopics --topic team.orders" },
	{ "any request, as cases have it",
	    "kpctl trace --api DeleteGroups --item '{name: billing}'" },
	{ NULL, NULL },
};

const struct kp_flag kp_apply_flags[] = {
	KP_INPUT_FLAGS,
	KP_DRY_RUN_FLAG(dry_run_words),
	KP_REASON_FLAG,
	PRUNE_FLAGS,
	WAIT_FLAG,
	KP_TIMEOUT_FLAG("2m"),
	KP_OUTPUT_FLAG(kp_results_words, "text"),
	KP_SETTINGS_FLAGS,
	END,
};

const struct kp_example kp_apply_examples[] = {
	{ "a folder, and say why",
	    "kpctl apply -f resources/ --reason 'more brokers'" },
	{ "what would happen", "kpctl apply -f resources/ --dry-run=server" },
	{ "until all nodes run it", "kpctl apply -f resources/ --wait" },
	{ "and delete what is not in the folder any more",
	    "kpctl apply -f resources/ --prune -l team=orders" },
	{ NULL, NULL },
};

const struct kp_flag kp_diff_flags[] = {
	KP_INPUT_FLAGS,
	PRUNE_FLAGS,
	KP_SETTINGS_FLAGS,
	END,
};

const struct kp_example kp_diff_examples[] = {
	{ "what apply would change", "kpctl diff -f resources/" },
	{ NULL, NULL },
};

const struct kp_flag kp_get_flags[] = {
	KP_OUTPUT_FLAG(kp_view_words, "table"),
	SELECTOR_FLAG("Only what has these labels: env=prod,team!=red,tier."),
	TABLE_FLAGS,
	{ .name = "watch",
	    .letter = 'w',
	    .type = KP_FLAG_SWITCH,
	    .help = "Go on with every change, also over lost connections, "
		    "until it is interrupted." },
	{ .name = "revision",
	    .type = KP_FLAG_TEXT,
	    .value = "NUMBER",
	    .help = "As of that revision, not of the newest one." },
	KP_SETTINGS_FLAGS,
	END,
};

const struct kp_example kp_get_examples[] = {
	{ "all resources", "kpctl get all" },
	{ "one kind, with a label", "kpctl get clusters -l team=orders" },
	{ "one resource, to be kept in a file",
	    "kpctl get cluster orders -o yaml" },
	{ "nodes", "kpctl get nodes -o wide" },
	{ NULL, NULL },
};

const struct kp_flag kp_describe_flags[] = {
	KP_SETTINGS_FLAGS,
	END,
};

const struct kp_example kp_describe_examples[] = {
	{ "a resource, and which nodes have it",
	    "kpctl describe cluster/orders" },
	{ "a node", "kpctl describe node edge-1" },
	{ NULL, NULL },
};

const struct kp_flag kp_edit_flags[] = {
	KP_DRY_RUN_FLAG(server_words),
	KP_REASON_FLAG,
	KP_OUTPUT_FLAG(kp_results_words, "text"),
	KP_SETTINGS_FLAGS,
	END,
};

const struct kp_example kp_edit_examples[] = {
	{ "with another editor",
	    "KPCTL_EDITOR='sed -i s/5s/6s/' kpctl edit cluster/orders" },
	{ NULL, NULL },
};

const struct kp_flag kp_delete_flags[] = {
	KP_INPUT_FLAGS_OF(false),
	SELECTOR_FLAG("Those of the kind with these labels."),
	SWITCH("all", "All of the kind."),
	SWITCH("ignore-not-found", "What is not there is no failure."),
	KP_DRY_RUN_FLAG(server_words),
	KP_REASON_FLAG,
	KP_OUTPUT_FLAG(kp_results_words, "text"),
	KP_SETTINGS_FLAGS,
	END,
};

const struct kp_example kp_delete_examples[] = {
	{ "would it be possible?",
	    "kpctl delete cluster/spare --dry-run=server" },
	{ "by label", "kpctl delete cluster -l team=none" },
	{ NULL, NULL },
};

const struct kp_flag kp_history_flags[] = {
	{ .name = "revision",
	    .type = KP_FLAG_TEXT,
	    .value = "NUMBER",
	    .help = "That revision alone: what it changed; of one resource, "
		    "what that was then." },
	{ .name = "limit",
	    .type = KP_FLAG_TEXT,
	    .value = "NUMBER",
	    .fallback = "50",
	    .help = "How many revisions, from the newest on." },
	KP_OUTPUT_FLAG(list_words, "table"),
	TABLE_FLAGS,
	KP_SETTINGS_FLAGS,
	END,
};

const struct kp_example kp_history_examples[] = {
	{ "all changes", "kpctl history" },
	{ "of one resource", "kpctl history cluster/orders" },
	{ "what a revision changed", "kpctl history --revision 1" },
	{ NULL, NULL },
};

const struct kp_flag kp_rollback_flags[] = {
	{ .name = "to",
	    .letter = 't',
	    .type = KP_FLAG_TEXT,
	    .is_required = true,
	    .value = "NUMBER",
	    .help = "The revision whose state is to be declared again." },
	KP_DRY_RUN_FLAG(server_words),
	KP_REASON_FLAG,
	WAIT_FLAG,
	KP_TIMEOUT_FLAG("2m"),
	KP_OUTPUT_FLAG(kp_results_words, "text"),
	KP_SETTINGS_FLAGS,
	END,
};

const struct kp_example kp_rollback_examples[] = {
	{ "what it would change", "kpctl rollback --to 1 --dry-run" },
	{ NULL, NULL },
};

const struct kp_flag kp_status_flags[] = {
	SELECTOR_FLAG("Only nodes with these labels: site=fra,tier!=test."),
	KP_OUTPUT_FLAG(kp_view_words, "table"),
	TABLE_FLAGS,
	{ .name = "watch",
	    .letter = 'w',
	    .type = KP_FLAG_SWITCH,
	    .help = "Wait until all nodes are current, and show how many "
		    "are." },
	KP_TIMEOUT_FLAG("2m"),
	SWITCH("check", "Exit code 1 if a node is not current."),
	KP_SETTINGS_FLAGS,
	END,
};

const struct kp_example kp_status_examples[] = {
	{ "all nodes", "kpctl status" },
	{ "for monitoring", "kpctl status --check --no-headers" },
	{ NULL, NULL },
};

const struct kp_flag kp_cordon_flags[] = {
	{ .name = "reason",
	    .letter = 'r',
	    .type = KP_FLAG_TEXT,
	    .is_required = true,
	    .value = "TEXT",
	    .help = "Why, for those who look at the node." },
	KP_SETTINGS_FLAGS,
	END,
};

const struct kp_flag kp_uncordon_flags[] = {
	KP_SETTINGS_FLAGS,
	END,
};

const struct kp_example kp_cordon_examples[] = {
	{ "keep a node as it is",
	    "kpctl cordon edge-1 --reason 'being looked at'" },
	{ NULL, NULL },
};
