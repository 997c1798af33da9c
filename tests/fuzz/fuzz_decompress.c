/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hostile compressed bytes: the first byte picks codec and magic, what comes
 * out is held to 1 MiB and must survive being compressed and decompressed
 * again.
 */
#include <stdlib.h>

#include "proto/kafka/records/compress.h"

#define MAX_LEN ((size_t)1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
round_trip(struct kp_compression *compression, enum kp_codec codec,
    int8_t magic, struct kp_bytes plain)
{
	struct kp_buf packed, back;
	struct kp_error err;

	kp_buf_init(&packed, 2 * MAX_LEN);
	kp_buf_init(&back, plain.len);
	if (!kp_compress(compression, &packed, codec, magic, plain, &err) ||
	    !kp_decompress(compression, &back, codec, magic,
		kp_buf_bytes(&packed), &err) ||
	    !kp_bytes_equal(plain, kp_buf_bytes(&back)))
		abort();
	kp_buf_fini(&packed);
	kp_buf_fini(&back);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct kp_compression compression = { 0 };
	struct kp_bytes in;
	enum kp_codec codec;
	struct kp_error err;
	struct kp_buf out;
	int8_t magic;

	if (len == 0)
		return 0;
	codec = (enum kp_codec)(data[0] & 7);
	magic = (int8_t)((data[0] >> 3) % 3);
	in.data = data + 1;
	in.len = len - 1;
	kp_buf_init(&out, MAX_LEN);
	if (kp_decompress(&compression, &out, codec, magic, in, &err))
		round_trip(&compression, codec, magic, kp_buf_bytes(&out));
	if (out.len > MAX_LEN)
		abort();
	kp_buf_fini(&out);
	kp_compression_fini(&compression);
	return 0;
}
