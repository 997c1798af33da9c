/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/kinds/kinds.h"

const struct kp_resource_kind *const kp_resource_kinds[] = {
	&kp_kind_cluster,
	&kp_kind_listener,
	&kp_kind_virtual_cluster,
	&kp_kind_policy,
	NULL,
};
