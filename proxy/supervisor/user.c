/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/supervisor/user.h"

#include <pwd.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"

#define ENTRY_LEN 16384 /* of the list of users */
#define NUMBERS_LEN 24

static bool
find(struct kp_user *out, const char *name)
{
	struct passwd entry, *found = NULL;
	char text[ENTRY_LEN];

	if (getpwnam_r(name, &entry, text, sizeof(text), &found) != 0 ||
	    found == NULL)
		return false;
	out->uid = found->pw_uid;
	out->gid = found->pw_gid;
	return true;
}

/* The largest number means "no change" where it matters. */
static bool
parse_id(const char *text, uint32_t *out)
{
	int64_t number;

	if (!kp_parse_int(text, &number) || number < 0 || number >= UINT32_MAX)
		return false;
	*out = (uint32_t)number;
	return true;
}

static bool
parse_ids(struct kp_user *out, const char *text)
{
	char uid[NUMBERS_LEN];
	const char *colon = strchr(text, ':');
	size_t len = colon == NULL ? sizeof(uid) : (size_t)(colon - text);

	if (len >= sizeof(uid))
		return false;
	kp_copy(uid, text, len);
	uid[len] = '\0';
	return parse_id(uid, &out->uid) && parse_id(colon + 1, &out->gid);
}

static void
take_default(struct kp_user *out)
{
	if (find(out, KP_USER_OWN) || find(out, KP_USER_NOBODY))
		return;
	out->uid = KP_USER_NOBODY_ID;
	out->gid = KP_USER_NOBODY_ID;
}

bool
kp_user_choose(
    struct kp_user *out, const char *wanted, uid_t self, struct kp_error *err)
{
	*out = (struct kp_user){ .uid = self };
	if (wanted != NULL && !parse_ids(out, wanted) && !find(out, wanted))
		return kp_error_set(
		    err, KP_ERR_CONFIG, "user \"%.100s\" is not known", wanted);
	if (wanted == NULL && self == 0)
		take_default(out);
	if (self != 0 && out->uid != self)
		return kp_error_set(err, KP_ERR_CONFIG,
		    "only root can run the worker as \"%.100s\"", wanted);
	out->is_other = out->uid != self;
	return true;
}
