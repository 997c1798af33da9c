/* SPDX-License-Identifier: Apache-2.0 */
/* Walking in pieces: what may be changed, what is passed over, where it ends.
 */
#include <criterion/criterion.h>

#include <stdlib.h>

#include "proto/kafka/writer.h"
#include "tests/support/walks.h"

#define FETCH 1
#define SASL_HANDSHAKE 17
#define SASL_AUTHENTICATE 36

/* A Fetch v12 answer: one topic, one partition, so many bytes of records. */
static struct kp_buf
fetch_of(uint32_t records_len)
{
	struct kp_buf buf;
	uint8_t *records;

	kp_buf_init(&buf, 64 << 20);
	kp_write_int32(&buf, 0);
	kp_write_int16(&buf, 0);
	kp_write_int32(&buf, 0);
	kp_write_compact_length(&buf, 1);
	kp_write_compact(&buf, kp_bytes_of("topic"));
	kp_write_compact_length(&buf, 1);
	kp_write_int32(&buf, 5);
	kp_write_int16(&buf, 0);
	kp_write_int64(&buf, 1);
	kp_write_int64(&buf, 1);
	kp_write_int64(&buf, 1);
	kp_write_compact_length(&buf, -1);
	kp_write_int32(&buf, -1);
	kp_write_compact_length(&buf, records_len);
	records = kp_buf_extend(&buf, records_len);
	cr_assert_not_null(records);
	memset(records, 'r', records_len);
	/* Leader 3 of epoch 4 and an unknown field; no others anywhere. */
	kp_buf_add(&buf, "\2\1\11\0\0\0\3\0\0\0\4\0\11\3xyz\0\0", 19);
	return buf;
}

struct script {
	enum kp_entity entity;
	enum kp_verdict verdict;
	struct kp_replacement replacement;
	bool writes;
};

static enum kp_verdict
visit_script(void *context, const struct kp_visit *visit,
    struct kp_replacement *out, struct kp_error *err)
{
	const struct script *script = context;

	(void)err;
	if (visit->field->entity != script->entity)
		return KP_KEEP;
	if (script->writes)
		memset(visit->data, 'T', visit->len);
	*out = script->replacement;
	return script->verdict;
}

static bool
walk(struct kp_buf *body, struct kp_buf *out, struct script *script,
    uint32_t max_piece, struct kp_error *err)
{
	struct kp_visitor visitor = { UINT64_MAX & ~KP_ENTITY_BIT(KP_E_RECORDS),
		visit_script, script };

	kp_buf_init(out, 64 << 20);
	return kp_walk_in_pieces(out,
	    &(struct kp_pieces){
		kp_api_find(FETCH)->response, 12, &visitor, max_piece, 1 },
	    body->data, body->len, err);
}

static bool
contains(const struct kp_buf *buf, const char *bytes, size_t len)
{
	return memmem(buf->data, buf->len, bytes, len) != NULL;
}

Test(walker_feed, numbers_and_texts_change_in_place)
{
	static const uint32_t pieces[] = { 1, 3, 1000 };

	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		struct script node = { KP_E_NODE_ID, KP_REPLACE,
			.replacement = { .number = 0x01020304 } };
		struct script name = { KP_E_TOPIC_NAME, KP_REPLACE,
			.replacement = { .bytes = kp_bytes_of("TOPIC") } };
		struct script own = { KP_E_TOPIC_NAME, KP_KEEP,
			.writes = true };
		struct kp_buf body = fetch_of(10), out;
		struct kp_error err = { 0 };
		size_t len = body.len;

		cr_assert(walk(&body, &out, &node, pieces[i], &err));
		cr_assert(contains(&out, "\1\11\1\2\3\4\0\0\0\4\0", 11));
		cr_assert(contains(&out, "\11\3\0\0\0", 5), "blanked");
		cr_assert_eq(out.len, len);
		kp_buf_fini(&out);
		cr_assert(walk(&body, &out, &name, pieces[i], &err));
		cr_assert(contains(&out, "\6TOPIC", 6));
		kp_buf_fini(&out);
		cr_assert(walk(&body, &out, &own, pieces[i], &err));
		cr_assert(contains(&out, "\6TTTTT", 6));
		kp_buf_fini(&out);
		kp_buf_fini(&body);
	}
}

