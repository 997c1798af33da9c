/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/yaml_write.h"
#include "control/server/catalog_priv.h"
#include "rules/print.h"

/* Names, sorted, that something is looked for in. */
struct names {
	struct kp_catalog_id *list;
	size_t num;
};

static int
compare_ids(const void *left, const void *right)
{
	const struct kp_catalog_id *a = left, *b = right;

	return kp_items_compare(a->kind, a->name, b->kind, b->name);
}

static void
sort_names(struct names *names)
{
	if (names->num > 0)
		qsort(
		    names->list, names->num, sizeof(*names->list), compare_ids);
}

static bool
has_name(const struct names *names, const char *kind, const char *name)
{
	const struct kp_catalog_id id = { kind, name };

	return names->num > 0 && bsearch(&id, names->list, names->num,
				     sizeof(*names->list), compare_ids) != NULL;
}

/* One wish being judged. */
struct judgement {
	struct kp_draft *draft;
	const struct kp_items *items;
	const struct kp_catalog_wish *wish;
	struct kp_catalog_result *out;
	struct names given, deleted;
};

static void
add_files(struct judgement *j)
{
	struct kp_resources *set = j->draft->set;
	const struct kp_catalog_wish *wish = j->wish;

	for (size_t i = 0; i < wish->num_files; i++)
		kp_resources_add_file(set, wish->files[i].name,
		    wish->files[i].text, &j->out->problems);
	j->given.num = kp_resources_count(set);
	j->given.list = kp_alloc(j->given.num, sizeof(*j->given.list));
	for (size_t i = 0; i < j->given.num; i++) {
		const struct kp_resource *resource = kp_resources_at(set, i);

		j->given.list[i] = (struct kp_catalog_id){ resource->kind->name,
			resource->name };
	}
	sort_names(&j->given);
}

static void
take_deletions(struct judgement *j)
{
	const struct kp_catalog_wish *wish = j->wish;

	j->deleted.num = wish->num_deletions;
	j->deleted.list = kp_alloc(j->deleted.num, sizeof(*j->deleted.list));
	kp_copy(j->deleted.list, wish->deletions,
	    j->deleted.num * sizeof(*j->deleted.list));
	sort_names(&j->deleted);
}

/* One with problems is parsed once more, so that they are told. */
static void
add_stored(struct kp_resources *set, struct kp_item *item,
    struct kp_diagnostics *problems)
{
	const struct kp_resource *resource = kp_item_resource(item, NULL);
	char file[KP_ITEM_FILE_SIZE];

	if (resource != NULL) {
		kp_resources_add_shared(set, resource);
		return;
	}
	kp_item_file(item, file);
	kp_resources_add_file(set, file, kp_buf_bytes(&item->text), problems);
}

/* What is there already and shall stay as it is. */
static void
add_others(struct judgement *j)
{
	for (size_t i = 0; i < j->items->num; i++) {
		struct kp_item *item = j->items->list[i];

		if (!has_name(&j->given, item->kind, item->name) &&
		    !has_name(&j->deleted, item->kind, item->name))
			add_stored(j->draft->set, item, &j->out->problems);
	}
}

static enum kp_verdict
check_preconditions(const struct judgement *j, struct kp_error *err)
{
	const struct kp_catalog_wish *wish = j->wish;

	for (size_t i = 0; i < wish->num_preconditions; i++) {
		const struct kp_catalog_precondition *p =
		    &wish->preconditions[i];
		const struct kp_item *item =
		    kp_items_find(j->items, p->id.kind, p->id.name);
		uint64_t revision = item == NULL ? 0 : item->revision;

		if (revision == p->revision)
			continue;
		(void)kp_error_set(err, KP_ERR_CONFIG,
		    "%.63s \"%.63s\" has changed meanwhile: it is of revision "
		    "%llu, not %llu; get it again",
		    p->id.kind, p->id.name, (unsigned long long)revision,
		    (unsigned long long)p->revision);
		return KP_VERDICT_CONFLICT;
	}
	return KP_VERDICT_OK;
}

