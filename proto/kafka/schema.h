/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kafka's messages as data. One table of fields per message, one record beside
 * it per API; versions, nullability, tags and what a field means to us are
 * columns, never code. The tables hold every version that the definition files
 * of Kafka 3.9.2, 4.0.2, 4.3.1 and 4.4.0 hold, and a test compares them with
 * those files. Encoding rules: KIP-482 (flexible versions, tagged fields) and
 * the protocol guide. @thread any: all of it is constant
 */
#ifndef KP_PROTO_KAFKA_SCHEMA_H
#define KP_PROTO_KAFKA_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Highest API key that any table knows. */
#define KP_MAX_API_KEY 94

/* "and every later version" in the until columns. */
#define KP_LATEST INT16_MAX
/* "never" in the since columns. */
#define KP_NEVER_SINCE INT16_MAX

enum kp_kind {
	KP_END = 0, /* closes a table */
	KP_BOOL,
	KP_INT8,
	KP_INT16,
	KP_UINT16,
	KP_INT32,
	KP_UINT32,
	KP_INT64,
	KP_FLOAT64,
	KP_UUID,
	KP_STRING,
	KP_BYTES,
	KP_RECORDS,
	KP_STRUCT,
};

/*
 * What a field means, whatever its type. KP_E_NONE is "not classified": allowed
 * only for numbers that are none of the others; a test fails on any string,
 * bytes, uuid, records, node id or port that has it.
 */
enum kp_entity {
	KP_E_NONE = 0,
	KP_E_PLAIN, /* looked at, and of no concern: enums, racks, features */
	KP_E_TOPIC_NAME,
	KP_E_TOPIC_ID,
	KP_E_GROUP_ID,
	KP_E_TRANSACTIONAL_ID,
	KP_E_COORDINATOR_KEY, /* group, transactional id or share key by type */
	KP_E_MEMBER,          /* member ids, group instance ids */
	KP_E_PRINCIPAL,
	KP_E_PRINCIPAL_TYPE,
	KP_E_CLUSTER_ID,
	KP_E_NODE_ID,
	KP_E_ENDPOINT_NODE, /* node id beside a host and port */
	KP_E_HOST,          /* of a broker or controller */
	KP_E_PORT,          /* of a broker or controller */
	KP_E_ENDPOINTS,     /* array or struct that holds node endpoints */
	KP_E_LISTENER,      /* name of a listener of the cluster */
	KP_E_APP_HOST,      /* of an application (Streams), not of a broker */
	KP_E_CLIENT_HOST,   /* of a client, as the broker saw it */
	KP_E_CLIENT_ID,
	KP_E_CLIENT_INSTANCE, /* KIP-714 */
	KP_E_RESOURCE_TYPE,   /* says what a sibling resource name or
			       * coordinator key is */
	KP_E_RESOURCE_NAME,
	KP_E_PATTERN_TYPE, /* of an ACL: how its resource name is matched */
	KP_E_CONFIG_NAME,
	KP_E_CONFIG_VALUE,
	KP_E_CONFIG_TEXT, /* documentation */
	KP_E_QUOTA_TYPE,
	KP_E_QUOTA_NAME,
	KP_E_ACL_HOST,
	KP_E_PATTERN, /* regular expression over topic names or txn ids */
	KP_E_ERROR_TEXT,
	KP_E_USER_TEXT,         /* opaque text of users: commit metadata */
	KP_E_PROTOCOL_TYPE,     /* of a classic group: "consumer", "connect" */
	KP_E_CONSUMER_PROTOCOL, /* subscription or assignment bytes */
	KP_E_STREAMS_NAME,      /* subtopology, processor, store names */
	KP_E_RECORDS,
	KP_E_SASL_MECHANISM,
	KP_E_SASL_BYTES,
	KP_E_SECRET,    /* tokens, salts, salted passwords */
	KP_E_DIRECTORY, /* log directory ids and paths, incarnations */
	KP_E_TELEMETRY,
	KP_E_API_KEY,    /* of ApiVersions: the API of this row */
	KP_E_API_MIN,    /* … its lowest version */
	KP_E_API_MAX,    /* … its highest version */
	KP_E_ERROR_CODE, /* int16 of Kafka's error table */
	KP_NUM_ENTITIES,
};

