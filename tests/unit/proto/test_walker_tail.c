/* SPDX-License-Identifier: Apache-2.0 */
/* Tails that must keep the length that was announced for them. */
#include <criterion/criterion.h>

#include <stdlib.h>

#include "proto/kafka/writer.h"
#include "tests/support/walks.h"

#define PRODUCE 0
#define FETCH 1
#define METADATA 3
#define SHARE_FETCH 78

#define MAX_HOST 400

static uint8_t host_text[MAX_HOST];

/* An answer whose tail has endpoints, up to them. */
struct shape {
	int16_t key, version;
	bool is_tagged;
	const char *head;
	size_t head_len;
};

/* clang-format off */
static const struct shape shapes[] = {
	{ FETCH, 16, true, "\0\0\0\0\0\0\0\0\0\0\1", 11 },
	{ PRODUCE, 10, true, "\1\0\0\0\0", 5 },
	{ SHARE_FETCH, 1, false, "\0\0\0\0\0\0\0\0\0\0\0\1", 12 },
};
/* clang-format on */
#define NUM_SHAPES (sizeof(shapes) / sizeof(shapes[0]))

static void
write_endpoints(struct kp_buf *out, unsigned num, size_t host_len)
{
	struct kp_bytes host = { host_text, host_len };

	memset(host_text, 'h', sizeof(host_text));
	kp_write_compact_length(out, num);
	for (unsigned i = 0; i < num; i++) {
		kp_write_int32(out, (int32_t)i);
		kp_write_compact(out, host);
		kp_write_int32(out, 9092);
		kp_write_compact(out, kp_bytes_of("rack"));
		kp_write_uvarint(out, 0);
	}
}

static struct kp_buf
body_of(const struct shape *shape, unsigned num, size_t host_len)
{
	struct kp_buf body, endpoints;

	kp_buf_init(&body, 1 << 20);
	kp_buf_init(&endpoints, 1 << 20);
	write_endpoints(&endpoints, num, host_len);
	kp_buf_add(&body, shape->head, shape->head_len);
	if (shape->is_tagged) {
		kp_write_uvarint(&body, 1);
		kp_write_uvarint(&body, 0);
		kp_write_uvarint(&body, (uint32_t)endpoints.len);
	}
	kp_buf_add(&body, endpoints.data, endpoints.len);
	if (!shape->is_tagged)
		kp_write_uvarint(&body, 0);
	kp_buf_fini(&endpoints);
	return body;
}

/* Gives every host a new length, or counts the endpoints that are left. */
struct hosts {
	size_t new_len;
	unsigned num_hosts;
	bool only_counts;
};

static enum kp_verdict
visit_host(void *context, const struct kp_visit *visit,
    struct kp_replacement *out, struct kp_error *err)
{
	struct hosts *hosts = context;

	(void)err;
	if (visit->kind != KP_VISIT_VALUE)
		return KP_KEEP;
	hosts->num_hosts++;
	if (hosts->only_counts) {
		cr_assert_eq(visit->len, hosts->new_len);
		return KP_KEEP;
	}
	out->bytes = (struct kp_bytes){ host_text, hosts->new_len };
	return KP_REPLACE;
}

static bool
walk_tail(const struct shape *shape, struct kp_buf *out, struct kp_buf *body,
    size_t new_len, struct kp_error *err)
{
	struct hosts hosts = { .new_len = new_len };
	struct kp_visitor visitor = { KP_ENTITY_BIT(KP_E_HOST), visit_host,
		&hosts };

	kp_buf_clear(out);
	return kp_walk_in_pieces(out,
	    &(struct kp_pieces){ kp_api_find(shape->key)->response,
		shape->version, &visitor, 1000, 1 },
	    body->data, body->len, err);
}

static unsigned
count_endpoints(
    const struct shape *shape, const struct kp_buf *body, size_t host_len)
{
	struct hosts hosts = { .new_len = host_len, .only_counts = true };
	struct kp_visitor visitor = { KP_ENTITY_BIT(KP_E_HOST), visit_host,
		&hosts };
	struct kp_error err;

	cr_assert(kp_walk_whole(kp_api_find(shape->key)->response,
		      shape->version, kp_buf_bytes(body), &visitor, NULL, &err),
	    "%s", err.text);
	return hosts.num_hosts;
}

/* Every gap from 300 down to the impossible 1, and then what is too long. */
static void
check_gaps(const struct shape *shape)
{
	struct kp_buf body = body_of(shape, 1, 310), out;
	size_t num_kept = 0;

	kp_buf_init(&out, 1 << 20);
	for (size_t new_len = 0; new_len < 330; new_len++) {
		struct kp_buf natural = body_of(shape, 1, new_len);
		bool fits =
		    natural.len <= body.len && body.len - natural.len != 1;
		struct kp_error err = { 0 };

		cr_assert(walk_tail(shape, &out, &body, new_len, &err), "%s",
		    err.text);
		cr_assert_eq(out.len, body.len);
		cr_assert_eq(count_endpoints(shape, &out, new_len),
		    fits ? 1u : 0u, "gap %d", (int)body.len - (int)natural.len);
		num_kept += fits;
		kp_buf_fini(&natural);
	}
	cr_assert_eq(num_kept, 310);
	kp_buf_fini(&body);
	kp_buf_fini(&out);
}

