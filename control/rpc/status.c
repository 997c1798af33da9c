/* SPDX-License-Identifier: Apache-2.0 */
#include "control/rpc/status.h"

#include <stdarg.h>
#include <stdio.h>

#include "proto/control/status.pb-c.h"
#include "proto/control/unpack.h"

#define TYPE_PREFIX "type.googleapis.com/"
#define MAX_TYPE_LEN 256
/* Details of 4 KiB with all that is around them. */
#define MAX_UNPACKED_LEN (64u << 10)

struct code {
	const char *name;
	enum kp_error_kind kind;
};

static const struct code codes[] = {
	[KP_RPC_OK] = { "OK", KP_ERR_NONE },
	[KP_RPC_CANCELLED] = { "CANCELLED", KP_ERR_CLOSED },
	[KP_RPC_UNKNOWN] = { "UNKNOWN", KP_ERR_PROTOCOL },
	[KP_RPC_INVALID_ARGUMENT] = { "INVALID_ARGUMENT", KP_ERR_CONFIG },
	[KP_RPC_DEADLINE_EXCEEDED] = { "DEADLINE_EXCEEDED", KP_ERR_TIMEOUT },
	[KP_RPC_NOT_FOUND] = { "NOT_FOUND", KP_ERR_CONFIG },
	[KP_RPC_ALREADY_EXISTS] = { "ALREADY_EXISTS", KP_ERR_CONFIG },
	[KP_RPC_PERMISSION_DENIED] = { "PERMISSION_DENIED", KP_ERR_CONFIG },
	[KP_RPC_RESOURCE_EXHAUSTED] = { "RESOURCE_EXHAUSTED", KP_ERR_LIMIT },
	[KP_RPC_FAILED_PRECONDITION] = { "FAILED_PRECONDITION", KP_ERR_CONFIG },
	[KP_RPC_ABORTED] = { "ABORTED", KP_ERR_CONFIG },
	[KP_RPC_OUT_OF_RANGE] = { "OUT_OF_RANGE", KP_ERR_CONFIG },
	[KP_RPC_UNIMPLEMENTED] = { "UNIMPLEMENTED", KP_ERR_UNSUPPORTED },
	[KP_RPC_INTERNAL] = { "INTERNAL", KP_ERR_PROTOCOL },
	[KP_RPC_UNAVAILABLE] = { "UNAVAILABLE", KP_ERR_UNAVAILABLE },
	[KP_RPC_DATA_LOSS] = { "DATA_LOSS", KP_ERR_PROTOCOL },
	[KP_RPC_UNAUTHENTICATED] = { "UNAUTHENTICATED", KP_ERR_CONFIG },
};
#define NUM_CODES (sizeof(codes) / sizeof(codes[0]))

/* A peer may send any number. */
static const struct code *
code_of(enum kp_rpc_code code)
{
	return &codes[(size_t)code < NUM_CODES ? code : KP_RPC_UNKNOWN];
}

const char *
kp_rpc_code_name(enum kp_rpc_code code)
{
	return code_of(code)->name;
}

void
kp_rpc_status_fini(struct kp_rpc_status *status)
{
	kp_buf_fini(&status->details);
	*status = (struct kp_rpc_status){ .code = KP_RPC_OK };
}

void
kp_rpc_status_set(
    struct kp_rpc_status *status, enum kp_rpc_code code, const char *fmt, ...)
{
	va_list args;

	kp_buf_fini(&status->details);
	status->code = code;
	va_start(args, fmt);
	(void)vsnprintf(status->sentence, sizeof(status->sentence), fmt, args);
	va_end(args);
}

/* The detail as field 3 of a Status: such pieces one after the other are one.
 */
bool
kp_rpc_status_add(struct kp_rpc_status *status, const ProtobufCMessage *detail)
{
	Kproxy__Rpc__V1__Status piece;
	Kproxy__Rpc__V1__Detail any, *list = &any;
	struct kp_buf value;
	char type[MAX_TYPE_LEN];
	uint8_t *to = NULL;

	if (status->details.max_len == 0)
		kp_buf_init(&status->details, KP_RPC_MAX_DETAILS_LEN);
	kp_buf_init(&value, KP_RPC_MAX_DETAILS_LEN);
	to = kp_buf_extend(&value, protobuf_c_message_get_packed_size(detail));
	if (to == NULL)
		return false;
	(void)protobuf_c_message_pack(detail, to);
	(void)snprintf(
	    type, sizeof(type), TYPE_PREFIX "%s", detail->descriptor->name);
	kproxy__rpc__v1__detail__init(&any);
	any.type_url = type;
	any.value = (ProtobufCBinaryData){ value.len, value.data };
	kproxy__rpc__v1__status__init(&piece);
	piece.n_details = 1;
	piece.details = &list;
	to = kp_buf_extend(
	    &status->details, kproxy__rpc__v1__status__get_packed_size(&piece));
	if (to != NULL)
		(void)kproxy__rpc__v1__status__pack(&piece, to);
	status->details.failed = false; /* a shorter one may still fit */
	kp_buf_fini(&value);
	return to != NULL;
}

static Kproxy__Rpc__V1__Status *
unpack(const struct kp_rpc_status *status)
{
	struct kp_error err;

	return (Kproxy__Rpc__V1__Status *)kp_unpack(
	    &kproxy__rpc__v1__status__descriptor,
	    kp_buf_bytes(&status->details), MAX_UNPACKED_LEN, &err);
}

size_t
kp_rpc_status_num_details(const struct kp_rpc_status *status)
{
	Kproxy__Rpc__V1__Status *all = unpack(status);
	size_t num = all == NULL ? 0 : all->n_details;

	if (all != NULL)
		kp_unpacked_free(&all->base);
	return num;
}

static bool
is_of_kind(const Kproxy__Rpc__V1__Detail *detail,
    const ProtobufCMessageDescriptor *kind)
{
	size_t prefix_len = sizeof(TYPE_PREFIX) - 1;

	return strncmp(detail->type_url, TYPE_PREFIX, prefix_len) == 0 &&
	       strcmp(detail->type_url + prefix_len, kind->name) == 0;
}

ProtobufCMessage *
kp_rpc_status_detail(const struct kp_rpc_status *status,
    const ProtobufCMessageDescriptor *kind, size_t index)
{
	Kproxy__Rpc__V1__Status *all = unpack(status);
	ProtobufCMessage *found = NULL;
	struct kp_error err;

	if (all == NULL)
		return NULL;
	for (size_t i = 0; i < all->n_details; i++) {
		const Kproxy__Rpc__V1__Detail *detail = all->details[i];

		if (!is_of_kind(detail, kind) || index-- > 0)
			continue;
		found = kp_unpack(kind,
		    (struct kp_bytes){ detail->value.data, detail->value.len },
		    MAX_UNPACKED_LEN, &err);
		break;
	}
	kp_unpacked_free(&all->base);
	return found;
}

void
kp_rpc_status_copy(struct kp_rpc_status *out, const struct kp_rpc_status *from)
{
	*out = *from;
	out->details = (struct kp_buf){ 0 };
	if (from->details.len == 0)
		return;
	kp_buf_init(&out->details, from->details.len);
	kp_buf_add(&out->details, from->details.data, from->details.len);
}

bool
kp_rpc_status_error(const struct kp_rpc_status *status, struct kp_error *err)
{
	if (status->code == KP_RPC_OK)
		return true;
	return kp_error_set(err, code_of(status->code)->kind, "%s: %s",
	    kp_rpc_code_name(status->code), status->sentence);
}
