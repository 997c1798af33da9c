/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Session tickets: name of the key, nonce, sealed session. AES-256-GCM-SIV,
 * because nonces are random and a ticket key lives for hours.
 */
#include "proxy/net/tls_priv.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/aead.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/mem.h>
#include <openssl/rand.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/mutex.h"

#define NAME_LEN 16u
#define NONCE_LEN 12u
#define KEY_LEN 32u
#define HEAD_LEN (NAME_LEN + NONCE_LEN)

struct key {
	int64_t made_ms; /* of kp_now_ms */
	uint8_t name[NAME_LEN];
	uint8_t secret[KEY_LEN];
};

struct kp_tls_tickets {
	atomic_uint refs;
	struct kp_mutex lock; /* guards the keys */
	struct key current;
	struct key previous;
};

void
kp_tls_prepare(void)
{
	CRYPTO_pre_sandbox_init();
}

static void
make_key(struct key *key)
{
	key->made_ms = kp_now_ms();
	kp_assert(RAND_bytes(key->name, sizeof(key->name)) == 1);
	kp_assert(RAND_bytes(key->secret, sizeof(key->secret)) == 1);
}

static void
rotate_locked(struct kp_tls_tickets *tickets)
{
	kp_mutex_assert_held(&tickets->lock);
	tickets->previous = tickets->current;
	make_key(&tickets->current);
}

/* A key that nobody used for long is too old to be the one before. */
static void
refresh_locked(struct kp_tls_tickets *tickets)
{
	int64_t age_ms = kp_now_ms() - tickets->current.made_ms;

	if (age_ms >= KP_TLS_TICKET_KEY_MS)
		rotate_locked(tickets);
	if (age_ms >= 2 * KP_TLS_TICKET_KEY_MS)
		make_key(&tickets->previous);
}

struct kp_tls_tickets *
kp_tls_tickets_new(void)
{
	struct kp_tls_tickets *tickets = kp_alloc(1, sizeof(*tickets));

	atomic_init(&tickets->refs, 1);
	kp_mutex_init(&tickets->lock, KP_RANK_POOL);
	make_key(&tickets->current);
	make_key(&tickets->previous);
	return tickets;
}

struct kp_tls_tickets *
kp_tls_tickets_ref(struct kp_tls_tickets *tickets)
{
	atomic_fetch_add_explicit(&tickets->refs, 1, memory_order_relaxed);
	return tickets;
}

void
kp_tls_tickets_unref(struct kp_tls_tickets *tickets)
{
	if (tickets == NULL || atomic_fetch_sub_explicit(&tickets->refs, 1,
				   memory_order_acq_rel) != 1)
		return;
	kp_mutex_fini(&tickets->lock);
	OPENSSL_cleanse(&tickets->current, sizeof(tickets->current));
	OPENSSL_cleanse(&tickets->previous, sizeof(tickets->previous));
	free(tickets);
}

void
kp_tls_tickets_rotate(struct kp_tls_tickets *tickets)
{
	kp_mutex_lock(&tickets->lock);
	rotate_locked(tickets);
	kp_mutex_unlock(&tickets->lock);
}

/* Cipher work happens on a copy of the key, outside the lock. */
static void
copy_current(struct kp_tls_tickets *tickets, struct key *out)
{
	kp_mutex_lock(&tickets->lock);
	refresh_locked(tickets);
	*out = tickets->current;
	kp_mutex_unlock(&tickets->lock);
}

static bool
copy_named(struct kp_tls_tickets *tickets, struct key *out,
    const uint8_t name[NAME_LEN])
{
	bool is_found = true;

	kp_mutex_lock(&tickets->lock);
	refresh_locked(tickets);
	if (memcmp(tickets->current.name, name, NAME_LEN) == 0)
		*out = tickets->current;
	else if (memcmp(tickets->previous.name, name, NAME_LEN) == 0)
		*out = tickets->previous;
	else
		is_found = false;
	kp_mutex_unlock(&tickets->lock);
	return is_found;
}

static void
aead_init(EVP_AEAD_CTX *aead, struct key *key)
{
	kp_assert(
	    EVP_AEAD_CTX_init(aead, EVP_aead_aes_256_gcm_siv(), key->secret,
		KEY_LEN, EVP_AEAD_DEFAULT_TAG_LENGTH, NULL) == 1);
	OPENSSL_cleanse(key, sizeof(*key));
}

size_t
kp_tls_tickets_overhead(void)
{
	return HEAD_LEN + EVP_AEAD_max_overhead(EVP_aead_aes_256_gcm_siv());
}

bool
kp_tls_tickets_seal(struct kp_tls_tickets *tickets, uint8_t *out,
    size_t *out_len, size_t max_len, struct kp_bytes in)
{
	uint8_t head[HEAD_LEN];
	EVP_AEAD_CTX aead;
	struct key key;
	bool is_sealed;

	if (max_len < HEAD_LEN)
		return false;
	copy_current(tickets, &key);
	kp_copy(head, key.name, NAME_LEN);
	aead_init(&aead, &key);
	/* in and out may be one buffer: move the session to its place first */
	if (in.len > max_len - HEAD_LEN) {
		EVP_AEAD_CTX_cleanup(&aead);
		return false;
	}
	kp_move(out + HEAD_LEN, in.data, in.len);
	kp_assert(RAND_bytes(head + NAME_LEN, NONCE_LEN) == 1);
	kp_copy(out, head, HEAD_LEN);
	is_sealed = EVP_AEAD_CTX_seal(&aead, out + HEAD_LEN, out_len,
			max_len - HEAD_LEN, out + NAME_LEN, NONCE_LEN,
			out + HEAD_LEN, in.len, out, NAME_LEN) == 1;
	EVP_AEAD_CTX_cleanup(&aead);
	*out_len += HEAD_LEN;
	return is_sealed;
}

bool
kp_tls_tickets_open(struct kp_tls_tickets *tickets, uint8_t *out,
    size_t *out_len, size_t max_len, struct kp_bytes in)
{
	uint8_t head[HEAD_LEN];
	EVP_AEAD_CTX aead;
	struct key key;
	bool is_open;

	if (in.len < HEAD_LEN || in.len - HEAD_LEN > max_len ||
	    !copy_named(tickets, &key, in.data))
		return false;
	kp_copy(head, in.data, HEAD_LEN);
	kp_move(out, in.data + HEAD_LEN, in.len - HEAD_LEN);
	aead_init(&aead, &key);
	is_open =
	    EVP_AEAD_CTX_open(&aead, out, out_len, max_len, head + NAME_LEN,
		NONCE_LEN, out, in.len - HEAD_LEN, head, NAME_LEN) == 1;
	EVP_AEAD_CTX_cleanup(&aead);
	ERR_clear_error();
	return is_open;
}
