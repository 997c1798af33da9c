/* SPDX-License-Identifier: Apache-2.0 */
#include "control/server/hub.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "control/server/hub_priv.h"
#include "proto/control/unpack.h"
#include "tests/support/hub_world.h"

#define CURRENT KPROXY__CONTROL__V1__NODE_STATE__NODE_STATE_CURRENT
#define BEHIND KPROXY__CONTROL__V1__NODE_STATE__NODE_STATE_BEHIND
#define REFUSED KPROXY__CONTROL__V1__NODE_STATE__NODE_STATE_REFUSED
#define DRIFTED KPROXY__CONTROL__V1__NODE_STATE__NODE_STATE_DRIFTED
#define LOST KPROXY__CONTROL__V1__NODE_STATE__NODE_STATE_LOST

/* A document of that length; annotations may say anything. */
#define LONG_DOCUMENT (100u << 10)

static void
start(struct kp_test_hub *world)
{
	kp_test_hub_init(world);
	kp_test_hub_start(world);
}

Test(hub, an_agent_gets_all_and_then_what_changes)
{
	struct kp_test_hub world;
	struct kp_test_agent agent;

	start(&world);
	kp_test_hub_commit(&world, "a", "", 9092);
	kp_test_hub_commit(&world, "b", "", 9093);
	kp_test_agent_init(&agent, &world, "edge-1");
	kp_test_agent_join(&agent, NULL);
	kp_test_agent_follow(&agent, 2);
	cr_assert_eq(agent.based_on, 0);
	cr_assert_eq(agent.num, 2);
	kp_test_hub_expect_state(&world, "edge-1", CURRENT);
	kp_test_hub_commit(&world, "b", "", 9999);
	kp_test_agent_follow(&agent, 3);
	cr_assert_eq(agent.based_on, 2);
	cr_assert_eq(agent.num_changed, 1);
	cr_assert_not_null(strstr(agent.set[1].document, "9999"));
	kp_test_hub_commit(&world, "a", "", 0);
	kp_test_agent_follow(&agent, 4);
	cr_assert_eq(agent.num_deleted, 1);
	cr_assert_eq(agent.num_changed, 0);
	cr_assert_eq(agent.num, 1);
	kp_test_agent_fini(&agent);
	kp_test_hub_fini(&world);
}

Test(hub, an_empty_store_has_nothing_to_say)
{
	struct kp_test_hub world;
	struct kp_test_agent agent;

	start(&world);
	kp_test_agent_init(&agent, &world, "edge-1");
	kp_test_agent_join(&agent, NULL); /* before the first revision, too */
	kp_test_hub_tell(&world);
	kp_test_agent_hears_nothing(&agent);
	kp_test_hub_expect_state(&world, "edge-1", CURRENT);
	kp_test_hub_commit(&world, "a", "", 9092);
	kp_test_agent_follow(&agent, 1);
	kp_test_agent_fini(&agent);
	kp_test_hub_fini(&world);
}

Test(hub, revisions_in_between_are_left_out)
{
	struct kp_test_hub world;
	struct kp_test_agent agent;

	start(&world);
	kp_test_hub_commit(&world, "a", "", 1);
	kp_test_agent_init(&agent, &world, "edge-1");
	kp_test_agent_join(&agent, NULL);
	kp_test_agent_take(&agent, 1);
	for (unsigned port = 2; port <= 5; port++)
		kp_test_hub_commit(&world, "a", "", port);
	kp_test_agent_hears_nothing(&agent); /* one at a time */
	kp_test_hub_expect_state(&world, "edge-1", BEHIND);
	kp_test_agent_ack(&agent);
	kp_test_agent_follow(&agent, 5);
	cr_assert_eq(agent.based_on, 1);
	kp_test_hub_expect_state(&world, "edge-1", CURRENT);
	kp_test_agent_fini(&agent);
	kp_test_hub_fini(&world);
}

/* Commits num documents that are long. */
static void
commit_long(struct kp_test_hub *world, size_t num)
{
	struct kp_store_change *changes = kp_alloc(num, sizeof(*changes));
	char(*names)[32] = kp_alloc(num, sizeof(*names));
	char *text = kp_alloc(1, LONG_DOCUMENT + 1);
	int len = snprintf(text, LONG_DOCUMENT,
	    "apiVersion: kproxy/v1\nkind: Cluster\nmetadata: {name: x}\n"
	    "spec: {bootstrap: ['127.0.0.1:9092']}\n# ");

	(void)memset(text + len, 'x', LONG_DOCUMENT - (size_t)len);
	for (size_t i = 0; i < num; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "long-%zu", i);
		changes[i] = (struct kp_store_change){ "Cluster", names[i],
			kp_bytes_of(text), true };
	}
	kp_test_hub_commit_all(world, changes, num);
	free(text);
	free(names);
	free(changes);
}

