/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kpctl edit: a resource in an editor, as often as it takes. What is refused
 * comes back with the reasons above it; what somebody else has changed in the
 * meantime is not overwritten.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/yaml_write.h"
#include "cli/editor.h"
#include "cli/escape.h"
#include "cli/fetch.h"
#include "cli/output.h"
#include "cli/problems.h"
#include "cli/request.h"
#include "cli/results.h"
#include "cli/run.h"
#include "cli/targets.h"
#include "cli/view.h"
#include "proto/control/unpack.h"

#define MAX_REASON_LEN (64u << 10)
#define FILE_NAME "edited.yaml"

static const char heading[] =
    "# Edit and save: it is applied then. An empty file, or one without any\n"
    "# change, changes nothing. Lines that begin with # are left out.\n";

/* Those, and the empty one below the problems. */
#define HEADING_LINES 4

struct edit {
	const struct kp_args *args;
	const struct kp_target *target;
	struct kp_connection connection;
	uint64_t revision;     /* of what is edited */
	struct kp_buf before;  /* as the server has it */
	struct kp_buf text;    /* as the operator has it */
	struct kp_buf refused; /* the last one that was refused */
};

/* Lines that are comments are not the operator's but ours. */
static void
strip(struct kp_buf *out, struct kp_bytes text)
{
	kp_buf_clear(out);
	for (size_t at = 0; at < text.len;) {
		const uint8_t *end =
		    memchr(text.data + at, '\n', text.len - at);
		size_t len = end == NULL ? text.len - at
					 : (size_t)(end - (text.data + at)) + 1;

		if (text.data[at] != '#')
			kp_buf_add(out, text.data + at, len);
		at += len;
	}
}

/* The file anew: heading, what was wrong, what was written. */
static void
compose(struct kp_buf *out, const char *reasons, struct kp_bytes body)
{
	kp_buf_clear(out);
	kp_buf_add_text(out, heading);
	while (*reasons != '\0') {
		size_t len = strcspn(reasons, "\n");

		kp_buf_printf(out, "# %.*s\n", (int)len, reasons);
		reasons += len + (reasons[len] == '\n');
	}
	kp_buf_add_text(out, "#\n");
	kp_buf_add(out, body.data, body.len);
}

/* Lines are counted as they are once the problems stand above them. */
static void
add_problems(struct kp_buf *out, const Kproxy__Control__V1__Problems *problems)
{
	size_t above =
	    HEADING_LINES + problems->n_problems + (problems->left_out > 0);

	for (size_t i = 0; i < problems->n_problems; i++) {
		Kproxy__Control__V1__Problem moved = *problems->problems[i];

		if (moved.line > 0)
			moved.line += (uint32_t)above;
		kp_buf_add_text(out, i > 0 ? "\n" : "");
		kp_problems_add(out, &moved);
	}
	if (problems->left_out > 0)
		kp_buf_printf(
		    out, "\nand %u more problems", problems->left_out);
}

/* Why it was refused, as lines. */
static char *
reasons_of(const struct kp_rpc_status *status)
{
	ProtobufCMessage *detail = kp_rpc_status_detail(
	    status, &kproxy__control__v1__problems__descriptor, 0);
	struct kp_buf out;

	kp_buf_init(&out, MAX_REASON_LEN);
	if (detail != NULL)
		add_problems(
		    &out, (const Kproxy__Control__V1__Problems *)detail);
	else
		kp_escape_add(&out, status->sentence);
	kp_unpacked_free(detail);
	return kp_view_dup(&out);
}

/* Can the operator do something about it in the editor? */
static bool
is_mendable(const struct kp_rpc_status *status)
{
	return status->code == KP_RPC_FAILED_PRECONDITION ||
	       status->code == KP_RPC_INVALID_ARGUMENT;
}

static enum kp_exit
show(const struct edit *edit, const Kproxy__Control__V1__ApplyResponse *answer)
{
	for (size_t i = 0; i < answer->n_results; i++) {
		struct kp_buf out;

		kp_buf_init(&out, MAX_REASON_LEN);
		kp_results_add(
		    &out, edit->args, &answer->results[i], 1, answer->revision);
		kp_output_write(&out);
	}
	return KP_EXIT_OK;
}

/* Sends what was written. Returns false if it is to be edited once more. */
static bool
send(struct edit *edit, struct kp_bytes body, enum kp_exit *out_result,
    char **out_reasons)
{
	const struct kp_request_how how = {
		.is_dry_run = kp_request_dry_run(edit->args) != KP_DRY_RUN_NONE,
		.reason = kp_args_text(edit->args, "reason"),
	};
	struct kp_rpc_status status = { .code = KP_RPC_OK };
	struct kp_request request = { 0 };
	Kproxy__Control__V1__ApplyResponse *answer;
	bool is_over = true;

	kp_request_file(&request, FILE_NAME, body);
	kp_request_if(
	    &request, edit->target->kind, edit->target->name, edit->revision);
	*out_result = kp_request_apply(
	    &request, &edit->connection, &how, &answer, &status);
	if (*out_result == KP_EXIT_OK) {
		*out_result = show(edit, answer);
		kp_unpacked_free(&answer->base);
	} else if (is_mendable(&status)) {
		*out_reasons = reasons_of(&status);
		is_over = false;
	} else {
		*out_result =
		    kp_connection_complain(&edit->connection, &status);
	}
	kp_rpc_status_fini(&status);
	kp_request_fini(&request);
	return is_over;
}

