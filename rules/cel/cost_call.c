/* SPDX-License-Identifier: Apache-2.0 */
/* What functions take beside their arguments, and how large their results are.
 */
#include "rules/cel/cost.h"
#include "rules/regex/regex.h"

#define ADD kp_cel_bound_add
#define MUL kp_cel_bound_mul
/* As in match.c, ext_strings.c and ext_format.c. */
#define REGEX_STEPS 8
#define STEPS_OF_SEARCH 16
#define CHARACTERS_A_STEP 4
#define MAX_AGAIN 256
/* Bytes of what a verb writes of what is no text: the longest is %f. */
#define VERB_LEN (310 + KP_CEL_MAX_PRECISION + 20)

typedef const struct kp_cel_cost_call cost_call;

struct row {
	const char *name;
	uint64_t (*cost)(cost_call *call);
	const struct kp_cel_bound *(*result)(cost_call *call);
};

static uint64_t
len_of(cost_call *call, uint32_t arg)
{
	return arg < call->node->num_args ? call->args[arg]->len : 0;
}

static uint64_t
bytes(uint64_t len)
{
	return kp_cel_cost_of_bytes(len, KP_CEL_BYTES_A_STEP);
}

static uint64_t
characters(uint64_t len)
{
	return kp_cel_cost_of_bytes(len, CHARACTERS_A_STEP);
}

static uint64_t
cost_none(cost_call *call)
{
	(void)call;
	return 0;
}

static uint64_t
cost_bytes(cost_call *call)
{
	return bytes(len_of(call, 0));
}

static uint64_t
cost_size(cost_call *call)
{
	return call->args[0]->value == NULL ||
		       call->args[0] == &kp_cel_unbounded
		   ? cost_bytes(call)
		   : 0;
}

static uint64_t
cost_twice(cost_call *call)
{
	return MUL(2, cost_bytes(call));
}

static uint64_t
cost_characters(cost_call *call)
{
	return characters(len_of(call, 0));
}

/* As kp_cel_search_steps. */
static uint64_t
cost_search(cost_call *call)
{
	uint64_t text = len_of(call, 0), part = len_of(call, 1);
	uint64_t again = part < MAX_AGAIN ? part : MAX_AGAIN;

	return MUL(bytes(ADD(text, part)), 1 + bytes(again));
}

static uint64_t
cost_index_of(cost_call *call)
{
	return ADD(cost_twice(call), cost_search(call));
}

static uint64_t
cost_last_index_of(cost_call *call)
{
	return ADD(ADD(cost_twice(call), cost_characters(call)),
	    MUL(len_of(call, 0), ADD(1, bytes(len_of(call, 1)))));
}

static uint64_t
cost_double(cost_call *call)
{
	uint64_t len = len_of(call, 0);

	return KP_CEL_STEPS_OF_NUMBER +
	       (len < KP_CEL_MAX_NUMBER_LEN ? len : KP_CEL_MAX_NUMBER_LEN);
}

static uint64_t
cost_of_plain(const struct kp_cel_bound *bound)
{
	uint64_t real = bound->may_be_real
			    ? KP_CEL_DOUBLE_TRIES * KP_CEL_STEPS_OF_DOUBLE
			    : 0;

	return ADD(KP_CEL_STEPS_OF_NUMBER + real, bytes(bound->len));
}

static uint64_t
cost_string(cost_call *call)
{
	return cost_of_plain(call->args[0]);
}

static uint64_t
cost_copy(cost_call *call)
{
	return kp_cel_cost_of_text(len_of(call, 0));
}

static uint64_t
cost_reverse(cost_call *call)
{
	return ADD(cost_characters(call), cost_copy(call));
}

static uint64_t
quoted_len(cost_call *call)
{
	return ADD(2, MUL(3, len_of(call, 0)));
}

static uint64_t
cost_quote(cost_call *call)
{
	return ADD(
	    cost_characters(call), kp_cel_cost_of_text(quoted_len(call)));
}

static const struct kp_cel_bound *
items_of(cost_call *call, uint32_t arg)
{
	const struct kp_cel_bound *value = call->args[arg]->value;

	return value == NULL ? &kp_cel_scalar : value;
}

static uint64_t
joined_len(cost_call *call)
{
	return MUL(
	    len_of(call, 0), ADD(items_of(call, 0)->len, len_of(call, 1)));
}

static uint64_t
cost_join(cost_call *call)
{
	return ADD(len_of(call, 0), kp_cel_cost_of_text(joined_len(call)));
}

/* How often a part is found, at most: a part that is known has a length. */
static uint64_t
num_finds(cost_call *call)
{
	const struct kp_cel_node *part = call->node->args[1];
	uint64_t len = len_of(call, 0);

	if (part->kind == KP_CEL_CONSTANT && part->constant.extra > 0)
		len = kp_cel_cost_of_bytes(len, part->constant.extra);
	return ADD(len, 1);
}

static uint64_t
cost_finds(cost_call *call)
{
	return ADD(
	    cost_search(call), MUL(STEPS_OF_SEARCH, ADD(num_finds(call), 1)));
}

