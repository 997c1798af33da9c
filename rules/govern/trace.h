/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every policy says of a request, in order and with the values that it
 * says it of: for who asks why. It is written down while a judge judges, so
 * that it cannot be other than what a node does. @thread any, one at a time
 */
#ifndef KP_RULES_GOVERN_TRACE_H
#define KP_RULES_GOVERN_TRACE_H

#include "rules/govern/cases.h"

struct kp_trace_variable {
	bool is_needed; /* else nobody asked for it, and it has no value */
	bool is_error;
	char *text; /* the value (show.h), or what is wrong */
};

enum kp_trace_outcome { KP_TRACE_TRUE, KP_TRACE_FALSE, KP_TRACE_ERROR };

struct kp_trace_validation {
	enum kp_trace_outcome outcome;
	char *text;  /* what is said against the item; NULL: nothing */
	char *place; /* of an error, where in the expression, in lines */
};

struct kp_trace_override {
	enum kp_override_outcome outcome;
	/* Values of the field; NULL: there is none, or nothing is set. */
	char *before, *after;
	char *text;  /* what is said against the item; NULL: nothing */
	char *place; /* of an error, where in the expression, in lines */
};

struct kp_trace_policy {
	const struct kp_tables_policy *policy; /* borrowed from the policies */
	enum kp_match match;
	/* One for each that the policy has; only if it is asked. */
	struct kp_trace_variable *variables;
	struct kp_trace_override *overrides;
	struct kp_trace_validation *validations;
	enum kp_decision decision; /* by itself */
};

/* The zero state has no policies. */
struct kp_trace {
	struct kp_trace_policy *policies; /* all, in the order of a node */
	size_t num_policies;
	enum kp_decision decision;
	bool is_changed; /* it passes, but not as it came */
	char *sentence;  /* what a client is told; NULL: it passes */
};

/* kp_trace_run: end *out with kp_trace_fini, before policies. */
void kp_trace_run(const struct kp_case *one, const struct kp_policies *policies,
    struct kp_trace *out);
void kp_trace_fini(struct kp_trace *trace);

#endif
