/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Servers that cannot be reached, that refuse, lie, or say nothing: kpctl ends
 * with a sentence, in time.
 */
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "tests/support/policy.h"
#include "tests/support/rpc_test.pb-c.h"

/* Far beyond what any of these takes, also with sanitizers. */
#define SOON_MS 60000

static const struct kp_test_answer nothing[] = { { NULL, NULL } };

/* What is on stderr, and nothing else of gRPC. */
static void
check(const struct kp_test_run *run, int code, const char *part)
{
	cr_assert_eq(run->code, code, "%d: %s", run->code, run->err);
	cr_assert_not_null(strstr(run->err, part), "%s", run->err);
	cr_assert_str_empty(run->out);
	cr_assert_null(strstr(run->err, "rpc error"), "%s", run->err);
	cr_assert_null(strstr(run->err, "status:"), "%s", run->err);
	cr_assert_null(strstr(run->err, "\033"), "%s", run->err);
	cr_assert(run->took_ms < SOON_MS, "%lld", (long long)run->took_ms);
}

static void
expect(
    struct kp_test_policy *policy, const char *line, int code, const char *part)
{
	struct kp_test_run run;

	kp_test_kpctl(&run, policy, line);
	check(&run, code, part);
	kp_test_run_fini(&run);
}

static void
expect_raw(
    struct kp_test_policy *policy, const char *line, int code, const char *part)
{
	struct kp_test_run run;

	kp_test_kpctl_raw(&run, policy, line);
	check(&run, code, part);
	kp_test_run_fini(&run);
}

#define AS_ME " --ca=ca.pem --certificate=me.pem --key=me.key"

Test(kpctl_connection, what_is_missing_is_said)
{
	struct kp_test_policy policy;

	kp_test_policy_init(&policy, nothing);
	expect_raw(&policy, "get all", 1, "no server is known");
	expect_raw(&policy, "get all --server=x:1", 1, "--ca FILE is missing");
	expect_raw(&policy, "get all --server=x" AS_ME, 2, "must be host:port");
	expect_raw(&policy, "get all --context=x" AS_ME, 1, "no context \"x\"");
	expect_raw(&policy,
	    "get all --server=x:1 --ca=gone --certificate=me.pem --key=me.key",
	    1, "--ca: gone: No such file");
	expect(&policy, "get all --request-timeout=5", 2, "must be a duration");
	expect_raw(&policy,
	    "get all --server=x:1 --ca=ca.pem --certificate=me.key "
	    "--key=me.key",
	    4, "certificate me.key with key me.key: ");
	kp_test_policy_fini(&policy);
}

Test(kpctl_connection, every_address_is_tried_and_named)
{
	struct kp_test_policy policy;
	struct kp_test_run run;
	char line[256];

	kp_test_policy_init(&policy, nothing);
	kp_test_kpctl_raw(&run, &policy,
	    "get all --server=127.0.0.1:1 --server=127.0.0.2:1" AS_ME);
	check(&run, 4, "127.0.0.1:1: connection refused");
	check(&run, 4, "127.0.0.2:1: connection refused");
	kp_test_run_fini(&run);
	/* the one that is there is the second */
	(void)snprintf(line, sizeof(line),
	    "get all --server=127.0.0.1:1 --server=%s" AS_ME, policy.address);
	expect_raw(&policy, line, 1, "does not know what was asked");
	expect_raw(&policy, "get all --server=nowhere.invalid:1" AS_ME, 4,
	    "no address is known for this host name");
	kp_test_policy_fini(&policy);
}

/* A port where somebody listens who is no policy server. */
struct stranger {
	int fd;
	char line[128];
	const char *says; /* to everyone who comes; NULL: nothing */
	pthread_t thread;
};

static void *
be_strange(void *ctx)
{
	struct stranger *stranger = ctx;
	char buf[4096];

	for (;;) {
		int fd = accept(stranger->fd, NULL, NULL);

		if (fd < 0)
			return NULL;
		(void)!read(fd, buf, sizeof(buf));
		(void)!write(fd, stranger->says, strlen(stranger->says));
		(void)close(fd);
	}
}

