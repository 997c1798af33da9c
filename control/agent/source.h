/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files that say what the node is to do: node.yaml and the resources in the
 * folder that it names. Reads and checks; what to make of it is the agent's.
 * @thread main
 */
#ifndef KP_CONTROL_AGENT_SOURCE_H
#define KP_CONTROL_AGENT_SOURCE_H

#include "control/agent/held.h"
#include "rules/compile.h"
#include "rules/node_config.h"
#include "rules/resource.h"

/* Files of one folder of resources. */
#define KP_SOURCE_MAX_FILES 10000

/*
 * node.yaml as it was when it was read, without problems; counted. Who reads it
 * again and finds the same text has the same settings, and does not parse.
 */
struct kp_node_file;
struct kp_node_file *kp_node_file_ref(struct kp_node_file *file);
void kp_node_file_unref(struct kp_node_file *file); /* NULL is fine */

/* What was read in one go. The zero state is safe to fini. */
struct kp_source {
	struct kp_node_file *node_file; /* NULL: node.yaml has problems */
	struct kp_node_config config;   /* borrowed from it */
	bool has_config;                /* there is one */
	struct kp_resources
	    *resources;       /* of files; none if config has servers */
	struct kp_held *held; /* of a server; NULL: none */
	struct kp_diagnostics diagnostics;
};

/*
 * kp_source_load reads node.yaml at path and, unless it names policy servers,
 * all resources (*.yaml and *.yml of the folder, in order of their names).
 * before is the node_file of an earlier time, of the same path; may be NULL.
 * Returns true if all of it is valid; else diagnostics says why, and has_config
 * whether at least config can be used. The caller ends it with kp_source_fini
 * either way.
 */
bool kp_source_load(struct kp_source *out, const char *path,
    struct kp_node_file *before) KP_MUST_CHECK;
void kp_source_fini(struct kp_source *source);

/* kp_source_hold lets held, which has resources, be what is compiled. */
void kp_source_hold(struct kp_source *source, struct kp_held *held);

/* What is compiled, borrowed from source. */
const struct kp_resources *kp_source_resources(const struct kp_source *source);

/* kp_source_has_servers: does node.yaml name policy servers? */
bool kp_source_has_servers(const struct kp_source *source);

/*
 * kp_source_compile makes tables of generation 0 of what reaches the node from
 * a valid source; NULL with diagnostics, such as a certificate that cannot be
 * read.
 */
struct kp_tables *kp_source_compile(struct kp_source *source);

/* kp_source_read_secret reads files and environment variables for the rules. */
bool kp_source_read_secret(void *ctx, const struct kp_secret_ref *ref,
    struct kp_buf *out, struct kp_error *err);

#endif
