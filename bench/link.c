/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/text.h"

#define DISCARD_LEN ((size_t)64 * 1024)
#define HOST "127.0.0.1" /* whom certificates are for */

static bool
tls_error(struct kp_error *err, const char *what)
{
	uint32_t code = ERR_get_error();
	const char *reason = ERR_reason_error_string(code);

	ERR_clear_error();
	return kp_error_set(err, KP_ERR_TLS, "%s: %s", what,
	    reason != NULL ? reason : "closed");
}

/* What every peer can do: TLS 1.3, AES-256-GCM, X25519, ECDSA with P-256. */
static bool
narrow(SSL_CTX *ctx)
{
	static const uint16_t group = SSL_GROUP_X25519;
	static const uint16_t signature = SSL_SIGN_ECDSA_SECP256R1_SHA256;

	return SSL_CTX_set_compliance_policy(
		   ctx, ssl_compliance_policy_wpa3_192_202304) == 1 &&
	       SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) == 1 &&
	       SSL_CTX_set1_group_ids(ctx, &group, 1) == 1 &&
	       SSL_CTX_set_verify_algorithm_prefs(ctx, &signature, 1) == 1;
}

struct kp_link_tls *
kp_link_tls_new(const char *ca, struct kp_error *err)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_method());

	if (ctx == NULL || !narrow(ctx)) {
		SSL_CTX_free(ctx);
		(void)tls_error(err, "could not prepare TLS");
		return NULL;
	}
	if (SSL_CTX_load_verify_locations(ctx, ca, NULL) != 1) {
		SSL_CTX_free(ctx);
		(void)tls_error(err, "could not read the CA");
		return NULL;
	}
	(void)SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
					SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	return (struct kp_link_tls *)ctx;
}

void
kp_link_tls_free(struct kp_link_tls *tls)
{
	SSL_CTX_free((SSL_CTX *)tls);
}

static bool
start_tls(struct kp_link *link, struct kp_link_tls *tls, struct kp_error *err)
{
	ERR_clear_error();
	link->ssl = SSL_new((SSL_CTX *)tls);
	if (link->ssl == NULL || SSL_set_fd(link->ssl, link->fd) != 1 ||
	    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(link->ssl), HOST) != 1)
		return tls_error(err, "could not start TLS");
	SSL_set_connect_state(link->ssl);
	return true;
}

bool
kp_link_open(struct kp_link *link, const struct sockaddr_in *address,
    struct kp_link_tls *tls, struct kp_error *err)
{
	static const int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return kp_error_sys(err, "could not make a socket");
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	*link = (struct kp_link){ .fd = fd, .is_open = true };
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) !=
		0 &&
	    errno != EINPROGRESS) {
		(void)kp_error_sys(err, "could not connect");
		kp_link_close(link);
		return false;
	}
	if (tls == NULL || start_tls(link, tls, err))
		return true;
	kp_link_close(link);
	return false;
}

void
kp_link_close(struct kp_link *link)
{
	if (!link->is_open)
		return;
	SSL_free(link->ssl);
	(void)close(link->fd);
	*link = (struct kp_link){ .fd = -1 };
}

