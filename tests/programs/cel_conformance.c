/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Evaluates expressions for tests/conformance/cel.mjs and tests/differential/.
 * A line of its input is
 *
 *	mode TAB container TAB expression
 *	    { TAB variable TAB its type TAB expression of its value }
 *
 * with all expressions in hexadecimal. In the modes "check" and "type" types
 * are checked, in "run" they are not. The answer is a line of JSON with type
 * and value: ["int","5"], ["string","6162"], ["list",[...]],
 * ["map",[[key,value],...]], or ["error","the sentence"], which is "malformed"
 * where it is no expression, "refused" where types do not fit, and "limit" if
 * one was reached; in the mode "type" ["deduced","list(int)"], and in "cost"
 * ["cost",counted,least,most,has a value] with numbers as texts.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "rules/cel/moment.h"
#include "rules/cel/program.h"
#include "tests/support/hex.h"

#define MAX_VARIABLES 16
#define MAX_LINE (1 << 20)

struct variable {
	struct kp_cel_program *program;
	struct kp_cel_scratch scratch;
	struct kp_cel_value value;
};

struct test {
	const char *mode, *container;
	const char *names[MAX_VARIABLES];
	const char *types[MAX_VARIABLES];
	struct variable variables[MAX_VARIABLES];
	size_t num;
};

static void print_value(struct kp_cel_value value);

static struct kp_cel_value
get_variable(const struct kp_cel_input *input, size_t variable)
{
	const struct test *test = input->host;

	return test->variables[variable].value;
}

static void
print_hex(struct kp_bytes bytes)
{
	putchar('"');
	for (size_t i = 0; i < bytes.len; i++)
		printf("%02x", bytes.data[i]);
	putchar('"');
}

static void
print_list(const struct kp_cel_list *list)
{
	putchar('[');
	for (size_t i = 0; i < list->num; i++) {
		if (i > 0)
			putchar(',');
		print_value(kp_cel_list_at(list, i));
	}
	putchar(']');
}

static void
print_map(const struct kp_cel_map *map)
{
	putchar('[');
	for (size_t i = 0; i < map->num; i++) {
		struct kp_cel_entry entry = kp_cel_map_at(map, i);

		printf("%s[", i > 0 ? "," : "");
		print_value(entry.key);
		putchar(',');
		print_value(entry.value);
		putchar(']');
	}
	putchar(']');
}

static void
print_plain(struct kp_cel_value value)
{
	if (value.type == KP_CEL_BOOL)
		printf(value.as.truth ? "true" : "false");
	else if (value.type == KP_CEL_UINT)
		printf("\"%llu\"", (unsigned long long)value.as.natural);
	else if (value.type == KP_CEL_DOUBLE)
		printf("\"%.17g\"", value.as.real);
	else if (value.type == KP_CEL_TYPE)
		printf("\"%s\"", value.as.name);
	else if (value.type == KP_CEL_INT || value.type == KP_CEL_DURATION ||
		 value.type == KP_CEL_TIMESTAMP)
		printf("\"%lld.%u\"", (long long)value.as.number, value.extra);
	else
		printf("null");
}

static void
print_value(struct kp_cel_value value)
{
	printf("[\"%s\",", kp_cel_type_name(value));
	if (value.type == KP_CEL_STRING || value.type == KP_CEL_BYTES)
		print_hex(kp_cel_content(value));
	else if (value.type == KP_CEL_LIST)
		print_list(value.as.list);
	else if (value.type == KP_CEL_MAP)
		print_map(value.as.map);
	else if (value.type == KP_CEL_OPTIONAL && value.as.inner != NULL)
		print_value(*value.as.inner);
	else
		print_plain(value);
	putchar(']');
}

static void
print_fault(const struct kp_cel_fault *fault)
{
	static const char *const names[] = {
		[KP_CEL_FAULT_SYNTAX] = "malformed",
		[KP_CEL_FAULT_LIMIT] = "limit",
		[KP_CEL_FAULT_TYPE] = "refused",
		[KP_CEL_FAULT_VALUE] = "error",
		[KP_CEL_FAULT_COST] = "limit",
		[KP_CEL_FAULT_MEMORY] = "limit",
	};

	printf("[\"%s\",\"", names[fault->kind]);
	for (const char *c = fault->text; *c != '\0'; c++)
		putchar(*c == '"' || *c == '\\' || *c < ' ' ? '\'' : *c);
	printf("\"]");
}

