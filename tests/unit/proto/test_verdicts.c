/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any mixture of verdicts against a model: what a second walk sees in the new
 * body is what the first walk saw in the old one, changed as it was told to.
 */
#include <criterion/criterion.h>

#include <stdlib.h>

#include "tests/support/sample.h"
#include "tests/support/walks.h"

#define MAX_EVENTS 20000
#define MAX_TEXT 300
#define NUM_SEEDS 30

struct event {
	enum kp_visit_kind kind;
	const struct kp_field *field;
	int64_t number; /* of an array its elements, as far as they stay */
	bool is_null;
	size_t len;
	uint64_t hash; /* of the content */
};

/* An element that is being walked; the message is the outermost. */
struct open_element {
	const struct kp_field *array;
	const struct kp_field *fields;
	size_t first_event; /* its own */
	size_t array_event;
};

struct model {
	const struct kp_message *message;
	uint64_t interest;
	struct kp_sample random;
	bool only_records;
	int16_t version;
	struct event *events;
	size_t num_events;
	size_t array_event; /* of the array that began last */
	struct open_element open[KP_WALK_MAX_DEPTH];
	unsigned num_open;
	uint8_t text[MAX_TEXT];
	size_t num_changes;
};

static uint64_t
hash_of(const uint8_t *data, size_t len)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ data[i]) * UINT64_C(0x100000001b3);
	return hash;
}

/* Is field in this struct, and in no element that is shown of its own? */
static bool
contains(const struct model *model, const struct kp_field *fields,
    const struct kp_field *field)
{
	for (const struct kp_field *f = fields; f->kind != KP_END; f++) {
		bool is_shown =
		    f->is_array && (model->interest & KP_ENTITY_BIT(f->entity));

		if (f == field)
			return true;
		if (f->kind == KP_STRUCT && !is_shown &&
		    contains(model, f->fields, field))
			return true;
	}
	return false;
}

static struct open_element *
innermost(struct model *model)
{
	return &model->open[model->num_open - 1];
}

/* Leaves the elements that ended before field; the last of its own array too.
 */
static void
leave_elements(struct model *model, const struct kp_field *field)
{
	while (!contains(model, innermost(model)->fields, field)) {
		if (innermost(model)->array == field)
			model->array_event = innermost(model)->array_event;
		cr_assert(model->num_open > 1);
		model->num_open--;
	}
}

static void
drop_innermost(struct model *model)
{
	struct open_element *element = innermost(model);

	model->num_events = element->first_event;
	model->events[element->array_event].number--;
	model->array_event = element->array_event;
	/* What else comes of it is not shown, so it may as well stay open. */
}

static struct event *
record(struct model *model, const struct kp_visit *visit)
{
	struct event *event = &model->events[model->num_events++];

	cr_assert(model->num_events < MAX_EVENTS);
	*event = (struct event){ .kind = visit->kind,
		.field = visit->field,
		.number = visit->number,
		.is_null = visit->data == NULL,
		.len = visit->len,
		.hash = hash_of(
		    visit->data, visit->data == NULL ? 0 : visit->len) };
	return event;
}

static bool
is_number(const struct kp_field *field)
{
	return field->kind != KP_STRING && field->kind != KP_BYTES &&
	       field->kind != KP_RECORDS && field->kind != KP_UUID;
}

static void
replace(struct model *model, struct event *event, struct kp_replacement *out)
{
	size_t len = kp_sample_random(&model->random, MAX_TEXT);

	model->num_changes++;
	if (is_number(event->field)) {
		out->number = kp_sample_random(&model->random, 2);
		event->number = out->number;
		return;
	}
	if (event->field->kind == KP_UUID)
		len = 16;
	for (size_t i = 0; i < len; i++)
		model->text[i] = (uint8_t)kp_sample_random(&model->random, 256);
	out->bytes = (struct kp_bytes){ model->text, len };
	if (len % 8 == 0 && !event->field->is_array &&
	    event->field->kind != KP_UUID &&
	    model->version >= event->field->nullable_since)
		out->bytes = (struct kp_bytes){ 0 };
	event->is_null = out->bytes.data == NULL;
	event->len = out->bytes.len;
	event->hash = hash_of(out->bytes.data, out->bytes.len);
}

static enum kp_verdict
see_value(struct model *model, const struct kp_visit *visit,
    struct kp_replacement *out)
{
	struct event *event = record(model, visit);
	uint32_t choice = kp_sample_random(&model->random, 16);

	if (model->only_records || choice > 5)
		return KP_KEEP;
	if (choice > 0) {
		replace(model, event, out);
		return KP_REPLACE;
	}
	if (visit->field->is_array) {
		model->num_events--;
		model->num_changes++;
		return KP_DROP;
	}
	if (model->num_open == 1)
		return KP_KEEP;
	drop_innermost(model);
	model->num_changes++;
	return KP_DROP;
}

static enum kp_verdict
see_array(struct model *model, const struct kp_visit *visit)
{
	struct event *event = record(model, visit);

	model->array_event = model->num_events - 1;
	event->number = visit->number < 0 ? -1 : 0;
	if (model->only_records) {
		event->number = visit->number;
		return KP_KEEP;
	}
	if (kp_sample_random(&model->random, 12) > 0)
		return KP_KEEP;
	model->num_changes += visit->number > 0;
	return KP_CLEAR;
}

