/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Expressions of CEL. Whatever is written, making and evaluating a program end
 * within their limits, what the type checker says of a value is true, and so is
 * what was estimated that it takes.
 */
#include "base/bytes.h"
#include "rules/cel/program.h"

#define MAX_STEPS 20000
#define MAX_MEMORY (1u << 18)
/* A single function may go beyond what is left, by what it looks at. */
#define MAX_BEYOND 400000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = { "n", "s", "a.b", "topic", "configs" };
static const char *const types[] = { "int", "string[16]", "list[3](int)",
	"Topic", "map[1](string[16], string[16])" };
static const struct kp_cel_field fields[] = { { "name", "string[16]" },
	{ "partitions", "int" } };
static const struct kp_cel_object_type objects[] = { { "Topic", fields,
    sizeof(fields) / sizeof(*fields) } };

static enum kp_cel_presence
topic_field(const struct kp_cel_object *object, struct kp_bytes name,
    struct kp_cel_value *out)
{
	(void)object;
	if (kp_bytes_equal(name, kp_bytes_of("name"))) {
		*out = kp_cel_string(kp_bytes_of("orders.eu"));
		return KP_CEL_SET;
	}
	*out = kp_cel_int(0);
	return kp_bytes_equal(name, kp_bytes_of("partitions"))
		   ? KP_CEL_UNSET
		   : KP_CEL_NO_FIELD;
}

static struct kp_cel_value
get(const struct kp_cel_input *input, size_t variable)
{
	static const struct kp_cel_object topic = { "Topic", topic_field,
		NULL };
	static struct kp_cel_value numbers[3];
	static struct kp_cel_entry entry;
	static const struct kp_cel_list list = { .num = 3, .items = numbers };
	static const struct kp_cel_map map = { .num = 1, .entries = &entry };

	(void)input;
	for (int i = 0; i < 3; i++)
		numbers[i] = kp_cel_int(i - 1);
	entry.key = kp_cel_string(kp_bytes_of("retention.ms"));
	entry.value = kp_cel_string(kp_bytes_of("-1"));
	switch (variable) {
	case 0:
		return kp_cel_int(5);
	case 1:
		return kp_cel_string(kp_bytes_of("h\xc3\xa9llo"));
	case 2:
		return kp_cel_list(&list);
	case 3:
		return kp_cel_object(&topic);
	default:
		return kp_cel_map(&map);
	}
}

/* Types whose values name themselves in the same way. */
static void
check_type(const char *deduced, struct kp_cel_value value)
{
	static const char *const plain[] = { "bool", "int", "uint", "double",
		"string", "bytes", "null_type" };

	for (size_t i = 0; i < sizeof(plain) / sizeof(*plain); i++)
		if (strcmp(deduced, plain[i]) == 0)
			kp_assert(
			    strcmp(kp_cel_type_name(value), deduced) == 0);
}

static void
check_fault(struct kp_bytes source, const struct kp_cel_fault *fault)
{
	struct kp_buf out;

	kp_assert(fault->kind != KP_CEL_FAULT_NONE);
	kp_buf_init(&out, 8192);
	kp_cel_render(&out, source, fault);
	kp_assert(out.len > 0);
	kp_buf_fini(&out);
}

static void
evaluate(const struct kp_cel_program *program, struct kp_bytes source,
    const struct kp_cel_env *env)
{
	struct kp_cel_estimate estimate = kp_cel_program_estimate(program, env);
	const struct kp_cel_input input = { .get = get };
	struct kp_cel_scratch scratch;
	struct kp_cel_value value;
	struct kp_cel_fault fault;

	kp_cel_scratch_init(&scratch, MAX_STEPS, MAX_MEMORY);
	if (!kp_cel_program_run(program, &input, &scratch, &value, &fault))
		check_fault(source, &fault);
	else if (!env->is_unchecked)
		check_type(kp_cel_program_type(program), value);
	kp_assert(scratch.meter.used <= MAX_STEPS + MAX_BEYOND ||
		  scratch.meter.used == UINT64_MAX);
	kp_assert(scratch.meter.used <= estimate.max);
	kp_cel_scratch_fini(&scratch);
}

static bool
make(struct kp_bytes source, bool is_checked)
{
	const struct kp_cel_env env = { .variables = names,
		.num_variables = sizeof(names) / sizeof(*names),
		.types = types,
		.is_unchecked = !is_checked,
		.objects = objects,
		.num_objects = 1 };
	struct kp_cel_fault fault;
	struct kp_cel_program *program =
	    kp_cel_program_new(source, &env, &fault);

	if (program == NULL) {
		check_fault(source, &fault);
		return false;
	}
	evaluate(program, source, &env);
	kp_cel_program_free(program);
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct kp_bytes source = { data, size };
	bool is_parsed = make(source, false);

	if (make(source, true))
		kp_assert(is_parsed);
	return 0;
}
