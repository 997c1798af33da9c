/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From resources to rule tables. Secrets are read through the caller's
 * function: nothing here opens a file. @thread any, one at a time
 */
#ifndef KP_RULES_COMPILE_H
#define KP_RULES_COMPILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/log.h"
#include "rules/diagnostics.h"
#include "rules/resource.h"
#include "rules/tables.h"

/* One certificate chain, key or bundle of authorities. */
#define KP_SECRET_MAX_LEN (1u << 20)

/*
 * Adds the content that ref names to out (at most KP_SECRET_MAX_LEN). out has
 * all its memory already, so that a secret leaves no copy in memory that was
 * given back; what is in it then is wiped afterwards. err says only what is
 * wrong ("no such file or directory"): the name of the secret is put in front.
 */
typedef bool (*kp_read_secret)(void *ctx, const struct kp_secret_ref *ref,
    struct kp_buf *out, struct kp_error *err);

struct kp_compile_input {
	const struct kp_resources *resources; /* checked, without problems */
	/* Resources that do not reach a node with these labels are left out;
	 * NULL: none is. */
	const struct kp_labels *node_labels;
	const struct kp_limits *limits;
	enum kp_log_level log_level;
	uint64_t generation;
	kp_read_secret read_secret;
	void *ctx;
};

/*
 * kp_compile returns new tables, to be freed with kp_tables_free; NULL with
 * every problem (secrets that could not be read or are not what they should be)
 * in diagnostics.
 */
struct kp_tables *kp_compile(
    const struct kp_compile_input *input, struct kp_diagnostics *diagnostics);

/*
 * kp_tables_read_secrets fills in what kp_tables_pack left out, reading again
 * all that tables refer to; for tables that were persisted.
 */
bool kp_tables_read_secrets(struct kp_tables *tables,
    kp_read_secret read_secret, void *ctx, struct kp_error *err) KP_MUST_CHECK;

#endif
