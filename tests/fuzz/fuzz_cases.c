/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a file of cases. What is accepted is a request that a client can
 * send, whose bytes are read as what was written; what a trace shows of it is a
 * text that does nothing to a terminal.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/utf8.h"
#include "rules/govern/trace.h"

#define MAX_LEN (16u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_request(const struct kp_tree *request)
{
	struct kp_buf body, body_again;
	struct kp_error err = { 0 };
	struct kp_arena arena;
	struct kp_tree again;

	kp_buf_init(&body, MAX_LEN);
	kp_buf_init(&body_again, MAX_LEN);
	kp_arena_init(&arena, 16 * MAX_LEN);
	kp_tree_write(request, &body);
	kp_assert(!body.failed);
	kp_assert(kp_tree_read(&again, request->message, request->version,
	    kp_buf_bytes(&body), &arena, &err));
	kp_tree_write(&again, &body_again);
	kp_assert(
	    kp_bytes_equal(kp_buf_bytes(&body), kp_buf_bytes(&body_again)));
	kp_arena_fini(&arena);
	kp_buf_fini(&body_again);
	kp_buf_fini(&body);
}

/* Policies that look at all that there is, one for each API. */
static struct kp_policies *
make_policies(void)
{
	static char expression[] = "dyn(variables.v) == 1 || true";
	struct kp_policies *made;
	struct kp_error err = { 0 };
	struct kp_tables_policy policies[KP_MAX_API_KEY + 1];
	struct kp_tables_variable variables[KP_MAX_API_KEY + 1];
	struct kp_tables_validation validation = { .expression = expression };
	int16_t keys[KP_MAX_API_KEY + 1];
	static char name[] = "v";

	for (size_t i = 0; i < kp_num_object_apis; i++) {
		keys[i] = kp_object_apis[i].key;
		variables[i] = (struct kp_tables_variable){ name,
			(char *)(uintptr_t)kp_object_apis[i].variable };
		policies[i] = (struct kp_tables_policy){ .name = name,
			.apis = &keys[i],
			.num_apis = 1,
			.variables = &variables[i],
			.num_variables = 1,
			.validations = &validation,
			.num_validations = 1 };
	}
	made = kp_policies_new(policies, kp_num_object_apis, &err);
	kp_assert(made != NULL);
	return made;
}

static void
check_shown(const char *text)
{
	kp_assert(kp_utf8_is_valid(kp_bytes_of(text)));
	for (const char *at = text; *at != '\0'; at++) {
		uint8_t c = (uint8_t)at[0];

		kp_assert(c >= 0x20 && c != 0x7f);
		kp_assert(c != 0xc2 || (uint8_t)at[1] >= 0xa0);
	}
}

static void
check_trace(const struct kp_case *one)
{
	static struct kp_policies *policies;
	struct kp_trace trace;

	if (policies == NULL)
		policies = make_policies();
	kp_trace_run(one, policies, &trace);
	kp_assert(trace.num_policies == kp_num_object_apis);
	for (size_t i = 0; i < trace.num_policies; i++)
		if (trace.policies[i].match == KP_MATCH_ALL)
			check_shown(trace.policies[i].variables[0].text);
	kp_trace_fini(&trace);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kp_bytes text = { data, size };
	struct kp_diagnostics diagnostics = { 0 };
	struct kp_cases *cases = kp_cases_new("dir/a.yaml", text, &diagnostics);

	kp_assert((cases == NULL) == (diagnostics.num_lines > 0));
	if (cases != NULL && kp_cases_are_in(text))
		for (size_t i = 0; i < cases->num; i++) {
			check_request(&cases->list[i].request);
			check_trace(&cases->list[i]);
		}
	kp_cases_free(cases);
	kp_diagnostics_fini(&diagnostics);
	return 0;
}
