/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/kafka/records/crc32c.h"

#include <criterion/criterion.h>

#include "proto/kafka/records/xxh32.h"

#define MAX_LEN 4096

/* One bit at a time: slow, short, and right by sight. */
static uint32_t
slow_crc(struct kp_bytes bytes, uint32_t polynomial)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < bytes.len; i++) {
		crc ^= bytes.data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ ((crc & 1u) != 0 ? polynomial : 0);
	}
	return ~crc;
}

Test(crc32c, published_check_values_come_out)
{
	uint8_t zeros[32] = { 0 }, ones[32];

	for (size_t i = 0; i < sizeof(ones); i++)
		ones[i] = 0xff;
	cr_assert_eq(kp_crc32c(kp_bytes_of("123456789")), 0xe3069283u);
	cr_assert_eq(kp_crc32(kp_bytes_of("123456789")), 0xcbf43926u);
	/* RFC 3720 B.4 */
	cr_assert_eq(kp_crc32c((struct kp_bytes){ zeros, 32 }), 0x8a9136aau);
	cr_assert_eq(kp_crc32c((struct kp_bytes){ ones, 32 }), 0x62a8ab43u);
	cr_assert_eq(kp_crc32c((struct kp_bytes){ 0 }), 0u);
	cr_assert_eq(kp_crc32((struct kp_bytes){ 0 }), 0u);
}

Test(crc32c, every_length_and_alignment_agrees_with_one_bit_at_a_time)
{
	uint8_t data[MAX_LEN];
	struct kp_bytes bytes;

	for (size_t i = 0; i < MAX_LEN; i++)
		data[i] = (uint8_t)(i * 131 + (i >> 5));
	for (size_t len = 0; len < 600; len++) {
		bytes.data = data + len % 13;
		bytes.len = len;
		cr_assert_eq(kp_crc32c(bytes), slow_crc(bytes, 0x82f63b78u));
		cr_assert_eq(kp_crc32(bytes), slow_crc(bytes, 0xedb88320u));
	}
	bytes.data = data;
	bytes.len = MAX_LEN;
	cr_assert_eq(kp_crc32c(bytes), slow_crc(bytes, 0x82f63b78u));
	cr_assert_eq(kp_crc32(bytes), slow_crc(bytes, 0xedb88320u));
}

Test(xxh32, published_values_come_out)
{
	cr_assert_eq(kp_xxh32((struct kp_bytes){ 0 }), 0x02cc5d05u);
	cr_assert_eq(kp_xxh32(kp_bytes_of("a")), 0x550d7456u);
	cr_assert_eq(kp_xxh32(kp_bytes_of("abc")), 0x32d153ffu);
	cr_assert_eq(
	    kp_xxh32(kp_bytes_of("Nobody inspects the spammish repetition")),
	    0xe2293b2fu);
}
