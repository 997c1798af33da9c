/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/govern/creation.h"

#include <string.h>

#include "proxy/govern/creation_priv.h"

/* A request while it is judged. */
struct naming {
	const struct kp_govern *govern;
	struct kp_judge *judge;
	struct kp_arena *arena, *scratch;
	struct kp_tree metadata;
	struct kp_tree_value *topics;
	const struct kp_field *fields; /* of one */
	uint32_t num_allowed;          /* may be created; they come first */
	uint32_t num_refused;

	/* what a name stands for: a request to create one topic */
	struct kp_tree create;
	struct kp_items items;
	const struct kp_object_api *api;

	struct kp_buf *notes;
	uint32_t num_notes;
	size_t texts_left;        /* bytes for more findings */
	struct kp_bytes name;     /* of the topic at hand */
	struct kp_note_head note; /* about it */
	size_t note_begin;
};

static bool
no_memory(struct kp_error *err)
{
	return kp_error_set(err, KP_ERR_LIMIT,
	    "the request takes more memory than it may while policies are "
	    "asked");
}

static struct kp_tree_value *
get(const struct kp_tree *tree, const char *name)
{
	return kp_tree_get(&tree->root, tree->message->fields, name);
}

/* A client leaves all but the name to the cluster. */
static bool
prepare_create(struct naming *naming)
{
	int16_t version = naming->metadata.version;
	const struct kp_field *fields;
	struct kp_tree_value *row;

	naming->api =
	    kp_object_judged(kp_object_api_find(KP_METADATA), &version);
	kp_tree_make(&naming->create, kp_api_find(naming->api->key)->request,
	    version, naming->arena);
	if (naming->arena->failed)
		return false;
	row = kp_tree_reserve(
	    &naming->create, get(&naming->create, naming->api->items[0]), 1);
	if (row == NULL ||
	    !kp_items_of(&naming->items, naming->api, &naming->create))
		return false;
	fields = naming->items.parts->fields;
	if (!kp_tree_fill(&naming->create, fields, row))
		return false;
	kp_tree_get(row, fields, "NumPartitions")->number = -1;
	kp_tree_get(row, fields, "ReplicationFactor")->number = -1;
	return true;
}

static bool
has_note(const struct kp_note_head *note)
{
	return note->is_denied || note->num_warned > 0;
}

static void
begin_note(struct naming *naming)
{
	naming->note_begin = naming->notes->len;
	naming->note.name_len = (uint32_t)naming->name.len;
	kp_buf_add(naming->notes, &naming->note, sizeof(naming->note));
	kp_buf_add(naming->notes, naming->name.data, naming->name.len);
}

static void
add_finding(void *ctx, const struct kp_finding *finding)
{
	struct naming *naming = ctx;
	const uint8_t marks[KP_NOTE_MARKS] = { (uint8_t)finding->action,
		finding->is_failure };
	size_t policy_len = strlen(finding->policy) + 1;
	size_t text_len = strlen(finding->text) + 1;
	size_t len = sizeof(marks) + policy_len + text_len;

	if (!has_note(&naming->note))
		begin_note(naming);
	if (finding->action == KP_POLICY_DENY)
		naming->note.is_denied = true;
	else
		naming->note.num_warned++;
	/* what has room is logged; all of it is counted */
	if (len > naming->texts_left)
		return;
	naming->texts_left -= len;
	kp_buf_add(naming->notes, marks, sizeof(marks));
	kp_buf_add(naming->notes, finding->policy, policy_len);
	kp_buf_add(naming->notes, finding->text, text_len);
}

/* Now that it is known what is in it. */
static void
end_note(struct naming *naming)
{
	struct kp_buf *notes = naming->notes;

	if (!has_note(&naming->note) || notes->failed)
		return;
	naming->num_notes++;
	naming->note.len = (uint32_t)(notes->len - naming->note_begin);
	kp_copy(notes->data + naming->note_begin, &naming->note,
	    sizeof(naming->note));
}

/* Brokers do not mind the order of names. */
static void
allow(struct naming *naming, struct kp_tree_value *topic)
{
	struct kp_tree_value *to = &naming->topics->items[naming->num_allowed];
	struct kp_tree_value other = *to;

	*to = *topic;
	*topic = other;
	naming->num_allowed++;
}

