/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/policy.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/files.h"

#define MAX_WORDS 64
#define MAX_LINE_LEN 4096
#define MAX_OUTPUT_LEN (64u << 20)
#define PATIENCE_MS 60000

extern char **environ;

static const struct kp_rpc_method *const known[KP_TEST_POLICY_METHODS] = {
	&kp_api_apply, &kp_api_validate, &kp_api_get, &kp_api_list,
	&kp_api_delete, &kp_api_watch, &kp_api_history, &kp_api_diff,
	&kp_api_rollback, &kp_api_list_nodes, &kp_api_get_node, &kp_api_cordon
};

struct kp_test_policy *
kp_test_policy_of(struct kp_rpc_call *call)
{
	return kp_rpc_call_owner(call);
}

static void
dispatch(struct kp_rpc_call *call, const ProtobufCMessage *request)
{
	struct kp_test_policy *policy = kp_test_policy_of(call);
	const char *name = kp_rpc_call_method(call)->name;
	const struct kp_test_answer *answer = policy->answers;

	atomic_fetch_add(&policy->num_calls, 1);
	for (; answer->method != NULL; answer++) {
		if (strcmp(answer->method->name, name) == 0) {
			answer->answer(call, request);
			return;
		}
	}
	kp_rpc_call_end(call, KP_RPC_UNIMPLEMENTED, "%s", "no such method");
}

static void
ignore(struct kp_rpc_call *call)
{
	(void)call;
}

static void
write_bytes(const char *folder, const char *name, struct kp_bytes bytes)
{
	char *text = kp_strndup((const char *)bytes.data, bytes.len);

	kp_test_write(folder, name, text);
	free(text);
}

/* A server of ours may say more than one of theirs. */
static void
fill_endpoints(struct kp_test_policy *policy)
{
	for (size_t i = 0; i < KP_TEST_POLICY_METHODS; i++) {
		struct kp_rpc_handlers handlers = { .request = dispatch };

		if (known[i]->kind == KP_RPC_STREAM)
			handlers =
			    (struct kp_rpc_handlers){ .message = dispatch,
				    .closed = ignore };
		policy->methods[i] = *known[i];
		policy->methods[i].max_response_len = KP_RPC_MAX_MESSAGE;
		policy->endpoints[i] =
		    (struct kp_rpc_endpoint){ &policy->methods[i], handlers };
	}
}

void
kp_test_policy_init(
    struct kp_test_policy *out, const struct kp_test_answer *answers)
{
	const struct kp_test_cert server = { .common_name = "server",
		.names = "IP:127.0.0.1" };
	const struct kp_test_cert client = { .common_name = "alice" };

	*out = (struct kp_test_policy){ .answers = answers,
		.ca = kp_test_ca_new("Test CA"),
		.other_ca = kp_test_ca_new("Other CA") };
	kp_test_issue(&out->server_pair, out->ca, &server);
	kp_test_issue(&out->client_pair, out->ca, &client);
	kp_test_folder(out->folder);
	write_bytes(out->folder, "ca.pem", kp_test_ca_pem(out->ca));
	write_bytes(out->folder, "other.pem", kp_test_ca_pem(out->other_ca));
	write_bytes(out->folder, "me.pem", out->client_pair.certificate_pem);
	write_bytes(out->folder, "me.key", out->client_pair.key_pem);
	fill_endpoints(out);
	kp_test_policy_start(out, "127.0.0.1:0");
}

void
kp_test_policy_start(struct kp_test_policy *policy, const char *address)
{
	struct kp_rpc_server_config config = {
		.addresses = &address,
		.num_addresses = 1,
		.identity = { kp_test_ca_pem(policy->ca),
		    policy->server_pair.certificate_pem,
		    policy->server_pair.key_pem },
		.endpoints = policy->endpoints,
		.num_endpoints = KP_TEST_POLICY_METHODS,
		.owner = policy,
	};
	struct kp_error err;

	kp_rpc_limits_default(&config.limits);
	policy->server = kp_rpc_server_new(&config, &err);
	kp_assert(policy->server != NULL);
	(void)snprintf(policy->address, sizeof(policy->address), "127.0.0.1:%d",
	    kp_rpc_server_port(policy->server, 0));
}

void
kp_test_policy_stop(struct kp_test_policy *policy)
{
	if (policy->server != NULL)
		kp_rpc_server_free(policy->server, 0);
	policy->server = NULL;
}

void
kp_test_policy_fini(struct kp_test_policy *policy)
{
	kp_test_policy_stop(policy);
	kp_test_folder_remove(policy->folder);
	kp_test_key_pair_fini(&policy->server_pair);
	kp_test_key_pair_fini(&policy->client_pair);
	kp_test_ca_free(policy->ca);
	kp_test_ca_free(policy->other_ca);
}

