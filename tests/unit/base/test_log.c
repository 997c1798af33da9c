/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <criterion/criterion.h>
#include <string.h>

#include "tests/support/process.h"

static char output[16384];

/* What follows the time, which is 24 characters of every line. */
static const char *
after_time(const char *line, bool is_json)
{
	size_t len = is_json ? strlen("{\"time\":\"\"") + 24 : 24;

	cr_assert(strlen(line) > len);
	return line + len;
}

Test(log, human_form_is_words_and_quoted_texts)
{
	kp_log_init("worker", KP_LOG_HUMAN, KP_LOG_INFO);
	kp_stderr_begin();
	kp_log(KP_LOG_WARN, "client_refused", KP_STR("peer", "10.0.0.7:5123"),
	    KP_INT("conn", 42), KP_STR("principal", NULL));
	kp_stderr_end(output, sizeof(output));
	cr_assert_str_eq(after_time(output, false),
	    " level=warn process=worker event=client_refused "
	    "peer=\"10.0.0.7:5123\" conn=42 principal=null\n");
}

Test(log, json_form_is_one_object_per_line)
{
	kp_log_init("agent", KP_LOG_JSON, KP_LOG_INFO);
	kp_stderr_begin();
	kp_log(KP_LOG_INFO, "started", KP_INT("pid", -7));
	kp_log(KP_LOG_ERROR, "stopped", KP_STR("why", "\"quoted\" \\"));
	kp_stderr_end(output, sizeof(output));
	cr_assert_not_null(
	    strstr(output, "Z\",\"level\":\"info\",\"process\":\"agent\","
			   "\"event\":\"started\",\"pid\":-7}\n{\"time\":"));
	cr_assert_str_eq(after_time(strchr(output, '\n') + 1, true),
	    ",\"level\":\"error\",\"process\":\"agent\",\"event\":\"stopped\","
	    "\"why\":\"\\\"quoted\\\" \\\\\"}\n");
}

Test(log, nobody_can_write_a_second_line_or_a_terminal_escape)
{
	const uint8_t hostile[] = "a\nlevel=error\r\x1b[31m\x00\x7f\xff";

	kp_log_init(NULL, KP_LOG_HUMAN, KP_LOG_INFO);
	kp_stderr_begin();
	kp_log(KP_LOG_INFO, "x",
	    KP_BYTES(
		"id", ((struct kp_bytes){ hostile, sizeof(hostile) - 1 })));
	kp_stderr_end(output, sizeof(output));
	cr_assert_str_eq(after_time(output, false),
	    " level=info event=x id=\"a\\u000alevel=error\\u000d\\u001b[31m"
	    "\\u0000\\u007f\\u00ff\"\n");
}

Test(log, long_text_is_cut_and_says_so)
{
	char text[KP_LOG_MAX_TEXT + 2];
	const char *quote;

	memset(text, 'y', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	kp_log_init(NULL, KP_LOG_HUMAN, KP_LOG_INFO);
	kp_stderr_begin();
	kp_log(KP_LOG_INFO, "x", KP_STR("name", text));
	kp_stderr_end(output, sizeof(output));
	quote = strchr(output, '"');
	cr_assert_not_null(quote);
	cr_assert_eq(strlen(quote), 1 + KP_LOG_MAX_TEXT + strlen("...\"\n"));
	cr_assert_not_null(strstr(quote, "yyy...\"\n"));
}

Test(log, fields_beyond_the_end_of_a_line_are_left_out_whole)
{
	uint8_t control[KP_LOG_MAX_TEXT] = { 0 };
	struct kp_bytes bytes = { control, sizeof(control) };
	size_t len;

	kp_log_init("agent", KP_LOG_JSON, KP_LOG_INFO);
	kp_stderr_begin();
	kp_log(KP_LOG_INFO, "x", KP_BYTES("first", bytes),
	    KP_BYTES("second", bytes), KP_INT("third", 3));
	kp_stderr_end(output, sizeof(output));
	len = strlen(output);
	cr_assert_not_null(strstr(output, "\"first\":\"\\u0000"));
	cr_assert_null(strstr(output, "second"));
	cr_assert_null(strstr(output, "third"));
	cr_assert_str_eq(output + len - 9, "\\u0000\"}\n");
}

Test(log, levels_below_the_chosen_one_are_silent)
{
	kp_log_init(NULL, KP_LOG_HUMAN, KP_LOG_WARN);
	cr_assert(kp_log_is_on(KP_LOG_ERROR) && kp_log_is_on(KP_LOG_WARN));
	cr_assert(!kp_log_is_on(KP_LOG_INFO) && !kp_log_is_on(KP_LOG_DEBUG));
	kp_stderr_begin();
	kp_log(KP_LOG_INFO, "silent", KP_INT("n", 1));
	kp_stderr_end(output, sizeof(output));
	cr_assert_str_eq(output, "");
}

Test(log, names_of_levels_and_forms_are_read)
{
	enum kp_log_level level;
	enum kp_log_format format;

	cr_assert(kp_log_level_of("debug", &level) && level == KP_LOG_DEBUG);
	cr_assert(kp_log_level_of("error", &level) && level == KP_LOG_ERROR);
	cr_assert(kp_log_format_of("json", &format) && format == KP_LOG_JSON);
	cr_assert(kp_log_format_of("auto", &format) && format == KP_LOG_AUTO);
	cr_assert(!kp_log_level_of("Debug", &level));
	cr_assert(!kp_log_level_of("", &level));
	cr_assert(!kp_log_format_of("yaml", &format));
}

Test(log, limiter_counts_what_it_holds_back)
{
	struct kp_log_limiter limiter = { 0 };
	uint64_t suppressed, admitted = 0, held_back = 0, reported = 0;

	/* Seconds pass while this runs, so the sums are what must hold. */
	for (unsigned i = 0; i < 5000; i++) {
		if (kp_log_admit(&limiter, &suppressed))
			admitted++;
		else
			held_back++;
		reported += suppressed;
	}
	cr_assert(admitted >= KP_LOG_PER_SECOND);
	cr_assert(held_back > 0);
	cr_assert_eq(held_back, reported + atomic_load(&limiter.suppressed));
}
