/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/print.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/yaml_tree.h"
#include "base/yaml_write.h"
#include "tests/support/declared.h"

#define MAX_LEN (1u << 20)

static char *
print(const char *text)
{
	struct kp_resources *set = kp_test_resources(text);
	struct kp_buf out;
	char *printed;

	kp_buf_init(&out, MAX_LEN);
	kp_print_resources(&out, set);
	cr_assert(!out.failed);
	printed = kp_strndup((const char *)out.data, out.len);
	kp_buf_fini(&out);
	kp_resources_free(set);
	return printed;
}

/* What is printed of text is expected, and is printed so again. */
static void
check(const char *text, const char *expected)
{
	char *once = print(text), *twice = print(once);

	cr_assert(
	    strcmp(once, expected) == 0, "found\n%s\nnot\n%s", once, expected);
	cr_assert_str_eq(once, twice);
	free(once);
	free(twice);
}

Test(print, fields_stand_in_the_order_of_their_table)
{
	check("spec: {listener: l, cluster: c}\n"
	      "metadata:\n"
	      "  annotations: {z: '1', a: \"on\", b: x y}\n"
	      "  name: v\n"
	      "kind: VirtualCluster\n"
	      "apiVersion: kproxy/v1\n"
	      "---\n" KP_TEST_CLUSTER KP_TEST_LISTENER,
	    "apiVersion: kproxy/v1\n"
	    "kind: VirtualCluster\n"
	    "metadata:\n"
	    "  name: v\n"
	    "  annotations:\n"
	    "    a: \"on\"\n"
	    "    b: x y\n"
	    "    z: \"1\"\n"
	    "spec:\n"
	    "  cluster: c\n"
	    "  listener: l\n"
	    "---\n"
	    "apiVersion: kproxy/v1\n"
	    "kind: Cluster\n"
	    "metadata:\n"
	    "  name: c\n"
	    "spec:\n"
	    "  bootstrap:\n"
	    "  - 127.0.0.1:9092\n"
	    "---\n"
	    "apiVersion: kproxy/v1\n"
	    "kind: Listener\n"
	    "metadata:\n"
	    "  name: l\n"
	    "spec:\n"
	    "  bind: 127.0.0.1\n"
	    "  ports:\n"
	    "    bootstrap: 1\n"
	    "    first: 2\n"
	    "    count: 3\n");
}

Test(print, values_have_one_form_and_paths_the_one_that_was_said)
{
	check("apiVersion: kproxy/v1\n"
	      "kind: Cluster\n"
	      "metadata: {name: c, labels: {}}\n"
	      "spec:\n"
	      "  bootstrap: ['[2001:DB8::0:1]:9092', b:1]\n"
	      "  connectTimeout: 60000ms\n"
	      "  tls:\n"
	      "    verifyHostname: true\n"
	      "    ca: {file: ./env:ca.pem}\n"
	      "    key: {env: KEY}\n"
	      "    certificate: {file: '/etc/a: b.pem'}\n",
	    "apiVersion: kproxy/v1\n"
	    "kind: Cluster\n"
	    "metadata:\n"
	    "  name: c\n"
	    "  labels: {}\n"
	    "spec:\n"
	    "  bootstrap:\n"
	    "  - \"[2001:DB8::0:1]:9092\"\n"
	    "  - b:1\n"
	    "  tls:\n"
	    "    ca:\n"
	    "      file: ./env:ca.pem\n"
	    "    certificate:\n"
	    "      file: \"/etc/a: b.pem\"\n"
	    "    key:\n"
	    "      env: KEY\n"
	    "    verifyHostname: true\n"
	    "  connectTimeout: 1m\n");
}

/* Nothing that was said is a fallback; nothing else is printed. */
Test(print, fallbacks_are_printed_if_they_were_said)
{
	check("apiVersion: kproxy/v1\n"
	      "kind: VirtualCluster\n"
	      "metadata: {name: v}\n"
	      "spec: {cluster: c, listener: l, isolation: {}, "
	      "auth: {mode: passThrough}}\n"
	      "---\n" KP_TEST_CLUSTER KP_TEST_LISTENER,
	    "apiVersion: kproxy/v1\n"
	    "kind: VirtualCluster\n"
	    "metadata:\n"
	    "  name: v\n"
	    "spec:\n"
	    "  cluster: c\n"
	    "  listener: l\n"
	    "  isolation: {}\n"
	    "  auth:\n"
	    "    mode: passThrough\n"
	    "---\n"
	    "apiVersion: kproxy/v1\n"
	    "kind: Cluster\n"
	    "metadata:\n"
	    "  name: c\n"
	    "spec:\n"
	    "  bootstrap:\n"
	    "  - 127.0.0.1:9092\n"
	    "---\n"
	    "apiVersion: kproxy/v1\n"
	    "kind: Listener\n"
	    "metadata:\n"
	    "  name: l\n"
	    "spec:\n"
	    "  bind: 127.0.0.1\n"
	    "  ports:\n"
	    "    bootstrap: 1\n"
	    "    first: 2\n"
	    "    count: 3\n");
}

/* Labels of every kind of character come back, through YAML and JSON. */
Test(print, any_text_survives)
{
	struct kp_yaml *root = kp_yaml_new_map(), *metadata, *notes, *spec;
	struct kp_yaml *bootstrap;
	char *printed[2];

	kp_yaml_put(root, "apiVersion", kp_yaml_new_text("kproxy/v1"));
	kp_yaml_put(root, "kind", kp_yaml_new_text("Cluster"));
	metadata = kp_yaml_put(root, "metadata", kp_yaml_new_map());
	kp_yaml_put(metadata, "name", kp_yaml_new_text("c"));
	notes = kp_yaml_put(metadata, "annotations", kp_yaml_new_map());
	for (int c = 1; c < 128; c++) {
		char key[] = { (char)c, '\0' };
		char text[] = { (char)c, ' ', (char)c, '\n', (char)c, '\0' };

		kp_yaml_put(notes, key, kp_yaml_new_text(text));
	}
	spec = kp_yaml_put(root, "spec", kp_yaml_new_map());
	bootstrap = kp_yaml_put(spec, "bootstrap", kp_yaml_new_list());
	kp_yaml_append(bootstrap, kp_yaml_new_text("a:1"));
	for (int is_json = 0; is_json < 2; is_json++) {
		struct kp_buf text;

		kp_buf_init(&text, MAX_LEN);
		(is_json ? kp_yaml_write_json : kp_yaml_write)(&text, root);
		kp_buf_add(&text, "", 1);
		printed[is_json] = print((const char *)text.data);
		kp_buf_clear(&text);
		kp_yaml_write(&text, root);
		kp_buf_add(&text, "", 1);
		cr_assert_str_eq(printed[is_json], (const char *)text.data);
		kp_buf_fini(&text);
		free(printed[is_json]);
	}
	kp_yaml_free(root);
}
