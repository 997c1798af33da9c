/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/control/unpack.h"

#include <stdlib.h>

#include "base/alloc.h"

/* In front of each piece of memory; aligned as malloc's. */
union header {
	size_t size;
	max_align_t alignment;
};

static void *
budget_alloc(void *data, size_t size)
{
	struct kp_budget *budget = data;
	union header *header;

	if (size > budget->left)
		return NULL;
	header = kp_try_alloc(sizeof(*header) + size);
	if (header == NULL) {
		budget->is_out_of_memory = true;
		return NULL;
	}
	budget->left -= size;
	header->size = size;
	return header + 1;
}

static void
budget_free(void *data, void *memory)
{
	struct kp_budget *budget = data;
	union header *header = memory;

	if (memory == NULL)
		return;
	header--;
	budget->left += header->size;
	explicit_bzero(memory, header->size);
	free(header);
}

void
kp_budget_init(struct kp_budget *budget, size_t max_len)
{
	*budget = (struct kp_budget){
		.allocator = { budget_alloc, budget_free, budget },
		.left = max_len,
	};
}

void *
kp_budget_alloc(struct kp_budget *budget, size_t size)
{
	return budget_alloc(budget, size);
}

ProtobufCMessage *
kp_unpack(const ProtobufCMessageDescriptor *descriptor, struct kp_bytes packed,
    size_t max_len, struct kp_error *err)
{
	struct kp_budget budget;
	ProtobufCMessage *message;

	kp_budget_init(&budget, max_len);
	message = protobuf_c_message_unpack(
	    descriptor, &budget.allocator, packed.len, packed.data);
	if (message == NULL && budget.is_out_of_memory)
		(void)kp_error_set(err, KP_ERR_LIMIT,
		    "no memory for a message %s", descriptor->name);
	else if (message == NULL)
		(void)kp_error_set(err, KP_ERR_PROTOCOL,
		    "%zu bytes are not a message %s", packed.len,
		    descriptor->name);
	return message;
}

void
kp_unpacked_free(ProtobufCMessage *message)
{
	struct kp_budget budget;

	kp_budget_init(&budget, 0);
	protobuf_c_message_free_unpacked(message, &budget.allocator);
}

static bool
is_bounded(const ProtobufCMessageDescriptor *descriptor, unsigned depth)
{
	if (depth > KP_MAX_MESSAGE_DEPTH)
		return false;
	for (unsigned i = 0; i < descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &descriptor->fields[i];

		if (field->type == PROTOBUF_C_TYPE_MESSAGE &&
		    !is_bounded(field->descriptor, depth + 1))
			return false;
	}
	return true;
}

bool
kp_is_depth_bounded(const ProtobufCMessageDescriptor *descriptor)
{
	return is_bounded(descriptor, 1);
}
