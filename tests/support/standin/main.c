/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

struct kp_standin_test *kp_standin_tests;
int kp_standin_failed;

void
kp_standin_fail(const char *file, int line, const char *what)
{
	(void)fprintf(stderr, "%s:%d: %s\n", file, line, what);
	kp_standin_failed = 1;
}

int
main(void)
{
	int tested = 0, failing = 0;

	for (struct kp_standin_test *t = kp_standin_tests; t != NULL;
	     t = t->next, tested++) {
		kp_standin_failed = 0;
		t->run();
		failing += kp_standin_failed;
		(void)fprintf(stderr, "[%s] %s::%s\n",
		    kp_standin_failed ? "FAIL" : "PASS", t->suite, t->name);
	}
	(void)fprintf(stderr,
	    "[====] Synthesis: Tested: %d | Passing: %d | Failing: %d | "
	    "Crashing: 0 \n",
	    tested, tested - failing, failing);
	return failing > 0;
}
