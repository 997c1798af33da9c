/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The printed matrix: both forms, ranges as they apply at a place, and rows
 * that split where the action changes.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "proto/kafka/coverage.h"

static char *
print(enum kp_coverage_format format, kp_coverage_action_fn action)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	cr_assert_not_null(out);
	kp_coverage_print(out, format, action);
	cr_assert_eq(fclose(out), 0);
	return text;
}

static const char *
mask_names_from_v5(const struct kp_message *message,
    const struct kp_field *field, int16_t version)
{
	if (message->api_key == 3 && field->entity == KP_E_TOPIC_NAME &&
	    version >= 5)
		return "mask";
	return "pass";
}

Test(coverage, json_has_one_row_for_each_field)
{
	static const char *const rows[] = {
		"{\"api\":\"Produce\",\"key\":0,\"message\":\"response\","
		"\"valid\":\"0-13\",\"flexible\":\"9+\","
		"\"path\":\"NodeEndpoints[].Rack\",\"type\":\"string\","
		"\"versions\":\"10-13\",\"nullable\":\"10+\","
		"\"tagged\":\"none\",\"tag\":-1,\"default\":\"null\","
		"\"entity\":\"plain\",\"action\":\"pass\"},\n",
		"{\"api\":\"Produce\",\"key\":0,\"message\":\"response\","
		"\"valid\":\"0-13\",\"flexible\":\"9+\","
		"\"path\":\"NodeEndpoints\",\"type\":\"[]struct\","
		"\"versions\":\"10-13\",\"nullable\":\"none\","
		"\"tagged\":\"10+\",\"tag\":0,\"default\":null,"
		"\"entity\":\"endpoints\",\"action\":\"pass\"},\n",
		"{\"api\":\"SaslHandshake\",\"key\":17,\"message\":\"request\","
		"\"valid\":\"0-1\",\"flexible\":\"none\","
		"\"path\":\"Mechanism\",\"type\":\"string\","
		"\"versions\":\"0-1\",\"nullable\":\"none\","
		"\"tagged\":\"none\",\"tag\":-1,\"default\":null,"
		"\"entity\":\"saslMechanism\",\"action\":\"pass\"},\n",
	};
	char *text = print(KP_COVERAGE_JSON, NULL);

	cr_assert_eq(text[0], '[');
	cr_assert_str_eq(text + strlen(text) - 3, "\n]\n");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_assert_not_null(strstr(text, rows[i]), "%s", rows[i]);
	free(text);
}

Test(coverage, a_row_splits_where_the_action_changes)
{
	char *text = print(KP_COVERAGE_JSON, mask_names_from_v5);
	const char *metadata = strstr(text, "\"api\":\"Metadata\"");
	const char *name = strstr(metadata, "\"path\":\"Topics[].Name\"");

	cr_assert_not_null(strstr(name, "\"versions\":\"0-4\""));
	cr_assert(strstr(name, "\"versions\":\"0-4\"") <
		  strstr(name, "\"action\":\"pass\""));
	cr_assert(strstr(name, "\"action\":\"pass\"") <
		  strstr(name, "\"versions\":\"5-13\""));
	cr_assert(strstr(name, "\"versions\":\"5-13\"") <
		  strstr(name, "\"action\":\"mask\""));
	free(text);
}

Test(coverage, text_is_a_block_for_each_message)
{
	char *text = print(KP_COVERAGE_TEXT, NULL);
	const char *block =
	    strstr(text, "DeleteTopics (20), request, versions 0-6, "
			 "flexible from 4\n  versions");

	cr_assert_not_null(block);
	cr_assert_not_null(strstr(block,
	    "\n  6        string    6+       -   null                 "
	    "topicName        pass       Topics[].Name\n"));
	cr_assert_not_null(strstr(
	    text, "OffsetDelete (47), response, versions 0\n  versions"));
	free(text);
}
