/* SPDX-License-Identifier: Apache-2.0 */
/* The store that kpserver.yaml names. @thread main */
#ifndef KP_CONTROL_SERVER_STORE_OPEN_H
#define KP_CONTROL_SERVER_STORE_OPEN_H

#include "control/server/store.h"
#include "rules/server_config.h"

/* kp_store_open returns NULL with the reason, which names the setting. */
struct kp_store *kp_store_open(
    const struct kp_server_config *config, struct kp_error *err);

#endif
