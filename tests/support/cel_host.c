/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/cel_host.h"

#include <criterion/criterion.h>

struct kp_cel_scratch kp_host_scratch;

bool
kp_host_run(const char *source, uint64_t max_steps, size_t max_len,
    struct kp_cel_value *out, struct kp_cel_fault *fault)
{
	const struct kp_cel_input input = { .get = kp_host_get };
	struct kp_cel_program *program =
	    kp_cel_program_new(kp_bytes_of(source), &kp_host_env, fault);
	bool ok;

	cr_assert_not_null(program, "%s: %s", source, fault->text);
	kp_cel_scratch_init(&kp_host_scratch, max_steps, max_len);
	ok = kp_cel_program_run(program, &input, &kp_host_scratch, out, fault);
	kp_cel_scratch_fini(&kp_host_scratch);
	kp_cel_program_free(program);
	return ok;
}

void
kp_host_true(const char *source)
{
	struct kp_cel_value value;
	struct kp_cel_fault fault;

	cr_assert(kp_host_run(source, KP_CEL_DEFAULT_STEPS,
		      KP_CEL_DEFAULT_MEMORY, &value, &fault),
	    "%s: %s", source, fault.text);
	cr_expect(value.type == KP_CEL_BOOL && value.as.truth, "%s", source);
}

struct kp_cel_fault
kp_host_fault(const char *source)
{
	struct kp_cel_value value;
	struct kp_cel_fault fault;

	cr_assert(!kp_host_run(source, KP_CEL_DEFAULT_STEPS,
		      KP_CEL_DEFAULT_MEMORY, &value, &fault),
	    "%s", source);
	return fault;
}

void
kp_host_all_true(const char *const *sources, size_t num)
{
	for (size_t i = 0; i < num; i++)
		kp_host_true(sources[i]);
}

void
kp_host_all_wrong(const char *const *sources, size_t num)
{
	for (size_t i = 0; i < num; i++)
		cr_assert_eq(kp_host_fault(sources[i]).kind, KP_CEL_FAULT_VALUE,
		    "%s", sources[i]);
}
