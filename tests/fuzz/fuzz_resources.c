/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as resources and as node.yaml. What is accepted compiles to tables
 * that survive the way to the worker.
 */
#include <stddef.h>
#include <stdint.h>

#include "rules/compile.h"
#include "rules/node_config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Certificate and key in one, so that every reference can be filled. */
static bool
read_secret(void *ctx, const struct kp_secret_ref *ref, struct kp_buf *out,
    struct kp_error *err)
{
	(void)ctx;
	(void)err;
	kp_assert(ref->name[0] != '\0');
	kp_buf_add_text(out, "-----BEGIN CERTIFICATE-----\n"
			     "-----BEGIN PRIVATE KEY-----\n");
	return true;
}

static void
check_tables(const struct kp_tables *tables)
{
	struct kp_tables *again;
	struct kp_error err = { 0 };
	struct kp_buf packed;

	kp_buf_init(&packed, 64u << 20);
	kp_assert(kp_tables_pack(&packed, tables, true));
	again = kp_tables_unpack(kp_buf_bytes(&packed), &err);
	kp_assert(again != NULL);
	kp_tables_free(again);
	kp_buf_fini(&packed);
}

static void
try_resources(struct kp_bytes text)
{
	struct kp_resources *set = kp_resources_new();
	struct kp_diagnostics diagnostics = { 0 };
	struct kp_tables *tables = NULL;
	struct kp_limits limits;
	struct kp_compile_input input = {
		.resources = set,
		.limits = &limits,
		.read_secret = read_secret,
	};

	kp_limits_default(&limits);
	kp_resources_add_file(set, "dir/a.yaml", text, &diagnostics);
	if (kp_resources_check(set, &diagnostics)) {
		tables = kp_compile(&input, &diagnostics);
		kp_assert(tables != NULL);
		check_tables(tables);
	} else {
		kp_assert(diagnostics.num_lines > 0);
	}
	kp_tables_free(tables);
	kp_diagnostics_fini(&diagnostics);
	kp_resources_free(set);
}

static void
try_node_config(struct kp_bytes text)
{
	struct kp_diagnostics diagnostics = { 0 };
	struct kp_node_config config;
	bool ok =
	    kp_node_config_parse(&config, "dir/node.yaml", text, &diagnostics);

	kp_assert(ok == (diagnostics.num_lines == 0));
	kp_assert(ok == (config.node != NULL));
	kp_node_config_fini(&config);
	kp_diagnostics_fini(&diagnostics);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kp_bytes text = { data, size };

	try_resources(text);
	try_node_config(text);
	return 0;
}
