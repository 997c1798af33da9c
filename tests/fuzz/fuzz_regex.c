/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Patterns and texts. The first byte says how the pattern is used, the second
 * how long it is; the rest is the text. The automaton and the simulation of all
 * states must agree, and neither may take longer than text times code.
 */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "rules/regex/regex.h"

/* Making one may cost this much, by the limits of regex.h. */
#define MAX_STEPS (1u << 26)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum kp_regex_result
match(const struct kp_regex *regex, struct kp_bytes text)
{
	size_t len = kp_regex_scratch_len(regex);
	void *scratch = len == 0 ? NULL : kp_alloc(1, len);
	struct kp_regex_meter meter = {
		.max =
		    (text.len + 2) * (KP_REGEX_MAX_INSTRUCTIONS + (uint64_t)16)
	};
	enum kp_regex_result result =
	    kp_regex_match(regex, text, scratch, &meter);

	kp_assert(result != KP_REGEX_SPENT);
	kp_assert(kp_regex_match(regex, text, scratch, NULL) == result);
	free(scratch);
	return result;
}

static struct kp_regex *
make(struct kp_bytes pattern, unsigned flags, enum kp_regex_fault_kind *kind)
{
	struct kp_regex_meter meter = { .max = MAX_STEPS };
	struct kp_regex_fault fault = { .kind = KP_REGEX_FAULT_NONE };
	struct kp_regex *regex = kp_regex_new(pattern, flags, &meter, &fault);

	kp_assert((regex == NULL) == (fault.kind != KP_REGEX_FAULT_NONE));
	kp_assert(regex != NULL || fault.pos <= pattern.len);
	*kind = fault.kind;
	return regex;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum kp_regex_fault_kind kind, again;
	struct kp_bytes pattern, text;
	struct kp_regex *fast, *slow;
	unsigned flags;

	if (size < 2 || data[1] > size - 2)
		return 0;
	flags = data[0] & KP_REGEX_WHOLE;
	pattern = (struct kp_bytes){ data + 2, data[1] };
	text = (struct kp_bytes){ data + 2 + data[1], size - 2 - data[1] };
	fast = make(pattern, flags, &kind);
	slow = make(pattern, flags | KP_REGEX_ONCE, &again);
	kp_assert((fast == NULL) == (slow == NULL) && kind == again);
	if (fast != NULL)
		kp_assert(match(fast, text) == match(slow, text));
	kp_regex_free(fast);
	kp_regex_free(slow);
	return 0;
}
