/* SPDX-License-Identifier: Apache-2.0 */
#include "control/server/page_token.h"

#include <stdio.h>
#include <string.h>

#include "control/api/digest.h"

#define DIGEST_LEN 16
#define MAX_LEN (KP_PAGE_TOKEN_SIZE / 2)

static void
sign(const struct kp_page_token *token, const char *question,
    uint8_t out[DIGEST_LEN])
{
	struct kp_digest parts[3], all;
	char number[32];

	(void)snprintf(number, sizeof(number), "%llu",
	    (unsigned long long)token->revision);
	kp_digest_resource(
	    &parts[0], token->kind, token->name, kp_bytes_of(number));
	kp_digest_resource(&parts[1], "page", "1", kp_bytes_of(question));
	kp_digest_set(&all, parts, 2);
	kp_copy(out, all.bytes, DIGEST_LEN);
}

/* Digest, revision, kind, NUL, name, NUL; returns the length. */
static size_t
pack(const struct kp_page_token *token, const char *question,
    uint8_t out[MAX_LEN])
{
	size_t kind_len = strlen(token->kind) + 1;
	size_t name_len = strlen(token->name) + 1;
	uint8_t *at = out + DIGEST_LEN;

	sign(token, question, out);
	for (int shift = 56; shift >= 0; shift -= 8)
		*at++ = (uint8_t)(token->revision >> shift);
	kp_copy(at, token->kind, kind_len);
	kp_copy(at + kind_len, token->name, name_len);
	return (size_t)(at - out) + kind_len + name_len;
}

void
kp_page_token_write(const struct kp_page_token *token, const char *question,
    char out[KP_PAGE_TOKEN_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	uint8_t packed[MAX_LEN];
	size_t len = pack(token, question, packed);

	for (size_t i = 0; i < len; i++) {
		out[2 * i] = digits[packed[i] >> 4];
		out[2 * i + 1] = digits[packed[i] & 0xf];
	}
	out[2 * len] = '\0';
}

static int
digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool
read_digits(const char *text, uint8_t *out, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		int high = digit_of(text[2 * i]);
		int low = digit_of(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

/* The next text of [*at, end), which must end there; false if it does not. */
static bool
take_text(
    const uint8_t **at, const uint8_t *end, char out[KP_STORE_MAX_NAME_LEN + 1])
{
	const uint8_t *nul = memchr(*at, '\0', (size_t)(end - *at));

	if (nul == NULL || nul - *at > KP_STORE_MAX_NAME_LEN)
		return false;
	kp_copy(out, *at, (size_t)(nul - *at) + 1);
	*at = nul + 1;
	return true;
}

static bool
unpack(struct kp_page_token *out, const uint8_t *packed, size_t len)
{
	const uint8_t *at = packed + DIGEST_LEN, *end = packed + len;

	for (int i = 0; i < 8; i++)
		out->revision = out->revision << 8 | *at++;
	return take_text(&at, end, out->kind) &&
	       take_text(&at, end, out->name) && at == end;
}

bool
kp_page_token_read(struct kp_page_token *out, const char *text,
    const char *question, struct kp_error *err)
{
	uint8_t packed[MAX_LEN], wanted[DIGEST_LEN];
	size_t len = strlen(text);

	*out = (struct kp_page_token){ .revision = 0 };
	if (len % 2 == 0 && len / 2 <= MAX_LEN && len / 2 > DIGEST_LEN + 8 &&
	    read_digits(text, packed, len / 2) &&
	    unpack(out, packed, len / 2)) {
		sign(out, question, wanted);
		if (memcmp(wanted, packed, DIGEST_LEN) == 0)
			return true;
	}
	return kp_error_set(err, KP_ERR_PROTOCOL,
	    "the page token is not of this list: begin again without one");
}
