/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of kpctl trace: a request that the command line describes, and how
 * what policies say of it is shown. @thread main
 */
#ifndef KP_CLI_TRACE_H
#define KP_CLI_TRACE_H

#include "base/text.h"
#include "cli/args.h"
#include "cli/input.h"
#include "rules/govern/trace.h"

/* A request with one item; its texts are those of the command line. */
struct kp_trace_request {
	struct kp_case asked;
	struct kp_arena arena;
	char address[KP_ADDRESS_SIZE];
};

/*
 * kp_trace_request_init reads the flags of the command; false, having said what
 * is wrong and what can be done. To be ended with its fini either way.
 */
bool kp_trace_request_init(
    struct kp_trace_request *out, const struct kp_args *args) KP_MUST_CHECK;
void kp_trace_request_fini(struct kp_trace_request *request);

/* All that is shown. Borrowed. */
struct kp_trace_view {
	const struct kp_args *args;
	const struct kp_trace_request *request;
	const struct kp_trace *trace;
	/* Where the policies were declared. */
	const struct kp_resources *resources;
	const char *server; /* NULL: in files */
	uint64_t revision;  /* of the server */
};

/* kp_trace_write writes to stdout, as -o asks for. */
void kp_trace_write(const struct kp_trace_view *view);

#endif
