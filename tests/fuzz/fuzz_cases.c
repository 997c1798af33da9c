/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a file of cases. What is accepted is a request that a client can
 * send, whose bytes are read as what was written.
 */
#include <stddef.h>
#include <stdint.h>

#include "rules/govern/cases.h"

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

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kp_bytes text = { data, size };
	struct kp_diagnostics diagnostics = { 0 };
	struct kp_cases *cases = kp_cases_new("dir/a.yaml", text, &diagnostics);

	kp_assert((cases == NULL) == (diagnostics.num_lines > 0));
	if (cases != NULL && kp_cases_are_in(text))
		for (size_t i = 0; i < cases->num; i++)
			check_request(&cases->list[i].request);
	kp_cases_free(cases);
	kp_diagnostics_fini(&diagnostics);
	return 0;
}
