/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What operators may write, as data: one table of settings for each kind of
 * resource and for the node's configuration. The same table parses, validates,
 * explains and documents; value.h is what comes out of it. @thread any
 */
#ifndef KP_RULES_SETTING_H
#define KP_RULES_SETTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

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
	KP_SETTING_OPEN,      /* an object whose fields another table has, which
			       * the reader knows; in no resource */
	KP_SETTING_MAP,       /* free keys, text values */
	KP_SETTING_LABELS,    /* a map whose keys and values are labels */
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
	bool is_list;      /* of that type; min and max then bound each item */
	bool is_required;  /* of a list: at least one item */
	bool may_be_empty; /* of string */
	int64_t min, max;  /* of int, size and duration; of string its length */
	const char *fallback; /* as one would write it; NULL: none */
	const struct kp_setting_word *words;
	const char *kind;                /* of a reference */
	const struct kp_setting *fields; /* of an object */
	const char *refused; /* known, but not in this version: why */
	/* Returns what is wrong with the text of a string, NULL if nothing. */
	const char *(*complaint)(const char *text);
	/* As one would write it; NULL: the fallback, or what is typical of the
	 * type. Any text lets an optional field be in its object's example. */
	const char *example;
	const char *since; /* version; NULL: that of what surrounds it */
	const char *help;  /* sentences for the operator */
};

/* Items of a list and pairs of a map. */
#define KP_SETTING_MAX_ITEMS 10000
/* Length of a string whose table says nothing. */
#define KP_SETTING_MAX_TEXT 4096

/* kp_setting_find returns the field called name (of len bytes), NULL if none.
 */
const struct kp_setting *kp_setting_find(
    const struct kp_setting *fields, const char *name, size_t len);

/*
 * kp_setting_wanted adds what a value of setting looks like: "a whole number",
 * "one of \"a\", \"b\"". Of a list: each item.
 */
void kp_setting_wanted(const struct kp_setting *setting, struct kp_buf *out);

/*
 * kp_setting_describe adds the type with its limits, as documentation has it:
 * "list of host:port", "integer, 1 to 65535".
 */
void kp_setting_describe(const struct kp_setting *setting, struct kp_buf *out);

/* kp_setting_bound adds n in the unit of setting: "64KiB", "10s", "5". */
void kp_setting_bound(
    const struct kp_setting *setting, int64_t n, struct kp_buf *out);

#endif
