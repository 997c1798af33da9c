/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/cel/value.h"

struct kp_cel_value
kp_cel_null(void)
{
	return (struct kp_cel_value){ .type = KP_CEL_NULL };
}

struct kp_cel_value
kp_cel_bool(bool truth)
{
	return (struct kp_cel_value){ .type = KP_CEL_BOOL, .as.truth = truth };
}

struct kp_cel_value
kp_cel_int(int64_t number)
{
	return (struct kp_cel_value){ .type = KP_CEL_INT, .as.number = number };
}

struct kp_cel_value
kp_cel_uint(uint64_t number)
{
	return (
	    struct kp_cel_value){ .type = KP_CEL_UINT, .as.natural = number };
}

struct kp_cel_value
kp_cel_double(double number)
{
	return (
	    struct kp_cel_value){ .type = KP_CEL_DOUBLE, .as.real = number };
}

static struct kp_cel_value
content_value(enum kp_cel_type type, struct kp_bytes bytes)
{
	if (bytes.len > UINT32_MAX)
		return kp_cel_error("value of 4 GiB or more");
	return (struct kp_cel_value){ .type = type,
		.extra = (uint32_t)bytes.len,
		.as.data = bytes.data };
}

struct kp_cel_value
kp_cel_string(struct kp_bytes text)
{
	return content_value(KP_CEL_STRING, text);
}

struct kp_cel_value
kp_cel_bytes(struct kp_bytes bytes)
{
	return content_value(KP_CEL_BYTES, bytes);
}

struct kp_cel_value
kp_cel_list(const struct kp_cel_list *list)
{
	return (struct kp_cel_value){ .type = KP_CEL_LIST, .as.list = list };
}

struct kp_cel_value
kp_cel_map(const struct kp_cel_map *map)
{
	return (struct kp_cel_value){ .type = KP_CEL_MAP, .as.map = map };
}

struct kp_cel_value
kp_cel_object(const struct kp_cel_object *object)
{
	return (
	    struct kp_cel_value){ .type = KP_CEL_OBJECT, .as.object = object };
}

struct kp_cel_value
kp_cel_timestamp(int64_t seconds, uint32_t nanoseconds)
{
	return (struct kp_cel_value){ .type = KP_CEL_TIMESTAMP,
		.extra = nanoseconds,
		.as.number = seconds };
}

struct kp_cel_value
kp_cel_duration(int64_t nanoseconds)
{
	return (struct kp_cel_value){ .type = KP_CEL_DURATION,
		.as.number = nanoseconds };
}

struct kp_cel_value
kp_cel_type(const char *name)
{
	return (struct kp_cel_value){ .type = KP_CEL_TYPE, .as.name = name };
}

struct kp_cel_value
kp_cel_optional(const struct kp_cel_value *inner)
{
	return (
	    struct kp_cel_value){ .type = KP_CEL_OPTIONAL, .as.inner = inner };
}

struct kp_cel_value
kp_cel_error(const char *text)
{
	return (struct kp_cel_value){ .type = KP_CEL_ERROR, .as.name = text };
}

struct kp_bytes
kp_cel_content(struct kp_cel_value value)
{
	return (struct kp_bytes){ value.as.data, value.extra };
}

uint64_t
kp_cel_content_steps(struct kp_cel_value value)
{
	if (value.type != KP_CEL_STRING && value.type != KP_CEL_BYTES)
		return 0;
	return value.extra / KP_CEL_BYTES_A_STEP;
}

const char *
kp_cel_type_name(struct kp_cel_value value)
{
	static const char *const names[KP_CEL_NUM_TYPES] = {
		[KP_CEL_ERROR] = "error",
		[KP_CEL_NULL] = "null_type",
		[KP_CEL_BOOL] = "bool",
		[KP_CEL_INT] = "int",
		[KP_CEL_UINT] = "uint",
		[KP_CEL_DOUBLE] = "double",
		[KP_CEL_STRING] = "string",
		[KP_CEL_BYTES] = "bytes",
		[KP_CEL_LIST] = "list",
		[KP_CEL_MAP] = "map",
		[KP_CEL_TIMESTAMP] = "google.protobuf.Timestamp",
		[KP_CEL_DURATION] = "google.protobuf.Duration",
		[KP_CEL_TYPE] = "type",
		[KP_CEL_OPTIONAL] = "optional_type",
	};

	if (value.type == KP_CEL_OBJECT)
		return value.as.object->type_name;
	return names[value.type];
}

struct kp_cel_value
kp_cel_list_at(const struct kp_cel_list *list, size_t index)
{
	return list->at != NULL ? list->at(list, index) : list->items[index];
}

struct kp_cel_entry
kp_cel_map_at(const struct kp_cel_map *map, size_t index)
{
	return map->at != NULL ? map->at(map, index) : map->entries[index];
}
