/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/results.h"

#include "base/yaml_tree.h"
#include "base/yaml_write.h"
#include "cli/history_view.h"
#include "cli/output.h"
#include "cli/request.h"
#include "cli/targets.h"

const char *const kp_results_words[] = { "text", "name", "json", "yaml", NULL };

static void
add_tree(struct kp_buf *out, const struct kp_args *args,
    Kproxy__Control__V1__Applied *const *list, size_t num, uint64_t revision)
{
	struct kp_yaml *root = kp_yaml_new_map(), *results;

	kp_yaml_put(root, "revision", kp_view_number(revision));
	kp_yaml_put(root, "dryRun",
	    kp_yaml_new_bool(kp_request_dry_run(args) != KP_DRY_RUN_NONE));
	results = kp_yaml_put(root, "results", kp_yaml_new_list());
	for (size_t i = 0; i < num; i++) {
		struct kp_yaml *map =
		    kp_yaml_append(results, kp_yaml_new_map());

		kp_yaml_put(map, "kind", kp_yaml_new_text(list[i]->kind));
		kp_yaml_put(map, "name", kp_yaml_new_text(list[i]->name));
		kp_yaml_put(map, "outcome",
		    kp_yaml_new_text(kp_outcome(list[i]->outcome)));
	}
	kp_output_add_tree(out, args, root);
	kp_yaml_free(root);
}

void
kp_results_add(struct kp_buf *out, const struct kp_args *args,
    Kproxy__Control__V1__Applied *const *list, size_t num, uint64_t revision)
{
	bool is_dry_run = kp_request_dry_run(args) != KP_DRY_RUN_NONE;
	bool is_name = kp_output_is(args, "name");

	if (!is_name && !kp_output_is(args, "text")) {
		add_tree(out, args, list, num, revision);
		return;
	}
	for (size_t i = 0; i < num; i++) {
		kp_kind_title(out, list[i]->kind, list[i]->name);
		if (!is_name)
			kp_buf_printf(out, " %s%s",
			    kp_outcome(list[i]->outcome),
			    is_dry_run ? " (server dry run)" : "");
		kp_buf_add_text(out, "\n");
	}
}

bool
kp_results_is_any(Kproxy__Control__V1__Applied *const *list, size_t num)
{
	for (size_t i = 0; i < num; i++) {
		if (list[i]->outcome !=
		    KPROXY__CONTROL__V1__OUTCOME__OUTCOME_UNCHANGED)
			return true;
	}
	return false;
}
