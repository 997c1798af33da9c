/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who a client says it is in the first token of a SASL exchange. Only names are
 * taken out; secrets are not looked at. @thread any
 */
#ifndef KP_PROXY_ADMIT_PRINCIPAL_H
#define KP_PROXY_ADMIT_PRINCIPAL_H

#include "proxy/admit/sasl.h"

/*
 * kp_principal_of_token writes the user name to out, or "" if the mechanism
 * does not show it: the authentication id of PLAIN (RFC 4616), "n=" of SCRAM
 * (RFC 5802), the claim "sub" of an OAUTHBEARER token (RFC 7628, not verified
 * here). It must be the very name that the broker takes from the token, as
 * policies are about it: false if out cannot hold that.
 */
bool kp_principal_of_token(enum kp_sasl_mechanism mechanism,
    struct kp_bytes token, char *out, size_t out_size,
    struct kp_error *err) KP_MUST_CHECK;

#endif
