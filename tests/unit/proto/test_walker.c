/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walker on a small message of our own, byte for byte. What holds for all
 * real messages is in test_properties.c.
 */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>

#include "proto/kafka/writer.h"
#include "tests/support/walks.h"

#define FLEXIBLE 2

/* clang-format off */
#define FIELD(name_, kind_, array_, entity_, null_, tagged_, tag_, fields_) \
	{ .name = (name_), .kind = (kind_), .is_array = (array_), \
	  .entity = (entity_), .since = 0, .until = KP_LATEST, \
	  .nullable_since = (null_), .tagged_since = (tagged_), \
	  .tag = (tag_), .fields = (fields_) }
#define NEVER KP_NEVER_SINCE

static const struct kp_field node_fields[] = {
	FIELD("Id",   KP_INT32,  false, KP_E_NODE_ID, NEVER, NEVER, -1, NULL),
	FIELD("Host", KP_STRING, false, KP_E_HOST,    NEVER, NEVER, -1, NULL),
	FIELD("Rack", KP_STRING, false, KP_E_PLAIN,   0,     NEVER, -1, NULL),
	{ .kind = KP_END },
};

static const struct kp_field leader_fields[] = {
	FIELD("Port", KP_UINT16, false, KP_E_PORT,    NEVER, NEVER, -1, NULL),
	{ .kind = KP_END },
};

/* In flexible versions Notes is field 1 of the tagged section. */
static const struct kp_field message_fields[] = {
	FIELD("Nodes",    KP_STRUCT, true,  KP_E_ENDPOINTS,  0,     NEVER, -1, node_fields),
	FIELD("Replicas", KP_INT32,  true,  KP_E_NODE_ID,    NEVER, NEVER, -1, NULL),
	FIELD("Leader",   KP_STRUCT, false, KP_E_NONE,       0,     NEVER, -1, leader_fields),
	FIELD("Notes",    KP_STRING, true,  KP_E_TOPIC_NAME, 0,     FLEXIBLE, 1, NULL),
	{ .kind = KP_END },
};
/* clang-format on */

static const struct kp_message message = {
	.name = "TestResponse",
	.max_version = 3,
	.flexible_since = FLEXIBLE,
	.fields = message_fields,
};

/*
 * Two nodes, one replica, a leader; in the flexible form also an unknown field
 * of the first node, the notes, and an unknown field behind them.
 */
static const uint8_t old_body[] = { 0, 0, 0, 2, /* Nodes */
	0, 0, 0, 7, 0, 2, 'h', '7', 0xff, 0xff, /* first */
	0, 0, 0, 8, 0, 1, 'h', 0, 1, 'r',       /* second */
	0, 0, 0, 1, 0, 0, 0, 9,                 /* Replicas */
	1, 0x23, 0x84,                          /* Leader */
	0, 0, 0, 0 };                           /* Notes */

static const uint8_t new_body[] = { 3, 0, 0, 0, 7, 3, 'h', '7', 0, 1, 5, 2, 'x',
	'y',                                     /* first */
	0, 0, 0, 8, 2, 'h', 2, 'r', 0,           /* second */
	2, 0, 0, 0, 9, 1, 0x23, 0x84, 0,         /* Replicas, Leader */
	2, 1, 5, 3, 2, 'a', 2, 'b', 9, 1, 'z' }; /* Notes */

static const struct kp_bytes old_bytes = { old_body, sizeof(old_body) };
static const struct kp_bytes new_bytes = { new_body, sizeof(new_body) };

/* A visitor that answers by field name, and writes down what it saw. */
struct script {
	const char *name; /* of the field that the rule is for */
	enum kp_visit_kind kind;
	enum kp_verdict verdict;
	struct kp_replacement replacement;
	int64_t only; /* number for which the rule holds; 0 is any */
	char log[1000];
};

static void
write_down(struct script *script, const struct kp_visit *visit)
{
	static const char marks[] = { '=', '[', '{' };
	size_t len = strlen(script->log);
	char *at = script->log + len;
	size_t room = sizeof(script->log) - len;

	if (visit->data != NULL)
		(void)snprintf(at, room, "%s=%.*s ", visit->field->name,
		    (int)visit->len, (const char *)visit->data);
	else
		(void)snprintf(at, room, "%s%c%lld ", visit->field->name,
		    marks[visit->kind], (long long)visit->number);
}

