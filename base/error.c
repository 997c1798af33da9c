/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void set_text(struct kp_error *err, const char *fmt, va_list args)
    KP_PRINTF(2, 0);

static void
set_text(struct kp_error *err, const char *fmt, va_list args)
{
	if (vsnprintf(err->text, sizeof(err->text), fmt, args) < 0)
		err->text[0] = '\0';
}

bool
kp_error_set(
    struct kp_error *err, enum kp_error_kind kind, const char *fmt, ...)
{
	va_list args;

	err->kind = kind;
	err->sys_errno = 0;
	va_start(args, fmt);
	set_text(err, fmt, args);
	va_end(args);
	return false;
}

bool
kp_error_sys(struct kp_error *err, const char *fmt, ...)
{
	int saved = errno;
	char reason[64];
	size_t len;
	va_list args;

	err->kind = KP_ERR_SYSTEM;
	err->sys_errno = saved;
	va_start(args, fmt);
	set_text(err, fmt, args);
	va_end(args);
	len = strlen(err->text);
	(void)snprintf(err->text + len, sizeof(err->text) - len, ": %s",
	    strerror_r(saved, reason, sizeof(reason)));
	return false;
}

bool
kp_error_prefix(struct kp_error *err, const char *fmt, ...)
{
	char where[sizeof(err->text)], joined[2 * sizeof(err->text) + 2];
	va_list args;

	va_start(args, fmt);
	if (vsnprintf(where, sizeof(where), fmt, args) < 0)
		where[0] = '\0';
	va_end(args);
	(void)snprintf(joined, sizeof(joined), "%s: %s", where, err->text);
	(void)snprintf(err->text, sizeof(err->text), "%.*s",
	    (int)sizeof(err->text) - 1, joined);
	return false;
}

const char *
kp_error_kind_name(enum kp_error_kind kind)
{
	static const char *const names[KP_NUM_ERROR_KINDS] = {
		[KP_ERR_NONE] = "none",
		[KP_ERR_SYSTEM] = "system",
		[KP_ERR_LIMIT] = "limit",
		[KP_ERR_PROTOCOL] = "protocol",
		[KP_ERR_UNSUPPORTED] = "unsupported",
		[KP_ERR_CONFIG] = "config",
		[KP_ERR_TLS] = "tls",
		[KP_ERR_TIMEOUT] = "timeout",
		[KP_ERR_CLOSED] = "closed",
		[KP_ERR_UNAVAILABLE] = "unavailable",
	};

	return names[kind];
}

void
kp_assert_failed(const char *file, int line, const char *condition)
{
	(void)fprintf(
	    stderr, "%s:%d: assertion failed: %s\n", file, line, condition);
	abort();
}

void
kp_must_be_zero(int result, const char *file, int line, const char *call)
{
	char reason[64];

	if (result == 0)
		return;
	(void)fprintf(stderr, "%s:%d: %s failed: %s\n", file, line, call,
	    strerror_r(result, reason, sizeof(reason)));
	abort();
}
