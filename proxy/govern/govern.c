/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/govern/govern.h"

#include <string.h>

#include "proxy/govern/govern_priv.h"
#include "rules/govern/sentence.h"

/* What is said about one item while it is judged. */
struct sentence {
	const struct kp_govern *govern;
	const struct kp_item *item;
	struct kp_buf text;
	bool is_changed;
};

static void
add_finding(void *ctx, const struct kp_finding *finding)
{
	struct sentence *sentence = ctx;

	sentence->govern->found(sentence->govern->ctx, sentence->item, finding);
	kp_sentence_add(&sentence->text, finding);
}

static void
add_change(void *ctx, const struct kp_change *change)
{
	struct sentence *sentence = ctx;

	sentence->govern->changed(
	    sentence->govern->ctx, sentence->item, change);
	sentence->is_changed = true;
}

/* In the arena of the request; never without data, which means that it passes.
 */
static struct kp_bytes
keep_text(struct kp_judged *judged, const struct kp_buf *text)
{
	if (text->len == 0 || text->len > judged->texts_left)
		return kp_bytes_of(KP_GOVERN_UNSAID);
	judged->texts_left -= text->len;
	return (
	    struct kp_bytes){ (const uint8_t *)kp_arena_copy(
				  judged->request.arena, kp_buf_bytes(text)),
		text->len };
}

/* What all items of a request are judged with. */
struct judging {
	const struct kp_govern *govern;
	struct kp_judged *judged;
	struct kp_judge *judge;
	struct kp_judge_changes *changes;
	struct kp_arena *scratch; /* of one item */
};

static bool
judge_item(const struct judging *judging, uint32_t index)
{
	struct kp_judged *judged = judging->judged;
	struct kp_item item = kp_items_at(&judged->items, judged->api,
	    &judged->request, index, judging->scratch);
	struct sentence sentence = { .govern = judging->govern, .item = &item };

	judged->texts[index] = (struct kp_bytes){ 0 };
	kp_arena_reset(judging->scratch);
	kp_buf_init(&sentence.text, KP_SENTENCE_MAX_LEN);
	judging->changes->ctx = &sentence;
	if (!kp_judge_item(judging->judge, &item, add_finding, &sentence)) {
		judged->texts[index] = keep_text(judged, &sentence.text);
		judged->num_refused++;
	}
	judging->changes->ctx = NULL;
	judged->num_changed += sentence.is_changed;
	kp_buf_fini(&sentence.text);
	return !judged->request.arena->failed;
}

static bool
judge_all(struct judging *judging)
{
	const struct kp_govern *govern = judging->govern;
	struct kp_judged *judged = judging->judged;
	bool ok = true;

	if (!kp_items_of(&judged->items, judged->api, &judged->request))
		return false;
	judged->texts = kp_arena_get(
	    judged->request.arena, judged->items.num, sizeof(*judged->texts));
	if (judged->texts == NULL && judged->items.num > 0)
		return false;
	judging->judge = kp_judge_new(govern->policies, govern->facts);
	kp_judge_may_change(judging->judge, judging->changes);
	for (uint32_t i = 0; i < judged->items.num && ok; i++)
		ok = judge_item(judging, i);
	kp_judge_free(judging->judge);
	return ok;
}

/* The items that pass close ranks. */
static void
leave_out(struct kp_judged *judged)
{
	for (size_t p = 0; p < judged->items.num_parts; p++) {
		const struct kp_items_part *part = &judged->items.parts[p];
		struct kp_tree_value *array = part->array;
		uint32_t num = 0;

		for (uint32_t i = 0; i < array->num; i++)
			if (judged->texts[part->first + i].data == NULL)
				array->items[num++] = array->items[i];
		array->num = num;
	}
}

static bool
no_memory(struct kp_error *err, const char *what)
{
	return kp_error_set(err, KP_ERR_LIMIT,
	    "%s takes more memory than it may while policies are asked", what);
}