/* A topic that is named by its id exists, or nobody can create it. */
static void
judge_topic(struct naming *naming, struct kp_tree_value *topic)
{
	const struct kp_items_part *create = naming->items.parts;
	struct kp_item item;
	bool may_pass;

	naming->name = kp_tree_get(topic, naming->fields, "Name")->text;
	if (naming->name.data == NULL)
		return;
	naming->note = (struct kp_note_head){ 0 };
	kp_tree_get(&create->array->items[0], create->fields, "Name")->text =
	    naming->name;
	kp_arena_reset(naming->scratch);
	item = kp_items_at(
	    &naming->items, naming->api, &naming->create, 0, naming->scratch);
	may_pass = kp_judge_item(naming->judge, &item, add_finding, naming);
	end_note(naming);
	if (may_pass)
		allow(naming, topic);
	else
		naming->num_refused++;
}

static bool
judge_topics(struct naming *naming, struct kp_creation *out)
{
	struct kp_bytes client_id = naming->govern->facts->client_id;
	struct kp_notes_head head = {
		.client_id_len = (uint32_t)client_id.len,
		.version = naming->metadata.version,
	};

	if (!prepare_create(naming))
		return false;
	kp_buf_add(naming->notes, &head, sizeof(head));
	kp_buf_add(naming->notes, client_id.data, client_id.len);
	naming->judge =
	    kp_judge_new(naming->govern->policies, naming->govern->facts);
	for (uint32_t i = 0; i < naming->topics->num; i++)
		judge_topic(naming, &naming->topics->items[i]);
	kp_judge_free(naming->judge);
	if (naming->notes->failed)
		return false;
	out->is_changed = naming->num_refused > 0;
	if (out->is_changed && head.version < KP_CREATION_MIN_VERSION)
		head.version = KP_CREATION_MIN_VERSION;
	out->version = head.version;
	head.num = naming->num_notes;
	kp_copy(naming->notes->data, &head, sizeof(head));
	if (head.num == 0)
		kp_buf_clear(naming->notes);
	return true;
}

/* First what may be created, then all of it with the flag off. */
static bool
write_both(struct naming *naming, struct kp_creation *out)
{
	uint32_t num = naming->topics->num;

	if (naming->num_allowed > 0) {
		naming->topics->num = naming->num_allowed;
		kp_tree_write(&naming->metadata, &out->first);
		naming->topics->num = num;
	}
	get(&naming->metadata, "AllowAutoTopicCreation")->number = 0;
	naming->metadata.version = out->version;
	kp_tree_write(&naming->metadata, &out->second);
	return !out->first.failed && !out->second.failed;
}

/* Versions without the flag are read as if it were set. */
static bool
may_create(struct naming *naming)
{
	const struct kp_field *fields = naming->metadata.message->fields;
	size_t index = kp_tree_find(fields, "Topics");

	naming->topics = &naming->metadata.root.items[index];
	naming->fields = fields[index].fields;
	return naming->topics->num > 0 &&
	       get(&naming->metadata, "AllowAutoTopicCreation")->number != 0;
}

static bool
judge(struct naming *naming, struct kp_bytes body, struct kp_creation *out,
    struct kp_error *err)
{
	const struct kp_facts *facts = naming->govern->facts;

	if (!kp_tree_read(&naming->metadata, kp_api_find(KP_METADATA)->request,
		facts->api_version, body, naming->arena, err))
		return false;
	if (!may_create(naming))
		return true;
	if (!judge_topics(naming, out))
		return no_memory(err);
	return !out->is_changed || write_both(naming, out) || no_memory(err);
}

bool
kp_creation_judge(const struct kp_govern *govern, struct kp_bytes body,
    struct kp_creation *out, struct kp_error *err)
{
	struct kp_arena arena, scratch;
	struct naming naming = {
		.govern = govern,
		.arena = &arena,
		.scratch = &scratch,
		.notes = &out->notes,
		.texts_left = KP_GOVERN_TEXTS_LEN(body.len),
	};
	bool ok;

	*out = (struct kp_creation){ .is_changed = false };
	kp_buf_init(&out->first, body.len);
	kp_buf_init(&out->second, body.len + 1); /* the flag */
	kp_buf_init(&out->notes, KP_GOVERN_PART_LEN(body.len));
	kp_arena_init(&arena, KP_GOVERN_PART_LEN(body.len));
	kp_arena_init(&scratch, KP_GOVERN_PART_LEN(body.len));
	ok = judge(&naming, body, out, err);
	kp_arena_fini(&scratch);
	kp_arena_fini(&arena);
	return ok;
}

void
kp_creation_fini(struct kp_creation *creation)
{
	kp_buf_fini(&creation->first);
	kp_buf_fini(&creation->second);
	kp_buf_fini(&creation->notes);
}
