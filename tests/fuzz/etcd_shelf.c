/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/etcd_shelf.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "control/server/etcd_priv.h"
#include "proto/control/unpack.h"

#define MAX_PAIRS 96
#define MAX_ENTRIES 4
#define MAX_VALUE_LEN 4096
#define MAX_ANSWER_LEN (1u << 20)
#define MAX_KEY_LEN 255

struct pair {
	uint8_t key[MAX_KEY_LEN + 1];
	size_t key_len;
	struct kp_buf value;
};

static struct pair pairs[MAX_PAIRS];
static size_t num_pairs, cursor;
static bool is_strict, is_behind;

/* The linker's --wrap gives this name to what the store calls. */
Etcdserverpb__RangeResponse *__wrap_kp_etcd_read(struct kp_etcd *etcd,
    const struct kp_etcd_span *span, struct kp_rpc_cancel *cancel,
    enum kp_rpc_code *out_code, struct kp_error *err);

static uint8_t
next(struct kp_bytes *input)
{
	if (input->len == 0)
		return 0;
	input->len--;
	return *input->data++;
}

static struct kp_bytes
take(struct kp_bytes *input)
{
	size_t len = next(input);
	struct kp_bytes taken = { input->data,
		len < input->len ? len : input->len };

	input->data += taken.len;
	input->len -= taken.len;
	return taken;
}

static const char *
attempt_of(uint8_t which)
{
	return which & 0x80 ? "0123456789abcdef0123456789abcdef"
			    : "fedcba9876543210fedcba9876543210";
}

static void
set_key(struct pair *pair, const char *text)
{
	pair->key_len = strlen(text);
	kp_copy(pair->key, text, pair->key_len);
}

static void
set_part_key(struct pair *pair, enum kp_etcd_family family, uint8_t arg)
{
	struct kp_etcd_key parts = kp_etcd_key_parts(
	    KP_FUZZ_ETCD_PREFIX, family, arg & 15, attempt_of(arg));

	set_key(pair, kp_etcd_key_part(&parts, (arg >> 4) & 7).text);
}

static void
set_raw_key(struct pair *pair, struct kp_bytes *input, const char *prefix)
{
	struct kp_bytes raw = take(input);
	size_t len = strlen(prefix);

	if (raw.len > MAX_KEY_LEN - len)
		raw.len = MAX_KEY_LEN - len;
	kp_copy(pair->key, prefix, len);
	kp_copy(pair->key + len, raw.data, raw.len);
	pair->key_len = len + raw.len;
}

static void
make_key(struct pair *pair, struct kp_bytes *input, uint8_t form)
{
	static const char *const states[] = { "form", "newest", "oldest",
		"leader" };
	uint8_t arg = next(input);

	if (form == 0)
		set_key(pair,
		    kp_etcd_key_state(KP_FUZZ_ETCD_PREFIX, states[arg % 4])
			.text);
	else if (form == 1 || form == 3)
		set_key(pair,
		    kp_etcd_key_number(KP_FUZZ_ETCD_PREFIX,
			form == 1 ? KP_ETCD_REVISIONS : KP_ETCD_SNAPSHOTS, arg)
			.text);
	else if (form == 2 || form == 4)
		set_part_key(pair,
		    form == 2 ? KP_ETCD_PARTS : KP_ETCD_SNAPSHOT_PARTS, arg);
	else if (form == 5)
		set_raw_key(pair, input, KP_FUZZ_ETCD_PREFIX "records/nodes/");
	else
		set_raw_key(pair, input, form == 6 ? KP_FUZZ_ETCD_PREFIX : "");
}

/* Up to MAX_ENTRIES of a kind, named "a" to "d". */
static void
fill_part(kp_etcd_part *part, kp_etcd_entry entries[MAX_ENTRIES],
    kp_etcd_entry *list[MAX_ENTRIES], struct kp_bytes *input)
{
	static char names[][2] = { "a", "b", "c", "d" };
	static char kind[] = "Cluster";

	kproxy__store__v1__part__init(part);
	part->n_entries = next(input) % (MAX_ENTRIES + 1);
	part->entries = list;
	for (size_t i = 0; i < part->n_entries; i++) {
		uint8_t what = next(input);

		kproxy__store__v1__entry__init(&entries[i]);
		entries[i].kind = kind;
		entries[i].name = names[what & 3];
		entries[i].is_removed = (what >> 2) & 1;
		entries[i].is_new = (what >> 3) & 1;
		entries[i].revision = what >> 4;
		if (!entries[i].is_removed)
			entries[i].text = (ProtobufCBinaryData){ 1,
				(uint8_t *)names[what >> 6] };
		list[i] = &entries[i];
	}
}

static void
add_message(struct kp_buf *out, const ProtobufCMessage *message)
{
	uint8_t *to =
	    kp_buf_extend(out, protobuf_c_message_get_packed_size(message));

	if (to != NULL)
		(void)protobuf_c_message_pack(message, to);
}

/* A record of few entries, inline or in parts, that tells the truth or not. */
static void
add_record(struct kp_buf *out, struct kp_bytes *input, bool is_inline)
{
	kp_etcd_entry entries[MAX_ENTRIES], *list[MAX_ENTRIES];
	uint8_t what = next(input);
	kp_etcd_record record;
	kp_etcd_part part;

	fill_part(&part, entries, list, input);
	kproxy__store__v1__record__init(&record);
	record.attempt = (ProtobufCBinaryData){ KP_ETCD_ATTEMPT_LEN,
		(uint8_t *)(uintptr_t)attempt_of(what) };
	record.time_ms = what;
	record.num_entries = part.n_entries + ((what >> 5) & 3);
	record.num_parts = is_inline ? 0 : what & 15;
	record.parts_len = what & 31;
	record.inline_part = is_inline ? &part : NULL;
	add_message(out, &record.base);
}

