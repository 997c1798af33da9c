/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was said in a file, read as a table of settings says: a tree in the
 * shape of the table, with fallbacks filled in. @thread any
 */
#ifndef KP_RULES_VALUE_H
#define KP_RULES_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/yaml.h"
#include "rules/diagnostics.h"
#include "rules/labels.h"
#include "rules/setting.h"

enum kp_secret_source { KP_SECRET_FILE, KP_SECRET_ENV };

/* Where a secret is to be read. name: a path, or a variable's name. */
struct kp_secret_ref {
	enum kp_secret_source source;
	const char *name;
};

/* What was said, or the fallback, for one setting. */
struct kp_value {
	const struct kp_setting *setting; /* of the static table */
	struct kp_origin at;              /* of a fallback: what surrounds it */
	bool is_list;     /* an item of a list has the same setting */
	bool is_fallback; /* nothing was said; inside of it neither */
	char *text;       /* string, enum, reference, path, host, secret */
	char *said;       /* a path before it was joined with its folder */
	int64_t number;   /* int, size, duration, bool, enum, port */
	enum kp_secret_source source;
	/* Of a list its items; of a map the values; of an object one for each
	 * of setting->fields, NULL where nothing was said. */
	struct kp_value **items;
	size_t num_items;
	char **keys; /* of a map */
	/* What was said of an open object: borrowed from what was parsed. */
	const struct kp_yaml *node;
};

/*
 * kp_value_parse reads node as setting says and adds every problem to
 * diagnostics, with what in front (such as `Listener "public"`, or "") and the
 * path from setting->name down. file must outlive the value. Returns NULL if
 * there was any problem; free with kp_value_free.
 */
struct kp_value *kp_value_parse(const struct kp_setting *setting,
    const struct kp_yaml *node, const char *file, const char *what,
    struct kp_diagnostics *diagnostics);
/* The same of text, the content of file, which must be one YAML document. */
struct kp_value *kp_value_parse_text(const struct kp_setting *setting,
    struct kp_bytes text, const char *file, struct kp_diagnostics *diagnostics);
void kp_value_free(struct kp_value *value);

/*
 * kp_value_get goes down a dotted path of fields ("ports.first"). NULL if
 * nothing was said there; a path that is not in the table is our own mistake
 * and asserted. Borrowed until the value is freed.
 */
const struct kp_value *kp_value_get(
    const struct kp_value *object, const char *path);

/* Text at path, NULL if absent. */
const char *kp_value_text(const struct kp_value *object, const char *path);

/* Number at path; it must have been said, required or have a fallback. */
int64_t kp_value_number(const struct kp_value *object, const char *path);

/*
 * kp_value_path writes the path of what was said at the place at in root:
 * "spec.bootstrap[0]"; "" for root itself and where nothing was said.
 */
#define KP_VALUE_PATH_SIZE 256
void kp_value_path(const struct kp_value *root, const struct kp_origin *at,
    char out[KP_VALUE_PATH_SIZE]);

/* kp_value_walk visits value and all that is in it, outermost first. */
typedef void (*kp_visit_value)(void *ctx, const struct kp_value *value);
void kp_value_walk(
    const struct kp_value *value, kp_visit_value visit, void *ctx);

/*
 * kp_value_labels copies the pairs of value, a map of labels or NULL; the
 * caller ends it with kp_labels_fini.
 */
void kp_value_labels(const struct kp_value *value, struct kp_labels *out);

/* kp_value_is_secret: is there a reference to a secret, kp_value_secret? */
bool kp_value_is_secret(const struct kp_value *value);
struct kp_secret_ref kp_value_secret(const struct kp_value *value);

#endif