Test(walker_tail, keeps_its_length_whatever_the_gap)
{
	for (size_t i = 0; i < NUM_SHAPES; i++)
		check_gaps(&shapes[i]);
}

Test(walker_tail, leaves_out_endpoints_until_the_others_fit)
{
	static const struct {
		unsigned num, num_kept;
		size_t new_len;
	} table[] = { { 3, 3, 10 }, { 3, 1, 20 }, { 8, 4, 30 }, { 8, 2, 60 },
		{ 8, 0, 350 }, { 1, 0, 11 }, { 0, 0, 11 } };

	for (size_t s = 0; s < NUM_SHAPES; s++) {
		for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
			struct kp_buf body =
			    body_of(&shapes[s], table[i].num, 10);
			struct kp_error err = { 0 };
			struct kp_buf out;

			kp_buf_init(&out, 1 << 20);
			cr_assert(walk_tail(&shapes[s], &out, &body,
				      table[i].new_len, &err),
			    "%s", err.text);
			cr_assert_eq(out.len, body.len);
			cr_assert_eq(
			    count_endpoints(&shapes[s], &out, table[i].new_len),
			    table[i].num_kept, "case %d", (int)i);
			kp_buf_fini(&out);
			kp_buf_fini(&body);
		}
	}
}

Test(walker_tail, the_filler_is_an_ordinary_tagged_field)
{
	/* One endpoint of host "hhhhh" for "h": four bytes of filler. */
	static const char want[] = "\0\0\0\0\0\0\0\0\0\0\1"
				   "\2\0\21\2\0\0\0\0\2h\0\0\x23\x84\5rack\0"
				   "\x64\2\0\0";
	struct kp_bytes bytes = { (const uint8_t *)want, sizeof(want) - 1 };
	struct kp_buf body = body_of(&shapes[0], 1, 5), out;
	struct kp_error err = { 0 };

	kp_buf_init(&out, 1000);
	cr_assert(walk_tail(&shapes[0], &out, &body, 1, &err));
	cr_assert(kp_bytes_equal(kp_buf_bytes(&out), bytes));
	kp_buf_fini(&body);
	kp_buf_fini(&out);
}

Test(walker_tail, unknown_fields_become_filler)
{
	static const uint32_t nums[] = { 1, 2, 126, 127, 128, 400 };

	for (size_t i = 0; i < sizeof(nums) / sizeof(nums[0]); i++) {
		const struct shape *shape = &shapes[0];
		struct kp_error err = { 0 };
		struct kp_buf body, out;

		kp_buf_init(&body, 1 << 20);
		kp_buf_init(&out, 1 << 20);
		kp_buf_add(&body, shape->head, shape->head_len);
		kp_write_uvarint(&body, nums[i]);
		for (uint32_t tag = 1; tag <= nums[i]; tag++) {
			kp_write_uvarint(&body, tag);
			kp_buf_add(&body, "\6secret", 7);
		}
		cr_assert(
		    walk_tail(shape, &out, &body, 1, &err), "%s", err.text);
		cr_assert_eq(out.len, body.len);
		cr_assert_null(memmem(out.data, out.len, "secret", 6));
		cr_assert_eq(out.data[shape->head_len], 1);
		(void)count_endpoints(shape, &out, 0);
		kp_buf_fini(&body);
		kp_buf_fini(&out);
	}
}

/* An empty Metadata v0 answer but for one broker: no tags, so no filler. */
Test(walker_tail, an_old_version_fits_exactly_or_not_at_all)
{
	static const char head[] = "\0\0\0\1\0\0\0\7\0\4host\0\0\0\11\0\0\0\0";
	static const struct shape shape = { METADATA, 0, false, head,
		sizeof(head) - 1 };

	for (size_t new_len = 0; new_len < 8; new_len++) {
		struct kp_error err = { 0 };
		struct kp_buf body, out;

		kp_buf_init(&body, 1000);
		kp_buf_init(&out, 1000);
		kp_buf_add(&body, head, sizeof(head) - 1);
		cr_assert_eq(walk_tail(&shape, &out, &body, new_len, &err),
		    new_len == 4);
		cr_assert(new_len == 4 || err.kind == KP_ERR_LIMIT);
		kp_buf_fini(&body);
		kp_buf_fini(&out);
	}
}

Test(walker_tail, a_malformed_tail_is_refused)
{
	struct kp_buf body = body_of(&shapes[0], 2, 5), out;
	struct kp_error err = { 0 };

	kp_buf_init(&out, 1000);
	body.data[body.len - 1] = 9; /* nine tagged fields that are not there */
	cr_assert(!walk_tail(&shapes[0], &out, &body, 1, &err));
	cr_assert_eq(err.kind, KP_ERR_PROTOCOL);
	kp_buf_fini(&body);
	kp_buf_fini(&out);
}
