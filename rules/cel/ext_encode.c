/* SPDX-License-Identifier: Apache-2.0 */
/* The extension "encoders": Base64 (RFC 4648, section 4). */
#include "rules/cel/ext_priv.h"

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Up to three bytes as four characters. */
static void
encode_group(uint8_t *to, const uint8_t *from, size_t len)
{
	uint32_t bits = (uint32_t)from[0] << 16;

	if (len > 1)
		bits |= (uint32_t)from[1] << 8;
	if (len > 2)
		bits |= from[2];
	for (size_t i = 0; i < 4; i++)
		to[i] = i > len ? (uint8_t)'='
				: (uint8_t)alphabet[bits >> (18 - 6 * i) & 63];
}

struct kp_cel_value
kp_cel_base64_encode(const struct kp_cel_call *call)
{
	struct kp_cel_text out = { .eval = call->eval };
	struct kp_bytes bytes;
	uint8_t *to;

	if (call->args[0].type != KP_CEL_BYTES)
		return kp_cel_no_overload(
		    call->eval, "base64.encode", call->args, 1);
	bytes = kp_cel_content(call->args[0]);
	to = kp_cel_text_extend(&out, (bytes.len + 2) / 3 * 4);
	for (size_t i = 0; to != NULL && i < bytes.len; i += 3)
		encode_group(to + i / 3 * 4, bytes.data + i, bytes.len - i);
	return kp_cel_text_value(&out);
}

/* 64: it is no digit of Base64. */
static uint32_t
digit_of(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return (uint32_t)(c - 'A');
	if (c >= 'a' && c <= 'z')
		return (uint32_t)(c - 'a' + 26);
	if (c >= '0' && c <= '9')
		return (uint32_t)(c - '0' + 52);
	return c == '+' ? 62 : c == '/' ? 63 : 64;
}

/* Digits without padding. False if one is none, or bits are left that are set.
 */
static bool
decode_digits(uint8_t *to, struct kp_bytes digits)
{
	uint32_t bits = 0;
	size_t num_bits = 0;

	for (size_t i = 0; i < digits.len; i++) {
		uint32_t digit = digit_of(digits.data[i]);

		if (digit > 63)
			return false;
		bits = (bits << 6 | digit) & 0xffff;
		num_bits += 6;
		if (num_bits < 8)
			continue;
		num_bits -= 8;
		*to++ = (uint8_t)(bits >> num_bits);
	}
	return num_bits < 6 && (bits & ((1u << num_bits) - 1)) == 0;
}

struct kp_cel_value
kp_cel_base64_decode(const struct kp_cel_call *call)
{
	struct kp_cel_text out = { .eval = call->eval };
	struct kp_cel_value value = call->args[0];
	struct kp_bytes text;
	size_t padding = 0;
	uint8_t *to;

	if (value.type != KP_CEL_STRING)
		return kp_cel_no_overload(
		    call->eval, "base64.decode", call->args, 1);
	text = kp_cel_content(value);
	while (padding < 2 && text.len > 0 && text.data[text.len - 1] == '=') {
		padding++;
		text.len--;
	}
	if (!kp_cel_spend(call->eval, text.len / KP_CEL_BYTES_A_STEP))
		return kp_cel_stop(call->eval, KP_CEL_FAULT_COST);
	to = kp_cel_text_extend(&out, text.len / 4 * 3 + text.len % 4 * 3 / 4);
	if (call->eval->stopped == KP_CEL_FAULT_NONE &&
	    ((padding > 0 && (text.len + padding) % 4 != 0) ||
		!decode_digits(to, text)))
		return kp_cel_error("the text is no Base64");
	value = kp_cel_text_value(&out);
	if (value.type == KP_CEL_STRING)
		value.type = KP_CEL_BYTES;
	return value;
}
