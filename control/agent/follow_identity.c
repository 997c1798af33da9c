/* SPDX-License-Identifier: Apache-2.0 */
/* The certificates of control.server, as files. */
#include "base/files.h"
#include "control/agent/follow.h"
#include "rules/compile.h"

bool
kp_follow_read_identity(struct kp_follow_identity *out,
    const struct kp_node_server *config, struct kp_error *err)
{
	kp_buf_init(&out->ca, KP_SECRET_MAX_LEN);
	kp_buf_init(&out->certificate, KP_SECRET_MAX_LEN);
	kp_buf_init(&out->key, KP_SECRET_MAX_LEN);
	return kp_file_read(&out->ca, config->ca, err) &&
	       kp_file_read(&out->certificate, config->certificate, err) &&
	       kp_file_read(&out->key, config->key, err);
}

void
kp_follow_identity_fini(struct kp_follow_identity *identity)
{
	if (identity->key.data != NULL)
		explicit_bzero(identity->key.data, identity->key.len);
	kp_buf_fini(&identity->ca);
	kp_buf_fini(&identity->certificate);
	kp_buf_fini(&identity->key);
}

struct kp_link_identity
kp_follow_pems(const struct kp_follow_identity *identity)
{
	return (struct kp_link_identity){
		.ca_pem = kp_buf_bytes(&identity->ca),
		.certificate_pem = kp_buf_bytes(&identity->certificate),
		.key_pem = kp_buf_bytes(&identity->key),
	};
}