static enum kp_link_status
tls_status(struct kp_link *link, int result, struct kp_error *err)
{
	switch (SSL_get_error(link->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		return KP_LINK_AGAIN_READ;
	case SSL_ERROR_WANT_WRITE:
		return KP_LINK_AGAIN_WRITE;
	case SSL_ERROR_ZERO_RETURN:
		return KP_LINK_CLOSED;
	default:
		(void)tls_error(err, "TLS");
		return KP_LINK_FAILED;
	}
}

enum kp_link_status
kp_link_finish_open(struct kp_link *link, struct kp_error *err)
{
	socklen_t len = sizeof(errno);
	int result;

	if (!link->is_connected) {
		if (getsockopt(link->fd, SOL_SOCKET, SO_ERROR, &errno, &len) !=
			0 ||
		    errno != 0) {
			(void)kp_error_sys(err, "could not connect");
			return KP_LINK_FAILED;
		}
		link->is_connected = true;
	}
	if (link->ssl == NULL)
		return KP_LINK_OK;
	ERR_clear_error();
	result = SSL_do_handshake(link->ssl);
	return result == 1 ? KP_LINK_OK : tls_status(link, result, err);
}

static enum kp_link_status
read_plain(struct kp_link *link, uint8_t *out, size_t max_len, size_t *out_len,
    struct kp_error *err)
{
	int flags = MSG_DONTWAIT | (out == NULL ? MSG_TRUNC : 0);
	ssize_t n = recv(link->fd, out, max_len, flags);

	if (n > 0) {
		*out_len = (size_t)n;
		return KP_LINK_OK;
	}
	if (n == 0)
		return KP_LINK_CLOSED;
	if (errno == EAGAIN || errno == EINTR)
		return KP_LINK_AGAIN_READ;
	(void)kp_error_sys(err, "could not read");
	return KP_LINK_FAILED;
}

enum kp_link_status
kp_link_read(struct kp_link *link, uint8_t *out, size_t max_len,
    size_t *out_len, struct kp_error *err)
{
	int n;

	*out_len = 0;
	if (link->ssl == NULL)
		return read_plain(link, out, max_len, out_len, err);
	ERR_clear_error();
	n = SSL_read(
	    link->ssl, out, max_len < INT_MAX ? (int)max_len : INT_MAX);
	if (n <= 0)
		return tls_status(link, n, err);
	*out_len = (size_t)n;
	return KP_LINK_OK;
}

enum kp_link_status
kp_link_discard(
    struct kp_link *link, size_t max_len, size_t *out_len, struct kp_error *err)
{
	static uint8_t scratch[DISCARD_LEN];

	*out_len = 0;
	if (link->ssl == NULL)
		return read_plain(link, NULL,
		    max_len < INT_MAX ? max_len : INT_MAX, out_len, err);
	return kp_link_read(link, scratch,
	    max_len < sizeof(scratch) ? max_len : sizeof(scratch), out_len,
	    err);
}

enum kp_link_status
kp_link_write(struct kp_link *link, struct kp_bytes bytes, size_t *out_len,
    struct kp_error *err)
{
	ssize_t n;

	*out_len = 0;
	if (link->ssl != NULL) {
		ERR_clear_error();
		n = SSL_write(link->ssl, bytes.data,
		    bytes.len < INT_MAX ? (int)bytes.len : INT_MAX);
		if (n <= 0)
			return tls_status(link, (int)n, err);
	} else {
		n = send(link->fd, bytes.data, bytes.len,
		    MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return KP_LINK_AGAIN_WRITE;
		if (n < 0) {
			(void)kp_error_sys(err, "could not write");
			return KP_LINK_FAILED;
		}
	}
	*out_len = (size_t)n;
	return KP_LINK_OK;
}

const char *
kp_link_tls_version(const struct kp_link *link)
{
	return link->ssl != NULL ? SSL_get_version(link->ssl) : "";
}

const char *
kp_link_tls_cipher(const struct kp_link *link)
{
	return link->ssl != NULL
		   ? SSL_CIPHER_standard_name(SSL_get_current_cipher(link->ssl))
		   : "";
}

bool
kp_link_parse_address(
    struct sockaddr_in *out, const char *text, struct kp_error *err)
{
	char host[256];
	uint16_t port;

	*out = (struct sockaddr_in){ .sin_family = AF_INET };
	if (kp_parse_host_port(text, host, sizeof(host), &port) &&
	    inet_pton(AF_INET, host, &out->sin_addr) == 1) {
		out->sin_port = htons(port);
		return true;
	}
	return kp_error_set(err, KP_ERR_CONFIG,
	    "not an IPv4 address with a port: \"%s\"", text);
}
