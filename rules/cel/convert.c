/* SPDX-License-Identifier: Apache-2.0 */
/* Conversions between types: int("5"), string(1.5), timestamp(0). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "rules/cel/cost.h"
#include "rules/cel/moment.h"

#define TWO_63 9223372036854775808.0
#define TWO_64 18446744073709551616.0

static struct kp_cel_value
no_conversion(const struct kp_cel_call *call, const char *name)
{
	return kp_cel_no_overload(call->eval, name, call->args, 1);
}

static struct kp_cel_value
out_of_range(void)
{
	return kp_cel_error("the number is out of the range of this type");
}

static struct kp_cel_value
no_number(void)
{
	return kp_cel_error("the text is no number of this type");
}

/* Digits only, as a number of 64 bits. */
static bool
read_digits(struct kp_bytes text, uint64_t *out)
{
	*out = 0;
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] < '0' || text.data[i] > '9' ||
		    __builtin_mul_overflow(*out, 10u, out) ||
		    __builtin_add_overflow(
			*out, (uint64_t)(text.data[i] - '0'), out))
			return false;
	return text.len > 0;
}

static struct kp_cel_value
int_of_text(struct kp_bytes text)
{
	bool is_negative = text.len > 0 && text.data[0] == '-';
	uint64_t number;

	if (is_negative || (text.len > 0 && text.data[0] == '+')) {
		text.data++;
		text.len--;
	}
	if (!read_digits(text, &number) ||
	    number > (uint64_t)INT64_MAX + is_negative)
		return no_number();
	return kp_cel_int((int64_t)(is_negative ? 0 - number : number));
}

struct kp_cel_value
kp_cel_to_int(const struct kp_cel_call *call)
{
	struct kp_cel_value value = call->args[0];

	if (value.type == KP_CEL_INT)
		return value;
	if (value.type == KP_CEL_UINT)
		return value.as.natural > INT64_MAX
			   ? out_of_range()
			   : kp_cel_int((int64_t)value.as.natural);
	/* Both ends are out: that is where doubles are not exact any more. */
	if (value.type == KP_CEL_DOUBLE)
		return value.as.real > -TWO_63 && value.as.real < TWO_63
			   ? kp_cel_int((int64_t)value.as.real)
			   : out_of_range();
	if (value.type == KP_CEL_STRING)
		return int_of_text(kp_cel_content(value));
	if (value.type == KP_CEL_TIMESTAMP)
		return kp_cel_int(value.as.number);
	return no_conversion(call, "int");
}

struct kp_cel_value
kp_cel_to_uint(const struct kp_cel_call *call)
{
	struct kp_cel_value value = call->args[0];
	uint64_t number;

	if (value.type == KP_CEL_UINT)
		return value;
	if (value.type == KP_CEL_INT)
		return value.as.number < 0
			   ? out_of_range()
			   : kp_cel_uint((uint64_t)value.as.number);
	if (value.type == KP_CEL_DOUBLE)
		return value.as.real >= 0 && value.as.real < TWO_64
			   ? kp_cel_uint((uint64_t)value.as.real)
			   : out_of_range();
	if (value.type == KP_CEL_STRING)
		return read_digits(kp_cel_content(value), &number)
			   ? kp_cel_uint(number)
			   : no_number();
	return no_conversion(call, "uint");
}

/* What strtod takes beyond the numbers of the language is refused. */
static struct kp_cel_value
double_of_text(const struct kp_cel_call *call, struct kp_bytes bytes)
{
	static const char *const words[] = { "NaN", "Infinity", "-Infinity",
		"+Infinity", "Inf", "-Inf", "+Inf" };
	char text[KP_CEL_MAX_NUMBER_LEN + 1], *end;
	double number;
	bool is_word = false;

	if (bytes.len == 0 || bytes.len > KP_CEL_MAX_NUMBER_LEN)
		return no_number();
	if (!kp_cel_spend(call->eval, KP_CEL_STEPS_OF_NUMBER + bytes.len))
		return kp_cel_stop(call->eval, KP_CEL_FAULT_COST);
	kp_copy(text, bytes.data, bytes.len);
	text[bytes.len] = '\0';
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		is_word = is_word || strcmp(text, words[i]) == 0;
	if (!is_word && strspn(text, "0123456789+-.eE") != bytes.len)
		return no_number();
	number = strtod(text, &end);
	if (end != text + bytes.len || (isinf(number) && !is_word))
		return no_number();
	return kp_cel_double(number);
}

