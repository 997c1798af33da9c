/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One pass over bytes as they are decoded; of JSON (RFC 8259) just what it
 * takes to tell the object's own members from all else.
 */
#include "proxy/admit/jwt.h"

#include <string.h>

#include "base/utf8.h"

#define END (-1)
#define SUB_LEN 3

/* The current byte, END after the last, and where the next comes from. */
struct reader {
	const uint8_t *at, *end;
	uint32_t bits;
	unsigned num_bits;
	int c;
};

/* A text that is decoded; what does not fit is counted. */
struct text {
	uint8_t *out;
	size_t size, len;
};

static int
base64url_value(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '-')
		return 62;
	if (c == '_')
		return 63;
	return -1;
}

static void
advance(struct reader *r)
{
	r->c = END;
	while (r->num_bits < 8) {
		int value = r->at < r->end ? base64url_value(*r->at) : -1;

		if (value < 0) {
			r->end = r->at;
			return;
		}
		r->at++;
		r->bits = (r->bits << 6 | (uint32_t)value) & 0xffff;
		r->num_bits += 6;
	}
	r->num_bits -= 8;
	r->c = (int)(r->bits >> r->num_bits & 0xff);
}

static void
skip_space(struct reader *r)
{
	while (r->c == ' ' || r->c == '\t' || r->c == '\n' || r->c == '\r')
		advance(r);
}

static bool
take(struct reader *r, int c)
{
	if (r->c != c)
		return false;
	advance(r);
	return true;
}

static void
add(struct text *text, uint8_t byte)
{
	if (text->len < text->size)
		text->out[text->len] = byte;
	text->len++;
}

static bool
read_hex(struct reader *r, uint32_t *out)
{
	*out = 0;
	for (unsigned i = 0; i < 4; i++) {
		int c = r->c | 0x20; /* of a letter: the small one */

		if (r->c >= '0' && r->c <= '9')
			*out = *out << 4 | (uint32_t)(r->c - '0');
		else if (r->c != END && c >= 'a' && c <= 'f')
			*out = *out << 4 | (uint32_t)(c - 'a' + 10);
		else
			return false;
		advance(r);
	}
	return true;
}

/* After "\u"; a character beyond the first 65 536 is two of them. */
static bool
read_point(struct reader *r, struct text *text)
{
	uint8_t utf8[4];
	uint32_t point, low;
	size_t len;

	if (!read_hex(r, &point))
		return false;
	if (point >= 0xd800 && point < 0xdc00) {
		if (!take(r, '\\') || !take(r, 'u') || !read_hex(r, &low) ||
		    low < 0xdc00 || low >= 0xe000)
			return false;
		point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
	}
	len = kp_utf8_encode(point, utf8);
	for (size_t i = 0; i < len; i++)
		add(text, utf8[i]);
	return len > 0;
}

/* After a backslash. */
static bool
read_escape(struct reader *r, struct text *text)
{
	static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
	const char *name;

	if (take(r, 'u'))
		return read_point(r, text);
	name = r->c <= 0 ? NULL : strchr(names, r->c);
	if (name == NULL)
		return false;
	add(text, (uint8_t)values[name - names]);
	advance(r);
	return true;
}

static bool
read_text(struct reader *r, struct text *text)
{
	text->len = 0;
	if (!take(r, '"'))
		return false;
	while (r->c != '"') {
		if (r->c < ' ') /* END too */
			return false;
		if (take(r, '\\')) {
			if (!read_escape(r, text))
				return false;
			continue;
		}
		add(text, (uint8_t)r->c);
		advance(r);
	}
	advance(r);
	return true;
}

/* Any value, up to the comma or brace after it. */
static bool
skip_value(struct reader *r)
{
	struct text ignored = { NULL, 0, 0 };
	size_t depth = 0;

	while (r->c != END) {
		if (depth == 0 && (r->c == ',' || r->c == '}'))
			return true;
		if (r->c == '"') {
			if (!read_text(r, &ignored))
				return false;
			continue;
		}
		if (r->c == '{' || r->c == '[')
			depth++;
		else if ((r->c == '}' || r->c == ']') && depth-- == 0)
			return false;
		advance(r);
	}
	return false;
}

/* One member; subject is filled, or emptied, if it is that. */
static bool
read_member(struct reader *r, struct text *subject)
{
	uint8_t name[SUB_LEN];
	struct text key = { name, sizeof(name), 0 };
	bool is_subject;

	if (!read_text(r, &key))
		return false;
	is_subject = key.len == SUB_LEN && memcmp(name, "sub", SUB_LEN) == 0;
	skip_space(r);
	if (!take(r, ':'))
		return false;
	skip_space(r);
	if (is_subject && r->c == '"')
		return read_text(r, subject);
	if (is_subject)
		subject->len = 0;
	return skip_value(r);
}

size_t
kp_jwt_subject(struct kp_bytes claims, uint8_t *out, size_t out_size)
{
	struct reader r = { .at = claims.data,
		.end = claims.data + claims.len };
	struct text subject = { out, out_size, 0 };

	advance(&r);
	skip_space(&r);
	if (!take(&r, '{'))
		return 0;
	skip_space(&r);
	while (r.c != '}') {
		if (!read_member(&r, &subject))
			return 0;
		skip_space(&r);
		if (r.c != '}' && !take(&r, ','))
			return 0;
		skip_space(&r);
	}
	return subject.len;
}
