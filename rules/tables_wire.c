/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rule tables of messages of proto/control/tables.proto, which live in memory
 * that is counted against a budget and wiped when it is given back
 * (proto/control/unpack.h). The other way is tables_pack.c.
 */
#include <stdlib.h>

#include "base/alloc.h"
#include "proto/control/tables.pb-c.h"
#include "proto/control/unpack.h"
#include "proto/kafka/schema.h"
#include "rules/tables_priv.h"

#define MAX_UNPACKED_LEN (256u << 20)

struct wire {
	struct kp_budget budget;
	bool failed;     /* no memory, or a number is too large for its field */
	bool is_refused; /* no memory */
};

static void
wire_init(struct wire *w)
{
	kp_budget_init(&w->budget, MAX_UNPACKED_LEN);
	w->failed = w->is_refused = false;
}

/* Zeroed memory for count objects of the tables. */
static void *
take_list(struct wire *w, size_t count, size_t size)
{
	void *list = NULL;

	if (count > 0 && !w->failed && count <= MAX_UNPACKED_LEN / size) {
		list = kp_try_alloc(count * size);
		w->is_refused |= list == NULL;
	}
	if (list == NULL) {
		w->failed |= count > 0;
		return NULL;
	}
	(void)memset(list, 0, count * size);
	return list;
}

/* What was not said is an empty text on the wire and NULL in tables. */
static char *
take_text(struct wire *w, const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy;

	if (size == 1)
		return NULL;
	copy = take_list(w, size, 1);
	if (copy != NULL)
		kp_copy(copy, text, size);
	return copy;
}

static struct kp_bytes
take_bytes(struct wire *w, ProtobufCBinaryData from)
{
	uint8_t *copy = take_list(w, from.len, 1);

	if (copy == NULL)
		return (struct kp_bytes){ 0 };
	kp_copy(copy, from.data, from.len);
	return (struct kp_bytes){ copy, from.len };
}

static uint16_t
take_u16(struct wire *w, uint32_t number)
{
	w->failed |= number > UINT16_MAX;
	return (uint16_t)number;
}

/* A value of an enum whose last one is max. */
static unsigned
take_word(struct wire *w, uint32_t number, unsigned max)
{
	w->failed |= number > max;
	return number > max ? 0 : number;
}

static void
take_host_port(
    struct wire *w, const Kp__Tables__HostPort *from, struct kp_host_port *out)
{
	if (from == NULL) {
		w->failed = true;
		return;
	}
	out->host = take_text(w, from->host);
	out->port = take_u16(w, from->port);
}

static void
take_key_pair(
    struct wire *w, const Kp__Tables__KeyPair *from, struct kp_key_pair *out)
{
	if (from == NULL) {
		w->failed = true;
		return;
	}
	out->certificate_ref = take_text(w, from->certificate_ref);
	out->key_ref = take_text(w, from->key_ref);
	out->certificate_pem = take_bytes(w, from->certificate_pem);
	out->key_pem = take_bytes(w, from->key_pem);
}

static void
take_limit(const Kp__Tables__Limit *from, struct kp_limits *out)
{
	for (int i = 0; i < KP_NUM_LIMITS; i++) {
		if (strcmp(from->name, kp_limit_settings[i].name) == 0)
			out->of[i] = from->value;
	}
}

static void
take_limits(
    struct wire *w, const Kp__Tables__Limits *from, struct kp_limits *out)
{
	if (from == NULL) {
		w->failed = true;
		return;
	}
	kp_limits_default(out);
	for (size_t i = 0; i < from->n_limits; i++)
		take_limit(from->limits[i], out);
}

static void
take_cluster(struct wire *w, const Kp__Tables__Cluster *from,
    struct kp_tables_cluster *out)
{
	out->name = take_text(w, from->name);
	out->bootstrap =
	    take_list(w, from->n_bootstrap, sizeof(*out->bootstrap));
	out->num_bootstrap = out->bootstrap == NULL ? 0 : from->n_bootstrap;
	for (size_t i = 0; i < out->num_bootstrap; i++)
		take_host_port(w, from->bootstrap[i], &out->bootstrap[i]);
	out->has_tls = from->has_tls != 0;
	out->is_hostname_verified = from->is_hostname_verified != 0;
	out->ca_pem = take_bytes(w, from->ca_pem);
	out->ca_ref = take_text(w, from->ca_ref);
	take_key_pair(w, from->client, &out->client);
	out->connect_timeout_ms = from->connect_timeout_ms;
	out->nodes = take_list(w, from->n_nodes, sizeof(*out->nodes));
	out->num_nodes = out->nodes == NULL ? 0 : from->n_nodes;
	for (size_t i = 0; i < out->num_nodes; i++) {
		out->nodes[i].id = from->nodes[i]->id;
		take_host_port(
		    w, from->nodes[i]->address, &out->nodes[i].address);
	}
}

