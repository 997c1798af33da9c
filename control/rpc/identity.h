/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who one end of a connection is and whom it trusts: PEM texts, not paths.
 * @thread any
 */
#ifndef KP_CONTROL_RPC_IDENTITY_H
#define KP_CONTROL_RPC_IDENTITY_H

#include "base/bytes.h"
#include "base/error.h"

/* Borrowed where it is a parameter. */
struct kp_rpc_identity {
	struct kp_bytes ca_pem;          /* who may sign the other end */
	struct kp_bytes certificate_pem; /* leaf first, then its chain */
	struct kp_bytes key_pem;
};

/*
 * kp_rpc_identity_check fails with KP_ERR_TLS unless there is at least one CA,
 * a certificate, and a key that fits it. It says nothing of dates and
 * signatures. It takes a loopback port for a moment: what gRPC's own parser
 * says is all that counts, and there is no other way to ask it.
 */
bool kp_rpc_identity_check(
    const struct kp_rpc_identity *identity, struct kp_error *err) KP_MUST_CHECK;

#endif
