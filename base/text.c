/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/utf8.h"

/* Longest word that is compared, so that the table stays on the stack. */
#define MAX_SUGGEST_LEN 64

#define MAX_HOST_LEN 253
#define MAX_LABEL_LEN 63

struct unit {
	const char *name;
	uint64_t factor;
};

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Reads digits up to the first other character, which *rest points to. */
static bool
parse_digits(const char *text, uint64_t *out, const char **rest)
{
	uint64_t number = 0;
	const char *at = text;

	for (; is_digit(*at); at++) {
		if (__builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(
			number, (uint64_t)(*at - '0'), &number))
			return false;
	}
	*out = number;
	*rest = at;
	return at > text;
}

static bool
parse_quantity(const char *text, const struct unit *units, uint64_t *out)
{
	const char *rest;
	uint64_t number;

	if (!parse_digits(text, &number, &rest))
		return false;
	for (; units->name != NULL; units++) {
		if (strcmp(rest, units->name) == 0)
			return !__builtin_mul_overflow(
			    number, units->factor, out);
	}
	return false;
}

/* Rising; those of 1024 last, because they are the ones to write. */
static const struct unit size_units[] = {
	{ "", 1 },
	{ "kB", 1000 },
	{ "MB", 1000 * 1000 },
	{ "GB", 1000 * 1000 * 1000 },
	{ "KiB", 1u << 10 },
	{ "MiB", 1u << 20 },
	{ "GiB", 1u << 30 },
	{ "TiB", 1ull << 40 },
	{ NULL, 0 },
};

static const struct unit duration_units[] = {
	{ "ms", 1 },
	{ "s", 1000 },
	{ "m", 60 * 1000 },
	{ "h", 60 * 60 * 1000 },
	{ "d", 24 * 60 * 60 * 1000 },
	{ NULL, 0 },
};

bool
kp_parse_size(const char *text, uint64_t *out)
{
	return parse_quantity(text, size_units, out);
}

bool
kp_parse_duration(const char *text, int64_t *out_ms)
{
	uint64_t ms;

	if (!parse_quantity(text, duration_units, &ms) || ms > INT64_MAX)
		return false;
	*out_ms = (int64_t)ms;
	return true;
}

static void
format_quantity(char *out, const struct unit *units, uint64_t quantity)
{
	const struct unit *best = units;

	for (const struct unit *unit = units; unit->name != NULL; unit++) {
		if (quantity != 0 && quantity % unit->factor == 0)
			best = unit;
	}
	(void)snprintf(out, KP_QUANTITY_SIZE, "%" PRIu64 "%s",
	    quantity / best->factor, best->name);
}

void
kp_format_size(char *out, uint64_t size)
{
	format_quantity(out, size_units, size);
}

void
kp_format_duration(char *out, int64_t ms)
{
	format_quantity(out, duration_units, ms < 0 ? 0 : (uint64_t)ms);
}

/* 010 is refused: some readers of YAML take it for eight. */
bool
kp_parse_int(const char *text, int64_t *out)
{
	bool is_negative = text[0] == '-';
	const char *digits = is_negative ? text + 1 : text;
	const char *rest;
	uint64_t number;

	if (digits[0] == '0' && digits[1] != '\0')
		return false;
	if (!parse_digits(digits, &number, &rest) || *rest != '\0')
		return false;
	if (number > INT64_MAX)
		return false;
	*out = is_negative ? -(int64_t)number : (int64_t)number;
	return true;
}

static unsigned
min3(unsigned a, unsigned b, unsigned c)
{
	unsigned least = a < b ? a : b;

	return least < c ? least : c;
}

static bool
is_same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/*
 * Levenshtein's distance, case folded, with two letters in the wrong order as
 * one mistake. Row by row: now from last and the one before it.
 */
static unsigned
edit_distance(const char *a, const char *b)
{
	unsigned rows[3][MAX_SUGGEST_LEN + 1];
	unsigned *before = rows[0], *last = rows[1], *now = rows[2];
	size_t b_len = strlen(b);

	for (size_t j = 0; j <= b_len; j++)
		last[j] = (unsigned)j;
	for (size_t i = 1; a[i - 1] != '\0'; i++) {
		unsigned *spare = before;

		now[0] = (unsigned)i;
		for (size_t j = 1; j <= b_len; j++) {
			unsigned cost = is_same(a[i - 1], b[j - 1]) ? 0 : 1;

			now[j] = min3(
			    last[j] + 1, now[j - 1] + 1, last[j - 1] + cost);
			if (i > 1 && j > 1 && is_same(a[i - 1], b[j - 2]) &&
			    is_same(a[i - 2], b[j - 1]))
				now[j] =
				    min3(now[j], before[j - 2] + 1, now[j]);
		}
		before = last;
		last = now;
		now = spare;
	}
	return last[b_len];
}

