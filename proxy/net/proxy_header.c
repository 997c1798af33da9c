/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/net/proxy_header.h"

#include <arpa/inet.h>
#include <string.h>

/* Version 1: the longest line with its CR LF, and the shortest. */
#define V1_MAX 107u
#define V1_MIN 15u

/* Version 2: signature, version and command, family, length of the rest. */
#define SIGNATURE_LEN 12u
#define V2_FIXED 16u
#define V2_TCP4_LEN 12u
#define V2_TCP6_LEN 36u

static const uint8_t signature[SIGNATURE_LEN] = { 0x0d, 0x0a, 0x0d, 0x0a, 0x00,
	0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a };
static const char v1_start[] = "PROXY ";

static enum kp_proxy_result
fail(struct kp_error *err, const char *why)
{
	(void)kp_error_set(err, KP_ERR_PROTOCOL, "PROXY header: %s", why);
	return KP_PROXY_FAILED;
}

static enum kp_proxy_result
need(struct kp_proxy_header *out, size_t num_missing)
{
	out->num_missing = num_missing;
	return KP_PROXY_NEED_MORE;
}

static bool
starts_like(struct kp_bytes in, const void *start, size_t start_len)
{
	size_t len = in.len < start_len ? in.len : start_len;

	return memcmp(in.data, start, len) == 0;
}

/* The words of a line, taken off one by one. */
struct words {
	char *next; /* NULL when there are no more */
};

static char *
next_word(struct words *words)
{
	char *word = words->next, *space;

	if (word == NULL)
		return NULL;
	space = strchr(word, ' ');
	words->next = NULL;
	if (space != NULL) {
		*space = '\0';
		words->next = space + 1;
	}
	return word;
}

/* A port without sign, blanks or leading zeros. */
static bool
parse_port(const char *text, uint16_t *out)
{
	unsigned value = 0;

	if (text == NULL || text[0] == '\0' ||
	    (text[0] == '0' && text[1] != '\0'))
		return false;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return false;
		value = value * 10 + (unsigned)(*text - '0');
		if (value > UINT16_MAX)
			return false;
	}
	*out = (uint16_t)value;
	return true;
}

static bool
parse_endpoint(
    struct kp_address *out, int family, const char *host, const char *port_text)
{
	uint16_t port;

	return host != NULL && parse_port(port_text, &port) &&
	       kp_address_parse(out, host, port) &&
	       out->sa.any.sa_family == family;
}

/* line is what follows "PROXY ", without CR LF, NUL-terminated. */
static enum kp_proxy_result
parse_v1_line(struct kp_proxy_header *out, char *line, struct kp_error *err)
{
	struct words words = { line };
	const char *protocol = next_word(&words);
	const char *source, *destination, *source_port, *destination_port;
	struct kp_address ignored;
	int family = AF_INET;

	if (strcmp(protocol, "UNKNOWN") == 0)
		return KP_PROXY_DONE;
	if (strcmp(protocol, "TCP6") == 0)
		family = AF_INET6;
	else if (strcmp(protocol, "TCP4") != 0)
		return fail(err, "protocol is not TCP4, TCP6 or UNKNOWN");
	source = next_word(&words);
	destination = next_word(&words);
	source_port = next_word(&words);
	destination_port = next_word(&words);
	if (words.next != NULL ||
	    !parse_endpoint(&out->source, family, source, source_port) ||
	    !parse_endpoint(&ignored, family, destination, destination_port))
		return fail(err, "malformed addresses");
	kp_address_unmap(&out->source);
	out->has_source = true;
	return KP_PROXY_DONE;
}

/* Where CR LF begins; in.len if it is not there yet; false: not a line. */
static bool
find_line_end(struct kp_bytes in, size_t *out)
{
	for (size_t i = 0; i < in.len && i < V1_MAX; i++) {
		*out = i;
		if (in.data[i] == '\n' || in.data[i] == '\0')
			return false;
		if (in.data[i] == '\r' && i + 1 < in.len)
			return i + 1 < V1_MAX && in.data[i + 1] == '\n';
	}
	*out = in.len;
	return in.len < V1_MAX;
}