Test(hub, a_large_set_comes_in_parts)
{
	struct kp_test_hub world;
	struct kp_test_agent agent;

	start(&world);
	commit_long(&world, 50);
	kp_test_agent_init(&agent, &world, "edge-1");
	kp_test_agent_join(&agent, NULL);
	kp_test_agent_follow(&agent, 1);
	cr_assert_eq(agent.num_parts, 25); /* two fit into 256 KiB */
	cr_assert_eq(agent.num, 50);
	kp_test_hub_expect_state(&world, "edge-1", CURRENT);
	kp_test_agent_fini(&agent);
	kp_test_hub_fini(&world);
}

Test(hub, nodes_get_what_reaches_them)
{
	struct kp_test_hub world;
	struct kp_test_agent fra, ams;

	start(&world);
	kp_test_hub_commit(&world, "all", "", 1);
	kp_test_hub_commit(&world, "fra", "site: fra", 2);
	kp_test_hub_commit(&world, "ams", "site: ams", 3);
	kp_test_agent_init(&fra, &world, "edge-1");
	kp_test_agent_init(&ams, &world, "edge-2");
	kp_test_agent_join(&fra, "site=fra");
	kp_test_agent_join(&ams, "site=ams");
	kp_test_agent_follow(&fra, 3);
	kp_test_agent_follow(&ams, 3);
	cr_assert_eq(fra.num, 2);
	cr_assert_str_eq(fra.set[1].name, "fra");
	cr_assert_eq(ams.num, 2);
	cr_assert_str_eq(ams.set[1].name, "ams");
	/* moved from one to the other; who has nothing new gets the number */
	kp_test_hub_commit(&world, "fra", "site: ams", 2);
	kp_test_agent_follow(&fra, 4);
	kp_test_agent_follow(&ams, 4);
	cr_assert_eq(fra.num_deleted, 1);
	cr_assert_eq(fra.num, 1);
	cr_assert_eq(ams.num, 3);
	kp_test_hub_commit(&world, "ams", "site: ams", 33);
	kp_test_agent_follow(&fra, 5);
	kp_test_agent_follow(&ams, 5);
	cr_assert_eq(fra.num_changed + fra.num_deleted, 0);
	cr_assert_eq(ams.num_changed, 1);
	kp_test_agent_fini(&fra);
	kp_test_agent_fini(&ams);
	kp_test_hub_fini(&world);
}

Test(hub, a_refusal_is_shown_until_there_is_something_newer)
{
	struct kp_test_hub world;
	struct kp_test_agent agent;
	Kproxy__Control__V1__GetNodeResponse *response;

	start(&world);
	kp_test_hub_commit(&world, "a", "", 1);
	kp_test_agent_init(&agent, &world, "edge-1");
	kp_test_agent_join(&agent, NULL);
	kp_test_agent_follow(&agent, 1);
	kp_test_hub_commit(&world, "a", "", 2);
	kp_test_agent_take(&agent, 2);
	kp_test_agent_nack(&agent, 2, "no such file");
	kp_test_hub_expect_state(&world, "edge-1", REFUSED);
	response = kp_test_hub_get(&world, "edge-1");
	cr_assert_eq(response->node->revision, 1);
	cr_assert_eq(response->node->wanted_revision, 2);
	cr_assert_eq(response->node->refused_revision, 2);
	cr_assert_str_eq(
	    response->node->problems->problems[0]->message, "no such file");
	kp_unpacked_free(&response->base);
	agent.revision = 1; /* it goes on with what it had */
	kp_test_agent_hears_nothing(&agent);
	kp_test_hub_commit(&world, "a", "", 3);
	kp_test_agent_follow(&agent, 3);
	cr_assert_eq(agent.based_on, 1);
	kp_test_hub_expect_state(&world, "edge-1", CURRENT);
	response = kp_test_hub_get(&world, "edge-1");
	cr_assert_eq(response->node->refused_revision, 0);
	kp_unpacked_free(&response->base);
	cr_assert_eq(
	    kp_test_hub_metric(&world, "kproxy_server_nacks_total"), 1);
	kp_test_agent_fini(&agent);
	kp_test_hub_fini(&world);
}

