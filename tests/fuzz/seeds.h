/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Seeds of fuzz targets that can be made: kp_make_seeds writes them anew with
 * each build, so that they follow the tables. What fuzzing has found is in
 * corpus/. A failure ends the program. @thread main
 */
#ifndef KP_TESTS_FUZZ_SEEDS_H
#define KP_TESTS_FUZZ_SEEDS_H

#include "base/bytes.h"

/* kp_seed writes one input of a target; both names become a path. */
void kp_seed(const char *target, const char *name, struct kp_bytes content);

/* What is written for these targets. */
void kp_seed_messages(void); /* walker, govern, answer, frame */
void kp_seed_session(void);
void kp_seed_tls(void);

#endif
