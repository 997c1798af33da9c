/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What compiling wipes: all of each secret, whether it is of use or not, and
 * not the room for the longest, which is a mebibyte for each.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/support/declared.h"

#define TLS_CLUSTER(certificate) \
	"{apiVersion: kproxy/v1, kind: Cluster, metadata: {name: c},\n" \
	"spec: {bootstrap: [a:1], tls: {ca: {file: ca}, certificate: " \
	"{file: " certificate "},\nkey: {file: key}}}}\n"

void __real_explicit_bzero(void *at, size_t len);
void __wrap_explicit_bzero(void *at, size_t len);

static size_t longest, num_keys, num_certificates;

void
__wrap_explicit_bzero(void *at, size_t len)
{
	if (len > longest)
		longest = len;
	num_keys +=
	    len == strlen(KP_TEST_KEY) && memcmp(at, KP_TEST_KEY, len) == 0;
	num_certificates += len == strlen(KP_TEST_CERTIFICATE) &&
			    memcmp(at, KP_TEST_CERTIFICATE, len) == 0;
	__real_explicit_bzero(at, len);
}

static bool
compiles(const char *text)
{
	struct kp_diagnostics diagnostics = { 0 };
	struct kp_resources *set = kp_test_resources(text);
	struct kp_limits limits;
	const struct kp_compile_input input = { .resources = set,
		.limits = &limits,
		.read_secret = kp_test_read_secret };
	struct kp_tables *tables;
	bool is_ok;

	kp_limits_default(&limits);
	longest = num_keys = num_certificates = 0;
	tables = kp_compile(&input, &diagnostics);
	is_ok = tables != NULL;
	cr_assert(longest <= strlen(KP_TEST_CERTIFICATE));
	cr_assert(num_keys > 0 && num_certificates > 0);
	kp_tables_free(tables);
	kp_resources_free(set);
	kp_diagnostics_fini(&diagnostics);
	return is_ok;
}

Test(wipe, secrets_are_wiped_as_far_as_they_go)
{
	cr_assert(compiles(TLS_CLUSTER("cert")));
	/* once by the compiler, once with the tables */
	cr_assert_eq(num_keys, 2);
	cr_assert_eq(num_certificates, 4);
}

Test(wipe, what_is_no_certificate_is_wiped_as_well)
{
	cr_assert(!compiles(TLS_CLUSTER("another-key")));
	cr_assert(num_keys >= 2);
	/* one that could not be read left nothing behind */
	cr_assert(!compiles(TLS_CLUSTER("lost")));
}
