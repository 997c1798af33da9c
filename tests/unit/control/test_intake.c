/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "control/agent/intake.h"
#include "tests/support/pushes.h"

static struct kp_held *
finish(struct kp_intake *intake, struct kp_error *err)
{
	struct kp_diagnostics diagnostics = { .num_lines = 0 };
	struct kp_held *held = kp_intake_finish(intake, &diagnostics, err);

	kp_diagnostics_fini(&diagnostics);
	return held;
}

/* The set that one push makes of held; a failure ends the test. */
static struct kp_held *
apply(struct kp_held *held, const struct kp_test_push *push)
{
	struct kp_intake *intake = kp_intake_new(held, "/etc/kproxy");
	struct kp_error err = { 0 };
	struct kp_held *made;

	cr_assert(kp_intake_add(intake, &push->message, &err), "%s", err.text);
	made = finish(intake, &err);
	cr_assert_not_null(made, "%s", err.text);
	cr_assert_not_null(kp_held_resources(made));
	kp_intake_free(intake);
	return made;
}

/* Clusters a and b at revision 3. */
static struct kp_held *
two(void)
{
	struct kp_test_push push;
	struct kp_held *held;

	kp_test_push_init(&push, 3, 0);
	kp_test_push_cluster(&push, "b", "127.0.0.1:9092");
	kp_test_push_cluster(&push, "a", "127.0.0.1:9093");
	kp_test_push_digest(&push, NULL);
	held = apply(NULL, &push);
	kp_test_push_fini(&push);
	return held;
}

Test(intake, whole_set_is_sorted_and_parsed)
{
	struct kp_held *held = two();

	cr_assert_eq(kp_held_revision(held), 3);
	cr_assert_eq(kp_held_count(held), 2);
	cr_assert_str_eq(kp_held_at(held, 0)->name, "a");
	cr_assert_str_eq(kp_held_at(held, 1)->name, "b");
	cr_assert_eq(kp_resources_count(kp_held_resources(held)), 2);
	cr_assert(kp_resources_is_valid(kp_held_resources(held)));
	kp_held_unref(held);
}

Test(intake, delta_shares_what_did_not_change)
{
	struct kp_held *before = two(), *after;
	struct kp_test_push push;

	kp_test_push_init(&push, 5, 3);
	kp_test_push_cluster(&push, "c", "127.0.0.1:9094");
	kp_test_push_cluster(&push, "b", "127.0.0.1:9999");
	kp_test_push_digest(&push, before);
	after = apply(before, &push);
	cr_assert_eq(kp_held_count(after), 3);
	cr_assert_eq(kp_held_at(after, 0), kp_held_at(before, 0));
	cr_assert_neq(kp_held_at(after, 1), kp_held_at(before, 1));
	cr_assert_eq(
	    kp_resources_find(kp_held_resources(after), "Cluster", "a"),
	    kp_resources_find(kp_held_resources(before), "Cluster", "a"));
	cr_assert_str_eq(kp_held_at(after, 2)->name, "c");
	kp_test_push_fini(&push);

	/* what is shared outlives who had it first */
	kp_held_unref(before);
	kp_test_push_init(&push, 6, 5);
	kp_test_push_delete(&push, "b");
	kp_test_push_digest(&push, after);
	before = after;
	after = apply(before, &push);
	kp_held_unref(before);
	cr_assert_eq(kp_held_count(after), 2);
	cr_assert_str_eq(kp_held_at(after, 0)->name, "a");
	cr_assert_str_eq(kp_held_at(after, 1)->name, "c");
	cr_assert_not_null(strstr(kp_held_at(after, 0)->document, "9093"));
	kp_test_push_fini(&push);
	kp_held_unref(after);
}

