/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each allocation of a node that follows a policy server is refused in turn:
 * while it starts, takes what is offered, and reads its files again. What is
 * offered comes into force, or is refused with that reason and what was in
 * force stays so; nothing is waited for that will not come. Supervisor and
 * worker are the test; the link is one that only notes what it is told, as
 * test_agent_link_faults.c has the real one.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "control/agent/agent_priv.h"
#include "control/agent/intake.h"
#include "proto/control/node_metrics.h"
#include "tests/support/folder.h"
#include "tests/support/pushes.h"

#define NODE \
	"node: edge-1\nstateDir: %s/state\nadmin: {listen: 127.0.0.1:9180}\n" \
	"control: {server: {addresses: [\"127.0.0.1:1\"],\n" \
	"  ca: ca.pem, certificate: me.pem, key: me.key}}\n"
#define LISTENER \
	"apiVersion: kproxy/v1\nkind: Listener\nmetadata: {name: l}\n" \
	"spec: {bind: 127.0.0.1, advertisedHost: localhost,\n" \
	"  ports: {bootstrap: 19092, first: 19093, count: 4}}\n"
#define VIRTUAL \
	"apiVersion: kproxy/v1\nkind: VirtualCluster\nmetadata: {name: v}\n" \
	"spec: {cluster: a, listener: l}\n"
/* Nothing here needs as many. */
#define MANY 2000
#define MAX_FRAMES (1u << 20)

/* What a link was told, and what it has to offer. */
struct kp_link {
	int event_fd;
	bool has_offer, is_taken;
	struct kp_link_offer offer;
	unsigned num_settled;
	bool is_refused; /* the last time that an offer was settled */
	char problem[KP_LINK_MAX_TEXT];
	uint64_t held; /* as it was told last; 0: nothing */
};

static struct kp_link the_link;

static struct kp_link *
link_open(const struct kp_link_config *config, struct kp_error *err)
{
	(void)config;
	(void)err;
	the_link = (struct kp_link){ .event_fd = eventfd(0, EFD_NONBLOCK) };
	return &the_link;
}

static void
link_close(struct kp_link *link)
{
	(void)close(link->event_fd);
}

static int
link_fd(const struct kp_link *link)
{
	return link->event_fd;
}

static bool
link_take(struct kp_link *link, struct kp_link_offer *out)
{
	bool has_offer = link->has_offer;

	cr_assert(!link->is_taken);
	*out = link->offer;
	link->offer = (struct kp_link_offer){ .held = NULL };
	link->has_offer = false;
	link->is_taken = has_offer;
	return has_offer;
}

static void
link_settle(struct kp_link *link, struct kp_held *held,
    const Kproxy__Control__V1__Problems *problems)
{
	link->held = held == NULL ? 0 : kp_held_revision(held);
	if (!link->is_taken)
		return;
	link->is_taken = false;
	link->num_settled++;
	link->is_refused = problems != NULL;
	if (problems == NULL)
		return;
	cr_assert(problems->n_problems > 0);
	(void)snprintf(link->problem, sizeof(link->problem), "%s",
	    problems->problems[0]->message);
}

static void
link_state(struct kp_link *link, struct kp_link_state *out)
{
	(void)link;
	*out = (struct kp_link_state){ .is_connected = true };
}

static bool
link_reload(struct kp_link *link, const struct kp_link_identity *identity,
    struct kp_error *err)
{
	(void)link;
	(void)identity;
	(void)err;
	return true;
}

static const struct kp_link_api link_api = {
	.open = link_open,
	.close = link_close,
	.fd = link_fd,
	.take = link_take,
	.settle = link_settle,
	.state = link_state,
	.reload = link_reload,
};

struct fixture {
	char folder[KP_TEST_PATH_LEN], config[KP_TEST_PATH_LEN];
	struct kp_source source;
	struct kp_watch *watch; /* kept: closing it waits for the system */
	struct kp_agent agent;
	int supervisor, worker; /* the test's ends */
	unsigned num_binds, num_tables;
	uint64_t revision;
};

static void
open_channels(struct fixture *f)
{
	struct kp_error err;
	int supervisor[2], worker[2];

	cr_assert(kp_channel_pair(supervisor, &err));
	cr_assert(kp_channel_pair(worker, &err));
	kp_channel_init(
	    &f->agent.supervisor, supervisor[0], KP_CHANNEL_SMALL_MESSAGE);
	kp_channel_init(&f->agent.worker, worker[0], KP_CHANNEL_SMALL_MESSAGE);
	f->supervisor = supervisor[1];
	f->worker = worker[1];
}

