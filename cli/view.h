/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resources of a server as -o asks for them. What the server sent is read
 * anew: nothing of it reaches a terminal as it came. @thread main
 */
#ifndef KP_CLI_VIEW_H
#define KP_CLI_VIEW_H

#include "base/yaml.h"
#include "cli/args.h"
#include "proto/control/v1/types.pb-c.h"

/* Labels and counters of one thing: more are not shown as a tree. */
#define KP_VIEW_MAX_PAIRS 1000

/*
 * kp_view_tree returns the document of a resource, for kp_yaml_free; NULL if it
 * is none.
 */
struct kp_yaml *kp_view_tree(const Kproxy__Control__V1__Resource *resource);

/* kp_view_text adds a part of a document in one line, "" if it is not there. */
void kp_view_text(
    struct kp_buf *out, const struct kp_yaml *document, const char *path);

/* kp_view_at returns the part at "spec.ports.first", or NULL. */
const struct kp_yaml *kp_view_at(
    const struct kp_yaml *document, const char *path);

/* kp_view_labels adds "a=b,c=d", escaped. */
void kp_view_labels(
    struct kp_buf *out, Kproxy__Control__V1__Label *const *labels, size_t num);

/* How a list is shown besides what args says. */
struct kp_view {
	const struct kp_args *args;
	bool is_one;       /* it was named: no list around it */
	uint64_t revision; /* of the list; 0: unknown */
};

/*
 * kp_view_add adds num resources, sorted by kind where there is more than one
 * kind. Returns false, having said why, if a document cannot be read.
 */
bool kp_view_add(struct kp_buf *out, const struct kp_view *view,
    Kproxy__Control__V1__Resource *const *list, size_t num) KP_MUST_CHECK;

/* kp_view_table adds resources of one kind as a table. */
void kp_view_table(struct kp_buf *out, const struct kp_view *view,
    Kproxy__Control__V1__Resource *const *list, size_t num, bool has_kinds);

/* For -o of get. */
extern const char *const kp_view_words[];

/* kp_view_list returns "kind: List" as of a revision, to add items to. */
struct kp_yaml *kp_view_list(uint64_t revision, struct kp_yaml **out_items);

/* kp_view_number is a number as a tree. */
struct kp_yaml *kp_view_number(uint64_t number);

/* kp_view_labels_tree is labels as a map. */
struct kp_yaml *kp_view_labels_tree(
    Kproxy__Control__V1__Label *const *labels, size_t num);

/* kp_view_dup takes the content of a buffer as a text; the buffer ends. */
char *kp_view_dup(struct kp_buf *buf);

#endif