Test(intake, parts_make_one_set)
{
	struct kp_intake *intake = kp_intake_new(NULL, "/etc/kproxy");
	struct kp_test_push first, last;
	struct kp_error err = { 0 };
	struct kp_held *held;

	kp_test_push_init(&first, 3, 0);
	kp_test_push_cluster(&first, "b", "127.0.0.1:9092");
	first.message.is_last = false;
	kp_test_push_init(&last, 3, 0);
	kp_test_push_cluster(&last, "a", "127.0.0.1:9093");
	held = two();
	kp_test_push_is(&last, kp_held_digest(held));
	kp_held_unref(held);
	cr_assert(kp_intake_add(intake, &first.message, &err));
	cr_assert(!kp_intake_is_whole(intake));
	cr_assert(kp_intake_add(intake, &last.message, &err));
	cr_assert(kp_intake_is_whole(intake));
	held = finish(intake, &err);
	cr_assert_not_null(held, "%s", err.text);
	cr_assert_eq(kp_held_count(held), 2);
	kp_held_unref(held);
	kp_intake_free(intake);
	kp_test_push_fini(&first);
	kp_test_push_fini(&last);
}

/* Says that add, or finish after it, fails with kind and text. */
static void
refused(struct kp_held *held, const struct kp_test_push *push,
    enum kp_error_kind kind, const char *text)
{
	struct kp_intake *intake = kp_intake_new(held, "/etc/kproxy");
	struct kp_error err = { 0 };

	if (kp_intake_add(intake, &push->message, &err)) {
		cr_assert(kp_intake_is_whole(intake), "%s", text);
		cr_assert_null(finish(intake, &err), "%s", text);
	}
	cr_assert_eq(err.kind, kind, "%s: %s", text, err.text);
	cr_assert_not_null(strstr(err.text, text), "%s", err.text);
	kp_intake_free(intake);
}

Test(intake, wrong_base_is_refused)
{
	struct kp_held *held = two();
	struct kp_test_push push;

	kp_test_push_init(&push, 5, 4);
	kp_test_push_cluster(&push, "c", "127.0.0.1:9094");
	kp_test_push_digest(&push, held);
	refused(held, &push, KP_ERR_UNAVAILABLE, "based on revision 4");
	refused(NULL, &push, KP_ERR_UNAVAILABLE, "holds 0");
	kp_test_push_fini(&push);
	kp_held_unref(held);
}

Test(intake, older_revision_is_refused_unless_it_is_a_rollback)
{
	struct kp_held *held = two(), *back;
	struct kp_test_push push;

	kp_test_push_init(&push, 2, 0);
	kp_test_push_cluster(&push, "a", "127.0.0.1:9092");
	kp_test_push_digest(&push, NULL);
	refused(held, &push, KP_ERR_CONFIG, "revision 2 is older than 3");
	push.message.is_rollback = true;
	back = apply(held, &push);
	cr_assert_eq(kp_held_revision(back), 2);
	cr_assert_eq(kp_held_count(back), 1);
	kp_held_unref(back);
	kp_test_push_fini(&push);
	kp_held_unref(held);
}

Test(intake, digest_must_be_that_of_the_set)
{
	struct kp_held *held = two();
	struct kp_test_push push;

	kp_test_push_init(&push, 5, 3);
	kp_test_push_cluster(&push, "c", "127.0.0.1:9094");
	kp_test_push_digest(&push, held);
	push.digest[31] ^= 1;
	refused(held, &push, KP_ERR_PROTOCOL, "another digest");
	push.message.sha256.len = 31;
	refused(held, &push, KP_ERR_PROTOCOL, "no digest");
	kp_test_push_fini(&push);
	kp_held_unref(held);
}

