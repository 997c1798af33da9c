/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names of what the store keeps in etcd, all below one prefix P; numbers
 * are revisions with twenty digits, so that names sort as numbers do.
 *
 *	P state/form, newest, oldest	decimal texts
 *	P state/leader			who leads; on a lease
 *	P revisions/N			a Record
 *	P parts/N/ATTEMPT/INDEX		its Parts, unless they are inline
 *	P snapshots/N			a Record: all resources as of N
 *	P snapshot-parts/N/ATTEMPT/INDEX
 *	P records/BUCKET/NAME		a store's record, as it is
 *
 * @thread any
 */
#ifndef KP_CONTROL_SERVER_ETCD_KEYS_H
#define KP_CONTROL_SERVER_ETCD_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"

/* A prefix and two names with what is between them. */
#define KP_ETCD_KEY_SIZE 704
#define KP_ETCD_ATTEMPT_LEN 32 /* sixteen random bytes, as text */
#define KP_ETCD_NUMBER_SIZE 24

struct kp_etcd_key {
	char text[KP_ETCD_KEY_SIZE];
};

enum kp_etcd_family {
	KP_ETCD_REVISIONS,
	KP_ETCD_PARTS,
	KP_ETCD_SNAPSHOTS,
	KP_ETCD_SNAPSHOT_PARTS,
};

struct kp_etcd_key kp_etcd_key_state(const char *prefix, const char *name);
struct kp_etcd_key kp_etcd_key_number(
    const char *prefix, enum kp_etcd_family family, uint64_t number);
/* Where all parts of an attempt begin, and where they end. */
struct kp_etcd_key kp_etcd_key_parts(const char *prefix,
    enum kp_etcd_family family, uint64_t number, const char *attempt);
struct kp_etcd_key kp_etcd_key_parts_end(const char *prefix,
    enum kp_etcd_family family, uint64_t number, const char *attempt);
struct kp_etcd_key kp_etcd_key_part(
    const struct kp_etcd_key *parts, uint64_t index);

struct kp_etcd_key kp_etcd_key_record(
    const char *prefix, const char *bucket, const char *name);

/*
 * kp_etcd_key_parse reads the key of a part; false if it is none of that
 * family. out_attempt has KP_ETCD_ATTEMPT_LEN + 1 bytes.
 */
bool kp_etcd_key_parse(const char *prefix, enum kp_etcd_family family,
    struct kp_bytes key, uint64_t *out_number, char *out_attempt) KP_MUST_CHECK;

/* The same for the key of a record. */
bool kp_etcd_key_number_parse(const char *prefix, enum kp_etcd_family family,
    struct kp_bytes key, uint64_t *out_number) KP_MUST_CHECK;

/* kp_etcd_attempt_new makes a name that nobody else has. */
void kp_etcd_attempt_new(char out[KP_ETCD_ATTEMPT_LEN + 1]);

bool kp_etcd_number_parse(struct kp_bytes text, uint64_t *out) KP_MUST_CHECK;
void kp_etcd_number_format(char out[KP_ETCD_NUMBER_SIZE], uint64_t number);

#endif