/* Each name once, in the files or among the deletions. */
static void
check_repetition(struct judgement *j)
{
	const struct kp_origin at = { .file = "request" };

	for (size_t i = 0; i < j->deleted.num; i++) {
		const struct kp_catalog_id *id = &j->deleted.list[i];
		bool is_again =
		    i > 0 && compare_ids(id, &j->deleted.list[i - 1]) == 0;

		if (is_again || has_name(&j->given, id->kind, id->name))
			kp_diagnostics_add(&j->out->problems, &at,
			    "%.63s \"%.63s\": is to be deleted, and named "
			    "once more",
			    id->kind, id->name);
	}
}

static enum kp_verdict
check_deletions(const struct judgement *j, struct kp_error *err)
{
	for (size_t i = 0; i < j->deleted.num; i++) {
		const struct kp_catalog_id *id = &j->deleted.list[i];

		if (kp_items_find(j->items, id->kind, id->name) != NULL)
			continue;
		(void)kp_error_set(err, KP_ERR_CONFIG,
		    "there is no %.63s \"%.63s\"", id->kind, id->name);
		return KP_VERDICT_NOT_FOUND;
	}
	return KP_VERDICT_OK;
}

static void
add_outcome(struct kp_catalog_result *out, const char *kind, const char *name,
    enum kp_outcome outcome)
{
	out->outcomes[out->num_outcomes++] = (struct kp_catalog_outcome){
		.kind = kp_strdup(kind),
		.name = kp_strdup(name),
		.outcome = outcome,
	};
}

static void
add_change(struct kp_draft *draft, const char *kind, const char *name,
    struct kp_bytes text, bool is_new)
{
	draft->changes[draft->num_changes++] =
	    (struct kp_store_change){ kind, name, text, is_new };
}

/* The canonical form of a resource, which is what is stored and compared. */
static bool
print_text(struct kp_buf *out, const struct kp_resource *resource,
    struct kp_diagnostics *problems)
{
	struct kp_yaml *tree = kp_print_resource(resource);

	kp_buf_init(out, KP_STORE_MAX_TEXT_LEN);
	kp_yaml_write(out, tree);
	kp_yaml_free(tree);
	if (out->is_refused)
		kp_resource_problem(
		    resource, &resource->at, problems, "no memory for it");
	else if (out->failed)
		kp_resource_problem(resource, &resource->at, problems,
		    "is larger than %u bytes", KP_STORE_MAX_TEXT_LEN);
	return !out->failed;
}

static void
take_given(struct judgement *j, const struct kp_resource *resource)
{
	const char *kind = resource->kind->name, *name = resource->name;
	const struct kp_item *item = kp_items_find(j->items, kind, name);
	struct kp_buf *text = &j->draft->texts[j->draft->num_texts++];

	if (!print_text(text, resource, &j->out->problems))
		return;
	if (item != NULL &&
	    kp_bytes_equal(kp_buf_bytes(&item->text), kp_buf_bytes(text))) {
		add_outcome(j->out, kind, name, KP_OUTCOME_UNCHANGED);
		return;
	}
	add_outcome(j->out, kind, name,
	    item == NULL ? KP_OUTCOME_CREATED : KP_OUTCOME_CONFIGURED);
	add_change(j->draft, kind, name, kp_buf_bytes(text), item == NULL);
}

static void
make_room(struct kp_draft *draft, struct kp_catalog_result *out, size_t num)
{
	draft->changes = kp_alloc(num, sizeof(*draft->changes));
	out->outcomes = kp_alloc(num, sizeof(*out->outcomes));
}

