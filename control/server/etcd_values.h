/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the store keeps in etcd, made and read. Whoever can write to etcd may
 * have written it: nothing is taken for granted. @thread any
 */
#ifndef KP_CONTROL_SERVER_ETCD_VALUES_H
#define KP_CONTROL_SERVER_ETCD_VALUES_H

#include "control/server/store.h"
#include "proto/control/store.pb-c.h"

typedef Kproxy__Store__V1__Record kp_etcd_record;
typedef Kproxy__Store__V1__Part kp_etcd_part;
typedef Kproxy__Store__V1__Entry kp_etcd_entry;

/*
 * A part is closed before it would be longer; one entry always fits, and so
 * does a part into the 1.5 MiB that etcd takes.
 */
#define KP_ETCD_MAX_PART_LEN ((1u << 20) + (16u << 10))
/* Entries up to that many bytes are in the record itself. */
#define KP_ETCD_MAX_INLINE_LEN (256u << 10)

/*
 * kp_etcd_record_decode and kp_etcd_part_decode return NULL with KP_ERR_CONFIG
 * for what cannot be one: free with kp_unpacked_free.
 */
kp_etcd_record *kp_etcd_record_decode(
    struct kp_bytes value, struct kp_error *err) KP_MUST_CHECK;
kp_etcd_part *kp_etcd_part_decode(
    struct kp_bytes value, struct kp_error *err) KP_MUST_CHECK;

/* A change as an entry, and back; both borrow. */
void kp_etcd_entry_of(kp_etcd_entry *out, const struct kp_store_change *change,
    uint64_t revision);
struct kp_store_change kp_etcd_change_of(const kp_etcd_entry *entry);

/* Bytes that entry takes in a part. */
size_t kp_etcd_entry_len(const kp_etcd_entry *entry);

/* kp_etcd_next_part returns how many entries from first on make up a part. */
size_t kp_etcd_next_part(
    const kp_etcd_entry *const *entries, size_t num, size_t *out_len);

#endif
