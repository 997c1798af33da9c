/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "rules/cel/cost.h"
#include "rules/cel/declare.h"

#define COUNT(list) (sizeof(list) / sizeof(*(list)))

static const struct kp_cel_field topic_fields[] = {
	{ "name", "string[249]" },
	{ "partitions", "int" },
	{ "replicationFactor", "int" },
	{ "config", "map[200](string[64], string[256])" },
	{ "owner", "User" },
	{ "note", "string" },
};
static const struct kp_cel_field user_fields[] = {
	{ "groups", "list[100](string[64])" },
};
static const struct kp_cel_object_type objects[] = {
	{ "Topic", topic_fields, COUNT(topic_fields) },
	{ "User", user_fields, COUNT(user_fields) },
};
static const char *const names[] = { "topic", "topics", "n", "any", "d" };
static const char *const types[] = { "Topic", "list[1000](Topic)", "int", "dyn",
	"double" };

static struct kp_cel_env
env_with(uint64_t max_steps)
{
	return (struct kp_cel_env){ .variables = names,
		.num_variables = COUNT(names),
		.types = types,
		.objects = objects,
		.num_objects = COUNT(objects),
		.max_steps = max_steps };
}

static struct kp_cel_estimate
estimate(const char *source)
{
	const struct kp_cel_env env = env_with(0);
	struct kp_cel_estimate out;
	struct kp_cel_fault fault;
	struct kp_cel_program *program =
	    kp_cel_program_new(kp_bytes_of(source), &env, &fault);

	cr_assert(program != NULL, "%s: %s", source, fault.text);
	out = kp_cel_program_estimate(program, &env);
	kp_cel_program_free(program);
	return out;
}

