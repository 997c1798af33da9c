/* SPDX-License-Identifier: Apache-2.0 */
/* Fields and elements, also of what may not be there. */
#include "rules/cel/eval_priv.h"

/* What was looked for: found, not there, or an error as nothing has such. */
struct lookup {
	bool is_found, is_unset; /* unset: value is the default of a field */
	struct kp_cel_value value;
};

static struct lookup
failed(struct kp_cel_value error)
{
	return (struct lookup){ .value = error };
}

static struct lookup
found(struct kp_cel_value value)
{
	return (struct lookup){ .is_found = value.type != KP_CEL_ERROR,
		.value = value };
}

/* Not found, but asking was no mistake: no error. */
static struct lookup
missing(void)
{
	return (struct lookup){ .value = kp_cel_null() };
}

static struct lookup
find_in_map(struct kp_cel_eval *eval, const struct kp_cel_map *map,
    struct kp_cel_value key)
{
	struct kp_cel_value value;

	if (kp_cel_map_find(map, key, &value, eval->meter))
		return found(value);
	if (!kp_cel_spend(eval, 0))
		return failed(kp_cel_stop(eval, KP_CEL_FAULT_COST));
	return missing();
}

static struct lookup
find_in_object(struct kp_cel_eval *eval, const struct kp_cel_object *object,
    struct kp_bytes name)
{
	struct kp_cel_value value = kp_cel_null();
	enum kp_cel_presence presence = object->field(object, name, &value);

	if (presence == KP_CEL_SET)
		return found(value);
	if (presence == KP_CEL_UNSET)
		return (struct lookup){ .is_unset = true, .value = value };
	return failed(
	    kp_cel_fail(eval, "%s has no field \"%.*s\"", object->type_name,
		name.len < 100 ? (int)name.len : 100, (const char *)name.data));
}

static struct lookup
find_field(
    struct kp_cel_eval *eval, struct kp_cel_value of, struct kp_bytes name)
{
	if (of.type == KP_CEL_MAP)
		return find_in_map(eval, of.as.map, kp_cel_string(name));
	if (of.type == KP_CEL_OBJECT)
		return find_in_object(eval, of.as.object, name);
	return failed(kp_cel_fail(
	    eval, "a value of type %s has no fields", kp_cel_type_name(of)));
}

/* An index is an int, or another number that is one. */
static bool
index_of(struct kp_cel_value value, int64_t *out)
{
	if (value.type == KP_CEL_INT) {
		*out = value.as.number;
		return true;
	}
	if (value.type == KP_CEL_UINT) {
		*out = value.as.natural > INT64_MAX ? -1
						    : (int64_t)value.as.natural;
		return true;
	}
	if (value.type != KP_CEL_DOUBLE || !(value.as.real >= -1e15) ||
	    value.as.real > 1e15)
		return false;
	*out = (int64_t)value.as.real;
	return (double)*out == value.as.real;
}

static struct lookup
find_element(
    struct kp_cel_eval *eval, struct kp_cel_value of, struct kp_cel_value key)
{
	int64_t index;

	if (of.type == KP_CEL_MAP)
		return find_in_map(eval, of.as.map, key);
	if (of.type != KP_CEL_LIST)
		return failed(
		    kp_cel_fail(eval, "a value of type %s has no elements",
			kp_cel_type_name(of)));
	if (!index_of(key, &index))
		return failed(
		    kp_cel_error("the index of a list is a whole number"));
	if (index < 0 || (uint64_t)index >= of.as.list->num)
		return missing();
	return found(kp_cel_list_at(of.as.list, (size_t)index));
}

static struct kp_cel_value
as_optional(struct kp_cel_eval *eval, struct lookup lookup)
{
	if (lookup.is_found)
		return kp_cel_some(eval, lookup.value);
	if (lookup.value.type == KP_CEL_ERROR)
		return lookup.value;
	return kp_cel_optional(NULL);
}

/* has(): is it there, and no field that is unset? */
static struct kp_cel_value
test_of(struct lookup lookup)
{
	if (!lookup.is_found && lookup.value.type == KP_CEL_ERROR)
		return lookup.value;
	return kp_cel_bool(lookup.is_found);
}

static struct kp_cel_value
missing_field(struct kp_cel_eval *eval, const struct kp_cel_node *node)
{
	return kp_cel_fail(eval, "there is no key \"%.*s\"",
	    node->name.len < 100 ? (int)node->name.len : 100,
	    (const char *)node->name.data);
}

struct kp_cel_value
kp_cel_eval_select(struct kp_cel_eval *eval, const struct kp_cel_node *node)
{
	struct kp_cel_value of = kp_cel_eval_node(eval, node->args[0]);
	bool is_optional = node->is_optional || of.type == KP_CEL_OPTIONAL;
	struct lookup lookup;

	if (of.type == KP_CEL_ERROR)
		return of;
	if (of.type == KP_CEL_OPTIONAL) {
		if (of.as.inner == NULL)
			return node->is_test ? kp_cel_bool(false) : of;
		of = *of.as.inner;
	}
	lookup = find_field(eval, of, node->name);
	if (node->is_test)
		return kp_cel_at(test_of(lookup), node);
	if (is_optional)
		return kp_cel_at(as_optional(eval, lookup), node);
	if (lookup.is_found || lookup.is_unset ||
	    lookup.value.type == KP_CEL_ERROR)
		return kp_cel_at(lookup.value, node);
	return kp_cel_at(missing_field(eval, node), node);
}

struct kp_cel_value
kp_cel_eval_index(struct kp_cel_eval *eval, const struct kp_cel_node *node)
{
	struct kp_cel_value of = kp_cel_eval_node(eval, node->args[0]), key;
	bool is_optional = node->is_optional || of.type == KP_CEL_OPTIONAL;
	bool is_list;
	struct lookup lookup;

	if (of.type == KP_CEL_ERROR ||
	    (of.type == KP_CEL_OPTIONAL && of.as.inner == NULL))
		return of;
	key = kp_cel_eval_node(eval, node->args[1]);
	if (key.type == KP_CEL_ERROR)
		return key;
	if (of.type == KP_CEL_OPTIONAL)
		of = *of.as.inner;
	is_list = of.type == KP_CEL_LIST;
	lookup = find_element(eval, of, key);
	if (is_optional)
		return kp_cel_at(as_optional(eval, lookup), node);
	if (lookup.is_found || lookup.value.type == KP_CEL_ERROR)
		return kp_cel_at(lookup.value, node);
	return kp_cel_at(
	    kp_cel_error(is_list ? "the index is outside of the list"
				 : "there is no such key"),
	    node);
}
