/* SPDX-License-Identifier: Apache-2.0 */
/* kpagent --check: what is wrong with the files, and nothing changes. */
#include <stdio.h>
#include <stdlib.h>

#include "control/agent/agent.h"
#include "control/agent/agent_priv.h"

void
kp_agent_print_problems(const struct kp_source *source)
{
	struct kp_buf text;

	kp_buf_init(&text, SIZE_MAX / 2);
	kp_diagnostics_print(&source->diagnostics, &text);
	if (text.len > 0)
		(void)fwrite(text.data, 1, text.len, stderr);
	kp_buf_fini(&text);
}

/* The certificates stand for the resources, which nobody has yet. */
static bool
check_servers(struct kp_source *source, const struct kp_link_api *link_api)
{
	const struct kp_origin at = { .file =
					  source->config.server.certificate };
	struct kp_follow_identity identity;
	struct kp_link_identity pems;
	struct kp_error err;
	bool is_valid =
	    kp_follow_read_identity(&identity, &source->config.server, &err);

	if (is_valid) {
		pems = kp_follow_pems(&identity);
		is_valid = link_api->check(&pems, &err);
	}
	if (!is_valid)
		kp_diagnostics_add(
		    &source->diagnostics, &at, "control.server: %s", err.text);
	kp_follow_identity_fini(&identity);
	return is_valid;
}

static bool
check_files(struct kp_source *source)
{
	struct kp_tables *tables = kp_source_compile(source);
	bool is_valid = tables != NULL;

	kp_tables_free(tables);
	return is_valid;
}

static void
print_valid(const struct kp_source *source)
{
	if (kp_source_has_servers(source))
		(void)printf("configuration is valid: resources come from %zu "
			     "policy %s\n",
		    source->config.server.num_addresses,
		    source->config.server.num_addresses == 1 ? "server"
							     : "servers");
	else
		(void)printf("configuration is valid: %zu resources\n",
		    kp_resources_count(source->resources));
}

int
kp_agent_check(const char *config_path, const struct kp_link_api *link_api)
{
	struct kp_source source;
	size_t num_problems;
	bool is_valid = kp_source_load(&source, config_path, NULL);

	if (is_valid && kp_source_has_servers(&source)) {
		if (link_api == NULL)
			kp_agent_become_linked(config_path, "--check");
		is_valid = check_servers(&source, link_api);
	} else if (is_valid) {
		is_valid = check_files(&source);
	}
	num_problems = kp_diagnostics_count(&source.diagnostics);
	kp_agent_print_problems(&source);
	if (is_valid)
		print_valid(&source);
	else
		(void)fprintf(stderr, "configuration is refused: %zu %s\n",
		    num_problems, num_problems == 1 ? "problem" : "problems");
	kp_source_fini(&source);
	return is_valid ? EXIT_SUCCESS : KP_AGENT_EXIT_REFUSED;
}
