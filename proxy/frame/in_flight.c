/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/frame/in_flight.h"

#include <stdlib.h>

#include "base/alloc.h"

void
kp_in_flight_init(struct kp_in_flight *queue, uint32_t max)
{
	*queue = (struct kp_in_flight){ .max = max };
	queue->ring = queue->inline_ring;
	queue->capacity = KP_IN_FLIGHT_INLINE;
}

void
kp_in_flight_fini(struct kp_in_flight *queue)
{
	while (queue->num > 0)
		kp_in_flight_pop(queue);
	if (queue->ring != queue->inline_ring)
		free(queue->ring);
}

bool
kp_in_flight_is_full(const struct kp_in_flight *queue)
{
	return queue->num >= queue->max;
}

static struct kp_pending *
at(struct kp_in_flight *queue, uint32_t index)
{
	return &queue->ring[(queue->first + index) & (queue->capacity - 1)];
}

static void
double_capacity(struct kp_in_flight *queue)
{
	struct kp_pending *ring =
	    kp_alloc(2 * (size_t)queue->capacity, sizeof(*ring));

	for (uint32_t i = 0; i < queue->num; i++)
		ring[i] = *at(queue, i);
	if (queue->ring != queue->inline_ring)
		free(queue->ring);
	queue->ring = ring;
	queue->capacity *= 2;
	queue->first = 0;
}

struct kp_pending *
kp_in_flight_push(struct kp_in_flight *queue)
{
	struct kp_pending *entry;

	kp_assert(!kp_in_flight_is_full(queue));
	if (queue->num == queue->capacity)
		double_capacity(queue);
	entry = at(queue, queue->num++);
	*entry = (struct kp_pending){ 0 };
	return entry;
}

struct kp_pending *
kp_in_flight_head(struct kp_in_flight *queue)
{
	return queue->num == 0 ? NULL : at(queue, 0);
}

struct kp_pending *
kp_in_flight_newest(struct kp_in_flight *queue)
{
	return queue->num == 0 ? NULL : at(queue, queue->num - 1);
}

void
kp_in_flight_pop(struct kp_in_flight *queue)
{
	kp_assert(queue->num > 0);
	kp_buf_fini(&at(queue, 0)->answer);
	queue->first = (queue->first + 1) & (queue->capacity - 1);
	queue->num--;
}
