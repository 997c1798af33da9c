/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "control/agent/intake.h"
#include "control/agent/source.h"
#include "tests/support/folder.h"
#include "tests/support/pushes.h"

#define NODE NODE_OF("test")
#define NODE_OF(name) \
	"node: " name "\nstateDir: ./state\nadmin: {listen: 127.0.0.1:9180}\n" \
	"control: {files: ./resources}\n"
#define CLUSTER(name) \
	"apiVersion: kproxy/v1\nkind: Cluster\nmetadata: {name: " name "}\n" \
	"spec: {bootstrap: [\"127.0.0.1:9092\"]}\n"

struct world {
	char folder[KP_TEST_PATH_LEN], resources[KP_TEST_PATH_LEN],
	    config[KP_TEST_PATH_LEN];
};

static void
set_up(struct world *world, const char *node)
{
	kp_test_folder(world->folder);
	kp_test_path(world->resources, world->folder, "resources");
	kp_test_path(world->config, world->folder, "node.yaml");
	cr_assert_eq(mkdir(world->resources, 0700), 0);
	kp_test_write(world->folder, "node.yaml", node);
}

static bool
says(const struct kp_source *source, const char *text)
{
	for (size_t i = 0; i < source->diagnostics.num_lines; i++) {
		if (strstr(source->diagnostics.lines[i], text) != NULL)
			return true;
	}
	return false;
}

Test(source, all_yaml_files_of_the_folder_and_no_others_are_read)
{
	struct kp_source source;
	struct kp_tables *tables;
	struct world world;

	set_up(&world, NODE);
	kp_test_write(world.resources, "b.yaml", CLUSTER("b"));
	kp_test_write(world.resources, "a.yml", CLUSTER("a"));
	kp_test_write(world.resources, ".c.yaml", CLUSTER("c"));
	kp_test_write(world.resources, "d.yaml~", "{");
	kp_test_write(world.resources, "README", "{");
	cr_assert(kp_source_load(&source, world.config, NULL));
	cr_assert_eq(kp_resources_count(source.resources), 2);
	cr_assert_not_null(kp_resources_find(source.resources, "Cluster", "a"));
	cr_assert_str_eq(kp_resources_at(source.resources, 0)->name, "a");
	tables = kp_source_compile(&source);
	cr_assert_not_null(tables);
	cr_assert_eq(tables->num_clusters, 2);
	kp_tables_free(tables);
	kp_source_fini(&source);
	kp_test_folder_remove(world.folder);
}

/* What is for other nodes is checked all the same. */
Test(source, a_node_gets_what_is_for_its_labels)
{
#define ON(name, site) \
	"apiVersion: kproxy/v1\nkind: Cluster\nmetadata: {name: " name "}\n" \
	"spec: {bootstrap: [\"127.0.0.1:9092\"], nodes: {site: " site "}}\n"
	struct kp_source source;
	struct kp_tables *tables;
	struct world world;

	set_up(&world, NODE "labels: {site: fra}\n");
	kp_test_write(world.resources, "a.yaml", ON("a", "fra"));
	kp_test_write(world.resources, "b.yaml", ON("b", "ber"));
	cr_assert(kp_source_load(&source, world.config, NULL));
	cr_assert_eq(kp_resources_count(source.resources), 2);
	tables = kp_source_compile(&source);
	cr_assert_not_null(tables);
	cr_assert_eq(tables->num_clusters, 1);
	cr_assert_str_eq(tables->clusters[0].name, "a");
	kp_tables_free(tables);
	kp_source_fini(&source);
	kp_test_write(world.resources, "b.yaml", ON("b", "ber") "nodes: 1\n");
	cr_assert(!kp_source_load(&source, world.config, NULL));
	cr_assert(says(&source, "/b.yaml:5:1: "));
	kp_source_fini(&source);
	kp_test_folder_remove(world.folder);
#undef ON
}

/* What a policy server said: one cluster. */
static struct kp_held *
held(void)
{
	struct kp_diagnostics diagnostics = { .num_lines = 0 };
	struct kp_intake *intake = kp_intake_new(NULL, "/etc/kproxy");
	struct kp_test_push push;
	struct kp_error err = { 0 };
	struct kp_held *made;

	kp_test_push_init(&push, 3, 0);
	kp_test_push_cluster(&push, "a", "127.0.0.1:9092");
	kp_test_push_digest(&push, NULL);
	cr_assert(kp_intake_add(intake, &push.message, &err));
	made = kp_intake_finish(intake, &diagnostics, &err);
	cr_assert_not_null(made);
	kp_intake_free(intake);
	kp_test_push_fini(&push);
	return made;
}

Test(source, with_policy_servers_what_is_held_is_compiled)
{
	struct kp_source source;
	struct kp_tables *tables;
	struct kp_held *set = held();
	struct world world;

	set_up(&world,
	    "node: test\ncontrol: {server: {addresses: [a:1], ca: c,\n"
	    "certificate: c, key: k}}\n");
	kp_test_write(world.resources, "a.yaml", "kind: Clustr\n");
	cr_assert(kp_source_load(&source, world.config, NULL));
	cr_assert(kp_source_has_servers(&source));
	cr_assert_eq(kp_resources_count(kp_source_resources(&source)), 0);
	kp_source_hold(&source, set);
	kp_held_unref(set);
	cr_assert_eq(kp_resources_count(kp_source_resources(&source)), 1);
	tables = kp_source_compile(&source);
	cr_assert_not_null(tables);
	kp_tables_free(tables);
	kp_source_fini(&source);
	kp_test_folder_remove(world.folder);
}

