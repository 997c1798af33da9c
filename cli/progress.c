/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "cli/escape.h"
#include "cli/nodes_view.h"
#include "cli/output.h"
#include "cli/pause.h"

#define BAR_WIDTH 30
#define MAX_LINE_LEN 4096
#define MAX_REPORT_LEN (1u << 20)
#define FIRST_PAUSE_MS 100
#define MAX_PAUSE_MS 1000

void
kp_progress_bar(struct kp_buf *out, size_t num_done, size_t num, size_t width)
{
	size_t full = num == 0 ? width : num_done * width / num;

	kp_buf_add_text(out, "[");
	for (size_t i = 0; i < width; i++)
		kp_buf_add_text(out, i < full ? "#" : " ");
	kp_buf_printf(
	    out, "] %zu/%zu node%s", num_done, num, num == 1 ? "" : "s");
}

enum kp_progress
kp_progress_of(const Kproxy__Control__V1__Node *node, uint64_t revision)
{
	/* one that needs nothing of a revision is current without it */
	if (kp_node_is_settled(node) || node->revision >= revision)
		return KP_PROGRESS_DONE;
	if (node->state ==
		KPROXY__CONTROL__V1__NODE_STATE__NODE_STATE_REFUSED &&
	    node->refused_revision >= revision)
		return KP_PROGRESS_REFUSED;
	return KP_PROGRESS_OPEN;
}

static void
count(size_t counts[3], const struct kp_listed_nodes *nodes, uint64_t revision)
{
	for (size_t i = 0; i < nodes->num; i++)
		counts[kp_progress_of(nodes->list[i], revision)]++;
}

static void
draw(size_t num_done, size_t num, bool is_last)
{
	struct kp_buf line;

	if (!isatty(STDERR_FILENO))
		return;
	kp_buf_init_small(&line, MAX_LINE_LEN);
	kp_buf_add_text(&line, "\r");
	kp_progress_bar(&line, num_done, num, BAR_WIDTH);
	kp_buf_add_text(&line, is_last ? "\n" : "");
	(void)fwrite(line.data, line.len, 1, stderr);
	(void)fflush(stderr);
	kp_buf_fini(&line);
}

/* Which nodes are not there, and why: with their problems, which a brief list
 * has not. */
static enum kp_exit
report(
    struct kp_connection *connection, const char *selector, uint64_t revision)
{
	struct kp_listed_nodes nodes;
	enum kp_exit result =
	    kp_fetch_nodes(connection, &nodes, selector, false);
	struct kp_buf out;

	kp_buf_init(&out, MAX_REPORT_LEN);
	for (size_t i = 0; result == KP_EXIT_OK && i < nodes.num; i++) {
		const Kproxy__Control__V1__Node *node = nodes.list[i];
		size_t before;

		if (kp_progress_of(node, revision) == KP_PROGRESS_DONE)
			continue;
		kp_buf_add_text(&out, "node/");
		kp_escape_add(&out, node->name);
		kp_buf_printf(&out, " is %s, at revision %" PRIu64,
		    kp_node_state(node), node->revision);
		kp_buf_add_text(&out, ": ");
		before = out.len;
		kp_node_reason(&out, node);
		if (out.len == before && !out.failed)
			out.len -= 2;
		kp_buf_add_text(&out, "\n");
	}
	kp_output_part(&out);
	if (out.len > 0)
		(void)fwrite(out.data, out.len, 1, stderr);
	else if (result == KP_EXIT_OK && nodes.revision < revision)
		kp_output_problem("%s does not know of revision %" PRIu64
				  " yet: its nodes cannot, either",
		    connection->address, revision);
	kp_buf_fini(&out);
	kp_listed_nodes_fini(&nodes);
	return result == KP_EXIT_OK ? KP_EXIT_FAILED : result;
}

/* One look: is there anything left to wait for? */
static enum kp_exit
look(struct kp_connection *connection, const char *selector, uint64_t revision,
    size_t counts[3])
{
	struct kp_listed_nodes nodes;
	enum kp_exit result =
	    kp_fetch_nodes(connection, &nodes, selector, true);

	if (result == KP_EXIT_OK)
		count(counts, &nodes, revision);
	/* another server may not have heard of the revision yet */
	if (nodes.revision < revision)
		counts[KP_PROGRESS_OPEN]++;
	kp_listed_nodes_fini(&nodes);
	return result;
}

bool
kp_progress_timeout(int64_t *out_ms, const struct kp_args *args)
{
	const char *text = kp_args_text(args, "timeout");

	if (kp_parse_duration(text, out_ms))
		return true;
	kp_output_problem(
	    "--timeout: must be a duration as 30s, not \"%s\"", text);
	return false;
}

enum kp_exit
kp_progress_wait(struct kp_connection *connection, const struct kp_args *args,
    const char *selector, uint64_t revision)
{
	int64_t timeout_ms, deadline_ms, pause_ms = FIRST_PAUSE_MS;

	if (!kp_progress_timeout(&timeout_ms, args))
		return KP_EXIT_USAGE;
	deadline_ms = kp_now_ms() + timeout_ms;
	for (;;) {
		size_t counts[3] = { 0 }, num;
		enum kp_exit result =
		    look(connection, selector, revision, counts);
		bool is_over =
		    counts[KP_PROGRESS_OPEN] == 0 || kp_now_ms() >= deadline_ms;

		if (result != KP_EXIT_OK)
			return result;
		num = counts[0] + counts[1] + counts[2];
		draw(counts[KP_PROGRESS_DONE], num, is_over);
		if (is_over && counts[KP_PROGRESS_DONE] == num)
			return KP_EXIT_OK;
		if (is_over)
			return report(connection, selector, revision);
		kp_pause(pause_ms);
		pause_ms =
		    pause_ms * 2 < MAX_PAUSE_MS ? pause_ms * 2 : MAX_PAUSE_MS;
	}
}
