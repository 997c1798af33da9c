/* SPDX-License-Identifier: Apache-2.0 */
/* Types, and their texts. */
#include "rules/cel/types.h"

#include <string.h>

struct word {
	const char *name;
	enum kp_cel_kind kind;
	uint32_t num_of;
};

/* The first name of a kind is the one that is printed. */
static const struct word words[] = {
	{ "dyn", KP_CEL_IS_DYN, 0 },
	{ "null_type", KP_CEL_IS_NULL, 0 },
	{ "bool", KP_CEL_IS_BOOL, 0 },
	{ "int", KP_CEL_IS_INT, 0 },
	{ "uint", KP_CEL_IS_UINT, 0 },
	{ "double", KP_CEL_IS_DOUBLE, 0 },
	{ "string", KP_CEL_IS_STRING, 0 },
	{ "bytes", KP_CEL_IS_BYTES, 0 },
	{ "timestamp", KP_CEL_IS_TIMESTAMP, 0 },
	{ "google.protobuf.Timestamp", KP_CEL_IS_TIMESTAMP, 0 },
	{ "duration", KP_CEL_IS_DURATION, 0 },
	{ "google.protobuf.Duration", KP_CEL_IS_DURATION, 0 },
	{ "number", KP_CEL_IS_NUMBER, 0 },
	{ "list", KP_CEL_IS_LIST, 1 },
	{ "map", KP_CEL_IS_MAP, 2 },
	{ "optional", KP_CEL_IS_OPTIONAL, 1 },
	{ "optional_type", KP_CEL_IS_OPTIONAL, 1 },
	{ "type", KP_CEL_IS_TYPE, 1 },
};
#define NUM_WORDS (sizeof(words) / sizeof(*words))

struct parser {
	struct kp_cel_types *types;
	const char *text;
	struct kp_cel_static **letters;
};

void
kp_cel_types_init(struct kp_cel_types *types, const struct kp_cel_env *env)
{
	*types = (struct kp_cel_types){ .env = env };
	kp_arena_init(&types->arena, KP_CEL_MAX_TYPES_LEN);
	for (int kind = 0; kind < KP_CEL_IS_LIST; kind++)
		types->plain[kind].kind = (enum kp_cel_kind)kind;
}

void
kp_cel_types_fini(struct kp_cel_types *types)
{
	kp_arena_fini(&types->arena);
}

bool
kp_cel_types_spend(struct kp_cel_types *types, uint32_t depth)
{
	if (++types->steps > KP_CEL_MAX_TYPE_STEPS ||
	    depth > KP_CEL_MAX_TYPE_DEPTH)
		types->is_stopped = true;
	return !types->is_stopped;
}

struct kp_cel_static *
kp_cel_static_plain(struct kp_cel_types *types, enum kp_cel_kind kind)
{
	return &types->plain[kind];
}

static struct kp_cel_static *
make(struct kp_cel_types *types, struct kp_cel_static content)
{
	struct kp_cel_static *type = NULL;

	if (!types->is_stopped)
		type = kp_arena_get(&types->arena, 1, sizeof(*type));
	if (type == NULL)
		types->is_stopped = true;
	else
		*type = content;
	return type;
}

struct kp_cel_static *
kp_cel_static_of(struct kp_cel_types *types, enum kp_cel_kind kind,
    struct kp_cel_static *first, struct kp_cel_static *second)
{
	if (first == NULL || (kind == KP_CEL_IS_MAP && second == NULL))
		return NULL;
	return make(types,
	    (struct kp_cel_static){ .kind = kind, .of = { first, second } });
}

struct kp_cel_static *
kp_cel_static_variable(struct kp_cel_types *types)
{
	return make(
	    types, (struct kp_cel_static){ .kind = KP_CEL_IS_VARIABLE });
}

static const struct word *
find_word(struct kp_bytes name)
{
	for (size_t i = 0; i < NUM_WORDS; i++)
		if (kp_bytes_equal(name, kp_bytes_of(words[i].name)))
			return &words[i];
	return NULL;
}

static struct kp_cel_static *
find_object(struct kp_cel_types *types, struct kp_bytes name)
{
	for (size_t i = 0; i < types->env->num_objects; i++) {
		const struct kp_cel_object_type *object =
		    &types->env->objects[i];

		if (kp_bytes_equal(name, kp_bytes_of(object->name)))
			return make(types,
			    (struct kp_cel_static){
				.kind = KP_CEL_IS_OBJECT, .object = object });
	}
	return NULL;
}