/* Half a document is neither shown nor sent. */
static bool
is_whole(const struct kp_buf *text)
{
	struct kp_error err;

	if (!text->failed)
		return true;
	(void)kp_buf_error(text, &err, "more than %zu bytes", text->max_len);
	kp_output_problem("what is edited: %s", err.text);
	return false;
}

/* One round in the editor. Returns false for another one. */
static bool
edit_once(struct edit *edit, const struct kp_editor *editor,
    enum kp_exit *out_result, char **out_reasons)
{
	struct kp_error err;
	struct kp_buf body;
	bool is_over = true;

	*out_result = KP_EXIT_FAILED;
	if (!is_whole(&edit->text))
		return true;
	if (!kp_editor_edit(editor, &edit->text, &err)) {
		kp_output_problem("%s", err.text);
		return true;
	}
	kp_buf_init(&body, KP_YAML_MAX_BYTES);
	strip(&body, kp_buf_bytes(&edit->text));
	if (!is_whole(&body)) {
		kp_buf_fini(&body);
		return true;
	}
	if (body.len == 0 ||
	    kp_bytes_equal(kp_buf_bytes(&body), kp_buf_bytes(&edit->before))) {
		(void)puts("unchanged: nothing was edited");
		*out_result = KP_EXIT_OK;
	} else if (kp_bytes_equal(
		       kp_buf_bytes(&body), kp_buf_bytes(&edit->refused))) {
		/* nothing was mended */
		kp_output_problem("refused, and not edited again\n%s",
		    *out_reasons != NULL ? *out_reasons : "");
		*out_result = KP_EXIT_REFUSED;
	} else if (!kp_connection_again(&edit->connection)) {
		kp_output_problem("the server cannot be reached any more");
		*out_result = KP_EXIT_NO_SERVER;
	} else {
		free(*out_reasons);
		*out_reasons = NULL;
		is_over =
		    send(edit, kp_buf_bytes(&body), out_result, out_reasons);
		kp_connection_leave(&edit->connection);
	}
	if (!is_over) {
		kp_buf_clear(&edit->refused);
		kp_buf_add(&edit->refused, body.data, body.len);
		compose(&edit->text, *out_reasons, kp_buf_bytes(&body));
	}
	kp_buf_fini(&body);
	return is_over;
}

static enum kp_exit
edit_text(struct edit *edit)
{
	struct kp_editor editor = { 0 };
	struct kp_error err;
	enum kp_exit result = KP_EXIT_FAILED;
	char *reasons = NULL;
	bool is_kept;

	if (!kp_editor_open(&editor, &err)) {
		kp_output_problem("%s", err.text);
		return KP_EXIT_FAILED;
	}
	compose(&edit->text, "", kp_buf_bytes(&edit->before));
	while (!edit_once(edit, &editor, &result, &reasons))
		continue;
	/* an hour of typing is not to be lost */
	is_kept = result != KP_EXIT_OK;
	if (is_kept)
		kp_output_problem("what was edited is kept in %s", editor.path);
	kp_editor_close(&editor, is_kept);
	free(reasons);
	return result;
}

static enum kp_exit
fetch(struct edit *edit)
{
	Kproxy__Control__V1__GetResponse *answer;
	struct kp_yaml *tree;
	enum kp_exit result = kp_fetch_resource(&edit->connection, &answer,
	    edit->target->kind, edit->target->name, 0);

	if (result != KP_EXIT_OK)
		return result;
	edit->revision = answer->resource->resource_version;
	tree = kp_view_tree(answer->resource);
	if (tree != NULL)
		kp_yaml_write(&edit->before, tree);
	else if (!kp_output_is_refused())
		kp_output_problem("what the server sent is no resource that "
				  "can be read");
	if (tree == NULL || !is_whole(&edit->before))
		result = KP_EXIT_FAILED;
	kp_yaml_free(tree);
	kp_unpacked_free(&answer->base);
	return result;
}

static enum kp_exit
edit_target(const struct kp_args *args, const struct kp_target *target)
{
	struct edit edit = { .args = args, .target = target };
	enum kp_exit result = kp_connection_open(&edit.connection, args);

	kp_buf_init(&edit.before, KP_YAML_MAX_BYTES);
	kp_buf_init(&edit.text, KP_YAML_MAX_BYTES);
	kp_buf_init(&edit.refused, KP_YAML_MAX_BYTES);
	if (result == KP_EXIT_OK)
		result = fetch(&edit);
	/* nobody knows how long people think */
	kp_connection_leave(&edit.connection);
	if (result == KP_EXIT_OK)
		result = edit_text(&edit);
	kp_buf_fini(&edit.before);
	kp_buf_fini(&edit.text);
	kp_buf_fini(&edit.refused);
	kp_connection_close(&edit.connection);
	return result;
}

enum kp_exit
kp_run_edit(const struct kp_args *args)
{
	struct kp_targets targets;
	enum kp_exit result = KP_EXIT_USAGE;
	struct kp_error err;

	if (!kp_targets_parse(
		&targets, args->operands, args->num_operands, &err))
		kp_output_problem("%s", err.text);
	else if (targets.num != 1 || targets.list[0].name == NULL)
		kp_output_problem("say which one: KIND NAME or KIND/NAME");
	else if (strcmp(targets.list[0].kind, KP_KIND_NODE) == 0)
		kp_output_problem("nodes are not declared: what a node is "
				  "stands in its node.yaml");
	else
		result = edit_target(args, &targets.list[0]);
	kp_targets_fini(&targets);
	return result;
}
