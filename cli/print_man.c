/* SPDX-License-Identifier: Apache-2.0 */
/* Prints a manual page while the programs are built. */
#include <stdio.h>
#include <string.h>

#include "cli/man.h"

#define MAX_PAGE_LEN (1u << 20)

int
main(int argc, char **argv)
{
	struct kp_buf page;
	bool ok;

	kp_buf_init(&page, MAX_PAGE_LEN);
	if (argc == 2 && strcmp(argv[1], "kpctl.1") == 0)
		kp_man_commands(&page, &kp_kpctl);
	if (argc == 2 && strcmp(argv[1], "kproxy.yaml.5") == 0)
		kp_man_node_config(&page);
	if (page.len == 0) {
		(void)fprintf(
		    stderr, "usage: kp_print_man kpctl.1|kproxy.yaml.5\n");
		return 2;
	}
	ok = !page.failed && fwrite(page.data, page.len, 1, stdout) == 1 &&
	     fflush(stdout) == 0;
	kp_buf_fini(&page);
	return ok ? 0 : 1;
}