Test(walker_feed, lengths_cannot_change)
{
	static const struct script table[] = {
		{ KP_E_TOPIC_NAME, KP_REPLACE, .replacement = { .number = 0 } },
		{ KP_E_TOPIC_NAME, KP_REPLACE,
		    .replacement = { .bytes = { (const uint8_t *)"x", 1 } } },
		{ KP_E_TOPIC_NAME, KP_DROP, .writes = false },
		{ KP_E_NODE_ID, KP_CLEAR, .writes = false },
		{ KP_E_NODE_ID, KP_REPLACE,
		    .replacement = { .number = INT64_MAX } },
		{ KP_E_NONE, KP_DROP, .writes = false },
		{ KP_E_NONE, KP_CLEAR, .writes = false },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct script script = table[i];
		struct kp_buf body = fetch_of(10), out;
		struct kp_error err = { 0 };

		cr_assert(!walk(&body, &out, &script, 10, &err));
		cr_assert_eq(err.kind, KP_ERR_UNSUPPORTED, "%d", (int)i);
		kp_buf_fini(&out);
		kp_buf_fini(&body);
	}
}

/* No piece is kept: what is not of interest is used as it comes. */
Test(walker_feed, records_of_any_length_pass_piece_by_piece)
{
	struct kp_buf body = fetch_of(10 << 20);
	struct kp_visitor visitor = { KP_ENTITY_BIT(KP_E_NODE_ID),
		kp_keep_all.visit, NULL };
	struct kp_walker walker;
	struct kp_error err = { 0 };
	enum kp_walk_status status = KP_WALK_MORE;
	size_t start = 0, end = 0, used;

	kp_walk_init(
	    &walker, kp_api_find(FETCH)->response, 12, body.len, &visitor);
	kp_walk_stop_at_tail(&walker);
	while (status == KP_WALK_MORE) {
		cr_assert(end - start < 16, "%zu bytes are kept", end - start);
		end = end + 4096 < body.len ? end + 4096 : body.len;
		status = kp_walk_feed(
		    &walker, body.data + start, end - start, &used, &err);
		start += used;
	}
	cr_assert_eq(status, KP_WALK_TAIL);
	cr_assert_eq(walker.offset, start);
	cr_assert_eq(start, body.len - 1);
	kp_buf_fini(&body);
}

Test(walker_feed, a_value_of_interest_has_a_limit)
{
	static const struct {
		uint32_t len;
		bool is_valid;
	} table[] = { { KP_WALK_MAX_VALUE, true },
		{ KP_WALK_MAX_VALUE + 1, false } };

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct kp_buf body, out;
		struct kp_error err = { 0 };

		kp_buf_init(&body, 1 << 20);
		kp_buf_init(&out, 1 << 20);
		kp_write_compact_length(&body, table[i].len);
		cr_assert_not_null(kp_buf_extend(&body, table[i].len));
		kp_write_uvarint(&body, 0);
		cr_assert_eq(kp_walk_in_pieces(&out,
				 &(struct kp_pieces){
				     kp_api_find(SASL_AUTHENTICATE)->request, 2,
				     &kp_keep_all, 9000, 1 },
				 body.data, body.len, &err),
		    table[i].is_valid);
		cr_assert(table[i].is_valid || err.kind == KP_ERR_LIMIT);
		kp_buf_fini(&out);
		kp_buf_fini(&body);
	}
}

/* Sees of records what it asks for: runs of seen bytes, then unseen ones. */
struct records {
	int64_t len;
	size_t num_seen;
	int64_t unseen; /* after each piece */
};

static enum kp_verdict
visit_records(void *context, const struct kp_visit *visit,
    struct kp_replacement *out, struct kp_error *err)
{
	struct records *records = context;

	(void)err;
	if (visit->field->entity != KP_E_RECORDS)
		return KP_KEEP;
	if (visit->kind == KP_VISIT_RECORDS) {
		records->len = visit->number;
		return KP_KEEP;
	}
	cr_assert_eq(visit->kind, KP_VISIT_PIECE);
	cr_assert(visit->len > 0);
	for (size_t i = 0; i < visit->len; i++)
		cr_assert_eq(visit->data[i], 'r');
	records->num_seen += visit->len;
	out->number = records->unseen;
	return KP_KEEP;
}

static bool
walk_records(struct kp_buf *body, struct records *records, uint32_t max_piece)
{
	struct kp_visitor visitor = { KP_ENTITY_BIT(KP_E_RECORDS),
		visit_records, records };
	struct kp_error err;
	struct kp_buf out;
	bool is_ok;

	kp_buf_init(&out, 1 << 20);
	is_ok = kp_walk_pieces_to_end(&out,
		    &(struct kp_pieces){ kp_api_find(FETCH)->response, 12,
			&visitor, max_piece, 1 },
		    body->data, body->len, &err) &&
		kp_bytes_equal(kp_buf_bytes(&out), kp_buf_bytes(body));
	kp_buf_fini(&out);
	return is_ok;
}

