/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/rename/answer.h"

#define FIND_COORDINATOR 10
/* Its endpoints are controllers, which no client may reach. */
#define DESCRIBE_QUORUM 55

/* Kafka's resource types whose name is a node id (ConfigResource.Type). */
#define RESOURCE_BROKER 4

void
kp_rename_init(struct kp_rename *rename,
    const struct kp_tables_listener *listener, struct kp_topology *topology,
    kp_learned_fn learned, void *context)
{
	*rename = (struct kp_rename){
		.scrub = { .listener = listener, .topology = topology },
		.learned = learned,
		.context = context,
		.resource_node = KP_NO_NODE,
	};
	kp_buf_init(&rename->text, 2 * KP_SCRUB_MAX_TEXT);
}

void
kp_rename_fini(struct kp_rename *rename)
{
	kp_buf_fini(&rename->text);
}

static struct kp_bytes
value_of(const struct kp_visit *visit)
{
	struct kp_bytes value = { visit->data, visit->len };

	return value;
}

/*
 * A node without an address of ours would be a way around us: leave it out.
 * Only an answer to FindCoordinator must name a node for each key that was
 * asked for: it gets the bootstrap address.
 */
static enum kp_verdict
visit_node(struct kp_rename *rename, const struct kp_visit *visit)
{
	int32_t id = (int32_t)visit->number;

	rename->seen = (struct kp_node){ .id = id };
	rename->has_view =
	    kp_view_of_node(rename->scrub.listener, id, &rename->view);
	if (rename->has_view || id < 0)
		return KP_KEEP;
	rename->counts.unmapped++;
	return visit->message->api_key == FIND_COORDINATOR ? KP_KEEP : KP_DROP;
}

static enum kp_verdict
visit_host(struct kp_rename *rename, const struct kp_visit *visit,
    struct kp_replacement *out)
{
	struct kp_bytes host = value_of(visit);

	/* errors come with an empty host and node -1 */
	if (host.len == 0)
		return KP_KEEP;
	if (host.len <= KP_HOST_MAX) {
		kp_copy(rename->seen.host, host.data, host.len);
		rename->seen.host[host.len] = '\0';
	}
	rename->counts.addresses++;
	if (!rename->has_view)
		kp_view_of_bootstrap(rename->scrub.listener, &rename->view);
	out->bytes = kp_bytes_of(rename->view.host);
	return KP_REPLACE;
}

static enum kp_verdict
visit_port(struct kp_rename *rename, const struct kp_visit *visit,
    struct kp_replacement *out)
{
	struct kp_node *seen = &rename->seen;

	if (seen->host[0] == '\0')
		return KP_KEEP;
	if (visit->number > 0 && visit->number <= UINT16_MAX) {
		seen->port = (uint16_t)visit->number;
		if (kp_topology_learn(rename->scrub.topology, seen->id,
			kp_bytes_of(seen->host), seen->port))
			rename->learned(rename->context, seen);
	}
	seen->host[0] = '\0';
	out->number = rename->view.port;
	return KP_REPLACE;
}

static enum kp_verdict
replace_by_text(struct kp_rename *rename, struct kp_replacement *out)
{
	rename->counts.texts++;
	out->bytes = kp_buf_bytes(&rename->text);
	if (out->bytes.data == NULL)
		out->bytes = kp_bytes_of("");
	return KP_REPLACE;
}

static enum kp_verdict
visit_text(struct kp_rename *rename, const struct kp_visit *visit,
    struct kp_replacement *out)
{
	kp_buf_clear(&rename->text);
	if (visit->len == 0 ||
	    !kp_scrub_text(&rename->scrub, value_of(visit), &rename->text))
		return KP_KEEP;
	return replace_by_text(rename, out);
}

static void
visit_resource_name(struct kp_rename *rename, const struct kp_visit *visit)
{
	int64_t id = 0;

	rename->resource_node = KP_NO_NODE;
	if (rename->resource_type != RESOURCE_BROKER || visit->len == 0 ||
	    visit->len > 9)
		return;
	for (size_t i = 0; i < visit->len; i++) {
		if (visit->data[i] < '0' || visit->data[i] > '9')
			return;
		id = id * 10 + (visit->data[i] - '0');
	}
	rename->resource_node = (int32_t)id;
}

static void
visit_config_name(struct kp_rename *rename, const struct kp_visit *visit)
{
	rename->is_address_config = rename->resource_type == RESOURCE_BROKER &&
				    kp_scrub_is_address_config(value_of(visit));
}

