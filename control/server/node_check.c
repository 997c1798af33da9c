/* SPDX-License-Identifier: Apache-2.0 */
/* What an agent may say, and how much of it is kept: all of it is shown to
 * others. */
#include <stdio.h>
#include <string.h>

#include "control/server/hub_priv.h"

/* How many bytes follow the first one of a character; -1: none begins so. */
static int
num_following(unsigned char first)
{
	if (first < 0x80)
		return 0;
	if (first >= 0xc2 && first <= 0xdf)
		return 1;
	if (first >= 0xe0 && first <= 0xef)
		return 2;
	return first >= 0xf0 && first <= 0xf4 ? 3 : -1;
}

/* Second bytes that would be a longer form, a surrogate or beyond U+10FFFF. */
static bool
is_second(unsigned char first, unsigned char second)
{
	unsigned char low = 0x80, high = 0xbf;

	if (first == 0xe0)
		low = 0xa0;
	if (first == 0xed)
		high = 0x9f;
	if (first == 0xf0)
		low = 0x90;
	if (first == 0xf4)
		high = 0x8f;
	return second >= low && second <= high;
}

bool
kp_node_is_text(const char *text, size_t max_len)
{
	const unsigned char *at = (const unsigned char *)text;

	if (strnlen(text, max_len + 1) > max_len)
		return false;
	while (*at != '\0') {
		unsigned char first = *at++;
		int num = num_following(first);

		if (num < 0 || (num > 0 && !is_second(first, *at)))
			return false;
		for (; num > 0; num--) {
			/* the NUL at the end is none of these */
			if ((*at++ & 0xc0) != 0x80)
				return false;
		}
	}
	return true;
}

/* Host names and what Kubernetes calls pods. */
static bool
is_node_name(const char *name)
{
	size_t len = strnlen(name, KP_NODE_MAX_NAME_LEN + 1);

	return len > 0 && len <= KP_NODE_MAX_NAME_LEN &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz"
			    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._") == len;
}

static const char *
check_labels(const Kproxy__Control__V1__Hello *hello)
{
	if (hello->n_labels > KP_MAX_LABELS)
		return "too many labels";
	for (size_t i = 0; i < hello->n_labels; i++) {
		const Kproxy__Control__V1__Label *label = hello->labels[i];
		const char *complaint = kp_label_name_complaint(label->name);

		if (complaint == NULL)
			complaint = kp_label_value_complaint(label->value);
		if (complaint != NULL)
			return complaint;
		for (size_t j = 0; j < i; j++) {
			if (strcmp(label->name, hello->labels[j]->name) == 0)
				return "a label is there twice";
		}
	}
	return NULL;
}

const char *
kp_node_check_hello(const Kproxy__Control__V1__Hello *hello)
{
	if (!is_node_name(hello->node))
		return "the node's name must have 1 to 253 letters, digits, "
		       "'-', '.' or '_'";
	if (!kp_node_is_text(hello->version, KP_NODE_MAX_VERSION_LEN))
		return "the version is too long or not in UTF-8";
	if (hello->revision != 0 && hello->sha256.len != KP_DIGEST_LEN)
		return "a revision without its SHA-256";
	return check_labels(hello);
}

bool
kp_node_is_peer(const struct kp_rpc_peer *peer, const char *name)
{
	char wanted[sizeof("DNS:") + KP_NODE_MAX_NAME_LEN];

	(void)snprintf(wanted, sizeof(wanted), "DNS:%s", name);
	return strcmp(peer->common_name, name) == 0 ||
	       kp_rpc_peer_has_name(peer, wanted);
}

struct kp_said *
kp_node_report(const Kproxy__Control__V1__Heartbeat *heartbeat)
{
	Kproxy__Control__V1__Counter *counters[KP_NODE_MAX_COUNTERS];
	Kproxy__Control__V1__Node node;

	kproxy__control__v1__node__init(&node);
	node.counters = counters;
	for (size_t i = 0; i < heartbeat->n_counters; i++) {
		if (node.n_counters == KP_NODE_MAX_COUNTERS)
			break;
		if (kp_node_is_text(
			heartbeat->counters[i]->name, KP_NODE_MAX_COUNTER_LEN))
			counters[node.n_counters++] = heartbeat->counters[i];
	}
	return kp_said_new(&node);
}

static bool
is_problem(const Kproxy__Control__V1__Problem *problem)
{
	return kp_node_is_text(problem->kind, KP_API_MAX_REPORT) &&
	       kp_node_is_text(problem->name, KP_API_MAX_REPORT) &&
	       kp_node_is_text(problem->field, KP_API_MAX_REPORT) &&
	       kp_node_is_text(problem->file, KP_API_MAX_REPORT) &&
	       kp_node_is_text(problem->message, KP_API_MAX_REPORT);
}

/* Takes over as many as there is room for; false if one is no text. */
static bool
take_problems(Kproxy__Control__V1__Problems *out,
    const Kproxy__Control__V1__Problems *from)
{
	size_t len = 0;

	out->left_out = from->left_out;
	for (size_t i = 0; i < from->n_problems; i++) {
		Kproxy__Control__V1__Problem *problem = from->problems[i];

		if (!is_problem(problem))
			return false;
		len += kproxy__control__v1__problem__get_packed_size(problem);
		if (len > KP_NODE_MAX_PROBLEMS_LEN ||
		    out->n_problems == KP_NODE_MAX_PROBLEMS)
			out->left_out++;
		else
			out->problems[out->n_problems++] = problem;
	}
	return true;
}

bool
kp_node_refusal(const Kproxy__Control__V1__Nack *nack, struct kp_said **out)
{
	Kproxy__Control__V1__Problem *list[KP_NODE_MAX_PROBLEMS];
	Kproxy__Control__V1__Problems problems;
	Kproxy__Control__V1__Node node;

	kproxy__control__v1__problems__init(&problems);
	problems.problems = list;
	*out = NULL;
	if (nack->problems != NULL && !take_problems(&problems, nack->problems))
		return false;
	kproxy__control__v1__node__init(&node);
	node.refused_revision = nack->revision;
	node.problems = &problems;
	*out = kp_said_new(&node);
	return true;
}
