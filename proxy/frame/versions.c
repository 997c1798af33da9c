/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/frame/versions.h"

#include <string.h>

#include "proto/kafka/header.h"

#define NOT_OFFERED (-1)

void
kp_versions_init(struct kp_versions *versions)
{
	versions->is_known = false;
	for (int key = 0; key <= KP_MAX_API_KEY; key++) {
		versions->min[key] = NOT_OFFERED;
		versions->max[key] = NOT_OFFERED;
	}
}

bool
kp_versions_allow(
    const struct kp_versions *versions, int16_t key, int16_t version)
{
	if (!kp_api_has(key, version))
		return false;
	/* ApiVersions itself is always legal: the broker says what it knows */
	if (!versions->is_known || key == KP_API_VERSIONS)
		return true;
	return versions->min[key] != NOT_OFFERED &&
	       version >= versions->min[key] && version <= versions->max[key];
}

static int64_t
larger(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t
smaller(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static enum kp_verdict
replace_number(struct kp_replacement *out, int64_t from, int64_t to)
{
	if (from == to)
		return KP_KEEP;
	out->number = to;
	return KP_REPLACE;
}

/* Rows come as key, lowest, highest version. */
static enum kp_verdict
visit_row(void *context, const struct kp_visit *visit,
    struct kp_replacement *out, struct kp_error *err)
{
	struct kp_versions *versions = context;
	const struct kp_api *api;
	int64_t number;

	(void)err;
	if (visit->kind != KP_VISIT_VALUE)
		return KP_KEEP;
	if (visit->field->entity == KP_E_API_KEY) {
		versions->row_key = (int16_t)visit->number;
		return kp_api_find(versions->row_key) == NULL ? KP_DROP
							      : KP_KEEP;
	}
	api = kp_api_find(versions->row_key);
	if (api == NULL)
		return KP_KEEP;
	if (visit->field->entity == KP_E_API_MIN) {
		number = larger(visit->number, api->request->min_version);
		versions->row_min = (int16_t)number;
		return replace_number(out, visit->number, number);
	}
	number = smaller(visit->number, api->request->max_version);
	if (number < versions->row_min)
		return KP_DROP;
	versions->min[versions->row_key] = (int8_t)versions->row_min;
	versions->max[versions->row_key] = (int8_t)number;
	return replace_number(out, visit->number, number);
}

bool
kp_versions_rewrite(struct kp_versions *versions, int16_t version,
    struct kp_bytes body, struct kp_rewrite *rewrite, struct kp_error *err)
{
	const struct kp_visitor visitor = {
		.interest = KP_ENTITY_BIT(KP_E_API_KEY) |
			    KP_ENTITY_BIT(KP_E_API_MIN) |
			    KP_ENTITY_BIT(KP_E_API_MAX),
		.visit = visit_row,
		.context = versions,
	};

	kp_versions_init(versions);
	if (!kp_walk_whole(kp_api_find(KP_API_VERSIONS)->response, version,
		body, &visitor, rewrite, err))
		return false;
	versions->is_known = true;
	return true;
}

bool
kp_versions_narrow(
    struct kp_bytes body, struct kp_rewrite *rewrite, struct kp_error *err)
{
	struct kp_versions unused;

	return kp_versions_rewrite(&unused, 0, body, rewrite, err);
}
