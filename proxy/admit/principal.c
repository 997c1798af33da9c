/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/admit/principal.h"

/* A token larger than this is not looked into. */
#define MAX_CLAIMS_LEN 4096

static void
copy_name(const uint8_t *name, size_t len, char *out, size_t out_size)
{
	if (len >= out_size)
		len = out_size - 1;
	kp_copy(out, name, len);
	out[len] = '\0';
}

/* authzid NUL authcid NUL password */
static void
of_plain(struct kp_bytes token, char *out, size_t out_size)
{
	const uint8_t *end = token.data + token.len;
	const uint8_t *name = memchr(token.data, '\0', token.len);
	const uint8_t *name_end;

	if (name == NULL)
		return;
	name++;
	name_end = memchr(name, '\0', (size_t)(end - name));
	if (name_end != NULL)
		copy_name(name, (size_t)(name_end - name), out, out_size);
}

/* gs2 header, then "n=NAME,r=…" with "=2C" for a comma and "=3D" for "=" */
static void
of_scram(struct kp_bytes token, char *out, size_t out_size)
{
	const uint8_t *end = token.data + token.len;
	const uint8_t *name = memmem(token.data, token.len, ",n=", 3);
	size_t len = 0;

	if (name == NULL)
		return;
	for (name += 3; name < end && *name != ',' && len + 1 < out_size;
	     name++) {
		char c = (char)*name;

		if (c == '=' && end - name > 2) {
			c = name[1] == '2' ? ',' : '=';
			name += 2;
		}
		out[len++] = c;
	}
	out[len] = '\0';
}

static int
base64url_value(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '-' || c == '+')
		return 62;
	if (c == '_' || c == '/')
		return 63;
	return -1;
}

/* Decodes up to the first byte that is not base64; returns the length. */
static size_t
decode_base64url(struct kp_bytes text, uint8_t *out, size_t out_size)
{
	uint32_t bits = 0;
	unsigned num_bits = 0;
	size_t len = 0;

	for (size_t i = 0; i < text.len && len < out_size; i++) {
		int value = base64url_value(text.data[i]);

		if (value < 0)
			break;
		bits = (bits << 6 | (uint32_t)value) & 0xffff;
		num_bits += 6;
		if (num_bits < 8)
			continue;
		num_bits -= 8;
		out[len++] = (uint8_t)(bits >> num_bits);
	}
	return len;
}

/* "auth=Bearer HEADER.CLAIMS.SIGNATURE": the claims' "sub":"…" */
static void
of_bearer(struct kp_bytes token, char *out, size_t out_size)
{
	static const char bearer[] = "auth=Bearer ", sub[] = "\"sub\"";
	uint8_t claims[MAX_CLAIMS_LEN / 4];
	const uint8_t *end = token.data + token.len, *at, *quote;
	size_t len;

	at = memmem(token.data, token.len, bearer, sizeof(bearer) - 1);
	if (at == NULL || token.len > MAX_CLAIMS_LEN)
		return;
	at = memchr(at, '.', (size_t)(end - at));
	if (at == NULL)
		return;
	at++;
	len = decode_base64url((struct kp_bytes){ at, (size_t)(end - at) },
	    claims, sizeof(claims));
	end = claims + len;
	at = memmem(claims, len, sub, sizeof(sub) - 1);
	if (at == NULL)
		return;
	at += sizeof(sub) - 1;
	while (at < end && (*at == ' ' || *at == ':'))
		at++;
	if (at == end || *at != '"')
		return;
	at++;
	quote = memchr(at, '"', (size_t)(end - at));
	if (quote != NULL)
		copy_name(at, (size_t)(quote - at), out, out_size);
}

void
kp_principal_of_token(enum kp_sasl_mechanism mechanism, struct kp_bytes token,
    char *out, size_t out_size)
{
	out[0] = '\0';
	if (token.len == 0)
		return;
	switch (mechanism) {
	case KP_SASL_PLAIN:
		of_plain(token, out, out_size);
		break;
	case KP_SASL_SCRAM:
		of_scram(token, out, out_size);
		break;
	case KP_SASL_OAUTHBEARER:
		of_bearer(token, out, out_size);
		break;
	case KP_SASL_OTHER:
		break;
	}
}
