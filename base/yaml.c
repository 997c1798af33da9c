/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libyaml splits the text into events; a recursive descent, never deeper than
 * KP_YAML_MAX_DEPTH, builds the tree. What would make a reader's life hard
 * (anchors, aliases, tags, merge keys, keys that are not text) is refused here,
 * so that nobody above needs to think of it. All of a document lives in one
 * arena: it is built without a thought of what to undo, and freed at once.
 */
#include "base/yaml.h"

#include <stdlib.h>
#include <yaml.h>

#include "base/alloc.h"
#include "base/arena.h"

/* Of one document; KP_YAML_MAX_NODES and _BYTES need no more than that. */
#define MAX_MEMORY ((size_t)96 << 20)
/* At first; of a document in bytes, which is what most resources need. */
#define FIRST_LEN 2048
#define FIRST_CAPACITY 4

struct builder {
	yaml_parser_t parser;
	yaml_event_t event; /* the current one */
	struct kp_bytes text;
	struct kp_arena *memory; /* of the document under way */
	size_t num_nodes;
	unsigned depth;
	struct kp_error *err;
};

static struct kp_yaml *build(struct builder *b);

/* An arena that lies in itself, so that a document is one piece. */
static struct kp_arena *
memory_new(void)
{
	struct kp_arena first, *memory;

	kp_arena_init(&first, MAX_MEMORY);
	kp_arena_begin(&first, FIRST_LEN);
	memory = kp_arena_get(&first, 1, sizeof(*memory));
	if (memory != NULL)
		*memory = first;
	return memory;
}

static void
memory_free(struct kp_arena *memory)
{
	struct kp_arena last = *memory;

	kp_arena_fini(&last);
}

void
kp_yaml_free(struct kp_yaml *node)
{
	if (node == NULL)
		return;
	if (node->memory != NULL) {
		memory_free(node->memory);
		return;
	}
	for (size_t i = 0; i < node->num_items; i++) {
		kp_yaml_free(node->items[i]);
		if (node->keys != NULL)
			kp_yaml_free(node->keys[i]);
	}
	free(node->items);
	free(node->keys);
	free(node->text);
	free(node);
}

static bool
fail(struct builder *b, yaml_mark_t mark, const char *what)
{
	return kp_error_set(b->err, KP_ERR_CONFIG, "%zu:%zu: %s", mark.line + 1,
	    mark.column + 1, what);
}

static bool
fail_here(struct builder *b, const char *what)
{
	return fail(b, b->event.start_mark, what);
}

static bool
fail_memory(struct builder *b)
{
	(void)fail(b, b->parser.mark, "out of memory");
	b->err->kind = KP_ERR_SYSTEM;
	return false;
}

/* libyaml gives bytes that are no UTF-8 an offset instead of a mark. */
static yaml_mark_t
mark_of_offset(struct kp_bytes text, size_t offset)
{
	yaml_mark_t mark = { 0 };

	for (size_t i = 0; i < text.len && i < offset; i++) {
		mark.column++;
		if (text.data[i] != '\n')
			continue;
		mark.line++;
		mark.column = 0;
	}
	return mark;
}

static bool
fail_parser(struct builder *b)
{
	yaml_mark_t mark = b->parser.problem_mark;

	if (b->parser.error == YAML_MEMORY_ERROR || b->parser.problem == NULL)
		return fail_memory(b);
	if (b->parser.error == YAML_READER_ERROR)
		mark = mark_of_offset(b->text, b->parser.problem_offset);
	return fail(b, mark, b->parser.problem);
}

static bool
next_event(struct builder *b)
{
	yaml_event_delete(&b->event);
	if (yaml_parser_parse(&b->parser, &b->event) == 0)
		return fail_parser(b);
	if (b->event.type == YAML_ALIAS_EVENT)
		return fail_here(b, "aliases are not allowed");
	return true;
}

static struct kp_yaml *
node_new(struct builder *b, enum kp_yaml_kind kind)
{
	struct kp_yaml *node;

	if (b->num_nodes == KP_YAML_MAX_NODES) {
		(void)fail_here(b, "too many values in one file");
		return NULL;
	}
	node = kp_arena_get(b->memory, 1, sizeof(*node));
	if (node == NULL) {
		(void)fail_memory(b);
		return NULL;
	}
	b->num_nodes++;
	*node = (struct kp_yaml){
		.kind = kind,
		.line = (unsigned)b->event.start_mark.line + 1,
		.column = (unsigned)b->event.start_mark.column + 1,
		.memory = b->memory,
	};
	return node;
}

static bool
is_null_word(const char *text, size_t len)
{
	static const char *const words[] = { "", "~", "null", "Null", "NULL" };

	if (len > strlen("null"))
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(text, words[i]) == 0)
			return true;
	}
	return false;
}

