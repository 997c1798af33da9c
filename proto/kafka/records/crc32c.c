/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/kafka/records/crc32c.h"

#include <isa-l/crc.h>

/* ISA-L takes an int as length. */
#define MAX_PIECE (1 << 30)

uint32_t
kp_crc32c(struct kp_bytes bytes)
{
	/* ISA-L only reads, but forgot to say const. */
	unsigned char *data = (unsigned char *)(uintptr_t)bytes.data;
	unsigned crc = UINT32_MAX;
	size_t done = 0, piece;

	while (done < bytes.len) {
		piece = bytes.len - done;
		if (piece > MAX_PIECE)
			piece = MAX_PIECE;
		/* inverts neither at the start nor at the end */
		crc = crc32_iscsi(data + done, (int)piece, crc);
		done += piece;
	}
	return ~crc;
}

uint32_t
kp_crc32(struct kp_bytes bytes)
{
	if (bytes.len == 0)
		return 0;
	return crc32_gzip_refl(0, bytes.data, bytes.len);
}
