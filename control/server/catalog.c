/* SPDX-License-Identifier: Apache-2.0 */
#include "control/server/catalog.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "control/server/catalog_priv.h"

/* How often a wish is judged anew because another server was faster. */
#define MAX_ATTEMPTS 16

struct kp_catalog {
	struct kp_store *store;
	struct kp_items items;
};

struct kp_catalog *
kp_catalog_open(struct kp_store *store, struct kp_error *err)
{
	struct kp_catalog *catalog = kp_alloc(1, sizeof(*catalog));

	catalog->store = store;
	if (kp_catalog_refresh(catalog, err))
		return catalog;
	kp_catalog_close(catalog);
	return NULL;
}

void
kp_catalog_close(struct kp_catalog *catalog)
{
	kp_items_fini(&catalog->items);
	free(catalog);
}

const struct kp_items *
kp_catalog_items(const struct kp_catalog *catalog)
{
	return &catalog->items;
}

bool
kp_catalog_refresh(struct kp_catalog *catalog, struct kp_error *err)
{
	struct kp_store_range range;

	if (kp_store_range(catalog->store, &range, err) != KP_STORE_OK)
		return false;
	if (range.newest == catalog->items.revision)
		return true;
	return kp_items_load(&catalog->items, catalog->store, range.newest,
		   err) == KP_STORE_OK;
}

void
kp_catalog_result_fini(struct kp_catalog_result *result)
{
	for (size_t i = 0; i < result->num_outcomes; i++) {
		free(result->outcomes[i].kind);
		free(result->outcomes[i].name);
	}
	free(result->outcomes);
	kp_diagnostics_fini(&result->problems);
}

/* Another server may have been faster: then everything is judged again. */
static enum kp_verdict
commit(struct kp_catalog *catalog, const struct kp_draft *draft,
    const struct kp_store_note *note, struct kp_catalog_result *out,
    bool *out_is_late, struct kp_error *err)
{
	enum kp_store_result result =
	    kp_store_commit(catalog->store, catalog->items.revision, note,
		draft->changes, draft->num_changes, &out->revision, err);

	const struct kp_origin at = { .file = "request" };

	*out_is_late = result == KP_STORE_CONFLICT;
	if (result == KP_STORE_INVALID) {
		kp_diagnostics_add(&out->problems, &at, "%s", err->text);
		return KP_VERDICT_INVALID;
	}
	if (result != KP_STORE_OK)
		return KP_VERDICT_UNAVAILABLE;
	kp_items_change(
	    &catalog->items, out->revision, draft->changes, draft->num_changes);
	return KP_VERDICT_OK;
}

/* What becomes of a draft; *out_is_late: another one is to be made. */
static enum kp_verdict
settle(struct kp_catalog *catalog, const struct kp_draft *draft,
    const struct kp_store_note *note, bool is_dry_run,
    struct kp_catalog_result *out, bool *out_is_late, struct kp_error *err)
{
	*out_is_late = false;
	out->revision = catalog->items.revision;
	if (kp_diagnostics_count(&out->problems) > 0)
		return KP_VERDICT_INVALID;
	if (is_dry_run || draft->num_changes == 0)
		return KP_VERDICT_OK;
	return commit(catalog, draft, note, out, out_is_late, err);
}

enum kp_verdict
kp_catalog_apply(struct kp_catalog *catalog, const struct kp_catalog_wish *wish,
    struct kp_catalog_result *out, struct kp_error *err)
{
	enum kp_verdict verdict = KP_VERDICT_UNAVAILABLE;
	bool is_late = true;

	*out = (struct kp_catalog_result){ .num_outcomes = 0 };
	for (int i = 0; i < MAX_ATTEMPTS && is_late; i++) {
		struct kp_draft draft = { .num_changes = 0 };

		if (!kp_catalog_refresh(catalog, err))
			return KP_VERDICT_UNAVAILABLE;
		kp_catalog_result_fini(out);
		*out = (struct kp_catalog_result){ .num_outcomes = 0 };
		is_late = false;
		verdict =
		    kp_draft_wish(&draft, &catalog->items, wish, out, err);
		if (verdict == KP_VERDICT_OK)
			verdict = settle(catalog, &draft, &wish->note,
			    wish->is_dry_run, out, &is_late, err);
		kp_draft_fini(&draft);
	}
	return verdict;
}

static enum kp_verdict
load_old(struct kp_catalog *catalog, uint64_t at, struct kp_items *out,
    struct kp_error *err)
{
	switch (kp_items_load(out, catalog->store, at, err)) {
	case KP_STORE_OK:
		return KP_VERDICT_OK;
	case KP_STORE_COMPACTED:
		return KP_VERDICT_COMPACTED;
	case KP_STORE_INVALID:
		return KP_VERDICT_NOT_FOUND;
	case KP_STORE_CONFLICT:
	case KP_STORE_FAILED:
		break;
	}
	return KP_VERDICT_UNAVAILABLE;
}

enum kp_verdict
kp_catalog_rollback(struct kp_catalog *catalog, uint64_t to, bool is_dry_run,
    const struct kp_store_note *note, struct kp_catalog_result *out,
    struct kp_error *err)
{
	struct kp_items old = { .num = 0 };
	enum kp_verdict verdict = load_old(catalog, to, &old, err);
	bool is_late = verdict == KP_VERDICT_OK;

	*out = (struct kp_catalog_result){ .num_outcomes = 0 };
	for (int i = 0; i < MAX_ATTEMPTS && is_late; i++) {
		struct kp_draft draft = { .num_changes = 0 };

		kp_catalog_result_fini(out);
		*out = (struct kp_catalog_result){ .num_outcomes = 0 };
		if (!kp_catalog_refresh(catalog, err)) {
			verdict = KP_VERDICT_UNAVAILABLE;
			break;
		}
		kp_draft_return(&draft, &catalog->items, &old, out);
		verdict = settle(
		    catalog, &draft, note, is_dry_run, out, &is_late, err);
		kp_draft_fini(&draft);
	}
	kp_items_fini(&old);
	return verdict;
}
