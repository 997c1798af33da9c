/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the policy server is and as whom to talk to it: what the context says,
 * and flags on top of that. @thread main
 */
#ifndef KP_CLI_SETTINGS_H
#define KP_CLI_SETTINGS_H

#include "cli/args.h"
#include "cli/contexts.h"

/* The same as what control/rpc takes. */
#define KP_SETTINGS_MAX_ADDRESSES 16

/* For tables of flags: which server, and as whom. */
#define KP_SETTINGS_FLAGS_BUT_SERVER \
	{ .name = "context", \
		.type = KP_FLAG_CONTEXT, \
		.value = "NAME", \
		.help = "Context to take instead of the current one." }, \
	    { .name = "ca", \
		    .type = KP_FLAG_FILE, \
		    .value = "FILE", \
		    .help = "PEM certificates that the server's must lead " \
			    "to, instead of the context's." }, \
	    { .name = "certificate", \
		    .type = KP_FLAG_FILE, \
		    .value = "FILE", \
		    .help = "PEM certificate chain to show to the server, " \
			    "instead of the context's." }, \
	    { .name = "key", \
		    .type = KP_FLAG_FILE, \
		    .value = "FILE", \
		    .help = "PEM private key of the certificate." }, \
	{ \
		.name = "request-timeout", .type = KP_FLAG_TEXT, \
		.value = "DURATION", \
		.help = "How long reaching the server, and then each " \
			"request, may take: 500ms, 30s, 2m. Without it " \
			"10s, and what the request needs." \
	}
#define KP_SETTINGS_FLAGS \
	{ .name = "server", \
		.type = KP_FLAG_TEXT, \
		.is_repeated = true, \
		.value = "HOST:PORT", \
		.help = "Policy server to talk to instead of the context's; " \
			"tried in turn." }, \
	    KP_SETTINGS_FLAGS_BUT_SERVER

struct kp_settings {
	char **addresses;
	size_t num_addresses;
	char *ca, *certificate, *key; /* paths as they can be opened */
	int64_t timeout_ms;           /* 0: nobody said */
};

/*
 * kp_settings_load says on stderr what is missing or wrong. To be ended with
 * kp_settings_fini either way.
 */
enum kp_exit kp_settings_load(
    struct kp_settings *out, const struct kp_args *args);
void kp_settings_fini(struct kp_settings *settings);

/*
 * kp_settings_contexts loads the file of contexts that args names, to be ended
 * with kp_contexts_fini either way.
 */
enum kp_exit kp_settings_contexts(
    struct kp_contexts *out, const struct kp_args *args);

/* kp_settings_path is that file, to be freed; NULL if nobody knows. */
char *kp_settings_path(const struct kp_args *args);

/* kp_settings_load_file is kp_contexts_load, which says what is wrong. */
bool kp_settings_load_file(
    struct kp_contexts *out, const char *path) KP_MUST_CHECK;

/* kp_settings_no_context says that there is no such context. */
enum kp_exit kp_settings_no_context(
    const struct kp_contexts *contexts, const char *name);

/* kp_settings_is_address: is it host:port? If not, says so. */
bool kp_settings_is_address(const char *text);

#endif