static uint64_t
replaced_len(cost_call *call)
{
	return ADD(
	    len_of(call, 0), MUL(ADD(num_finds(call), 1), len_of(call, 2)));
}

static uint64_t
cost_replace(cost_call *call)
{
	return ADD(cost_finds(call), kp_cel_cost_of_text(replaced_len(call)));
}

/* Bytes that a value is written in, by any verb. */
static uint64_t
written_len(const struct kp_cel_bound *bound)
{
	uint64_t each;

	if (bound == &kp_cel_unbounded)
		return KP_CEL_NO_BOUND;
	if (bound->value == NULL)
		return ADD(VERB_LEN, MUL(3, bound->len));
	each = ADD(4, written_len(bound->value));
	if (bound->key != NULL)
		each = ADD(each, written_len(bound->key));
	return ADD(ADD(VERB_LEN, MUL(3, bound->len)), MUL(bound->len, each));
}

/* Rows of a map in the order of their keys, by a heap. */
static uint64_t
cost_of_sorting(uint64_t num, const struct kp_cel_bound *key)
{
	uint64_t height = num < 2 ? 1 : 64 - (uint64_t)__builtin_clzll(num);

	return MUL(MUL(num, 4 * height), ADD(1, bytes(written_len(key))));
}

static uint64_t
cost_of_writing(const struct kp_cel_bound *bound)
{
	uint64_t each, plain = ADD(1 + KP_CEL_STEPS_OF_DOUBLE,
			   ADD(cost_of_plain(bound), characters(bound->len)));

	if (bound == &kp_cel_unbounded)
		return KP_CEL_NO_BOUND;
	if (bound->value == NULL)
		return plain;
	each = cost_of_writing(bound->value);
	if (bound->key != NULL) {
		each = ADD(each, ADD(1, cost_of_writing(bound->key)));
		plain = ADD(plain, cost_of_sorting(bound->len, bound->key));
	}
	return ADD(plain, MUL(bound->len, each));
}

static uint64_t
formatted_len(cost_call *call)
{
	return ADD(len_of(call, 0),
	    MUL(len_of(call, 1), written_len(items_of(call, 1))));
}

/* Texts of values are made twice: by themselves, and in what comes out. */
static uint64_t
cost_format(cost_call *call)
{
	uint64_t values =
	    MUL(len_of(call, 1), cost_of_writing(items_of(call, 1)));

	return ADD(ADD(cost_bytes(call), len_of(call, 0)),
	    ADD(values, MUL(2, kp_cel_cost_of_text(formatted_len(call)))));
}

/* A pattern that is met later takes time to be compiled: how much is open. */
static uint64_t
cost_matches(cost_call *call)
{
	if (call->node->regex == NULL || len_of(call, 0) == KP_CEL_NO_BOUND)
		return KP_CEL_NO_BOUND;
	return kp_regex_max_steps(call->node->regex, len_of(call, 0)) /
	       REGEX_STEPS;
}

static uint64_t
cost_extreme(cost_call *call)
{
	uint64_t items = call->args[0]->value == NULL ? 0 : len_of(call, 0);

	return ADD(call->node->num_args, items);
}

static uint64_t
encoded_len(cost_call *call)
{
	return MUL(4, ADD(1, len_of(call, 0)));
}

static uint64_t
cost_encode(cost_call *call)
{
	return kp_cel_cost_of_text(encoded_len(call));
}

static uint64_t
cost_decode(cost_call *call)
{
	return ADD(cost_bytes(call), cost_copy(call));
}

static const struct kp_cel_bound *
scalar(cost_call *call)
{
	(void)call;
	return &kp_cel_scalar;
}

static const struct kp_cel_bound *
real(cost_call *call)
{
	(void)call;
	return &kp_cel_real;
}

static const struct kp_cel_bound *
first(cost_call *call)
{
	return call->args[0];
}

static const struct kp_cel_bound *
first_text(cost_call *call)
{
	return kp_cel_bound_text(call->arena, len_of(call, 0));
}

static const struct kp_cel_bound *
plain_text(cost_call *call)
{
	uint64_t len = len_of(call, 0);

	return kp_cel_bound_text(call->arena,
	    len < KP_CEL_PLAIN_TEXT_LEN ? KP_CEL_PLAIN_TEXT_LEN : len);
}

static const struct kp_cel_bound *
joined_text(cost_call *call)
{
	return kp_cel_bound_text(call->arena, joined_len(call));
}

static const struct kp_cel_bound *
replaced_text(cost_call *call)
{
	return kp_cel_bound_text(call->arena, replaced_len(call));
}

static const struct kp_cel_bound *
quoted_text(cost_call *call)
{
	return kp_cel_bound_text(call->arena, quoted_len(call));
}

static const struct kp_cel_bound *
formatted_text(cost_call *call)
{
	return kp_cel_bound_text(call->arena, formatted_len(call));
}

static const struct kp_cel_bound *
encoded_text(cost_call *call)
{
	return kp_cel_bound_text(call->arena, encoded_len(call));
}

static const struct kp_cel_bound *
pieces(cost_call *call)
{
	return kp_cel_bound_list(
	    call->arena, ADD(num_finds(call), 1), first_text(call));
}