static enum kp_verdict
visit_script(void *context, const struct kp_visit *visit,
    struct kp_replacement *out, struct kp_error *err)
{
	struct script *script = context;

	write_down(script, visit);
	if (script->name == NULL || visit->kind != script->kind ||
	    strcmp(visit->field->name, script->name) != 0 ||
	    (script->only != 0 && visit->number != script->only))
		return KP_KEEP;
	*out = script->replacement;
	if (script->verdict == KP_FAIL)
		(void)kp_error_set(err, KP_ERR_LIMIT, "as told");
	return script->verdict;
}

static struct kp_visitor
visitor_of(struct script *script)
{
	struct kp_visitor visitor = { UINT64_MAX & ~KP_ENTITY_BIT(KP_E_NONE),
		visit_script, script };

	return visitor;
}

static bool
rewrite_body(struct kp_buf *out, int16_t version, struct kp_bytes body,
    struct script *script, struct kp_error *err)
{
	struct kp_visitor visitor = visitor_of(script);
	struct kp_rewrite rewrite = { 0 };
	bool ok =
	    kp_walk_whole(&message, version, body, &visitor, &rewrite, err);

	if (ok)
		kp_rewritten(out, &rewrite);
	kp_rewrite_fini(&rewrite);
	return ok;
}

Test(walker, shows_what_is_of_interest_in_order)
{
	struct script script = { 0 };
	struct kp_visitor visitor = visitor_of(&script);
	struct kp_error err = { 0 };

	cr_assert(kp_walk_whole(&message, 1, old_bytes, &visitor, NULL, &err),
	    "%s", err.text);
	cr_assert_str_eq(script.log,
	    "Nodes[2 Nodes{0 Id=7 Host=h7 Rack=0 Nodes{0 Id=8 Host=h Rack=r "
	    "Replicas=9 Port=9092 ");
	script.log[0] = '\0';
	cr_assert(kp_walk_whole(&message, 2, new_bytes, &visitor, NULL, &err),
	    "%s", err.text);
	cr_assert_str_eq(script.log,
	    "Nodes[2 Nodes{0 Id=7 Host=h7 Rack=0 Nodes{0 Id=8 Host=h Rack=r "
	    "Replicas=9 Port=9092 Notes=a Notes=b ");
}

Test(walker, shows_nothing_else)
{
	struct script script = { 0 };
	struct kp_visitor visitor = visitor_of(&script);
	struct kp_error err = { 0 };

	visitor.interest = KP_ENTITY_BIT(KP_E_PORT);
	cr_assert(kp_walk_whole(&message, 2, new_bytes, &visitor, NULL, &err));
	cr_assert_str_eq(script.log, "Port=9092 ");
}

/* A rule and the body that comes out of it. */
struct verdict_case {
	const char *what;
	int16_t version;
	struct script script;
	const char *bytes;
	size_t len;
};

#define BYTES(text_) .bytes = (text_), .len = sizeof(text_) - 1
#define NUMBER(number_) .replacement = { .number = (number_) }
#define TEXT(text_) \
	.replacement = { .bytes = { \
			     (const uint8_t *)(text_), sizeof(text_) - 1 } }

