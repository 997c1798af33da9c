/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/labels.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/bytes.h"

#define MAX_DOMAIN_LEN 253

#define DIGITS "0123456789"
#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define WORD LOWER UPPER DIGITS
#define BLANKS " \t\r\n"

enum operation {
	OP_EQUAL,
	OP_DIFFERENT,
	OP_PRESENT,
	OP_ABSENT,
};

struct requirement {
	char *name, *value; /* value: NULL if the operation needs none */
	enum operation operation;
};

struct kp_selector {
	struct requirement list[KP_MAX_LABELS];
	size_t num;
};

static bool
is_in(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

/* The rule that names and values share. */
static bool
is_word(const char *text, size_t len)
{
	return len > 0 && len <= KP_LABEL_MAX_LEN &&
	       strspn(text, WORD "-_.") >= len && is_in(text[0], WORD) &&
	       is_in(text[len - 1], WORD);
}

/* RFC 1123: parts of lower case letters, digits and "-", joined by dots. */
static bool
is_domain(const char *text, size_t len)
{
	const char *end = text + len;

	if (len == 0 || len > MAX_DOMAIN_LEN)
		return false;
	for (;;) {
		size_t part = strspn(text, LOWER DIGITS "-");

		if (part == 0 || text[0] == '-' || text[part - 1] == '-')
			return false;
		text += part;
		if (text == end)
			return true;
		if (*text++ != '.')
			return false;
	}
}

const char *
kp_label_name_complaint(const char *name)
{
	const char *slash = strchr(name, '/');

	if (slash != NULL && !is_domain(name, (size_t)(slash - name)))
		return "is not a label's name: what stands in front of \"/\" "
		       "must be a domain in lower case";
	if (slash != NULL)
		name = slash + 1;
	if (!is_word(name, strlen(name)))
		return "is not a label's name: letters, digits, \"-\", \"_\" "
		       "and \".\" are allowed, at most 63, with a letter or "
		       "digit at both ends";
	return NULL;
}

const char *
kp_label_value_complaint(const char *value)
{
	if (value[0] == '\0' || is_word(value, strlen(value)))
		return NULL;
	return "is not a label's value: letters, digits, \"-\", \"_\" and "
	       "\".\" are allowed, at most 63, with a letter or digit at both "
	       "ends";
}

static int
compare_labels(const void *left, const void *right)
{
	const struct kp_label *a = left, *b = right;

	return strcmp(a->name, b->name);
}

/* Copies text to *at, which moves on behind it. */
static const char *
put_text(char **at, const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = *at;

	kp_copy(copy, text, size);
	*at += size;
	return copy;
}

/* One piece of memory: the list, and behind it its texts. */
void
kp_labels_init(struct kp_labels *out, const struct kp_label *pairs, size_t num)
{
	size_t size = num * sizeof(*pairs);
	char *at;

	*out = (struct kp_labels){ .num = num };
	if (num == 0)
		return;
	for (size_t i = 0; i < num; i++)
		size += strlen(pairs[i].name) + strlen(pairs[i].value) + 2;
	out->list = kp_alloc(1, size);
	at = (char *)&out->list[num];
	for (size_t i = 0; i < num; i++) {
		out->list[i].name = put_text(&at, pairs[i].name);
		out->list[i].value = put_text(&at, pairs[i].value);
	}
	qsort(out->list, num, sizeof(*out->list), compare_labels);
}

void
kp_labels_fini(struct kp_labels *labels)
{
	free(labels->list);
	*labels = (struct kp_labels){ .num = 0 };
}

const char *
kp_labels_find(const struct kp_labels *labels, const char *name)
{
	const struct kp_label wanted = { .name = name };
	const struct kp_label *found;

	if (labels->num == 0)
		return NULL;
	found = bsearch(&wanted, labels->list, labels->num,
	    sizeof(*labels->list), compare_labels);
	return found == NULL ? NULL : found->value;
}

const struct kp_label *
kp_labels_first_missing(
    const struct kp_labels *wanted, const struct kp_labels *labels)
{
	for (size_t i = 0; i < wanted->num; i++) {
		const char *value =
		    kp_labels_find(labels, wanted->list[i].name);

		if (value == NULL || strcmp(value, wanted->list[i].value) != 0)
			return &wanted->list[i];
	}
	return NULL;
}

bool
kp_labels_contradict(const struct kp_labels *a, const struct kp_labels *b)
{
	for (size_t i = 0; i < a->num; i++) {
		const char *value = kp_labels_find(b, a->list[i].name);

		if (value != NULL && strcmp(value, a->list[i].value) != 0)
			return true;
	}
	return false;
}

/* A selector being read. */
struct reading {
	const char *start, *at;
	struct kp_error *err;
};

static bool
fail(const struct reading *r, const char *at, const char *what)
{
	return kp_error_set(r->err, KP_ERR_CONFIG, "character %zu: %s",
	    (size_t)(at - r->start) + 1, what);
}

static void
skip_blanks(struct reading *r)
{
	r->at += strspn(r->at, BLANKS);
}

/* What goes on to the next blank or sign; NULL after a failure. */
static char *
read_token(struct reading *r, const char *(*complaint)(const char *text))
{
	const char *from = r->at;
	size_t len = strcspn(from, "=!," BLANKS);
	char *token = kp_strndup(from, len);
	const char *wrong = complaint(token);

	r->at += len;
	skip_blanks(r);
	if (wrong == NULL)
		return token;
	if (len == 0)
		wrong = "the name of a label is missing";
	(void)fail(r, from, wrong);
	free(token);
	return NULL;
}

static bool
read_operation(struct reading *r, enum operation *out)
{
	const char *from = r->at;

	*out = OP_PRESENT;
	if (*r->at == ',' || *r->at == '\0')
		return true;
	*out = *r->at == '!' ? OP_DIFFERENT : OP_EQUAL;
	r->at += *r->at == '!';
	if (*r->at != '=')
		return fail(r, from, "must be \"=\", \"==\", \"!=\" or \",\"");
	r->at += *out == OP_EQUAL && r->at[1] == '=' ? 2 : 1;
	skip_blanks(r);
	return true;
}

static bool
read_requirement(struct reading *r, struct requirement *out)
{
	bool is_negated;

	skip_blanks(r);
	is_negated = *r->at == '!';
	r->at += is_negated;
	skip_blanks(r);
	out->name = read_token(r, kp_label_name_complaint);
	if (out->name == NULL)
		return false;
	if (is_negated) {
		out->operation = OP_ABSENT;
		return true;
	}
	if (!read_operation(r, &out->operation))
		return false;
	if (out->operation == OP_PRESENT)
		return true;
	out->value = read_token(r, kp_label_value_complaint);
	return out->value != NULL;
}

static bool
read_all(struct reading *r, struct kp_selector *out)
{
	bool is_last = false;

	skip_blanks(r);
	if (*r->at == '\0')
		return true;
	while (!is_last) {
		if (out->num == KP_MAX_LABELS)
			return fail(r, r->at, "too many requirements");
		if (!read_requirement(r, &out->list[out->num++]))
			return false;
		is_last = *r->at == '\0';
		if (!is_last && *r->at++ != ',')
			return fail(r, r->at - 1, "\",\" is missing");
	}
	return true;
}

struct kp_selector *
kp_selector_parse(const char *text, struct kp_error *err)
{
	struct reading r = { text, text, err };
	struct kp_selector *selector;

	if (strlen(text) > KP_SELECTOR_MAX_LEN) {
		(void)kp_error_set(err, KP_ERR_LIMIT,
		    "is too long, at most %d bytes are allowed",
		    KP_SELECTOR_MAX_LEN);
		return NULL;
	}
	selector = kp_alloc(1, sizeof(*selector));
	if (read_all(&r, selector))
		return selector;
	kp_selector_free(selector);
	return NULL;
}

void
kp_selector_free(struct kp_selector *selector)
{
	if (selector == NULL)
		return;
	for (size_t i = 0; i < selector->num; i++) {
		free(selector->list[i].name);
		free(selector->list[i].value);
	}
	free(selector);
}

static bool
is_met(const struct requirement *r, const struct kp_labels *labels)
{
	const char *value = kp_labels_find(labels, r->name);
	bool is_equal =
	    value != NULL && r->value != NULL && strcmp(value, r->value) == 0;

	switch (r->operation) {
	case OP_EQUAL:
		return is_equal;
	case OP_DIFFERENT:
		return !is_equal;
	case OP_PRESENT:
		return value != NULL;
	case OP_ABSENT:
		break;
	}
	return value == NULL;
}

bool
kp_selector_matches(
    const struct kp_selector *selector, const struct kp_labels *labels)
{
	for (size_t i = 0; i < selector->num; i++) {
		if (!is_met(&selector->list[i], labels))
			return false;
	}
	return true;
}
