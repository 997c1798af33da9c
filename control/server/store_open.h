/* SPDX-License-Identifier: Apache-2.0 */
/* The store that kpserver.yaml names. @thread main */
#ifndef KP_CONTROL_SERVER_STORE_OPEN_H
#define KP_CONTROL_SERVER_STORE_OPEN_H

#include "control/server/server_identity.h"
#include "control/server/store.h"

/*
 * kp_store_open returns NULL with the reason, which names the setting. What it
 * read to connect to etcd is in files, which is zero before and the caller's to
 * end in any case. config stays until the store is closed: the password for
 * etcd is read again where it says.
 */
struct kp_store *kp_store_open(const struct kp_server_config *config,
    struct kp_server_identity *files, struct kp_error *err);

#endif