static enum kp_verdict
visit_config_value(struct kp_rename *rename, const struct kp_visit *visit,
    struct kp_replacement *out)
{
	if (visit->len == 0)
		return KP_KEEP;
	if (!rename->is_address_config)
		return visit_text(rename, visit, out);
	kp_buf_clear(&rename->text);
	kp_scrub_listeners(&rename->scrub, rename->resource_node,
	    value_of(visit), &rename->text);
	return replace_by_text(rename, out);
}

static enum kp_verdict
visit_value(struct kp_rename *rename, const struct kp_visit *visit,
    struct kp_replacement *out)
{
	switch ((int)visit->field->entity) {
	case KP_E_ENDPOINT_NODE:
		return visit_node(rename, visit);
	case KP_E_HOST:
		return visit_host(rename, visit, out);
	case KP_E_PORT:
		return visit_port(rename, visit, out);
	case KP_E_ERROR_TEXT:
		return visit_text(rename, visit, out);
	case KP_E_RESOURCE_TYPE:
		rename->resource_type = (int8_t)visit->number;
		return KP_KEEP;
	case KP_E_RESOURCE_NAME:
		visit_resource_name(rename, visit);
		return KP_KEEP;
	case KP_E_CONFIG_NAME:
		visit_config_name(rename, visit);
		return KP_KEEP;
	case KP_E_CONFIG_VALUE:
		return visit_config_value(rename, visit, out);
	default:
		return KP_KEEP;
	}
}

bool
kp_rename_concerns(const struct kp_visit *visit)
{
	if (visit->kind == KP_VISIT_ARRAY)
		return visit->number > 0;
	if (visit->kind != KP_VISIT_VALUE)
		return true;
	switch ((int)visit->field->entity) {
	case KP_E_RESOURCE_TYPE: /* these only say what others mean */
	case KP_E_RESOURCE_NAME:
	case KP_E_CONFIG_NAME:
		return false;
	case KP_E_ERROR_TEXT:
	case KP_E_CONFIG_VALUE:
		return visit->len > 0;
	default:
		return true;
	}
}

static enum kp_verdict
visit_whole(void *context, const struct kp_visit *visit,
    struct kp_replacement *out, struct kp_error *err)
{
	struct kp_rename *rename = context;

	(void)err;
	switch (visit->kind) {
	case KP_VISIT_VALUE:
		return visit_value(rename, visit, out);
	case KP_VISIT_ARRAY:
		return visit->message->api_key == DESCRIBE_QUORUM ? KP_CLEAR
								  : KP_KEEP;
	case KP_VISIT_ELEMENT:
	case KP_VISIT_RECORDS:
	case KP_VISIT_PIECE:
		break;
	}
	return KP_KEEP;
}

static enum kp_verdict
visit_pieces(void *context, const struct kp_visit *visit,
    struct kp_replacement *out, struct kp_error *err)
{
	struct kp_rename *rename = context;

	(void)out;
	(void)err;
	if (visit->kind == KP_VISIT_VALUE && visit->len > 0 &&
	    kp_scrub_in_place(&rename->scrub, visit->data, visit->len))
		rename->counts.texts++;
	return KP_KEEP;
}

struct kp_visitor
kp_rename_whole(struct kp_rename *rename)
{
	struct kp_visitor visitor = {
		.interest = KP_RENAME_ANSWER_INTEREST,
		.visit = visit_whole,
		.context = rename,
	};

	return visitor;
}

struct kp_visitor
kp_rename_pieces(struct kp_rename *rename)
{
	struct kp_visitor visitor = {
		.interest = KP_ENTITY_BIT(KP_E_ERROR_TEXT),
		.visit = visit_pieces,
		.context = rename,
	};

	return visitor;
}

const char *
kp_rename_action(const struct kp_message *message, const struct kp_field *field,
    int16_t version)
{
	(void)version;
	if (message != kp_api_find(message->api_key)->response)
		return "pass";
	switch ((int)field->entity) {
	case KP_E_HOST:
	case KP_E_PORT:
	case KP_E_ENDPOINTS:
		return message->api_key == DESCRIBE_QUORUM ? "empty"
							   : "rewrite";
	case KP_E_ENDPOINT_NODE:
		return "learn";
	case KP_E_API_KEY:
	case KP_E_API_MIN:
	case KP_E_API_MAX:
		return "narrow";
	case KP_E_ERROR_TEXT:
	case KP_E_CONFIG_VALUE:
		return "clean";
	default:
		return "pass";
	}
}
