/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prints the protocol tables as JSON, for test_definitions.py.
 */
#include <stdlib.h>

#include "proto/kafka/coverage.h"

int
main(void)
{
	kp_coverage_print(stdout, KP_COVERAGE_JSON, NULL);
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
