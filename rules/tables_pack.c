/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rule tables as messages of proto/control/tables.proto. Tables are packed
 * several times for each change, and may have ten thousand clusters: messages
 * refer to texts and keys where they are, and lie together on a few sheets of
 * memory, which have no secrets and go at once.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "proto/control/tables.pb-c.h"
#include "rules/tables_priv.h"

#define SHEET_LEN (64u << 10)
#define MAX_SHEETS_LEN (256u << 20)

struct sheet {
	struct sheet *next;
	max_align_t memory[];
};

struct sheets {
	struct sheet *list;
	uint8_t *at;
	size_t room;             /* from there to the sheet's end */
	size_t left;             /* of what all of them may take */
	bool failed, is_refused; /* more than that, or no memory */
};

static bool
add_sheet(struct sheets *w, size_t len)
{
	struct sheet *sheet;

	if (len > w->left)
		return false;
	sheet = kp_try_alloc(sizeof(*sheet) + len);
	if (sheet == NULL) {
		w->is_refused = true;
		return false;
	}
	sheet->next = w->list;
	w->list = sheet;
	w->at = (uint8_t *)sheet->memory;
	w->room = len;
	w->left -= len;
	return true;
}

/* Zeroed memory for a message or list; NULL once anything was refused. */
static void *
sheets_alloc(struct sheets *w, size_t count, size_t size)
{
	const size_t step = sizeof(max_align_t);
	size_t len;
	void *memory;

	if (w->failed || count > MAX_SHEETS_LEN / size) {
		w->failed = true;
		return NULL;
	}
	len = (count * size + step - 1) / step * step;
	if (len > w->room && !add_sheet(w, len > SHEET_LEN ? len : SHEET_LEN)) {
		w->failed = true;
		return NULL;
	}
	memory = w->at;
	w->at += len;
	w->room -= len;
	return memset(memory, 0, len);
}

static void
sheets_fini(struct sheets *w)
{
	while (w->list != NULL) {
		struct sheet *sheet = w->list;

		w->list = sheet->next;
		free(sheet);
	}
}

/* Borrowed, as all that follows; packing changes nothing. */
static char *
put_text(const char *text)
{
	return (char *)(uintptr_t)(text == NULL ? "" : text);
}

static ProtobufCBinaryData
put_bytes(struct kp_bytes bytes, bool with_secrets)
{
	ProtobufCBinaryData data = { 0 };

	if (!with_secrets || bytes.len == 0)
		return data;
	data.data = (uint8_t *)(uintptr_t)bytes.data;
	data.len = bytes.len;
	return data;
}

static Kp__Tables__HostPort *
put_host_port(struct sheets *w, const struct kp_host_port *from)
{
	Kp__Tables__HostPort *m = sheets_alloc(w, 1, sizeof(*m));

	if (m == NULL)
		return NULL;
	kp__tables__host_port__init(m);
	m->host = put_text(from->host);
	m->port = from->port;
	return m;
}

static Kp__Tables__KeyPair *
put_key_pair(
    struct sheets *w, const struct kp_key_pair *from, bool with_secrets)
{
	Kp__Tables__KeyPair *m = sheets_alloc(w, 1, sizeof(*m));

	if (m == NULL)
		return NULL;
	kp__tables__key_pair__init(m);
	m->certificate_ref = put_text(from->certificate_ref);
	m->key_ref = put_text(from->key_ref);
	m->certificate_pem = put_bytes(from->certificate_pem, with_secrets);
	m->key_pem = put_bytes(from->key_pem, with_secrets);
	return m;
}

static Kp__Tables__Limit *
put_limit(struct sheets *w, const char *name, int64_t value)
{
	Kp__Tables__Limit *m = sheets_alloc(w, 1, sizeof(*m));

	if (m == NULL)
		return NULL;
	kp__tables__limit__init(m);
	m->name = put_text(name);
	m->value = value;
	return m;
}

static Kp__Tables__Limits *
put_limits(struct sheets *w, const struct kp_limits *from)
{
	Kp__Tables__Limits *m = sheets_alloc(w, 1, sizeof(*m));

	if (m == NULL)
		return NULL;
	kp__tables__limits__init(m);
	m->limits = sheets_alloc(w, KP_NUM_LIMITS, sizeof(*m->limits));
	for (size_t i = 0; !w->failed && i < KP_NUM_LIMITS; i++)
		m->limits[m->n_limits++] =
		    put_limit(w, kp_limit_settings[i].name, from->of[i]);
	return m;
}

static Kp__Tables__Node *
put_node(struct sheets *w, const struct kp_tables_node *from)
{
	Kp__Tables__Node *m = sheets_alloc(w, 1, sizeof(*m));

	if (m == NULL)
		return NULL;
	kp__tables__node__init(m);
	m->id = from->id;
	m->address = put_host_port(w, &from->address);
	return m;
}