Test(intake, hostile_parts_are_refused)
{
	struct kp_held *held = two();
	struct kp_test_push push;
	char kind[] = "Cluster/../..", document[] = "x", name[] = "";

	kp_test_push_init(&push, 0, 0);
	kp_test_push_is(&push, kp_held_digest(held));
	refused(NULL, &push, KP_ERR_PROTOCOL, "revision 0");
	kp_test_push_fini(&push);

	kp_test_push_init(&push, 4, 0);
	push.message.is_last = false;
	refused(NULL, &push, KP_ERR_PROTOCOL, "nothing in it");
	kp_test_push_fini(&push);

	kp_test_push_init(&push, 4, 0);
	kp_test_push_cluster(&push, "a", "127.0.0.1:9092");
	kp_test_push_cluster(&push, "a", "127.0.0.1:9092");
	kp_test_push_digest(&push, NULL);
	refused(NULL, &push, KP_ERR_PROTOCOL, "twice");
	kp_test_push_fini(&push);

	kp_test_push_init(&push, 4, 3);
	kp_test_push_delete(&push, "nobody");
	kp_test_push_is(&push, kp_held_digest(held));
	refused(held, &push, KP_ERR_PROTOCOL, "is to be deleted");
	kp_test_push_fini(&push);

	kp_test_push_init(&push, 4, 3);
	kp_test_push_delete(&push, "a");
	kp_test_push_cluster(&push, "a", "127.0.0.1:9092");
	kp_test_push_is(&push, kp_held_digest(held));
	refused(held, &push, KP_ERR_PROTOCOL, "is to be deleted");
	kp_test_push_fini(&push);

	kp_test_push_init(&push, 4, 0);
	kp_test_push_add(&push, kind, "a", document);
	kp_test_push_is(&push, kp_held_digest(held));
	refused(NULL, &push, KP_ERR_PROTOCOL, "is not a name");
	kp_test_push_fini(&push);

	kp_test_push_init(&push, 4, 0);
	kp_test_push_add(&push, "Cluster", name, document);
	kp_test_push_is(&push, kp_held_digest(held));
	refused(NULL, &push, KP_ERR_PROTOCOL, "is not a name");
	kp_test_push_fini(&push);
	kp_held_unref(held);
}

Test(intake, parts_of_two_pushes_do_not_mix)
{
	struct kp_test_push first, other;
	struct kp_error err = { 0 };

	for (int i = 0; i < 3; i++) {
		struct kp_held *held = two();
		struct kp_intake *intake = kp_intake_new(held, "/etc/kproxy");

		kp_test_push_init(&first, 5, 3);
		kp_test_push_cluster(&first, "x", "127.0.0.1:9092");
		first.message.is_last = false;
		kp_test_push_init(&other, i == 0 ? 6 : 5, i == 1 ? 0 : 3);
		other.message.is_rollback = i == 2;
		kp_test_push_is(&other, kp_held_digest(held));
		cr_assert(kp_intake_add(intake, &first.message, &err));
		cr_assert(!kp_intake_add(intake, &other.message, &err));
		cr_assert_eq(err.kind, KP_ERR_PROTOCOL);
		kp_intake_free(intake);
		kp_test_push_fini(&first);
		kp_test_push_fini(&other);
		kp_held_unref(held);
	}
}

/* Adds the same part until it is refused; how often it was not. */
static size_t
add_until_refused(const struct kp_test_push *part, const char *text)
{
	struct kp_intake *intake = kp_intake_new(NULL, "/etc/kproxy");
	struct kp_error err = { 0 };
	size_t num = 0;

	while (kp_intake_add(intake, &part->message, &err))
		num++;
	cr_assert_eq(err.kind, KP_ERR_LIMIT);
	cr_assert_not_null(strstr(err.text, text), "%s", err.text);
	kp_intake_free(intake);
	return num;
}

Test(intake, resources_and_bytes_of_all_parts_are_bounded)
{
	struct kp_test_push part;
	char *document = kp_alloc(1u << 20, 1);

	kp_test_push_init(&part, 3, 0);
	part.message.is_last = false;
	kp_test_push_add(&part, "Cluster", "a", "x");
	cr_assert_eq(add_until_refused(&part, "more than 10000 resources"),
	    KP_MAX_RESOURCES);
	kp_test_push_fini(&part);

	kp_test_push_init(&part, 3, 0);
	part.message.is_last = false;
	kp_test_push_delete(&part, "a");
	cr_assert_eq(add_until_refused(&part, "more than 10000 resources"),
	    KP_MAX_RESOURCES);
	kp_test_push_fini(&part);

	(void)memset(document, 'x', (1u << 20) - 1);
	kp_test_push_init(&part, 3, 0);
	part.message.is_last = false;
	kp_test_push_add(&part, "Cluster", "a", document);
	/* each with eight bytes of names, and without its NUL */
	cr_assert_eq(add_until_refused(&part, "more than 64 MiB"), 63);
	kp_test_push_fini(&part);
	free(document);
}