struct kp_field {
	const char *name; /* as in Kafka's definition files */
	uint8_t kind;     /* enum kp_kind, of the element if array */
	bool is_array;
	uint8_t entity;                /* enum kp_entity */
	int16_t since, until;          /* versions that have the field */
	int16_t nullable_since;        /* KP_NEVER_SINCE: never null */
	int16_t tagged_since;          /* KP_NEVER_SINCE: never tagged */
	int16_t tag;                   /* -1 without */
	const char *default_text;      /* as in the definition; NULL without */
	const struct kp_field *fields; /* of a KP_STRUCT */
};

/* A request or an answer of one API. */
struct kp_message {
	const char *name; /* "MetadataRequest" */
	int16_t api_key;
	int16_t min_version, max_version;
	int16_t flexible_since; /* KP_NEVER_SINCE: never */
	const struct kp_field *fields;
};

struct kp_api {
	const char *name; /* "Metadata" */
	int16_t key;
	const struct kp_message *request;
	const struct kp_message *response;
};

/* kp_api_find returns NULL for keys that are not of the broker listener. */
const struct kp_api *kp_api_find(int16_t key);

/* kp_api_has tells whether version of key is in the tables. */
bool kp_api_has(int16_t key, int16_t version);

/* Name of an API for logs and metrics; "unknown" if there is none. */
const char *kp_api_name(int16_t key);

/* "topicName", "host", …: how an entity is printed. */
const char *kp_entity_name(enum kp_entity entity);
/* "int32", "string", …: how a kind is printed, as the definition files do. */
const char *kp_kind_name(enum kp_kind kind);

/* kp_field_len is how many bytes a value takes; 0 if it has a length. */
extern const uint8_t kp_kind_lens[KP_STRUCT + 1];
static inline size_t
kp_field_len(const struct kp_field *field)
{
	return kp_kind_lens[field->kind];
}

/* kp_field_is_number: of bool and float64 too; not of a uuid. */
static inline bool
kp_field_is_number(const struct kp_field *field)
{
	return field->kind != KP_UUID && kp_field_len(field) > 0;
}

/* kp_field_holds: does number fit the field, or each element of the array? */
bool kp_field_holds(const struct kp_field *field, int64_t number);

/* kp_field_holds_len is the same of a string, bytes, records or uuid. */
bool kp_field_holds_len(const struct kp_field *field, size_t len);

/* kp_field_may_be_null: a string, bytes or records; elements never are. */
bool kp_field_may_be_null(const struct kp_field *field, int16_t version);

/* No struct of Kafka has more than a handful of tagged fields. */
#define KP_MAX_TAGS 1000

static inline bool
kp_field_in(const struct kp_field *field, int16_t version)
{
	return version >= field->since && version <= field->until;
}

static inline bool
kp_message_is_flexible(const struct kp_message *message, int16_t version)
{
	return version >= message->flexible_since;
}

/* Is field in the tagged section of its struct? */
static inline bool
kp_field_is_tagged(const struct kp_field *field, int16_t version)
{
	return version >= field->tagged_since;
}

/* Bit of an entity in a set of entities. */
#define KP_ENTITY_BIT(entity) (UINT64_C(1) << (entity))
_Static_assert(KP_NUM_ENTITIES <= 64, "a set of entities is 64 bits");

/*
 * kp_message_entities is the set of entities that fields of this version have,
 * at any depth: what a stage needs to know whether it must look inside.
 */
uint64_t kp_message_entities(const struct kp_message *message, int16_t version);

#endif
