/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables, printed: every API, version and field that this program
 * understands, what the field means and what is done with it. For people who
 * want to know, and for the test that compares the tables with Kafka's own
 * definition files. @thread any
 */
#ifndef KP_PROTO_KAFKA_COVERAGE_H
#define KP_PROTO_KAFKA_COVERAGE_H

#include <stdio.h>

#include "proto/kafka/schema.h"

enum kp_coverage_format {
	KP_COVERAGE_TEXT, /* one block for each message, columns aligned */
	KP_COVERAGE_JSON, /* one array, a row for each field */
};

/* One word for what is done with a field in this version. */
typedef const char *(*kp_coverage_action_fn)(const struct kp_message *message,
    const struct kp_field *field, int16_t version);

/*
 * kp_coverage_print writes the matrix to out; see ferror(out) for whether that
 * worked. Without action every field says "pass". A field whose action changes
 * between versions has a row for each range of versions.
 */
void kp_coverage_print(
    FILE *out, enum kp_coverage_format format, kp_coverage_action_fn action);

#endif
