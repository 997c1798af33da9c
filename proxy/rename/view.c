/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/rename/view.h"

#include <stdio.h>
#include <strings.h>

#include "base/text.h"

#define PLACEHOLDER "{node}"

static bool
ports_of_node(
    const struct kp_tables_listener *listener, int32_t id, struct kp_node *out)
{
	int64_t index = (int64_t)id - listener->first_node_id;

	if (index < 0 || index >= listener->num_ports)
		return false;
	out->port = (uint16_t)(listener->first_port + index);
	return snprintf(out->host, sizeof(out->host), "%s",
		   listener->advertised_host) < (int)sizeof(out->host);
}

static bool
sni_of_node(
    const struct kp_tables_listener *listener, int32_t id, struct kp_node *out)
{
	const char *at = strstr(listener->sni_broker, PLACEHOLDER);

	if (at == NULL)
		return false;
	out->port = listener->bootstrap_port;
	return snprintf(out->host, sizeof(out->host), "%.*s%d%s",
		   (int)(at - listener->sni_broker), listener->sni_broker, id,
		   at + strlen(PLACEHOLDER)) < (int)sizeof(out->host);
}

bool
kp_view_of_node(
    const struct kp_tables_listener *listener, int32_t id, struct kp_node *out)
{
	if (id < 0)
		return false;
	*out = (struct kp_node){ .id = id };
	if (listener->strategy == KP_LISTEN_PORTS)
		return ports_of_node(listener, id, out);
	return sni_of_node(listener, id, out);
}

void
kp_view_of_bootstrap(
    const struct kp_tables_listener *listener, struct kp_node *out)
{
	const char *host = listener->strategy == KP_LISTEN_PORTS
			       ? listener->advertised_host
			       : listener->sni_bootstrap;

	*out = (struct kp_node){ .id = KP_NO_NODE,
		.port = listener->bootstrap_port };
	(void)snprintf(out->host, sizeof(out->host), "%s", host);
}

bool
kp_view_node_of_port(
    const struct kp_tables_listener *listener, uint16_t port, int32_t *out_id)
{
	if (port == listener->bootstrap_port) {
		*out_id = KP_NO_NODE;
		return true;
	}
	if (listener->strategy != KP_LISTEN_PORTS ||
	    port < listener->first_port ||
	    port - listener->first_port >= listener->num_ports)
		return false;
	*out_id = listener->first_node_id + (port - listener->first_port);
	return true;
}

/* The digits between what stands before and after the placeholder. */
static bool
match_pattern(const char *pattern, const char *name, int32_t *out_id)
{
	const char *at = strstr(pattern, PLACEHOLDER);
	const char *after;
	size_t before_len, after_len, name_len = strlen(name);
	char digits[12] = { 0 };
	int64_t id;

	if (at == NULL)
		return false;
	before_len = (size_t)(at - pattern);
	after = at + strlen(PLACEHOLDER);
	after_len = strlen(after);
	if (name_len <= before_len + after_len ||
	    name_len - before_len - after_len >= sizeof(digits) ||
	    strncasecmp(name, pattern, before_len) != 0 ||
	    strcasecmp(name + name_len - after_len, after) != 0)
		return false;
	kp_copy(digits, name + before_len, name_len - before_len - after_len);
	if (!kp_parse_int(digits, &id) || id < 0 || id > INT32_MAX)
		return false;
	*out_id = (int32_t)id;
	return true;
}

bool
kp_view_node_of_name(const struct kp_tables_listener *listener,
    const char *name, int32_t *out_id)
{
	if (strcasecmp(name, listener->sni_bootstrap) == 0) {
		*out_id = KP_NO_NODE;
		return true;
	}
	return match_pattern(listener->sni_broker, name, out_id);
}
