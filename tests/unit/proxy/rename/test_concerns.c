/* SPDX-License-Identifier: Apache-2.0 */
/* Where nothing concerns the renaming it changes nothing. */
#include <criterion/criterion.h>

#include "proto/kafka/apis/apis.h"
#include "proxy/rename/answer.h"
#include "tests/support/cluster.h"
#include "tests/support/sample.h"

#define NUM_SEEDS 6

static enum kp_verdict
look(void *context, const struct kp_visit *visit, struct kp_replacement *out,
    struct kp_error *err)
{
	bool *concerns = context;

	(void)out;
	(void)err;
	*concerns = *concerns || kp_rename_concerns(visit);
	return KP_KEEP;
}

static void
on_learned(void *context, const struct kp_node *node)
{
	(void)context;
	(void)node;
}

static bool
is_changed(
    const struct kp_message *message, int16_t version, struct kp_bytes body)
{
	struct kp_topology *topology = kp_topology_new(&kp_test_cluster);
	struct kp_rewrite rewrite = { 0 };
	struct kp_rename rename;
	struct kp_visitor visitor;
	struct kp_error err = { 0 };
	bool is_other;

	kp_rename_init(&rename, &kp_test_listener, topology, on_learned, NULL);
	visitor = kp_rename_whole(&rename);
	cr_assert(
	    kp_walk_whole(message, version, body, &visitor, &rewrite, &err),
	    "%s v%d: %s", message->name, version, err.text);
	is_other = rewrite.is_changed;
	kp_rewrite_fini(&rewrite);
	kp_rename_fini(&rename);
	kp_topology_unref(topology);
	return is_other;
}

/* Counts what is of no concern; of that nothing may change. */
static unsigned
check(const struct kp_message *message, int16_t version, uint64_t seed)
{
	struct kp_sample sample = { .random = seed, .is_full = seed == 0 };
	bool concerns = false, has_unknown;
	struct kp_visitor visitor = { KP_RENAME_ANSWER_INTEREST, look,
		&concerns };
	struct kp_error err = { 0 };
	struct kp_buf body;

	kp_buf_init(&body, KP_SAMPLE_MAX_LEN);
	kp_sample_body(&sample, &body, message, version);
	cr_assert(kp_walk_look(message, version, kp_buf_bytes(&body), &visitor,
	    &has_unknown, &err));
	cr_assert(!has_unknown);
	if (!concerns)
		cr_assert(!is_changed(message, version, kp_buf_bytes(&body)),
		    "%s v%d seed %d", message->name, version, (int)seed);
	kp_buf_fini(&body);
	return !concerns;
}

Test(concerns, what_does_not_concern_the_renaming_is_not_changed)
{
	unsigned num = 0, num_clean = 0;

	for (int key = 0; key <= KP_MAX_API_KEY; key++) {
		const struct kp_api *api = kp_api_find((int16_t)key);

		if (api == NULL)
			continue;
		for (int16_t v = api->response->min_version;
		     v <= api->response->max_version; v++) {
			for (uint64_t seed = 0; seed < NUM_SEEDS; seed++, num++)
				num_clean += check(api->response, v, seed);
		}
	}
	cr_assert(num_clean > 0 && num_clean < num, "%u of %u", num_clean, num);
}