Test(hub, each_heartbeat_is_answered)
{
	struct kp_test_hub world;
	struct kp_test_agent agent;

	start(&world);
	kp_test_hub_commit(&world, "a", "", 1);
	kp_test_agent_init(&agent, &world, "edge-1");
	kp_test_agent_join(&agent, NULL);
	kp_test_agent_follow(&agent, 1);
	for (int i = 0; i < 3; i++) {
		kp_test_agent_heartbeat(&agent);
		kp_test_agent_answered(&agent);
	}
	/* also while it is kept at what it runs */
	cr_assert_eq(kp_test_hub_cordon(&world, "edge-1", true), KP_RPC_OK);
	kp_test_agent_heartbeat(&agent);
	kp_test_agent_answered(&agent);
	kp_test_agent_hears_nothing(&agent);
	cr_assert_eq(agent.num_alive, 4);
	kp_test_agent_fini(&agent);
	kp_test_hub_fini(&world);
}

Test(hub, drift_is_shown_and_made_good)
{
	struct kp_test_hub world;
	struct kp_test_agent agent;

	start(&world);
	kp_test_hub_commit(&world, "a", "", 1);
	kp_test_agent_init(&agent, &world, "edge-1");
	kp_test_agent_join(&agent, NULL);
	kp_test_agent_follow(&agent, 1);
	kp_test_agent_heartbeat(&agent);
	kp_test_hub_expect_state(&world, "edge-1", CURRENT);
	agent.digest.bytes[0] ^= 1;
	kp_test_agent_heartbeat(&agent);
	kp_test_agent_take(&agent, 1); /* whole, of the same revision */
	cr_assert_eq(agent.based_on, 0);
	kp_test_hub_expect_state(&world, "edge-1", DRIFTED);
	kp_test_agent_ack(&agent);
	kp_test_agent_heartbeat(&agent);
	kp_test_hub_expect_state(&world, "edge-1", CURRENT);
	/* who goes on so is not sent the same for ever */
	agent.digest.bytes[0] ^= 1;
	kp_test_agent_heartbeat(&agent);
	kp_test_agent_follow(&agent, 1);
	agent.digest.bytes[0] ^= 1;
	kp_test_agent_heartbeat(&agent);
	kp_test_agent_answered(&agent); /* what came before is counted, too */
	kp_test_agent_hears_nothing(&agent);
	kp_test_hub_expect_state(&world, "edge-1", DRIFTED);
	cr_assert_eq(
	    kp_test_hub_metric(&world, "kproxy_server_nodes_drifted_total"), 2);
	/* but the next one whole */
	kp_test_hub_commit(&world, "a", "", 2);
	kp_test_agent_follow(&agent, 2);
	cr_assert_eq(agent.based_on, 0);
	kp_test_agent_fini(&agent);
	kp_test_hub_fini(&world);
}

Test(hub, a_cordoned_node_stays_as_it_is)
{
	struct kp_test_hub world;
	struct kp_test_agent agent;
	Kproxy__Control__V1__GetNodeResponse *response;

	start(&world);
	kp_test_hub_commit(&world, "a", "", 1);
	kp_test_agent_init(&agent, &world, "edge-1");
	cr_assert_eq(
	    kp_test_hub_cordon(&world, "edge-1", true), KP_RPC_NOT_FOUND);
	kp_test_agent_join(&agent, NULL);
	kp_test_agent_follow(&agent, 1);
	kp_test_hub_expect_state(&world, "edge-1", CURRENT);
	cr_assert_eq(kp_test_hub_cordon(&world, "edge-1", true), KP_RPC_OK);
	kp_test_hub_commit(&world, "a", "", 2);
	kp_test_agent_hears_nothing(&agent);
	response = kp_test_hub_get(&world, "edge-1");
	cr_assert(response->node->is_cordoned);
	cr_assert_str_eq(response->node->cordon_reason, "why");
	cr_assert_eq(response->node->wanted_revision, 1);
	cr_assert_eq(response->node->state, CURRENT);
	kp_unpacked_free(&response->base);
	/* it outlives stream and server */
	kp_test_agent_close(&agent);
	kp_test_hub_stop(&world);
	kp_test_hub_start(&world);
	kp_test_hub_tell(&world);
	kp_test_agent_move(&agent, &world);
	kp_test_agent_open(&agent);
	kp_test_agent_hello(&agent, "edge-1", NULL);
	cr_assert(kp_test_agent_welcome(&agent));
	kp_test_agent_hears_nothing(&agent);
	cr_assert_eq(kp_test_hub_cordon(&world, "edge-1", false), KP_RPC_OK);
	kp_test_agent_follow(&agent, 2);
	kp_test_hub_expect_state(&world, "edge-1", CURRENT);
	kp_test_agent_fini(&agent);
	kp_test_hub_fini(&world);
}

