/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/admit/sasl.h"

#include <stdio.h>

#include "proto/kafka/walker.h"
#include "proxy/admit/principal.h"

/* What the fields of interest of one message were. */
struct found {
	struct kp_bytes bytes; /* mechanism or token */
	int64_t error_code;
};

static enum kp_verdict
note(void *context, const struct kp_visit *visit, struct kp_replacement *out,
    struct kp_error *err)
{
	struct found *found = context;

	(void)out;
	(void)err;
	if (visit->kind != KP_VISIT_VALUE)
		return KP_KEEP;
	if (visit->field->entity == KP_E_ERROR_CODE)
		found->error_code = visit->number;
	else
		found->bytes = (struct kp_bytes){ visit->data, visit->len };
	return KP_KEEP;
}

static bool
look_at(struct found *found, const struct kp_message *message, int16_t version,
    uint64_t interest, struct kp_bytes body, struct kp_error *err)
{
	const struct kp_visitor visitor = {
		.interest = interest,
		.visit = note,
		.context = found,
	};

	*found = (struct found){ .error_code = 0 };
	return kp_walk_whole(message, version, body, &visitor, NULL, err);
}

bool
kp_sasl_is_pending(const struct kp_sasl *sasl)
{
	return sasl->phase != KP_SASL_NONE && sasl->phase != KP_SASL_DONE;
}

static enum kp_sasl_mechanism
mechanism_of(struct kp_bytes name)
{
	if (kp_bytes_equal(name, kp_bytes_of("PLAIN")))
		return KP_SASL_PLAIN;
	if (kp_bytes_equal(name, kp_bytes_of("OAUTHBEARER")))
		return KP_SASL_OAUTHBEARER;
	if (name.len > 6 && memcmp(name.data, "SCRAM-", 6) == 0)
		return KP_SASL_SCRAM;
	return KP_SASL_OTHER;
}

bool
kp_sasl_on_handshake(struct kp_sasl *sasl, int16_t version,
    struct kp_bytes body, struct kp_error *err)
{
	struct found found;

	if (!look_at(&found, kp_api_find(KP_SASL_HANDSHAKE)->request, version,
		KP_ENTITY_BIT(KP_E_SASL_MECHANISM), body, err))
		return false;
	sasl->phase = KP_SASL_ASKED;
	sasl->is_bare = version == 0;
	sasl->num_tokens = 0;
	sasl->mechanism = mechanism_of(found.bytes);
	(void)snprintf(sasl->mechanism_name, sizeof(sasl->mechanism_name),
	    "%.*s", (int)(found.bytes.len < 31 ? found.bytes.len : 31),
	    found.bytes.data == NULL ? "" : (const char *)found.bytes.data);
	return true;
}

bool
kp_sasl_on_handshake_answer(struct kp_sasl *sasl, int16_t version,
    struct kp_bytes body, struct kp_error *err)
{
	struct found found;

	if (!look_at(&found, kp_api_find(KP_SASL_HANDSHAKE)->response, version,
		KP_ENTITY_BIT(KP_E_ERROR_CODE), body, err))
		return false;
	if (found.error_code != 0)
		sasl->phase = KP_SASL_NONE;
	else
		sasl->phase = sasl->is_bare ? KP_SASL_TOKENS : KP_SASL_REQUESTS;
	return true;
}

bool
kp_sasl_on_token(
    struct kp_sasl *sasl, struct kp_bytes token, struct kp_error *err)
{
	return sasl->num_tokens++ > 0 ||
	       kp_principal_of_token(sasl->mechanism, token, sasl->principal,
		   sizeof(sasl->principal), err);
}

bool
kp_sasl_on_authenticate(struct kp_sasl *sasl, int16_t version,
    struct kp_bytes body, struct kp_error *err)
{
	struct found found;

	if (!look_at(&found, kp_api_find(KP_SASL_AUTHENTICATE)->request,
		version, KP_ENTITY_BIT(KP_E_SASL_BYTES), body, err))
		return false;
	return kp_sasl_on_token(sasl, found.bytes, err);
}

/* How many tokens the client sends; 0 if the mechanism does not say. */
static unsigned
tokens_of(enum kp_sasl_mechanism mechanism)
{
	switch (mechanism) {
	case KP_SASL_PLAIN:
	case KP_SASL_OAUTHBEARER:
		return 1;
	case KP_SASL_SCRAM:
		return 2;
	case KP_SASL_OTHER:
		break;
	}
	return 0;
}

bool
kp_sasl_on_authenticate_answer(struct kp_sasl *sasl, int16_t version,
    struct kp_bytes body, struct kp_error *err)
{
	struct found found;

	if (!look_at(&found, kp_api_find(KP_SASL_AUTHENTICATE)->response,
		version, KP_ENTITY_BIT(KP_E_ERROR_CODE), body, err))
		return false;
	if (found.error_code != 0)
		sasl->phase = KP_SASL_NONE;
	else if (sasl->phase == KP_SASL_REQUESTS &&
		 sasl->num_tokens >= tokens_of(sasl->mechanism))
		sasl->phase = KP_SASL_DONE;
	return true;
}

bool
kp_sasl_is_token(
    const struct kp_sasl *sasl, struct kp_bytes frame_start, size_t frame_len)
{
	unsigned tokens = tokens_of(sasl->mechanism);
	struct kp_request_header header;
	struct kp_error err;

	if (tokens > 0 && sasl->num_tokens < tokens)
		return true;
	/* KIP-255: a client ends a refused OAUTHBEARER exchange with one byte
	 */
	if (frame_len < 8)
		return true;
	if (tokens > 0)
		return false;
	return kp_request_header_read(&header, frame_start.data,
		   frame_start.len, frame_len, &err) != KP_HEADER_OK;
}

void
kp_sasl_on_token_answer(struct kp_sasl *sasl)
{
	unsigned tokens = tokens_of(sasl->mechanism);

	if (sasl->phase == KP_SASL_TOKENS && tokens > 0 &&
	    sasl->num_tokens >= tokens)
		sasl->phase = KP_SASL_DONE;
}

void
kp_sasl_on_token_end(struct kp_sasl *sasl)
{
	sasl->phase = KP_SASL_DONE;
}
