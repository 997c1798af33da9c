/* SPDX-License-Identifier: Apache-2.0 */
/* The service Nodes (proto/control/v1/nodes.proto): its handlers, for a server
 * whose owner is struct kp_services. */
#ifndef KP_CONTROL_SERVER_NODES_SERVICE_H
#define KP_CONTROL_SERVER_NODES_SERVICE_H

#include "control/server/service.h"

extern const struct kp_service_method kp_nodes_methods[];

#endif