/* What cannot be read for want of memory is neither forgotten nor lifted. */
Test(hub, a_cordon_outlives_refused_memory)
{
	Kproxy__Control__V1__GetNodeResponse *response;
	struct kp_test_agent agent;
	struct kp_test_hub world;

	start(&world);
	kp_test_hub_commit(&world, "a", "", 1);
	kp_test_agent_init(&agent, &world, "edge-1");
	kp_test_agent_join(&agent, NULL);
	kp_test_agent_follow(&agent, 1);
	cr_assert_eq(kp_test_hub_cordon(&world, "edge-1", true), KP_RPC_OK);
	kp_test_agent_close(&agent);
	kp_test_hub_expect_state(&world, "edge-1", LOST);
	for (unsigned n = 1; n <= 40; n++) {
		kp_hub_share(world.hub, false);
		kp_alloc_fail_after(n);
		kp_hub_share(world.hub, true);
		kp_alloc_fail_after(0);
		response = kp_test_hub_get(&world, "edge-1");
		cr_assert(response->node->is_cordoned, "%u", n);
		kp_unpacked_free(&response->base);
	}
	kp_test_agent_fini(&agent);
	kp_test_hub_fini(&world);
}

Test(hub, the_older_of_two_streams_of_a_node_ends)
{
	struct kp_test_hub world;
	struct kp_test_agent older, newer;

	start(&world);
	kp_test_hub_commit(&world, "a", "", 1);
	kp_test_agent_init(&older, &world, "edge-1");
	kp_test_agent_init(&newer, &world, "edge-1");
	kp_test_agent_join(&older, NULL);
	kp_test_agent_follow(&older, 1);
	kp_test_agent_join(&newer, NULL);
	kp_test_agent_expect_end(&older, KP_RPC_ALREADY_EXISTS, "newer stream");
	kp_test_agent_fini(&older);
	kp_test_agent_follow(&newer, 1);
	kp_test_hub_expect_state(&world, "edge-1", CURRENT);
	kp_test_agent_fini(&newer);
	kp_test_hub_expect_state(&world, "edge-1", LOST);
	kp_test_hub_fini(&world);
}

Test(hub, a_name_must_be_in_the_certificate)
{
	struct kp_test_hub world;
	struct kp_test_agent agent;

	start(&world);
	kp_test_agent_init(&agent, &world, "edge-1");
	kp_test_agent_open(&agent);
	kp_test_agent_hello(&agent, "edge-2", NULL);
	kp_test_agent_expect_end(
	    &agent, KP_RPC_PERMISSION_DENIED, "not of node \"edge-2\"");
	kp_test_agent_fini(&agent);
	kp_test_hub_fini(&world);
}

static void
expect_invalid(struct kp_test_agent *agent, const char *why)
{
	kp_test_agent_expect_end(agent, KP_RPC_INVALID_ARGUMENT, why);
	kp_test_agent_close(agent);
}

Test(hub, what_an_agent_must_not_say)
{
	struct kp_test_hub world;
	struct kp_test_agent agent;

	start(&world);
	kp_test_hub_commit(&world, "a", "", 1);
	kp_test_agent_init(&agent, &world, "edge-1");
	kp_test_agent_open(&agent);
	kp_test_agent_ack(&agent);
	expect_invalid(&agent, "hello comes first");
	kp_test_agent_open(&agent);
	kp_test_agent_hello(&agent, "edge 1", NULL);
	expect_invalid(&agent, "node's name");
	kp_test_agent_open(&agent);
	kp_test_agent_hello(&agent, "edge-1", "-a=b");
	expect_invalid(&agent, "");
	kp_test_agent_join(&agent, NULL);
	kp_test_agent_take(&agent, 1);
	kp_test_agent_hello(&agent, "edge-1", NULL);
	expect_invalid(&agent, "hello is said once");
	agent.revision = 0;
	kp_test_agent_join(&agent, NULL);
	kp_test_agent_take(&agent, 1);
	kp_test_agent_nack(&agent, 2, "");
	expect_invalid(&agent, "revision 2 is answered");
	agent.revision = 0;
	kp_test_agent_join(&agent, NULL);
	kp_test_agent_take(&agent, 1);
	kp_test_agent_nack(&agent, 1, "\xff");
	expect_invalid(&agent, "UTF-8");
	kp_test_agent_fini(&agent);
	kp_test_hub_fini(&world);
}