static void
begin_stranger(struct stranger *out, const char *says)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);

	*out = (struct stranger){ .says = says,
		.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
	cr_assert_eq(bind(out->fd, (struct sockaddr *)&at, len), 0);
	cr_assert_eq(listen(out->fd, 16), 0);
	cr_assert_eq(getsockname(out->fd, (struct sockaddr *)&at, &len), 0);
	(void)snprintf(out->line, sizeof(out->line),
	    "get all --server=127.0.0.1:%d --request-timeout=%s" AS_ME,
	    ntohs(at.sin_port), says == NULL ? "5s" : "30s");
	if (says != NULL)
		kp_must(pthread_create(&out->thread, NULL, be_strange, out));
}

static void
end_stranger(struct stranger *stranger)
{
	(void)shutdown(stranger->fd, SHUT_RDWR);
	if (stranger->says != NULL)
		kp_must(pthread_join(stranger->thread, NULL));
	(void)close(stranger->fd);
}

Test(kpctl_connection, who_is_no_policy_server_is_told_apart)
{
	struct kp_test_policy policy;
	struct stranger silent, web, rude;

	kp_test_policy_init(&policy, nothing);
	begin_stranger(&silent, NULL);
	begin_stranger(&web, "HTTP/1.1 400 Bad Request\r\n\r\n");
	begin_stranger(&rude, "");
	expect_raw(&policy, silent.line, 4, "no answer in time");
	expect_raw(&policy, web.line, 4, "it does not speak TLS");
	expect_raw(&policy, rude.line, 4, "is this a policy server");
	end_stranger(&silent);
	end_stranger(&web);
	end_stranger(&rude);
	kp_test_policy_fini(&policy);
}

static void
write_pair(const struct kp_test_policy *policy, const struct kp_test_ca *ca,
    const struct kp_test_cert *cert)
{
	struct kp_key_pair pair;
	char *text;

	kp_test_issue(&pair, ca, cert);
	text = kp_strndup(
	    (const char *)pair.certificate_pem.data, pair.certificate_pem.len);
	kp_test_write(policy->folder, "other-me.pem", text);
	free(text);
	text = kp_strndup((const char *)pair.key_pem.data, pair.key_pem.len);
	kp_test_write(policy->folder, "other-me.key", text);
	free(text);
	kp_test_key_pair_fini(&pair);
}

Test(kpctl_connection, certificates_that_do_not_fit_are_explained)
{
	const struct kp_test_cert old = {
		.common_name = "bob", .first_day = -3, .last_day = -2
	};
	const struct kp_test_cert elsewhere = { .common_name = "server",
		.names = "IP:127.0.0.9" };
	const struct kp_test_cert unknown = { .common_name = "mallory" };
	struct kp_test_policy policy;
	char line[256];

	kp_test_policy_init(&policy, nothing);
	(void)snprintf(line, sizeof(line),
	    "get all --server=%s --ca=other.pem --certificate=me.pem "
	    "--key=me.key",
	    policy.address);
	expect_raw(&policy, line, 4, "its certificate does not lead to our CA");
	(void)snprintf(line, sizeof(line),
	    "get all --server=%s --ca=ca.pem --certificate=other-me.pem "
	    "--key=other-me.key",
	    policy.address);
	write_pair(&policy, policy.ca, &old);
	expect_raw(&policy, line, 4, "your certificate other-me.pem has exp");
	write_pair(&policy, policy.other_ca, &unknown);
	expect_raw(&policy, line, 4, "does it accept our certificate?");
	kp_test_policy_stop(&policy);
	kp_test_key_pair_fini(&policy.server_pair);
	kp_test_issue(&policy.server_pair, policy.ca, &elsewhere);
	kp_test_policy_start(&policy, "127.0.0.1:0");
	expect(&policy, "get all", 4, "is not for this host name");
	kp_test_policy_fini(&policy);
}

static void
deny(struct kp_rpc_call *call, const ProtobufCMessage *request)
{
	(void)request;
	kp_rpc_call_end(
	    call, KP_RPC_PERMISSION_DENIED, "role \"viewer\" is needed\033[2J");
}