static struct kp_cel_static *
find_letter(struct parser *parser, struct kp_bytes name)
{
	struct kp_cel_static **letter;

	if (parser->letters == NULL || name.len != 1 || name.data[0] < 'A' ||
	    name.data[0] >= 'A' + KP_CEL_NUM_LETTERS)
		return NULL;
	letter = &parser->letters[name.data[0] - 'A'];
	if (*letter == NULL)
		*letter = kp_cel_static_variable(parser->types);
	return *letter;
}

static bool
take(struct parser *parser, char sign)
{
	if (*parser->text != sign)
		return false;
	parser->text++;
	while (*parser->text == ' ')
		parser->text++;
	return true;
}

static struct kp_bytes
take_name(struct parser *parser)
{
	size_t len = strspn(parser->text,
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "0123456789._");
	struct kp_bytes name = { (const uint8_t *)parser->text, len };

	parser->text += len;
	return name;
}

/* "[249]", how large it is at most: of no concern to types. */
static void
skip_bound(struct parser *parser)
{
	size_t len = 1;

	if (*parser->text != '[')
		return;
	len += strspn(parser->text + len, "0123456789");
	if (parser->text[len] == ']')
		parser->text += len + 1;
}

static struct kp_cel_static *
parse(struct parser *parser, uint32_t depth)
{
	struct kp_cel_static *dyn =
	    kp_cel_static_plain(parser->types, KP_CEL_IS_DYN);
	struct kp_cel_static *of[2] = { dyn, dyn }, *letter;
	struct kp_bytes name = take_name(parser);
	const struct word *word = find_word(name);

	if (!kp_cel_types_spend(parser->types, depth))
		return NULL;
	skip_bound(parser);
	if (word == NULL) {
		letter = find_letter(parser, name);
		return letter != NULL ? letter
				      : find_object(parser->types, name);
	}
	if (word->num_of == 0)
		return kp_cel_static_plain(parser->types, word->kind);
	if (take(parser, '(')) {
		for (uint32_t i = 0; i < word->num_of; i++)
			if ((i > 0 && !take(parser, ',')) ||
			    (of[i] = parse(parser, depth + 1)) == NULL)
				return NULL;
		if (!take(parser, ')'))
			return NULL;
	}
	return kp_cel_static_of(parser->types, word->kind, of[0], of[1]);
}

struct kp_cel_static *
kp_cel_static_parse(struct kp_cel_types *types, const char **text,
    struct kp_cel_static **letters)
{
	struct parser parser = { types, *text, letters };
	struct kp_cel_static *type = parse(&parser, 0);

	*text = parser.text;
	return type;
}

struct printer {
	char *out;
	size_t len;
};

static void
add(struct printer *printer, const char *text)
{
	size_t len = strlen(text);
	size_t room = KP_CEL_TYPE_TEXT_SIZE - 1 - printer->len;

	if (len > room)
		len = room;
	kp_copy(printer->out + printer->len, text, len);
	printer->len += len;
	printer->out[printer->len] = '\0';
}

static const char *
name_of(const struct kp_cel_static *type)
{
	if (type->kind == KP_CEL_IS_OBJECT)
		return type->object->name;
	for (size_t i = 0; i < NUM_WORDS; i++)
		if (words[i].kind == type->kind)
			return words[i].name;
	return "dyn";
}

static const struct kp_cel_static *
follow(const struct kp_cel_static *type)
{
	while (type->kind == KP_CEL_IS_VARIABLE && type->bound != NULL)
		type = type->bound;
	return type;
}

/* "type" alone is of what is not known. It ends at the latest when out is full.
 */
static void
print(struct printer *printer, const struct kp_cel_static *type)
{
	type = follow(type);
	add(printer, name_of(type));
	if (type->kind < KP_CEL_IS_LIST || type->kind > KP_CEL_IS_TYPE ||
	    printer->len + 1 >= KP_CEL_TYPE_TEXT_SIZE)
		return;
	if (type->kind == KP_CEL_IS_TYPE &&
	    follow(type->of[0])->kind == KP_CEL_IS_DYN)
		return;
	add(printer, "(");
	print(printer, type->of[0]);
	if (type->kind == KP_CEL_IS_MAP) {
		add(printer, ", ");
		print(printer, type->of[1]);
	}
	add(printer, ")");
}

void
kp_cel_static_print(
    char out[KP_CEL_TYPE_TEXT_SIZE], const struct kp_cel_static *type)
{
	struct printer printer = { .out = out };

	out[0] = '\0';
	print(&printer, type);
}