Test(hub, an_agent_ahead_of_the_store_is_turned_away)
{
	struct kp_test_hub world;
	struct kp_test_agent agent;

	kp_test_hub_init(&world);
	world.config.catch_up_ms = 0;
	kp_test_hub_start(&world);
	kp_test_hub_commit(&world, "a", "", 1);
	kp_test_agent_init(&agent, &world, "edge-1");
	agent.revision = 7;
	kp_test_agent_open(&agent);
	kp_test_agent_hello(&agent, "edge-1", NULL);
	kp_test_agent_expect_end(
	    &agent, KP_RPC_FAILED_PRECONDITION, "start it with --restored");
	kp_test_agent_fini(&agent);
	kp_test_hub_fini(&world);
}

Test(hub, a_server_that_is_late_catches_up)
{
	struct kp_test_hub world;
	struct kp_test_agent agent;

	kp_test_hub_init(&world);
	world.config.catch_up_ms = 60000;
	kp_test_hub_start(&world);
	kp_test_hub_commit(&world, "a", "", 1);
	kp_test_agent_init(&agent, &world, "edge-1");
	agent.revision = 2;
	kp_test_agent_join(&agent, NULL);
	kp_test_agent_hears_nothing(&agent);
	kp_test_hub_commit(&world, "a", "", 2);
	kp_test_agent_follow(&agent, 2); /* its digest was another one */
	cr_assert_eq(agent.based_on, 0);
	kp_test_agent_fini(&agent);
	kp_test_hub_fini(&world);
}

Test(hub, a_server_that_was_set_back_takes_its_agents_back)
{
	struct kp_test_hub world;
	struct kp_test_agent agent;

	kp_test_hub_init(&world);
	world.config.is_restored = true;
	kp_test_hub_start(&world);
	kp_test_hub_commit(&world, "a", "", 1);
	kp_test_agent_init(&agent, &world, "edge-1");
	agent.revision = 7;
	kp_test_agent_join(&agent, NULL);
	kp_test_agent_follow(&agent, 1);
	cr_assert(agent.is_rollback);
	cr_assert_eq(agent.based_on, 0);
	kp_test_hub_commit(&world, "a", "", 2);
	kp_test_agent_follow(&agent, 2);
	cr_assert(!agent.is_rollback);
	cr_assert_eq(agent.based_on, 1);
	kp_test_agent_fini(&agent);
	kp_test_hub_fini(&world);
}

Test(hub, who_comes_back_with_what_is_known_gets_the_difference)
{
	struct kp_test_hub world;
	struct kp_test_agent agent;

	start(&world);
	kp_test_hub_commit(&world, "a", "", 1);
	kp_test_hub_commit(&world, "b", "", 1);
	kp_test_agent_init(&agent, &world, "edge-1");
	kp_test_agent_join(&agent, NULL);
	kp_test_agent_follow(&agent, 2);
	kp_test_hub_expect_state(&world, "edge-1", CURRENT);
	kp_test_agent_close(&agent);
	kp_test_agent_join(&agent, NULL);
	kp_test_agent_hears_nothing(&agent); /* it has all */
	kp_test_hub_expect_state(&world, "edge-1", CURRENT);
	kp_test_agent_close(&agent);
	kp_test_hub_commit(&world, "b", "", 3);
	kp_test_agent_join(&agent, NULL);
	kp_test_agent_follow(&agent, 3);
	cr_assert_eq(agent.based_on, 2);
	/* older than all that is kept as a base */
	kp_test_agent_close(&agent);
	for (unsigned port = 10; port < 20; port++)
		kp_test_hub_commit(&world, "b", "", port);
	kp_test_agent_join(&agent, NULL);
	kp_test_agent_follow(&agent, 13);
	cr_assert_eq(agent.based_on, 0);
	kp_test_agent_fini(&agent);
	kp_test_hub_fini(&world);
}

