/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/admit/principal.h"

#include <string.h>
#include <strings.h>

#include "proxy/admit/jwt.h"

/* After each pair of OAUTHBEARER. */
#define PAIR_END '\1'

static bool
copy_name(const uint8_t *name, size_t len, char *out, size_t out_size)
{
	if (len >= out_size || memchr(name, '\0', len) != NULL)
		return false;
	kp_copy(out, name, len);
	out[len] = '\0';
	return true;
}

/* authzid NUL authcid NUL password */
static bool
of_plain(struct kp_bytes token, char *out, size_t out_size)
{
	const uint8_t *end = token.data + token.len;
	const uint8_t *name = memchr(token.data, '\0', token.len);
	const uint8_t *name_end;

	if (name == NULL)
		return true;
	name++;
	name_end = memchr(name, '\0', (size_t)(end - name));
	return name_end == NULL ||
	       copy_name(name, (size_t)(name_end - name), out, out_size);
}

/* gs2 header, then "n=NAME,r=…" with "=2C" for a comma and "=3D" for "=" */
static bool
of_scram(struct kp_bytes token, char *out, size_t out_size)
{
	const uint8_t *end = token.data + token.len;
	const uint8_t *name = memmem(token.data, token.len, ",n=", 3);
	size_t len = 0;

	if (name == NULL)
		return true;
	for (name += 3; name < end && *name != ','; name++) {
		char c = (char)*name;

		if (c == '=' && end - name > 2) {
			c = name[1] == '2' ? ',' : '=';
			name += 2;
		}
		if (c == '\0' || len + 1 == out_size)
			return false;
		out[len++] = c;
	}
	out[len] = '\0';
	return true;
}

/* What comes after the second comma and a separator; nothing if that is not
 * there. */
static struct kp_bytes
after_gs2_header(struct kp_bytes token)
{
	const uint8_t *end = token.data + token.len, *at = token.data;

	for (unsigned i = 0; i < 2 && at != NULL; i++) {
		at = memchr(at, ',', (size_t)(end - at));
		if (at != NULL)
			at++;
	}
	if (at == NULL || at == end || *at != PAIR_END)
		return (struct kp_bytes){ end, 0 };
	return (struct kp_bytes){ at + 1, (size_t)(end - at - 1) };
}

/* Takes what begins with that from the front of text. */
static bool
take(struct kp_bytes *text, const char *start)
{
	size_t len = strlen(start);

	if (text->len < len ||
	    strncasecmp((const char *)text->data, start, len) != 0)
		return false;
	text->data += len;
	text->len -= len;
	return true;
}

/*
 * The value of "auth" among the pairs, which clients may add to (RFC 7628, KIP
 * 342): what is in the value of another one counts for nothing. Of several the
 * last one is what Kafka looks at.
 */
static struct kp_bytes
find_auth(struct kp_bytes pairs)
{
	static const char auth[] = "auth=";
	const uint8_t *end = pairs.data + pairs.len;
	struct kp_bytes found = { end, 0 };

	for (const uint8_t *at = pairs.data, *next; at < end; at = next + 1) {
		next = memchr(at, PAIR_END, (size_t)(end - at));
		if (next == NULL)
			break;
		if ((size_t)(next - at) >= sizeof(auth) - 1 &&
		    memcmp(at, auth, sizeof(auth) - 1) == 0) {
			at += sizeof(auth) - 1;
			found = (struct kp_bytes){ at, (size_t)(next - at) };
		}
	}
	return found;
}

/* "Bearer HEADER.CLAIMS.SIGNATURE": the claims' subject */
static bool
of_bearer(struct kp_bytes token, char *out, size_t out_size)
{
	struct kp_bytes jwt = find_auth(after_gs2_header(token));
	const uint8_t *end = jwt.data + jwt.len, *dot;
	uint8_t name[KP_PRINCIPAL_MAX];
	size_t len;

	if (!take(&jwt, "bearer "))
		return true;
	dot = memchr(jwt.data, '.', jwt.len);
	if (dot == NULL)
		return true;
	dot++;
	len = kp_jwt_subject(
	    (struct kp_bytes){ dot, (size_t)(end - dot) }, name, sizeof(name));
	return len <= sizeof(name) && copy_name(name, len, out, out_size);
}

static bool
of_token(enum kp_sasl_mechanism mechanism, struct kp_bytes token, char *out,
    size_t out_size)
{
	switch (mechanism) {
	case KP_SASL_PLAIN:
		return of_plain(token, out, out_size);
	case KP_SASL_SCRAM:
		return of_scram(token, out, out_size);
	case KP_SASL_OAUTHBEARER:
		return of_bearer(token, out, out_size);
	case KP_SASL_OTHER:
		break;
	}
	return true;
}

bool
kp_principal_of_token(enum kp_sasl_mechanism mechanism, struct kp_bytes token,
    char *out, size_t out_size, struct kp_error *err)
{
	out[0] = '\0';
	if (token.len == 0 || of_token(mechanism, token, out, out_size))
		return true;
	out[0] = '\0';
	return kp_error_set(err, KP_ERR_PROTOCOL,
	    "whoever logs in has a name of more than %zu bytes, or with a zero "
	    "in it",
	    out_size - 1);
}
