/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kp_bench_operator: what an operator asks of a policy server, timed. Commands
 * come on stdin: "change N" applies N changed resources in one transaction,
 * "list" reads all resources with their documents, page by page.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "bench/control.h"
#include "bench/options.h"
#include "control/api/methods.h"
#include "control/rpc/channel.h"

#define DEADLINE_MS 60000
#define MAX_TEXT_LEN ((size_t)16 << 20)

static void
must_call(struct kp_rpc_channel *channel, const struct kp_rpc_method *method,
    const ProtobufCMessage *request, struct kp_rpc_result *out)
{
	struct kp_error err = { 0 };

	if (kp_rpc_channel_call(
		channel, method, out, request, kp_now_ms() + DEADLINE_MS, NULL))
		return;
	(void)kp_rpc_status_error(&out->status, &err);
	kp_control_die(method->name, &err);
}

static void
change(struct kp_rpc_channel *channel, size_t num, unsigned port)
{
	Kproxy__Control__V1__ApplyRequest request;
	Kproxy__Control__V1__File file, *files[] = { &file };
	struct kp_rpc_result result;
	char name[] = "bench.yaml";
	struct kp_buf text;
	int64_t start_ns;

	kp_buf_init(&text, MAX_TEXT_LEN);
	kp_control_resources(&text, 0, num, port);
	kproxy__control__v1__apply_request__init(&request);
	kproxy__control__v1__file__init(&file);
	file.name = name;
	file.text.data = text.data;
	file.text.len = text.len;
	request.files = files;
	request.n_files = 1;
	start_ns = kp_now_ns();
	must_call(channel, &kp_api_apply, &request.base, &result);
	kp_control_say("applied", ",\"ms\":%.1f,\"revision\":%llu",
	    (double)(kp_now_ns() - start_ns) / 1e6,
	    (unsigned long long)((const Kproxy__Control__V1__ApplyResponse *)
				     result.answer)
		->revision);
	kp_rpc_result_fini(&result);
	kp_buf_fini(&text);
}

/* One page; the token of the next one, to be freed. */
static char *
list_page(struct kp_rpc_channel *channel, char *token, size_t *num)
{
	const Kproxy__Control__V1__ListResponse *response;
	Kproxy__Control__V1__ListRequest request;
	struct kp_rpc_result result;
	char *next;

	kproxy__control__v1__list_request__init(&request);
	request.page_token = token;
	must_call(channel, &kp_api_list, &request.base, &result);
	response = (const Kproxy__Control__V1__ListResponse *)result.answer;
	*num += response->n_resources;
	next = kp_strdup(response->next_page_token);
	kp_rpc_result_fini(&result);
	return next;
}

static void
list(struct kp_rpc_channel *channel)
{
	char *token = kp_strdup("");
	int64_t start_ns = kp_now_ns();
	size_t num = 0;

	do {
		char *next = list_page(channel, token, &num);

		free(token);
		token = next;
	} while (token[0] != '\0');
	free(token);
	kp_control_say("listed", ",\"ms\":%.1f,\"resources\":%zu",
	    (double)(kp_now_ns() - start_ns) / 1e6, num);
}

int
main(int argc, char **argv)
{
	const char *server = NULL, *server_name = NULL, *ca = NULL;
	const char *certificate = NULL, *key = NULL;
	const struct kp_option options[] = {
		{ "server", KP_OPTION_TEXT, &server, "host:port" },
		{ "server-name", KP_OPTION_TEXT, &server_name,
		    "that its certificate is for" },
		{ "ca", KP_OPTION_TEXT, &ca, "file" },
		{ "certificate", KP_OPTION_TEXT, &certificate, "file" },
		{ "key", KP_OPTION_TEXT, &key, "file" },
		{ .name = NULL },
	};
	struct kp_rpc_channel_config config = { .addresses = &server,
		.num_addresses = 1 };
	unsigned port = (unsigned)(kp_wall_ms() % 60000); /* of each run */
	struct kp_rpc_channel *channel;
	struct kp_error err = { 0 };
	unsigned long number;
	char word[32];

	kp_options_parse(options, "an operator", argc, argv);
	config.server_name = server_name;
	config.identity = kp_control_identity(ca, certificate, key);
	channel = kp_rpc_channel_new(&config, &err);
	if (channel == NULL ||
	    !kp_rpc_channel_connect(channel, kp_now_ms() + DEADLINE_MS, &err))
		kp_control_die("server", &err);
	while (kp_control_command(word, &number)) {
		port = port % 60000 + 1;
		if (strcmp(word, "list") == 0)
			list(channel);
		else
			change(channel, number, port);
	}
	kp_rpc_channel_free(channel);
	return EXIT_SUCCESS;
}