Test(hub, who_does_not_read_is_in_nobodys_way)
{
	struct kp_test_hub world;
	struct kp_test_agent slow, quick;

	kp_test_hub_init(&world);
	world.limits.queued = 16;
	world.limits.queued_len = 4u << 20;
	kp_test_hub_start(&world);
	commit_long(&world, 200);
	kp_test_agent_init(&slow, &world, "edge-1");
	kp_test_agent_init(&quick, &world, "edge-2");
	kp_test_agent_join(&slow, NULL);
	kp_test_agent_join(&quick, NULL);
	kp_test_agent_follow(&quick, 1); /* 20 MB through a queue of 4 */
	for (unsigned port = 1; port < 5; port++) {
		kp_test_hub_commit(&world, "a", "", port);
		kp_test_agent_follow(&quick, port + 1);
	}
	/* its queue was never full, else its stream were gone */
	kp_test_hub_expect_state(&world, "edge-1", BEHIND);
	kp_test_agent_follow(&slow, 1);
	kp_test_agent_follow(&slow, 5);
	kp_test_hub_expect_state(&world, "edge-1", CURRENT);
	kp_test_agent_fini(&slow);
	kp_test_agent_fini(&quick);
	kp_test_hub_fini(&world);
}

Test(hub, who_does_not_read_is_given_up)
{
	struct kp_test_hub world;
	struct kp_test_agent agent;

	kp_test_hub_init(&world);
	world.config.lost_after_ms = 4000; /* long enough to be seen before */
	kp_test_hub_start(&world);
	commit_long(&world, 50);
	kp_test_agent_init(&agent, &world, "edge-1");
	kp_test_agent_open(&agent);
	kp_test_agent_hello(&agent, "edge-1", NULL);
	kp_test_hub_expect_state(&world, "edge-1", BEHIND);
	kp_test_hub_expect_state(&world, "edge-1", LOST);
	kp_test_agent_fini(&agent);
	kp_test_hub_fini(&world);
}

Test(hub, an_agent_that_is_silent_is_lost)
{
	struct kp_test_hub world;
	struct kp_test_agent agent;

	kp_test_hub_init(&world);
	world.config.lost_after_ms = 3000; /* the hello must come before */
	kp_test_hub_start(&world);
	kp_test_agent_init(&agent, &world, "edge-1");
	kp_test_agent_open(&agent);
	kp_test_agent_hello(&agent, "edge-1", NULL);
	kp_test_agent_expect_end(
	    &agent, KP_RPC_DEADLINE_EXCEEDED, "no word from the agent");
	kp_test_hub_expect_state(&world, "edge-1", LOST);
	cr_assert_eq(
	    kp_test_hub_metric(&world, "kproxy_server_agents_lost_total"), 1);
	kp_test_agent_close(&agent);
	kp_test_agent_open(&agent); /* without a hello */
	kp_test_agent_expect_end(
	    &agent, KP_RPC_DEADLINE_EXCEEDED, "no word from the agent");
	kp_test_agent_fini(&agent);
	kp_test_hub_fini(&world);
}

Test(hub, a_push_is_answered_in_time)
{
	struct kp_test_hub world;
	struct kp_test_agent agent;

	kp_test_hub_init(&world);
	world.config.answer_ms = 200;
	kp_test_hub_start(&world);
	kp_test_hub_commit(&world, "a", "", 1);
	kp_test_agent_init(&agent, &world, "edge-1");
	kp_test_agent_open(&agent);
	kp_test_agent_hello(&agent, "edge-1", NULL);
	kp_test_agent_expect_end(
	    &agent, KP_RPC_DEADLINE_EXCEEDED, "no answer to what was pushed");
	kp_test_agent_fini(&agent);
	kp_test_hub_fini(&world);
}