static void
to_file(posix_spawn_file_actions_t *actions, int fd, const char *path)
{
	kp_must(posix_spawn_file_actions_addopen(
	    actions, fd, path, O_CREAT | O_TRUNC | O_WRONLY, 0600));
}

/* posix_spawn: a program with a server must not fork. */
static int
start(struct kp_test_policy *policy, char *line)
{
	char *words[MAX_WORDS] = { (char *)(uintptr_t) "kpctl" }, *word;
	char out[KP_TEST_PATH_LEN], err[KP_TEST_PATH_LEN];
	posix_spawn_file_actions_t actions;
	size_t num = 1;
	pid_t child;

	while ((word = strsep(&line, " ")) != NULL) {
		kp_assert(num + 1 < MAX_WORDS);
		if (word[0] != '\0')
			words[num++] = word;
	}
	kp_test_path(out, policy->folder, "stdout");
	kp_test_path(err, policy->folder, "stderr");
	kp_must(posix_spawn_file_actions_init(&actions));
	kp_must(posix_spawn_file_actions_addchdir_np(&actions, policy->folder));
	kp_must(posix_spawn_file_actions_addopen(
	    &actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0));
	to_file(&actions, STDOUT_FILENO, out);
	to_file(&actions, STDERR_FILENO, err);
	kp_must(setenv("HOME", policy->folder, 1));
	kp_must(
	    posix_spawn(&child, KP_TEST_KPCTL, &actions, NULL, words, environ));
	kp_must(posix_spawn_file_actions_destroy(&actions));
	return child;
}

static char *
read_output(const struct kp_test_policy *policy, const char *name)
{
	char path[KP_TEST_PATH_LEN];
	struct kp_error err;
	struct kp_buf text;
	char *copy;

	kp_test_path(path, policy->folder, name);
	kp_buf_init(&text, MAX_OUTPUT_LEN);
	kp_assert(kp_file_read(&text, path, &err));
	copy =
	    kp_strndup(text.len == 0 ? "" : (const char *)text.data, text.len);
	kp_buf_fini(&text);
	return copy;
}

static void
end(struct kp_test_run *out, struct kp_test_policy *policy, pid_t child,
    int64_t begun_ms)
{
	int status;

	kp_assert(waitpid(child, &status, 0) == child);
	out->code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
	out->took_ms = kp_now_ms() - begun_ms;
	out->out = read_output(policy, "stdout");
	out->err = read_output(policy, "stderr");
}

void
kp_test_kpctl_raw(
    struct kp_test_run *out, struct kp_test_policy *policy, const char *line)
{
	char copy[MAX_LINE_LEN];
	int64_t begun_ms = kp_now_ms();

	(void)snprintf(copy, sizeof(copy), "%s", line);
	end(out, policy, start(policy, copy), begun_ms);
}

static void
with_server(char out[MAX_LINE_LEN], const struct kp_test_policy *policy,
    const char *line)
{
	(void)snprintf(out, MAX_LINE_LEN,
	    "%s --server=%s --ca=ca.pem --certificate=me.pem --key=me.key",
	    line, policy->address);
}

void
kp_test_kpctl(
    struct kp_test_run *out, struct kp_test_policy *policy, const char *line)
{
	char whole[MAX_LINE_LEN];

	with_server(whole, policy, line);
	kp_test_kpctl_raw(out, policy, whole);
}

void
kp_test_run_fini(struct kp_test_run *run)
{
	free(run->out);
	free(run->err);
}

int
kp_test_kpctl_start(struct kp_test_policy *policy, const char *line)
{
	char whole[MAX_LINE_LEN];

	with_server(whole, policy, line);
	return start(policy, whole);
}

void
kp_test_kpctl_end(
    struct kp_test_run *out, struct kp_test_policy *policy, int child)
{
	kp_must(kill(child, SIGINT));
	end(out, policy, child, kp_now_ms());
}

void
kp_test_kpctl_wait(
    struct kp_test_run *out, struct kp_test_policy *policy, int child)
{
	end(out, policy, child, kp_now_ms());
}

static bool
has_written(struct kp_test_policy *policy, const char *name, const char *text)
{
	const struct timespec pause = { .tv_nsec = 5000000 };
	int64_t deadline_ms = kp_now_ms() + PATIENCE_MS;

	while (kp_now_ms() < deadline_ms) {
		char *out = read_output(policy, name);
		bool is_there = strstr(out, text) != NULL;

		free(out);
		if (is_there)
			return true;
		(void)nanosleep(&pause, NULL);
	}
	return false;
}

bool
kp_test_kpctl_said(struct kp_test_policy *policy, const char *text)
{
	return has_written(policy, "stdout", text);
}

bool
kp_test_kpctl_complained(struct kp_test_policy *policy, const char *text)
{
	return has_written(policy, "stderr", text);
}