const char *
kp_suggest(const char *text, const char *const *words)
{
	size_t len = strlen(text);
	unsigned best_distance = (unsigned)(len < 3 ? 1 : len / 3) + 1;
	const char *best = NULL;

	if (len == 0 || len > MAX_SUGGEST_LEN)
		return NULL;
	for (; *words != NULL; words++) {
		unsigned distance;

		if (strlen(*words) > MAX_SUGGEST_LEN)
			continue;
		distance = edit_distance(text, *words);
		if (distance >= best_distance || distance >= strlen(*words))
			continue;
		best_distance = distance;
		best = *words;
	}
	return best;
}

bool
kp_parse_address(const char *text, char out[KP_ADDRESS_SIZE])
{
	int family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET;
	struct in6_addr address;

	return inet_pton(family, text, &address) == 1 &&
	       inet_ntop(family, &address, out, KP_ADDRESS_SIZE) != NULL;
}

bool
kp_is_address(const char *text)
{
	char canonical[KP_ADDRESS_SIZE];

	return kp_parse_address(text, canonical);
}

static bool
is_label(const char *text, size_t len)
{
	if (len == 0 || len > MAX_LABEL_LEN)
		return false;
	if (text[0] == '-' || text[len - 1] == '-')
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c >= 0x80 || (!isalnum(c) && c != '-' && c != '_'))
			return false;
	}
	return true;
}

/* A name that ends in a number would be a mistyped address (RFC 1123 2.1). */
static bool
is_host_name(const char *text)
{
	size_t len = strlen(text), label_len;
	const char *label = text;

	if (len == 0 || len > MAX_HOST_LEN)
		return false;
	for (;;) {
		label_len = strcspn(label, ".");
		if (!is_label(label, label_len))
			return false;
		if (label[label_len] == '\0')
			break;
		label += label_len + 1;
	}
	return strspn(label, "0123456789") < label_len;
}

bool
kp_is_host(const char *text)
{
	return kp_is_address(text) || is_host_name(text);
}

static bool
parse_port(const char *text, uint16_t *out)
{
	int64_t port;

	if (!kp_parse_int(text, &port) || port < 1 || port > UINT16_MAX)
		return false;
	*out = (uint16_t)port;
	return true;
}

bool
kp_parse_host_port(
    const char *text, char *out_host, size_t host_size, uint16_t *out_port)
{
	const char *colon = strrchr(text, ':');
	const char *host = text;
	bool has_brackets = text[0] == '[';
	size_t len;

	if (colon == NULL || !parse_port(colon + 1, out_port))
		return false;
	len = (size_t)(colon - text);
	if (has_brackets) {
		if (len < 2 || text[len - 1] != ']')
			return false;
		host++;
		len -= 2;
	}
	if (len == 0 || len >= host_size)
		return false;
	/* A colon outside brackets is an IPv6 literal that nobody can split. */
	if ((memchr(host, ':', len) != NULL) != has_brackets)
		return false;
	kp_copy(out_host, host, len);
	out_host[len] = '\0';
	return true;
}

void
kp_wrap(struct kp_buf *out, const char *text, size_t indent, size_t width)
{
	size_t room = width - indent;

	kp_assert(width > indent);
	while (*text != '\0') {
		size_t len = strlen(text);

		if (len > room) {
			for (len = room; len > 0 && text[len] != ' ';)
				len--;
			while (len > 0 && text[len - 1] == ' ')
				len--;
			if (len == 0)
				len = room;
		}
		kp_buf_printf(
		    out, "%*s%.*s\n", (int)indent, "", (int)len, text);
		text += len;
		text += strspn(text, " ");
	}
}

size_t
kp_utf8_len(const char *text)
{
	size_t len = *text == '\0' ? 1 : strnlen(text, 4);

	return kp_utf8_decode(
	    (struct kp_bytes){ (const uint8_t *)text, len }, NULL);
}

bool
kp_is_utf8(const char *text)
{
	while (*text != '\0') {
		size_t len = kp_utf8_len(text);

		if (len == 0)
			return false;
		text += len;
	}
	return true;
}

void
kp_utf8_clean(char *text)
{
	while (*text != '\0') {
		size_t len = kp_utf8_len(text);

		if (len == 0)
			*text = '?';
		text += len == 0 ? 1 : len;
	}
}