/* clang-format off */
static const struct verdict_case verdict_cases[] = {
	{ "number", 1,
	  { "Id", KP_VISIT_VALUE, KP_REPLACE, NUMBER(-2), .only = 8 },
	  BYTES("\0\0\0\2" "\0\0\0\7\0\2h7\xff\xff" "\xff\xff\xff\xfe\0\1h\0\1r"
		"\0\0\0\1\0\0\0\11" "\1\x23\x84" "\0\0\0\0") },
	{ "lowest number", 1,
	  { "Id", KP_VISIT_VALUE, KP_REPLACE, NUMBER(INT32_MIN), .only = 8 },
	  BYTES("\0\0\0\2" "\0\0\0\7\0\2h7\xff\xff" "\x80\0\0\0\0\1h\0\1r"
		"\0\0\0\1\0\0\0\11" "\1\x23\x84" "\0\0\0\0") },
	{ "number in an array", 1,
	  { "Replicas", KP_VISIT_VALUE, KP_REPLACE, NUMBER(5) },
	  BYTES("\0\0\0\2" "\0\0\0\7\0\2h7\xff\xff" "\0\0\0\10\0\1h\0\1r"
		"\0\0\0\1\0\0\0\5" "\1\x23\x84" "\0\0\0\0") },
	{ "unsigned number", 1,
	  { "Port", KP_VISIT_VALUE, KP_REPLACE, NUMBER(65535) },
	  BYTES("\0\0\0\2" "\0\0\0\7\0\2h7\xff\xff" "\0\0\0\10\0\1h\0\1r"
		"\0\0\0\1\0\0\0\11" "\1\xff\xff" "\0\0\0\0") },
	{ "string", 1,
	  { "Host", KP_VISIT_VALUE, KP_REPLACE, TEXT("longer") },
	  BYTES("\0\0\0\2" "\0\0\0\7\0\6longer\xff\xff"
		"\0\0\0\10\0\6longer\0\1r"
		"\0\0\0\1\0\0\0\11" "\1\x23\x84" "\0\0\0\0") },
	{ "null by string and string by null", 1,
	  { "Rack", KP_VISIT_VALUE, KP_REPLACE, TEXT("") },
	  BYTES("\0\0\0\2" "\0\0\0\7\0\2h7\0\0" "\0\0\0\10\0\1h\0\0"
		"\0\0\0\1\0\0\0\11" "\1\x23\x84" "\0\0\0\0") },
	{ "string by null", 1,
	  { "Rack", KP_VISIT_VALUE, KP_REPLACE, .only = 0 },
	  BYTES("\0\0\0\2" "\0\0\0\7\0\2h7\xff\xff" "\0\0\0\10\0\1h\xff\xff"
		"\0\0\0\1\0\0\0\11" "\1\x23\x84" "\0\0\0\0") },
	{ "first element left out by its id", 1,
	  { "Id", KP_VISIT_VALUE, KP_DROP, .only = 7 },
	  BYTES("\0\0\0\1" "\0\0\0\10\0\1h\0\1r"
		"\0\0\0\1\0\0\0\11" "\1\x23\x84" "\0\0\0\0") },
	{ "elements left out by their last field", 1,
	  { "Rack", KP_VISIT_VALUE, KP_DROP, .only = 0 },
	  BYTES("\0\0\0\0"
		"\0\0\0\1\0\0\0\11" "\1\x23\x84" "\0\0\0\0") },
	{ "elements left out whole", 1,
	  { "Nodes", KP_VISIT_ELEMENT, KP_DROP, .only = 0 },
	  BYTES("\0\0\0\0"
		"\0\0\0\1\0\0\0\11" "\1\x23\x84" "\0\0\0\0") },
	{ "array cleared", 1,
	  { "Nodes", KP_VISIT_ARRAY, KP_CLEAR, .only = 0 },
	  BYTES("\0\0\0\0"
		"\0\0\0\1\0\0\0\11" "\1\x23\x84" "\0\0\0\0") },
	{ "item left out", 1,
	  { "Replicas", KP_VISIT_VALUE, KP_DROP, .only = 0 },
	  BYTES("\0\0\0\2" "\0\0\0\7\0\2h7\xff\xff" "\0\0\0\10\0\1h\0\1r"
		"\0\0\0\0" "\1\x23\x84" "\0\0\0\0") },
	{ "unknown fields", 2, { .name = NULL },
	  BYTES("\3\0\0\0\7\3h7\0\0" "\0\0\0\10\2h\2r\0"
		"\2\0\0\0\11" "\1\x23\x84\0" "\1\1\5\3\2a\2b") },
	{ "compact string", 2,
	  { "Host", KP_VISIT_VALUE, KP_REPLACE, TEXT("longer") },
	  BYTES("\3\0\0\0\7\7longer\0\0" "\0\0\0\10\7longer\2r\0"
		"\2\0\0\0\11" "\1\x23\x84\0" "\1\1\5\3\2a\2b") },
	{ "compact null", 2,
	  { "Rack", KP_VISIT_VALUE, KP_REPLACE, .only = 0 },
	  BYTES("\3\0\0\0\7\3h7\0\0" "\0\0\0\10\2h\0\0"
		"\2\0\0\0\11" "\1\x23\x84\0" "\1\1\5\3\2a\2b") },
	{ "element with an unknown field left out", 2,
	  { "Id", KP_VISIT_VALUE, KP_DROP, .only = 7 },
	  BYTES("\2" "\0\0\0\10\2h\2r\0"
		"\2\0\0\0\11" "\1\x23\x84\0" "\1\1\5\3\2a\2b") },
	{ "compact array cleared", 2,
	  { "Nodes", KP_VISIT_ARRAY, KP_CLEAR, .only = 0 },
	  BYTES("\1" "\2\0\0\0\11" "\1\x23\x84\0" "\1\1\5\3\2a\2b") },
	{ "strings in a tagged field", 2,
	  { "Notes", KP_VISIT_VALUE, KP_REPLACE, TEXT("other") },
	  BYTES("\3\0\0\0\7\3h7\0\0" "\0\0\0\10\2h\2r\0"
		"\2\0\0\0\11" "\1\x23\x84\0" "\1\1\15\3\6other\6other") },
	{ "items of a tagged field left out", 2,
	  { "Notes", KP_VISIT_VALUE, KP_DROP, .only = 0 },
	  BYTES("\3\0\0\0\7\3h7\0\0" "\0\0\0\10\2h\2r\0"
		"\2\0\0\0\11" "\1\x23\x84\0" "\1\1\1\1") },
};
/* clang-format on */

