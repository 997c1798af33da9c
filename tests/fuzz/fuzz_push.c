/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as the parts of a push, each with its length in front, and as a
 * file of resources: refused, or a set that is packed and read again as the
 * same.
 */
#include <stddef.h>
#include <stdint.h>

#include "control/agent/intake.h"
#include "proto/control/unpack.h"

#define MAX_PART_LEN (64u << 10)
#define FOLDER "/etc/kproxy"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
read_again(const struct kp_held *held)
{
	struct kp_diagnostics diagnostics = { .num_lines = 0 };
	struct kp_held *again;
	struct kp_error err;
	struct kp_buf packed;

	kp_buf_init(&packed, 1u << 20);
	kp_assert(kp_held_pack(held, &packed));
	again =
	    kp_held_unpack(kp_buf_bytes(&packed), FOLDER, &diagnostics, &err);
	/* only what is valid can be read again */
	kp_assert((again != NULL) == (kp_held_resources(held) != NULL));
	if (again != NULL) {
		kp_assert(kp_held_count(again) == kp_held_count(held));
		kp_assert(memcmp(kp_held_digest(again), kp_held_digest(held),
			      sizeof(struct kp_digest)) == 0);
	}
	kp_held_unref(again);
	kp_buf_fini(&packed);
	kp_diagnostics_fini(&diagnostics);
}

/* One part; false when the push is over. */
static bool
add(struct kp_intake *intake, struct kp_bytes packed)
{
	struct kp_error err;
	ProtobufCMessage *message = kp_unpack(
	    &kproxy__control__v1__push__descriptor, packed, MAX_PART_LEN, &err);
	bool is_good;

	if (message == NULL)
		return false;
	is_good = kp_intake_add(
	    intake, (const Kproxy__Control__V1__Push *)message, &err);
	kp_unpacked_free(message);
	return is_good;
}

/* The set of all parts, made for base; NULL if they make none. */
static struct kp_held *
take(struct kp_held *base, const uint8_t **at, const uint8_t *end)
{
	struct kp_diagnostics diagnostics = { .num_lines = 0 };
	struct kp_intake *intake = kp_intake_new(base, FOLDER);
	struct kp_held *held = NULL;
	struct kp_error err;
	bool is_good = true;

	while (is_good && !kp_intake_is_whole(intake) && end - *at >= 2) {
		size_t len = (size_t)(*at)[0] << 8 | (*at)[1];

		*at += 2;
		if (len > (size_t)(end - *at))
			len = (size_t)(end - *at);
		is_good = add(intake, (struct kp_bytes){ *at, len });
		*at += len;
	}
	if (is_good && kp_intake_is_whole(intake))
		held = kp_intake_finish(intake, &diagnostics, &err);
	kp_diagnostics_fini(&diagnostics);
	kp_intake_free(intake);
	return held;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kp_diagnostics diagnostics = { .num_lines = 0 };
	const uint8_t *at = data, *end = data + size;
	struct kp_held *held = NULL, *next;
	struct kp_error err;

	while ((next = take(held, &at, end)) != NULL) {
		read_again(next);
		kp_held_unref(held);
		held = next;
		/* what follows builds on a set that is in force */
		if (kp_held_resources(held) == NULL)
			break;
	}
	kp_held_unref(held);
	kp_held_unref(kp_held_unpack(
	    (struct kp_bytes){ data, size }, FOLDER, &diagnostics, &err));
	kp_diagnostics_fini(&diagnostics);
	return 0;
}
