/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers about items that are refused. What kp_govern_merge takes is the
 * number of all items (4 bytes), a bit for each (set: refused), and the body of
 * an answer that tells of the refused ones only.
 */
#include <string.h>

#include "proxy/govern/govern_priv.h"

#define NUM_LEN sizeof(uint32_t)

/* An answer under construction: its rows are a field of the root. */
struct answer {
	struct kp_tree tree;
	const struct kp_object_api *api;
	struct kp_tree_value *rows;    /* NULL: the answer has none */
	const struct kp_field *fields; /* of a row */
	size_t repeats_left;           /* bytes of texts said before */
};

static bool
find_rows(struct answer *answer)
{
	const struct kp_field *fields = answer->tree.message->fields;
	const struct kp_field *rows =
	    kp_object_rows(answer->api, answer->tree.version);

	answer->rows = NULL;
	answer->fields = fields;
	if (answer->tree.root.items == NULL)
		return false;
	if (rows == NULL)
		return true;
	answer->rows = &answer->tree.root.items[rows - fields];
	answer->fields = rows->fields;
	return true;
}

/* Where the version has no place for the sentence, the code says it all. */
static void
set_error(const struct answer *answer, const struct kp_field *fields,
    const struct kp_tree_value *row, struct kp_bytes text)
{
	const char *error = answer->api->answer.error;

	kp_tree_get(row, fields, error == NULL ? "ErrorCode" : error)->number =
	    answer->api->code;
	if (kp_tree_has(fields, "ErrorMessage"))
		kp_tree_get(row, fields, "ErrorMessage")->text = text;
}

static void
copy_names(const struct answer *answer, const struct kp_item *item,
    struct kp_tree_value *row)
{
	const struct kp_object_answer *of = &answer->api->answer;

	if (item->value == NULL)
		return;
	if (of->item != NULL)
		kp_tree_get(row, answer->fields, of->item)->text =
		    kp_item_name(item);
	for (size_t i = 0; item->fields != NULL && of->copies != NULL &&
			   of->copies[i] != NULL;
	     i++)
		*kp_tree_get(row, answer->fields, of->copies[i]) =
		    *kp_tree_get(item->value, item->fields, of->copies[i]);
}

static struct kp_tree_value *
nested_number(const struct answer *answer, const struct kp_field *fields,
    const struct kp_tree_value *row)
{
	const char *number = answer->api->answer.number;

	return kp_tree_get(
	    row, fields, number == NULL ? "PartitionIndex" : number);
}

/*
 * What asks for all that there are names nothing that a row could be about. The
 * whole answer has the code, in versions that have a place for it; the sentence
 * stands in a row of no topic, with a number that is no partition's.
 */
static bool
fill_nested_of_all(const struct answer *answer, const struct kp_field *fields,
    struct kp_tree_value *to, struct kp_bytes text)
{
	const struct kp_field *whole = answer->tree.message->fields;

	if (kp_tree_reserve(&answer->tree, to, 1) == NULL ||
	    !kp_tree_fill(&answer->tree, fields, &to->items[0]))
		return false;
	nested_number(answer, fields, &to->items[0])->number = -1;
	set_error(answer, fields, &to->items[0], text);
	if (kp_tree_has(whole, "ErrorCode"))
		set_error(answer, whole, &answer->tree.root, text);
	return true;
}

/* An item with many partitions has its sentence in some of them. */
static struct kp_bytes
repeat(struct answer *answer, struct kp_bytes text)
{
	if (text.len > answer->repeats_left)
		return (struct kp_bytes){ 0 };
	answer->repeats_left -= text.len;
	return text;
}

/* A row for each partition of the item, each with the code. */
static bool
fill_nested(struct answer *answer, const struct kp_item *item,
    struct kp_tree_value *row, struct kp_bytes text)
{
	const char *name = answer->api->answer.nested;
	struct kp_tree_value *to = kp_tree_get(row, answer->fields, name);
	const struct kp_field *fields =
	    answer->fields[kp_tree_find(answer->fields, name)].fields;
	size_t index = kp_tree_find(item->fields, "Partitions");
	const struct kp_field *from_fields = item->fields[index].fields;
	const struct kp_tree_value *from;

	if (item->value == NULL)
		return fill_nested_of_all(answer, fields, to, text);
	from = &item->value->items[index];
	if (kp_tree_reserve(&answer->tree, to, from->num) == NULL)
		return from->num == 0;
	for (uint32_t i = 0; i < from->num; i++) {
		if (!kp_tree_fill(&answer->tree, fields, &to->items[i]))
			return false;
		nested_number(answer, fields, &to->items[i])->number =
		    from_fields == NULL ? from->items[i].number
					: kp_tree_get(&from->items[i],
					      from_fields, "PartitionIndex")
					      ->number;
		set_error(answer, fields, &to->items[i],
		    i == 0 ? text : repeat(answer, text));
	}
	return true;
}

static bool
fill_row(struct answer *answer, const struct kp_item *item,
    struct kp_tree_value *row, struct kp_bytes text)
{
	if (!kp_tree_fill(&answer->tree, answer->fields, row))
		return false;
	copy_names(answer, item, row);
	if (answer->api->answer.nested != NULL)
		return fill_nested(answer, item, row, text);
	set_error(answer, answer->fields, row, text);
	return true;
}

