/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/rename/scrub.h"

#include <ctype.h>
#include <stdio.h>

/* An address found in a text, and what stands there for clients. */
struct match {
	struct kp_bytes text; /* where to look */
	size_t from;          /* no match may begin before */
	const struct kp_scrub *scrub;

	size_t begin, len; /* the earliest and longest match; len 0: none */
	bool has_port;
	int32_t id;
};

static bool
is_host_byte(uint8_t c)
{
	return isalnum(c) != 0 || c == '-' || c == '.' || c == '_';
}

/* Not the middle of a longer name: "kafka-1" does not match "kafka-10". */
static bool
is_whole_word(struct kp_bytes text, size_t begin, size_t end)
{
	if (begin > 0 && is_host_byte(text.data[begin - 1]))
		return false;
	if (end == text.len || !is_host_byte(text.data[end]))
		return true;
	/* a full stop may end the sentence */
	return text.data[end] == '.' &&
	       (end + 1 == text.len || !is_host_byte(text.data[end + 1]));
}

static size_t
port_len_at(struct kp_bytes text, size_t at, uint16_t port)
{
	char suffix[8];
	size_t len = (size_t)snprintf(suffix, sizeof(suffix), ":%u", port);

	if (text.len - at < len || memcmp(text.data + at, suffix, len) != 0 ||
	    (at + len < text.len && isdigit(text.data[at + len]) != 0))
		return 0;
	return len;
}

static void
look_for_node(void *context, const struct kp_node *node)
{
	struct match *match = context;
	size_t host_len = strlen(node->host);
	size_t from = match->from;

	while (host_len > 0 && from + host_len <= match->text.len) {
		const uint8_t *found = memmem(match->text.data + from,
		    match->text.len - from, node->host, host_len);
		size_t begin, port_len;

		if (found == NULL)
			return;
		begin = (size_t)(found - match->text.data);
		from = begin + 1;
		if (!is_whole_word(match->text, begin, begin + host_len))
			continue;
		port_len =
		    port_len_at(match->text, begin + host_len, node->port);
		if (match->len > 0 &&
		    (begin > match->begin ||
			(begin == match->begin &&
			    host_len + port_len <= match->len)))
			return;
		match->begin = begin;
		match->len = host_len + port_len;
		match->has_port = port_len > 0;
		match->id = node->id;
		return;
	}
}

static bool
next_match(struct match *match, size_t from)
{
	match->from = from;
	match->len = 0;
	kp_topology_nodes(match->scrub->topology, look_for_node, match);
	return match->len > 0;
}

static void
add_view(const struct match *match, struct kp_buf *out)
{
	struct kp_node view;

	if (!kp_view_of_node(match->scrub->listener, match->id, &view))
		kp_view_of_bootstrap(match->scrub->listener, &view);
	kp_buf_add_text(out, view.host);
	if (match->has_port)
		kp_buf_printf(out, ":%u", view.port);
}

bool
kp_scrub_text(
    const struct kp_scrub *scrub, struct kp_bytes text, struct kp_buf *out)
{
	struct match match = { .text = text, .scrub = scrub };
	size_t done = 0;

	if (match.text.len > KP_SCRUB_MAX_TEXT)
		match.text.len = KP_SCRUB_MAX_TEXT;
	while (next_match(&match, done)) {
		kp_buf_add(out, text.data + done, match.begin - done);
		add_view(&match, out);
		done = match.begin + match.len;
	}
	if (done == 0 && match.text.len == text.len)
		return false;
	kp_buf_add(out, text.data + done, match.text.len - done);
	return true;
}

bool
kp_scrub_in_place(const struct kp_scrub *scrub, uint8_t *text, size_t len)
{
	struct match match = { .text = { text, len }, .scrub = scrub };
	size_t done = 0;

	while (next_match(&match, done)) {
		done = match.begin + match.len;
		for (size_t i = match.begin; i < done; i++)
			text[i] = '*';
	}
	return done > 0;
}

bool
kp_scrub_is_address_config(struct kp_bytes name)
{
	static const char *const names[] = { "advertised.listeners",
		"listeners", "controller.quorum.voters",
		"controller.quorum.bootstrap.servers", "zookeeper.connect",
		"host.name", "advertised.host.name", "advertised.port",
		"port" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (kp_bytes_equal(name, kp_bytes_of(names[i])))
			return true;
	}
	return false;
}

/* Writes one "NAME://…" element with the view's address. */
static void
add_listener(
    const struct kp_node *view, struct kp_bytes element, struct kp_buf *out)
{
	const uint8_t *scheme_end = memmem(element.data, element.len, "://", 3);

	if (scheme_end == NULL)
		return;
	if (out->len > 0)
		kp_buf_add_text(out, ",");
	kp_buf_add(out, element.data, (size_t)(scheme_end - element.data));
	kp_buf_printf(out, "://%s:%u", view->host, view->port);
}

void
kp_scrub_listeners(const struct kp_scrub *scrub, int32_t id,
    struct kp_bytes value, struct kp_buf *out)
{
	struct kp_node view;
	size_t begin = 0;

	if (!kp_view_of_node(scrub->listener, id, &view))
		return;
	while (begin < value.len) {
		const uint8_t *comma =
		    memchr(value.data + begin, ',', value.len - begin);
		size_t end =
		    comma == NULL ? value.len : (size_t)(comma - value.data);
		struct kp_bytes element = { value.data + begin, end - begin };

		add_listener(&view, element, out);
		begin = end + 1;
	}
}