Test(walker, verdicts_are_obeyed)
{
	size_t num = sizeof(verdict_cases) / sizeof(verdict_cases[0]);
	struct kp_buf out;

	kp_buf_init(&out, 10000);
	for (size_t i = 0; i < num; i++) {
		const struct verdict_case *c = &verdict_cases[i];
		struct kp_bytes want = { (const uint8_t *)c->bytes, c->len };
		struct script script = c->script;
		struct kp_error err = { 0 };

		cr_assert(rewrite_body(&out, c->version,
			      c->version < FLEXIBLE ? old_bytes : new_bytes,
			      &script, &err),
		    "%s: %s", c->what, err.text);
		cr_assert(
		    kp_bytes_equal(kp_buf_bytes(&out), want), "%s", c->what);
	}
	kp_buf_fini(&out);
}

Test(walker, verdicts_that_cannot_be_obeyed_fail_the_walk)
{
	static const struct {
		struct script script;
		enum kp_error_kind kind;
	} table[] = {
		{ { "Id", KP_VISIT_VALUE, KP_REPLACE, NUMBER(1LL << 31) },
		    KP_ERR_UNSUPPORTED },
		{ { "Port", KP_VISIT_VALUE, KP_REPLACE, NUMBER(65536) },
		    KP_ERR_UNSUPPORTED },
		{ { "Port", KP_VISIT_VALUE, KP_REPLACE, NUMBER(-1) },
		    KP_ERR_UNSUPPORTED },
		{ { "Host", KP_VISIT_VALUE, KP_REPLACE, .only = 0 },
		    KP_ERR_UNSUPPORTED },
		{ { "Port", KP_VISIT_VALUE, KP_DROP, .only = 0 },
		    KP_ERR_UNSUPPORTED },
		{ { "Host", KP_VISIT_VALUE, KP_CLEAR, .only = 0 },
		    KP_ERR_UNSUPPORTED },
		{ { "Nodes", KP_VISIT_ARRAY, KP_DROP, .only = 0 },
		    KP_ERR_UNSUPPORTED },
		{ { "Nodes", KP_VISIT_ELEMENT, KP_REPLACE, .only = 0 },
		    KP_ERR_UNSUPPORTED },
		{ { "Host", KP_VISIT_VALUE, KP_FAIL, .only = 0 },
		    KP_ERR_LIMIT },
		{ { "Nodes", KP_VISIT_ARRAY, KP_FAIL, .only = 0 },
		    KP_ERR_LIMIT },
		{ { "Nodes", KP_VISIT_ELEMENT, KP_FAIL, .only = 0 },
		    KP_ERR_LIMIT },
	};
	struct kp_buf out;

	kp_buf_init(&out, 10000);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct script script = table[i].script;
		struct kp_error err = { 0 };

		cr_assert(!rewrite_body(&out, 1, old_bytes, &script, &err));
		cr_assert_eq(
		    err.kind, table[i].kind, "%d: %s", (int)i, err.text);
	}
	kp_buf_fini(&out);
}