Test(source, every_problem_of_every_file_is_told)
{
	struct kp_source source;
	struct world world;

	set_up(&world, NODE);
	kp_test_write(world.resources, "a.yaml", "kind: Clustr\n");
	kp_test_write(world.resources, "b.yaml", "{");
	kp_test_write(world.resources, "c.yaml", CLUSTER("c"));
	cr_assert(!kp_source_load(&source, world.config, NULL));
	cr_assert(source.has_config);
	cr_assert(says(&source, "/a.yaml:1:"));
	cr_assert(says(&source, "/b.yaml:"));
	cr_assert(!says(&source, "/c.yaml:"));
	kp_source_fini(&source);
	kp_test_folder_remove(world.folder);
}

Test(source, a_bad_node_yaml_is_told_with_its_place)
{
	static const struct {
		const char *text, *problem;
	} bad[] = {
		{ NODE "nonsense: 1\n", "node.yaml:5:1: " },
		{ "{", "node.yaml:" },
		{ "", "node.yaml" },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct kp_source source;
		struct world world;

		set_up(&world, bad[i].text);
		cr_assert(!kp_source_load(&source, world.config, NULL));
		cr_assert(!source.has_config);
		cr_assert(says(&source, bad[i].problem), "%zu", i);
		kp_source_fini(&source);
		kp_test_folder_remove(world.folder);
	}
}

Test(source, a_node_yaml_that_says_the_same_is_not_parsed_again)
{
	struct kp_source first, again, changed, bad, last;
	struct world world;

	set_up(&world, NODE);
	cr_assert(kp_source_load(&first, world.config, NULL));
	cr_assert_not_null(first.node_file);
	kp_test_write(world.folder, "node.yaml", NODE);
	cr_assert(kp_source_load(&again, world.config, first.node_file));
	cr_assert_eq(again.node_file, first.node_file);
	kp_source_fini(&first);
	cr_assert_str_eq(again.config.node, "test");
	/* another text, of the same length and the same moment */
	kp_test_write(world.folder, "node.yaml", NODE_OF("tess"));
	cr_assert(kp_source_load(&changed, world.config, again.node_file));
	cr_assert(changed.node_file != again.node_file);
	cr_assert_str_eq(changed.config.node, "tess");
	cr_assert_str_eq(again.config.node, "test");
	kp_test_write(world.folder, "node.yaml", "{");
	cr_assert(!kp_source_load(&bad, world.config, changed.node_file));
	cr_assert_null(bad.node_file);
	kp_test_write(world.folder, "node.yaml", NODE_OF("tess"));
	cr_assert(kp_source_load(&last, world.config, changed.node_file));
	cr_assert_eq(last.node_file, changed.node_file);
	kp_source_fini(&again);
	kp_source_fini(&changed);
	kp_source_fini(&bad);
	cr_assert_str_eq(last.config.node, "tess");
	kp_source_fini(&last);
	kp_test_folder_remove(world.folder);
}

Test(source, files_and_folders_that_are_not_there_are_told)
{
	struct kp_source source;
	struct world world;

	set_up(&world, NODE);
	cr_assert(!kp_source_load(&source, "/nonexistent/node.yaml", NULL));
	cr_assert(says(&source, "/nonexistent/node.yaml: No such file"));
	kp_source_fini(&source);
	kp_test_folder_remove(world.resources);
	cr_assert(!kp_source_load(&source, world.config, NULL));
	cr_assert(says(&source, "could not read the folder of resources"));
	kp_source_fini(&source);
	kp_test_folder_remove(world.folder);
}

Test(source, secrets_come_from_files_and_from_the_environment)
{
	struct kp_secret_ref file = { .source = KP_SECRET_FILE },
			     variable = { .source = KP_SECRET_ENV,
				     .name = "KP_TEST_SECRET" };
	struct kp_error err = { 0 };
	char path[KP_TEST_PATH_LEN];
	struct world world;
	struct kp_buf out;

	set_up(&world, NODE);
	kp_test_write(world.folder, "key.pem", "in a file");
	kp_test_path(path, world.folder, "key.pem");
	file.name = path;
	kp_buf_init(&out, KP_SECRET_MAX_LEN);
	cr_assert(kp_source_read_secret(NULL, &file, &out, &err));
	cr_assert_eq(out.len, strlen("in a file"));
	kp_buf_clear(&out);
	cr_assert(!kp_source_read_secret(NULL, &variable, &out, &err));
	cr_assert_not_null(strstr(err.text, "KP_TEST_SECRET"));
	cr_assert_eq(setenv("KP_TEST_SECRET", "in the environment", 1), 0);
	cr_assert(kp_source_read_secret(NULL, &variable, &out, &err));
	cr_assert(kp_bytes_equal(
	    kp_buf_bytes(&out), kp_bytes_of("in the environment")));
	kp_buf_fini(&out);
	kp_buf_init(&out, 3);
	cr_assert(!kp_source_read_secret(NULL, &variable, &out, &err));
	cr_assert_eq(err.kind, KP_ERR_LIMIT);
	kp_buf_fini(&out);
	kp_test_folder_remove(world.folder);
}
