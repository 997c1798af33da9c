/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/setting.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"

const struct kp_setting *
kp_setting_find(const struct kp_setting *fields, const char *name, size_t len)
{
	for (; fields->type != KP_SETTING_END; fields++) {
		if (strlen(fields->name) == len &&
		    memcmp(fields->name, name, len) == 0)
			return fields;
	}
	return NULL;
}

/* Words that are refused are known, but not offered. */
static void
add_words(const struct kp_setting_word *words, struct kp_buf *out)
{
	size_t num_added = 0, num_offered = 0;

	for (const struct kp_setting_word *w = words; w->word != NULL; w++)
		num_offered += w->refused == NULL;
	if (num_offered > 1)
		kp_buf_add_text(out, "one of ");
	for (const struct kp_setting_word *w = words; w->word != NULL; w++) {
		if (w->refused != NULL)
			continue;
		kp_buf_printf(
		    out, "%s\"%s\"", num_added > 0 ? ", " : "", w->word);
		num_added++;
	}
}

void
kp_setting_wanted(const struct kp_setting *setting, struct kp_buf *out)
{
	static const char *const wanted[] = {
		[KP_SETTING_END] = "nothing",
		[KP_SETTING_STRING] = "text",
		[KP_SETTING_BOOL] = "true or false",
		[KP_SETTING_INT] = "a whole number",
		[KP_SETTING_SIZE] = "a size such as 64KiB",
		[KP_SETTING_DURATION] = "a duration such as 10s",
		[KP_SETTING_ENUM] = "a word",
		[KP_SETTING_ADDRESS] = "an IP address",
		[KP_SETTING_HOST] = "a host name or an IP address",
		[KP_SETTING_HOST_PORT] = "host:port",
		[KP_SETTING_PATH] = "a path",
		[KP_SETTING_SECRET] = "{file: PATH} or {env: NAME}",
		[KP_SETTING_REFERENCE] = "a name",
		[KP_SETTING_OPEN] = "an object",
		[KP_SETTING_MAP] = "a map of texts",
		[KP_SETTING_LABELS] = "a map of labels",
		[KP_SETTING_OBJECT] = "an object",
	};

	if (setting->type == KP_SETTING_ENUM) {
		add_words(setting->words, out);
		return;
	}
	if (setting->type == KP_SETTING_REFERENCE) {
		kp_buf_printf(out, "the name of a %s", setting->kind);
		return;
	}
	kp_buf_add_text(out, wanted[setting->type]);
}

void
kp_setting_bound(
    const struct kp_setting *setting, int64_t n, struct kp_buf *out)
{
	char text[KP_QUANTITY_SIZE];

	if (setting->type == KP_SETTING_SIZE) {
		kp_format_size(text, (uint64_t)n);
		kp_buf_add_text(out, text);
		return;
	}
	if (setting->type == KP_SETTING_DURATION) {
		kp_format_duration(text, n);
		kp_buf_add_text(out, text);
		return;
	}
	kp_buf_printf(out, "%" PRId64, n);
}

void
kp_setting_describe(const struct kp_setting *setting, struct kp_buf *out)
{
	static const char *const names[] = {
		[KP_SETTING_END] = "",
		[KP_SETTING_STRING] = "text",
		[KP_SETTING_BOOL] = "true or false",
		[KP_SETTING_INT] = "integer",
		[KP_SETTING_SIZE] = "size",
		[KP_SETTING_DURATION] = "duration",
		[KP_SETTING_ENUM] = "",
		[KP_SETTING_ADDRESS] = "IP address",
		[KP_SETTING_HOST] = "host",
		[KP_SETTING_HOST_PORT] = "host:port",
		[KP_SETTING_PATH] = "path",
		[KP_SETTING_SECRET] = "secret",
		[KP_SETTING_REFERENCE] = "name of a ",
		[KP_SETTING_OPEN] = "object",
		[KP_SETTING_MAP] = "map of texts",
		[KP_SETTING_LABELS] = "map of labels",
		[KP_SETTING_OBJECT] = "object",
	};

	if (setting->is_list)
		kp_buf_add_text(out, "list of ");
	kp_buf_add_text(out, names[setting->type]);
	if (setting->type == KP_SETTING_ENUM)
		kp_setting_wanted(setting, out);
	if (setting->type == KP_SETTING_REFERENCE)
		kp_buf_add_text(out, setting->kind);
	if (setting->type == KP_SETTING_STRING && setting->max > 0)
		kp_buf_printf(
		    out, ", at most %lld bytes", (long long)setting->max);
	if (setting->type != KP_SETTING_INT &&
	    setting->type != KP_SETTING_SIZE &&
	    setting->type != KP_SETTING_DURATION)
		return;
	kp_buf_add_text(out, ", ");
	kp_setting_bound(setting, setting->min, out);
	kp_buf_add_text(out, " to ");
	kp_setting_bound(setting, setting->max, out);
}