Test(intake, a_set_grown_by_deltas_is_bounded_too)
{
	struct kp_test_push push;
	struct kp_held *held;
	char name[16];

	kp_test_push_init(&push, 3, 0);
	for (int i = 0; i < KP_MAX_RESOURCES; i++) {
		(void)snprintf(name, sizeof(name), "c%d", i);
		kp_test_push_cluster(&push, name, "127.0.0.1:9092");
	}
	kp_test_push_digest(&push, NULL);
	held = apply(NULL, &push);
	kp_test_push_fini(&push);
	kp_test_push_init(&push, 4, 3);
	kp_test_push_cluster(&push, "x", "127.0.0.1:9092");
	kp_test_push_digest(&push, held);
	refused(held, &push, KP_ERR_LIMIT, "more than 10000");
	kp_test_push_fini(&push);
	kp_held_unref(held);
}

/* The first problem with one document as a push of Cluster "a". */
static void
problem_of(const char *document, char out[512])
{
	struct kp_intake *intake = kp_intake_new(NULL, "/etc/kproxy");
	struct kp_diagnostics diagnostics = { .num_lines = 0 };
	struct kp_error err = { 0 };
	struct kp_test_push push;
	struct kp_held *held;

	kp_test_push_init(&push, 3, 0);
	kp_test_push_add(&push, "Cluster", "a", document);
	kp_test_push_digest(&push, NULL);
	cr_assert(kp_intake_add(intake, &push.message, &err));
	held = kp_intake_finish(intake, &diagnostics, &err);
	cr_assert_not_null(held, "%s", err.text);
	cr_assert_null(kp_held_resources(held));
	cr_assert(kp_diagnostics_count(&diagnostics) >= 1);
	(void)snprintf(out, 512, "%s", diagnostics.lines[0]);
	kp_held_unref(held);
	kp_diagnostics_fini(&diagnostics);
	kp_intake_free(intake);
	kp_test_push_fini(&push);
}

Test(intake, documents_that_are_wrong_are_named)
{
	static const struct {
		const char *document, *text;
	} cases[] = {
		{ KP_TEST_CLUSTER("b", "x:1"), "is not the document of" },
		{ KP_TEST_CLUSTER("a", "x:1") "---\n" KP_TEST_CLUSTER(
		      "b", "x:1"),
		    "is not the document of" },
		{ "", "is not the document of" },
		{ "kind: Clustr\n", "unknown kind \"Clustr\"" },
		{ KP_TEST_CLUSTER("a", "x:y"), "bootstrap" },
		{ "{", ":1:" },
	};
	char problem[512];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		problem_of(cases[i].document, problem);
		cr_expect(strncmp(problem, "/etc/kproxy/Cluster.a:", 22) == 0,
		    "%s", problem);
		cr_expect(strstr(problem, cases[i].text) != NULL, "%zu: %s", i,
		    problem);
	}
}

Test(intake, memory_that_is_refused_is_a_limit)
{
	struct kp_test_push push;
	bool is_done = false;

	kp_test_push_init(&push, 3, 0);
	kp_test_push_cluster(&push, "a", "127.0.0.1:9092");
	kp_test_push_cluster(&push, "b", "127.0.0.1:9092");
	kp_test_push_digest(&push, NULL);
	for (unsigned n = 1; !is_done; n++) {
		struct kp_intake *intake = kp_intake_new(NULL, "/etc");
		struct kp_error err = { 0 };

		kp_alloc_fail_after(n);
		is_done = kp_intake_add(intake, &push.message, &err);
		kp_alloc_fail_after(0);
		cr_assert(is_done || err.kind == KP_ERR_LIMIT);
		cr_assert(n < 100);
		kp_intake_free(intake);
	}
	kp_test_push_fini(&push);
}