struct kp_cel_value
kp_cel_to_double(const struct kp_cel_call *call)
{
	struct kp_cel_value value = call->args[0];

	if (value.type == KP_CEL_DOUBLE)
		return value;
	if (value.type == KP_CEL_INT)
		return kp_cel_double((double)value.as.number);
	if (value.type == KP_CEL_UINT)
		return kp_cel_double((double)value.as.natural);
	if (value.type == KP_CEL_STRING)
		return double_of_text(call, kp_cel_content(value));
	return no_conversion(call, "double");
}

static struct kp_cel_value
text_of(const struct kp_cel_call *call, const char *text, size_t len)
{
	const char *copy = kp_arena_copy(
	    call->eval->arena, (struct kp_bytes){ (const uint8_t *)text, len });

	if (copy == NULL)
		return kp_cel_stop(call->eval, KP_CEL_FAULT_MEMORY);
	return kp_cel_string((struct kp_bytes){ (const uint8_t *)copy, len });
}

/*
 * Digits behind the first one that are enough to read this number again, the
 * fewest; text is the number with them, and an exponent. 15 digits are never
 * changed by a double, so where they suffice, those that are not zero do.
 */
static void
shortest(struct kp_cel_eval *eval, double number, char *text, size_t size)
{
	int digits = fpclassify(number) == FP_SUBNORMAL ? 0 : 14;

	for (; digits < 17; digits++) {
		kp_cel_meter_add(eval->meter, KP_CEL_STEPS_OF_DOUBLE);
		(void)snprintf(text, size, "%.*e", digits, number);
		if (strtod(text, NULL) == number)
			break;
	}
	while (digits > 0 && strchr(text, 'e')[-1] == '0') {
		digits--;
		(void)snprintf(text, size, "%.*e", digits, number);
	}
}

/* "-d.ddde+xx" without the exponent. */
static size_t
expand(char *out, const char *text, int exponent)
{
	char digits[20];
	int num = 0, point = exponent + 1;
	size_t len = 0;

	if (*text == '-')
		out[len++] = *text++;
	for (; *text != 'e'; text++)
		if (*text != '.')
			digits[num++] = *text;
	for (int at = point < 1 ? point - 1 : 0; at < num || at < point; at++) {
		if (at == point)
			out[len++] = '.';
		out[len++] = at < 0 || at >= num ? '0' : digits[at];
	}
	return len;
}

size_t
kp_cel_double_print(struct kp_cel_eval *eval, double number, bool is_plain,
    char out[KP_CEL_DOUBLE_SIZE])
{
	char text[64];
	int exponent;

	shortest(eval, number, text, sizeof(text));
	exponent = (int)strtol(strchr(text, 'e') + 1, NULL, 10);
	if (is_plain || (exponent >= -5 && exponent < 21))
		return expand(out, text, exponent);
	kp_copy(out, text, strlen(text));
	return strlen(text);
}

static struct kp_cel_value
text_of_double(const struct kp_cel_call *call, double number)
{
	char text[KP_CEL_DOUBLE_SIZE];

	if (isnan(number))
		return text_of(call, "NaN", 3);
	if (isinf(number))
		return text_of(call, number < 0 ? "-Infinity" : "Infinity",
		    number < 0 ? 9 : 8);
	return text_of(
	    call, text, kp_cel_double_print(call->eval, number, false, text));
}

static struct kp_cel_value
text_of_number(const struct kp_cel_call *call, struct kp_cel_value value)
{
	char text[32];
	int len;

	if (value.type == KP_CEL_DOUBLE)
		return text_of_double(call, value.as.real);
	if (value.type == KP_CEL_INT)
		len = snprintf(
		    text, sizeof(text), "%lld", (long long)value.as.number);
	else
		len = snprintf(text, sizeof(text), "%llu",
		    (unsigned long long)value.as.natural);
	return text_of(call, text, (size_t)len);
}

