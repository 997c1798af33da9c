/* SPDX-License-Identifier: Apache-2.0 */
/* kpctl version */
#include <stdio.h>
#include <string.h>

#include "base/yaml_tree.h"
#include "cli/connection.h"
#include "cli/escape.h"
#include "cli/output.h"
#include "cli/run.h"
#include "cli/view.h"
#include "proto/control/unpack.h"
#include "rules/resource.h"

/* What a server says about itself: borrowed from its answer. */
struct server {
	struct kp_connection connection;
	ProtobufCMessage *answer;
	const char *version; /* "": it does not say */
	uint64_t revision;
};

/* The shortest list there is says both. */
static enum kp_exit
ask(struct server *server, const struct kp_args *args)
{
	Kproxy__Control__V1__ListNodesRequest request;
	const Kproxy__Control__V1__ListNodesResponse *answer;
	enum kp_exit result = kp_connection_open(&server->connection, args);

	if (result != KP_EXIT_OK)
		return result;
	kproxy__control__v1__list_nodes_request__init(&request);
	request.is_brief = true;
	request.page_size = 1;
	result = kp_connection_call(&server->connection, &kp_api_list_nodes,
	    &server->answer, &request.base);
	if (result != KP_EXIT_OK)
		return result;
	answer = (const Kproxy__Control__V1__ListNodesResponse *)server->answer;
	server->version = answer->version;
	server->revision = answer->revision;
	return result;
}

static void
add_text(struct kp_buf *out, const struct server *server)
{
	kp_buf_add_text(out, "kpctl " KP_VERSION "\n");
	if (server->answer == NULL)
		return;
	kp_buf_add_text(out, "kpserver ");
	kp_escape_add(out, server->version[0] != '\0' ? server->version
						      : "of an unknown "
							"version");
	kp_buf_printf(out, " at %s\n", server->connection.address);
}

static void
add_tree(
    struct kp_buf *out, const struct kp_args *args, const struct server *server)
{
	struct kp_yaml *root = kp_yaml_new_map(), *map;

	map = kp_yaml_put(root, "client", kp_yaml_new_map());
	kp_yaml_put(map, "version", kp_yaml_new_text(KP_VERSION));
	kp_yaml_put(
	    map, "apiVersion", kp_yaml_new_text(KP_RESOURCE_API_VERSION));
	if (server->answer != NULL) {
		map = kp_yaml_put(root, "server", kp_yaml_new_map());
		kp_yaml_put(map, "version", kp_yaml_new_text(server->version));
		kp_yaml_put(map, "address",
		    kp_yaml_new_text(server->connection.address));
		kp_yaml_put(map, "revision", kp_view_number(server->revision));
	}
	kp_output_add_tree(out, args, root);
	kp_yaml_free(root);
}

enum kp_exit
kp_run_version(const struct kp_args *args)
{
	struct server server = { 0 };
	enum kp_exit result = KP_EXIT_OK;
	struct kp_buf out;

	if (kp_args_text(args, "server") != NULL)
		result = ask(&server, args);
	/* our own version is known in any case */
	kp_buf_init(&out, KP_OUTPUT_MAX_LEN);
	if (kp_output_is(args, "text"))
		add_text(&out, &server);
	else
		add_tree(&out, args, &server);
	kp_output_write(&out);
	kp_unpacked_free(server.answer);
	kp_connection_close(&server.connection);
	return result;
}