static bool
fill_rows(struct answer *answer, const struct kp_judged *judged)
{
	uint32_t num = 0;

	if (kp_tree_reserve(&answer->tree, answer->rows, judged->num_refused) ==
	    NULL)
		return false;
	for (uint32_t i = 0; i < judged->items.num; i++) {
		struct kp_item item = kp_items_at(&judged->items, judged->api,
		    &judged->request, i, answer->tree.arena);

		if (judged->texts[i].data != NULL &&
		    !fill_row(answer, &item, &answer->rows->items[num++],
			judged->texts[i]))
			return false;
	}
	return true;
}

/* The sentence about the first item that is refused: it ends them all. */
static struct kp_bytes
first_text(const struct kp_judged *judged)
{
	uint32_t i = 0;

	while (judged->texts[i].data == NULL)
		i++;
	return judged->texts[i];
}

static bool
no_memory(struct kp_error *err)
{
	return kp_error_set(err, KP_ERR_LIMIT,
	    "the answer about refused items takes more memory than it may");
}

bool
kp_refuse_all(
    const struct kp_judged *judged, struct kp_buf *out, struct kp_error *err)
{
	struct answer answer = { .api = judged->api,
		.repeats_left = judged->max_repeated };
	struct kp_arena arena;
	bool ok;

	/* partitions of 4 bytes become rows; views of items are gone */
	kp_arena_init(&arena, 2 * judged->request.arena->max_len);
	kp_tree_make(&answer.tree, kp_api_find(judged->api->key)->response,
	    judged->request.version, &arena);
	ok = find_rows(&answer);
	if (ok && answer.rows != NULL)
		ok = fill_rows(&answer, judged);
	else if (ok)
		set_error(&answer, answer.fields, &answer.tree.root,
		    first_text(judged));
	if (ok)
		kp_tree_write(&answer.tree, out);
	kp_arena_fini(&arena);
	return (ok && !out->failed) || no_memory(err);
}

bool
kp_refuse_some(
    const struct kp_judged *judged, struct kp_buf *out, struct kp_error *err)
{
	uint32_t num = judged->items.num;
	size_t map_len = (num + 7) / 8;
	uint8_t *head = kp_buf_extend(out, NUM_LEN + map_len);

	if (head == NULL)
		return no_memory(err);
	kp_copy(head, &num, NUM_LEN);
	memset(head + NUM_LEN, 0, map_len);
	for (uint32_t i = 0; i < num; i++)
		if (judged->texts[i].data != NULL)
			head[NUM_LEN + i / 8] |= (uint8_t)(1u << (i % 8));
	return kp_refuse_all(judged, out, err);
}

/* Ours where an item was refused, the broker's next where it was not. */
static bool
interleave(struct answer *into, const struct answer *ours, const uint8_t *map,
    uint32_t num)
{
	struct kp_tree_value *theirs = into->rows;
	struct kp_tree_value rows = { .num = 0 };
	uint32_t of_us = 0, of_them = 0, at = 0;
	bool is_unordered = into->api->answer.is_unordered;

	/* some of several items were refused, so answers have rows */
	kp_assert(theirs != NULL && ours->rows != NULL);
	if (kp_tree_reserve(&into->tree, &rows,
		(size_t)ours->rows->num + theirs->num) == NULL)
		return false;
	for (uint32_t i = 0; i < num; i++) {
		bool is_refused = is_unordered
				      ? of_us < ours->rows->num
				      : (map[i / 8] & (1u << (i % 8))) != 0;

		if (is_refused && of_us < ours->rows->num)
			rows.items[at++] = ours->rows->items[of_us++];
		else if (!is_refused && of_them < theirs->num)
			rows.items[at++] = theirs->items[of_them++];
	}
	/* a broker may tell more than it was asked */
	while (of_them < theirs->num)
		rows.items[at++] = theirs->items[of_them++];
	rows.num = at;
	*theirs = rows;
	return true;
}

static bool
read_answer(struct answer *out, const struct kp_object_api *api,
    int16_t version, struct kp_bytes body, struct kp_arena *arena,
    struct kp_error *err)
{
	*out = (struct answer){ .api = api };
	return kp_tree_read(&out->tree, kp_api_find(api->key)->response,
		   version, body, arena, err) &&
	       (find_rows(out) || no_memory(err));
}

bool
kp_govern_merge(int16_t api_key, int16_t api_version, struct kp_bytes refused,
    struct kp_bytes body, struct kp_buf *out, struct kp_error *err)
{
	const struct kp_object_api *api = kp_object_api_find(api_key);
	struct answer ours, theirs;
	struct kp_arena arena;
	struct kp_bytes answer;
	uint32_t num;
	bool ok;

	/* what refuse_some wrote */
	kp_copy(&num, refused.data, NUM_LEN);
	answer.data = refused.data + NUM_LEN + (num + 7) / 8;
	answer.len = refused.len - NUM_LEN - (num + 7) / 8;
	kp_arena_init(&arena, KP_GOVERN_PART_LEN(refused.len + body.len));
	ok = read_answer(&ours, api, api_version, answer, &arena, err) &&
	     read_answer(&theirs, api, api_version, body, &arena, err);
	if (ok) {
		ok = interleave(&theirs, &ours, refused.data + NUM_LEN, num);
		if (ok)
			kp_tree_write(&theirs.tree, out);
		ok = (ok && !out->failed) || no_memory(err);
	}
	kp_arena_fini(&arena);
	return ok;
}
