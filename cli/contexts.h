/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The servers that kpctl knows, and as whom it talks to them: a file of named
 * contexts. It holds paths of keys, never keys. Replaced in one step, readable
 * by its owner only; one kpctl changes it at a time. @thread main
 */
#ifndef KP_CLI_CONTEXTS_H
#define KP_CLI_CONTEXTS_H

#include <stdbool.h>

#include "base/error.h"
#include "base/yaml.h"
#include "rules/diagnostics.h"
#include "rules/setting.h"

#define KP_MAX_CONTEXTS 1000

/* Paths are as they were said, relative to the folder of the file. */
struct kp_context {
	char *name;
	char **addresses; /* host:port, tried in turn */
	size_t num_addresses;
	char *ca, *certificate, *key; /* paths, NULL where none was said */
};

struct kp_contexts {
	char *path;    /* of the file */
	char *current; /* a name, or NULL */
	struct kp_context *list;
	size_t num;
};

/* The table of the file, an object. */
extern const struct kp_setting kp_contexts_setting;

/*
 * kp_contexts_load reads the file at path; one that is not there has no
 * contexts. Every problem goes to diagnostics. To be ended with
 * kp_contexts_fini either way.
 */
bool kp_contexts_load(struct kp_contexts *out, const char *path,
    struct kp_diagnostics *diagnostics) KP_MUST_CHECK;
void kp_contexts_fini(struct kp_contexts *contexts);

/* kp_contexts_find returns NULL if there is none; borrowed until a change. */
struct kp_context *kp_contexts_find(
    const struct kp_contexts *contexts, const char *name);

/* kp_contexts_add adds an empty one; NULL if there are too many. */
struct kp_context *kp_contexts_add(
    struct kp_contexts *contexts, const char *name);
void kp_contexts_remove(
    struct kp_contexts *contexts, struct kp_context *context);

/* kp_contexts_tree is what the file says, to be freed with kp_yaml_free. */
struct kp_yaml *kp_contexts_tree(const struct kp_contexts *contexts);

/*
 * kp_contexts_lock makes the file's folder where it is missing and keeps other
 * programs from changing the file until kp_contexts_unlock(*out).
 */
bool kp_contexts_lock(
    int *out, const char *path, struct kp_error *err) KP_MUST_CHECK;
void kp_contexts_unlock(int lock);

/*
 * kp_contexts_save replaces the file; lock is that of kp_contexts_lock. What
 * could not be read again is not written.
 */
bool kp_contexts_save(const struct kp_contexts *contexts, int lock,
    struct kp_error *err) KP_MUST_CHECK;

#endif
