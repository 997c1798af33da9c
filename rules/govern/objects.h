/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What policies see of requests, as data: one record for each governed API. A
 * request has items (topics to create, ACLs to delete, …), each of which is
 * judged by itself; for each there is an object whose fields are those of
 * Kafka's message under the names that Kafka's Admin client gives them.
 * @thread any: all of it is constant
 */
#ifndef KP_RULES_GOVERN_OBJECTS_H
#define KP_RULES_GOVERN_OBJECTS_H

#include "proto/kafka/schema.h"

/* How a field of a message becomes one of an object. */
enum kp_object_how {
	KP_OBJECT_END = 0,    /* closes a table */
	KP_OBJECT_PLAIN,      /* number, bool or text; a list of an array */
	KP_OBJECT_NAME,       /* a text that must not be null; of an item that
			       * is a text, the item */
	KP_OBJECT_WORD,       /* a number as one of words */
	KP_OBJECT_SETTINGS,   /* rows of Name and Value as a map */
	KP_OBJECT_ROWS,       /* structs as a list of objects */
	KP_OBJECT_PARTITIONS, /* a number, or how many rows "Assignments" has */
	KP_OBJECT_REPLICATION, /* a number, or the shortest of their lists */
	KP_OBJECT_ARRAY,   /* which of the API's arrays the item is in, as one
			    * of words */
	KP_OBJECT_UPGRADE, /* a WORD; in a version that lacks it what the bool
			    * "AllowDowngrade" says */
};

/* One of Kafka's codes; a table of them ends with NULL. */
struct kp_object_word {
	int64_t code;
	const char *word;
};

struct kp_object_type;

struct kp_object_field {
	const char *name; /* in expressions */
	const char *type; /* in the words of kp_cel_env */
	const char *from; /* of the item's struct; in Kafka's tables */
	enum kp_object_how how;
	bool is_of_request; /* from is a field of the request, not the item */
	bool is_around;     /* … of the struct around the array of items */
	const struct kp_object_word *words; /* of a WORD */
	const struct kp_object_type *rows;  /* of ROWS */
	const char *help;
};

struct kp_object_type {
	const char *name; /* "NewTopic", as expressions and their faults say */
	const struct kp_object_field *fields;
};

/*
 * Where the answer says what became of an item, so that a refused one gets a
 * row of its own: ErrorCode and, where the version has it, ErrorMessage.
 */
struct kp_object_answer {
	const char *rows;   /* array with a struct for each item; NULL, or in
			     * versions that lack it: there is only the answer
			     * itself, and all items are refused, or none */
	const char *nested; /* array of the rows in which the code stands, with
			     * a row for each of the item's "Partitions" */
	const char *error;  /* field that has the code; NULL: "ErrorCode" */
	const char *number; /* field of these that says which partition it is;
			     * NULL: "PartitionIndex" */
	/* Fields that are copied from the item; NULL ends. */
	const char *const *copies;
	const char *item; /* field that holds the name of the item */
	/* Brokers answer in no order: what is refused goes first. */
	bool is_unordered;
};

/* How an override sets a field of an item (override.h). */
enum kp_object_set {
	KP_OBJECT_SET_END = 0, /* closes a table */
	KP_OBJECT_SET_NUMBER,  /* not where the client assigns replicas */
	KP_OBJECT_SET_SETTING, /* a row of Name and Value, added if it is not
				* there */
	KP_OBJECT_SET_CHANGE,  /* a row that changes a setting becomes one that
				* sets it; none is added */
};

struct kp_object_override {
	const char *field; /* of the object */
	enum kp_object_set how;
	const char *help;
};

struct kp_object_api {
	int16_t key;
	/*
	 * Not 0: what brokers do because of the request is what they do for
	 * items of that API, as which it is judged; type and variable are that
	 * one's, and policies for that API are asked as well.
	 */
	int16_t stands_for;
	int16_t code;         /* Kafka's error for what is refused */
	int16_t max_version;  /* newest for clients, which is judged; 0: all.
			       * Newer ones are refused where policies are */
	const char *variable; /* "topic" */
	const struct kp_object_type *type;
	/* Arrays of the request whose elements are items, one in each version,
	 * or one after the other; NULL ends. NULL itself: the request is the
	 * one item. One that is null means all that there are, which is one
	 * item without values. Of several the last has all fields. */
	const char *const *items;
	/* Array in the elements of these whose elements are items instead. */
	const char *inner;
	/* Field of the item that names a topic, and thereby what match.topics
	 * selects; NULL: there is none. */
	const char *topic;
	struct kp_object_answer answer;
	/* What policies may set; NULL: nothing. Items are elements of arrays
	 * then, and each has a row in the answer, so that one that could not be
	 * set is refused alone. */
	const struct kp_object_override *overrides;
};

extern const struct kp_object_api kp_object_apis[];
extern const size_t kp_num_object_apis;

/* All types that there are; NULL ends. */
extern const struct kp_object_type *const kp_object_types[];

/* kp_object_api_find returns NULL for an API that is not governed. */
const struct kp_object_api *kp_object_api_find(int16_t key);

/* kp_object_max_version is the newest version of its request that is judged. */
int16_t kp_object_max_version(const struct kp_object_api *api);

/* kp_object_overrides is what policies for api may set, or for what that stands
 * for; a table without rows if nothing. */
const struct kp_object_override *kp_object_overrides(
    const struct kp_object_api *api);

/* kp_object_is_setting: is it one of several that have names? */
bool kp_object_is_setting(const struct kp_object_override *override);

/*
 * kp_object_judged is what requests of api are judged as: the API that it
 * stands for, with *version set to the newest of that, or api itself.
 */
const struct kp_object_api *kp_object_judged(
    const struct kp_object_api *api, int16_t *version);

/*
 * kp_object_rows is the array of an answer of that version that has a row for
 * each item; NULL: it tells of all at once.
 */
const struct kp_field *kp_object_rows(
    const struct kp_object_api *api, int16_t version);

size_t kp_object_num_fields(const struct kp_object_type *type);

/* Kafka's errors. */
#define KP_KAFKA_UNKNOWN_TOPIC_OR_PARTITION 3
#define KP_KAFKA_TOPIC_AUTHORIZATION_FAILED 29
#define KP_KAFKA_GROUP_AUTHORIZATION_FAILED 30
#define KP_KAFKA_POLICY_VIOLATION 44
#define KP_KAFKA_TRANSACTIONAL_ID_AUTHORIZATION_FAILED 53

/* APIs that need code of their own. */
#define KP_METADATA 3
#define KP_CREATE_TOPICS 19

/* Code of AlterConfigOp.OpType. */
#define KP_CHANGE_SET 0

/* Code of FeatureUpdate.UpgradeType. */
#define KP_SAFE_DOWNGRADE 2

/* Code of topics among ConfigResource.Type. */
#define KP_RESOURCE_TYPE_TOPIC 2

#endif
