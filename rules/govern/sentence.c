/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/govern/sentence.h"

#include "proto/kafka/tree.h"

void
kp_sentence_add(struct kp_buf *sentence, const struct kp_finding *finding)
{
	if (finding->action != KP_POLICY_DENY)
		return;
	kp_buf_printf(sentence, "%spolicy \"%s\": %s",
	    sentence->len > 0 ? "; " : "", finding->policy, finding->text);
	/* what has room is said; the rest is in the log */
	sentence->failed = false;
}

bool
kp_sentence_has_place(const struct kp_object_api *api, int16_t version)
{
	const struct kp_field *rows = kp_object_rows(api, version);
	const struct kp_field *fields =
	    rows == NULL ? kp_api_find(api->key)->response->fields
			 : rows->fields;

	if (rows != NULL && api->answer.nested != NULL)
		fields =
		    fields[kp_tree_find(fields, api->answer.nested)].fields;
	return kp_tree_has(fields, "ErrorMessage") &&
	       kp_field_in(
		   &fields[kp_tree_find(fields, "ErrorMessage")], version);
}

const char *
kp_sentence_error(int16_t code)
{
	static const struct {
		int16_t code;
		const char *name;
	} names[] = {
		{ KP_KAFKA_UNKNOWN_TOPIC_OR_PARTITION,
		    "UNKNOWN_TOPIC_OR_PARTITION" },
		{ KP_KAFKA_TOPIC_AUTHORIZATION_FAILED,
		    "TOPIC_AUTHORIZATION_FAILED" },
		{ KP_KAFKA_GROUP_AUTHORIZATION_FAILED,
		    "GROUP_AUTHORIZATION_FAILED" },
		{ KP_KAFKA_POLICY_VIOLATION, "POLICY_VIOLATION" },
		{ KP_KAFKA_TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
		    "TRANSACTIONAL_ID_AUTHORIZATION_FAILED" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (names[i].code == code)
			return names[i].name;
	return NULL;
}
