/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prints a manual page while the programs are built. Those of programs without
 * a table of commands are made of their help, which is on stdin.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/files.h"
#include "cli/man.h"

#define MAX_PAGE_LEN (1u << 20)

/* PROGRAM.SECTION of a program whose help is on stdin. */
static void
print_program(struct kp_buf *page, const char *title)
{
	const char *dot = strrchr(title, '.');
	char name[32];
	struct kp_error err;
	struct kp_buf help;

	if (dot == NULL || (size_t)(dot - title) >= sizeof(name) ||
	    dot[1] < '1' || dot[1] > '8')
		return;
	(void)snprintf(name, sizeof(name), "%.*s", (int)(dot - title), title);
	kp_buf_init(&help, MAX_PAGE_LEN);
	if (kp_file_read_stream(&help, STDIN_FILENO, &err) && help.len > 0)
		kp_man_program(page, name, dot[1] - '0', kp_buf_text(&help));
	kp_buf_fini(&help);
}

int
main(int argc, char **argv)
{
	struct kp_buf page;
	bool ok;

	kp_buf_init(&page, MAX_PAGE_LEN);
	if (argc == 2 && strcmp(argv[1], "kpctl.1") == 0)
		kp_man_commands(&page, &kp_kpctl);
	else if (argc == 2 && strcmp(argv[1], "kproxy.yaml.5") == 0)
		kp_man_node_config(&page);
	else if (argc == 2)
		print_program(&page, argv[1]);
	if (page.len == 0) {
		(void)fprintf(stderr,
		    "usage: kp_print_man kpctl.1|kproxy.yaml.5\n"
		    "       PROGRAM --help | kp_print_man PROGRAM.SECTION\n");
		return 2;
	}
	ok = !page.failed && fwrite(page.data, page.len, 1, stdout) == 1 &&
	     fflush(stdout) == 0;
	kp_buf_fini(&page);
	return ok ? 0 : 1;
}
