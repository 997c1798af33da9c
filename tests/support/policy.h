/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A policy server that says what a test wants, true or not, and kpctl run
 * against it. A failure ends the test.
 */
#ifndef KP_TESTS_SUPPORT_POLICY_H
#define KP_TESTS_SUPPORT_POLICY_H

#include <stdatomic.h>

#include "control/api/methods.h"
#include "control/rpc/server.h"
#include "tests/support/certs.h"
#include "tests/support/folder.h"

#define KP_TEST_POLICY_METHODS 12

/* What answers a method; the first message of a stream is its request. */
struct kp_test_answer {
	const struct kp_rpc_method *method;
	void (*answer)(
	    struct kp_rpc_call *call, const ProtobufCMessage *request);
};

struct kp_test_policy {
	struct kp_test_ca *ca, *other_ca;
	struct kp_key_pair server_pair, client_pair;
	const struct kp_test_answer *answers; /* NULL method ends; any other
						 call is UNIMPLEMENTED */
	struct kp_rpc_method methods[KP_TEST_POLICY_METHODS];
	struct kp_rpc_endpoint endpoints[KP_TEST_POLICY_METHODS];
	struct kp_rpc_server *server;
	char address[64];
	/* Files: ca.pem, me.pem, me.key; HOME and working folder of kpctl. */
	char folder[KP_TEST_PATH_LEN];
	atomic_int num_calls;
	void *owner; /* the test's */
};

void kp_test_policy_init(
    struct kp_test_policy *out, const struct kp_test_answer *answers);
void kp_test_policy_stop(struct kp_test_policy *policy);
void kp_test_policy_start(struct kp_test_policy *policy, const char *address);
void kp_test_policy_fini(struct kp_test_policy *policy);

/* The policy server that a handler belongs to. */
struct kp_test_policy *kp_test_policy_of(struct kp_rpc_call *call);

/* How a run of kpctl ended. */
struct kp_test_run {
	int code;
	char *out, *err;
	int64_t took_ms;
};

/*
 * kp_test_kpctl runs kpctl with the words of line, which are separated by
 * blanks, and with what says where the server is and as whom. kp_test_kpctl_raw
 * adds nothing.
 */
void kp_test_kpctl(
    struct kp_test_run *out, struct kp_test_policy *policy, const char *line);
void kp_test_kpctl_raw(
    struct kp_test_run *out, struct kp_test_policy *policy, const char *line);
void kp_test_run_fini(struct kp_test_run *run);

/* kp_test_kpctl_start leaves it running; kp_test_kpctl_end sends SIGINT, waits,
 * and tells what it wrote. */
int kp_test_kpctl_start(struct kp_test_policy *policy, const char *line);
void kp_test_kpctl_end(
    struct kp_test_run *out, struct kp_test_policy *policy, int child);

/* kp_test_kpctl_wait is the same for one that ends by itself. */
void kp_test_kpctl_wait(
    struct kp_test_run *out, struct kp_test_policy *policy, int child);

/* kp_test_kpctl_said waits until stdout of the one running has text,
 * kp_test_kpctl_complained until stderr has. */
bool kp_test_kpctl_said(struct kp_test_policy *policy, const char *text);
bool kp_test_kpctl_complained(struct kp_test_policy *policy, const char *text);

#endif
