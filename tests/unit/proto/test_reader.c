/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "proto/kafka/reader.h"

static struct kp_reader
reader_of(const void *data, size_t len)
{
	struct kp_bytes bytes = { data, len };
	struct kp_reader reader;

	kp_reader_init(&reader, bytes);
	return reader;
}

Test(reader, numbers_are_big_endian_and_signed)
{
	static const uint8_t data[] = { 0x80, 0xff, 0xfe, 0xff, 0xfe, 0x80, 0,
		0, 1, 0x80, 0, 0, 1, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0, 0, 2 };
	struct kp_reader r = reader_of(data, sizeof(data));
	struct kp_error err;

	cr_assert_eq(kp_read_int8(&r), INT8_MIN);
	cr_assert_eq(kp_read_int16(&r), -2);
	cr_assert_eq(kp_read_uint16(&r), 0xfffe);
	cr_assert_eq(kp_read_int32(&r), INT32_MIN + 1);
	cr_assert_eq(kp_read_uint32(&r), 0x80000001u);
	cr_assert_eq(kp_read_int64(&r), INT64_MAX);
	cr_assert(kp_read_float64(&r) > 1.49 && kp_reader_left(&r) == 2);
	cr_assert_eq(kp_read_bool(&r), false);
	cr_assert_eq(kp_read_bool(&r), true);
	cr_assert(kp_reader_finish(&r, &err));
}

struct varying {
	const char *bytes;
	size_t len;
	bool is_valid;
	uint32_t unsigned_value;
	int32_t signed_value;
};