static enum kp_proxy_result
parse_v1(struct kp_proxy_header *out, struct kp_bytes in, struct kp_error *err)
{
	const size_t start_len = sizeof(v1_start) - 1;
	char line[V1_MAX];
	size_t end;

	if (!starts_like(in, v1_start, start_len))
		return fail(err, "not there");
	if (!find_line_end(in, &end))
		return fail(err, "line does not end as it must");
	if (end == in.len && in.len < V1_MIN)
		return need(out, V1_MIN - in.len);
	if (end == in.len)
		return need(out, in.data[in.len - 1] == '\r' ? 1 : 2);
	kp_copy(line, in.data + start_len, end - start_len);
	line[end - start_len] = '\0';
	out->used = end + 2;
	return parse_v1_line(out, line, err);
}

/* What follows the addresses: type, length of 2 bytes, value, and so on. */
static bool
are_tlvs_whole(struct kp_bytes tlvs)
{
	size_t pos = 0;

	while (tlvs.len - pos >= 3) {
		size_t len =
		    (size_t)tlvs.data[pos + 1] << 8 | tlvs.data[pos + 2];

		pos += 3;
		if (len > tlvs.len - pos)
			return false;
		pos += len;
	}
	return pos == tlvs.len;
}

static enum kp_proxy_result
parse_v2_addresses(struct kp_proxy_header *out, uint8_t family,
    struct kp_bytes rest, struct kp_error *err)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	size_t len = family == 0x11 ? V2_TCP4_LEN : V2_TCP6_LEN;

	if (family == 0x00)
		return KP_PROXY_DONE;
	if (family != 0x11 && family != 0x21)
		return fail(err, "connection is not TCP");
	if (rest.len < len)
		return fail(err, "addresses are cut short");
	if (!are_tlvs_whole(
		(struct kp_bytes){ rest.data + len, rest.len - len }))
		return fail(err, "malformed extension");
	out->has_source = true;
	if (family == 0x11) {
		kp_copy(&v4.sin_addr, rest.data, 4);
		kp_copy(&v4.sin_port, rest.data + 8, 2);
		out->source =
		    (struct kp_address){ .sa.v4 = v4, .len = sizeof(v4) };
		return KP_PROXY_DONE;
	}
	kp_copy(&v6.sin6_addr, rest.data, 16);
	kp_copy(&v6.sin6_port, rest.data + 32, 2);
	out->source = (struct kp_address){ .sa.v6 = v6, .len = sizeof(v6) };
	kp_address_unmap(&out->source);
	return KP_PROXY_DONE;
}

static enum kp_proxy_result
parse_v2(struct kp_proxy_header *out, struct kp_bytes in, struct kp_error *err)
{
	struct kp_bytes rest;

	if (!starts_like(in, signature, SIGNATURE_LEN))
		return fail(err, "not there");
	if (in.len < V2_FIXED)
		return need(out, V2_FIXED - in.len);
	if (in.data[12] != 0x20 && in.data[12] != 0x21)
		return fail(err, "unknown version or command");
	rest.data = in.data + V2_FIXED;
	rest.len = (size_t)in.data[14] << 8 | in.data[15];
	if (rest.len > KP_PROXY_HEADER_MAX - V2_FIXED)
		return fail(err, "too long");
	if (in.len - V2_FIXED < rest.len)
		return need(out, rest.len - (in.len - V2_FIXED));
	out->used = V2_FIXED + rest.len;
	if (in.data[12] == 0x20) /* LOCAL: a health check of the balancer */
		return KP_PROXY_DONE;
	return parse_v2_addresses(out, in.data[13], rest, err);
}

enum kp_proxy_result
kp_proxy_header_parse(
    struct kp_proxy_header *out, struct kp_bytes in, struct kp_error *err)
{
	*out = (struct kp_proxy_header){ 0 };
	if (in.len == 0)
		return need(out, V1_MIN);
	if (in.data[0] == signature[0])
		return parse_v2(out, in, err);
	return parse_v1(out, in, err);
}
