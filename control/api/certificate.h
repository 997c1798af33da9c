/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people want to know of a certificate that a server may have refused.
 * @thread any
 */
#ifndef KP_CONTROL_API_CERTIFICATE_H
#define KP_CONTROL_API_CERTIFICATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

#define KP_API_MAX_COMMON_NAME_LEN 255

/* Times are seconds since 1970-01-01 UTC. */
struct kp_api_certificate {
	char common_name[KP_API_MAX_COMMON_NAME_LEN + 1]; /* "": it has none */
	int64_t not_before, not_after;
};

/* kp_api_certificate_read reads the first certificate of a PEM text; false if
 * there is none. */
bool kp_api_certificate_read(
    struct kp_api_certificate *out, struct kp_bytes pem);

#endif