static struct kp_cel_value
text_of_bytes(const struct kp_cel_call *call, struct kp_cel_value value)
{
	if (!kp_cel_spend(call->eval, value.extra / KP_CEL_BYTES_A_STEP))
		return kp_cel_stop(call->eval, KP_CEL_FAULT_COST);
	if (!kp_utf8_is_valid(kp_cel_content(value)))
		return kp_cel_error("the bytes are no text in UTF-8");
	value.type = KP_CEL_STRING;
	return value;
}

struct kp_cel_value
kp_cel_to_string(const struct kp_cel_call *call)
{
	struct kp_cel_value value = call->args[0];
	char moment[KP_CEL_MOMENT_SIZE];

	if (value.type == KP_CEL_STRING)
		return value;
	if (!kp_cel_spend(call->eval, KP_CEL_STEPS_OF_NUMBER))
		return kp_cel_stop(call->eval, KP_CEL_FAULT_COST);
	if (value.type == KP_CEL_INT || value.type == KP_CEL_UINT ||
	    value.type == KP_CEL_DOUBLE)
		return text_of_number(call, value);
	if (value.type == KP_CEL_BOOL)
		return value.as.truth ? text_of(call, "true", 4)
				      : text_of(call, "false", 5);
	if (value.type == KP_CEL_BYTES)
		return text_of_bytes(call, value);
	if (value.type == KP_CEL_TIMESTAMP)
		return text_of(
		    call, moment, kp_cel_timestamp_print(moment, value));
	if (value.type == KP_CEL_DURATION)
		return text_of(
		    call, moment, kp_cel_duration_print(moment, value));
	return no_conversion(call, "string");
}

struct kp_cel_value
kp_cel_to_bytes(const struct kp_cel_call *call)
{
	struct kp_cel_value value = call->args[0];

	if (value.type != KP_CEL_STRING && value.type != KP_CEL_BYTES)
		return no_conversion(call, "bytes");
	value.type = KP_CEL_BYTES;
	return value;
}

struct kp_cel_value
kp_cel_to_bool(const struct kp_cel_call *call)
{
	static const char *const words[] = { "false", "true", "FALSE", "TRUE",
		"False", "True", "f", "t", "0", "1", "F", "T" };
	struct kp_cel_value value = call->args[0];

	if (value.type == KP_CEL_BOOL)
		return value;
	if (value.type != KP_CEL_STRING)
		return no_conversion(call, "bool");
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (kp_bytes_equal(
			kp_cel_content(value), kp_bytes_of(words[i])))
			return kp_cel_bool(i % 2 == 1);
	return kp_cel_error("the text is neither \"true\" nor \"false\"");
}

struct kp_cel_value
kp_cel_to_timestamp(const struct kp_cel_call *call)
{
	struct kp_cel_value value = call->args[0];

	if (value.type == KP_CEL_TIMESTAMP)
		return value;
	if (value.type == KP_CEL_INT)
		return kp_cel_timestamp_make(value.as.number, 0, &value)
			   ? value
			   : kp_cel_error("outside of the years 1 to 9999");
	if (value.type != KP_CEL_STRING)
		return no_conversion(call, "timestamp");
	if (kp_cel_timestamp_parse(kp_cel_content(value), &value))
		return value;
	return kp_cel_error("the text is no timestamp of the years 1 to 9999, "
			    "like \"2026-01-31T12:00:00Z\"");
}

struct kp_cel_value
kp_cel_to_duration(const struct kp_cel_call *call)
{
	struct kp_cel_value value = call->args[0];

	if (value.type == KP_CEL_DURATION)
		return value;
	if (value.type != KP_CEL_STRING)
		return no_conversion(call, "duration");
	if (kp_cel_duration_parse(kp_cel_content(value), &value))
		return value;
	return kp_cel_error("the text is no duration of at most 292 years, "
			    "like \"1h30m\" or \"1.5s\"");
}
