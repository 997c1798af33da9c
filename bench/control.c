/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/control.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/files.h"

#define MAX_PEM_LEN ((size_t)1 << 20)
#define MAX_LINE 1024

_Noreturn void
kp_control_die(const char *what, const struct kp_error *err)
{
	(void)fprintf(stderr, "%s: %s\n", what, err->text);
	_exit(EXIT_FAILURE);
}

static struct kp_bytes
read_file(const char *path)
{
	struct kp_error err = { 0 };
	struct kp_buf text;

	kp_buf_init(&text, MAX_PEM_LEN);
	if (!kp_file_read(&text, path, &err))
		kp_control_die("could not read a file", &err);
	return kp_buf_bytes(&text);
}

struct kp_rpc_identity
kp_control_identity(const char *ca, const char *certificate, const char *key)
{
	return (struct kp_rpc_identity){ .ca_pem = read_file(ca),
		.certificate_pem = read_file(certificate),
		.key_pem = read_file(key) };
}

void
kp_control_resources(
    struct kp_buf *out, size_t first, size_t num, unsigned port)
{
	for (size_t i = first; i < first + num; i++)
		kp_buf_printf(out,
		    "---\napiVersion: kproxy/v1\nkind: Cluster\n"
		    "metadata:\n  name: bench-%05zu\n"
		    "  labels:\n    team: team-%zu\n"
		    "spec:\n  bootstrap:\n    - kafka-%zu.example:%u\n",
		    i, i % 50, i, port);
	kp_assert(!out->failed);
}

bool
kp_control_command(char word[32], unsigned long *number)
{
	char line[MAX_LINE];

	*number = 0;
	return fgets(line, sizeof(line), stdin) != NULL &&
	       sscanf(line, "%31s %lu", word, number) >= 1;
}

void
kp_control_say(const char *event, const char *fmt, ...)
{
	char line[MAX_LINE], fields[MAX_LINE - 64];
	va_list args;
	int len;

	va_start(args, fmt);
	(void)vsnprintf(fields, sizeof(fields), fmt, args);
	va_end(args);
	len = snprintf(
	    line, sizeof(line), "{\"event\":\"%s\"%s}\n", event, fields);
	if (write(STDOUT_FILENO, line, (size_t)len) != len)
		_exit(EXIT_FAILURE);
}
