/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bytes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"

struct kp_bytes
kp_bytes_of(const char *text)
{
	struct kp_bytes bytes = { (const uint8_t *)text, strlen(text) };

	return bytes;
}

bool
kp_bytes_equal(struct kp_bytes a, struct kp_bytes b)
{
	return a.len == b.len &&
	       (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

void
kp_copy(void *to, const void *from, size_t len)
{
	if (len > 0)
		memcpy(to, from, len);
}

void
kp_move(void *to, const void *from, size_t len)
{
	if (len > 0)
		memmove(to, from, len);
}

void
kp_buf_init(struct kp_buf *buf, size_t max_len)
{
	*buf = (struct kp_buf){ .max_len = max_len };
}

void
kp_buf_init_small(struct kp_buf *buf, size_t max_len)
{
	*buf = (struct kp_buf){ .data = kp_alloc(1, max_len),
		.capacity = max_len,
		.max_len = max_len };
}

void
kp_buf_fini(struct kp_buf *buf)
{
	free(buf->data);
	*buf = (struct kp_buf){ 0 };
}

void
kp_buf_clear(struct kp_buf *buf)
{
	buf->len = 0;
	buf->failed = buf->is_refused = false;
}

static bool
grow(struct kp_buf *buf, size_t needed)
{
	size_t capacity = buf->capacity < 64 ? 64 : buf->capacity;
	uint8_t *data;

	while (capacity < needed)
		capacity *= 2;
	if (capacity > buf->max_len)
		capacity = buf->max_len;
	data = kp_try_realloc(buf->data, capacity);
	if (data == NULL)
		return false;
	buf->data = data;
	buf->capacity = capacity;
	return true;
}

uint8_t *
kp_buf_extend(struct kp_buf *buf, size_t len)
{
	if (buf->failed)
		return NULL;
	if (len > buf->max_len - buf->len) {
		buf->failed = true;
		return NULL;
	}
	if ((len > buf->capacity - buf->len || buf->data == NULL) &&
	    !grow(buf, buf->len + len)) {
		buf->failed = buf->is_refused = true;
		return NULL;
	}
	buf->len += len;
	return buf->data + buf->len - len;
}

void
kp_buf_add(struct kp_buf *buf, const void *data, size_t len)
{
	uint8_t *to = kp_buf_extend(buf, len);

	if (to != NULL)
		kp_copy(to, data, len);
}

void
kp_buf_add_text(struct kp_buf *buf, const char *text)
{
	kp_buf_add(buf, text, strlen(text));
}

void
kp_buf_add_spaces(struct kp_buf *buf, size_t num)
{
	uint8_t *to = kp_buf_extend(buf, num);

	if (to != NULL)
		(void)memset(to, ' ', num);
}

void
kp_buf_printf(struct kp_buf *buf, const char *fmt, ...)
{
	char *text = NULL;
	va_list args;
	int len;

	va_start(args, fmt);
	len = vasprintf(&text, fmt, args);
	va_end(args);
	if (len < 0) {
		buf->failed = buf->is_refused = true;
		return;
	}
	kp_buf_add(buf, text, (size_t)len);
	free(text);
}

bool
kp_buf_error(
    const struct kp_buf *buf, struct kp_error *err, const char *fmt, ...)
{
	char text[sizeof(err->text)];
	va_list args;

	if (buf->is_refused)
		return kp_error_set(err, KP_ERR_LIMIT, "no memory");
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return kp_error_set(err, KP_ERR_LIMIT, "%s", text);
}

struct kp_bytes
kp_buf_bytes(const struct kp_buf *buf)
{
	struct kp_bytes bytes = { buf->data, buf->len };

	return bytes;
}

const char *
kp_buf_text(struct kp_buf *buf)
{
	if (buf->len == 0)
		return "";
	if (buf->len == buf->capacity && buf->len < buf->max_len)
		(void)grow(buf, buf->len + 1);
	buf->data[buf->len < buf->capacity ? buf->len : buf->len - 1] = '\0';
	return (const char *)buf->data;
}
