/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/declared.h"

#include <string.h>

#include "base/alloc.h"

static bool
load(struct kp_resources *set, const char *text,
    struct kp_diagnostics *diagnostics)
{
	kp_resources_add_file(
	    set, KP_TEST_FILE, kp_bytes_of(text), diagnostics);
	return kp_resources_check(set, diagnostics);
}

char *
kp_test_problems(const char *text)
{
	struct kp_resources *set = kp_resources_new();
	struct kp_diagnostics diagnostics = { 0 };
	struct kp_buf joined;
	char *problems;
	bool ok = load(set, text, &diagnostics);

	kp_assert(ok == (kp_diagnostics_count(&diagnostics) == 0));
	kp_buf_init(&joined, 1u << 20);
	kp_diagnostics_print(&diagnostics, &joined);
	problems = joined.len == 0
		       ? kp_strdup("")
		       : kp_strndup((const char *)joined.data, joined.len - 1);
	kp_buf_fini(&joined);
	kp_diagnostics_fini(&diagnostics);
	kp_resources_free(set);
	return problems;
}

struct kp_resources *
kp_test_resources(const char *text)
{
	struct kp_resources *set = kp_resources_new();
	struct kp_diagnostics diagnostics = { 0 };
	bool ok = load(set, text, &diagnostics);

	kp_assert(ok);
	return set;
}

bool
kp_test_read_secret(void *ctx, const struct kp_secret_ref *ref,
    struct kp_buf *out, struct kp_error *err)
{
	(void)ctx;
	if (strstr(ref->name, "huge") != NULL) {
		(void)kp_buf_extend(out, KP_SECRET_MAX_LEN + 1);
		return true;
	}
	if (strcasestr(ref->name, "key") != NULL) {
		kp_buf_add_text(out, KP_TEST_KEY);
		return true;
	}
	if (strcasestr(ref->name, "cert") != NULL ||
	    strcasestr(ref->name, "ca") != NULL) {
		kp_buf_add_text(out, KP_TEST_CERTIFICATE);
		return true;
	}
	return kp_error_set(err, KP_ERR_SYSTEM, "no such file or directory");
}

struct kp_tables *
kp_test_compile(const char *text, struct kp_diagnostics *diagnostics)
{
	struct kp_resources *set = kp_test_resources(text);
	struct kp_limits limits;
	struct kp_compile_input input = {
		.resources = set,
		.limits = &limits,
		.log_level = KP_LOG_WARN,
		.generation = 7,
		.read_secret = kp_test_read_secret,
	};
	struct kp_tables *tables;

	kp_limits_default(&limits);
	tables = kp_compile(&input, diagnostics);
	kp_resources_free(set);
	return tables;
}