static bool
check_scalar(struct builder *b)
{
	bool is_plain = b->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;

	if (b->event.data.scalar.anchor != NULL)
		return fail_here(b, "anchors are not allowed");
	/* libyaml drops the tag "!" and leaves only this trace of it. */
	if (b->event.data.scalar.tag != NULL ||
	    (is_plain && b->event.data.scalar.plain_implicit == 0))
		return fail_here(b, "tags are not allowed");
	if (memchr(b->event.data.scalar.value, '\0',
		b->event.data.scalar.length) != NULL)
		return fail_here(b, "NUL characters are not allowed");
	return true;
}

static struct kp_yaml *
build_scalar(struct builder *b)
{
	const struct kp_bytes text = { b->event.data.scalar.value,
		b->event.data.scalar.length };
	struct kp_yaml *node;

	if (!check_scalar(b))
		return NULL;
	node = node_new(b, KP_YAML_SCALAR);
	if (node == NULL)
		return NULL;
	node->is_quoted = b->event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	node->text = kp_arena_copy(b->memory, text);
	if (node->text == NULL) {
		(void)fail_memory(b);
		return NULL;
	}
	if (!node->is_quoted && is_null_word(node->text, text.len))
		node->kind = KP_YAML_NULL;
	return node;
}

/* Makes room for one more item; capacities are powers of two. */
static bool
reserve(struct builder *b, struct kp_yaml ***array, size_t num)
{
	size_t capacity = num == 0 ? FIRST_CAPACITY : 2 * num;
	struct kp_yaml **bigger;

	if (num != 0 && (num < FIRST_CAPACITY || (num & (num - 1)) != 0))
		return true;
	bigger = kp_arena_get(b->memory, capacity, sizeof(*bigger));
	if (bigger == NULL)
		return fail_memory(b);
	kp_copy(bigger, *array, num * sizeof(*bigger));
	*array = bigger;
	return true;
}

static bool
fill_list(struct builder *b, struct kp_yaml *list)
{
	for (;;) {
		struct kp_yaml *item;

		if (!next_event(b))
			return false;
		if (b->event.type == YAML_SEQUENCE_END_EVENT)
			return true;
		if (!reserve(b, &list->items, list->num_items))
			return false;
		item = build(b);
		if (item == NULL)
			return false;
		list->items[list->num_items++] = item;
	}
}

static struct kp_yaml *
build_key(struct builder *b)
{
	const char *text = (const char *)b->event.data.scalar.value;

	if (b->event.type != YAML_SCALAR_EVENT) {
		(void)fail_here(b, "keys must be text");
		return NULL;
	}
	if (b->event.data.scalar.length == 0) {
		(void)fail_here(b, "key is empty");
		return NULL;
	}
	if (b->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	    strcmp(text, "<<") == 0) {
		(void)fail_here(b, "merge keys are not allowed");
		return NULL;
	}
	return build_scalar(b);
}

static bool
add_pair(struct builder *b, struct kp_yaml *map)
{
	struct kp_yaml *key, *value;

	if (!reserve(b, &map->items, map->num_items) ||
	    !reserve(b, &map->keys, map->num_items))
		return false;
	key = build_key(b);
	if (key == NULL)
		return false;
	value = next_event(b) ? build(b) : NULL;
	if (value == NULL)
		return false;
	map->keys[map->num_items] = key;
	map->items[map->num_items] = value;
	map->num_items++;
	return true;
}

/* By text, then by place. */
static int
compare_keys(const void *left, const void *right)
{
	const struct kp_yaml *a = *(struct kp_yaml *const *)left;
	const struct kp_yaml *b = *(struct kp_yaml *const *)right;
	int order = strcmp(a->text, b->text);

	if (order != 0)
		return order;
	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	return a->column < b->column ? -1 : 1;
}

/* Sorts, because comparing each with each is slow where keys are many. */
static bool
check_duplicates(struct builder *b, const struct kp_yaml *map)
{
	size_t size = map->num_items * sizeof(*map->keys);
	struct kp_yaml **sorted;
	bool ok = true;

	if (map->num_items < 2)
		return true;
	sorted = kp_try_alloc(size);
	if (sorted == NULL)
		return fail_memory(b);
	kp_copy(sorted, map->keys, size);
	qsort(sorted, map->num_items, sizeof(*sorted), compare_keys);
	for (size_t i = 1; i < map->num_items && ok; i++) {
		const struct kp_yaml *first = sorted[i - 1], *key = sorted[i];

		if (strcmp(first->text, key->text) == 0)
			ok = kp_error_set(b->err, KP_ERR_CONFIG,
			    "%u:%u: duplicate key \"%.64s\", first at line %u",
			    key->line, key->column, key->text, first->line);
	}
	free(sorted);
	return ok;
}

static bool
fill_map(struct builder *b, struct kp_yaml *map)
{
	for (;;) {
		if (!next_event(b))
			return false;
		if (b->event.type == YAML_MAPPING_END_EVENT)
			return check_duplicates(b, map);
		if (!add_pair(b, map))
			return false;
	}
}

