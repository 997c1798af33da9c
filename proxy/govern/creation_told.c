/* SPDX-License-Identifier: Apache-2.0 */
/* What came of names: the broker's answer, and what is to be said with it. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "proto/kafka/walker.h"
#include "proxy/govern/creation_priv.h"

/* Kafka's errors of a topic that does not exist, or not yet. */
#define UNKNOWN_TOPIC_OR_PARTITION 3
#define LEADER_NOT_AVAILABLE 5

struct teller {
	struct kp_creation_told *told;
	const uint8_t **notes; /* by name */
	size_t num;
	int64_t code; /* the newest: of the topic whose name comes */
};

/* What creation.c wrote. */
static struct kp_notes_head
head_of(struct kp_bytes notes)
{
	struct kp_notes_head head;

	kp_copy(&head, notes.data, sizeof(head));
	return head;
}

static struct kp_note_head
note_of(const uint8_t *at)
{
	struct kp_note_head note;

	kp_copy(&note, at, sizeof(note));
	return note;
}

static struct kp_bytes
name_of(const uint8_t *at)
{
	return (struct kp_bytes){ at + sizeof(struct kp_note_head),
		note_of(at).name_len };
}

struct kp_bytes
kp_creation_client_id(struct kp_bytes notes)
{
	return (struct kp_bytes){ notes.data + sizeof(struct kp_notes_head),
		head_of(notes).client_id_len };
}

static int
compare(struct kp_bytes a, struct kp_bytes b)
{
	int order = memcmp(a.data, b.data, a.len < b.len ? a.len : b.len);

	if (order != 0 || a.len == b.len)
		return order;
	return a.len < b.len ? -1 : 1;
}

static int
compare_notes(const void *a, const void *b)
{
	return compare(name_of(*(const uint8_t *const *)a),
	    name_of(*(const uint8_t *const *)b));
}

static int
compare_name(const void *name, const void *note)
{
	return compare(*(const struct kp_bytes *)name,
	    name_of(*(const uint8_t *const *)note));
}

static bool
find_notes(struct teller *teller, struct kp_bytes notes, struct kp_error *err)
{
	struct kp_bytes client_id = kp_creation_client_id(notes);
	const uint8_t *at = client_id.data + client_id.len;

	teller->num = head_of(notes).num;
	teller->notes = kp_try_alloc(teller->num * sizeof(*teller->notes));
	if (teller->notes == NULL)
		return kp_error_set(err, KP_ERR_LIMIT,
		    "no memory for what policies say of %zu topics",
		    teller->num);
	for (size_t i = 0; i < teller->num; i++) {
		teller->notes[i] = at;
		at += note_of(at).len;
	}
	qsort(
	    teller->notes, teller->num, sizeof(*teller->notes), compare_notes);
	return true;
}

static void
tell(struct kp_creation_told *told, const uint8_t *at)
{
	struct kp_note_head note = note_of(at);
	struct kp_bytes name = name_of(at);
	const uint8_t *end = at + note.len;

	told->num_denied += note.is_denied;
	told->num_warned += note.num_warned;
	at = name.data + name.len;
	while (at < end) {
		struct kp_finding finding = {
			.action = (enum kp_policy_action)at[0],
			.is_failure = at[1] != 0,
			.policy = (const char *)at + KP_NOTE_MARKS,
		};

		finding.text = finding.policy + strlen(finding.policy) + 1;
		told->found(told->ctx, name, &finding);
		at = (const uint8_t *)finding.text + strlen(finding.text) + 1;
	}
}

/* The code of a topic comes right before its name. */
static enum kp_verdict
visit(void *ctx, const struct kp_visit *visit, struct kp_replacement *out,
    struct kp_error *err)
{
	struct teller *teller = ctx;
	struct kp_bytes name = { visit->data, visit->len };
	const uint8_t *const *found;

	(void)out;
	(void)err;
	if (visit->field->entity == KP_E_ERROR_CODE) {
		teller->code = visit->number;
		return KP_KEEP;
	}
	if (name.data == NULL || (teller->code != UNKNOWN_TOPIC_OR_PARTITION &&
				     teller->code != LEADER_NOT_AVAILABLE))
		return KP_KEEP;
	found = bsearch(&name, teller->notes, teller->num,
	    sizeof(*teller->notes), compare_name);
	if (found != NULL)
		tell(teller->told, *found);
	return KP_KEEP;
}

static bool
convert(int16_t from, int16_t to, struct kp_bytes body, struct kp_buf *out,
    struct kp_error *err)
{
	struct kp_arena arena;
	struct kp_tree answer;
	bool ok;

	kp_arena_init(&arena, KP_GOVERN_PART_LEN(body.len));
	ok = kp_tree_read(&answer, kp_api_find(KP_METADATA)->response, from,
	    body, &arena, err);
	if (ok) {
		answer.version = to;
		kp_tree_write(&answer, out);
		ok = !out->failed ||
		     kp_buf_error(out, err, "the answer is too long");
	}
	kp_arena_fini(&arena);
	return ok;
}

size_t
kp_creation_memory(struct kp_bytes notes, int16_t version, size_t len)
{
	size_t index_len = head_of(notes).num * sizeof(const uint8_t *);

	if (head_of(notes).version == version)
		return index_len;
	return index_len + KP_GOVERN_PART_LEN(len) + len;
}

bool
kp_creation_answer(struct kp_bytes notes, int16_t version, struct kp_bytes body,
    struct kp_buf *out, struct kp_creation_told *told, struct kp_error *err)
{
	int16_t sent = head_of(notes).version;
	struct teller teller = { .told = told };
	const struct kp_visitor visitor = {
		.interest = KP_ENTITY_BIT(KP_E_ERROR_CODE) |
			    KP_ENTITY_BIT(KP_E_TOPIC_NAME),
		.visit = visit,
		.context = &teller,
	};
	bool has_unknown, ok;

	ok = find_notes(&teller, notes, err) &&
	     kp_walk_look(kp_api_find(KP_METADATA)->response, sent, body,
		 &visitor, &has_unknown, err) &&
	     (sent == version || convert(sent, version, body, out, err));
	free(teller.notes);
	return ok;
}