Test(hub, nodes_outlive_the_server)
{
	struct kp_test_hub world;
	struct kp_test_agent agent;
	Kproxy__Control__V1__GetNodeResponse *response;

	start(&world);
	kp_test_hub_commit(&world, "a", "", 1);
	kp_test_agent_init(&agent, &world, "edge-1");
	kp_test_agent_join(&agent, "site=fra");
	kp_test_agent_follow(&agent, 1);
	kp_test_hub_commit(&world, "a", "", 2);
	kp_test_agent_take(&agent, 2);
	kp_test_agent_nack(&agent, 2, "no such file");
	kp_test_hub_expect_state(&world, "edge-1", REFUSED);
	kp_rpc_channel_free(world.viewer);
	kp_rpc_server_free(world.server, 5000);
	kp_test_agent_expect_end(&agent, KP_RPC_UNAVAILABLE, "stopping");
	kp_test_agent_fini(&agent);
	kp_hub_free(world.hub);
	kp_test_hub_start(&world);
	kp_test_hub_tell(&world);
	response = kp_test_hub_get(&world, "edge-1");
	cr_assert_eq(response->node->state, LOST);
	cr_assert_eq(response->node->revision, 1);
	cr_assert_eq(response->node->wanted_revision, 2);
	cr_assert_eq(response->node->refused_revision, 2);
	cr_assert_str_eq(
	    response->node->problems->problems[0]->message, "no such file");
	cr_assert_str_eq(response->node->labels[0]->value, "fra");
	cr_assert_str_eq(response->node->server, "server-1");
	kp_unpacked_free(&response->base);
	kp_test_hub_fini(&world);
}

Test(hub, servers_over_one_store_show_the_same_nodes)
{
	struct kp_test_hub world, other;
	struct kp_test_agent agent, moved;
	Kproxy__Control__V1__GetNodeResponse *response;
	int64_t deadline_ms;

	start(&world);
	kp_test_hub_commit(&world, "a", "", 1);
	kp_test_agent_init(&agent, &world, "edge-1");
	kp_test_agent_join(&agent, NULL);
	kp_test_agent_follow(&agent, 1);
	kp_test_hub_expect_state(&world, "edge-1", CURRENT);
	kp_test_hub_init_beside(&other, &world);
	kp_test_hub_start(&other);
	kp_test_hub_tell(&other);
	while (kp_test_hub_cordon(&other, "edge-1", true) != KP_RPC_OK)
		; /* until the other one has written its record */
	kp_test_hub_expect_state(&other, "edge-1", CURRENT);
	response = kp_test_hub_get(&other, "edge-1");
	cr_assert_str_eq(response->node->server, "server-1");
	kp_unpacked_free(&response->base);
	/* it moves, and comes twice: cordoned there, too */
	deadline_ms = kp_now_ms() + 60000;
	kp_test_agent_init(&moved, &other, "edge-1");
	kp_test_agent_open(&moved);
	kp_test_agent_hello(&moved, "edge-1", NULL);
	cr_assert(kp_test_agent_welcome(&moved));
	kp_test_agent_expect_end(
	    &agent, KP_RPC_ALREADY_EXISTS, "at another server");
	/* that it is cordoned may be read after that */
	while (!(response = kp_test_hub_get(&world, "edge-1"))
		    ->node->is_cordoned) {
		kp_unpacked_free(&response->base);
		cr_assert(kp_now_ms() < deadline_ms);
	}
	cr_assert_str_eq(response->node->server, "server-2");
	kp_unpacked_free(&response->base);
	kp_test_agent_fini(&moved);
	kp_test_hub_expect_state(&world, "edge-1", LOST);
	kp_test_agent_fini(&agent);
	kp_test_hub_fini(&other);
	kp_test_hub_fini(&world);
}

Test(hub, a_node_that_is_gone_is_forgotten)
{
	struct kp_test_hub world;
	struct kp_test_agent agent;
	Kproxy__Control__V1__GetNodeRequest request;
	struct kp_rpc_result result;
	char name[] = "edge-1";
	bool is_there = true;

	kp_test_hub_init(&world);
	world.config.forget_after_ms = 100;
	kp_test_hub_start(&world);
	kp_test_agent_init(&agent, &world, name);
	kp_test_agent_join(&agent, NULL);
	kp_test_agent_fini(&agent);
	kproxy__control__v1__get_node_request__init(&request);
	request.name = name;
	for (int64_t end = kp_now_ms() + 60000; is_there;) {
		cr_assert(kp_now_ms() < end);
		is_there = kp_rpc_channel_call(world.viewer, &kp_api_get_node,
		    &result, &request.base, end, NULL);
		if (!is_there)
			cr_assert_eq(result.status.code, KP_RPC_NOT_FOUND);
		kp_rpc_result_fini(&result);
	}
	kp_test_hub_stop(&world);
	kp_test_hub_start(&world);
	cr_assert_eq(kp_test_hub_metric(&world, "kproxy_server_nodes"), 0);
	kp_test_hub_fini(&world);
}

