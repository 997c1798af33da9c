/* SPDX-License-Identifier: Apache-2.0 */
#include "control/server/audit_text.h"

#include <inttypes.h>
#include <time.h>

#include "base/clock.h"
#include "base/text.h"

/* What each text may take, escaped; together less than a line. */
#define MAX_TEXT 1000
#define MAX_SHORT 300

/* Adds a text with quotes, cut where it takes more than max bytes. */
static void
add_string(struct kp_buf *out, const char *text, size_t max)
{
	const char *at = text;
	size_t end = out->len + max;

	kp_buf_add_text(out, "\"");
	while (*at != '\0' && out->len + 6 < end) {
		size_t len = kp_utf8_len(at);

		if (len == 0)
			kp_buf_add_text(out, "\\ufffd");
		else if (*at == '"' || *at == '\\')
			kp_buf_printf(out, "\\%c", *at);
		else if ((unsigned char)*at < 0x20 || *at == 0x7f)
			kp_buf_printf(out, "\\u%04x", (unsigned)*at);
		else
			kp_buf_add(out, at, len);
		at += len == 0 ? 1 : len;
	}
	kp_buf_add_text(out, *at == '\0' ? "\"" : "...\"");
}

static void
add_field(struct kp_buf *out, const char *name, const char *text, size_t max)
{
	if (text == NULL || text[0] == '\0')
		return;
	kp_buf_printf(out, ",\"%s\":", name);
	add_string(out, text, max);
}

static void
add_time(struct kp_buf *out)
{
	int64_t now_ms = kp_wall_ms();
	time_t seconds = (time_t)(now_ms / 1000);
	struct tm tm;
	char text[32];

	(void)gmtime_r(&seconds, &tm);
	(void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	kp_buf_printf(
	    out, "{\"time\":\"%s.%03dZ\"", text, (int)(now_ms % 1000));
}

static void
add_names(struct kp_buf *out, const struct kp_audit_line *line)
{
	size_t end = out->len + KP_AUDIT_MAX_NAMES_LEN, i;

	if (line->num_names == 0)
		return;
	kp_buf_add_text(out, ",\"changes\":[");
	for (i = 0; i < line->num_names && out->len < end; i++) {
		kp_buf_add_text(out, i == 0 ? "{\"kind\":" : ",{\"kind\":");
		add_string(out, line->names[i].kind, MAX_SHORT);
		add_field(out, "name", line->names[i].name, MAX_SHORT);
		add_field(out, "outcome", line->names[i].outcome, MAX_SHORT);
		kp_buf_add_text(out, "}");
	}
	kp_buf_add_text(out, "]");
	if (i < line->num_names)
		kp_buf_printf(
		    out, ",\"changes_left_out\":%zu", line->num_names - i);
}

void
kp_audit_text(struct kp_buf *out, const struct kp_audit_line *line)
{
	add_time(out);
	add_field(out, "identity", line->identity, MAX_SHORT);
	add_field(out, "address", line->address, MAX_SHORT);
	add_field(out, "method", line->method, MAX_SHORT);
	add_field(out, "event", line->event, MAX_SHORT);
	add_field(out, "code", kp_rpc_code_name(line->code), MAX_SHORT);
	add_field(out, "message", line->message, MAX_TEXT);
	if (line->revision > 0)
		kp_buf_printf(out, ",\"revision\":%" PRIu64, line->revision);
	if (line->is_dry_run)
		kp_buf_add_text(out, ",\"dry_run\":true");
	add_field(out, "reason", line->reason, MAX_TEXT);
	add_names(out, line);
	if (line->num_suppressed > 0)
		kp_buf_printf(
		    out, ",\"suppressed\":%" PRIu64, line->num_suppressed);
	kp_buf_printf(out, ",\"ms\":%" PRId64 "}\n", line->took_ms);
}
