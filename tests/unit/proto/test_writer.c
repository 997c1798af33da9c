/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "proto/kafka/reader.h"
#include "proto/kafka/writer.h"

static struct kp_reader
reader_of(const struct kp_buf *buf)
{
	struct kp_reader reader;

	kp_reader_init(&reader, kp_buf_bytes(buf));
	return reader;
}

Test(writer, what_is_written_is_read_back)
{
	static const int64_t numbers[] = { 0, 1, -1, 63, -64, 64, 127, 128,
		-129, 16383, 16384, INT16_MAX, INT16_MIN, INT32_MAX, INT32_MIN,
		INT64_MAX, INT64_MIN };
	struct kp_buf buf;

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		int64_t n = numbers[i];
		struct kp_reader r;
		struct kp_error err;

		kp_buf_init(&buf, 200);
		kp_write_bool(&buf, n != 0);
		kp_write_int8(&buf, (int8_t)n);
		kp_write_int16(&buf, (int16_t)n);
		kp_write_uint16(&buf, (uint16_t)n);
		kp_write_int32(&buf, (int32_t)n);
		kp_write_uint32(&buf, (uint32_t)n);
		kp_write_int64(&buf, n);
		kp_write_float64(&buf, (double)n);
		kp_write_uvarint(&buf, (uint32_t)n);
		kp_write_varint(&buf, (int32_t)n);
		kp_write_varlong(&buf, n);
		r = reader_of(&buf);
		cr_assert_eq(kp_read_bool(&r), n != 0);
		cr_assert_eq(kp_read_int8(&r), (int8_t)n);
		cr_assert_eq(kp_read_int16(&r), (int16_t)n);
		cr_assert_eq(kp_read_uint16(&r), (uint16_t)n);
		cr_assert_eq(kp_read_int32(&r), (int32_t)n);
		cr_assert_eq(kp_read_uint32(&r), (uint32_t)n);
		cr_assert_eq(kp_read_int64(&r), n);
		cr_assert_eq((int64_t)(kp_read_float64(&r) / 2),
		    (int64_t)((double)n / 2));
		cr_assert_eq(kp_read_uvarint(&r), (uint32_t)n);
		cr_assert_eq(kp_read_varint(&r), (int32_t)n);
		cr_assert_eq(kp_read_varlong(&r), n);
		cr_assert(kp_reader_finish(&r, &err), "%s", err.text);
		kp_buf_fini(&buf);
	}
}

Test(writer, the_length_of_a_uvarint_is_known_before)
{
	static const uint32_t values[] = { 0, 127, 128, 16383, 16384, 2097151,
		2097152, 268435455, 268435456, UINT32_MAX };
	static const size_t lens[] = { 1, 1, 2, 2, 3, 3, 4, 4, 5, 5 };

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		uint8_t out[KP_UVARINT_MAX_LEN];

		cr_assert_eq(kp_uvarint_len(values[i]), lens[i]);
		cr_assert_eq(kp_uvarint_put(out, values[i]), lens[i]);
	}
}

typedef void (*write_fn)(struct kp_buf *buf, struct kp_bytes value);

Test(writer, texts_have_two_encodings)
{
	static const struct {
		write_fn write;
		const char *content;
		const char *bytes;
		size_t len;
	} table[] = {
		{ kp_write_string, "hi", "\x00\x02hi", 4 },
		{ kp_write_string, "", "\x00\x00", 2 },
		{ kp_write_string, NULL, "\xff\xff", 2 },
		{ kp_write_bytes, "hi", "\x00\x00\x00\x02hi", 6 },
		{ kp_write_bytes, NULL, "\xff\xff\xff\xff", 4 },
		{ kp_write_compact, "hi", "\x03hi", 3 },
		{ kp_write_compact, "", "\x01", 1 },
		{ kp_write_compact, NULL, "\x00", 1 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct kp_bytes null = { 0 };
		struct kp_bytes want = { (const uint8_t *)table[i].bytes,
			table[i].len };
		struct kp_buf buf;

		kp_buf_init(&buf, 100);
		table[i].write(&buf, table[i].content == NULL
					 ? null
					 : kp_bytes_of(table[i].content));
		cr_assert(!buf.failed);
		cr_assert(kp_bytes_equal(kp_buf_bytes(&buf), want));
		kp_buf_fini(&buf);
	}
}

Test(writer, values_that_do_not_fit_fail)
{
	static uint8_t large[INT16_MAX + 1];
	struct kp_bytes text = { large, sizeof(large) };
	/* compilers see through a constant */
	volatile size_t too_much = (size_t)INT32_MAX + 1;
	struct kp_bytes huge = { large, too_much };
	struct kp_buf buf;

	kp_buf_init(&buf, 1 << 20);
	kp_write_string(&buf, text);
	cr_assert(buf.failed && buf.len == 0);
	kp_buf_clear(&buf);
	kp_write_compact(&buf, text);
	cr_assert(!buf.failed);
	kp_buf_clear(&buf);
	kp_write_bytes(&buf, huge);
	cr_assert(buf.failed && buf.len == 0);
	kp_buf_clear(&buf);
	kp_write_compact(&buf, huge);
	cr_assert(buf.failed && buf.len == 0);
	kp_buf_clear(&buf);
	kp_write_length32(&buf, -2);
	cr_assert(buf.failed);
	kp_write_int32(&buf, 7);
	cr_assert_eq(buf.len, 0);
	kp_buf_fini(&buf);
}

Test(writer, a_length_is_filled_in_later)
{
	struct kp_bytes want = { (const uint8_t *)"\x09\x00\x00\x00\x02hi", 7 };
	struct kp_buf buf;
	size_t begin;

	kp_buf_init(&buf, 100);
	kp_write_int8(&buf, 9);
	begin = kp_write_begin_int32(&buf);
	kp_buf_add_text(&buf, "hi");
	kp_write_end_int32(&buf, begin);
	cr_assert(kp_bytes_equal(kp_buf_bytes(&buf), want));
	kp_buf_fini(&buf);
	kp_buf_init(&buf, 3);
	begin = kp_write_begin_int32(&buf);
	kp_write_end_int32(&buf, begin);
	cr_assert(buf.failed);
	kp_buf_fini(&buf);
}
