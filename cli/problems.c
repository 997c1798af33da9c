/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/problems.h"

#include <stdio.h>
#include <unistd.h>

#include "base/yaml_tree.h"
#include "cli/color.h"
#include "cli/escape.h"
#include "cli/output.h"

void
kp_problems_add(struct kp_buf *out, const Kproxy__Control__V1__Problem *problem)
{
	kp_escape_add(out, problem->file);
	if (problem->line > 0)
		kp_buf_printf(out, ":%u:%u", problem->line, problem->column);
	if (problem->file[0] != '\0')
		kp_buf_add_text(out, ": ");
	kp_escape_add(out, problem->kind);
	if (problem->name[0] != '\0') {
		kp_buf_add_text(out, " \"");
		kp_escape_add(out, problem->name);
		kp_buf_add_text(out, "\"");
	}
	if (problem->kind[0] != '\0')
		kp_buf_add_text(out, ": ");
	if (problem->field[0] != '\0') {
		kp_escape_add(out, problem->field);
		kp_buf_add_text(out, ": ");
	}
	kp_escape_add(out, problem->message);
}

size_t
kp_problems_count(const Kproxy__Control__V1__Problems *problems)
{
	if (problems == NULL)
		return 0;
	return problems->n_problems + problems->left_out;
}

enum kp_exit
kp_problems_refuse(const Kproxy__Control__V1__Problems *problems)
{
	bool is_colored = kp_color_is_wanted(STDERR_FILENO);
	size_t num = kp_problems_count(problems);
	struct kp_buf out;

	kp_buf_init(&out, KP_OUTPUT_MAX_LEN);
	for (size_t i = 0; i < problems->n_problems; i++) {
		kp_problems_add(&out, problems->problems[i]);
		kp_buf_add_text(&out, "\n");
	}
	if (problems->left_out > 0)
		kp_buf_printf(
		    &out, "and %u more problems\n", problems->left_out);
	kp_buf_printf(&out, "%srefused%s: %zu problem%s\n",
	    is_colored ? KP_COLOR_RED : "", is_colored ? KP_COLOR_OFF : "", num,
	    num == 1 ? "" : "s");
	kp_output_part(&out);
	if (out.len > 0)
		(void)fwrite(out.data, out.len, 1, stderr);
	kp_buf_fini(&out);
	return KP_EXIT_REFUSED;
}

static struct kp_yaml *
tree_of(const Kproxy__Control__V1__Problem *problem)
{
	struct kp_yaml *map = kp_yaml_new_map();

	kp_yaml_put(map, "file", kp_yaml_new_text(problem->file));
	kp_yaml_put(map, "line", kp_yaml_new_int(problem->line));
	kp_yaml_put(map, "column", kp_yaml_new_int(problem->column));
	kp_yaml_put(map, "kind", kp_yaml_new_text(problem->kind));
	kp_yaml_put(map, "name", kp_yaml_new_text(problem->name));
	kp_yaml_put(map, "path", kp_yaml_new_text(problem->field));
	kp_yaml_put(map, "message", kp_yaml_new_text(problem->message));
	return map;
}

struct kp_yaml *
kp_problems_tree(const Kproxy__Control__V1__Problems *problems)
{
	struct kp_yaml *list = kp_yaml_new_list();

	for (size_t i = 0; problems != NULL && i < problems->n_problems; i++)
		kp_yaml_append(list, tree_of(problems->problems[i]));
	return list;
}
