/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as packed tables: refused, or packed again to the same tables. */
#include <stddef.h>
#include <stdint.h>

#include "rules/tables.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
pack(struct kp_buf *out, const struct kp_tables *tables)
{
	kp_buf_init(out, 64u << 20);
	kp_assert(kp_tables_pack(out, tables, true));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kp_error err = { 0 };
	struct kp_tables *tables =
	    kp_tables_unpack((struct kp_bytes){ data, size }, &err);
	struct kp_tables *again;
	struct kp_buf packed, repacked;

	if (tables == NULL) {
		kp_assert(err.kind != KP_ERR_NONE);
		return 0;
	}
	pack(&packed, tables);
	again = kp_tables_unpack(kp_buf_bytes(&packed), &err);
	kp_assert(again != NULL);
	pack(&repacked, again);
	kp_assert(
	    kp_bytes_equal(kp_buf_bytes(&packed), kp_buf_bytes(&repacked)));
	kp_buf_fini(&packed);
	kp_buf_fini(&repacked);
	kp_tables_free(tables);
	kp_tables_free(again);
	return 0;
}
