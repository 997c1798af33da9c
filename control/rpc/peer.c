/* SPDX-License-Identifier: Apache-2.0 */
#include "control/rpc/peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <grpc/grpc_security.h>
#include <grpc/support/alloc.h>

#include "base/alloc.h"
#include "control/rpc/peer_priv.h"

static const struct {
	const char *property, *prefix;
} kinds[] = {
	{ GRPC_PEER_DNS_PROPERTY_NAME, "DNS:" },
	{ GRPC_PEER_URI_PROPERTY_NAME, "URI:" },
	{ GRPC_PEER_IP_PROPERTY_NAME, "IP:" },
	{ GRPC_PEER_EMAIL_PROPERTY_NAME, "email:" },
};
#define NUM_KINDS (sizeof(kinds) / sizeof(kinds[0]))

static bool
is_sound(const grpc_auth_property *property)
{
	return property->value_length > 0 &&
	       property->value_length <= KP_RPC_MAX_NAME_LEN &&
	       memchr(property->value, '\0', property->value_length) == NULL;
}

static char *
join(const char *prefix, const grpc_auth_property *property)
{
	char text[16 + KP_RPC_MAX_NAME_LEN];

	(void)snprintf(text, sizeof(text), "%s%.*s", prefix,
	    (int)property->value_length, property->value);
	return kp_strdup(text);
}

static bool
take_names(
    struct kp_rpc_peer *out, const grpc_auth_context *context, size_t kind)
{
	grpc_auth_property_iterator all =
	    grpc_auth_context_find_properties_by_name(
		context, kinds[kind].property);
	const grpc_auth_property *property;

	while ((property = grpc_auth_property_iterator_next(&all)) != NULL) {
		if (!is_sound(property) || out->num_names == KP_RPC_MAX_NAMES)
			return false;
		out->names[out->num_names++] =
		    join(kinds[kind].prefix, property);
	}
	return true;
}

static bool
take_common_name(struct kp_rpc_peer *out, const grpc_auth_context *context)
{
	grpc_auth_property_iterator all =
	    grpc_auth_context_find_properties_by_name(
		context, GRPC_X509_CN_PROPERTY_NAME);
	const grpc_auth_property *property =
	    grpc_auth_property_iterator_next(&all);

	if (property == NULL || property->value_length == 0) {
		out->common_name = kp_strdup("");
		return true;
	}
	if (!is_sound(property))
		return false;
	out->common_name = join("", property);
	return true;
}

static bool
take_identity(struct kp_rpc_peer *out, const grpc_auth_context *context)
{
	if (grpc_auth_context_peer_is_authenticated(context) == 0 ||
	    !take_common_name(out, context))
		return false;
	for (size_t i = 0; i < NUM_KINDS; i++) {
		if (!take_names(out, context, i))
			return false;
	}
	return out->common_name[0] != '\0' || out->num_names > 0;
}

bool
kp_rpc_peer_init(struct kp_rpc_peer *out, grpc_call *call)
{
	grpc_auth_context *context = grpc_call_auth_context(call);
	char *address = grpc_call_get_peer(call);
	bool is_known;

	*out = (struct kp_rpc_peer){ .address = kp_strdup(address) };
	gpr_free(address);
	is_known = context != NULL && take_identity(out, context);
	grpc_auth_context_release(context);
	return is_known;
}

void
kp_rpc_peer_fini(struct kp_rpc_peer *peer)
{
	free(peer->address);
	free(peer->common_name);
	for (size_t i = 0; i < peer->num_names; i++)
		free(peer->names[i]);
	*peer = (struct kp_rpc_peer){ .address = NULL };
}

bool
kp_rpc_peer_has_name(const struct kp_rpc_peer *peer, const char *name)
{
	for (size_t i = 0; i < peer->num_names; i++) {
		if (strcmp(peer->names[i], name) == 0)
			return true;
	}
	return false;
}