Test(reader, uvarints_are_minimal_and_at_most_five_bytes)
{
	static const struct varying table[] = {
		{ "\x00", 1, true, 0, 0 },
		{ "\x01", 1, true, 1, -1 },
		{ "\x7f", 1, true, 127, -64 },
		{ "\x80\x01", 2, true, 128, 64 },
		{ "\xff\x7f", 2, true, 16383, -8192 },
		{ "\xff\xff\xff\xff\x0f", 5, true, UINT32_MAX, INT32_MIN },
		{ "\xfe\xff\xff\xff\x0f", 5, true, UINT32_MAX - 1, INT32_MAX },
		{ "\xff\xff\xff\xff\x1f", 5, false, 0, 0 },
		{ "\xff\xff\xff\xff\x8f", 5, false, 0, 0 },
		{ "\x80\x80\x80\x80\x80\x00", 6, false, 0, 0 },
		{ "\x80\x00", 2, false, 0, 0 },
		{ "\x81\x80\x00", 3, false, 0, 0 },
		{ "\x80", 1, false, 0, 0 },
		{ "", 0, false, 0, 0 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const struct varying *v = &table[i];
		struct kp_reader u = reader_of(v->bytes, v->len);
		struct kp_reader s = reader_of(v->bytes, v->len);
		struct kp_error err;

		cr_assert_eq(kp_read_uvarint(&u), v->unsigned_value);
		cr_assert_eq(kp_read_varint(&s), v->signed_value);
		cr_assert_eq(kp_reader_finish(&u, &err), v->is_valid);
		cr_assert_eq(kp_reader_finish(&s, &err), v->is_valid);
	}
}

Test(reader, varlongs_have_at_most_ten_bytes)
{
	struct kp_reader min =
	    reader_of("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10);
	struct kp_reader max =
	    reader_of("\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10);
	struct kp_reader wide =
	    reader_of("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10);
	struct kp_reader longer =
	    reader_of("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x81\x00", 11);

	cr_assert_eq(kp_read_varlong(&min), INT64_MIN);
	cr_assert_eq(kp_read_varlong(&max), INT64_MAX);
	cr_assert_eq(kp_read_varlong(&wide), 0);
	cr_assert_eq(kp_read_varlong(&longer), 0);
	cr_assert(!min.failed && !max.failed && wide.failed && longer.failed);
	cr_assert(!wide.is_short && !longer.is_short);
}

Test(reader, a_failure_is_sticky_and_later_reads_give_zero)
{
	struct kp_reader r = reader_of("\x01\x02\x03", 3);
	struct kp_error err;

	cr_assert_eq(kp_read_int32(&r), 0);
	cr_assert_eq(kp_read_int8(&r), 0);
	cr_assert_null(kp_read_raw(&r, 1).data);
	cr_assert_null(kp_read_string(&r).data);
	cr_assert_eq(kp_reader_left(&r), 0);
	cr_assert(r.failed && r.is_short);
	cr_assert(!kp_reader_finish(&r, &err));
	cr_assert_eq(err.kind, KP_ERR_PROTOCOL);
}

Test(reader, a_huge_length_does_not_wrap)
{
	struct kp_reader r = reader_of("\x01\x02\x03", 3);

	cr_assert_null(kp_read_raw(&r, SIZE_MAX).data);
	cr_assert(r.failed);
}

Test(reader, empty_input_is_no_null_pointer)
{
	struct kp_bytes null = { 0 };
	struct kp_reader r;
	struct kp_error err;

	kp_reader_init(&r, null);
	cr_assert_not_null(r.pos);
	cr_assert_not_null(kp_read_raw(&r, 0).data);
	cr_assert(kp_reader_finish(&r, &err));
}

Test(reader, bytes_left_over_fail)
{
	struct kp_reader r = reader_of("\x01\x02\x03", 3);
	struct kp_error err;

	(void)kp_read_int16(&r);
	cr_assert(!kp_reader_finish(&r, &err));
	cr_assert_str_eq(err.text, "1 bytes are left over");
}

typedef struct kp_bytes (*read_fn)(struct kp_reader *reader);

struct text {
	read_fn read;
	const char *bytes;
	size_t len;
	bool is_valid;
	const char *content; /* NULL for null */
};

Test(reader, strings_and_bytes_have_two_encodings)
{
	static const struct text table[] = {
		{ kp_read_string, "\x00\x02hi", 4, true, "hi" },
		{ kp_read_string, "\x00\x00", 2, true, "" },
		{ kp_read_string, "\xff\xff", 2, true, NULL },
		{ kp_read_string, "\xff\xfe", 2, false, NULL },
		{ kp_read_string, "\x00\x03hi", 4, false, NULL },
		{ kp_read_bytes, "\x00\x00\x00\x02hi", 6, true, "hi" },
		{ kp_read_bytes, "\xff\xff\xff\xff", 4, true, NULL },
		{ kp_read_bytes, "\xff\xff\xff\xfe", 4, false, NULL },
		{ kp_read_bytes, "\x7f\xff\xff\xffhi", 6, false, NULL },
		{ kp_read_compact, "\x03hi", 3, true, "hi" },
		{ kp_read_compact, "\x01", 1, true, "" },
		{ kp_read_compact, "\x00", 1, true, NULL },
		{ kp_read_compact, "\x04hi", 3, false, NULL },
		{ kp_read_compact, "\xff\xff\xff\xff\x0f", 5, false, NULL },
		{ kp_read_compact, "\x80\x80\x80\x80\x08", 5, false, NULL },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const struct text *t = &table[i];
		struct kp_reader r = reader_of(t->bytes, t->len);
		struct kp_bytes got = t->read(&r);
		struct kp_error err;

		cr_assert_eq(kp_reader_finish(&r, &err), t->is_valid);
		cr_assert_eq(got.data == NULL, t->content == NULL);
		cr_assert(t->content == NULL ||
			  kp_bytes_equal(got, kp_bytes_of(t->content)));
	}
}

Test(reader, a_nested_reader_ends_where_it_should)
{
	struct kp_reader r = reader_of("\x01\x02\x03\x04", 4), sub;
	struct kp_error err;

	kp_reader_sub(&r, &sub, 2);
	cr_assert_eq(kp_read_int16(&sub), 0x0102);
	cr_assert(kp_reader_finish(&sub, &err));
	cr_assert_eq(kp_read_int8(&r), 3);
	kp_reader_sub(&r, &sub, 2);
	cr_assert(sub.failed && r.failed);
	cr_assert_eq(kp_read_int8(&sub), 0);
}

Test(reader, what_the_caller_finds_impossible_fails)
{
	struct kp_reader r = reader_of("\x01", 1);
	struct kp_error err;

	kp_reader_fail(&r);
	cr_assert_eq(kp_read_int8(&r), 0);
	cr_assert(!kp_reader_finish(&r, &err));
}
