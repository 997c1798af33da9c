/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "proxy/link/outbox.h"

static size_t
drop_all(struct kp_outbox *outbox)
{
	struct kp_outbox_item *item = kp_outbox_take(outbox);
	size_t num = 0;

	for (; item != NULL; num++)
		item = kp_outbox_item_free(item);
	return num;
}

Test(outbox, the_first_item_wakes_and_the_same_is_kept_once)
{
	struct kp_outbox outbox;

	kp_outbox_init(&outbox);
	kp_outbox_set_open(&outbox, true);
	cr_assert(kp_outbox_add(&outbox, NULL, 0, "host", 0));
	cr_assert(!kp_outbox_add(&outbox, NULL, 0, "host", 0));
	cr_assert(!kp_outbox_add(&outbox, "real", 1, "host", 1));
	cr_assert(!kp_outbox_add(&outbox, "real", 1, "host", 1));
	cr_assert(!kp_outbox_add(&outbox, "real", 1, "host", 2));
	cr_assert(!kp_outbox_add(&outbox, "real", 2, "host", 1));
	cr_assert(!kp_outbox_add(&outbox, "other", 1, "host", 1));
	cr_assert_eq(drop_all(&outbox), 5);
	cr_assert(kp_outbox_add(&outbox, NULL, 0, "host", 0), "empty again");
	kp_outbox_fini(&outbox);
}

Test(outbox, closed_it_takes_nothing_and_closing_empties_it)
{
	struct kp_outbox outbox;

	kp_outbox_init(&outbox);
	cr_assert(!kp_outbox_add(&outbox, NULL, 0, "host", 0));
	kp_outbox_set_open(&outbox, true);
	cr_assert(kp_outbox_add(&outbox, NULL, 0, "host", 0));
	kp_outbox_set_open(&outbox, false);
	cr_assert_eq(drop_all(&outbox), 0);
	kp_outbox_fini(&outbox);
}

Test(outbox, it_is_bounded)
{
	struct kp_outbox outbox;
	char host[32];

	kp_outbox_init(&outbox);
	kp_outbox_set_open(&outbox, true);
	for (unsigned i = 0; i < KP_OUTBOX_MAX + 10; i++) {
		(void)snprintf(host, sizeof(host), "host-%u", i);
		cr_assert_eq(kp_outbox_add(&outbox, NULL, 0, host, 0), i == 0);
	}
	cr_assert_eq(drop_all(&outbox), KP_OUTBOX_MAX);
	kp_outbox_fini(&outbox);
}
