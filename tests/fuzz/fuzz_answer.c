/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers of a hostile broker through the address rewriting: whole and in
 * pieces. What comes out must be sound again, and a tail as long as it was.
 * The first two bytes choose API and version.
 */
#include <stdlib.h>

#include "proxy/rename/answer.h"
#include "tests/support/cluster.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SECRET_HOST "kafka-7.secret.internal"

static void
ignore(void *context, const struct kp_node *node)
{
	(void)context;
	(void)node;
}

static void
check_output(const struct kp_message *message, int16_t version,
    const struct kp_rewrite *rewrite)
{
	const struct kp_visitor nothing = { .interest = 0 };
	struct kp_error err;
	struct kp_buf out;

	kp_buf_init(&out, 1u << 20);
	for (unsigned i = 0; i < rewrite->num_spans; i++)
		kp_buf_add(&out, rewrite->spans[i].iov_base,
		    rewrite->spans[i].iov_len);
	if (!out.failed && !kp_walk_whole(message, version, kp_buf_bytes(&out),
			       &nothing, NULL, &err))
		abort();
	kp_buf_fini(&out);
}

static void
rewrite_whole(struct kp_rename *rename, const struct kp_message *message,
    int16_t version, struct kp_bytes body)
{
	struct kp_visitor visitor = kp_rename_whole(rename);
	struct kp_rewrite rewrite = { 0 };
	struct kp_error err;

	if (kp_walk_whole(message, version, body, &visitor, &rewrite, &err))
		check_output(message, version, &rewrite);
	kp_rewrite_fini(&rewrite);
}

static void
rewrite_pieces(struct kp_rename *rename, const struct kp_message *message,
    int16_t version, struct kp_bytes body)
{
	struct kp_visitor visitor = kp_rename_pieces(rename);
	uint8_t *copy = malloc(body.len + 1);
	enum kp_walk_status status = KP_WALK_MORE;
	struct kp_rewrite rewrite = { 0 };
	size_t at = 0, end = 0, used;
	struct kp_walker walker;
	struct kp_error err;

	if (copy == NULL)
		abort();
	kp_copy(copy, body.data, body.len);
	kp_walk_init(&walker, message, version, body.len, &visitor);
	kp_walk_stop_at_tail(&walker);
	while (status == KP_WALK_MORE && end < body.len) {
		end = end + 7 < body.len ? end + 7 : body.len;
		status =
		    kp_walk_feed(&walker, copy + at, end - at, &used, &err);
		at += used;
	}
	if (status == KP_WALK_TAIL) {
		struct kp_bytes tail = { copy + at, body.len - at };

		walker.visitor = kp_rename_whole(rename);
		if (kp_walk_tail(&walker, tail, &rewrite, &err) &&
		    rewrite.total_len != tail.len)
			abort();
	}
	kp_rewrite_fini(&rewrite);
	free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kp_rename rename;
	const struct kp_message *message;
	struct kp_bytes body;
	int16_t version, num_versions;

	if (size < 2 || kp_api_find(data[0] % (KP_MAX_API_KEY + 1)) == NULL)
		return 0;
	body = (struct kp_bytes){ data + 2, size - 2 };
	message = kp_api_find(data[0] % (KP_MAX_API_KEY + 1))->response;
	num_versions =
	    (int16_t)(message->max_version - message->min_version + 1);
	version = (int16_t)(message->min_version + data[1] % num_versions);
	kp_rename_init(&rename, &kp_test_listener,
	    kp_topology_new(&kp_test_cluster), ignore, NULL);
	(void)kp_topology_learn(
	    rename.scrub.topology, 7, kp_bytes_of(SECRET_HOST), 9092);
	rewrite_whole(&rename, message, version, body);
	rewrite_pieces(&rename, message, version, body);
	kp_topology_unref(rename.scrub.topology);
	kp_rename_fini(&rename);
	return 0;
}
