/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looking up the tables: APIs by key, names for people, and the set of entities
 * of a message. The tables themselves are in apis/. @thread any
 */
#include "proto/kafka/schema.h"

#include "base/error.h"
#include "proto/kafka/apis/apis.h"

const uint8_t kp_kind_lens[KP_STRUCT + 1] = {
	[KP_BOOL] = 1,
	[KP_INT8] = 1,
	[KP_INT16] = 2,
	[KP_UINT16] = 2,
	[KP_INT32] = 4,
	[KP_UINT32] = 4,
	[KP_INT64] = 8,
	[KP_FLOAT64] = 8,
	[KP_UUID] = 16,
};

static const char *const kind_names[] = {
	[KP_END] = "end",
	[KP_BOOL] = "bool",
	[KP_INT8] = "int8",
	[KP_INT16] = "int16",
	[KP_UINT16] = "uint16",
	[KP_INT32] = "int32",
	[KP_UINT32] = "uint32",
	[KP_INT64] = "int64",
	[KP_FLOAT64] = "float64",
	[KP_UUID] = "uuid",
	[KP_STRING] = "string",
	[KP_BYTES] = "bytes",
	[KP_RECORDS] = "records",
	[KP_STRUCT] = "struct",
};

static const char *const entity_names[KP_NUM_ENTITIES] = {
	[KP_E_NONE] = "none",
	[KP_E_PLAIN] = "plain",
	[KP_E_TOPIC_NAME] = "topicName",
	[KP_E_TOPIC_ID] = "topicId",
	[KP_E_GROUP_ID] = "groupId",
	[KP_E_TRANSACTIONAL_ID] = "transactionalId",
	[KP_E_COORDINATOR_KEY] = "coordinatorKey",
	[KP_E_MEMBER] = "member",
	[KP_E_PRINCIPAL] = "principal",
	[KP_E_PRINCIPAL_TYPE] = "principalType",
	[KP_E_CLUSTER_ID] = "clusterId",
	[KP_E_NODE_ID] = "nodeId",
	[KP_E_ENDPOINT_NODE] = "endpointNode",
	[KP_E_HOST] = "host",
	[KP_E_PORT] = "port",
	[KP_E_ENDPOINTS] = "endpoints",
	[KP_E_LISTENER] = "listener",
	[KP_E_APP_HOST] = "appHost",
	[KP_E_CLIENT_HOST] = "clientHost",
	[KP_E_CLIENT_ID] = "clientId",
	[KP_E_CLIENT_INSTANCE] = "clientInstance",
	[KP_E_RESOURCE_TYPE] = "resourceType",
	[KP_E_RESOURCE_NAME] = "resourceName",
	[KP_E_PATTERN_TYPE] = "patternType",
	[KP_E_CONFIG_NAME] = "configName",
	[KP_E_CONFIG_VALUE] = "configValue",
	[KP_E_CONFIG_TEXT] = "configText",
	[KP_E_QUOTA_TYPE] = "quotaType",
	[KP_E_QUOTA_NAME] = "quotaName",
	[KP_E_ACL_HOST] = "aclHost",
	[KP_E_PATTERN] = "pattern",
	[KP_E_ERROR_TEXT] = "errorText",
	[KP_E_USER_TEXT] = "userText",
	[KP_E_PROTOCOL_TYPE] = "protocolType",
	[KP_E_CONSUMER_PROTOCOL] = "consumerProtocol",
	[KP_E_STREAMS_NAME] = "streamsName",
	[KP_E_RECORDS] = "records",
	[KP_E_SASL_MECHANISM] = "saslMechanism",
	[KP_E_SASL_BYTES] = "saslBytes",
	[KP_E_SECRET] = "secret",
	[KP_E_DIRECTORY] = "directory",
	[KP_E_TELEMETRY] = "telemetry",
	[KP_E_API_KEY] = "apiKey",
	[KP_E_API_MIN] = "apiMin",
	[KP_E_API_MAX] = "apiMax",
	[KP_E_ERROR_CODE] = "errorCode",
};

const struct kp_api *
kp_api_find(int16_t key)
{
	if (key < 0 || key > KP_MAX_API_KEY)
		return NULL;
	return kp_apis[key];
}

bool
kp_api_has(int16_t key, int16_t version)
{
	const struct kp_api *api = kp_api_find(key);

	return api != NULL && version >= api->request->min_version &&
	       version <= api->request->max_version;
}

const char *
kp_api_name(int16_t key)
{
	const struct kp_api *api = kp_api_find(key);

	return api == NULL ? "unknown" : api->name;
}

const char *
kp_entity_name(enum kp_entity entity)
{
	kp_assert(entity < KP_NUM_ENTITIES);
	return entity_names[entity];
}

const char *
kp_kind_name(enum kp_kind kind)
{
	kp_assert(kind <= KP_STRUCT);
	return kind_names[kind];
}

/* As deep as the tables are, which a test bounds. */
static uint64_t
entities_of(const struct kp_field *fields, int16_t version)
{
	uint64_t set = 0;

	for (const struct kp_field *f = fields; f->kind != KP_END; f++) {
		if (!kp_field_in(f, version))
			continue;
		set |= KP_ENTITY_BIT(f->entity);
		if (f->kind == KP_STRUCT)
			set |= entities_of(f->fields, version);
	}
	return set;
}

uint64_t
kp_message_entities(const struct kp_message *message, int16_t version)
{
	return entities_of(message->fields, version) &
	       ~KP_ENTITY_BIT(KP_E_NONE);
}

bool
kp_field_holds(const struct kp_field *field, int64_t number)
{
	unsigned bits = (unsigned)kp_field_len(field) * 8;
	int64_t half;

	if (field->kind == KP_BOOL)
		return number == 0 || number == 1;
	if (bits == 64)
		return true;
	half = INT64_C(1) << (bits - 1);
	if (field->kind == KP_UINT16 || field->kind == KP_UINT32)
		return number >= 0 && number < 2 * half;
	return number >= -half && number < half;
}

/* Kafka limits strings to int16 even where their length is a uvarint. */
bool
kp_field_holds_len(const struct kp_field *field, size_t len)
{
	if (field->kind == KP_UUID)
		return len == kp_field_len(field);
	return len <= (field->kind == KP_STRING ? INT16_MAX : INT32_MAX);
}

bool
kp_field_may_be_null(const struct kp_field *field, int16_t version)
{
	return !field->is_array && field->kind != KP_UUID &&
	       version >= field->nullable_since;
}
