/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/govern/show.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "rules/cel/moment.h"
#include "rules/govern/objects.h"

#define MORE "…"
#define REAL_SIZE 40

static void show(struct kp_buf *out, struct kp_cel_value value, size_t depth);

static void
add_character(struct kp_buf *out, const uint8_t *data, size_t len)
{
	static const char named[] = "\"\"\\\\\nn\rr\tt";
	uint32_t point = 0;

	(void)kp_utf8_decode((struct kp_bytes){ data, len }, &point);
	for (size_t i = 0; len == 1 && named[i] != '\0'; i += 2) {
		if (*data != (uint8_t)named[i])
			continue;
		kp_buf_printf(out, "\\%c", named[i + 1]);
		return;
	}
	if (point < 0x20 || (point >= 0x7f && point < 0xa0))
		kp_buf_printf(out, "\\u%04x", (unsigned)point);
	else
		kp_buf_add(out, data, len);
}

static void
show_text(struct kp_buf *out, struct kp_bytes text)
{
	size_t at = 0, len;

	kp_buf_add_text(out, "\"");
	for (; at < text.len; at += len) {
		struct kp_bytes left = { text.data + at, text.len - at };

		len = kp_utf8_decode(left, NULL);
		if (len == 0 || at + len > KP_SHOW_MAX_TEXT_LEN)
			break;
		add_character(out, left.data, len);
	}
	if (at < text.len)
		kp_buf_printf(out, MORE " %zu bytes", text.len);
	kp_buf_add_text(out, "\"");
}

static void
show_bytes(struct kp_buf *out, struct kp_bytes bytes)
{
	kp_buf_add_text(out, "b\"");
	for (size_t i = 0; i < bytes.len && i < KP_SHOW_MAX_TEXT_LEN / 4; i++)
		kp_buf_printf(out, "\\x%02x", bytes.data[i]);
	if (bytes.len > KP_SHOW_MAX_TEXT_LEN / 4)
		kp_buf_printf(out, MORE " %zu bytes", bytes.len);
	kp_buf_add_text(out, "\"");
}

/* With as few digits as tell it from all others, and as no int. */
static void
show_real(struct kp_buf *out, double real)
{
	char text[REAL_SIZE];

	if (!isfinite(real)) {
		kp_buf_printf(out, "double(\"%s\")",
		    isnan(real) ? "NaN"
		    : real < 0  ? "-Infinity"
				: "Infinity");
		return;
	}
	for (int digits = 15; digits <= 17; digits++) {
		(void)snprintf(text, sizeof(text), "%.*g", digits, real);
		if (strtod(text, NULL) >= real && strtod(text, NULL) <= real)
			break;
	}
	kp_buf_printf(
	    out, "%s%s", text, strpbrk(text, ".e") == NULL ? ".0" : "");
}

static void
show_moment(struct kp_buf *out, struct kp_cel_value value)
{
	bool is_timestamp = value.type == KP_CEL_TIMESTAMP;
	char text[KP_CEL_MOMENT_SIZE];
	size_t len = is_timestamp ? kp_cel_timestamp_print(text, value)
				  : kp_cel_duration_print(text, value);

	kp_buf_printf(out, "%s(\"%.*s\")",
	    is_timestamp ? "timestamp" : "duration", (int)len, text);
}

static void
add_comma(struct kp_buf *out, size_t index)
{
	kp_buf_add_text(out, index > 0 ? ", " : "");
}

/* Is there to be no more of num items? Then it says how many there are. */
static bool
is_enough(struct kp_buf *out, size_t index, size_t num)
{
	if (out->failed)
		return true;
	if (index < KP_SHOW_MAX_ITEMS)
		return false;
	kp_buf_printf(out, MORE " %zu more", num - index);
	return true;
}

static void
show_list(struct kp_buf *out, const struct kp_cel_list *list, size_t depth)
{
	kp_buf_add_text(out, "[");
	for (size_t i = 0; i < list->num; i++) {
		add_comma(out, i);
		if (is_enough(out, i, list->num))
			break;
		show(out, kp_cel_list_at(list, i), depth);
	}
	kp_buf_add_text(out, "]");
}