Test(walker, a_string_longer_than_int16_is_refused)
{
	static uint8_t large[INT16_MAX + 1];
	struct script script = { "Host", KP_VISIT_VALUE, KP_REPLACE,
		.replacement = { .bytes = { large, sizeof(large) } } };
	struct kp_error err = { 0 };
	struct kp_buf out;

	kp_buf_init(&out, 1 << 20);
	cr_assert(!rewrite_body(&out, 2, new_bytes, &script, &err));
	cr_assert_eq(err.kind, KP_ERR_UNSUPPORTED);
	script.replacement.bytes.len--;
	cr_assert(rewrite_body(&out, 2, new_bytes, &script, &err));
	kp_buf_fini(&out);
}

Test(walker, a_compact_string_longer_than_int16_is_malformed)
{
	static uint8_t large[INT16_MAX + 1];

	for (size_t len = INT16_MAX; len <= INT16_MAX + 1; len++) {
		struct kp_bytes host = { large, len };
		struct kp_error err = { 0 };
		struct kp_buf body;

		kp_buf_init(&body, 1 << 20);
		kp_buf_add(&body, "\2\0\0\0\7", 5);
		kp_write_compact(&body, host);
		kp_buf_add(&body, "\0\0\1\xff\0", 5);
		cr_assert_eq(kp_walk_whole(&message, 2, kp_buf_bytes(&body),
				 &kp_see_nothing, NULL, &err),
		    len == INT16_MAX);
		kp_buf_fini(&body);
	}
}

Test(walker, numbers_have_their_sign)
{
	static const uint8_t bytes[] = { 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0xff,
		0xff, 0xfe, 1, 0xff, 0xfe, 0, 0, 0, 0 };
	struct kp_bytes body = { bytes, sizeof(bytes) };
	struct script script = { 0 };
	struct kp_visitor visitor = visitor_of(&script);
	struct kp_error err;

	cr_assert(kp_walk_whole(&message, 1, body, &visitor, NULL, &err));
	cr_assert_str_eq(script.log, "Nodes[0 Replicas=-2 Port=65534 ");
}

Test(walker, replacing_by_the_same_is_no_change)
{
	static const struct script table[] = {
		{ "Id", KP_VISIT_VALUE, KP_REPLACE, NUMBER(7), .only = 7 },
		{ "Replicas", KP_VISIT_VALUE, KP_REPLACE, NUMBER(9) },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct script script = table[i];
		struct kp_visitor visitor = visitor_of(&script);
		struct kp_rewrite rewrite = { 0 };
		struct kp_error err;

		cr_assert(kp_walk_whole(
		    &message, 1, old_bytes, &visitor, &rewrite, &err));
		cr_assert(!rewrite.is_changed);
		cr_assert_eq(rewrite.num_spans, 1);
		cr_assert(
		    (const uint8_t *)rewrite.spans[0].iov_base == old_body);
		kp_rewrite_fini(&rewrite);
	}
}

Test(walker, a_rewrite_can_be_used_again)
{
	struct script script = { "Host", KP_VISIT_VALUE, KP_REPLACE,
		TEXT("a-new-host") };
	struct kp_visitor visitor = visitor_of(&script);
	struct kp_rewrite rewrite = { 0 };
	struct kp_error err;
	struct kp_buf first, again;

	kp_buf_init(&first, 1000);
	kp_buf_init(&again, 1000);
	kp_rewrite_clear(&rewrite);
	for (int i = 0; i < 3; i++) {
		script.log[0] = '\0';
		cr_assert(kp_walk_whole(
		    &message, 2, new_bytes, &visitor, &rewrite, &err));
		kp_rewritten(i == 0 ? &first : &again, &rewrite);
	}
	cr_assert(kp_bytes_equal(kp_buf_bytes(&first), kp_buf_bytes(&again)));
	kp_rewrite_clear(&rewrite);
	cr_assert_eq(rewrite.num_spans, 0);
	cr_assert_eq(rewrite.total_len, 0);
	kp_rewrite_fini(&rewrite);
	kp_rewrite_fini(&rewrite);
	kp_buf_fini(&first);
	kp_buf_fini(&again);
}

struct hostile {
	const char *what;
	int16_t version;
	const char *bytes;
	size_t len;
};

