/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates for tests, made when they are needed. A failure ends the test.
 */
#ifndef KP_TESTS_SUPPORT_CERTS_H
#define KP_TESTS_SUPPORT_CERTS_H

#include <stdbool.h>

#include "base/bytes.h"
#include "rules/tables.h"

struct kp_test_ca;

struct kp_test_ca *kp_test_ca_new(const char *common_name);
void kp_test_ca_free(struct kp_test_ca *ca);
/* The certificate as PEM, borrowed from ca. */
struct kp_bytes kp_test_ca_pem(const struct kp_test_ca *ca);

/* Zero fields: no such name, an EC key, valid from yesterday to tomorrow. */
struct kp_test_cert {
	const char *common_name;
	const char *names;       /* "DNS:a.example,IP:127.0.0.1" */
	int first_day, last_day; /* from today; both 0: -1 and 1 */
	long last_second;        /* from now, instead of last_day */
	bool is_rsa;
	const char *usage; /* extended key usage: "serverAuth" */
};

/* kp_test_issue fills out, to be freed with kp_test_key_pair_fini. */
void kp_test_issue(struct kp_key_pair *out, const struct kp_test_ca *ca,
    const struct kp_test_cert *cert);
void kp_test_key_pair_fini(struct kp_key_pair *pair);

#endif