static void
show_map(struct kp_buf *out, const struct kp_cel_map *map, size_t depth)
{
	kp_buf_add_text(out, "{");
	for (size_t i = 0; i < map->num; i++) {
		struct kp_cel_entry entry;

		add_comma(out, i);
		if (is_enough(out, i, map->num))
			break;
		entry = kp_cel_map_at(map, i);
		show(out, entry.key, depth);
		kp_buf_add_text(out, ": ");
		show(out, entry.value, depth);
	}
	kp_buf_add_text(out, "}");
}

static const struct kp_object_field *
fields_of(const char *type_name)
{
	for (size_t i = 0; kp_object_types[i] != NULL; i++)
		if (strcmp(kp_object_types[i]->name, type_name) == 0)
			return kp_object_types[i]->fields;
	return NULL;
}

static void
show_object(
    struct kp_buf *out, const struct kp_cel_object *object, size_t depth)
{
	const struct kp_object_field *field = fields_of(object->type_name);
	size_t num = 0;

	kp_buf_printf(out, "%s{", object->type_name);
	for (; field != NULL && field->how != KP_OBJECT_END; field++) {
		struct kp_cel_value value;

		if (object->field(object, kp_bytes_of(field->name), &value) !=
		    KP_CEL_SET)
			continue;
		add_comma(out, num++);
		kp_buf_printf(out, "%s: ", field->name);
		show(out, value, depth);
	}
	kp_buf_add_text(out, "}");
}

static void
show_optional(
    struct kp_buf *out, const struct kp_cel_value *inner, size_t depth)
{
	if (inner == NULL) {
		kp_buf_add_text(out, "optional.none()");
		return;
	}
	kp_buf_add_text(out, "optional.of(");
	show(out, *inner, depth);
	kp_buf_add_text(out, ")");
}

static void
show_parts(struct kp_buf *out, struct kp_cel_value value, size_t depth)
{
	if (depth == KP_SHOW_MAX_DEPTH)
		kp_buf_add_text(out, MORE);
	else if (value.type == KP_CEL_LIST)
		show_list(out, value.as.list, depth + 1);
	else if (value.type == KP_CEL_MAP)
		show_map(out, value.as.map, depth + 1);
	else if (value.type == KP_CEL_OBJECT)
		show_object(out, value.as.object, depth + 1);
	else
		show_optional(out, value.as.inner, depth + 1);
}

static void
show(struct kp_buf *out, struct kp_cel_value value, size_t depth)
{
	switch (value.type) {
	case KP_CEL_NULL:
		kp_buf_add_text(out, "null");
		return;
	case KP_CEL_BOOL:
		kp_buf_add_text(out, value.as.truth ? "true" : "false");
		return;
	case KP_CEL_INT:
		kp_buf_printf(out, "%lld", (long long)value.as.number);
		return;
	case KP_CEL_UINT:
		kp_buf_printf(
		    out, "%lluu", (unsigned long long)value.as.natural);
		return;
	case KP_CEL_DOUBLE:
		show_real(out, value.as.real);
		return;
	case KP_CEL_STRING:
		show_text(out, kp_cel_content(value));
		return;
	case KP_CEL_BYTES:
		show_bytes(out, kp_cel_content(value));
		return;
	case KP_CEL_TIMESTAMP:
	case KP_CEL_DURATION:
		show_moment(out, value);
		return;
	case KP_CEL_ERROR:
	case KP_CEL_TYPE:
		kp_buf_add_text(out, value.as.name);
		return;
	case KP_CEL_LIST:
	case KP_CEL_MAP:
	case KP_CEL_OBJECT:
	case KP_CEL_OPTIONAL:
		show_parts(out, value, depth);
		return;
	}
}

void
kp_show_value(struct kp_buf *out, struct kp_cel_value value)
{
	struct kp_buf text;

	kp_buf_init_small(&text, KP_SHOW_MAX_LEN);
	show(&text, value, 0);
	/* a part that has no room is not there, and nothing after it */
	kp_buf_add(out, text.data, text.len);
	if (text.failed)
		kp_buf_add_text(out, MORE);
	kp_buf_fini(&text);
}
