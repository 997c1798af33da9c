/* SPDX-License-Identifier: Apache-2.0 */
/* Which overload of a function a call means. */
#include <string.h>

#include "base/text.h"
#include "rules/cel/declare.h"

#define MAX_SUGGESTED 512

/* One call, and the overload that is tried. */
struct trial {
	struct kp_cel_types *types;
	struct kp_cel_static *const *args;
	uint32_t num;
	struct kp_cel_static *letters[KP_CEL_NUM_LETTERS];
};

unsigned
kp_cel_declared_styles(struct kp_bytes name)
{
	unsigned styles = 0;
	size_t num;
	const struct kp_cel_overload *list = kp_cel_overloads(&num);

	for (size_t i = 0; i < num; i++)
		if (kp_bytes_equal(name, kp_bytes_of(list[i].name)))
			styles |= list[i].style;
	return styles;
}

const char *
kp_cel_declared_suggest(const char *name)
{
	const char *words[MAX_SUGGESTED + 1];
	size_t num, num_words = 0;
	const struct kp_cel_overload *list = kp_cel_overloads(&num);

	for (size_t i = 0; i < num && num_words < MAX_SUGGESTED; i++)
		if (strlen(list[i].name) > 2)
			words[num_words++] = list[i].name;
	words[num_words] = NULL;
	return kp_suggest(name, words);
}

/* Do the arguments fit? Variables that were bound stay so only if they do. */
static bool
takes_args(struct trial *trial, const char *params)
{
	struct kp_cel_static *param = NULL;
	uint32_t i = 0;

	for (; i < trial->num; i++) {
		if (strcmp(params, "...") != 0) {
			if (*params == '\0')
				return false;
			param = kp_cel_static_parse(
			    trial->types, &params, trial->letters);
			params += strspn(params, ", ");
		}
		if (param == NULL ||
		    !kp_cel_assign(trial->types, trial->args[i], param))
			return false;
	}
	return i > 0 ? *params == '\0' || strcmp(params, "...") == 0
		     : *params == '\0';
}

/* The result of this overload, NULL if it is not meant. */
static struct kp_cel_static *
try_overload(struct trial *trial, const struct kp_cel_overload *overload)
{
	struct kp_cel_binding *mark = trial->types->bindings;
	const char *text = overload->result;
	struct kp_cel_static *result;

	if (!kp_cel_types_spend(trial->types, 0))
		return NULL;
	for (size_t i = 0; i < KP_CEL_NUM_LETTERS; i++)
		trial->letters[i] = NULL;
	if (!takes_args(trial, overload->params)) {
		kp_cel_types_undo(trial->types, mark);
		return NULL;
	}
	result = kp_cel_static_parse(trial->types, &text, trial->letters);
	return result == NULL ? NULL
			      : kp_cel_static_settle(trial->types, result);
}

/* What is not known, and null, which may stand for this and for that. */
static bool
is_any_open(struct trial *trial)
{
	for (uint32_t i = 0; i < trial->num; i++)
		if (kp_cel_static_is_open(trial->types, trial->args[i]) ||
		    kp_cel_static_known(trial->args[i])->kind == KP_CEL_IS_NULL)
			return true;
	return false;
}

struct kp_cel_static *
kp_cel_overload_result(struct kp_cel_types *types, struct kp_bytes name,
    enum kp_cel_style style, struct kp_cel_static *const *args, uint32_t num)
{
	struct trial trial = { .types = types, .args = args, .num = num };
	struct kp_cel_static *result = NULL, *other;
	size_t num_overloads;
	const struct kp_cel_overload *list = kp_cel_overloads(&num_overloads);
	bool is_open = is_any_open(&trial);

	for (size_t i = 0; i < num_overloads; i++) {
		if ((list[i].style & style) == 0 ||
		    !kp_bytes_equal(name, kp_bytes_of(list[i].name)))
			continue;
		other = try_overload(&trial, &list[i]);
		if (other == NULL)
			continue;
		if (result == NULL)
			result = other;
		else if (!kp_cel_static_is_same(types, result, other))
			result = kp_cel_static_plain(types, KP_CEL_IS_DYN);
		/* What is known has one meaning: the first. */
		if (!is_open)
			break;
	}
	return types->is_stopped ? NULL : result;
}
