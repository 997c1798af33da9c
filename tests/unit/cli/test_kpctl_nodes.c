/* SPDX-License-Identifier: Apache-2.0 */
/* kpctl and the hub itself, with agents that follow, refuse and go away. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "tests/support/hub_world.h"
#include "tests/support/policy.h"

struct world {
	struct kp_test_hub hub;
	struct kp_test_policy kpctl; /* only where it runs, and as whom */
	struct kp_test_agent a, b;
};

static void
write_bytes(const char *folder, const char *name, struct kp_bytes bytes)
{
	char *text = kp_strndup((const char *)bytes.data, bytes.len);

	kp_test_write(folder, name, text);
	free(text);
}

static void
begin(struct world *w)
{
	*w = (struct world){ .kpctl = { .server = NULL } };
	kp_test_hub_init(&w->hub);
	kp_test_hub_start(&w->hub);
	kp_test_folder(w->kpctl.folder);
	write_bytes(w->kpctl.folder, "ca.pem", kp_test_ca_pem(w->hub.ca));
	write_bytes(
	    w->kpctl.folder, "me.pem", w->hub.operator_pair.certificate_pem);
	write_bytes(w->kpctl.folder, "me.key", w->hub.operator_pair.key_pem);
	(void)snprintf(
	    w->kpctl.address, sizeof(w->kpctl.address), "%s", w->hub.address);
	kp_test_hub_commit(&w->hub, "orders", "", 9092);
	kp_test_agent_init(&w->a, &w->hub, "node-a");
	kp_test_agent_init(&w->b, &w->hub, "node-b");
	kp_test_agent_join(&w->a, "site=fra");
	kp_test_agent_join(&w->b, "site=ams");
	kp_test_agent_follow(&w->a, 1);
	kp_test_agent_follow(&w->b, 1);
	kp_test_hub_expect_state(&w->hub, "node-a",
	    KPROXY__CONTROL__V1__NODE_STATE__NODE_STATE_CURRENT);
	kp_test_hub_expect_state(&w->hub, "node-b",
	    KPROXY__CONTROL__V1__NODE_STATE__NODE_STATE_CURRENT);
}

static void
end(struct world *w)
{
	kp_test_agent_fini(&w->a);
	kp_test_agent_fini(&w->b);
	kp_test_hub_stop(&w->hub);
	kp_test_hub_fini(&w->hub);
	kp_test_folder_remove(w->kpctl.folder);
}

static void
expect(struct world *w, const char *line, int code, const char *out,
    const char *err)
{
	struct kp_test_run run;

	kp_test_kpctl(&run, &w->kpctl, line);
	cr_assert_eq(run.code, code, "%d: %s%s", run.code, run.out, run.err);
	cr_assert_not_null(strstr(run.out, out), "%s", run.out);
	cr_assert_not_null(strstr(run.err, err), "%s", run.err);
	kp_test_run_fini(&run);
}

Test(kpctl_nodes, status_says_who_runs_what_is_declared)
{
	struct world w;

	begin(&w);
	expect(&w, "status --check", 0, "2 nodes: 2 current; revision 1\n", "");
	expect(&w, "get nodes -l site=fra -o name", 0, "node/node-a\n", "");
	expect(&w, "describe node node-b", 0, "State:        current\n", "");
	expect(&w, "describe node node-c", 1, "", "node-c");
	expect(&w, "version", 0, "\nkpserver 0.", "");
	kp_test_hub_commit(&w.hub, "orders", "", 9093);
	kp_test_agent_follow(&w.a, 2);
	kp_test_agent_take(&w.b, 2);
	kp_test_agent_nack(&w.b, 2, "the port is taken");
	kp_test_hub_expect_state(&w.hub, "node-a",
	    KPROXY__CONTROL__V1__NODE_STATE__NODE_STATE_CURRENT);
	kp_test_hub_expect_state(&w.hub, "node-b",
	    KPROXY__CONTROL__V1__NODE_STATE__NODE_STATE_REFUSED);
	expect(&w, "status --check", 1,
	    "2 nodes: 1 current, 1 refused; revision 2\n", "");
	expect(&w, "status", 0, "the port is taken", "");
	expect(&w, "status -l site=fra --check", 0, "1 node: 1 current", "");
	end(&w);
}

Test(kpctl_nodes, who_waits_hears_who_does_not_follow)
{
	struct world w;

	begin(&w);
	expect(&w, "status --watch", 0, "2 nodes: 2 current", "");
	kp_test_hub_commit(&w.hub, "orders", "", 9093);
	kp_test_agent_follow(&w.a, 2);
	kp_test_agent_take(&w.b, 2);
	kp_test_hub_expect_state(&w.hub, "node-a",
	    KPROXY__CONTROL__V1__NODE_STATE__NODE_STATE_CURRENT);
	expect(&w, "status --watch --timeout=6s", 1, "1 behind",
	    "node/node-b is behind, at revision 1\n");
	kp_test_agent_nack(&w.b, 2, "the port is taken");
	kp_test_hub_expect_state(&w.hub, "node-b",
	    KPROXY__CONTROL__V1__NODE_STATE__NODE_STATE_REFUSED);
	expect(&w, "status --watch --timeout=1h", 1, "1 refused",
	    "node/node-b is refused, at revision 1: ");
	end(&w);
}

Test(kpctl_nodes, a_wait_ends_when_the_last_one_has_followed)
{
	struct kp_test_run run;
	struct world w;
	int child;

	begin(&w);
	kp_test_hub_commit(&w.hub, "orders", "", 9093);
	kp_test_agent_follow(&w.a, 2);
	kp_test_agent_take(&w.b, 2);
	child = kp_test_kpctl_start(&w.kpctl, "status --watch --timeout=1h");
	kp_test_agent_ack(&w.b);
	cr_assert(
	    kp_test_kpctl_said(&w.kpctl, "2 nodes: 2 current; revision 2\n"));
	kp_test_kpctl_end(&run, &w.kpctl, child);
	kp_test_run_fini(&run);
	end(&w);
}

Test(kpctl_nodes, a_node_that_is_cordoned_is_not_waited_for)
{
	struct world w;

	begin(&w);
	expect(&w, "cordon node/node-b --reason looked-at", 0,
	    "node/node-b cordoned\n", "");
	kp_test_hub_commit(&w.hub, "orders", "", 9093);
	kp_test_agent_follow(&w.a, 2);
	expect(&w, "status --watch --timeout=1h", 0, "(1 cordoned)", "");
	expect(&w, "status", 0, ",cordoned", "");
	expect(&w, "status", 0, "looked-at", "");
	expect(&w, "uncordon node-b", 0, "node/node-b uncordoned\n", "");
	kp_test_agent_follow(&w.b, 2);
	kp_test_hub_expect_state(&w.hub, "node-b",
	    KPROXY__CONTROL__V1__NODE_STATE__NODE_STATE_CURRENT);
	expect(&w, "status --check", 0, "2 nodes: 2 current", "");
	expect(&w, "cordon nobody --reason x", 1, "", "nobody");
	end(&w);
}
