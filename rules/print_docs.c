/* SPDX-License-Identifier: Apache-2.0 */
/* Prints a page of docs/, for `make docs` and its test. */
#include <stdio.h>
#include <string.h>

#include "rules/explain.h"
#include "rules/govern/page.h"

#define MAX_PAGE_LEN (1u << 20)

int
main(int argc, char **argv)
{
	struct kp_buf page;
	bool ok;

	kp_buf_init(&page, MAX_PAGE_LEN);
	if (argc == 2 && strcmp(argv[1], "resources") == 0)
		kp_explain_resources_page(&page);
	if (argc == 2 && strcmp(argv[1], "config") == 0)
		kp_explain_config_page(&page);
	if (argc == 2 && strcmp(argv[1], "server-config") == 0)
		kp_explain_server_page(&page);
	if (argc == 2 && strcmp(argv[1], "limits") == 0)
		kp_explain_limits_page(&page);
	if (argc == 2 && strcmp(argv[1], "policies") == 0)
		kp_govern_page(&page);
	if (page.len == 0) {
		(void)fprintf(stderr, "usage: kp_print_docs "
				      "resources|config|server-config|limits|"
				      "policies\n");
		return 2;
	}
	ok = !page.failed && fwrite(page.data, page.len, 1, stdout) == 1 &&
	     fflush(stdout) == 0;
	kp_buf_fini(&page);
	return ok ? 0 : 1;
}
