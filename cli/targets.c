/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/targets.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "cli/escape.h"
#include "rules/resource.h"

#define MAX_KINDS 64
#define ALL "all"

void
kp_kind_lower(char out[KP_KIND_SIZE], const char *kind)
{
	size_t len = 0;

	for (; kind[len] != '\0' && len + 1 < KP_KIND_SIZE; len++)
		out[len] = (char)tolower((unsigned char)kind[len]);
	out[len] = '\0';
}

void
kp_kind_title(struct kp_buf *out, const char *kind, const char *name)
{
	char lower[KP_KIND_SIZE];

	kp_kind_lower(lower, kind);
	kp_escape_add(out, lower);
	kp_buf_add_text(out, "/");
	kp_escape_add(out, name);
}

/* "VirtualCluster" has "vc"; kinds of one word have none. */
static void
initials_of(char out[KP_KIND_SIZE], const char *kind)
{
	size_t len = 0;

	for (; *kind != '\0' && len + 1 < KP_KIND_SIZE; kind++) {
		if (isupper((unsigned char)*kind))
			out[len++] = (char)tolower((unsigned char)*kind);
	}
	out[len > 1 ? len : 0] = '\0';
}

static bool
is_called(const char *kind, const char *said)
{
	char lower[KP_KIND_SIZE], plural[KP_KIND_SIZE + 4];
	char initials[KP_KIND_SIZE];
	size_t len;

	kp_kind_lower(lower, kind);
	initials_of(initials, kind);
	if (strcmp(said, lower) == 0 ||
	    (initials[0] != '\0' && strcmp(said, initials) == 0))
		return true;
	len = strlen(lower);
	if (lower[len - 1] == 'y')
		(void)snprintf(
		    plural, sizeof(plural), "%.*sies", (int)len - 1, lower);
	else
		(void)snprintf(plural, sizeof(plural), "%ss", lower);
	return strcmp(said, plural) == 0;
}

const char *
kp_kind_of(const char *text, size_t len)
{
	char copy[KP_KIND_SIZE], said[KP_KIND_SIZE];

	if (len == 0 || len >= sizeof(copy))
		return NULL;
	kp_copy(copy, text, len);
	copy[len] = '\0';
	kp_kind_lower(said, copy);
	for (size_t i = 0; kp_resource_kinds[i] != NULL; i++) {
		if (is_called(kp_resource_kinds[i]->name, said))
			return kp_resource_kinds[i]->name;
	}
	return is_called(KP_KIND_NODE, said) || strcmp(said, "no") == 0
		   ? KP_KIND_NODE
		   : NULL;
}

static bool
unknown_kind(const char *said, struct kp_error *err)
{
	const char *names[MAX_KINDS + 1] = { KP_KIND_NODE };
	size_t num = 1;
	const char *near;

	for (size_t i = 0; kp_resource_kinds[i] != NULL && num < MAX_KINDS; i++)
		names[num++] = kp_resource_kinds[i]->name;
	near = kp_suggest(said, names);
	if (near != NULL)
		return kp_error_set(err, KP_ERR_CONFIG,
		    "there is no kind \"%.64s\"; did you mean \"%s\"?", said,
		    near);
	return kp_error_set(err, KP_ERR_CONFIG,
	    "there is no kind \"%.64s\"; kpctl explain lists them", said);
}

static void
add(struct kp_targets *out, const char *kind, const char *name)
{
	out->list[out->num++] = (struct kp_target){ kind, name };
}

/* One of "KIND,KIND,all". */
static bool
add_kind(struct kp_targets *out, const char *said, struct kp_error *err)
{
	const char *kind = kp_kind_of(said, strlen(said));

	if (kind == NULL && strcmp(said, ALL) != 0)
		return unknown_kind(said, err);
	add(out, kind, NULL);
	return true;
}

static bool
add_kinds(struct kp_targets *out, char *said, struct kp_error *err)
{
	char *word;

	while ((word = strsep(&said, ",")) != NULL) {
		if (!add_kind(out, word, err))
			return false;
	}
	return true;
}

static bool
add_pair(struct kp_targets *out, char *said, struct kp_error *err)
{
	char *name = strchr(said, '/');
	const char *kind;

	if (name == NULL)
		return kp_error_set(err, KP_ERR_CONFIG,
		    "must be KIND/NAME, like those before, not \"%.64s\"",
		    said);
	*name++ = '\0';
	kind = kp_kind_of(said, strlen(said));
	if (kind == NULL)
		return unknown_kind(said, err);
	if (name[0] == '\0')
		return kp_error_set(err, KP_ERR_CONFIG,
		    "\"%.64s/\" has no name after the stroke", said);
	add(out, kind, name);
	return true;
}

/* The words as one text with a NUL after each, for us to cut. */
static char *
copy_words(const char *const *words, size_t num_words, size_t *out_commas)
{
	size_t len = 0;
	char *copy, *to;

	for (size_t i = 0; i < num_words; i++)
		len += strlen(words[i]) + 1;
	copy = kp_alloc(1, len + 1);
	to = copy;
	for (size_t i = 0; i < num_words; i++) {
		kp_copy(to, words[i], strlen(words[i]));
		to += strlen(words[i]) + 1;
	}
	for (size_t i = 0; i < len; i++)
		*out_commas += copy[i] == ',';
	return copy;
}

static bool
add_names(struct kp_targets *out, char *kind_said, size_t num_words,
    struct kp_error *err)
{
	char *name = kind_said + strlen(kind_said) + 1;
	const char *kind = kp_kind_of(kind_said, strlen(kind_said));

	if (kind == NULL)
		return unknown_kind(kind_said, err);
	for (size_t i = 1; i < num_words; i++) {
		if (strchr(name, '/') != NULL)
			return kp_error_set(err, KP_ERR_CONFIG,
			    "\"%.64s\" names a kind; there is one already",
			    name);
		add(out, kind, name);
		name += strlen(name) + 1;
	}
	return true;
}

bool
kp_targets_parse(struct kp_targets *out, const char *const *words,
    size_t num_words, struct kp_error *err)
{
	size_t num_commas = 0;
	char *word;

	*out = (struct kp_targets){ 0 };
	if (num_words == 0)
		return true;
	out->words = copy_words(words, num_words, &num_commas);
	out->list = kp_alloc(num_words + num_commas, sizeof(*out->list));
	word = out->words;
	if (strchr(word, '/') == NULL && num_words > 1)
		return add_names(out, word, num_words, err);
	if (strchr(word, '/') == NULL)
		return add_kinds(out, word, err);
	for (size_t i = 0; i < num_words; i++) {
		char *next = word + strlen(word) + 1;

		if (!add_pair(out, word, err))
			return false;
		word = next;
	}
	return true;
}

void
kp_targets_fini(struct kp_targets *targets)
{
	free(targets->list);
	free(targets->words);
	*targets = (struct kp_targets){ 0 };
}
