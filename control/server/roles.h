/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may do what: the roles of kpserver.yaml, matched with the names of a
 * certificate. Immutable and counted, so that a call is judged by one set from
 * its beginning to its end. @thread any
 */
#ifndef KP_CONTROL_SERVER_ROLES_H
#define KP_CONTROL_SERVER_ROLES_H

#include "base/bytes.h"
#include "base/error.h"
#include "control/rpc/peer.h"
#include "rules/server_config.h"

struct kp_roles;

/* Holds a name with its kind: "CN:" and a common name. */
#define KP_IDENTITY_SIZE (KP_RPC_MAX_NAME_LEN + 16)

/* kp_roles_new takes the list over: *list is NULL afterwards. */
struct kp_roles *kp_roles_new(struct kp_role_config **list, size_t num);
struct kp_roles *kp_roles_ref(struct kp_roles *roles);
void kp_roles_unref(struct kp_roles *roles);

/*
 * kp_roles_has: has peer that role, or one that includes it? out becomes the
 * name that gave it, or without any the first name that peer has.
 */
bool kp_roles_has(const struct kp_roles *roles, const struct kp_rpc_peer *peer,
    enum kp_role role, char out[KP_IDENTITY_SIZE]);

/*
 * kp_roles_may_edit: may peer change the resource of that kind from before to
 * after (data NULL: it is not there)? What it is limited to must hold for both.
 * False with the reason.
 */
struct kp_catalog_edit;
bool kp_roles_may_edit(const struct kp_roles *roles,
    const struct kp_rpc_peer *peer, const struct kp_catalog_edit *edit,
    struct kp_error *err) KP_MUST_CHECK;

const char *kp_role_name(enum kp_role role);

#endif
