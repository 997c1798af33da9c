/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "cli/output.h"

#define DEFAULT_FILE "/.config/kproxy/kpctl.yaml"

char *
kp_settings_path(const struct kp_args *args)
{
	const char *said = kp_args_text(args, "kpctl-config");
	const char *home = getenv("HOME");
	char *path = NULL;

	if (said == NULL)
		said = getenv("KPCTL_CONFIG");
	if (said != NULL && said[0] != '\0')
		return kp_strdup(said);
	if (home == NULL || home[0] == '\0')
		return NULL;
	kp_assert(asprintf(&path, "%s" DEFAULT_FILE, home) >= 0);
	return path;
}

bool
kp_settings_load_file(struct kp_contexts *out, const char *path)
{
	struct kp_diagnostics diagnostics = { 0 };
	bool is_ok = kp_contexts_load(out, path, &diagnostics);
	struct kp_buf text;

	kp_buf_init(&text, KP_OUTPUT_MAX_LEN);
	kp_diagnostics_print(&diagnostics, &text);
	kp_output_part(&text);
	if (text.len > 0)
		(void)fwrite(text.data, text.len, 1, stderr);
	kp_buf_fini(&text);
	kp_diagnostics_fini(&diagnostics);
	return is_ok;
}

enum kp_exit
kp_settings_contexts(struct kp_contexts *out, const struct kp_args *args)
{
	char *path = kp_settings_path(args);
	enum kp_exit result = KP_EXIT_OK;

	*out = (struct kp_contexts){ 0 };
	if (path == NULL) {
		kp_output_problem("HOME is not set; say --kpctl-config FILE");
		return KP_EXIT_FAILED;
	}
	if (!kp_settings_load_file(out, path))
		result = KP_EXIT_REFUSED;
	free(path);
	return result;
}

enum kp_exit
kp_settings_no_context(const struct kp_contexts *contexts, const char *name)
{
	const char **names = kp_alloc(contexts->num + 1, sizeof(*names));
	const char *near;

	for (size_t i = 0; i < contexts->num; i++)
		names[i] = contexts->list[i].name;
	near = kp_suggest(name, names);
	if (near != NULL)
		kp_output_problem(
		    "there is no context \"%s\"; did you mean \"%s\"?", name,
		    near);
	else
		kp_output_problem("there is no context \"%s\"", name);
	free(names);
	return KP_EXIT_FAILED;
}

bool
kp_settings_is_address(const char *text)
{
	char host[256];
	uint16_t port;

	if (kp_parse_host_port(text, host, sizeof(host), &port) &&
	    kp_is_host(host))
		return true;
	kp_output_problem("--server: must be host:port, not \"%s\"", text);
	return false;
}

static void
add_address(struct kp_settings *out, const char *address)
{
	if (out->addresses == NULL)
		out->addresses = kp_alloc(
		    KP_SETTINGS_MAX_ADDRESSES, sizeof(*out->addresses));
	if (out->num_addresses < KP_SETTINGS_MAX_ADDRESSES)
		out->addresses[out->num_addresses++] = kp_strdup(address);
}

/* A path of the file of contexts is relative to that file's folder. */
static char *
path_beside(const char *file, const char *path)
{
	const char *slash = strrchr(file, '/');
	char *joined = NULL;

	if (path == NULL)
		return NULL;
	if (path[0] == '/' || slash == NULL)
		return kp_strdup(path);
	kp_assert(
	    asprintf(&joined, "%.*s/%s", (int)(slash - file), file, path) >= 0);
	return joined;
}

static void
take_context(struct kp_settings *out, const struct kp_contexts *contexts,
    const struct kp_context *context)
{
	for (size_t i = 0; i < context->num_addresses; i++)
		add_address(out, context->addresses[i]);
	out->ca = path_beside(contexts->path, context->ca);
	out->certificate = path_beside(contexts->path, context->certificate);
	out->key = path_beside(contexts->path, context->key);
}

/* The context that was named, or the current one; there may be none. */
static enum kp_exit
load_context(struct kp_settings *out, const struct kp_args *args)
{
	const char *name = kp_args_text(args, "context");
	struct kp_contexts contexts;
	enum kp_exit result = kp_settings_contexts(&contexts, args);
	const struct kp_context *context = NULL;

	if (result == KP_EXIT_OK) {
		if (name == NULL)
			name = contexts.current;
		if (name != NULL)
			context = kp_contexts_find(&contexts, name);
		if (context != NULL)
			take_context(out, &contexts, context);
		else if (name != NULL)
			result = kp_settings_no_context(&contexts, name);
	}
	kp_contexts_fini(&contexts);
	return result;
}

static void
set_path(char **path, const struct kp_args *args, const char *flag)
{
	const char *said = kp_args_text(args, flag);

	if (said == NULL)
		return;
	free(*path);
	*path = kp_strdup(said);
}

static void
forget_addresses(struct kp_settings *settings)
{
	for (size_t i = 0; i < settings->num_addresses; i++)
		free(settings->addresses[i]);
	settings->num_addresses = 0;
}

/* --server without an address (of some commands) means the context's. */
static enum kp_exit
take_flags(struct kp_settings *out, const struct kp_args *args)
{
	const char *timeout = kp_args_text(args, "request-timeout"), *server;
	bool has_server = false;
	size_t at = 0;

	while ((server = kp_args_next(args, "server", &at)) != NULL) {
		if (server[0] == '\0')
			continue;
		if (!kp_settings_is_address(server))
			return KP_EXIT_USAGE;
		if (!has_server)
			forget_addresses(out);
		has_server = true;
		add_address(out, server);
	}
	set_path(&out->ca, args, "ca");
	set_path(&out->certificate, args, "certificate");
	set_path(&out->key, args, "key");
	if (timeout != NULL && (!kp_parse_duration(timeout, &out->timeout_ms) ||
				   out->timeout_ms <= 0)) {
		kp_output_problem("--request-timeout: must be a duration as "
				  "30s, not \"%s\"",
		    timeout);
		return KP_EXIT_USAGE;
	}
	return KP_EXIT_OK;
}

static enum kp_exit
check_whole(const struct kp_settings *settings)
{
	static const char hint[] = "kpctl config set-context";
	const char *missing = NULL;

	if (settings->num_addresses == 0) {
		kp_output_problem("no server is known; say --server HOST:PORT, "
				  "or make a context with %s",
		    hint);
		return KP_EXIT_FAILED;
	}
	if (settings->key == NULL)
		missing = "key";
	if (settings->certificate == NULL)
		missing = "certificate";
	if (settings->ca == NULL)
		missing = "ca";
	if (missing == NULL)
		return KP_EXIT_OK;
	kp_output_problem("--%s FILE is missing: servers are only talked to "
			  "with certificates; %s keeps it in a context",
	    missing, hint);
	return KP_EXIT_FAILED;
}

enum kp_exit
kp_settings_load(struct kp_settings *out, const struct kp_args *args)
{
	enum kp_exit result;

	*out = (struct kp_settings){ 0 };
	result = load_context(out, args);
	if (result == KP_EXIT_OK)
		result = take_flags(out, args);
	return result == KP_EXIT_OK ? check_whole(out) : result;
}

void
kp_settings_fini(struct kp_settings *settings)
{
	forget_addresses(settings);
	free(settings->addresses);
	free(settings->ca);
	free(settings->certificate);
	free(settings->key);
	*settings = (struct kp_settings){ 0 };
}