static void
take_listener(struct wire *w, const Kp__Tables__Listener *from,
    struct kp_tables_listener *out)
{
	out->name = take_text(w, from->name);
	out->bind = take_text(w, from->bind);
	out->advertised_host = take_text(w, from->advertised_host);
	out->strategy = (enum kp_listener_strategy)take_word(
	    w, from->strategy, KP_LISTEN_SNI);
	out->bootstrap_port = take_u16(w, from->bootstrap_port);
	out->first_port = take_u16(w, from->first_port);
	out->num_ports = take_u16(w, from->num_ports);
	out->first_node_id = from->first_node_id;
	out->sni_bootstrap = take_text(w, from->sni_bootstrap);
	out->sni_broker = take_text(w, from->sni_broker);
	out->has_tls = from->has_tls != 0;
	out->certificates =
	    take_list(w, from->n_certificates, sizeof(*out->certificates));
	out->num_certificates =
	    out->certificates == NULL ? 0 : from->n_certificates;
	for (size_t i = 0; i < out->num_certificates; i++)
		take_key_pair(w, from->certificates[i], &out->certificates[i]);
	out->client_ca_pem = take_bytes(w, from->client_ca_pem);
	out->client_ca_ref = take_text(w, from->client_ca_ref);
	out->client_auth = (enum kp_client_auth)take_word(
	    w, from->client_auth, KP_CLIENT_AUTH_REQUIRED);
	out->has_proxy_protocol = from->has_proxy_protocol != 0;
}

static void
take_virtual_cluster(struct wire *w, const Kp__Tables__VirtualCluster *from,
    struct kp_tables_virtual_cluster *out)
{
	out->name = take_text(w, from->name);
	out->cluster = from->cluster;
	out->listener = from->listener;
	out->auth = (enum kp_auth_mode)take_word(w, from->auth, KP_AUTH_NONE);
	out->max_connections = from->max_connections;
}

static char **
take_texts(struct wire *w, char *const *from, size_t num)
{
	char **list = take_list(w, num, sizeof(*list));

	for (size_t i = 0; list != NULL && i < num; i++)
		list[i] = take_text(w, from[i]);
	return list;
}

static void
take_expressions(struct wire *w, const Kp__Tables__Policy *from,
    struct kp_tables_policy *out)
{
	out->variables =
	    take_list(w, from->n_variables, sizeof(*out->variables));
	out->num_variables = out->variables == NULL ? 0 : from->n_variables;
	for (size_t i = 0; i < out->num_variables; i++)
		out->variables[i] = (struct kp_tables_variable){
			.name = take_text(w, from->variables[i]->name),
			.expression =
			    take_text(w, from->variables[i]->expression),
		};
	out->validations =
	    take_list(w, from->n_validations, sizeof(*out->validations));
	out->num_validations =
	    out->validations == NULL ? 0 : from->n_validations;
	for (size_t i = 0; i < out->num_validations; i++) {
		const Kp__Tables__Validation *one = from->validations[i];

		out->validations[i] = (struct kp_tables_validation){
			.expression = take_text(w, one->expression),
			.message = take_text(w, one->message),
			.message_expression =
			    take_text(w, one->message_expression),
		};
	}
}

static void
take_overrides(struct wire *w, const Kp__Tables__Policy *from,
    struct kp_tables_policy *out)
{
	out->overrides =
	    take_list(w, from->n_overrides, sizeof(*out->overrides));
	out->num_overrides = out->overrides == NULL ? 0 : from->n_overrides;
	for (size_t i = 0; i < out->num_overrides; i++) {
		const Kp__Tables__Override *one = from->overrides[i];

		out->overrides[i] = (struct kp_tables_override){
			.field = take_text(w, one->field),
			.expression = take_text(w, one->expression),
			.when = take_text(w, one->when),
		};
	}
}