static Kp__Tables__Cluster *
put_cluster(
    struct sheets *w, const struct kp_tables_cluster *from, bool with_secrets)
{
	Kp__Tables__Cluster *m = sheets_alloc(w, 1, sizeof(*m));

	if (m == NULL)
		return NULL;
	kp__tables__cluster__init(m);
	m->name = put_text(from->name);
	m->bootstrap =
	    sheets_alloc(w, from->num_bootstrap, sizeof(*m->bootstrap));
	for (size_t i = 0; !w->failed && i < from->num_bootstrap; i++)
		m->bootstrap[m->n_bootstrap++] =
		    put_host_port(w, &from->bootstrap[i]);
	m->has_tls = from->has_tls;
	m->is_hostname_verified = from->is_hostname_verified;
	m->ca_pem = put_bytes(from->ca_pem, with_secrets);
	m->ca_ref = put_text(from->ca_ref);
	m->client = put_key_pair(w, &from->client, with_secrets);
	m->connect_timeout_ms = from->connect_timeout_ms;
	m->nodes = sheets_alloc(w, from->num_nodes, sizeof(*m->nodes));
	for (size_t i = 0; !w->failed && i < from->num_nodes; i++)
		m->nodes[m->n_nodes++] = put_node(w, &from->nodes[i]);
	return m;
}

static Kp__Tables__Listener *
put_listener(
    struct sheets *w, const struct kp_tables_listener *from, bool with_secrets)
{
	Kp__Tables__Listener *m = sheets_alloc(w, 1, sizeof(*m));

	if (m == NULL)
		return NULL;
	kp__tables__listener__init(m);
	m->name = put_text(from->name);
	m->bind = put_text(from->bind);
	m->advertised_host = put_text(from->advertised_host);
	m->strategy = from->strategy;
	m->bootstrap_port = from->bootstrap_port;
	m->first_port = from->first_port;
	m->num_ports = from->num_ports;
	m->first_node_id = from->first_node_id;
	m->sni_bootstrap = put_text(from->sni_bootstrap);
	m->sni_broker = put_text(from->sni_broker);
	m->has_tls = from->has_tls;
	m->certificates =
	    sheets_alloc(w, from->num_certificates, sizeof(*m->certificates));
	for (size_t i = 0; !w->failed && i < from->num_certificates; i++)
		m->certificates[m->n_certificates++] =
		    put_key_pair(w, &from->certificates[i], with_secrets);
	m->client_ca_pem = put_bytes(from->client_ca_pem, with_secrets);
	m->client_ca_ref = put_text(from->client_ca_ref);
	m->client_auth = from->client_auth;
	m->has_proxy_protocol = from->has_proxy_protocol;
	return m;
}

static Kp__Tables__VirtualCluster *
put_virtual_cluster(
    struct sheets *w, const struct kp_tables_virtual_cluster *from)
{
	Kp__Tables__VirtualCluster *m = sheets_alloc(w, 1, sizeof(*m));

	if (m == NULL)
		return NULL;
	kp__tables__virtual_cluster__init(m);
	m->name = put_text(from->name);
	m->cluster = from->cluster;
	m->listener = from->listener;
	m->auth = from->auth;
	m->max_connections = from->max_connections;
	return m;
}

static char **
put_texts(struct sheets *w, char *const *from, size_t num)
{
	char **list = sheets_alloc(w, num, sizeof(*list));

	for (size_t i = 0; list != NULL && i < num; i++)
		list[i] = put_text(from[i]);
	return list;
}

static Kp__Tables__Variable *
put_variable(struct sheets *w, const struct kp_tables_variable *from)
{
	Kp__Tables__Variable *m = sheets_alloc(w, 1, sizeof(*m));

	if (m == NULL)
		return NULL;
	kp__tables__variable__init(m);
	m->name = put_text(from->name);
	m->expression = put_text(from->expression);
	return m;
}

static Kp__Tables__Validation *
put_validation(struct sheets *w, const struct kp_tables_validation *from)
{
	Kp__Tables__Validation *m = sheets_alloc(w, 1, sizeof(*m));

	if (m == NULL)
		return NULL;
	kp__tables__validation__init(m);
	m->expression = put_text(from->expression);
	m->message = put_text(from->message);
	m->message_expression = put_text(from->message_expression);
	return m;
}

static Kp__Tables__Override *
put_override(struct sheets *w, const struct kp_tables_override *from)
{
	Kp__Tables__Override *m = sheets_alloc(w, 1, sizeof(*m));

	if (m == NULL)
		return NULL;
	kp__tables__override__init(m);
	m->field = put_text(from->field);
	m->expression = put_text(from->expression);
	m->when = put_text(from->when);
	return m;
}