/* clang-format off */
static const struct hostile hostile_cases[] = {
	{ "nothing at all", 1, BYTES("") },
	{ "2^31-1 nodes", 1, BYTES("\x7f\xff\xff\xff\0\0\0\7") },
	{ "count of -2", 1, BYTES("\xff\xff\xff\xfe\0\0\0\0\0\0\0\0\xff") },
	{ "one node more than there are bytes", 1, BYTES("\0\0\0\4\0\0\0") },
	{ "null where nothing may be null", 1,
	  BYTES("\0\0\0\0\xff\xff\xff\xff\xff\0\0\0\0") },
	{ "2^31-1 replicas", 1, BYTES("\0\0\0\0\x7f\xff\xff\xff\0\0\0\1") },
	{ "2^30+1 replicas: the size in bytes wraps", 1,
	  BYTES("\0\0\0\0\x40\0\0\1\0\0\0\1") },
	{ "null host", 1, BYTES("\0\0\0\1\0\0\0\7\xff\xff\xff\xff") },
	{ "host of -2 bytes", 1, BYTES("\0\0\0\1\0\0\0\7\xff\xfe\xff\xff") },
	{ "host beyond the end", 1, BYTES("\0\0\0\1\0\0\0\7\x7f\xffh") },
	{ "2^32-2 nodes", 2, BYTES("\xff\xff\xff\xff\x0f\0\0\0\7") },
	{ "2^31-1 nodes, compact", 2, BYTES("\x80\x80\x80\x80\x08\0\0\0\7") },
	{ "overlong count", 2, BYTES("\x81\0\1\xff\0") },
	{ "count of six bytes", 2, BYTES("\x80\x80\x80\x80\x80\x01\1\xff\0") },
	{ "compact null host", 2, BYTES("\2\0\0\0\7\0\0\0\1\xff\0") },
	{ "null item of an array that may be null", 2,
	  BYTES("\1\1\xff\1\1\2\2\0") },
	{ "a count reaches beyond its tag", 2,
	  BYTES("\1\1\xff\1\1\1\x81\1aaaa") },
	{ "a length reaches beyond its tag", 2,
	  BYTES("\1\1\xff\1\1\2\2\x81\1aaaa") },
	{ "string over int16", 2, BYTES("\2\0\0\0\7\x81\x80\x02") },
	{ "20 million tags", 2, BYTES("\1\1\xff\x80\xda\xc4\x09") },
	{ "2000 tags in 4000 bytes", 2, BYTES("\1\1\xff\xd0\x0f") },
	{ "tag beyond the end", 2, BYTES("\1\1\xff\1\5\4xyz") },
	{ "tag of 2^32-1 bytes", 2, BYTES("\1\1\xff\1\5\xff\xff\xff\xff\x0fx") },
	{ "tags not in order", 2, BYTES("\1\1\xff\2\5\0\4\0") },
	{ "the same unknown tag twice", 2, BYTES("\1\1\xff\2\5\0\5\0") },
	{ "a known tag twice", 2, BYTES("\1\1\xff\2\1\1\1\1\1\1") },
	{ "a known tag after a later one", 2, BYTES("\1\1\xff\2\5\0\1\1\1") },
	{ "tag larger than its value", 2, BYTES("\1\1\xff\1\1\2\1\0") },
	{ "tag smaller than its value", 2, BYTES("\1\1\xff\1\1\1\2\2a") },
	{ "tag without a value", 2, BYTES("\1\1\xff\1\1\0") },
	{ "array of a tag reaches beyond it", 2, BYTES("\1\1\xff\1\1\2\3\1\1") },
	{ "array of a tag counts beyond it", 2,
	  BYTES("\1\1\xff\1\1\1\7aaaaaaaaaaaa") },
	{ "bytes left over", 2, BYTES("\1\1\xff\0\0") },
};
/* clang-format on */

static void
refuse_in_pieces(const struct hostile *c, const uint8_t *data, size_t len)
{
	uint8_t *copy = malloc(len + 1);
	struct kp_error err = { 0 };
	struct kp_buf out;

	cr_assert_not_null(copy);
	kp_copy(copy, data, len);
	kp_buf_init(&out, 1 << 20);
	cr_assert(
	    !kp_walk_in_pieces(&out,
		&(struct kp_pieces){ &message, c->version, &kp_keep_all, 1, 0 },
		copy, len, &err),
	    "%s", c->what);
	cr_assert_eq(err.kind, KP_ERR_PROTOCOL, "%s", c->what);
	kp_buf_fini(&out);
	free(copy);
}

