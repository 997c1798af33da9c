/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/frame/in_flight.h"

#include <criterion/criterion.h>

Test(in_flight, answers_leave_in_the_order_requests_came)
{
	struct kp_in_flight queue;
	int32_t next = 0;

	kp_in_flight_init(&queue, 1000);
	for (int32_t i = 0; i < 1000; i++) {
		kp_in_flight_push(&queue)->correlation_id = i;
		/* drained now and then, so that the ring wraps while it grows
		 */
		if (i % 3 == 0) {
			cr_assert_eq(
			    kp_in_flight_head(&queue)->correlation_id, next);
			kp_in_flight_pop(&queue);
			next++;
		}
	}
	while (kp_in_flight_head(&queue) != NULL) {
		cr_assert_eq(kp_in_flight_head(&queue)->correlation_id, next);
		kp_in_flight_pop(&queue);
		next++;
	}
	cr_assert_eq(next, 1000);
	kp_in_flight_fini(&queue);
}

Test(in_flight, is_full_at_its_limit)
{
	struct kp_in_flight queue;

	kp_in_flight_init(&queue, 2);
	(void)kp_in_flight_push(&queue);
	cr_assert(!kp_in_flight_is_full(&queue));
	(void)kp_in_flight_push(&queue);
	cr_assert(kp_in_flight_is_full(&queue));
	kp_in_flight_pop(&queue);
	cr_assert(!kp_in_flight_is_full(&queue));
	kp_in_flight_fini(&queue);
}

Test(in_flight, local_answers_are_freed_with_the_queue)
{
	struct kp_in_flight queue;

	kp_in_flight_init(&queue, 100);
	for (int i = 0; i < 20; i++) {
		struct kp_pending *pending = kp_in_flight_push(&queue);

		pending->kind = KP_PENDING_LOCAL;
		kp_buf_init(&pending->answer, 64);
		kp_buf_add_text(&pending->answer, "answer");
	}
	kp_in_flight_pop(&queue);
	kp_in_flight_fini(&queue);
}