Test(cel_cost, sizes_that_are_declared_are_what_it_is_made_of)
{
	static const struct {
		const char *source;
		uint64_t min, max;
	} cases[] = {
		/* Each with the sentence of an error, which takes 16. */
		{ "n", 1, 1 + 16 },
		{ "n + 1 == 2", 5, 6 + 16 },
		{ "topic.name == 'a'", 4, 4 + 1 + 249 / 16 + 16 },
		{ "topic.name + topic.name", 5, 5 + 498 / 16 + 16 },
		{ "topic.config['retention.ms']", 4, 4 + 1 + 200 + 16 },
		{ "topic.config.a", 3, 3 + 1 + 200 + 16 },
		{ "'a' in topic.owner.groups", 5, 5 + 100 + 16 },
		{ "n == 1 && n == 2", 3, 1 + 2 * (3 + 1 + 16) + 16 + 16 },
		{ "n == 1 ? 1 : [1, 2].size()", 5, 1 + 3 + 1 + 2 + 16 },
		{ "topics.all(t, t.partitions < 9)", 2,
		    2 + 1000 * (4 + 1 + 16) + 16 },
		{ "topics.map(t, t.partitions > 2, t.partitions)", 2,
		    2 + 1000 * (1 + 4 + 2) + 16 },
		{ "topics.all(t, t.owner.groups.exists(g, g == 'a'))", 2,
		    2 + 1000 * (1 + 16 + 1 + 3 + 100 * (1 + 16 + 3 + 5)) + 16 },
		{ "string(n)", 2, 2 + 16 + 16 },
		{ "string(d)", 2, 2 + 16 + 17 * 64 + 16 },
		{ "n == 1 || topics.size() == 1", 3,
		    1 + (4 + 16) + (5 + 16) + 16 + 16 },
		{ "{'a': [n]}.a[0]", 7, 7 + 2 + 2 + 16 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct kp_cel_estimate found = estimate(cases[i].source);

		cr_expect(found.min == cases[i].min, "%s: from %llu",
		    cases[i].source, (unsigned long long)found.min);
		cr_expect(found.max == cases[i].max, "%s: up to %llu",
		    cases[i].source, (unsigned long long)found.max);
	}
}

Test(cel_cost, what_has_no_declared_size_has_no_limit)
{
	static const char *const sources[] = { "topic.note == 'a'",
		"'a' == topic.note + 'b' || topic.note.contains('a')",
		"any == 1", "any.all(x, true)", "any.field == 1",
		"topics.map(t, t.note).join() == ''",
		"topic.name.matches(topic.name)" };

	for (size_t i = 0; i < COUNT(sources); i++)
		cr_expect(estimate(sources[i]).max == KP_CEL_NO_BOUND, "%s",
		    sources[i]);
	cr_expect(
	    estimate("1 == 1 || topic.note == ''").max == KP_CEL_NO_BOUND);
	cr_expect(estimate("size(topic.config) == 1").max < 100);
	cr_expect(estimate("topic.name.matches('^[a-z]+$')").max < 1000);
}

/* An expression that is refused, with how it is shown. */
static void
refuse(const char *source, uint64_t max_steps, const char *shown)
{
	const struct kp_cel_env env = env_with(max_steps);
	struct kp_cel_fault fault;
	struct kp_buf out = { .data = NULL };

	cr_assert(
	    kp_cel_program_new(kp_bytes_of(source), &env, &fault) == NULL);
	cr_expect(fault.kind == KP_CEL_FAULT_COST);
	kp_buf_init(&out, 4096);
	kp_cel_render(&out, kp_bytes_of(source), &fault);
	cr_expect(kp_bytes_equal(kp_buf_bytes(&out), kp_bytes_of(shown)),
	    "%.*s", (int)out.len, (const char *)out.data);
	kp_buf_fini(&out);
}

Test(cel_cost, what_may_take_too_long_is_refused_with_its_dearest_part)
{
	const struct kp_cel_env env = env_with(1000000);
	struct kp_cel_fault fault;
	struct kp_cel_program *program = kp_cel_program_new(
	    kp_bytes_of("topics.all(t, t.partitions < 9)"), &env, &fault);

	cr_assert(program != NULL, "%s", fault.text);
	kp_cel_program_free(program);
	refuse("topic.partitions > 1 &&\ntopics.all(t, "
	       "t.owner.groups.exists(g, g in t.owner.groups))",
	    1000000,
	    "2:42: the expression may take 52221071 steps, and no more than "
	    "1000000 are allowed: up to 50000000 of them are for this\n"
	    " | topics.all(t, t.owner.groups.exists(g, g in "
	    "t.owner.groups))\n"
	    " | .........................................^");
	refuse("n == 1 || topic.note == 'a'", 1000000,
	    "1:22: nothing limits how many steps this takes, as it is not "
	    "known how large its values may be\n"
	    " | n == 1 || topic.note == 'a'\n"
	    " | .....................^");
}

/* One argument of each type that a function takes. */
static const char *
sample_of(const char *type)
{
	static const char *const samples[][2] = {
		{ "string", "topic.name" },
		{ "int", "n" },
		{ "uint", "uint(n)" },
		{ "double", "d" },
		{ "number", "n" },
		{ "bool", "true" },
		{ "bytes", "b'a'" },
		{ "timestamp", "timestamp(n)" },
		{ "duration", "duration('1s')" },
		{ "list(string)", "topic.owner.groups" },
		{ "list(dyn)", "[n]" },
		{ "list(A)", "topics" },
		{ "map(A, B)", "topic.config" },
		{ "optional(A)", "optional.of(n)" },
		{ "A", "n" },
		{ "...", "n" },
	};

	for (size_t i = 0; i < COUNT(samples); i++)
		if (strcmp(samples[i][0], type) == 0)
			return samples[i][1];
	return strncmp(type, "list(", 5) == 0 ? "[n]" : NULL;
}

/* "f(a, b)" or "a.f(b)", with "topic.name.matches('a')" for patterns. */
static void
write_call(char *out, size_t size, const struct kp_cel_overload *overload)
{
	bool is_member = (overload->style & KP_CEL_MEMBER) != 0;
	char params[128], *rest = params, *type;
	struct kp_buf text;
	int number = 0;

	kp_buf_init(&text, size);
	(void)snprintf(params, sizeof(params), "%s", overload->params);
	if (!is_member)
		kp_buf_printf(&text, "%s(", overload->name);
	while ((type = strsep(&rest, ",")) != NULL && *type != '\0') {
		const char *sample = sample_of(type + strspn(type, " "));

		if (number == 1 && strcmp(overload->name, "matches") == 0)
			sample = "'a'";
		kp_buf_printf(&text, "%s%s",
		    number > (is_member ? 1 : 0) ? ", " : "", sample);
		if (is_member && number == 0)
			kp_buf_printf(&text, ".%s(", overload->name);
		number++;
	}
	kp_buf_printf(&text, ")");
	(void)snprintf(
	    out, size, "%.*s", (int)text.len, (const char *)text.data);
	kp_buf_fini(&text);
}

Test(cel_cost, every_function_has_its_cost)
{
	size_t num, num_calls = 0;
	const struct kp_cel_overload *list = kp_cel_overloads(&num);
	char source[256];

	for (size_t i = 0; i < num; i++) {
		if (strchr("=!<>+-*/%?[i", list[i].name[0]) != NULL &&
		    strlen(list[i].name) < 4 &&
		    strcmp(list[i].name, "int") != 0)
			continue; /* an operator */
		if (strstr(list[i].params, "map(") != NULL)
			continue; /* the size of one, which is above */
		write_call(source, sizeof(source), &list[i]);
		cr_expect(estimate(source).max < KP_CEL_NO_BOUND, "%s", source);
		num_calls++;
	}
	cr_assert(num_calls > 100);
}