static void
say_nothing(struct kp_rpc_call *call, const ProtobufCMessage *request)
{
	const struct timespec pause = { .tv_nsec = 1000000 };

	(void)request;
	while (!kp_rpc_call_is_over(call))
		(void)nanosleep(&pause, NULL);
}

Test(kpctl_connection, a_role_that_is_missing_is_told_with_who_one_is)
{
	static const struct kp_test_answer answers[] = { { &kp_api_list, deny },
		{ NULL, NULL } };
	struct kp_test_policy policy;

	kp_test_policy_init(&policy, answers);
	expect(
	    &policy, "get all", 1, "refuses: role \"viewer\" is needed\\x1b");
	expect(&policy, "get all", 1, "you are \"alice\" (me.pem)");
	kp_test_policy_fini(&policy);
}

Test(kpctl_connection, a_server_that_never_answers_is_left)
{
	static const struct kp_test_answer answers[] = {
		{ &kp_api_list, say_nothing }, { &kp_api_apply, say_nothing },
		{ &kp_api_watch, say_nothing }, { NULL, NULL }
	};
	struct kp_test_policy policy;

	kp_test_policy_init(&policy, answers);
	kp_test_write(policy.folder, "a.yaml", "kind: Cluster\n");
	expect(&policy, "get all --request-timeout=6s", 1,
	    "did not answer in time");
	expect(&policy, "apply -f a.yaml --request-timeout=6s", 1,
	    "did not answer in time");
	expect(&policy, "get all -w --request-timeout=6s", 1,
	    "did not answer in time");
	kp_test_policy_fini(&policy);
}

/* Another message than was asked for: its first field does not parse. */
static void
say_nonsense(struct kp_rpc_call *call, const ProtobufCMessage *request)
{
	Kp__Test__Answer answer;

	(void)request;
	kp__test__answer__init(&answer);
	answer.text = (char *)(uintptr_t) "\xff\xff\xff\xff nonsense";
	kp_rpc_call_reply(call, &answer.base);
}

/* All fields are missing: allowed by the form, and no answer at all. */
static void
say_empty(struct kp_rpc_call *call, const ProtobufCMessage *request)
{
	Kproxy__Control__V1__GetResponse answer;

	(void)request;
	kproxy__control__v1__get_response__init(&answer);
	kp_rpc_call_reply(call, &answer.base);
}

Test(kpctl_connection, an_answer_that_is_none_is_no_answer)
{
	static const struct kp_test_answer answers[] = { { &kp_api_list,
							     say_nonsense },
		{ &kp_api_history, say_nonsense },
		{ &kp_api_list_nodes, say_nonsense },
		{ &kp_api_get, say_empty }, { &kp_api_get_node, say_empty },
		{ NULL, NULL } };
	struct kp_test_policy policy;

	kp_test_policy_init(&policy, answers);
	expect(&policy, "get all", 1, "the server's answer: ");
	expect(&policy, "history", 1, "the server's answer: ");
	expect(&policy, "status", 1, "the server's answer: ");
	expect(&policy, "get cluster x", 1, "gave no answer");
	expect(&policy, "describe node x", 1, "gave no answer");
	kp_test_policy_fini(&policy);
}

/* A code that nobody knows; every code that gRPC has. */
static void
fail_somehow(struct kp_rpc_call *call, const ProtobufCMessage *request)
{
	struct kp_test_policy *policy = kp_test_policy_of(call);

	(void)request;
	kp_rpc_call_end(call, *(const enum kp_rpc_code *)policy->owner, "%s",
	    "a\nb\033[2J\x9b");
}

Test(kpctl_connection, every_failure_is_a_sentence)
{
	static const struct kp_test_answer answers[] = {
		{ &kp_api_list, fail_somehow }, { NULL, NULL }
	};
	struct kp_test_policy policy;
	enum kp_rpc_code code;

	kp_test_policy_init(&policy, answers);
	policy.owner = &code;
	for (code = KP_RPC_CANCELLED; code <= KP_RPC_UNAUTHENTICATED; code++)
		expect(&policy, "get all",
		    code == KP_RPC_UNAVAILABLE           ? 4
		    : code == KP_RPC_FAILED_PRECONDITION ? 3
							 : 1,
		    "kpctl: ");
	kp_test_policy_fini(&policy);
}
