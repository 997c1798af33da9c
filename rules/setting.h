/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What operators may write, as data: one table of settings for each kind of
 * resource and for the node's configuration. The same table parses, validates,
 * explains and documents; kp_value is what comes out of it. @thread any
 */
#ifndef KP_RULES_SETTING_H
#define KP_RULES_SETTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/yaml.h"
#include "rules/diagnostics.h"

enum kp_setting_type {
	KP_SETTING_END = 0, /* closes a table */
	KP_SETTING_STRING,
	KP_SETTING_BOOL,
	KP_SETTING_INT,
	KP_SETTING_SIZE,      /* "64KiB" as bytes */
	KP_SETTING_DURATION,  /* "10s" as milliseconds */
	KP_SETTING_ENUM,      /* one of words */
	KP_SETTING_ADDRESS,   /* IPv4 or IPv6 literal */
	KP_SETTING_HOST,      /* name or literal */
	KP_SETTING_HOST_PORT, /* host:port */
	KP_SETTING_PATH,      /* relative to the file that names it */
	KP_SETTING_SECRET,    /* {file: path} or {env: NAME} */
	KP_SETTING_REFERENCE, /* metadata.name of a resource of kind */
	KP_SETTING_MAP,       /* free keys, text values */
	KP_SETTING_OBJECT,    /* fields */
};

/* A word of an enum. One that is known but refused says why. */
struct kp_setting_word {
	const char *word;
	int value;
	const char *refused;
};

struct kp_setting {
	const char *name;
	enum kp_setting_type type;
	bool is_list;     /* of that type; min and max then bound each item */
	bool is_required; /* of a list: at least one item */
	int64_t min, max; /* of int, size and duration; of string its length */
	const char *fallback; /* as one would write it; NULL: none */
	const struct kp_setting_word *words;
	const char *kind;                /* of a reference */
	const struct kp_setting *fields; /* of an object */
	const char *refused; /* known, but not in this version: why */
	/* Returns what is wrong with the text of a string, NULL if nothing. */
	const char *(*complaint)(const char *text);
	const char *since; /* version; NULL: that of what surrounds it */
	const char *help;  /* sentences for the operator */
};

/* Items of a list and pairs of a map. */
#define KP_SETTING_MAX_ITEMS 10000
/* Length of a string whose table says nothing. */
#define KP_SETTING_MAX_TEXT 4096

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
	char *text;     /* string, enum, reference, path, host, secret */
	int64_t number; /* int, size, duration, bool, enum, port */
	enum kp_secret_source source;
	/* Of a list its items; of a map the values; of an object one for each
	 * of setting->fields, NULL where nothing was said. */
	struct kp_value **items;
	size_t num_items;
	char **keys; /* of a map */
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

struct kp_secret_ref kp_value_secret(const struct kp_value *value);

/* kp_setting_find returns the field called name (of len bytes), NULL if none.
 */
const struct kp_setting *kp_setting_find(
    const struct kp_setting *fields, const char *name, size_t len);

#endif
