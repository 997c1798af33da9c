/* SPDX-License-Identifier: Apache-2.0 */
/* The client of pages over plain HTTP. A failure ends the test. */
#ifndef KP_TESTS_SUPPORT_HTTP_H
#define KP_TESTS_SUPPORT_HTTP_H

#include <stddef.h>
#include <stdint.h>

/* What came: status 0 if nothing did. */
struct kp_test_http {
	int status;
	char *body; /* as long as the header says */
};

void kp_test_http_get(
    struct kp_test_http *out, uint16_t port, const char *path);
void kp_test_http_fini(struct kp_test_http *answer);

#endif
