/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A change of what a server has, made of files, names and what they are to
 * replace: for apply, diff, delete and edit. @thread main
 */
#ifndef KP_CLI_REQUEST_H
#define KP_CLI_REQUEST_H

#include "cli/fetch.h"
#include "cli/input.h"

/* Owns its lists; texts are borrowed but for names that it was told to keep. */
struct kp_request {
	Kproxy__Control__V1__File **files;
	size_t num_files;
	Kproxy__Control__V1__ResourceName **deletions;
	Kproxy__Control__V1__Precondition **preconditions;
	size_t num_deletions, num_preconditions;
};

void kp_request_fini(struct kp_request *request);

/* kp_request_file adds a file; name and text are borrowed. */
void kp_request_file(
    struct kp_request *request, const char *name, struct kp_bytes text);

/* kp_request_files adds all of raw input. */
void kp_request_files(struct kp_request *request, const struct kp_input *input);

/* kp_request_delete adds a deletion; names are borrowed. */
void kp_request_delete(
    struct kp_request *request, const char *kind, const char *name);

/* kp_request_if: only while the resource is of that revision; 0: is missing. */
void kp_request_if(struct kp_request *request, const char *kind,
    const char *name, uint64_t revision);

/*
 * kp_request_prune adds the deletion of each of listed that no document of the
 * files says, as it is now. False if it is not known what they say, for want of
 * memory, which it tells on stderr.
 */
bool kp_request_prune(
    struct kp_request *request, const struct kp_listed *listed) KP_MUST_CHECK;

enum kp_dry_run { KP_DRY_RUN_NONE, KP_DRY_RUN_SERVER, KP_DRY_RUN_CLIENT };

/* kp_request_dry_run is what --dry-run says. */
enum kp_dry_run kp_request_dry_run(const struct kp_args *args);

/* For tables of flags. */
#define KP_DRY_RUN_FLAG(the_words) \
	{ \
		.name = "dry-run", .type = KP_FLAG_WORD, .value = "WHERE", \
		.words = (the_words), .fallback = "none", .bare = "server", \
		.help = "Only say what would happen: server judges and " \
			"stores nothing." \
	}
#define KP_REASON_FLAG \
	{ \
		.name = "reason", .type = KP_FLAG_TEXT, .value = "TEXT", \
		.help = "Why, for the history." \
	}

/* How a request is sent. */
struct kp_request_how {
	bool is_dry_run, has_differences;
	const char *reason; /* NULL: none */
};

/*
 * kp_request_apply sends it. *out is for kp_unpacked_free; its own failure is
 * told on stderr, unless status is not NULL, which is to be ended then.
 */
enum kp_exit kp_request_apply(const struct kp_request *request,
    struct kp_connection *connection, const struct kp_request_how *how,
    Kproxy__Control__V1__ApplyResponse **out, struct kp_rpc_status *status);

/* kp_request_ask_validate asks what is wrong; *out is for kp_unpacked_free. */
enum kp_exit kp_request_ask_validate(const struct kp_request *request,
    struct kp_connection *connection,
    Kproxy__Control__V1__ValidateResponse **out);

/* kp_request_refused tells all problems of what a server refused as status. */
enum kp_exit kp_request_refused(const struct kp_request *request,
    struct kp_connection *connection, const struct kp_rpc_status *status);

#endif
