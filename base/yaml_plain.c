/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which strings need quotes: what the syntax forbids without them, and what the
 * readers of YAML 1.1 and 1.2 take for something else than a string.
 */
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/utf8.h"
#include "base/yaml_write.h"
#include "base/yaml_write_priv.h"

#define DIGITS "0123456789"
#define REPLACEMENT 0xfffdu

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Skips digits, at least one; NULL if there is none. */
static const char *
skip_digits(const char *at)
{
	size_t len = strspn(at, DIGITS);

	return len == 0 ? NULL : at + len;
}

bool
kp_yaml_is_json_word(const char *text)
{
	const char *at = text;

	if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
		return true;
	at += *at == '-';
	if (at[0] == '0' && is_digit(at[1]))
		return false;
	at = skip_digits(at);
	if (at != NULL && *at == '.')
		at = skip_digits(at + 1);
	if (at != NULL && (*at == 'e' || *at == 'E')) {
		at++;
		at += *at == '+' || *at == '-';
		at = skip_digits(at);
	}
	return at != NULL && *at == '\0';
}

/* In either of the cases that YAML knows, and in all others. */
static bool
is_word(const char *text)
{
	static const char *const words[] = { "", "~", "null", "true", "false",
		"yes", "no", "on", "off", "y", "n", "<<", "=", ".inf", "+.inf",
		"-.inf", ".nan", NULL };

	for (size_t i = 0; words[i] != NULL; i++) {
		if (strcasecmp(text, words[i]) == 0)
			return true;
	}
	return false;
}

/* 0x1F, 0o17, 0b1, with underscores where somebody reads them. */
static bool
is_in_other_base(const char *at)
{
	const char *digits;

	if (at[0] != '0')
		return false;
	if (at[1] == 'x' || at[1] == 'X')
		digits = DIGITS "abcdefABCDEF_";
	else if (at[1] == 'o' || at[1] == 'O')
		digits = "01234567_";
	else if (at[1] == 'b' || at[1] == 'B')
		digits = "01_";
	else
		return false;
	return at[2] != '\0' && strspn(at + 2, digits) == strlen(at + 2);
}

/* The ":30:45" of a number in base 60, as YAML 1.1 has it. */
static const char *
skip_sixties(const char *at)
{
	while (at[0] == ':' && is_digit(at[1])) {
		bool has_two = at[1] <= '5' && is_digit(at[2]);

		at += has_two ? 3 : 2;
	}
	return at;
}

/* e+7; without digits it is no exponent. */
static const char *
skip_exponent(const char *at)
{
	const char *digits = at + 1;

	if (*at != 'e' && *at != 'E')
		return at;
	digits += *digits == '-' || *digits == '+';
	digits = skip_digits(digits);
	return digits == NULL ? at : digits;
}

/* 12, 1_000, 1.5, .5, 1., 6e7 and 12:30:45. */
static bool
is_number(const char *at)
{
	bool has_digit;

	at += *at == '-' || *at == '+';
	if (is_in_other_base(at))
		return true;
	has_digit = is_digit(at[0]);
	if (has_digit)
		at = skip_sixties(at + strspn(at, DIGITS "_"));
	if (*at == '.') {
		has_digit |= is_digit(at[1]);
		at += 1 + strspn(at + 1, DIGITS "_");
	}
	return has_digit && *skip_exponent(at) == '\0';
}

/* 2001-12-14, alone or before a time. */
static bool
is_date(const char *at)
{
	size_t len = strspn(at, DIGITS);

	if (len != 4 || at[4] != '-')
		return false;
	at += 5;
	len = strspn(at, DIGITS);
	if (len < 1 || len > 2 || at[len] != '-')
		return false;
	at += len + 1;
	len = strspn(at, DIGITS);
	return (len == 1 || len == 2) && strchr("Tt ", at[len]) != NULL;
}

bool
kp_yaml_is_ambiguous(const char *text)
{
	return is_word(text) || is_number(text) || is_date(text);
}

/* The character that text begins with; its length, 0 if it is none. */
static size_t
decode(const char *text, uint32_t *out)
{
	return kp_utf8_decode(
	    (struct kp_bytes){ (const uint8_t *)text, strnlen(text, 4) }, out);
}

/* Not to be written as they are: control characters, breaks, marks. */
static bool
is_hidden(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 ||
	       c == 0x2029 || c == 0xfeff || c == 0xfffe || c == 0xffff;
}

static bool
is_visible(const char *text)
{
	while (*text != '\0') {
		uint32_t c;
		size_t len = decode(text, &c);

		if (len == 0 || is_hidden(c))
			return false;
		text += len;
	}
	return true;
}

static bool
can_begin(const char *text)
{
	if (strncmp(text, "---", 3) == 0 || strncmp(text, "...", 3) == 0)
		return false;
	if (strchr("-?:", text[0]) != NULL)
		return text[1] != ' ' && text[1] != '\0';
	return strchr(" ,[]{}#&*!|>'\"%@`", text[0]) == NULL;
}

bool
kp_yaml_can_be_plain(const char *text)
{
	size_t len = strlen(text);

	if (len == 0 || !can_begin(text) || !is_visible(text))
		return false;
	if (text[len - 1] == ' ' || text[len - 1] == ':')
		return false;
	return strstr(text, ": ") == NULL && strstr(text, " #") == NULL;
}

/* What is hidden is below U+10000. */
static void
add_escaped(struct kp_buf *out, uint32_t c)
{
	static const char hex[] = "0123456789abcdef";
	const char text[] = { '\\', 'u', hex[c >> 12 & 15], hex[c >> 8 & 15],
		hex[c >> 4 & 15], hex[c & 15] };

	if (c == '\n')
		kp_buf_add_text(out, "\\n");
	else if (c == '\t')
		kp_buf_add_text(out, "\\t");
	else if (c == '\r')
		kp_buf_add_text(out, "\\r");
	else
		kp_buf_add(out, text, sizeof(text));
}

void
kp_yaml_add_quoted(struct kp_buf *out, const char *text)
{
	kp_buf_add_text(out, "\"");
	while (*text != '\0') {
		uint32_t c = REPLACEMENT;
		size_t len = decode(text, &c);

		if (c == '"' || c == '\\')
			kp_buf_printf(out, "\\%c", (int)c);
		else if (len == 0)
			kp_buf_add_text(out, "\xef\xbf\xbd");
		else if (is_hidden(c))
			add_escaped(out, c);
		else
			kp_buf_add(out, text, len);
		text += len == 0 ? 1 : len;
	}
	kp_buf_add_text(out, "\"");
}
