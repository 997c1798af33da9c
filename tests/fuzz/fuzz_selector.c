/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Selectors of labels. The first line is the selector; what follows is the
 * value of label a. One more requirement that is met changes nothing.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "rules/labels.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const char *text, const char *value)
{
	struct kp_labels labels;
	struct kp_selector *one, *two;
	struct kp_error err;
	char *longer = NULL;

	kp_labels_init(&labels, &(struct kp_label){ "a", value }, 1);
	kp_assert(asprintf(&longer, "%s,a", text) >= 0);
	one = kp_selector_parse(text, &err);
	two = kp_selector_parse(longer, &err);
	kp_assert(two == NULL || one != NULL);
	if (two != NULL)
		kp_assert(kp_selector_matches(one, &labels) ==
			  kp_selector_matches(two, &labels));
	kp_selector_free(one);
	kp_selector_free(two);
	kp_labels_fini(&labels);
	free(longer);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = kp_alloc(1, size + 1);
	const char *value = "";
	char *line;

	kp_copy(text, data, size);
	line = strchr(text, '\n');
	if (line != NULL) {
		*line = '\0';
		value = line + 1;
	}
	check(text, value);
	free(text);
	return 0;
}
