/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Follows a SASL exchange between client and broker without taking part in it:
 * after SaslHandshake v0 bare tokens follow that are no Kafka requests
 * (KIP-43), after v1 they come inside SaslAuthenticate (KIP-152); a client may
 * authenticate again in the middle of its stream (KIP-368). Where the mechanism
 * shows who the client is, that is noted for policies and the log. @thread
 * connection
 */
#ifndef KP_PROXY_ADMIT_SASL_H
#define KP_PROXY_ADMIT_SASL_H

#include "base/bytes.h"
#include "proto/kafka/header.h"

#define KP_PRINCIPAL_MAX 255

enum kp_sasl_phase {
	KP_SASL_NONE,     /* no handshake so far */
	KP_SASL_ASKED,    /* handshake sent, not answered */
	KP_SASL_TOKENS,   /* v0: bare tokens */
	KP_SASL_REQUESTS, /* v1: SaslAuthenticate requests */
	KP_SASL_DONE,
};

enum kp_sasl_mechanism {
	KP_SASL_OTHER, /* its tokens are opaque to us */
	KP_SASL_PLAIN,
	KP_SASL_SCRAM,
	KP_SASL_OAUTHBEARER,
};

struct kp_sasl {
	enum kp_sasl_phase phase;
	enum kp_sasl_mechanism mechanism;
	char mechanism_name[32];
	bool is_bare;        /* the handshake was v0 */
	unsigned num_tokens; /* from the client, in this exchange */
	/* Claimed by the client; true once the phase is KP_SASL_DONE. */
	char principal[KP_PRINCIPAL_MAX + 1];
};

/* kp_sasl_is_pending: an exchange has begun and has not succeeded. */
bool kp_sasl_is_pending(const struct kp_sasl *sasl);

/* kp_sasl_on_handshake notes a SaslHandshake request with that body. */
bool kp_sasl_on_handshake(struct kp_sasl *sasl, int16_t version,
    struct kp_bytes body, struct kp_error *err) KP_MUST_CHECK;
/* … and the broker's answer to it. */
bool kp_sasl_on_handshake_answer(struct kp_sasl *sasl, int16_t version,
    struct kp_bytes body, struct kp_error *err) KP_MUST_CHECK;

/* kp_sasl_on_authenticate notes a SaslAuthenticate request with that body. */
bool kp_sasl_on_authenticate(struct kp_sasl *sasl, int16_t version,
    struct kp_bytes body, struct kp_error *err) KP_MUST_CHECK;
/* … and the answer: the phase becomes KP_SASL_DONE when it was the last. */
bool kp_sasl_on_authenticate_answer(struct kp_sasl *sasl, int16_t version,
    struct kp_bytes body, struct kp_error *err) KP_MUST_CHECK;

/*
 * kp_sasl_is_token tells, in phase KP_SASL_TOKENS, whether the client's next
 * frame is a bare token. GSSAPI does not say how many tokens there are, so a
 * frame that reads as a request the tables know ends the exchange.
 */
bool kp_sasl_is_token(
    const struct kp_sasl *sasl, struct kp_bytes frame_start, size_t frame_len);

/* kp_sasl_on_token notes a bare token of the client. */
bool kp_sasl_on_token(struct kp_sasl *sasl, struct kp_bytes token,
    struct kp_error *err) KP_MUST_CHECK;

/* kp_sasl_on_token_answer notes that the broker answered with a bare token. */
void kp_sasl_on_token_answer(struct kp_sasl *sasl);

/* kp_sasl_on_token_end: a request came where a token could have come. */
void kp_sasl_on_token_end(struct kp_sasl *sasl);

#endif