static void
take_all(struct judgement *j)
{
	const struct kp_catalog_wish *wish = j->wish;
	size_t num_given = j->given.num;

	make_room(j->draft, j->out, num_given + wish->num_deletions);
	j->draft->texts = kp_alloc(num_given, sizeof(*j->draft->texts));
	for (size_t i = 0; i < num_given; i++)
		take_given(j, kp_resources_at(j->draft->set, i));
	for (size_t i = 0; i < wish->num_deletions; i++) {
		const struct kp_catalog_id *id = &wish->deletions[i];

		add_outcome(j->out, id->kind, id->name, KP_OUTCOME_DELETED);
		add_change(j->draft, id->kind, id->name,
		    (struct kp_bytes){ .data = NULL }, false);
	}
}

static enum kp_verdict
judge(struct judgement *j, struct kp_error *err)
{
	enum kp_verdict verdict;

	add_files(j);
	take_deletions(j);
	verdict = check_preconditions(j, err);
	if (verdict == KP_VERDICT_OK)
		verdict = check_deletions(j, err);
	if (verdict != KP_VERDICT_OK)
		return verdict;
	check_repetition(j);
	add_others(j);
	if (!kp_resources_check(j->draft->set, &j->out->problems) ||
	    kp_diagnostics_count(&j->out->problems) > 0)
		return KP_VERDICT_INVALID;
	take_all(j);
	return KP_VERDICT_OK;
}

enum kp_verdict
kp_draft_wish(struct kp_draft *draft, const struct kp_items *items,
    const struct kp_catalog_wish *wish, struct kp_catalog_result *out,
    struct kp_error *err)
{
	struct judgement j = { draft, items, wish, out, { 0 }, { 0 } };
	enum kp_verdict verdict;

	draft->set = kp_resources_new();
	verdict = judge(&j, err);
	free(j.given.list);
	free(j.deleted.list);
	return verdict;
}

/* One step through two sorted lists at once: the next name of either. */
static int
compare_next(
    const struct kp_items *now, size_t i, const struct kp_items *old, size_t k)
{
	if (i == now->num)
		return 1;
	if (k == old->num)
		return -1;
	return kp_items_compare(now->list[i]->kind, now->list[i]->name,
	    old->list[k]->kind, old->list[k]->name);
}

static void
bring_back(struct kp_draft *draft, struct kp_catalog_result *out,
    const struct kp_item *item, enum kp_outcome outcome)
{
	add_outcome(out, item->kind, item->name, outcome);
	add_change(draft, item->kind, item->name, kp_buf_bytes(&item->text),
	    outcome == KP_OUTCOME_CREATED);
}

static void
remove_again(struct kp_draft *draft, struct kp_catalog_result *out,
    const struct kp_item *item)
{
	add_outcome(out, item->kind, item->name, KP_OUTCOME_DELETED);
	add_change(draft, item->kind, item->name,
	    (struct kp_bytes){ .data = NULL }, false);
}

void
kp_draft_return(struct kp_draft *draft, const struct kp_items *items,
    const struct kp_items *old, struct kp_catalog_result *out)
{
	draft->set = kp_resources_new();
	make_room(draft, out, items->num + old->num);
	for (size_t i = 0, k = 0; i < items->num || k < old->num;) {
		int order = compare_next(items, i, old, k);

		if (order < 0) {
			remove_again(draft, out, items->list[i++]);
			continue;
		}
		if (order > 0)
			bring_back(
			    draft, out, old->list[k], KP_OUTCOME_CREATED);
		else if (!kp_bytes_equal(kp_buf_bytes(&items->list[i++]->text),
			     kp_buf_bytes(&old->list[k]->text)))
			bring_back(
			    draft, out, old->list[k], KP_OUTCOME_CONFIGURED);
		add_stored(draft->set, old->list[k++], &out->problems);
	}
	/* a newer version of the server may see what an older one did not */
	(void)!kp_resources_check(draft->set, &out->problems);
}

void
kp_draft_fini(struct kp_draft *draft)
{
	for (size_t i = 0; i < draft->num_texts; i++)
		kp_buf_fini(&draft->texts[i]);
	free(draft->texts);
	free(draft->changes);
	kp_resources_free(draft->set);
}
