/* SPDX-License-Identifier: Apache-2.0 */
/* Resources from text, for tests. @thread any */
#ifndef KP_TESTS_SUPPORT_DECLARED_H
#define KP_TESTS_SUPPORT_DECLARED_H

#include "base/bytes.h"
#include "rules/compile.h"
#include "rules/resource.h"

/* The file that texts below pretend to be. */
#define KP_TEST_FILE "conf/r.yaml"

/* A cluster, "c", and a listener, "l"; three lines each, then "---". */
#define KP_TEST_CLUSTER \
	"{apiVersion: kproxy/v1, kind: Cluster, metadata: {name: c},\n" \
	"spec: {bootstrap: [127.0.0.1:9092]}}\n---\n"
#define KP_TEST_LISTENER \
	"{apiVersion: kproxy/v1, kind: Listener, metadata: {name: l},\n" \
	"spec: {bind: 127.0.0.1, ports: {bootstrap: 1, first: 2, count: 3}}}" \
	"\n---\n"

/* PEM texts that pass the compiler; the worker would refuse them. */
#define KP_TEST_CERTIFICATE \
	"-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"
#define KP_TEST_KEY \
	"-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n"

/* Problems of text, a line each, without the last line's end; to be freed. */
char *kp_test_problems(const char *text);

/* The set that text makes, which must have no problems. */
struct kp_resources *kp_test_resources(const char *text);

/*
 * A kp_read_secret: names that contain "cert" or "ca" are certificates, "key"
 * keys, "huge" is beyond all limits, others cannot be read.
 */
bool kp_test_read_secret(void *ctx, const struct kp_secret_ref *ref,
    struct kp_buf *out, struct kp_error *err);

/* Tables of text, or NULL with the problems in diagnostics. */
struct kp_tables *kp_test_compile(
    const char *text, struct kp_diagnostics *diagnostics);

#endif
