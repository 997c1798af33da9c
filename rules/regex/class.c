/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/regex/class.h"

#include <stdlib.h>

#include "base/utf8.h"

#define FIRST_SURROGATE 0xd800u
#define LAST_SURROGATE 0xdfffu

/* The only letters beyond ASCII whose other case is in it. */
#define LONG_S 0x17fu
#define KELVIN 0x212au

static int
compare(const void *a, const void *b)
{
	const struct kp_regex_range *one = a, *other = b;

	return one->low < other->low ? -1 : one->low > other->low;
}

/* Puts the list in order, ranges that touch made one. */
static void
normalize(struct kp_regex_class *set)
{
	uint32_t num = 0;

	qsort(set->list, set->num, sizeof(*set->list), compare);
	for (uint32_t i = 0; i < set->num; i++) {
		struct kp_regex_range range = set->list[i];

		if (num > 0 && range.low <= set->list[num - 1].high + 1) {
			if (range.high > set->list[num - 1].high)
				set->list[num - 1].high = range.high;
			continue;
		}
		set->list[num++] = range;
	}
	set->num = num;
}

void
kp_regex_class_add(struct kp_regex_class *set, uint32_t low, uint32_t high)
{
	if (set->num == KP_REGEX_MAX_RANGES)
		set->failed = true;
	else
		set->list[set->num++] = (struct kp_regex_range){ low, high };
}

static void
add_shifted(struct kp_regex_class *set, struct kp_regex_range range,
    uint32_t first, int32_t shift)
{
	uint32_t last = first + 25;

	if (range.low > last || range.high < first)
		return;
	if (range.low > first)
		first = range.low;
	if (range.high < last)
		last = range.high;
	kp_regex_class_add(set, (uint32_t)((int32_t)first + shift),
	    (uint32_t)((int32_t)last + shift));
}

static bool
has(struct kp_regex_range range, uint32_t point)
{
	return range.low <= point && point <= range.high;
}

void
kp_regex_class_fold(struct kp_regex_class *set, uint32_t first)
{
	uint32_t end = set->num;

	for (uint32_t i = first; i < end; i++) {
		struct kp_regex_range range = set->list[i];

		add_shifted(set, range, 'a', 'A' - 'a');
		add_shifted(set, range, 'A', 'a' - 'A');
		if (has(range, 's') || has(range, 'S'))
			kp_regex_class_add(set, LONG_S, LONG_S);
		if (has(range, 'k') || has(range, 'K'))
			kp_regex_class_add(set, KELVIN, KELVIN);
		if (has(range, LONG_S)) {
			kp_regex_class_add(set, 's', 's');
			kp_regex_class_add(set, 'S', 'S');
		}
		if (has(range, KELVIN)) {
			kp_regex_class_add(set, 'k', 'k');
			kp_regex_class_add(set, 'K', 'K');
		}
	}
}

void
kp_regex_class_negate(struct kp_regex_class *set)
{
	uint32_t next = 0, num = 0, old_num;

	normalize(set);
	old_num = set->num;
	for (uint32_t i = 0; i < old_num; i++) {
		struct kp_regex_range range = set->list[i];

		if (range.low > next)
			set->list[num++] =
			    (struct kp_regex_range){ next, range.low - 1 };
		next = range.high + 1;
	}
	set->num = num;
	if (next <= KP_REGEX_LAST_POINT)
		kp_regex_class_add(set, next, KP_REGEX_LAST_POINT);
}

bool
kp_regex_class_add_named(struct kp_regex_class *set, struct kp_bytes name,
    bool is_negated, bool is_folded)
{
	static const struct {
		const char *name, *ranges; /* pairs of first and last */
	} groups[] = {
		{ "alnum", "09AZaz" },
		{ "alpha", "AZaz" },
		{ "blank", "\t\t  " },
		{ "digit", "09" },
		{ "graph", "!~" },
		{ "lower", "az" },
		{ "print", " ~" },
		{ "punct", "!/:@[`{~" },
		{ "space", "\t\r  " },
		{ "upper", "AZ" },
		{ "word", "09AZaz__" },
		{ "xdigit", "09AFaf" },
		{ "ascii", "\x01\x7f" },
		{ "cntrl", "\x01\x1f\x7f\x7f" },
		{ "d", "09" },
		{ "s", "\t\n\f\r  " },
		{ "w", "09AZaz__" },
	};
	struct kp_regex_class group = { .num = 0 };
	size_t i = 0, num = sizeof(groups) / sizeof(*groups);

	while (i < num && !kp_bytes_equal(name, kp_bytes_of(groups[i].name)))
		i++;
	if (i == num)
		return false;
	for (const char *c = groups[i].ranges; *c != '\0'; c += 2)
		kp_regex_class_add(&group, (uint8_t)c[0], (uint8_t)c[1]);
	if (groups[i].ranges[0] == '\x01') /* a text cannot begin with NUL */
		kp_regex_class_add(&group, 0, 0);
	if (is_folded)
		kp_regex_class_fold(&group, 0);
	if (is_negated)
		kp_regex_class_negate(&group);
	for (i = 0; i < group.num; i++)
		kp_regex_class_add(set, group.list[i].low, group.list[i].high);
	return true;
}

/* Characters of one length whose bytes vary independently. */
struct sequence {
	size_t len;
	uint8_t low[4], high[4];
};

