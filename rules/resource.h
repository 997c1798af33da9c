/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resources: what operators declare. Every kind is one record in kinds.c: a
 * table of settings, a check across resources and a compile function. A set
 * takes any number of files and keeps for every resource where it was said.
 * Reads no file: callers hand in the text. @thread any, one at a time
 */
#ifndef KP_RULES_RESOURCE_H
#define KP_RULES_RESOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "rules/diagnostics.h"
#include "rules/setting.h"

#define KP_RESOURCE_API_VERSION "kproxy/v1"

/* Resources in one set. */
#define KP_MAX_RESOURCES 10000

struct kp_compiler;
struct kp_resource;
struct kp_resources;

struct kp_resource_kind {
	const char *name;
	const char *help;
	struct kp_setting spec; /* an object called "spec" */
	/* What a single table cannot say; only resources without other
	 * problems are shown. */
	void (*check)(const struct kp_resource *resource,
	    const struct kp_resources *set, struct kp_diagnostics *diagnostics);
	/* Adds the resource to the rule tables (compile.h). */
	void (*compile)(
	    struct kp_compiler *compiler, const struct kp_resource *resource);
};

/* All kinds in the order in which they are compiled; ends with NULL. */
extern const struct kp_resource_kind *const kp_resource_kinds[];

const struct kp_resource_kind *kp_resource_kind_find(const char *name);

/* metadata of every kind. */
extern const struct kp_setting kp_resource_metadata;

struct kp_resource {
	const struct kp_resource_kind *kind;
	struct kp_origin at; /* of its first key */
	char *name;
	struct kp_value *metadata;
	struct kp_value *spec; /* NULL if it had problems of its own */
};

struct kp_resources *kp_resources_new(void);
void kp_resources_free(struct kp_resources *set);

/*
 * kp_resources_add_file parses text, any number of YAML documents, and adds
 * every problem to diagnostics. file is its path: it is copied, stands in front
 * of every problem, and paths in the text are relative to its folder.
 */
void kp_resources_add_file(struct kp_resources *set, const char *file,
    struct kp_bytes text, struct kp_diagnostics *diagnostics);

/*
 * kp_resources_check looks at the set as a whole: names that are there twice,
 * references, ports. Call once, after the last file. Returns true if neither it
 * nor any file before had a problem; only then kp_compile takes the set.
 */
bool kp_resources_check(
    struct kp_resources *set, struct kp_diagnostics *diagnostics) KP_MUST_CHECK;

/* Has the set been checked without a problem? */
bool kp_resources_is_valid(const struct kp_resources *set);

size_t kp_resources_count(const struct kp_resources *set);

/* Borrowed until the set is freed. In the order of files and documents. */
const struct kp_resource *kp_resources_at(
    const struct kp_resources *set, size_t index);

/* kp_resources_find returns NULL if there is none. */
const struct kp_resource *kp_resources_find(
    const struct kp_resources *set, const char *kind, const char *name);

/*
 * kp_resources_each_secret shows every reference to a secret, so that files can
 * be watched. ref is valid during the call.
 */
typedef void (*kp_visit_secret)(void *ctx, const struct kp_secret_ref *ref);
void kp_resources_each_secret(
    const struct kp_resources *set, kp_visit_secret visit, void *ctx);

#endif
