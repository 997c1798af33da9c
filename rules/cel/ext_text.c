/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/cel/ext_priv.h"

static bool
make_room(struct kp_cel_text *text, size_t len)
{
	size_t capacity = 2 * text->capacity;
	uint8_t *data;

	if (len <= text->capacity - text->len)
		return true;
	if (len > UINT32_MAX - text->len) {
		(void)kp_cel_stop(text->eval, KP_CEL_FAULT_MEMORY);
		return false;
	}
	if (capacity < text->len + len)
		capacity = text->len + len;
	if (!kp_cel_spend(text->eval, capacity / KP_CEL_BYTES_A_STEP))
		return false;
	data = kp_cel_get(text->eval, capacity, 1);
	if (data == NULL)
		return false;
	kp_copy(data, text->data, text->len);
	text->data = data;
	text->capacity = capacity;
	return true;
}

uint8_t *
kp_cel_text_extend(struct kp_cel_text *text, size_t len)
{
	if (text->eval->stopped != KP_CEL_FAULT_NONE || !make_room(text, len))
		return NULL;
	text->len += len;
	return text->data == NULL ? NULL : text->data + text->len - len;
}

void
kp_cel_text_add(struct kp_cel_text *text, struct kp_bytes bytes)
{
	uint8_t *to = kp_cel_text_extend(text, bytes.len);

	if (to != NULL)
		kp_copy(to, bytes.data, bytes.len);
}

struct kp_cel_value
kp_cel_text_value(const struct kp_cel_text *text)
{
	if (text->eval->stopped != KP_CEL_FAULT_NONE)
		return kp_cel_stop(text->eval, text->eval->stopped);
	if (text->len == 0)
		return kp_cel_string(kp_bytes_of(""));
	return kp_cel_string((struct kp_bytes){ text->data, text->len });
}