static bool
check_collection(
    struct builder *b, const yaml_char_t *anchor, const yaml_char_t *tag)
{
	if (anchor != NULL)
		return fail_here(b, "anchors are not allowed");
	if (tag != NULL)
		return fail_here(b, "tags are not allowed");
	if (b->depth == KP_YAML_MAX_DEPTH)
		return fail_here(b, "nested too deeply");
	return true;
}

static struct kp_yaml *
build_collection(struct builder *b, enum kp_yaml_kind kind)
{
	struct kp_yaml *node = node_new(b, kind);
	bool ok;

	if (node == NULL)
		return NULL;
	b->depth++;
	ok = kind == KP_YAML_LIST ? fill_list(b, node) : fill_map(b, node);
	b->depth--;
	return ok ? node : NULL;
}

/* Builds the node that the current event begins; NULL with b->err. */
static struct kp_yaml *
build(struct builder *b)
{
	const yaml_event_t *event = &b->event;

	if (event->type == YAML_SCALAR_EVENT)
		return build_scalar(b);
	if (event->type == YAML_SEQUENCE_START_EVENT) {
		if (!check_collection(b, event->data.sequence_start.anchor,
			event->data.sequence_start.tag))
			return NULL;
		return build_collection(b, KP_YAML_LIST);
	}
	kp_assert(event->type == YAML_MAPPING_START_EVENT);
	if (!check_collection(b, event->data.mapping_start.anchor,
		event->data.mapping_start.tag))
		return NULL;
	return build_collection(b, KP_YAML_MAP);
}

/* Builds the document whose root the current event begins. */
static bool
build_document(struct builder *b, struct kp_yaml_stream *out)
{
	struct kp_yaml *root;
	bool is_built;

	b->memory = memory_new();
	if (b->memory == NULL)
		return fail_memory(b);
	root = build(b);
	is_built = root != NULL;
	if (is_built && root->kind != KP_YAML_NULL)
		out->documents[out->num_documents++] = root;
	else
		memory_free(b->memory);
	return is_built;
}

/* Makes room for one more document. */
static bool
reserve_document(struct builder *b, struct kp_yaml_stream *out)
{
	size_t num = out->num_documents;
	struct kp_yaml **bigger;

	if ((num & (num - 1)) != 0)
		return true;
	bigger = kp_try_realloc(
	    out->documents, (num == 0 ? 1 : 2 * num) * sizeof(*bigger));
	if (bigger == NULL)
		return fail_memory(b);
	out->documents = bigger;
	return true;
}

/* The current event is the document's start. */
static bool
add_document(struct builder *b, struct kp_yaml_stream *out)
{
	if (b->event.data.document_start.tag_directives.start !=
	    b->event.data.document_start.tag_directives.end)
		return fail_here(b, "tags are not allowed");
	if (!reserve_document(b, out) || !next_event(b))
		return false;
	/* and on to the document's end */
	return build_document(b, out) && next_event(b);
}

static bool
build_stream(struct builder *b, struct kp_yaml_stream *out)
{
	if (!next_event(b)) /* the stream's start */
		return false;
	for (;;) {
		if (!next_event(b))
			return false;
		if (b->event.type == YAML_STREAM_END_EVENT)
			return true;
		if (!add_document(b, out))
			return false;
	}
}

bool
kp_yaml_parse(
    struct kp_yaml_stream *out, struct kp_bytes text, struct kp_error *err)
{
	struct builder b = { .text = text, .err = err };
	bool ok;

	*out = (struct kp_yaml_stream){ 0 };
	if (text.len > KP_YAML_MAX_BYTES)
		return kp_error_set(err, KP_ERR_LIMIT,
		    "1:1: file is too long, at most %u MiB are allowed",
		    KP_YAML_MAX_BYTES >> 20);
	if (text.len == 0)
		return true;
	if (yaml_parser_initialize(&b.parser) == 0)
		return kp_error_set(err, KP_ERR_SYSTEM, "1:1: out of memory");
	yaml_parser_set_encoding(&b.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&b.parser, text.data, text.len);
	ok = build_stream(&b, out);
	yaml_event_delete(&b.event);
	yaml_parser_delete(&b.parser);
	if (!ok)
		kp_yaml_stream_fini(out);
	return ok;
}

void
kp_yaml_stream_fini(struct kp_yaml_stream *stream)
{
	for (size_t i = 0; i < stream->num_documents; i++)
		kp_yaml_free(stream->documents[i]);
	free(stream->documents);
	*stream = (struct kp_yaml_stream){ 0 };
}

const struct kp_yaml *
kp_yaml_get(const struct kp_yaml *map, const char *key)
{
	if (map->kind != KP_YAML_MAP)
		return NULL;
	for (size_t i = 0; i < map->num_items; i++) {
		if (strcmp(map->keys[i]->text, key) == 0)
			return map->items[i];
	}
	return NULL;
}
