/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Labels, free pairs by which resources and nodes are found, and selectors that
 * find them. Names, values and the language are those of Kubernetes, the
 * equality-based part: "team=orders,tier!=test,site,!draft". @thread any
 */
#ifndef KP_RULES_LABELS_H
#define KP_RULES_LABELS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* Labels of one resource or node; requirements of one selector. */
#define KP_MAX_LABELS 64
/* Length of a label's value, and of its name without a domain in front. */
#define KP_LABEL_MAX_LEN 63
/* Length of a selector. */
#define KP_SELECTOR_MAX_LEN 4096

struct kp_label {
	const char *name, *value;
};

/* Sorted by name; owns its texts. The zero state has none. */
struct kp_labels {
	struct kp_label *list;
	size_t num;
};

/* kp_label_name_complaint returns what is wrong with a name, NULL if nothing.
 */
const char *kp_label_name_complaint(const char *name);

/* kp_label_value_complaint is the same for a value, which may be empty. */
const char *kp_label_value_complaint(const char *value);

/* kp_labels_init copies num pairs, in any order, no name twice. */
void kp_labels_init(
    struct kp_labels *out, const struct kp_label *pairs, size_t num);
void kp_labels_fini(struct kp_labels *labels);

/* The value of a label, borrowed from labels; NULL if it is not there. */
const char *kp_labels_find(const struct kp_labels *labels, const char *name);

/*
 * kp_labels_first_missing returns the first pair of wanted that is not among
 * labels; NULL if all are.
 */
const struct kp_label *kp_labels_first_missing(
    const struct kp_labels *wanted, const struct kp_labels *labels);

/* kp_labels_contradict: do both have a label with different values? */
bool kp_labels_contradict(const struct kp_labels *a, const struct kp_labels *b);

struct kp_selector;

/*
 * kp_selector_parse returns NULL and fills err if text is no selector. The
 * empty one matches all. As in Kubernetes, "a!=b" matches also where there is
 * no a.
 */
struct kp_selector *kp_selector_parse(const char *text, struct kp_error *err);
void kp_selector_free(struct kp_selector *selector);

bool kp_selector_matches(
    const struct kp_selector *selector, const struct kp_labels *labels);

#endif
