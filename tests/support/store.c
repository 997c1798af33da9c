/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/store.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

/* Says why before it ends the test. */
static void
must(bool is_so, const char *text)
{
	if (!is_so)
		(void)fprintf(stderr, "%s\n", text);
	kp_assert(is_so);
}

const struct kp_store_note kp_test_note = { "ada", "because", 1234 };

struct kp_store_change
kp_test_put(const char *name, const char *text)
{
	return (
	    struct kp_store_change){ "Cluster", name, kp_bytes_of(text), true };
}

struct kp_store_change
kp_test_removal(const char *name)
{
	return (struct kp_store_change){ "Cluster", name, { 0 }, true };
}

uint64_t
kp_test_commit(
    struct kp_store *store, uint64_t base, struct kp_store_change change)
{
	struct kp_error err = { 0 };
	uint64_t number = 0;

	must(kp_store_commit(store, base, &kp_test_note, &change, 1, &number,
		 &err) == KP_STORE_OK,
	    err.text);
	kp_assert(number == base + 1);
	return number;
}

static void
print_item(void *ctx, const struct kp_store_item *item)
{
	kp_buf_printf(ctx, "%s/%s@%llu=%.*s ", item->kind, item->name,
	    (unsigned long long)item->revision, (int)item->text.len,
	    (const char *)item->text.data);
}

static void
print_revision(void *ctx, const struct kp_store_revision *revision)
{
	kp_buf_printf(ctx,
	    "%llu %s %s %lld:", (unsigned long long)revision->number,
	    revision->note.identity, revision->note.reason,
	    (long long)revision->note.time_ms);
	for (size_t i = 0; i < revision->num_changes; i++) {
		const struct kp_store_change *change = &revision->changes[i];

		kp_buf_printf(ctx, " %s/%s=%.*s", change->kind, change->name,
		    (int)change->text.len,
		    change->text.data == NULL
			? ""
			: (const char *)change->text.data);
		if (change->text.data == NULL)
			kp_buf_add_text(ctx, "gone");
	}
	kp_buf_add_text(ctx, "\n");
}

static void
expect_text(struct kp_buf *found, const char *wanted)
{
	kp_buf_add(found, "", 1);
	must(strcmp((const char *)found->data, wanted) == 0,
	    (const char *)found->data);
	kp_buf_fini(found);
}

void
kp_test_expect_state(struct kp_store *store, uint64_t at, const char *wanted)
{
	struct kp_error err = { 0 };
	struct kp_buf found;

	kp_buf_init(&found, 1 << 16);
	must(kp_store_load(store, at, print_item, &found, KP_NEVER, &err) ==
		 KP_STORE_OK,
	    err.text);
	expect_text(&found, wanted);
}

void
kp_test_expect_history(
    struct kp_store *store, uint64_t after, uint64_t last, const char *wanted)
{
	struct kp_error err = { 0 };
	struct kp_buf found;

	kp_buf_init(&found, 1 << 16);
	must(kp_store_history(store, after, last, print_revision, &found,
		 KP_NEVER, &err) == KP_STORE_OK,
	    err.text);
	expect_text(&found, wanted);
}

struct kp_store_range
kp_test_range(struct kp_store *store)
{
	struct kp_store_range range;
	struct kp_error err = { 0 };

	must(kp_store_range(store, &range, KP_NEVER, &err) == KP_STORE_OK,
	    err.text);
	return range;
}

void
kp_test_no_item(void *ctx, const struct kp_store_item *item)
{
	(void)ctx;
	must(false, item->name);
}

void
kp_test_no_revision(void *ctx, const struct kp_store_revision *revision)
{
	(void)ctx;
	must(false, revision->note.identity);
}
