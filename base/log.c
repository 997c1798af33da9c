/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

/* One line is built on the stack; threads have small stacks. */
#define LINE_LEN 2048

struct line {
	char text[LINE_LEN];
	size_t len;
	bool is_full; /* something did not fit */
};

/* Each may change at run time; a line that is being written may see the old. */
static struct {
	const char *_Atomic process;
	atomic_bool is_json;
	atomic_bool is_decided;
	atomic_uint level;
} config = { .process = NULL, .level = KP_LOG_INFO };

static const char *const level_names[] = { "error", "warn", "info", "debug" };

void
kp_log_init(
    const char *process, enum kp_log_format format, enum kp_log_level level)
{
	config.process = process;
	config.level = level;
	config.is_json = format == KP_LOG_JSON ||
			 (format == KP_LOG_AUTO && !isatty(STDERR_FILENO));
	config.is_decided = true;
}

bool
kp_log_is_on(enum kp_log_level level)
{
	return level <=
	       atomic_load_explicit(&config.level, memory_order_relaxed);
}

bool
kp_log_level_of(const char *text, enum kp_log_level *out)
{
	for (unsigned i = 0; i <= KP_LOG_DEBUG; i++) {
		if (strcmp(text, level_names[i]) == 0) {
			*out = (enum kp_log_level)i;
			return true;
		}
	}
	return false;
}

bool
kp_log_format_of(const char *text, enum kp_log_format *out)
{
	static const char *const names[] = { "auto", "human", "json" };

	for (unsigned i = 0; i <= KP_LOG_JSON; i++) {
		if (strcmp(text, names[i]) == 0) {
			*out = (enum kp_log_format)i;
			return true;
		}
	}
	return false;
}

static void
add(struct line *line, const char *text, size_t len)
{
	/* two bytes stay free for what closes the line */
	size_t room = sizeof(line->text) - 2 - line->len;

	if (len > room) {
		line->is_full = true;
		len = room;
	}
	kp_copy(line->text + line->len, text, len);
	line->len += len;
}

static void
add_text(struct line *line, const char *text)
{
	add(line, text, strlen(text));
}

/* Escaped as JSON does; bytes that are not printable ASCII become \u00XX. */
static void
add_quoted(struct line *line, const uint8_t *data, size_t len)
{
	bool is_cut = len > KP_LOG_MAX_TEXT;
	char escaped[8];

	add_text(line, "\"");
	for (size_t i = 0; i < (is_cut ? KP_LOG_MAX_TEXT : len); i++) {
		uint8_t c = data[i];

		if (c == '"' || c == '\\') {
			escaped[0] = '\\';
			escaped[1] = (char)c;
			add(line, escaped, 2);
		} else if (c < 0x20 || c > 0x7e) {
			(void)snprintf(escaped, sizeof(escaped), "\\u%04x", c);
			add(line, escaped, 6);
		} else {
			add(line, (const char *)&data[i], 1);
		}
	}
	add_text(line, is_cut ? "...\"" : "\"");
}

static void
add_name(struct line *line, const char *name)
{
	if (config.is_json) {
		add_text(line, line->len == 1 ? "\"" : ",\"");
		add_text(line, name);
		add_text(line, "\":");
		return;
	}
	if (line->len > 0)
		add_text(line, " ");
	add_text(line, name);
	add_text(line, "=");
}

static void
add_word(struct line *line, const char *name, const char *word)
{
	add_name(line, name);
	if (config.is_json)
		add_quoted(line, (const uint8_t *)word, strlen(word));
	else
		add_text(line, word);
}

static void
add_time(struct line *line)
{
	int64_t now_ms = kp_wall_ms();
	time_t seconds = (time_t)(now_ms / 1000);
	struct tm utc;
	char text[80];

	(void)gmtime_r(&seconds, &utc);
	(void)snprintf(text, sizeof(text),
	    "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", utc.tm_year + 1900,
	    utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
	    (int)(now_ms % 1000));
	if (config.is_json)
		add_word(line, "time", text);
	else
		add_text(line, text);
}

static void
add_value(struct line *line, const struct kp_log_field *field)
{
	char number[24];

	switch (field->kind) {
	case KP_LOG_TEXT:
		if (field->text == NULL)
			add_text(line, "null");
		else
			add_quoted(line, (const uint8_t *)field->text,
			    strlen(field->text));
		break;
	case KP_LOG_NUMBER:
		(void)snprintf(
		    number, sizeof(number), "%lld", (long long)field->number);
		add_text(line, number);
		break;
	case KP_LOG_BYTES:
		if (field->bytes.data == NULL)
			add_text(line, "null");
		else
			add_quoted(line, field->bytes.data, field->bytes.len);
		break;
	case KP_LOG_END:
		break;
	}
}

/* A field that does not fit is left out: the line stays readable by programs.
 */
static void
add_field(struct line *line, const struct kp_log_field *field)
{
	size_t before = line->len;

	if (line->is_full)
		return;
	add_name(line, field->name);
	add_value(line, field);
	if (line->is_full)
		line->len = before;
}

void
kp_log_write(enum kp_log_level level, const char *event,
    const struct kp_log_field *fields)
{
	struct line line = { .len = 0 };

	if (!config.is_decided)
		kp_log_init(NULL, KP_LOG_AUTO, (enum kp_log_level)config.level);
	if (config.is_json)
		add_text(&line, "{");
	add_time(&line);
	add_word(&line, "level", level_names[level]);
	if (config.process != NULL)
		add_word(&line, "process", config.process);
	add_word(&line, "event", event);
	for (; fields->kind != KP_LOG_END; fields++)
		add_field(&line, fields);
	if (config.is_json)
		line.text[line.len++] = '}';
	line.text[line.len++] = '\n';
	/* There is nowhere to report that the log itself cannot be written. */
	if (write(STDERR_FILENO, line.text, line.len) < 0)
		return;
}

bool
kp_log_admit(struct kp_log_limiter *limiter, uint64_t *suppressed)
{
	int64_t second = kp_now_ms() / 1000;

	*suppressed = 0;
	if (atomic_exchange_explicit(
		&limiter->second, second, memory_order_relaxed) != second) {
		atomic_store_explicit(&limiter->lines, 0, memory_order_relaxed);
		*suppressed = atomic_exchange_explicit(
		    &limiter->suppressed, 0, memory_order_relaxed);
	}
	if (atomic_fetch_add_explicit(
		&limiter->lines, 1, memory_order_relaxed) < KP_LOG_PER_SECOND)
		return true;
	atomic_fetch_add_explicit(
	    &limiter->suppressed, 1, memory_order_relaxed);
	return false;
}
