/* SPDX-License-Identifier: Apache-2.0 */
#include "control/api/digest.h"

#include <string.h>

#include <openssl/sha.h>

void
kp_digest_resource(struct kp_digest *out, const char *kind, const char *name,
    struct kp_bytes document)
{
	SHA256_CTX sha;

	(void)SHA256_Init(&sha);
	(void)SHA256_Update(&sha, kind, strlen(kind) + 1);
	(void)SHA256_Update(&sha, name, strlen(name) + 1);
	(void)SHA256_Update(&sha, document.data, document.len);
	(void)SHA256_Final(out->bytes, &sha);
}

void
kp_digest_set(
    struct kp_digest *out, const struct kp_digest *resources, size_t num)
{
	(void)SHA256(
	    (const uint8_t *)resources, num * sizeof(*resources), out->bytes);
}
