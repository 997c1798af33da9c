/* SPDX-License-Identifier: Apache-2.0 */
#include "control/server/roles.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "control/server/catalog.h"
#include "control/server/rates.h"

#define HEAD \
	"listen: [\"127.0.0.1:1\"]\nstore: {sqlite: x}\n" \
	"tls: {ca: a, certificate: b, key: c}\nroles:\n"
#define DOCUMENT(labels_) \
	"apiVersion: kproxy/v1\nkind: Cluster\nmetadata:\n  name: a\n" labels_
#define ORDERS "  labels:\n    team: orders\n"

static struct kp_roles *
roles_of(const char *list)
{
	struct kp_diagnostics diagnostics = { 0 };
	struct kp_server_config config;
	struct kp_roles *roles;
	char *text;

	cr_assert(asprintf(&text, HEAD "%s", list) > 0);
	cr_assert(kp_server_config_parse(
	    &config, "s.yaml", kp_bytes_of(text), &diagnostics));
	roles = kp_roles_new(&config.roles, config.num_roles);
	config.num_roles = 0;
	kp_server_config_fini(&config);
	free(text);
	return roles;
}

static struct kp_rpc_peer
peer_of(const char *common_name, const char *name)
{
	struct kp_rpc_peer peer = { .common_name = kp_strdup(common_name) };

	if (name != NULL)
		peer.names[peer.num_names++] = kp_strdup(name);
	return peer;
}

static void
peer_fini(struct kp_rpc_peer *peer)
{
	free(peer->common_name);
	free(peer->names[0]);
}

Test(roles, names_are_matched_whole_or_by_their_beginning)
{
	static const struct {
		const char *common_name, *name;
		enum kp_role role;
		bool has;
		const char *identity;
	} cases[] = {
		{ "alice", NULL, KP_ROLE_ADMIN, true, "CN:alice" },
		{ "alice", NULL, KP_ROLE_VIEWER, true, "CN:alice" },
		{ "alice", NULL, KP_ROLE_NODE, false, "CN:alice" },
		{ "alicex", NULL, KP_ROLE_VIEWER, false, "CN:alicex" },
		{ "alic", NULL, KP_ROLE_VIEWER, false, "CN:alic" },
		{ "", "DNS:edge-1", KP_ROLE_NODE, true, "DNS:edge-1" },
		{ "alice", "DNS:edge-1", KP_ROLE_NODE, true, "DNS:edge-1" },
		{ "", "DNS:edge-1", KP_ROLE_VIEWER, false, "DNS:edge-1" },
		{ "DNS:edge-1", NULL, KP_ROLE_NODE, false, "CN:DNS:edge-1" },
		{ "", "DNS:edg", KP_ROLE_NODE, false, "DNS:edg" },
		{ "", "URI:DNS:edge-1", KP_ROLE_NODE, false, "URI:DNS:edge-1" },
		{ "", "email:a@b", KP_ROLE_EDITOR, true, "email:a@b" },
		{ "", "email:a@b", KP_ROLE_ADMIN, false, "email:a@b" },
		{ "bob", NULL, KP_ROLE_ANYBODY, true, "CN:bob" },
	};
	struct kp_roles *roles =
	    roles_of("  - {role: admin, identities: [\"CN:alice\"]}\n"
		     "  - {role: editor, identities: [\"email:a@b\"]}\n"
		     "  - {role: node, identities: [\"DNS:edge-*\"]}\n");

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kp_rpc_peer peer =
		    peer_of(cases[i].common_name, cases[i].name);
		char identity[KP_IDENTITY_SIZE];

		cr_expect(kp_roles_has(roles, &peer, cases[i].role, identity) ==
			      cases[i].has,
		    "%zu", i);
		cr_expect(strcmp(identity, cases[i].identity) == 0, "%zu: %s",
		    i, identity);
		peer_fini(&peer);
	}
	kp_roles_unref(roles);
}

Test(roles, an_editor_needs_its_labels_before_and_after)
{
	static const struct {
		const char *kind, *before, *after;
		bool may;
	} cases[] = {
		{ "Cluster", NULL, DOCUMENT(ORDERS), true },
		{ "Cluster", NULL, DOCUMENT(""), false },
		{ "Cluster", DOCUMENT(ORDERS), NULL, true },
		{ "Cluster", DOCUMENT(""), NULL, false },
		{ "Cluster", DOCUMENT(""), DOCUMENT(ORDERS), false },
		{ "Cluster", DOCUMENT(ORDERS), DOCUMENT(""), false },
		{ "Cluster", DOCUMENT(ORDERS), DOCUMENT(ORDERS), true },
		{ "Listener", NULL, DOCUMENT(ORDERS), false },
		{ "Cluster", NULL, DOCUMENT("  labels: {team: x}\n"), false },
		{ "Cluster", NULL, "team: orders", false },
		{ "Cluster", NULL, "{", false },
	};
	struct kp_roles *roles =
	    roles_of("  - {role: editor, identities: [\"CN:e\"], kinds: "
		     "[Cluster], labels: {team: orders}}\n");
	struct kp_rpc_peer peer = peer_of("e", NULL),
			   other = peer_of("x", NULL);
	struct kp_error err;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kp_catalog_edit edit = { .id = { cases[i].kind, "a" } };

		if (cases[i].before != NULL)
			edit.before = kp_bytes_of(cases[i].before);
		if (cases[i].after != NULL)
			edit.after = kp_bytes_of(cases[i].after);
		cr_expect(kp_roles_may_edit(roles, &peer, &edit, &err) ==
			      cases[i].may,
		    "%zu", i);
		cr_expect(!kp_roles_may_edit(roles, &other, &edit, &err));
	}
	peer_fini(&peer);
	peer_fini(&other);
	kp_roles_unref(roles);
}

Test(rates, a_burst_and_then_a_rate_for_each)
{
	struct kp_rates *rates = kp_rates_new(10, 3, 100);

	for (int i = 0; i < 3; i++)
		cr_assert(kp_rates_take(rates, "a", 1000));
	cr_assert(!kp_rates_take(rates, "a", 1000));
	cr_assert(kp_rates_take(rates, "b", 1000));
	cr_assert(!kp_rates_take(rates, "a", 1099), "a token takes 100 ms");
	cr_assert(kp_rates_take(rates, "a", 1100));
	cr_assert(!kp_rates_take(rates, "a", 1100));
	/* no more than the burst, however long it was quiet */
	for (int i = 0; i < 3; i++)
		cr_assert(kp_rates_take(rates, "a", INT64_MAX / 4));
	cr_assert(!kp_rates_take(rates, "a", INT64_MAX / 4));
	kp_rates_free(rates);
}

Test(rates, more_identities_than_there_is_room_for_forget_the_quietest)
{
	struct kp_rates *rates = kp_rates_new(1, 1, 8);
	char name[16];

	for (int i = 0; i < 1000; i++) {
		(void)snprintf(name, sizeof(name), "%d", i);
		cr_assert(kp_rates_take(rates, name, 1000 + i));
	}
	cr_assert(!kp_rates_take(rates, "999", 2000), "the newest is known");
	cr_assert(kp_rates_take(rates, "0", 2000));
	kp_rates_free(rates);
}