static struct kp_cel_env
env_of(const struct test *test)
{
	return (struct kp_cel_env){ .variables = test->names,
		.num_variables = test->num,
		.types = test->types,
		.is_unchecked = strcmp(test->mode, "run") == 0,
		.container = test->container };
}

static bool
prepare(struct variable *out, struct kp_bytes source, const struct test *test,
    struct kp_cel_fault *fault)
{
	const struct kp_cel_env env = env_of(test);

	kp_cel_scratch_init(
	    &out->scratch, KP_CEL_DEFAULT_STEPS, KP_CEL_DEFAULT_MEMORY);
	out->program = kp_cel_program_new(source, &env, fault);
	return out->program != NULL;
}

/* Evaluates source; program and scratch own what the value borrows. */
static bool
evaluate(struct variable *out, struct kp_bytes source, const struct test *test,
    struct kp_cel_fault *fault)
{
	const struct kp_cel_input input = { .get = get_variable, .host = test };

	return prepare(out, source, test, fault) &&
	       kp_cel_program_run(
		   out->program, &input, &out->scratch, &out->value, fault);
}

static void
free_variable(struct variable *variable)
{
	kp_cel_program_free(variable->program);
	kp_cel_scratch_fini(&variable->scratch);
}

/* The rest of the line: names, types and expressions of variables. */
static void
read_variables(struct test *test, char **rest)
{
	static const struct test nothing = { .mode = "run" };
	struct kp_cel_fault fault;
	char *name;

	while (
	    test->num < MAX_VARIABLES && (name = strsep(rest, "\t")) != NULL) {
		struct variable *variable = &test->variables[test->num];

		test->types[test->num] = strsep(rest, "\t");
		if (!evaluate(variable, kp_unhex(strsep(rest, "\t")), &nothing,
			&fault))
			variable->value = kp_cel_error("no such value");
		test->names[test->num++] = name;
	}
}

/* What it costs beside what was estimated; nothing if it does not check. */
static void
print_cost(
    const struct test *test, struct kp_bytes source, struct variable *result)
{
	const struct kp_cel_env env = env_of(test);
	const struct kp_cel_input input = { .get = get_variable, .host = test };
	struct kp_cel_fault fault;
	struct kp_cel_estimate estimate;
	bool ok;

	if (!prepare(result, source, test, &fault)) {
		print_fault(&fault);
		return;
	}
	estimate = kp_cel_program_estimate(result->program, &env);
	ok = kp_cel_program_run(
	    result->program, &input, &result->scratch, &result->value, &fault);
	printf("[\"cost\",\"%" PRIu64 "\",\"%" PRIu64 "\",\"%" PRIu64 "\",%s]",
	    result->scratch.meter.used, estimate.min, estimate.max,
	    ok ? "true" : "false");
}

static void
print_answer(
    const struct test *test, struct kp_bytes source, struct variable *result)
{
	struct kp_cel_fault fault = { .kind = KP_CEL_FAULT_NONE };

	if (strcmp(test->mode, "cost") == 0)
		print_cost(test, source, result);
	else if (strcmp(test->mode, "type") == 0 &&
		 prepare(result, source, test, &fault))
		printf("[\"deduced\",\"%s\"]",
		    kp_cel_program_type(result->program));
	else if (strcmp(test->mode, "type") != 0 &&
		 evaluate(result, source, test, &fault))
		print_value(result->value);
	else
		print_fault(&fault);
	putchar('\n');
}

static void
answer(char *line)
{
	struct test *test = kp_alloc(1, sizeof(*test));
	struct variable result = { .program = NULL };
	struct kp_bytes source;

	test->mode = strsep(&line, "\t");
	test->container = strsep(&line, "\t");
	source = kp_unhex(strsep(&line, "\t"));
	read_variables(test, &line);
	print_answer(test, source, &result);
	free_variable(&result);
	for (size_t i = 0; i < test->num; i++)
		free_variable(&test->variables[i]);
	free(test);
}

int
main(void)
{
	char *line = kp_alloc(1, MAX_LINE);

	while (fgets(line, MAX_LINE, stdin) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		answer(line);
		(void)fflush(stdout);
	}
	free(line);
	return 0;
}
