/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "...".format([...]): verbs of a text are replaced by values. What is written
 * goes to the end of one text; whoever writes returns an ERROR, or NULL's
 * value.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "rules/cel/ext_priv.h"

/* Digits of a double in front of the point, and what else is written. */
#define MAX_REAL_LEN (310 + KP_CEL_MAX_PRECISION + 10)
#define STEPS_OF_REAL 64
#define CHARACTERS_A_STEP 4
#define DEFAULT_PRECISION 6
#define NO_PRECISION (-1)

struct format {
	struct kp_cel_eval *eval;
	struct kp_cel_text out;
	const struct kp_cel_list *values;
	size_t num_used;
};

/* An entry of a map, under the text of its key. */
struct row {
	struct kp_bytes key;
	struct kp_cel_value value;
};

static struct kp_cel_value write_value(
    struct format *format, struct kp_cel_value value, int depth);

static void
add(struct format *format, const char *text)
{
	kp_cel_text_add(&format->out, kp_bytes_of(text));
}

/* What is no text in BYTES becomes U+FFFD, once for all that adjoins. */
static struct kp_cel_value
text_of_bytes(struct kp_cel_eval *eval, struct kp_bytes bytes)
{
	struct kp_cel_text out = { .eval = eval };
	bool was_bad = false;

	if (!kp_cel_spend(eval, bytes.len / CHARACTERS_A_STEP))
		return kp_cel_stop(eval, eval->stopped);
	for (size_t at = 0, len; at < bytes.len; at += len == 0 ? 1 : len) {
		struct kp_bytes rest = { bytes.data + at, bytes.len - at };

		len = kp_utf8_decode(rest, NULL);
		rest.len = len;
		if (len > 0)
			kp_cel_text_add(&out, rest);
		else if (!was_bad)
			kp_cel_text_add(&out, kp_bytes_of("\xef\xbf\xbd"));
		was_bad = len == 0;
	}
	return kp_cel_text_value(&out);
}

static struct kp_cel_value
text_of_double(struct kp_cel_eval *eval, double number)
{
	char text[KP_CEL_DOUBLE_SIZE];
	struct kp_cel_text out = { .eval = eval };
	struct kp_bytes bytes = { (const uint8_t *)text,
		kp_cel_double_print(eval, number, true, text) };

	kp_cel_text_add(&out, bytes);
	return kp_cel_text_value(&out);
}

/* The text of what has no parts: as string() makes it, and some more. */
static struct kp_cel_value
text_of(struct kp_cel_eval *eval, struct kp_cel_value value)
{
	const struct kp_cel_call call = {
		.eval = eval, .args = &value, .num = 1
	};

	if (value.type == KP_CEL_NULL)
		return kp_cel_string(kp_bytes_of("null"));
	if (value.type == KP_CEL_TYPE)
		return kp_cel_string(kp_bytes_of(value.as.name));
	if (value.type == KP_CEL_BYTES)
		return text_of_bytes(eval, kp_cel_content(value));
	if (value.type == KP_CEL_DOUBLE && isfinite(value.as.real))
		return text_of_double(eval, value.as.real);
	return value.type == KP_CEL_ERROR ? value : kp_cel_to_string(&call);
}

static struct kp_cel_value
write_list(struct format *format, const struct kp_cel_list *list, int depth)
{
	struct kp_cel_value result;

	add(format, "[");
	for (size_t i = 0; i < list->num; i++) {
		if (i > 0)
			add(format, ", ");
		result = write_value(format, kp_cel_list_at(list, i), depth);
		if (result.type == KP_CEL_ERROR)
			return result;
	}
	add(format, "]");
	return kp_cel_null();
}

/* What is compared is counted; once that is too much, any order will do. */
static bool
is_above(struct kp_cel_eval *eval, const struct row *a, const struct row *b)
{
	size_t len = a->key.len < b->key.len ? a->key.len : b->key.len;
	int order = 0;

	if (!kp_cel_spend(eval, 1 + len / KP_CEL_BYTES_A_STEP))
		return false;
	if (len > 0)
		order = memcmp(a->key.data, b->key.data, len);
	return order > 0 || (order == 0 && a->key.len > b->key.len);
}

/* Lets the row at an index of a heap sink to its place. */
static void
sink(struct kp_cel_eval *eval, struct row *rows, size_t at, size_t num)
{
	for (;;) {
		size_t next = 2 * at + 1;
		struct row row = rows[at];

		if (next >= num)
			return;
		if (next + 1 < num &&
		    is_above(eval, &rows[next + 1], &rows[next]))
			next++;
		if (!is_above(eval, &rows[next], &row))
			return;
		rows[at] = rows[next];
		rows[next] = row;
		at = next;
	}
}

