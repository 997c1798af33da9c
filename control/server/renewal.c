/* SPDX-License-Identifier: Apache-2.0 */
#include "control/server/renewal.h"

#include <string.h>

enum kp_renewal_result
kp_renewal_judge(struct kp_error *refused, bool is_ok, bool is_same,
    const struct kp_error *err)
{
	bool is_known = !is_ok && refused->kind != KP_ERR_NONE &&
			strcmp(refused->text, err->text) == 0;

	if (is_ok) {
		refused->kind = KP_ERR_NONE;
		return is_same ? KP_RENEWAL_SAME : KP_RENEWAL_TAKEN;
	}
	*refused = *err;
	return is_known ? KP_RENEWAL_STILL_REFUSED : KP_RENEWAL_REFUSED;
}

enum kp_renewal_result
kp_renewal_look(struct kp_renewal *renewal, struct kp_error *err)
{
	struct kp_server_identity files, old = renewal->files;
	struct kp_rpc_identity identity;
	bool is_ok = kp_server_identity_read_files(
	    &files, renewal->ca, renewal->certificate, renewal->key, err);
	bool is_same = is_ok && kp_server_identity_is_same(&files, &old);

	identity = kp_server_identity_pem(&files);
	if (is_ok && !is_same)
		is_ok = renewal->take(renewal->owner, &identity, err);
	if (is_ok)
		renewal->files = files;
	kp_server_identity_fini(is_ok ? &old : &files);
	return kp_renewal_judge(&renewal->refused, is_ok, is_same, err);
}

void
kp_renewal_watch(const struct kp_renewal *renewal, struct kp_watch *watch)
{
	if (renewal->ca == NULL)
		return;
	kp_watch_file(watch, renewal->ca);
	kp_watch_file(watch, renewal->certificate);
	kp_watch_file(watch, renewal->key);
}

void
kp_renewal_fini(struct kp_renewal *renewal)
{
	kp_server_identity_fini(&renewal->files);
}
