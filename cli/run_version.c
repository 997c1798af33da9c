/* SPDX-License-Identifier: Apache-2.0 */
/* kpctl version */
#include <stdio.h>

#include "base/yaml_tree.h"
#include "cli/output.h"
#include "cli/run.h"
#include "rules/resource.h"

enum kp_exit
kp_run_version(const struct kp_args *args)
{
	struct kp_yaml *root, *client;
	struct kp_buf out;

	if (kp_output_is(args, "text")) {
		(void)puts("kpctl " KP_VERSION);
		return KP_EXIT_OK;
	}
	root = kp_yaml_new_map();
	client = kp_yaml_put(root, "client", kp_yaml_new_map());
	kp_yaml_put(client, "version", kp_yaml_new_text(KP_VERSION));
	kp_yaml_put(
	    client, "apiVersion", kp_yaml_new_text(KP_RESOURCE_API_VERSION));
	kp_buf_init(&out, KP_OUTPUT_MAX_LEN);
	kp_output_add_tree(&out, args, root);
	kp_output_write(&out);
	kp_yaml_free(root);
	return KP_EXIT_OK;
}
