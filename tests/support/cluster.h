/* SPDX-License-Identifier: Apache-2.0 */
/* A listener and a cluster of three brokers for tests of the data path. */
#ifndef KP_TESTS_SUPPORT_CLUSTER_H
#define KP_TESTS_SUPPORT_CLUSTER_H

#include "rules/tables.h"

/* Clients see node N at proxy.example:9100+N, N in 0..7; bootstrap 9092. */
extern const struct kp_tables_listener kp_test_listener;

/* "prod", bootstrap seed-1.internal:19092 and 10.9.8.7:19092. */
extern const struct kp_tables_cluster kp_test_cluster;

#endif
