/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/output.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/yaml_write.h"

/* Was an answer left out, and why? */
static bool is_too_long, is_refused;

bool
kp_output_is(const struct kp_args *args, const char *word)
{
	const char *said = kp_args_text(args, "output");

	return said != NULL && strcmp(said, word) == 0;
}

void
kp_output_add_tree(
    struct kp_buf *out, const struct kp_args *args, const struct kp_yaml *tree)
{
	if (kp_output_is(args, "json"))
		kp_yaml_write_json(out, tree);
	else
		kp_yaml_write(out, tree);
}

void
kp_output_refuse(void)
{
	is_refused = true;
}

bool
kp_output_is_refused(void)
{
	return is_refused;
}

void
kp_output_part(const struct kp_buf *part)
{
	if (part->is_refused)
		kp_output_refuse();
}

void
kp_output_write(struct kp_buf *out)
{
	kp_output_part(out);
	is_too_long |= out->failed && !out->is_refused;
	if (!is_refused && !out->failed && out->len > 0)
		(void)fwrite(out->data, out->len, 1, stdout);
	kp_buf_fini(out);
}

enum kp_exit
kp_output_finish(enum kp_exit result)
{
	bool was_too_long = is_too_long, was_refused = is_refused;

	is_too_long = is_refused = false;
	errno = 0;
	if (fflush(stdout) != 0 || ferror(stdout)) {
		kp_output_problem("could not write the answer: %s",
		    errno != 0 ? strerrordesc_np(errno) : "output error");
		return KP_EXIT_FAILED;
	}
	if (was_refused) {
		kp_output_problem("no memory for the answer");
		return KP_EXIT_FAILED;
	}
	if (was_too_long) {
		kp_output_problem("the answer is longer than %u MiB",
		    KP_OUTPUT_MAX_LEN >> 20);
		return KP_EXIT_FAILED;
	}
	return result;
}

enum kp_exit
kp_output_check(void)
{
	struct pollfd out = { .fd = STDOUT_FILENO };

	if (poll(&out, 1, 0) <= 0 || (out.revents & POLLERR) == 0)
		return KP_EXIT_OK;
	(void)raise(SIGPIPE);
	kp_output_problem(
	    "could not write the answer: %s", strerrordesc_np(EPIPE));
	return KP_EXIT_FAILED;
}

void
kp_output_problem(const char *fmt, ...)
{
	va_list args;

	(void)fputs("kpctl: ", stderr);
	va_start(args, fmt);
	(void)vfprintf(stderr, fmt, args);
	va_end(args);
	(void)fputs("\n", stderr);
}