/* Where sequences go: first they are counted, then written. */
struct emitter {
	struct kp_regex_code *code;
	bool is_counting;
	uint32_t num_heads, num_tails; /* counted */
	uint32_t head, tails;          /* places: the next head, the tails */
};

/* Bytes at the end of the sequence that may be any in such a place. */
static uint32_t
tail_len(const struct sequence *sequence)
{
	size_t len = 0;

	while (len + 1 < sequence->len &&
	       sequence->low[sequence->len - 1 - len] == 0x80 &&
	       sequence->high[sequence->len - 1 - len] == 0xbf)
		len++;
	return (uint32_t)len;
}

static void
count_sequence(struct emitter *to, const struct sequence *sequence)
{
	uint32_t len = tail_len(sequence);

	to->num_heads++;
	if (len > to->num_tails)
		to->num_tails = len;
}

/* Distances to the end of all code are set when that is known: 0 until then. */
static bool
write_sequence(struct emitter *to, const struct sequence *sequence)
{
	uint32_t tail = tail_len(sequence), at = to->head++;
	uint32_t last = (uint32_t)sequence->len - tail - 1;

	for (uint32_t i = 0; i <= last; i++) {
		uint32_t next = to->code->num;
		struct kp_regex_instruction *here;

		if (i < last && kp_regex_extend(to->code, 1) == NULL)
			return false;
		if (i == last)
			next = to->tails + to->num_tails - tail;
		here = &to->code->list[at];
		*here = (struct kp_regex_instruction){ .op = KP_REGEX_BYTE,
			.low = sequence->low[i],
			.high = sequence->high[i] };
		if (i < last || tail > 0)
			here->next = (int32_t)next - (int32_t)at;
		at = next;
	}
	return true;
}

static bool
take_sequence(struct emitter *to, uint32_t low, uint32_t high)
{
	struct sequence sequence;

	sequence.len = kp_utf8_encode(low, sequence.low);
	if (sequence.len == 0 ||
	    kp_utf8_encode(high, sequence.high) != sequence.len)
		return true;
	if (!to->is_counting)
		return write_sequence(to, &sequence);
	count_sequence(to, &sequence);
	return true;
}

/* The end of the first part of the range whose bytes vary independently. */
static uint32_t
part_end(uint32_t low, uint32_t high)
{
	static const uint32_t ends[] = { 0x7f, 0x7ff, 0xffff };

	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
		if (low <= ends[i] && high > ends[i])
			high = ends[i];
	if (high <= 0x7f)
		return high;
	for (int bits = 6; bits <= 18; bits += 6) {
		uint32_t mask = (1u << bits) - 1;

		if ((low & ~mask) == (high & ~mask))
			break;
		if ((low & mask) != 0)
			return low | mask;
		if ((high & mask) != mask)
			high = (high & ~mask) - 1;
	}
	return high;
}

static bool
take_range(struct emitter *to, uint32_t low, uint32_t high)
{
	while (low <= high) {
		uint32_t end = part_end(low, high);

		if (!take_sequence(to, low, end))
			return false;
		low = end + 1;
	}
	return true;
}

static bool
take_all(struct emitter *to, const struct kp_regex_class *set)
{
	for (uint32_t i = 0; i < set->num; i++) {
		uint32_t low = set->list[i].low, high = set->list[i].high;

		if (low < FIRST_SURROGATE &&
		    !take_range(to, low,
			high < FIRST_SURROGATE ? high : FIRST_SURROGATE - 1))
			return false;
		if (high > LAST_SURROGATE &&
		    !take_range(to,
			low > LAST_SURROGATE ? low : LAST_SURROGATE + 1, high))
			return false;
	}
	return true;
}

/* Heads are tried one after the other; what ends a character leaves. */
static void
join(struct kp_regex_code *code, uint32_t start, uint32_t num_heads)
{
	for (uint32_t i = start; i < code->num; i++) {
		struct kp_regex_instruction *here = &code->list[i];

		if (here->next == 0)
			here->next = (int32_t)(code->num - i);
		if (i - start + 1 < num_heads)
			here->has_more = true;
	}
}

bool
kp_regex_class_emit(struct kp_regex_class *set, struct kp_regex_code *code)
{
	struct emitter to = { .code = code, .is_counting = true };
	uint32_t start = code->num;

	if (set->failed)
		return kp_regex_fail(code, KP_REGEX_FAULT_LIMIT, code->pos,
		    "the class has more than %d ranges", KP_REGEX_MAX_RANGES);
	normalize(set);
	(void)take_all(&to, set);
	if (to.num_heads == 0)
		return kp_regex_add(code,
		    (struct kp_regex_instruction){ .op = KP_REGEX_NEVER });
	if (kp_regex_extend(code, to.num_heads + to.num_tails) == NULL)
		return false;
	to.is_counting = false;
	to.head = start;
	to.tails = start + to.num_heads;
	for (uint32_t i = 0; i < to.num_tails; i++)
		code->list[to.tails + i] =
		    (struct kp_regex_instruction){ .op = KP_REGEX_BYTE,
			    .low = 0x80,
			    .high = 0xbf,
			    .next = i + 1 < to.num_tails };
	if (!take_all(&to, set))
		return false;
	join(code, start, to.num_heads);
	return true;
}