static void
add_part(struct kp_buf *out, struct kp_bytes *input)
{
	kp_etcd_entry entries[MAX_ENTRIES], *list[MAX_ENTRIES];
	kp_etcd_part part;

	fill_part(&part, entries, list, input);
	add_message(out, &part.base);
}

static void
make_value(struct kp_buf *out, struct kp_bytes *input, uint8_t form)
{
	struct kp_bytes raw;

	kp_buf_init(out, MAX_VALUE_LEN);
	if (form == 0)
		kp_buf_printf(out, "%u", (unsigned)next(input));
	else if (form == 1 || form == 2)
		add_record(out, input, form == 1);
	else if (form == 3)
		add_part(out, input);
	if (form <= 3)
		return;
	raw = take(input);
	kp_buf_add(out, raw.data, raw.len);
}

static int
compare(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
	int order = memcmp(a, b, a_len < b_len ? a_len : b_len);

	return order != 0 ? order : (a_len > b_len) - (a_len < b_len);
}

static int
compare_pairs(const void *left, const void *right)
{
	const struct pair *a = left, *b = right;

	return compare(a->key, a->key_len, b->key, b->key_len);
}

/* What an honest one has: each key once, in order. */
static void
tidy(void)
{
	size_t num = 0;

	qsort(pairs, num_pairs, sizeof(*pairs), compare_pairs);
	for (size_t i = 0; i < num_pairs; i++) {
		if (num > 0 && compare_pairs(&pairs[num - 1], &pairs[i]) == 0)
			kp_buf_fini(&pairs[i].value);
		else
			pairs[num++] = pairs[i];
	}
	num_pairs = num;
}

void
kp_fuzz_shelf_put(struct kp_bytes input, bool is_honest, bool is_late)
{
	num_pairs = cursor = 0;
	is_strict = is_honest;
	is_behind = is_late;
	while (input.len > 0 && num_pairs < MAX_PAIRS) {
		struct pair *pair = &pairs[num_pairs++];
		uint8_t forms = next(&input);

		make_key(pair, &input, forms & 7);
		make_value(&pair->value, &input, (forms >> 3) & 7);
	}
	if (is_honest && num_pairs > 0)
		tidy();
}

void
kp_fuzz_shelf_clear(void)
{
	for (size_t i = 0; i < num_pairs; i++)
		kp_buf_fini(&pairs[i].value);
	num_pairs = 0;
}

static bool
is_within(const struct pair *pair, const struct kp_etcd_span *span)
{
	const uint8_t *from = (const uint8_t *)span->from.text;
	const uint8_t *to = (const uint8_t *)span->to.text;
	int order =
	    compare(pair->key, pair->key_len, from, strlen(span->from.text));

	if (span->to.text[0] == '\0')
		return order == 0;
	return order >= 0 &&
	       compare(pair->key, pair->key_len, to, strlen(span->to.text)) < 0;
}

/* The next pair of an answer; NULL: no more. */
static struct pair *
pick(const struct kp_etcd_span *span, size_t *at)
{
	if (!is_strict)
		return cursor < num_pairs ? &pairs[cursor++] : NULL;
	while (*at < num_pairs) {
		size_t i = span->is_descending ? num_pairs - 1 - *at : *at;

		++*at;
		if (is_within(&pairs[i], span))
			return &pairs[i];
	}
	return NULL;
}

Etcdserverpb__RangeResponse *
__wrap_kp_etcd_read(struct kp_etcd *etcd, const struct kp_etcd_span *span,
    struct kp_rpc_cancel *cancel, enum kp_rpc_code *out_code,
    struct kp_error *err)
{
	Etcdserverpb__KeyValue kvs[MAX_PAIRS], *list[MAX_PAIRS];
	Etcdserverpb__ResponseHeader header;
	Etcdserverpb__RangeResponse answer;
	size_t max = span->limit > 0 ? (size_t)span->limit : MAX_PAIRS, at = 0;
	struct kp_buf packed;
	ProtobufCMessage *message;
	struct pair *pair;

	(void)etcd;
	(void)cancel;
	if (out_code != NULL)
		*out_code = KP_RPC_OUT_OF_RANGE;
	if (is_behind && span->revision > 0) {
		is_behind = false;
		(void)kp_error_set(err, KP_ERR_UNAVAILABLE, "compacted");
		return NULL;
	}
	etcdserverpb__range_response__init(&answer);
	etcdserverpb__response_header__init(&header);
	header.revision = 1;
	answer.header = &header;
	answer.kvs = list;
	/* etcd answers what it was asked for; a stranger may send more */
	max += !is_strict;
	while (answer.n_kvs < max && answer.n_kvs < MAX_PAIRS &&
	       (pair = pick(span, &at)) != NULL) {
		Etcdserverpb__KeyValue *kv = &kvs[answer.n_kvs];

		etcdserverpb__key_value__init(kv);
		kv->key = (ProtobufCBinaryData){ pair->key_len, pair->key };
		kv->value =
		    (ProtobufCBinaryData){ pair->value.len, pair->value.data };
		list[answer.n_kvs++] = kv;
	}
	kp_buf_init(&packed, MAX_ANSWER_LEN);
	add_message(&packed, &answer.base);
	message = kp_unpack(&etcdserverpb__range_response__descriptor,
	    kp_buf_bytes(&packed), 4 * MAX_ANSWER_LEN, err);
	kp_assert(message != NULL);
	kp_buf_fini(&packed);
	return (Etcdserverpb__RangeResponse *)message;
}