/* A delta on what is held: all of it, or a reason; what was held stays. */
Test(intake, a_set_is_made_with_memory_for_all_of_it)
{
	struct kp_held *before = two(), *after = NULL;
	struct kp_test_push push;

	kp_test_push_init(&push, 5, 3);
	kp_test_push_cluster(&push, "b", "127.0.0.1:9999");
	kp_test_push_delete(&push, "a");
	kp_test_push_digest(&push, before);
	for (unsigned n = 1; after == NULL; n++) {
		struct kp_diagnostics diagnostics = { .num_lines = 0 };
		struct kp_intake *intake = kp_intake_new(before, "/etc");
		struct kp_error err = { 0 };

		cr_assert(n < 1000);
		kp_alloc_fail_after(n);
		if (kp_intake_add(intake, &push.message, &err))
			after = kp_intake_finish(intake, &diagnostics, &err);
		kp_alloc_fail_after(0);
		kp_intake_free(intake);
		cr_assert(after != NULL || err.kind == KP_ERR_LIMIT);
		/* what cannot be parsed is a set that is not valid */
		if (after != NULL && kp_held_resources(after) == NULL) {
			cr_assert(kp_diagnostics_count(&diagnostics) > 0);
			kp_held_unref(after);
			after = NULL;
		}
		kp_diagnostics_fini(&diagnostics);
		cr_assert_eq(kp_held_count(before), 2);
		cr_assert_not_null(kp_held_resources(before));
	}
	cr_assert_eq(kp_held_count(after), 1);
	kp_held_unref(after);
	kp_held_unref(before);
	kp_test_push_fini(&push);
}

Test(intake, a_kept_set_without_memory_is_not_called_another_one)
{
	struct kp_held *held = two(), *again = NULL;
	struct kp_buf packed;

	kp_buf_init(&packed, 4096);
	cr_assert(kp_held_pack(held, &packed));
	for (unsigned n = 1; again == NULL; n++) {
		struct kp_diagnostics diagnostics = { .num_lines = 0 };
		struct kp_error err = { 0 };

		cr_assert(n < 1000);
		kp_alloc_fail_after(n);
		again = kp_held_unpack(
		    kp_buf_bytes(&packed), "/etc", &diagnostics, &err);
		kp_alloc_fail_after(0);
		cr_assert(again != NULL || err.text[0] != '\0');
		cr_assert_null(strstr(err.text, "digest"), "%s", err.text);
		kp_diagnostics_fini(&diagnostics);
	}
	kp_held_unref(again);
	kp_held_unref(held);
	kp_buf_fini(&packed);
}

Test(intake, kept_sets_are_read_again_and_nothing_else)
{
	struct kp_diagnostics diagnostics = { .num_lines = 0 };
	struct kp_held *held = two(), *again;
	struct kp_error err = { 0 };
	struct kp_buf packed;

	kp_buf_init(&packed, 4096);
	cr_assert(kp_held_pack(held, &packed));
	again = kp_held_unpack(
	    kp_buf_bytes(&packed), "/etc/kproxy", &diagnostics, &err);
	cr_assert_not_null(again, "%s", err.text);
	cr_assert_eq(kp_held_revision(again), 3);
	cr_assert_eq(memcmp(kp_held_digest(again), kp_held_digest(held),
			 sizeof(struct kp_digest)),
	    0);
	kp_held_unref(again);
	for (size_t len = 0; len < packed.len; len++) {
		again = kp_held_unpack((struct kp_bytes){ packed.data, len },
		    "/etc/kproxy", &diagnostics, &err);
		cr_assert_null(again, "%zu", len);
	}
	packed.data[packed.len / 2] ^= 0x20;
	cr_assert_null(kp_held_unpack(
	    kp_buf_bytes(&packed), "/etc/kproxy", &diagnostics, &err));
	kp_buf_fini(&packed);
	kp_buf_init(&packed, 8);
	cr_assert(!kp_held_pack(held, &packed));
	kp_buf_fini(&packed);
	kp_diagnostics_fini(&diagnostics);
	kp_held_unref(held);
}
