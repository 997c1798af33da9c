/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of policies: files with cases, each an item of a request as operators
 * write it (in YAML, with the fields that expressions see) and what is expected
 * of it. An item becomes Kafka's message, and is judged by the code that judges
 * clients' requests. Reads no file: callers hand in the text. @thread any, one
 * at a time
 */
#ifndef KP_RULES_GOVERN_CASES_H
#define KP_RULES_GOVERN_CASES_H

#include "base/arena.h"
#include "proto/kafka/tree.h"
#include "rules/govern/judge.h"
#include "rules/govern/objects.h"
#include "rules/value.h"

/* Bytes that all requests of one file may take. */
#define KP_CASES_MAX_MEMORY (256u << 20)

enum kp_decision {
	KP_DECISION_ALLOW, /* nobody says anything */
	KP_DECISION_WARN,  /* somebody does, and it passes */
	KP_DECISION_DENY,
};

/* Borrowed from the file. */
struct kp_case {
	const struct kp_value *said;     /* of the list in kp_cases_setting */
	const struct kp_object_api *api; /* as which the item is judged */
	int16_t item_version;            /* of that */
	struct kp_facts facts;
	struct kp_tree request; /* with the one item */
	struct kp_items items;  /* it */
};

/* The cases of one file. */
struct kp_cases {
	char *file;
	struct kp_value *document;
	struct kp_arena arena;
	struct kp_case *list;
	size_t num;
};

/* What one policy said. */
struct kp_case_finding {
	const char *policy; /* borrowed from the policies */
	char *text;
	bool is_denial;
	bool is_failure; /* an expression could not be evaluated */
};

/* What one policy set. */
struct kp_case_change {
	const char *policy, *field; /* borrowed from the policies */
	char *before;               /* NULL: it had no value */
	char *after;
};

/* The zero state has found nothing. */
struct kp_case_result {
	enum kp_decision found;
	struct kp_case_finding *findings;
	size_t num_findings;
	struct kp_case_change *changes; /* none of what is refused */
	size_t num_changes;
	/* As expected? What the case does not say is. */
	bool is_decision_right, are_policies_right, is_message_right;
	bool are_overrides_right;
};

/* The table, an object, for explain and the documentation. */
extern const struct kp_setting kp_cases_setting;

/*
 * kp_cases_are_in: is text, a file, one of cases? Resources say that they are
 * some; what is no YAML is not.
 */
bool kp_cases_are_in(struct kp_bytes text);

/*
 * kp_cases_new reads text, the content of file, and adds every problem to
 * diagnostics; NULL if there is any. Free with kp_cases_free.
 */
struct kp_cases *kp_cases_new(
    const char *file, struct kp_bytes text, struct kp_diagnostics *diagnostics);
void kp_cases_free(struct kp_cases *cases); /* NULL is fine */

/*
 * kp_case_read_item reads node as the one item of a request, of which one says
 * api and facts, into one->request, in arena. Problems are said of file and of
 * path, which stands in front of that within node; false if there is any.
 */
bool kp_case_read_item(struct kp_case *one, const struct kp_yaml *node,
    const char *file, const char *path, struct kp_arena *arena,
    struct kp_diagnostics *diagnostics) KP_MUST_CHECK;

/* Who sees what policies say of a request; observer may be NULL. */
struct kp_case_sink {
	const struct kp_observer *observer;
	kp_found found;
	kp_changed changed;
	void *ctx; /* of found and changed */
};

/* kp_case_judge asks policies about a request, as a node does. The request
 * stays as it is: a copy is changed. */
enum kp_decision kp_case_judge(const struct kp_case *one,
    const struct kp_policies *policies, const struct kp_case_sink *sink);

/* kp_case_run asks policies; end *out with kp_case_result_fini. */
void kp_case_run(const struct kp_case *one, const struct kp_policies *policies,
    struct kp_case_result *out);
void kp_case_result_fini(struct kp_case_result *result);

/* kp_case_is_right: has everything come as expected? */
bool kp_case_is_right(const struct kp_case_result *result);

/* kp_decision_word is "allow", "warn" or "deny", as cases say it. */
const char *kp_decision_word(enum kp_decision decision);

#endif