static bool
write_request(
    const struct kp_judged *judged, struct kp_ruling *out, struct kp_error *err)
{
	out->num_changed = judged->num_changed;
	kp_tree_write(&judged->request, &out->request);
	return !out->request.failed || no_memory(err, "the request");
}

static bool
rule(struct kp_judged *judged, struct kp_ruling *out, struct kp_error *err)
{
	out->num_items = judged->items.num;
	out->num_refused = judged->num_refused;
	if (judged->num_refused == 0) {
		if (judged->num_changed == 0)
			return true;
		out->kind = KP_RULING_CHANGED;
		return write_request(judged, out, err);
	}
	if (kp_object_rows(judged->api, judged->request.version) == NULL)
		out->num_refused = out->num_items;
	if (out->num_refused == out->num_items) {
		out->kind = KP_RULING_REFUSED;
		return kp_refuse_all(judged, &out->answer, err);
	}
	out->kind = KP_RULING_PART;
	if (!kp_refuse_some(judged, &out->answer, err))
		return false;
	leave_out(judged);
	return write_request(judged, out, err);
}

/* Bytes that the body may become longer by. */
static size_t
max_growth(const struct kp_govern *govern, size_t len)
{
	size_t max = KP_GOVERN_MAX_GROWTH(len), left;

	if (govern->max_body_len < len)
		return 0;
	left = govern->max_body_len - len;
	return left < max ? left : max;
}

static bool
govern_body(const struct kp_govern *govern, struct kp_judged *judged,
    struct kp_bytes body, struct kp_judge_changes *changes,
    struct kp_error *err)
{
	const struct kp_facts *facts = govern->facts;
	struct kp_arena scratch;
	struct judging judging = {
		.govern = govern,
		.judged = judged,
		.changes = changes,
		.scratch = &scratch,
	};
	bool ok;

	kp_arena_init(&scratch, KP_GOVERN_PART_LEN(body.len));
	ok =
	    kp_tree_read(&judged->request, kp_api_find(facts->api_key)->request,
		facts->api_version, body, judged->request.arena, err) &&
	    (judge_all(&judging) || no_memory(err, "the request"));
	/* the answer may take what this took */
	kp_arena_fini(&scratch);
	return ok;
}

bool
kp_govern_request(const struct kp_govern *govern, struct kp_bytes body,
    struct kp_ruling *out, struct kp_error *err)
{
	struct kp_arena arena, changes;
	struct kp_judged judged = {
		.api = kp_object_api_find(govern->facts->api_key),
		.request = { .arena = &arena },
		.texts_left = KP_GOVERN_TEXTS_LEN(body.len),
		.max_repeated = KP_GOVERN_TEXTS_LEN(body.len),
	};
	struct kp_judge_changes may_change = {
		.room = { .arena = &changes,
		    .growth_left = max_growth(govern, body.len) },
		.changed = add_change,
	};
	bool ok;

	kp_assert(
	    govern->facts->api_version <= kp_object_max_version(judged.api));
	*out = (struct kp_ruling){ .kind = KP_RULING_PASS };
	kp_buf_init(&out->request,
	    body.len + KP_SENTENCE_MAX_LEN + may_change.room.growth_left);
	kp_buf_init(&out->answer, KP_GOVERN_PART_LEN(body.len));
	kp_arena_init(&arena, KP_GOVERN_PART_LEN(body.len));
	kp_arena_init(&changes, KP_GOVERN_CHANGES_MEMORY(body.len) -
				    KP_GOVERN_MAX_GROWTH(body.len));
	ok = govern_body(govern, &judged, body, &may_change, err) &&
	     rule(&judged, out, err);
	kp_arena_fini(&changes);
	kp_arena_fini(&arena);
	return ok;
}

void
kp_ruling_fini(struct kp_ruling *ruling)
{
	kp_buf_fini(&ruling->request);
	kp_buf_fini(&ruling->answer);
}
