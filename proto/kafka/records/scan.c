/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/kafka/records/scan.h"

#include "proto/kafka/reader.h"
#include "proto/kafka/records/batch_priv.h"

/* Up to here all magics have what tells them apart. */
#define MAGIC_END 17
/* Magic 0 and 1: attributes behind the magic are all that is of interest. */
#define LEGACY_HEADER_LEN 18

void
kp_batch_scan_begin(struct kp_batch_scan *scan, size_t field_len)
{
	scan->field_left = field_len;
	scan->have = 0;
}

/* How many bytes of a header are needed, given those that are there. */
static size_t
wanted_len(const struct kp_batch_scan *scan)
{
	if (scan->have < MAGIC_END)
		return MAGIC_END;
	return scan->header[MAGIC_END - 1] == KP_BATCH_MAX_MAGIC
		   ? KP_BATCH_HEADER_LEN
		   : LEGACY_HEADER_LEN;
}

/* Takes bytes of a header from data; returns how many. */
static size_t
collect(struct kp_batch_scan *scan, const uint8_t *data, size_t len)
{
	size_t used = 0;

	while (used < len && scan->have < wanted_len(scan)) {
		size_t n = wanted_len(scan) - scan->have;

		if (n > len - used)
			n = len - used;
		kp_copy(scan->header + scan->have, data + used, n);
		scan->have += n;
		used += n;
	}
	return used;
}

/* Reads a complete header; false if it is none. */
static bool
read_head(const struct kp_batch_scan *scan, struct kp_batch_head *head)
{
	struct kp_bytes bytes = { scan->header, scan->have };
	struct kp_reader reader;
	int32_t len;

	kp_reader_init(&reader, bytes);
	(void)kp_read_int64(&reader);
	len = kp_read_int32(&reader);
	(void)kp_read_int32(&reader);
	head->magic = kp_read_int8(&reader);
	if (len < KP_LEGACY_MIN_LEN || head->magic < 0 ||
	    head->magic > KP_BATCH_MAX_MAGIC)
		return false;
	head->len = (size_t)len + KP_BATCH_PREFIX_LEN;
	if (head->magic < KP_BATCH_MAX_MAGIC) {
		head->attributes =
		    kp_read_int8(&reader) & KP_BATCH_LEGACY_ATTRIBUTES;
		head->num_records =
		    (head->attributes & KP_BATCH_CODEC_MASK) == 0 ? 1 : -1;
		return true;
	}
	(void)kp_read_uint32(&reader);
	head->attributes = kp_read_int16(&reader);
	(void)kp_read_raw(&reader, KP_BATCH_COUNT_AT - KP_BATCH_CRC_START - 2);
	head->num_records = kp_read_int32(&reader);
	return head->len >= KP_BATCH_HEADER_LEN && head->num_records >= 0;
}

/* Nothing more of this field is of interest. */
static size_t
end_field(struct kp_batch_scan *scan)
{
	size_t left = scan->field_left;

	*scan = (struct kp_batch_scan){ 0 };
	return left;
}

size_t
kp_batch_scan_feed(struct kp_batch_scan *scan, const uint8_t *data, size_t len,
    kp_batch_seen_fn seen, void *context, bool *out_is_bad)
{
	struct kp_batch_head head;

	kp_assert(len <= scan->field_left);
	*out_is_bad = false;
	while (len > 0) {
		size_t used = collect(scan, data, len), body_len;

		data += used;
		len -= used;
		scan->field_left -= used;
		if (scan->have < wanted_len(scan))
			return 0;
		if (!read_head(scan, &head)) {
			*out_is_bad = true;
			scan->field_left -= len;
			return end_field(scan);
		}
		body_len = head.len - scan->have;
		if (body_len > scan->field_left) {
			scan->field_left -= len;
			return end_field(scan);
		}
		seen(context, &head);
		scan->have = 0;
		scan->field_left -= body_len;
		if (body_len >= len)
			return body_len - len;
		data += body_len;
		len -= body_len;
	}
	return 0;
}