/* qsort() would take memory that is behind no limit. */
static void
sort(struct kp_cel_eval *eval, struct row *rows, size_t num)
{
	for (size_t i = num / 2; i > 0; i--)
		sink(eval, rows, i - 1, num);
	for (size_t i = num; i > 1; i--) {
		struct row last = rows[i - 1];

		rows[i - 1] = rows[0];
		rows[0] = last;
		sink(eval, rows, 0, i - 1);
	}
}

/* NULL and *error if a key has no text or a limit was reached. */
static struct row *
sorted_rows(struct format *format, const struct kp_cel_map *map,
    struct kp_cel_value *error)
{
	struct row *rows = kp_cel_get(format->eval, map->num, sizeof(*rows));

	for (size_t i = 0; rows != NULL && i < map->num; i++) {
		struct kp_cel_entry entry = kp_cel_map_at(map, i);

		*error = text_of(format->eval, entry.key);
		if (error->type == KP_CEL_ERROR)
			return NULL;
		if (!kp_cel_spend(format->eval, 1))
			break;
		rows[i] = (struct row){ kp_cel_content(*error), entry.value };
	}
	if (rows == NULL || format->eval->stopped != KP_CEL_FAULT_NONE) {
		*error = kp_cel_stop(format->eval, format->eval->stopped);
		return NULL;
	}
	sort(format->eval, rows, map->num);
	return rows;
}

static struct kp_cel_value
write_map(struct format *format, const struct kp_cel_map *map, int depth)
{
	struct kp_cel_value result;
	struct row *rows = sorted_rows(format, map, &result);

	if (rows == NULL)
		return result;
	add(format, "{");
	for (size_t i = 0; i < map->num; i++) {
		if (i > 0)
			add(format, ", ");
		kp_cel_text_add(&format->out, rows[i].key);
		add(format, ": ");
		result = write_value(format, rows[i].value, depth);
		if (result.type == KP_CEL_ERROR)
			return result;
	}
	add(format, "}");
	return kp_cel_null();
}

static struct kp_cel_value
write_value(struct format *format, struct kp_cel_value value, int depth)
{
	if (!kp_cel_spend(format->eval, 1))
		return kp_cel_stop(format->eval, format->eval->stopped);
	if (depth == KP_CEL_MAX_VALUE_DEPTH)
		return kp_cel_error("the value is too deep to be formatted");
	if (value.type == KP_CEL_LIST)
		return write_list(format, value.as.list, depth + 1);
	if (value.type == KP_CEL_MAP)
		return write_map(format, value.as.map, depth + 1);
	value = text_of(format->eval, value);
	if (value.type == KP_CEL_ERROR)
		return value;
	kp_cel_text_add(&format->out, kp_cel_content(value));
	return kp_cel_null();
}

static struct kp_cel_value
write_digits(
    struct format *format, struct kp_cel_value value, unsigned base, char verb)
{
	const char *digits =
	    verb == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
	bool is_negative = value.type == KP_CEL_INT && value.as.number < 0;
	uint64_t number = value.as.natural;
	char text[65], *at = text + sizeof(text);

	if (value.type == KP_CEL_INT)
		number = is_negative ? 0 - (uint64_t)value.as.number
				     : (uint64_t)value.as.number;
	if (value.type == KP_CEL_BOOL)
		number = value.as.truth;
	do {
		*--at = digits[number % base];
		number /= base;
	} while (number > 0);
	if (is_negative)
		add(format, "-");
	kp_cel_text_add(&format->out, (struct kp_bytes){ (const uint8_t *)at,
					  (size_t)(text + sizeof(text) - at) });
	return kp_cel_null();
}

static struct kp_cel_value
write_hex(struct format *format, struct kp_cel_value value, char verb)
{
	const char *digits =
	    verb == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
	struct kp_bytes bytes = kp_cel_content(value);
	uint8_t *to = kp_cel_text_extend(&format->out, 2 * bytes.len);

	for (size_t i = 0; to != NULL && i < bytes.len; i++) {
		to[2 * i] = (uint8_t)digits[bytes.data[i] >> 4];
		to[2 * i + 1] = (uint8_t)digits[bytes.data[i] & 15];
	}
	return kp_cel_null();
}

static struct kp_cel_value
no_verb_for(struct format *format, char verb, struct kp_cel_value value)
{
	return kp_cel_fail(format->eval, "\"%%%c\" is not for %s", verb,
	    kp_cel_type_name(value));
}

/* %d, %b, %o, %x, %X */
static struct kp_cel_value
write_whole(struct format *format, struct kp_cel_value value, char verb)
{
	bool is_hex = verb == 'x' || verb == 'X';
	unsigned base = verb == 'd' ? 10 : verb == 'b' ? 2 : is_hex ? 16 : 8;

	if (value.type == KP_CEL_INT || value.type == KP_CEL_UINT ||
	    (value.type == KP_CEL_BOOL && verb == 'b'))
		return write_digits(format, value, base, verb);
	if (is_hex &&
	    (value.type == KP_CEL_STRING || value.type == KP_CEL_BYTES))
		return write_hex(format, value, verb);
	if (verb == 'd' && value.type == KP_CEL_DOUBLE)
		return write_value(format, value, 0);
	return no_verb_for(format, verb, value);
}