static void
make_files(struct fixture *f)
{
	char node[2 * KP_TEST_PATH_LEN];

	kp_test_folder(f->folder);
	(void)snprintf(node, sizeof(node), NODE, f->folder);
	kp_test_write(f->folder, "node.yaml", node);
	kp_test_write(f->folder, "ca.pem", "ca");
	kp_test_write(f->folder, "me.pem", "certificate");
	kp_test_write(f->folder, "me.key", "key");
	kp_test_path(f->config, f->folder, "node.yaml");
}

static size_t
no_lookup(void *ctx, const char *host, char **out, size_t max)
{
	(void)ctx;
	(void)host;
	(void)out;
	(void)max;
	return 0;
}

/* As kp_agent_main and what it calls do, up to kp_config_first. */
static void
begin(struct fixture *f)
{
	struct kp_agent *agent = &f->agent;
	struct kp_error err = { 0 };
	int fd = kp_metrics_new_segment(&kp_node_metrics, &err);

	*agent = (struct kp_agent){ .config_path = f->config,
		.link_api = &link_api,
		.is_following = true,
		.send_again_at_ms = KP_NEVER,
		.reload_at_ms = KP_NEVER,
		.save_nodes_at_ms = KP_NEVER,
		.save_tables_at_ms = KP_NEVER };
	f->num_binds = f->num_tables = 0;
	cr_assert(kp_source_load(&f->source, f->config, NULL));
	agent->config = &f->source.config;
	agent->node_file = kp_node_file_ref(f->source.node_file);
	agent->folder = kp_strdup(f->folder);
	open_channels(f);
	agent->status = kp_status_new();
	agent->nodes = kp_nodes_new();
	cr_assert(fd >= 0);
	agent->metrics = kp_metrics_map(&kp_node_metrics, fd, &err);
	(void)close(fd);
	agent->state = kp_state_open(agent->config->state_dir, &err);
	cr_assert_not_null(agent->state, "%s", err.text);
	agent->resolver = kp_resolver_new(no_lookup, NULL, &err);
	agent->watch = f->watch;
	agent->has_greeted = true;
	agent->facts.has_worker = true;
}

static void
end(struct fixture *f)
{
	struct kp_agent *agent = &f->agent;

	cr_assert(!agent->is_stopping);
	kp_follow_stop(agent);
	kp_link_offer_fini(&the_link.offer);
	kp_resolver_free(agent->resolver);
	kp_state_close(agent->state);
	kp_metrics_free(agent->metrics);
	kp_edition_free(agent->current);
	kp_edition_free(agent->next);
	kp_nodes_free(agent->nodes);
	kp_status_free(agent->status);
	kp_channel_fini(&agent->worker);
	kp_channel_fini(&agent->supervisor);
	(void)close(f->supervisor);
	(void)close(f->worker);
	kp_node_file_unref(agent->node_file);
	kp_source_fini(&f->source);
}

/* What came, in one piece; the length of it. */
static size_t
read_frames(int fd, uint8_t *out)
{
	size_t len = 0;
	ssize_t n;

	while ((n = recv(fd, out + len, MAX_FRAMES - len, MSG_DONTWAIT)) > 0)
		len += (size_t)n;
	return len;
}