static void
put_expressions(struct sheets *w, const struct kp_tables_policy *from,
    Kp__Tables__Policy *m)
{
	m->variables =
	    sheets_alloc(w, from->num_variables, sizeof(*m->variables));
	for (size_t i = 0; !w->failed && i < from->num_variables; i++)
		m->variables[m->n_variables++] =
		    put_variable(w, &from->variables[i]);
	m->validations =
	    sheets_alloc(w, from->num_validations, sizeof(*m->validations));
	for (size_t i = 0; !w->failed && i < from->num_validations; i++)
		m->validations[m->n_validations++] =
		    put_validation(w, &from->validations[i]);
	m->overrides =
	    sheets_alloc(w, from->num_overrides, sizeof(*m->overrides));
	for (size_t i = 0; !w->failed && i < from->num_overrides; i++)
		m->overrides[m->n_overrides++] =
		    put_override(w, &from->overrides[i]);
}

static Kp__Tables__Policy *
put_policy(struct sheets *w, const struct kp_tables_policy *from)
{
	Kp__Tables__Policy *m = sheets_alloc(w, 1, sizeof(*m));

	if (m == NULL)
		return NULL;
	kp__tables__policy__init(m);
	m->name = put_text(from->name);
	m->apis = sheets_alloc(w, from->num_apis, sizeof(*m->apis));
	for (size_t i = 0; !w->failed && i < from->num_apis; i++)
		m->apis[m->n_apis++] = (uint32_t)from->apis[i];
	m->topics = put_texts(w, from->topics, from->num_topics);
	m->n_topics = w->failed ? 0 : from->num_topics;
	m->virtual_clusters =
	    put_texts(w, from->virtual_clusters, from->num_virtual_clusters);
	m->n_virtual_clusters = w->failed ? 0 : from->num_virtual_clusters;
	put_expressions(w, from, m);
	m->action = from->action;
	m->failure = from->failure;
	return m;
}

static uint32_t
needs_of(const struct kp_tables *tables)
{
	for (size_t i = 0; i < tables->num_policies; i++)
		if (tables->policies[i].num_overrides > 0)
			return KP_TABLES_NEED_OVERRIDES;
	return KP_TABLES_NEED_NOTHING;
}

static Kp__Tables__Tables *
put_tables(struct sheets *w, const struct kp_tables *from, bool with_secrets)
{
	Kp__Tables__Tables *m = sheets_alloc(w, 1, sizeof(*m));

	if (m == NULL)
		return NULL;
	kp__tables__tables__init(m);
	m->generation = from->generation;
	m->log_level = from->log_level;
	m->limits = put_limits(w, &from->limits);
	m->clusters = sheets_alloc(w, from->num_clusters, sizeof(*m->clusters));
	for (size_t i = 0; !w->failed && i < from->num_clusters; i++)
		m->clusters[m->n_clusters++] =
		    put_cluster(w, &from->clusters[i], with_secrets);
	m->listeners =
	    sheets_alloc(w, from->num_listeners, sizeof(*m->listeners));
	for (size_t i = 0; !w->failed && i < from->num_listeners; i++)
		m->listeners[m->n_listeners++] =
		    put_listener(w, &from->listeners[i], with_secrets);
	m->virtual_clusters = sheets_alloc(
	    w, from->num_virtual_clusters, sizeof(*m->virtual_clusters));
	for (size_t i = 0; !w->failed && i < from->num_virtual_clusters; i++)
		m->virtual_clusters[m->n_virtual_clusters++] =
		    put_virtual_cluster(w, &from->virtual_clusters[i]);
	m->policies = sheets_alloc(w, from->num_policies, sizeof(*m->policies));
	for (size_t i = 0; !w->failed && i < from->num_policies; i++)
		m->policies[m->n_policies++] =
		    put_policy(w, &from->policies[i]);
	m->needs = needs_of(from);
	m->is_whole = m->needs == KP_TABLES_NEED_NOTHING;
	return m;
}

bool
kp_tables_pack(
    struct kp_buf *out, const struct kp_tables *tables, bool with_secrets)
{
	struct sheets w = { .left = MAX_SHEETS_LEN };
	Kp__Tables__Tables *m = put_tables(&w, tables, with_secrets);
	uint8_t *to = NULL;
	size_t len;

	if (!w.failed) {
		len = kp__tables__tables__get_packed_size(m);
		if (len <= KP_TABLES_MAX_PACKED_LEN)
			to = kp_buf_extend(out, len);
	}
	if (to != NULL)
		(void)kp__tables__tables__pack(m, to);
	out->failed = to == NULL;
	out->is_refused |= w.is_refused;
	sheets_fini(&w);
	return to != NULL;
}
