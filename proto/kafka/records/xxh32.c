/* SPDX-License-Identifier: Apache-2.0 */
/* The names are those of the specification of xxHash, section XXH32. */
#include "proto/kafka/records/xxh32.h"

#define PRIME1 2654435761u
#define PRIME2 2246822519u
#define PRIME3 3266489917u
#define PRIME4 668265263u
#define PRIME5 374761393u
#define STRIPE_LEN 16
#define LANE_LEN 4

static uint32_t
rotate(uint32_t value, unsigned bits)
{
	return value << bits | value >> (32 - bits);
}

static uint32_t
load(const uint8_t *from)
{
	return (uint32_t)from[0] | (uint32_t)from[1] << 8 |
	       (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}

static uint32_t
round_of(uint32_t accumulator, const uint8_t *lane)
{
	return rotate(accumulator + load(lane) * PRIME2, 13) * PRIME1;
}

/* All whole stripes; *pos moves behind them. */
static uint32_t
stripes(const uint8_t **pos, const uint8_t *end)
{
	uint32_t acc1 = PRIME1 + PRIME2, acc2 = PRIME2, acc3 = 0;
	uint32_t acc4 = 0u - PRIME1;

	for (; end - *pos >= STRIPE_LEN; *pos += STRIPE_LEN) {
		acc1 = round_of(acc1, *pos);
		acc2 = round_of(acc2, *pos + LANE_LEN);
		acc3 = round_of(acc3, *pos + 2 * LANE_LEN);
		acc4 = round_of(acc4, *pos + 3 * LANE_LEN);
	}
	return rotate(acc1, 1) + rotate(acc2, 7) + rotate(acc3, 12) +
	       rotate(acc4, 18);
}

static uint32_t
avalanche(uint32_t acc)
{
	acc = (acc ^ acc >> 15) * PRIME2;
	acc = (acc ^ acc >> 13) * PRIME3;
	return acc ^ acc >> 16;
}

uint32_t
kp_xxh32(struct kp_bytes bytes)
{
	static const uint8_t nothing[1];
	const uint8_t *pos = bytes.len > 0 ? bytes.data : nothing;
	const uint8_t *end = pos + bytes.len;
	uint32_t acc = PRIME5;

	if (bytes.len >= STRIPE_LEN)
		acc = stripes(&pos, end);
	acc += (uint32_t)bytes.len;
	for (; end - pos >= LANE_LEN; pos += LANE_LEN)
		acc = rotate(acc + load(pos) * PRIME3, 17) * PRIME4;
	for (; pos < end; pos++)
		acc = rotate(acc + *pos * PRIME5, 11) * PRIME1;
	return avalanche(acc);
}
