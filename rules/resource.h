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
#include "rules/labels.h"
#include "rules/setting.h"
#include "rules/value.h"

#define KP_RESOURCE_API_VERSION "kproxy/v1"

/* Resources in one set. */
#define KP_MAX_RESOURCES 10000

/* Holds `Kind "name"`. */
#define KP_RESOURCE_TITLE_SIZE 128

struct kp_compiler;
struct kp_resource;
struct kp_resource_share;
struct kp_resources;

struct kp_resource_kind {
	const char *name;
	struct kp_setting document; /* an object: envelope and spec; its help
				     * says what the kind is for */
	/* What a table cannot say about one resource, and about all of the
	 * kind together; NULL if there is nothing. Only resources that could be
	 * read (spec is not NULL) are to be judged. */
	void (*check)(const struct kp_resource *resource,
	    struct kp_diagnostics *diagnostics);
	void (*check_all)(
	    const struct kp_resources *set, struct kp_diagnostics *diagnostics);
	/* Adds the resource to the rule tables (compile_priv.h); NULL if the
	 * kind that refers to it does. */
	void (*compile)(
	    struct kp_compiler *compiler, const struct kp_resource *resource);
};

/* All kinds in the order in which they are compiled; ends with NULL. */
extern const struct kp_resource_kind *const kp_resource_kinds[];

const struct kp_resource_kind *kp_resource_kind_find(const char *name);

/* What all kinds have; the first rows of a kind's table of fields. */
extern const struct kp_setting kp_resource_metadata_fields[];
extern const struct kp_setting_word kp_resource_api_versions[];
#define KP_RESOURCE_ENVELOPE \
	{ .name = "apiVersion", \
		.type = KP_SETTING_ENUM, \
		.is_required = true, \
		.words = kp_resource_api_versions, \
		.help = "Version of this language." }, \
	    { .name = "kind", \
		    .type = KP_SETTING_STRING, \
		    .is_required = true, \
		    .help = "What is declared." }, \
	{ \
		.name = "metadata", .type = KP_SETTING_OBJECT, \
		.is_required = true, .fields = kp_resource_metadata_fields, \
		.help = "What every resource says about itself." \
	}

/* The last row of every kind's spec. */
#define KP_RESOURCE_NODES \
	{ \
		.name = "nodes", .type = KP_SETTING_LABELS, \
		.help = "Labels of the nodes that this is for, as they stand " \
			"in node.yaml: a node must have all of them. Without " \
			"any every node." \
	}

/* Immutable; counted, so that it may be part of many sets. */
struct kp_resource {
	const struct kp_resource_kind *kind;
	struct kp_origin at; /* of its first key */
	char *name;
	struct kp_value *document;   /* NULL if it has problems of its own */
	const struct kp_value *spec; /* borrowed from document */
	struct kp_labels labels;     /* metadata.labels */
	struct kp_labels nodes;      /* spec.nodes */
	struct kp_resource_share *share;
};

/* kp_resource_ref takes one more share. @thread any, with kp_resource_unref */
const struct kp_resource *kp_resource_ref(const struct kp_resource *resource);
void kp_resource_unref(const struct kp_resource *resource);

/* kp_resource_is_sound: was it parsed without a problem of its own? */
bool kp_resource_is_sound(const struct kp_resource *resource);

/* kp_resource_labels are metadata.labels; borrowed from resource. */
const struct kp_labels *kp_resource_labels(const struct kp_resource *resource);

/* kp_resource_reaches: does a node with these labels get the resource? */
bool kp_resource_reaches(
    const struct kp_resource *resource, const struct kp_labels *node);

/* kp_resource_title writes `Kind "name"`, as problems begin. */
void kp_resource_title(const struct kp_resource *resource, char *out);

/* kp_resource_problem adds a problem of resource, said at its place at. */
void kp_resource_problem(const struct kp_resource *resource,
    const struct kp_origin *at, struct kp_diagnostics *diagnostics,
    const char *fmt, ...) KP_PRINTF(4, 5);

/*
 * kp_resource_is_file_name: is name, in a folder, that of a file of resources?
 * Those that begin with a dot are an editor's or, like ..data, a mount's.
 */
bool kp_resource_is_file_name(const char *name);

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
 * kp_resources_add_shared adds a resource that was parsed before and takes a
 * share of it. The problems that it may have of its own are not said again, but
 * the set has one all the same.
 */
void kp_resources_add_shared(
    struct kp_resources *set, const struct kp_resource *resource);

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

/* Borrowed until the set is freed. In the order in which they were added. */
const struct kp_resource *kp_resources_at(
    const struct kp_resources *set, size_t index);

/* kp_resources_find returns NULL if there is none. */
const struct kp_resource *kp_resources_find(
    const struct kp_resources *set, const char *kind, const char *name);

/* The index of the same; kp_resources_count(set) if there is none. */
size_t kp_resources_position(
    const struct kp_resources *set, const char *kind, const char *name);

/*
 * kp_resources_each_secret shows every reference to a secret, so that files can
 * be watched. ref is valid during the call.
 */
typedef void (*kp_visit_secret)(void *ctx, const struct kp_secret_ref *ref);
void kp_resources_each_secret(
    const struct kp_resources *set, kp_visit_secret visit, void *ctx);

#endif
