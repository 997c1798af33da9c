/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An etcd made of an input: keys with values, which a store reads through
 * kp_etcd_read as it does those of a real one. An honest shelf answers what was
 * asked; another one answers with what comes next, whatever it is.
 * @thread main
 */
#ifndef KP_TESTS_FUZZ_ETCD_SHELF_H
#define KP_TESTS_FUZZ_ETCD_SHELF_H

#include "base/bytes.h"

#define KP_FUZZ_ETCD_PREFIX "/k/"

/* kp_fuzz_shelf_put makes the shelf of what is left of input. */
void kp_fuzz_shelf_put(struct kp_bytes input, bool is_honest, bool is_late);
void kp_fuzz_shelf_clear(void);

#endif
