/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prints the tables. A row has the versions in which the field is on the wire:
 * its own range within that of all structs around it. @thread any
 */
#include "proto/kafka/coverage.h"

#include <string.h>

/* Enough for "-32768-32767". */
#define RANGE_SIZE 16

struct printer {
	FILE *out;
	enum kp_coverage_format format;
	kp_coverage_action_fn action;
	const struct kp_api *api;
	const struct kp_message *message;
	const char *separator; /* before the next JSON row */
};

/* A field where it stands, with the versions that have it there. */
struct place {
	const struct place *above; /* NULL: a field of the message itself */
	const struct kp_field *field;
	int16_t since, until;
};

static const char *
direction(const struct printer *p)
{
	return p->message == p->api->request ? "request" : "response";
}

static const char *
format_range(char buf[static RANGE_SIZE], int16_t since, int16_t until)
{
	if (since == until)
		(void)snprintf(buf, RANGE_SIZE, "%d", since);
	else
		(void)snprintf(buf, RANGE_SIZE, "%d-%d", since, until);
	return buf;
}

/* "12+", or "none" if it never begins while the field is there. */
static const char *
format_since(
    char buf[static RANGE_SIZE], int16_t since, const struct place *place)
{
	int16_t first = since > place->since ? since : place->since;

	if (since == KP_NEVER_SINCE || first > place->until)
		return "none";
	(void)snprintf(buf, RANGE_SIZE, "%d+", first);
	return buf;
}

static void
print_path(FILE *out, const struct place *place)
{
	if (place->above != NULL) {
		print_path(out, place->above);
		fputs(place->above->field->is_array ? "[]." : ".", out);
	}
	fputs(place->field->name, out);
}

static void
print_json_string(FILE *out, const char *text)
{
	if (text == NULL) {
		fputs("null", out);
		return;
	}
	putc('"', out);
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			putc('\\', out);
		putc(*text, out);
	}
	putc('"', out);
}

static void
print_json_row(struct printer *p, const struct place *place, const char *action)
{
	const struct kp_field *f = place->field;
	const struct kp_message *m = p->message;
	char range[RANGE_SIZE];
	FILE *out = p->out;

	fprintf(out, "%s{\"api\":\"%s\",\"key\":%d,\"message\":\"%s\"",
	    p->separator, p->api->name, p->api->key, direction(p));
	p->separator = ",\n";
	fprintf(out, ",\"valid\":\"%s\"",
	    format_range(range, m->min_version, m->max_version));
	if (m->flexible_since == KP_NEVER_SINCE)
		fputs(",\"flexible\":\"none\"", out);
	else
		fprintf(out, ",\"flexible\":\"%d+\"", m->flexible_since);
	fputs(",\"path\":\"", out);
	print_path(out, place);
	fprintf(out, "\",\"type\":\"%s%s\"", f->is_array ? "[]" : "",
	    kp_kind_name(f->kind));
	fprintf(out, ",\"versions\":\"%s\"",
	    format_range(range, place->since, place->until));
	fprintf(out, ",\"nullable\":\"%s\"",
	    format_since(range, f->nullable_since, place));
	fprintf(out, ",\"tagged\":\"%s\"",
	    format_since(range, f->tagged_since, place));
	fprintf(out, ",\"tag\":%d,\"default\":", f->tag);
	print_json_string(out, f->default_text);
	fprintf(
	    out, ",\"entity\":\"%s\",\"action\":", kp_entity_name(f->entity));
	print_json_string(out, action);
	fputs("}", out);
}

static void
print_text_row(struct printer *p, const struct place *place, const char *action)
{
	const struct kp_field *f = place->field;
	char versions[RANGE_SIZE], nullable[RANGE_SIZE];
	char type[24], tag[8] = "-";

	if (f->tag >= 0)
		(void)snprintf(tag, sizeof(tag), "%d", f->tag);
	(void)snprintf(type, sizeof(type), "%s%s", f->is_array ? "[]" : "",
	    kp_kind_name(f->kind));
	fprintf(p->out, "  %-8s %-9s %-8s %-3s %-20s %-16s %-10s ",
	    format_range(versions, place->since, place->until), type,
	    format_since(nullable, f->nullable_since, place), tag,
	    f->default_text == NULL ? "-" : f->default_text,
	    kp_entity_name(f->entity), action);
	print_path(p->out, place);
	putc('\n', p->out);
}

static const char *
action_of(const struct printer *p, const struct kp_field *field, int version)
{
	if (p->action == NULL)
		return "pass";
	return p->action(p->message, field, (int16_t)version);
}

/* One row for each run of versions in which the same is done. */
static void
print_rows(struct printer *p, const struct place *place)
{
	struct place run = *place;
	int since = place->since;

	for (int v = place->since; v <= place->until; v++) {
		const char *action = action_of(p, place->field, v);

		if (v < place->until &&
		    strcmp(action, action_of(p, place->field, v + 1)) == 0)
			continue;
		run.since = (int16_t)since;
		run.until = (int16_t)v;
		if (p->format == KP_COVERAGE_JSON)
			print_json_row(p, &run, action);
		else
			print_text_row(p, &run, action);
		since = v + 1;
	}
}

static void
print_fields(struct printer *p, const struct kp_field *fields,
    const struct place *above, int16_t since, int16_t until)
{
	for (const struct kp_field *f = fields; f->kind != KP_END; f++) {
		struct place place = {
			.above = above,
			.field = f,
			.since = f->since > since ? f->since : since,
			.until = f->until < until ? f->until : until,
		};

		if (place.since > place.until)
			continue;
		print_rows(p, &place);
		if (f->kind == KP_STRUCT)
			print_fields(
			    p, f->fields, &place, place.since, place.until);
	}
}

static void
print_message(struct printer *p, const struct kp_message *message)
{
	char valid[RANGE_SIZE];

	p->message = message;
	if (p->format == KP_COVERAGE_TEXT) {
		fprintf(p->out, "%s (%d), %s, versions %s", p->api->name,
		    p->api->key, direction(p),
		    format_range(
			valid, message->min_version, message->max_version));
		if (message->flexible_since != KP_NEVER_SINCE)
			fprintf(p->out, ", flexible from %d",
			    message->flexible_since);
		fprintf(p->out,
		    "\n  %-8s %-9s %-8s %-3s %-20s %-16s %-10s %s\n",
		    "versions", "type", "nullable", "tag", "default", "entity",
		    "action", "field");
	}
	print_fields(p, message->fields, NULL, message->min_version,
	    message->max_version);
	if (p->format == KP_COVERAGE_TEXT)
		putc('\n', p->out);
}

void
kp_coverage_print(
    FILE *out, enum kp_coverage_format format, kp_coverage_action_fn action)
{
	struct printer p = {
		.out = out,
		.format = format,
		.action = action,
		.separator = "[\n",
	};

	for (int16_t key = 0; key <= KP_MAX_API_KEY; key++) {
		p.api = kp_api_find(key);
		if (p.api == NULL)
			continue;
		print_message(&p, p.api->request);
		print_message(&p, p.api->response);
	}
	if (format == KP_COVERAGE_JSON)
		fputs("\n]\n", out);
}
