/* SPDX-License-Identifier: Apache-2.0 */
#include "control/api/problems.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/log.h"

/* left_out with its tag, and the tag and length of one problem. */
#define MARGIN 16

static void
fill(Kproxy__Control__V1__Problem *out, const struct kp_problem *from)
{
	kproxy__control__v1__problem__init(out);
	out->kind = from->kind;
	out->name = from->name;
	out->field = from->path;
	out->file = from->file;
	out->line = from->line;
	out->column = from->column;
	out->message = from->message;
}

void
kp_api_problems_init(struct kp_api_problems *out,
    const struct kp_diagnostics *diagnostics, size_t max_len)
{
	size_t num = diagnostics->num_lines, used = MARGIN;

	kproxy__control__v1__problems__init(&out->message);
	out->list = kp_alloc(num, sizeof(*out->list));
	out->message.problems = kp_alloc(num, sizeof(*out->message.problems));
	for (size_t i = 0; i < num; i++) {
		fill(&out->list[i], &diagnostics->problems[i]);
		used += MARGIN + kproxy__control__v1__problem__get_packed_size(
				     &out->list[i]);
		if (used > max_len)
			break;
		out->message.problems[out->message.n_problems++] =
		    &out->list[i];
	}
	out->message.left_out = (uint32_t)(kp_diagnostics_count(diagnostics) -
					   out->message.n_problems);
}

void
kp_api_problems_fini(struct kp_api_problems *problems)
{
	free(problems->message.problems);
	free(problems->list);
}

void
kp_api_problems_log(const struct kp_diagnostics *diagnostics, const char *event)
{
	for (size_t i = 0; i < diagnostics->num_lines; i++)
		kp_log(KP_LOG_ERROR, event,
		    KP_STR("problem", diagnostics->lines[i]));
	if (diagnostics->num_left_out > 0)
		kp_log(KP_LOG_ERROR, event,
		    KP_INT("more_problems", diagnostics->num_left_out));
}