static const struct kp_cel_bound *
some(cost_call *call)
{
	return kp_cel_bound_optional(call->arena,
	    call->node->num_args == 0 ? &kp_cel_scalar : call->args[0]);
}

static const struct kp_cel_bound *
inner(cost_call *call)
{
	return items_of(call, 0);
}

static const struct kp_cel_bound *
either(cost_call *call)
{
	return kp_cel_bound_join(call->arena, call->args[0], call->args[1]);
}

static const struct kp_cel_bound *
inner_or_other(cost_call *call)
{
	return kp_cel_bound_join(call->arena, items_of(call, 0), call->args[1]);
}

/* A number of all that are given. */
static const struct kp_cel_bound *
number(cost_call *call)
{
	const struct kp_cel_bound *out = items_of(call, 0);

	for (uint32_t i = 0; i < call->node->num_args; i++)
		if (call->args[i]->may_be_real)
			out = &kp_cel_real;
	return out->may_be_real ? &kp_cel_real : &kp_cel_scalar;
}

/* clang-format off */
static const struct row table[] = {
	{ "size",                    cost_size,          scalar },
	{ "type",                    cost_none,          scalar },
	{ "dyn",                     cost_none,          first },
	{ "int",                     cost_none,          scalar },
	{ "uint",                    cost_none,          scalar },
	{ "double",                  cost_double,        real },
	{ "string",                  cost_string,        plain_text },
	{ "bytes",                   cost_none,          first_text },
	{ "bool",                    cost_none,          scalar },
	{ "timestamp",               cost_none,          scalar },
	{ "duration",                cost_none,          scalar },
	{ "contains",                cost_search,        scalar },
	{ "startsWith",              cost_search,        scalar },
	{ "endsWith",                cost_search,        scalar },
	{ "matches",                 cost_matches,       scalar },
	{ "getFullYear",             cost_none,          scalar },
	{ "getMonth",                cost_none,          scalar },
	{ "getDate",                 cost_none,          scalar },
	{ "getDayOfMonth",           cost_none,          scalar },
	{ "getDayOfWeek",            cost_none,          scalar },
	{ "getDayOfYear",            cost_none,          scalar },
	{ "getHours",                cost_none,          scalar },
	{ "getMinutes",              cost_none,          scalar },
	{ "getSeconds",              cost_none,          scalar },
	{ "getMilliseconds",         cost_none,          scalar },
	{ "optional.of",             cost_none,          some },
	{ "optional.ofNonZeroValue", cost_none,          some },
	{ "optional.none",           cost_none,          some },
	{ "hasValue",                cost_none,          scalar },
	{ "value",                   cost_none,          inner },
	{ "or",                      cost_none,          either },
	{ "orValue",                 cost_none,          inner_or_other },
	{ "charAt",                  cost_bytes,         first_text },
	{ "indexOf",                 cost_index_of,      scalar },
	{ "lastIndexOf",             cost_last_index_of, scalar },
	{ "join",                    cost_join,          joined_text },
	{ "lowerAscii",              cost_copy,          first_text },
	{ "upperAscii",              cost_copy,          first_text },
	{ "replace",                 cost_replace,       replaced_text },
	{ "split",                   cost_finds,         pieces },
	{ "substring",               cost_twice,         first_text },
	{ "trim",                    cost_characters,    first_text },
	{ "reverse",                 cost_reverse,       first_text },
	{ "strings.quote",           cost_quote,         quoted_text },
	{ "format",                  cost_format,        formatted_text },
	{ "math.greatest",           cost_extreme,       number },
	{ "math.least",              cost_extreme,       number },
	{ "math.ceil",               cost_none,          real },
	{ "math.floor",              cost_none,          real },
	{ "math.round",              cost_none,          real },
	{ "math.trunc",              cost_none,          real },
	{ "math.isNaN",              cost_none,          scalar },
	{ "math.isInf",              cost_none,          scalar },
	{ "math.isFinite",           cost_none,          scalar },
	{ "math.abs",                cost_none,          number },
	{ "math.sign",               cost_none,          number },
	{ "math.sqrt",               cost_none,          real },
	{ "math.bitAnd",             cost_none,          scalar },
	{ "math.bitOr",              cost_none,          scalar },
	{ "math.bitXor",             cost_none,          scalar },
	{ "math.bitNot",             cost_none,          scalar },
	{ "math.bitShiftLeft",       cost_none,          scalar },
	{ "math.bitShiftRight",      cost_none,          scalar },
	{ "base64.encode",           cost_encode,        encoded_text },
	{ "base64.decode",           cost_decode,        first_text },
};
/* clang-format on */

uint64_t
kp_cel_cost_of_call(cost_call *call, const struct kp_cel_bound **out)
{
	struct kp_bytes name = kp_bytes_of(call->node->function->name);

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		if (!kp_bytes_equal(name, kp_bytes_of(table[i].name)))
			continue;
		*out = table[i].result(call);
		return table[i].cost(call);
	}
	*out = &kp_cel_unbounded;
	return KP_CEL_NO_BOUND;
}
