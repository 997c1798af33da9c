/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The service Resources of proto/control/v1/resources.proto on top of the desk.
 * Statuses are as said there. @thread handlers
 */
#ifndef KP_CONTROL_SERVER_RESOURCES_H
#define KP_CONTROL_SERVER_RESOURCES_H

#include "control/server/service.h"

extern const struct kp_service_method kp_resources_methods[];

#endif