static enum kp_verdict
see_element(struct model *model, const struct kp_visit *visit)
{
	struct open_element *element = &model->open[model->num_open++];

	element->array = visit->field;
	element->fields = visit->field->fields;
	element->first_event = model->num_events;
	element->array_event = model->array_event;
	(void)record(model, visit);
	if (model->only_records)
		return KP_KEEP;
	model->events[model->array_event].number++;
	if (kp_sample_random(&model->random, 12) > 0)
		return KP_KEEP;
	drop_innermost(model);
	model->num_changes++;
	return KP_DROP;
}

static enum kp_verdict
see(void *context, const struct kp_visit *visit, struct kp_replacement *out,
    struct kp_error *err)
{
	struct model *model = context;

	(void)err;
	leave_elements(model, visit->field);
	switch (visit->kind) {
	case KP_VISIT_ARRAY:
		return see_array(model, visit);
	case KP_VISIT_ELEMENT:
		return see_element(model, visit);
	case KP_VISIT_RECORDS: /* in pieces only */
	case KP_VISIT_PIECE:
		cr_assert(false);
		return KP_FAIL;
	case KP_VISIT_VALUE:
		break;
	}
	return see_value(model, visit, out);
}

static void
model_init(struct model *model, const struct kp_message *message,
    int16_t version, uint64_t interest, uint64_t seed)
{
	model->message = message;
	model->interest = interest;
	model->random = (struct kp_sample){ .random = seed };
	model->version = version;
	model->num_events = 0;
	model->num_changes = 0;
	model->num_open = 1;
	model->open[0] = (struct open_element){ .fields = message->fields };
	model->only_records = false;
}

static bool
is_same(const struct event *a, const struct event *b)
{
	return a->kind == b->kind && a->field == b->field &&
	       a->number == b->number && a->is_null == b->is_null &&
	       a->len == b->len && a->hash == b->hash;
}

static void
check_events(const struct model *want, const struct model *got)
{
	for (size_t i = 0; i < want->num_events && i < got->num_events; i++)
		cr_assert(is_same(&want->events[i], &got->events[i]),
		    "%s v%d: event %zu %s", want->message->name, want->version,
		    i, want->events[i].field->name);
	cr_assert_eq(want->num_events, got->num_events, "%s v%d",
	    want->message->name, want->version);
}

/* Returns how many changes were made. */
static size_t
check_message(const struct kp_message *message, int16_t version, uint64_t seed,
    struct model *first, struct model *second)
{
	struct kp_sample sample = { .random = seed, .has_unknown_tags = true };
	uint64_t interest = seed % 3 == 0
				? UINT64_MAX
				: (seed + 1) * UINT64_C(0x9e3779b97f4a7c15);
	struct kp_visitor visitor = { interest, see, first };
	struct kp_rewrite rewrite = { 0 };
	struct kp_error err = { 0 };
	struct kp_buf body, out;

	kp_buf_init(&body, KP_SAMPLE_MAX_LEN);
	kp_buf_init(&out, 4 * KP_SAMPLE_MAX_LEN);
	kp_sample_body(&sample, &body, message, version);
	model_init(first, message, version, interest, seed);
	cr_assert(kp_walk_whole(message, version, kp_buf_bytes(&body), &visitor,
		      &rewrite, &err),
	    "%s v%d: %s", message->name, version, err.text);
	kp_rewritten(&out, &rewrite);
	model_init(second, message, version, interest, seed);
	second->only_records = true;
	visitor.context = second;
	cr_assert(kp_walk_whole(message, version, kp_buf_bytes(&out), &visitor,
		      NULL, &err),
	    "%s v%d: %s", message->name, version, err.text);
	check_events(first, second);
	kp_rewrite_fini(&rewrite);
	kp_buf_fini(&body);
	kp_buf_fini(&out);
	return first->num_changes;
}

static size_t
check_versions(
    const struct kp_message *message, struct model *first, struct model *second)
{
	size_t num_changes = 0;

	for (int v = message->min_version; v <= message->max_version; v++)
		for (uint64_t seed = 0; seed < NUM_SEEDS; seed++)
			num_changes += check_message(message, (int16_t)v,
			    seed + 1000 * (uint64_t)v +
				(uint64_t)message->api_key * 100000,
			    first, second);
	return num_changes;
}

Test(verdicts, any_mixture_does_what_the_model_says)
{
	static struct event events[2][MAX_EVENTS];
	struct model first = { .events = events[0] };
	struct model second = { .events = events[1] };
	size_t num_changes = 0;

	for (int key = 0; key <= KP_MAX_API_KEY; key++) {
		const struct kp_api *api = kp_api_find((int16_t)key);

		if (api == NULL)
			continue;
		num_changes += check_versions(api->request, &first, &second);
		num_changes += check_versions(api->response, &first, &second);
	}
	cr_assert(num_changes > 10000, "%zu changes", num_changes);
}