/* A page of the list; adds "name " of each node to out. */
static char *
list_page(struct kp_test_hub *world, const char *selector, const char *token,
    struct kp_buf *out)
{
	Kproxy__Control__V1__ListNodesRequest request;
	const Kproxy__Control__V1__ListNodesResponse *response;
	struct kp_rpc_result result;
	char *next;

	kproxy__control__v1__list_nodes_request__init(&request);
	request.selector = (char *)(uintptr_t)selector;
	request.page_token = (char *)(uintptr_t)token;
	request.page_size = 2;
	request.is_brief = true;
	cr_assert(kp_rpc_channel_call(world->viewer, &kp_api_list_nodes,
		      &result, &request.base, kp_now_ms() + 60000, NULL),
	    "%s", result.status.sentence);
	response =
	    (const Kproxy__Control__V1__ListNodesResponse *)result.answer;
	for (size_t i = 0; i < response->n_nodes; i++) {
		kp_buf_printf(out, "%s ", response->nodes[i]->name);
		cr_assert_eq(response->nodes[i]->n_counters, 0);
	}
	kp_buf_add_text(out, "| ");
	next = kp_strdup(response->next_page_token);
	kp_rpc_result_fini(&result);
	return next;
}

static void
expect_list(struct kp_test_hub *world, const char *selector, const char *wanted)
{
	char *token = kp_strdup(""), *next;
	struct kp_buf found;

	kp_buf_init(&found, 4096);
	do {
		next = list_page(world, selector, token, &found);
		free(token);
		token = next;
	} while (token[0] != '\0');
	free(token);
	kp_buf_add(&found, "", 1);
	cr_assert_str_eq(
	    (const char *)found.data, wanted, "%s", (const char *)found.data);
	kp_buf_fini(&found);
}

Test(hub, nodes_are_listed_in_pages)
{
	static const char *const names[] = { "c", "a", "e", "b", "d" };
	struct kp_test_hub world;
	struct kp_test_agent agents[5];

	start(&world);
	for (size_t i = 0; i < 5; i++) {
		kp_test_agent_init(&agents[i], &world, names[i]);
		kp_test_agent_join(
		    &agents[i], i % 2 == 0 ? "site=fra" : "site=ams");
		kp_test_agent_heartbeat(&agents[i]);
	}
	expect_list(&world, "", "a b | c d | e | ");
	expect_list(&world, "site=fra", "c d | e | ");
	expect_list(&world, "site!=fra", "a b | ");
	expect_list(&world, "nothing", "| ");
	for (size_t i = 0; i < 5; i++)
		kp_test_agent_fini(&agents[i]);
	kp_test_hub_fini(&world);
}

Test(hub, what_it_counts)
{
	struct kp_test_hub world;
	struct kp_test_agent agent;
	Kproxy__Control__V1__GetNodeResponse *response;

	start(&world);
	kp_test_hub_commit(&world, "a", "", 1);
	kp_test_agent_init(&agent, &world, "edge-1");
	kp_test_agent_join(&agent, NULL);
	kp_test_agent_follow(&agent, 1);
	kp_test_hub_expect_state(&world, "edge-1", CURRENT);
	kp_test_hub_commit(&world, "a", "", 2);
	kp_test_agent_follow(&agent, 2);
	kp_test_agent_heartbeat(&agent);
	kp_test_agent_answered(&agent); /* what it said is known by then */
	kp_test_hub_expect_state(&world, "edge-1", CURRENT);
	cr_assert_eq(
	    kp_test_hub_metric(&world, "kproxy_server_agents_connected"), 1);
	cr_assert_eq(
	    kp_test_hub_metric(&world, "kproxy_server_pushes_total"), 2);
	cr_assert_eq(kp_test_hub_metric(&world, "kproxy_server_acks_total"), 2);
	/* the first one says nothing of how long a commit takes */
	cr_assert_eq(
	    kp_test_hub_metric(&world, "kproxy_server_push_lag_seconds_count"),
	    1);
	response = kp_test_hub_get(&world, "edge-1");
	cr_assert_str_eq(
	    response->node->counters[0]->name, "kproxy_requests_total");
	kp_unpacked_free(&response->base);
	kp_test_agent_fini(&agent);
	kp_test_hub_fini(&world);
}
