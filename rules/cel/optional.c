/* SPDX-License-Identifier: Apache-2.0 */
/* Values that may not be there. */
#include "rules/cel/eval_priv.h"

struct kp_cel_value
kp_cel_some(struct kp_cel_eval *eval, struct kp_cel_value value)
{
	struct kp_cel_value *inner = kp_cel_get(eval, 1, sizeof(*inner));

	if (inner == NULL)
		return kp_cel_stop(eval, KP_CEL_FAULT_MEMORY);
	*inner = value;
	return kp_cel_optional(inner);
}

bool
kp_cel_is_zero(struct kp_cel_value value)
{
	if (value.type == KP_CEL_BOOL)
		return !value.as.truth;
	if (value.type == KP_CEL_DOUBLE)
		return value.as.real == 0;
	if (value.type == KP_CEL_STRING || value.type == KP_CEL_BYTES)
		return value.extra == 0;
	if (value.type == KP_CEL_LIST)
		return value.as.list->num == 0;
	if (value.type == KP_CEL_MAP)
		return value.as.map->num == 0;
	if (value.type == KP_CEL_INT || value.type == KP_CEL_UINT ||
	    value.type == KP_CEL_DURATION || value.type == KP_CEL_TIMESTAMP)
		return value.as.natural == 0 && value.extra == 0;
	return value.type == KP_CEL_NULL;
}

/* detail: of what is zero, nothing is made. */
struct kp_cel_value
kp_cel_optional_of(const struct kp_cel_call *call)
{
	if (call->detail != 0 && kp_cel_is_zero(call->args[0]))
		return kp_cel_optional(NULL);
	return kp_cel_some(call->eval, call->args[0]);
}

struct kp_cel_value
kp_cel_optional_none(const struct kp_cel_call *call)
{
	(void)call;
	return kp_cel_optional(NULL);
}

static struct kp_cel_value
not_optional(const struct kp_cel_call *call, const char *name)
{
	return kp_cel_no_overload(call->eval, name, call->args, call->num);
}

struct kp_cel_value
kp_cel_optional_has_value(const struct kp_cel_call *call)
{
	if (call->args[0].type != KP_CEL_OPTIONAL)
		return not_optional(call, "hasValue");
	return kp_cel_bool(call->args[0].as.inner != NULL);
}

struct kp_cel_value
kp_cel_optional_value(const struct kp_cel_call *call)
{
	if (call->args[0].type != KP_CEL_OPTIONAL)
		return not_optional(call, "value");
	if (call->args[0].as.inner == NULL)
		return kp_cel_error("the optional has no value");
	return *call->args[0].as.inner;
}

struct kp_cel_value
kp_cel_optional_or(const struct kp_cel_call *call)
{
	if (call->args[0].type != KP_CEL_OPTIONAL)
		return not_optional(call, "or");
	if (call->args[0].as.inner != NULL)
		return call->args[0];
	if (call->args[1].type != KP_CEL_OPTIONAL)
		return not_optional(call, "or");
	return call->args[1];
}

struct kp_cel_value
kp_cel_optional_or_value(const struct kp_cel_call *call)
{
	if (call->args[0].type != KP_CEL_OPTIONAL)
		return not_optional(call, "orValue");
	if (call->args[0].as.inner == NULL)
		return call->args[1];
	return *call->args[0].as.inner;
}