Test(walker, hostile_input_is_refused)
{
	size_t num = sizeof(hostile_cases) / sizeof(hostile_cases[0]);

	for (size_t i = 0; i < num; i++) {
		const struct hostile *c = &hostile_cases[i];
		struct kp_rewrite rewrite = { 0 };
		struct kp_error err = { 0 };
		uint8_t *copy = malloc(c->len + 1);
		struct kp_bytes body = { copy, c->len };

		cr_assert_not_null(copy);
		kp_copy(copy, c->bytes, c->len);
		cr_assert(!kp_walk_whole(&message, c->version, body,
			      &kp_see_nothing, NULL, &err),
		    "%s", c->what);
		cr_assert_eq(err.kind, KP_ERR_PROTOCOL, "%s", c->what);
		cr_assert(!kp_walk_whole(&message, c->version, body,
			      &kp_keep_all, &rewrite, &err),
		    "%s", c->what);
		refuse_in_pieces(c, copy, c->len);
		kp_rewrite_fini(&rewrite);
		free(copy);
	}
}

Test(walker, more_tags_than_any_message_has_are_refused)
{
	struct kp_error err = { 0 };
	struct kp_buf body;

	kp_buf_init(&body, 1 << 20);
	kp_buf_add(&body, "\1\1\xff", 3);
	kp_write_uvarint(&body, 1001);
	for (uint32_t tag = 0; tag < 1001; tag++) {
		kp_write_uvarint(&body, tag + 2);
		kp_write_uvarint(&body, 0);
	}
	cr_assert(!kp_walk_whole(
	    &message, 2, kp_buf_bytes(&body), &kp_see_nothing, NULL, &err));
	cr_assert_eq(err.kind, KP_ERR_PROTOCOL);
	kp_buf_fini(&body);
}

Test(walker, many_unknown_tags_shrink_their_count)
{
	static const uint8_t want[] = { 1, 1, 0xff, 1, 1, 1, 1 };
	struct kp_bytes bytes = { want, sizeof(want) };
	struct script script = { 0 };
	struct kp_error err = { 0 };
	struct kp_buf body, out;

	kp_buf_init(&body, 1 << 20);
	kp_buf_init(&out, 1 << 20);
	kp_buf_add(&body, "\1\1\xff", 3);
	kp_write_uvarint(&body, 300);
	kp_buf_add(&body, "\1\1\1", 3);
	for (uint32_t tag = 2; tag < 301; tag++) {
		kp_write_uvarint(&body, tag);
		kp_buf_add(&body, "\1z", 2);
	}
	cr_assert(rewrite_body(&out, 2, kp_buf_bytes(&body), &script, &err),
	    "%s", err.text);
	cr_assert(kp_bytes_equal(kp_buf_bytes(&out), bytes));
	kp_buf_fini(&body);
	kp_buf_fini(&out);
}

/* 200 nodes of which 150 go: the compact count loses a byte. */
Test(walker, a_count_may_change_its_width)
{
	struct script script = { "Id", KP_VISIT_VALUE, KP_DROP, .only = 1 };
	struct kp_error err = { 0 };
	struct kp_buf body, want, out;

	kp_buf_init(&body, 1 << 20);
	kp_buf_init(&want, 1 << 20);
	kp_buf_init(&out, 1 << 20);
	kp_write_compact_length(&body, 200);
	kp_write_compact_length(&want, 50);
	for (int i = 0; i < 200; i++) {
		kp_write_int32(&body, i % 4 == 3 ? 9 : 1);
		kp_buf_add(&body, "\2h\0\0", 4);
		if (i % 4 == 3)
			kp_buf_add(&want, "\0\0\0\11\2h\0\0", 8);
	}
	kp_buf_add(&body, "\1\xff\0", 3);
	kp_buf_add(&want, "\1\xff\0", 3);
	cr_assert(rewrite_body(&out, 2, kp_buf_bytes(&body), &script, &err),
	    "%s", err.text);
	cr_assert(kp_bytes_equal(kp_buf_bytes(&out), kp_buf_bytes(&want)));
	kp_buf_fini(&body);
	kp_buf_fini(&want);
	kp_buf_fini(&out);
}