static void
take_policy(struct wire *w, const Kp__Tables__Policy *from,
    struct kp_tables_policy *out)
{
	out->name = take_text(w, from->name);
	out->apis = take_list(w, from->n_apis, sizeof(*out->apis));
	out->num_apis = out->apis == NULL ? 0 : from->n_apis;
	for (size_t i = 0; i < out->num_apis; i++)
		out->apis[i] =
		    (int16_t)take_word(w, from->apis[i], KP_MAX_API_KEY);
	out->topics = take_texts(w, from->topics, from->n_topics);
	out->num_topics = out->topics == NULL ? 0 : from->n_topics;
	out->virtual_clusters =
	    take_texts(w, from->virtual_clusters, from->n_virtual_clusters);
	out->num_virtual_clusters =
	    out->virtual_clusters == NULL ? 0 : from->n_virtual_clusters;
	take_expressions(w, from, out);
	take_overrides(w, from, out);
	out->action =
	    (enum kp_policy_action)take_word(w, from->action, KP_POLICY_WARN);
	out->failure = (enum kp_policy_failure)take_word(
	    w, from->failure, KP_POLICY_IGNORE);
}

static void
take_tables(
    struct wire *w, const Kp__Tables__Tables *from, struct kp_tables *out)
{
	out->generation = from->generation;
	out->log_level =
	    (enum kp_log_level)take_word(w, from->log_level, KP_LOG_DEBUG);
	take_limits(w, from->limits, &out->limits);
	out->clusters = take_list(w, from->n_clusters, sizeof(*out->clusters));
	out->num_clusters = out->clusters == NULL ? 0 : from->n_clusters;
	for (size_t i = 0; i < out->num_clusters; i++)
		take_cluster(w, from->clusters[i], &out->clusters[i]);
	out->listeners =
	    take_list(w, from->n_listeners, sizeof(*out->listeners));
	out->num_listeners = out->listeners == NULL ? 0 : from->n_listeners;
	for (size_t i = 0; i < out->num_listeners; i++)
		take_listener(w, from->listeners[i], &out->listeners[i]);
	out->virtual_clusters = take_list(
	    w, from->n_virtual_clusters, sizeof(*out->virtual_clusters));
	out->num_virtual_clusters =
	    out->virtual_clusters == NULL ? 0 : from->n_virtual_clusters;
	for (size_t i = 0; i < out->num_virtual_clusters; i++)
		take_virtual_cluster(
		    w, from->virtual_clusters[i], &out->virtual_clusters[i]);
	out->policies = take_list(w, from->n_policies, sizeof(*out->policies));
	out->num_policies = out->policies == NULL ? 0 : from->n_policies;
	for (size_t i = 0; i < out->num_policies; i++)
		take_policy(w, from->policies[i], &out->policies[i]);
}

/* What this version leaves out could change what tables mean. */
static bool
check_end(const Kp__Tables__Tables *m, struct kp_error *err)
{
	if (!m->is_whole && m->needs == KP_TABLES_NEED_NOTHING)
		return kp_error_set(
		    err, KP_ERR_PROTOCOL, "rule tables have no end");
	if (m->needs > KP_TABLES_NEED_OVERRIDES)
		return kp_error_set(err, KP_ERR_PROTOCOL,
		    "rule tables say what this version does not know");
	return true;
}

struct kp_tables *
kp_tables_unpack(struct kp_bytes packed, struct kp_error *err)
{
	struct kp_tables *tables;
	Kp__Tables__Tables *m = NULL;
	struct wire w;

	wire_init(&w);
	if (packed.len <= KP_TABLES_MAX_PACKED_LEN)
		m = kp__tables__tables__unpack(
		    &w.budget.allocator, packed.len, packed.data);
	if (m == NULL && w.budget.is_out_of_memory) {
		(void)kp_error_set(
		    err, KP_ERR_LIMIT, "no memory for rule tables");
		return NULL;
	}
	if (m == NULL) {
		(void)kp_error_set(err, KP_ERR_PROTOCOL,
		    "rule tables of %zu bytes could not be read", packed.len);
		return NULL;
	}
	if (!check_end(m, err)) {
		kp__tables__tables__free_unpacked(m, &w.budget.allocator);
		return NULL;
	}
	tables = kp_alloc(1, sizeof(*tables));
	take_tables(&w, m, tables);
	kp__tables__tables__free_unpacked(m, &w.budget.allocator);
	if (!w.failed && kp_tables_check(tables, err))
		return tables;
	if (w.is_refused)
		(void)kp_error_set(
		    err, KP_ERR_LIMIT, "no memory for rule tables");
	else if (w.failed)
		(void)kp_error_set(
		    err, KP_ERR_PROTOCOL, "a number is out of range");
	if (!w.is_refused)
		(void)kp_error_prefix(err, "rule tables are not valid");
	kp_tables_free(tables);
	return NULL;
}
