/* SPDX-License-Identifier: Apache-2.0 */
#include "control/server/server_identity.h"

#include "base/files.h"

#define MAX_PEM (1u << 20)

static bool
read_one(struct kp_buf *out, const char *setting, const char *path,
    struct kp_error *err)
{
	return kp_file_read(out, path, err) ||
	       kp_error_prefix(err, "tls.%s", setting);
}

bool
kp_server_identity_read_files(struct kp_server_identity *out, const char *ca,
    const char *certificate, const char *key, struct kp_error *err)
{
	kp_buf_init(&out->ca, MAX_PEM);
	kp_buf_init(&out->certificate, MAX_PEM);
	kp_buf_init(&out->key, MAX_PEM);
	return read_one(&out->ca, "ca", ca, err) &&
	       read_one(&out->certificate, "certificate", certificate, err) &&
	       read_one(&out->key, "key", key, err);
}

bool
kp_server_identity_read(struct kp_server_identity *out,
    const struct kp_server_config *config, struct kp_error *err)
{
	return kp_server_identity_read_files(
	    out, config->ca, config->certificate, config->key, err);
}

void
kp_server_identity_fini(struct kp_server_identity *identity)
{
	kp_buf_fini(&identity->ca);
	kp_buf_fini(&identity->certificate);
	kp_buf_fini(&identity->key);
}

bool
kp_server_identity_is_same(
    const struct kp_server_identity *a, const struct kp_server_identity *b)
{
	return kp_bytes_equal(kp_buf_bytes(&a->ca), kp_buf_bytes(&b->ca)) &&
	       kp_bytes_equal(kp_buf_bytes(&a->certificate),
		   kp_buf_bytes(&b->certificate)) &&
	       kp_bytes_equal(kp_buf_bytes(&a->key), kp_buf_bytes(&b->key));
}

struct kp_rpc_identity
kp_server_identity_pem(const struct kp_server_identity *identity)
{
	return (struct kp_rpc_identity){
		.ca_pem = kp_buf_bytes(&identity->ca),
		.certificate_pem = kp_buf_bytes(&identity->certificate),
		.key_pem = kp_buf_bytes(&identity->key),
	};
}
