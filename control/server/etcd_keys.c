/* SPDX-License-Identifier: Apache-2.0 */
#include "control/server/etcd_keys.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#define NUMBER_DIGITS 20
#define MAX_DIGITS 19 /* below INT64_MAX whatever they are but 9...9 */

static const char *const families[] = {
	[KP_ETCD_REVISIONS] = "revisions",
	[KP_ETCD_PARTS] = "parts",
	[KP_ETCD_SNAPSHOTS] = "snapshots",
	[KP_ETCD_SNAPSHOT_PARTS] = "snapshot-parts",
};

struct kp_etcd_key
kp_etcd_key_state(const char *prefix, const char *name)
{
	struct kp_etcd_key key;

	(void)snprintf(key.text, sizeof(key.text), "%sstate/%s", prefix, name);
	return key;
}

struct kp_etcd_key
kp_etcd_key_number(
    const char *prefix, enum kp_etcd_family family, uint64_t number)
{
	struct kp_etcd_key key;

	(void)snprintf(key.text, sizeof(key.text), "%s%s/%020llu", prefix,
	    families[family], (unsigned long long)number);
	return key;
}

static struct kp_etcd_key
parts_key(const char *prefix, enum kp_etcd_family family, uint64_t number,
    const char *attempt, char last)
{
	struct kp_etcd_key key;

	(void)snprintf(key.text, sizeof(key.text), "%s%s/%020llu/%s%c", prefix,
	    families[family], (unsigned long long)number, attempt, last);
	return key;
}

struct kp_etcd_key
kp_etcd_key_parts(const char *prefix, enum kp_etcd_family family,
    uint64_t number, const char *attempt)
{
	return parts_key(prefix, family, number, attempt, '/');
}

struct kp_etcd_key
kp_etcd_key_parts_end(const char *prefix, enum kp_etcd_family family,
    uint64_t number, const char *attempt)
{
	return parts_key(prefix, family, number, attempt, '/' + 1);
}

struct kp_etcd_key
kp_etcd_key_part(const struct kp_etcd_key *parts, uint64_t index)
{
	struct kp_etcd_key key = *parts;
	size_t len = strlen(key.text);

	(void)snprintf(key.text + len, sizeof(key.text) - len, "%010llu",
	    (unsigned long long)index);
	return key;
}

struct kp_etcd_key
kp_etcd_key_record(const char *prefix, const char *bucket, const char *name)
{
	struct kp_etcd_key key;

	(void)snprintf(key.text, sizeof(key.text), "%srecords/%s/%s", prefix,
	    bucket, name);
	return key;
}

/* The digits at the start of text, all of them. */
static bool
take_digits(struct kp_bytes text, size_t num, uint64_t *out)
{
	*out = 0;
	if (text.len < num)
		return false;
	for (size_t i = 0; i < num; i++) {
		uint8_t c = text.data[i];

		if (c < '0' || c > '9' || *out > INT64_MAX / 10 - 1)
			return false;
		*out = *out * 10 + (uint64_t)(c - '0');
	}
	return true;
}

static bool
is_hex(struct kp_bytes text)
{
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i];

		if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f'))
			return false;
	}
	return true;
}

bool
kp_etcd_key_number_parse(const char *prefix, enum kp_etcd_family family,
    struct kp_bytes key, uint64_t *out_number)
{
	struct kp_etcd_key start = kp_etcd_key_number(prefix, family, 0);
	size_t len = strlen(start.text) - NUMBER_DIGITS;

	if (key.len != len + NUMBER_DIGITS ||
	    memcmp(key.data, start.text, len) != 0)
		return false;
	return take_digits((struct kp_bytes){ key.data + len, NUMBER_DIGITS },
	    NUMBER_DIGITS, out_number);
}

bool
kp_etcd_key_parse(const char *prefix, enum kp_etcd_family family,
    struct kp_bytes key, uint64_t *out_number, char *out_attempt)
{
	char start[KP_ETCD_KEY_SIZE];
	size_t len = (size_t)snprintf(
	    start, sizeof(start), "%s%s/", prefix, families[family]);
	struct kp_bytes rest, attempt;

	if (key.len < len + NUMBER_DIGITS + KP_ETCD_ATTEMPT_LEN + 2 ||
	    memcmp(key.data, start, len) != 0)
		return false;
	rest = (struct kp_bytes){ key.data + len, key.len - len };
	attempt = (struct kp_bytes){ rest.data + NUMBER_DIGITS + 1,
		KP_ETCD_ATTEMPT_LEN };
	if (!take_digits(rest, NUMBER_DIGITS, out_number) ||
	    rest.data[NUMBER_DIGITS] != '/' || !is_hex(attempt) ||
	    attempt.data[attempt.len] != '/')
		return false;
	kp_copy(out_attempt, attempt.data, attempt.len);
	out_attempt[attempt.len] = '\0';
	return true;
}

void
kp_etcd_attempt_new(char out[KP_ETCD_ATTEMPT_LEN + 1])
{
	static const char digits[] = "0123456789abcdef";
	uint8_t bytes[KP_ETCD_ATTEMPT_LEN / 2];

	kp_assert(getrandom(bytes, sizeof(bytes), 0) == sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++) {
		out[2 * i] = digits[bytes[i] >> 4];
		out[2 * i + 1] = digits[bytes[i] & 15];
	}
	out[KP_ETCD_ATTEMPT_LEN] = '\0';
}

bool
kp_etcd_number_parse(struct kp_bytes text, uint64_t *out)
{
	return text.len > 0 && text.len <= MAX_DIGITS &&
	       (text.data[0] != '0' || text.len == 1) &&
	       take_digits(text, text.len, out);
}

void
kp_etcd_number_format(char out[KP_ETCD_NUMBER_SIZE], uint64_t number)
{
	(void)snprintf(
	    out, KP_ETCD_NUMBER_SIZE, "%llu", (unsigned long long)number);
}