static double
real_of(struct kp_cel_value number)
{
	if (number.type == KP_CEL_INT)
		return (double)number.as.number;
	return number.type == KP_CEL_UINT ? (double)number.as.natural
					  : number.as.real;
}

/* %f, %e */
static struct kp_cel_value
write_real(
    struct format *format, struct kp_cel_value value, char verb, int precision)
{
	char text[MAX_REAL_LEN];

	if (value.type != KP_CEL_INT && value.type != KP_CEL_UINT &&
	    value.type != KP_CEL_DOUBLE)
		return no_verb_for(format, verb, value);
	if (!isfinite(real_of(value)))
		return write_value(format, value, 0);
	if (!kp_cel_spend(format->eval, STEPS_OF_REAL))
		return kp_cel_stop(format->eval, KP_CEL_FAULT_COST);
	(void)snprintf(text, sizeof(text), verb == 'f' ? "%.*f" : "%.*e",
	    precision == NO_PRECISION ? DEFAULT_PRECISION : precision,
	    real_of(value));
	add(format, text);
	return kp_cel_null();
}

/* ".3" between "%" and the verb. False: there is none, or it is too large. */
static bool
read_precision(struct kp_bytes *rest, int *out)
{
	size_t num = 0;

	*out = NO_PRECISION;
	if (rest->len == 0 || rest->data[0] != '.')
		return true;
	*out = 0;
	for (num = 1; num < rest->len && rest->data[num] >= '0' &&
		      rest->data[num] <= '9';
	     num++) {
		*out = 10 * *out + (rest->data[num] - '0');
		if (*out > KP_CEL_MAX_PRECISION)
			return false;
	}
	rest->data += num;
	rest->len -= num;
	return num > 1;
}

static struct kp_cel_value
write_next(struct format *format, char verb, int precision)
{
	struct kp_cel_value value;

	if (format->num_used == format->values->num)
		return kp_cel_error("format() has more verbs than values");
	value = kp_cel_list_at(format->values, format->num_used++);
	if (value.type == KP_CEL_ERROR)
		return value;
	if (verb == 's')
		return write_value(format, value, 0);
	if (verb == 'f' || verb == 'e')
		return write_real(format, value, verb, precision);
	return write_whole(format, value, verb);
}

/* *rest begins behind a "%" and goes behind the verb. */
static struct kp_cel_value
write_verb(struct format *format, struct kp_bytes *rest)
{
	int precision;
	char verb;

	if (!kp_cel_spend(format->eval, 1))
		return kp_cel_stop(format->eval, format->eval->stopped);
	if (!read_precision(rest, &precision))
		return kp_cel_fail(format->eval,
		    "the precision of a verb is a number from 0 to %d",
		    KP_CEL_MAX_PRECISION);
	verb = rest->len == 0 ? '\0' : (char)rest->data[0];
	if (verb == '\0' || strchr("sdfeboxX%", verb) == NULL)
		return kp_cel_error("format() knows %s, %d, %f, %e, %b, %o, "
				    "%x, %X and %%");
	if (precision != NO_PRECISION && verb != 'f' && verb != 'e')
		return kp_cel_error("a precision is for %f and %e only");
	rest->data++;
	rest->len--;
	if (verb != '%')
		return write_next(format, verb, precision);
	add(format, "%");
	return kp_cel_null();
}

static struct kp_cel_value
write_all(struct format *format, struct kp_bytes rest)
{
	struct kp_cel_value result;

	while (rest.len > 0) {
		const uint8_t *sign = memchr(rest.data, '%', rest.len);
		size_t len =
		    sign == NULL ? rest.len : (size_t)(sign - rest.data);

		kp_cel_text_add(
		    &format->out, (struct kp_bytes){ rest.data, len });
		if (sign == NULL)
			break;
		rest.data += len + 1;
		rest.len -= len + 1;
		result = write_verb(format, &rest);
		if (result.type == KP_CEL_ERROR)
			return result;
	}
	if (format->num_used < format->values->num)
		return kp_cel_error("format() has more values than verbs");
	return kp_cel_text_value(&format->out);
}

struct kp_cel_value
kp_cel_format(const struct kp_cel_call *call)
{
	struct format format = { .eval = call->eval,
		.out = { .eval = call->eval } };

	if (call->args[0].type != KP_CEL_STRING ||
	    call->args[1].type != KP_CEL_LIST)
		return kp_cel_no_overload(call->eval, "format", call->args, 2);
	if (!kp_cel_spend(call->eval, kp_cel_content_steps(call->args[0])))
		return kp_cel_stop(call->eval, KP_CEL_FAULT_COST);
	format.values = call->args[1].as.list;
	return write_all(&format, kp_cel_content(call->args[0]));
}