Test(walker_feed, records_are_shown_as_they_come)
{
	static const uint32_t pieces[] = { 1, 7, 64, 100000 };

	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		/* blanking what is unknown changes bytes: do it before */
		struct kp_buf body = fetch_of(50000);
		struct records all = { 0 }, most = { .unseen = INT64_MAX },
			       some = { .unseen = 9 };
		uint8_t *unknown = memmem(body.data, body.len, "\3xyz", 4);

		cr_assert_not_null(unknown);
		memset(unknown + 1, 0, 3);
		cr_assert(walk_records(&body, &all, pieces[i]));
		cr_assert_eq(all.len, 50000);
		cr_assert_eq(all.num_seen, 50000);
		cr_assert(walk_records(&body, &most, pieces[i]));
		cr_assert(most.num_seen <= pieces[i], "one piece");
		cr_assert(most.num_seen > 0);
		cr_assert(walk_records(&body, &some, pieces[i]));
		cr_assert(some.num_seen < 50000 || pieces[i] == 100000);
		kp_buf_fini(&body);
	}
}

Test(walker_feed, no_records_have_no_pieces)
{
	struct kp_buf body = fetch_of(0);
	struct records records = { .len = -2 };
	uint8_t *unknown = memmem(body.data, body.len, "\3xyz", 4);

	cr_assert_not_null(unknown);
	memset(unknown + 1, 0, 3);
	cr_assert(walk_records(&body, &records, 100));
	cr_assert_eq(records.len, 0);
	cr_assert_eq(records.num_seen, 0);
	kp_buf_fini(&body);
}

Test(walker_feed, records_cannot_be_changed_in_pieces)
{
	static const enum kp_verdict verdicts[] = { KP_REPLACE, KP_DROP,
		KP_CLEAR };

	for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
		struct script script = { KP_E_RECORDS, verdicts[i],
			.writes = false };
		struct kp_visitor visitor = { KP_ENTITY_BIT(KP_E_RECORDS),
			visit_script, &script };
		struct kp_buf body = fetch_of(10), out;
		struct kp_error err = { 0 };

		kp_buf_init(&out, 1 << 20);
		cr_assert(!kp_walk_in_pieces(&out,
		    &(struct kp_pieces){
			kp_api_find(FETCH)->response, 12, &visitor, 10, 1 },
		    body.data, body.len, &err));
		cr_assert_eq(err.kind, KP_ERR_UNSUPPORTED);
		kp_buf_fini(&out);
		kp_buf_fini(&body);
	}
}

Test(walker_feed, bytes_of_the_next_frame_are_not_used)
{
	struct kp_buf body = fetch_of(100);
	struct kp_walker walker;
	struct kp_error err;
	size_t used, len = body.len;

	kp_buf_add(&body, "next frame", 10);
	kp_walk_init(
	    &walker, kp_api_find(FETCH)->response, 12, len, &kp_see_nothing);
	kp_walk_stop_at_tail(&walker);
	cr_assert_eq(kp_walk_feed(&walker, body.data, body.len, &used, &err),
	    KP_WALK_TAIL);
	cr_assert_eq(used, len - 1);
	cr_assert_eq(kp_walk_feed(&walker, body.data + used, body.len - used,
			 &used, &err),
	    KP_WALK_TAIL);
	cr_assert_eq(used, 0);
	kp_buf_fini(&body);
}

Test(walker_feed, a_message_without_a_tail_is_done_at_its_end)
{
	uint8_t body[] = { 0, 0, 0, 0, 0, 1, 0, 5, 'P', 'L', 'A', 'I', 'N', 9 };
	struct kp_walker walker;
	struct kp_error err;
	size_t used;

	for (int stops = 0; stops < 2; stops++) {
		kp_walk_init(&walker, kp_api_find(SASL_HANDSHAKE)->response, 1,
		    sizeof(body) - 1, &kp_see_nothing);
		if (stops)
			kp_walk_stop_at_tail(&walker);
		cr_assert_eq(
		    kp_walk_feed(&walker, body, 0, &used, &err), KP_WALK_MORE);
		cr_assert_eq(used, 0);
		cr_assert_eq(
		    kp_walk_feed(&walker, body, sizeof(body), &used, &err),
		    KP_WALK_DONE);
		cr_assert_eq(used, sizeof(body) - 1);
	}
}