static size_t
len_at(const uint8_t *at)
{
	return (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 |
	       at[3];
}

/* Answers as a supervisor or a worker that is content. */
static void
answer(struct fixture *f, const Kp__Node__Envelope *envelope)
{
	Kp__Node__Applied applied;
	Kp__Node__Bound bound;

	if (envelope->body_case == KP__NODE__ENVELOPE__BODY_BIND) {
		kp__node__bound__init(&bound);
		bound.id = envelope->bind->id;
		f->num_binds++;
		kp_rollout_on_bound(&f->agent, &bound);
	}
	if (envelope->body_case == KP__NODE__ENVELOPE__BODY_TABLES) {
		kp__node__applied__init(&applied);
		applied.generation = envelope->tables->generation;
		applied.is_ok = true;
		f->num_tables++;
		kp_rollout_on_applied(&f->agent, &applied);
	}
}

/* Answers all that waits on fd; false if there was nothing. */
static bool
answer_all(struct fixture *f, int fd)
{
	uint8_t *frames = kp_alloc(1, MAX_FRAMES);
	size_t len = read_frames(fd, frames);

	for (size_t at = 0; at < len; at += 4 + len_at(frames + at)) {
		Kp__Node__Envelope *envelope = kp__node__envelope__unpack(
		    NULL, len_at(frames + at), frames + at + 4);

		cr_assert_not_null(envelope);
		answer(f, envelope);
		kp__node__envelope__free_unpacked(envelope, NULL);
	}
	free(frames);
	return len > 0;
}

/* Until nobody has anything to say any more. */
static void
play(struct fixture *f)
{
	while (answer_all(f, f->supervisor) || answer_all(f, f->worker))
		kp_follow_turn(&f->agent);
}

/* A set of that revision, whole, as a link makes it. */
static struct kp_held *
make_set(const struct fixture *f, uint64_t revision)
{
	struct kp_intake *intake = kp_intake_new(NULL, f->folder);
	struct kp_diagnostics diagnostics = { .num_lines = 0 };
	struct kp_test_push push;
	struct kp_error err = { 0 };
	struct kp_held *held;

	kp_test_push_init(&push, revision, 0);
	kp_test_push_cluster(&push, "a",
	    revision % 2 == 0 ? "127.0.0.1:9092" : "127.0.0.2:9092");
	kp_test_push_add(&push, "Listener", "l", LISTENER);
	kp_test_push_add(&push, "VirtualCluster", "v", VIRTUAL);
	kp_test_push_digest(&push, NULL);
	cr_assert(kp_intake_add(intake, &push.message, &err), "%s", err.text);
	held = kp_intake_finish(intake, &diagnostics, &err);
	cr_assert(held != NULL && kp_held_resources(held) != NULL);
	kp_intake_free(intake);
	kp_test_push_fini(&push);
	return held;
}

/* Offers that revision while the n-th allocation fails; how far away that one
 * still was. */
static unsigned
offer(struct fixture *f, uint64_t revision, unsigned n)
{
	unsigned settled = the_link.num_settled, left;

	the_link.offer = (struct kp_link_offer){ .revision = revision,
		.held = make_set(f, revision) };
	the_link.has_offer = true;
	kp_alloc_fail_after(n);
	kp_follow_turn(&f->agent);
	play(f);
	left = kp_alloc_fail_after(0);
	cr_assert_eq(f->agent.step, KP_ROLLOUT_IDLE, "%u: step %d", n,
	    (int)f->agent.step);
	cr_assert_eq(the_link.num_settled, settled + 1, "%u", n);
	return left;
}

static bool
is_in_force(const struct fixture *f, uint64_t revision)
{
	const struct kp_held *held = f->agent.held;

	return held != NULL && kp_held_revision(held) == revision &&
	       f->agent.current->held == held && the_link.held == revision;
}

/* Who starts anew finds what was accepted last, in both forms. */
static void
expect_kept(struct fixture *f)
{
	struct kp_diagnostics diagnostics = { .num_lines = 0 };
	char path[KP_TEST_PATH_LEN];
	struct kp_buf packed;
	struct kp_error err = { 0 };
	struct kp_held *held;

	kp_test_path(path, f->folder, "state/tables.pb");
	cr_assert_eq(kp_state_generation(f->agent.state),
	    f->agent.current->tables->generation);
	cr_assert_eq(kp_state_content_hash(f->agent.state),
	    f->agent.current->content_hash);
	kp_buf_init(&packed, KP_STATE_MAX_LEN);
	cr_assert(kp_state_load_set(
	    f->agent.state, KP_STATE_SET_ACCEPTED, &packed, &err));
	held = kp_held_unpack(
	    kp_buf_bytes(&packed), f->folder, &diagnostics, &err);
	cr_assert_not_null(held, "%s", err.text);
	cr_assert_eq(kp_held_revision(held), f->revision);
	kp_held_unref(held);
	kp_buf_fini(&packed);
}

static void
set_up(struct fixture *f)
{
	struct kp_error err;

	*f = (struct fixture){ .revision = 1, .watch = kp_watch_new(&err) };
	make_files(f);
	begin(f);
	kp_config_first(&f->agent, &f->source);
	(void)offer(f, 1, 0);
	cr_assert(is_in_force(f, 1));
	expect_kept(f);
}

static void
tear_down(struct fixture *f)
{
	end(f);
	kp_watch_free(f->watch);
	kp_test_folder_remove(f->folder);
}

Test(follow_faults, an_offer_is_in_force_or_refused_for_want_of_memory)
{
	struct fixture f;
	unsigned n = 0, num_refused = 0, left = 0;

	set_up(&f);
	while (left == 0) {
		cr_assert(++n < MANY);
		left = offer(&f, f.revision + 1, n);
		if (!the_link.is_refused) {
			cr_assert(is_in_force(&f, ++f.revision), "%u", n);
			continue;
		}
		cr_assert_eq(left, 0);
		num_refused++;
		cr_assert_not_null(strstr(the_link.problem, "memory"), "%u: %s",
		    n, the_link.problem);
		cr_assert(is_in_force(&f, f.revision));
		(void)offer(&f, ++f.revision, 0);
		cr_assert(is_in_force(&f, f.revision), "%u", n);
		expect_kept(&f);
	}
	cr_assert(n > 5 && num_refused > 4, "%u, %u", n, num_refused);
	expect_kept(&f);
	tear_down(&f);
}

/* What was refused memory for its certificates reads them again. */
static void
expect_link(struct fixture *f)
{
	if (f->agent.link != NULL)
		return;
	cr_assert(f->agent.reload_at_ms < KP_NEVER);
	kp_config_reload(&f->agent, false);
	play(f);
	cr_assert_not_null(f->agent.link);
	cr_assert_eq(f->agent.reload_at_ms, KP_NEVER);
}

/* With what was kept before, or with what is offered then. */
Test(follow_faults, a_node_starts_whatever_it_cannot_read)
{
	struct fixture f;
	unsigned n = 0, num_bare = 0, left = 0;

	set_up(&f);
	while (left == 0) {
		cr_assert(++n < MANY);
		end(&f);
		begin(&f);
		kp_alloc_fail_after(n);
		kp_config_first(&f.agent, &f.source);
		play(&f);
		left = kp_alloc_fail_after(0);
		cr_assert_eq(f.agent.step, KP_ROLLOUT_IDLE, "%u", n);
		cr_assert(left == 0 || is_in_force(&f, f.revision));
		num_bare += f.agent.held == NULL;
		expect_link(&f);
		if (!is_in_force(&f, f.revision))
			(void)offer(&f, ++f.revision, 0);
		cr_assert(is_in_force(&f, f.revision), "%u", n);
		expect_kept(&f);
	}
	cr_assert(
	    n > 40 && num_bare > 30 && num_bare < n, "%u, %u", n, num_bare);
	tear_down(&f);
}

Test(follow_faults, files_are_read_again_or_not)
{
	struct fixture f;
	unsigned n = 0, num_refused = 0, left = 0;

	set_up(&f);
	while (left == 0) {
		cr_assert(++n < MANY);
		kp_alloc_fail_after(n);
		kp_config_reload(&f.agent, true);
		play(&f);
		left = kp_alloc_fail_after(0);
		cr_assert_eq(f.agent.step, KP_ROLLOUT_IDLE, "%u", n);
		cr_assert(is_in_force(&f, f.revision), "%u", n);
		if (f.agent.facts.is_config_valid)
			continue;
		num_refused++;
		cr_assert_not_null(strstr(f.agent.facts.problem, "memory"),
		    "%u: %s", n, f.agent.facts.problem);
		kp_config_reload(&f.agent, true);
		play(&f);
		cr_assert(f.agent.facts.is_config_valid, "%u", n);
	}
	cr_assert(n > 5 && num_refused > 2, "%u, %u", n, num_refused);
	tear_down(&f);
}

/* A worker that was started anew has no tables. */
Test(follow_faults, a_new_worker_is_given_tables_sooner_or_later)
{
	Kp__Node__Serving serving;
	struct fixture f;
	unsigned n = 0, left = 0;

	set_up(&f);
	kp__node__serving__init(&serving);
	while (left == 0) {
		unsigned num = f.num_tables;

		cr_assert(++n < MANY);
		kp_alloc_fail_after(n);
		kp_rollout_on_serving(&f.agent, &serving);
		play(&f);
		left = kp_alloc_fail_after(0);
		cr_assert_eq(f.agent.facts.is_serving, left > 0, "%u", n);
		if (left > 0)
			break;
		cr_assert_eq(f.num_tables, num);
		cr_assert(f.agent.send_again_at_ms < KP_NEVER);
		kp_rollout_send_again(&f.agent);
		play(&f);
		cr_assert(f.agent.facts.is_serving, "%u", n);
		cr_assert_eq(f.agent.send_again_at_ms, KP_NEVER);
	}
	cr_assert(n > 3, "%u", n);
	tear_down(&f);
}
