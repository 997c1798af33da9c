/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/news.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/yaml_tree.h"
#include "cli/output.h"
#include "cli/view.h"
#include "proto/control/unpack.h"

/* One resource that has been shown. */
struct kp_news_item {
	Kproxy__Control__V1__Resource *resource; /* a copy of ours */
	size_t len;                              /* packed */
};

/* What a change is called, in tables and for programs. */
enum event { ADDED, MODIFIED, DELETED };
static const char *const event_names[] = { "ADDED", "MODIFIED", "DELETED" };

/* What is said of one resource by a list or a revision. */
struct told {
	Kproxy__Control__V1__Resource *resource; /* the list's, or a copy */
	bool is_copy;
	bool is_gone; /* it is not there, or not one that was asked for */
};

/* Makes what is known next of what is known and what was told. */
struct merge {
	struct kp_news *news;
	struct kp_buf *out;
	bool is_whole; /* what was not told is not there */
	struct kp_news_item *next;
	size_t num, len;
	bool has_failed;
	struct kp_error *err; /* if it has */
};

bool
kp_news_init(struct kp_news *out, const struct kp_args *args,
    const struct kp_targets *targets, struct kp_error *err)
{
	const char *selector = kp_args_text(args, "selector");

	*out = (struct kp_news){ .args = args, .targets = targets };
	out->selector =
	    kp_selector_parse(selector == NULL ? "" : selector, err);
	return out->selector != NULL;
}

void
kp_news_fini(struct kp_news *news)
{
	for (size_t i = 0; i < news->num; i++)
		kp_unpacked_free(&news->known[i].resource->base);
	free(news->known);
	kp_selector_free(news->selector);
	*news = (struct kp_news){ .num = 0 };
}

const char *
kp_news_kind(const struct kp_news *news)
{
	const char *kind = news->targets->list[0].kind;

	for (size_t i = 1; kind != NULL && i < news->targets->num; i++) {
		const char *other = news->targets->list[i].kind;

		if (other == NULL || strcmp(kind, other) != 0)
			kind = NULL;
	}
	return kind;
}

/* Names alone are shown without documents, but labels are in them. */
bool
kp_news_has_documents(const struct kp_news *news)
{
	return !kp_output_is(news->args, "name") ||
	       kp_args_text(news->args, "selector") != NULL;
}

static int
compare(const Kproxy__Control__V1__Resource *a,
    const Kproxy__Control__V1__Resource *b)
{
	int order = strcmp(a->kind, b->kind);

	return order != 0 ? order : strcmp(a->name, b->name);
}

static int
compare_told(const void *left, const void *right)
{
	const struct told *a = left, *b = right;

	return compare(a->resource, b->resource);
}

static bool
is_wanted(const struct kp_news *news, const char *kind, const char *name)
{
	for (size_t i = 0; i < news->targets->num; i++) {
		const struct kp_target *target = &news->targets->list[i];

		if (target->kind != NULL && strcmp(target->kind, kind) != 0)
			continue;
		if (target->name == NULL || strcmp(target->name, name) == 0)
			return true;
	}
	return false;
}

static void
add_tree(struct kp_buf *out, const struct kp_news *news, enum event event,
    const Kproxy__Control__V1__Resource *resource)
{
	struct kp_yaml *root = kp_yaml_new_map();
	struct kp_yaml *tree = kp_view_tree(resource);

	kp_yaml_put(root, "type", kp_yaml_new_text(event_names[event]));
	kp_yaml_put(
	    root, "revision", kp_view_number(resource->resource_version));
	kp_yaml_put(root, "object", tree == NULL ? kp_yaml_new_null() : tree);
	if (kp_output_is(news->args, "yaml"))
		kp_buf_add_text(out, "---\n");
	kp_output_add_tree(out, news->args, root);
	kp_yaml_free(root);
}

static void
add_line(struct kp_buf *out, const struct kp_news *news, enum event event,
    Kproxy__Control__V1__Resource *resource)
{
	const struct kp_view view = { news->args, false, 0 };
	struct kp_buf row;

	kp_buf_printf(out, "%-8s   ", event_names[event]);
	if (kp_output_is(news->args, "name")) {
		kp_kind_title(out, resource->kind, resource->name);
		kp_buf_add_text(out, "\n");
		return;
	}
	/* the heading would be said for each; a row says enough */
	kp_buf_init(&row, KP_OUTPUT_MAX_LEN);
	kp_view_table(&row, &view, &resource, 1, true);
	kp_output_part(&row);
	if (!kp_args_is(news->args, "no-headers") && row.len > 0) {
		const uint8_t *end = memchr(row.data, '\n', row.len);
		/* half a heading, for which there was no memory, has no end */
		size_t skip =
		    end == NULL ? row.len : (size_t)(end - row.data) + 1;

		kp_buf_add(out, row.data + skip, row.len - skip);
	} else {
		kp_buf_add(out, row.data, row.len);
	}
	kp_buf_fini(&row);
}

static void
add_event(struct merge *merge, enum event event,
    Kproxy__Control__V1__Resource *resource)
{
	const struct kp_news *news = merge->news;

	if (kp_output_is(news->args, "json") ||
	    kp_output_is(news->args, "yaml"))
		add_tree(merge->out, news, event, resource);
	else
		add_line(merge->out, news, event, resource);
}

/* A copy that is freed as an unpacked message; NULL if there is no memory, or
 * it is larger than any that a server of ours sends. */
static Kproxy__Control__V1__Resource *
copy_of(const Kproxy__Control__V1__Resource *resource, struct kp_error *err)
{
	size_t len = kproxy__control__v1__resource__get_packed_size(resource);
	uint8_t *packed = kp_try_alloc(len);
	ProtobufCMessage *copy;

	if (packed == NULL) {
		(void)kp_error_set(
		    err, KP_ERR_LIMIT, "no memory for what is watched");
		return NULL;
	}
	(void)kproxy__control__v1__resource__pack(resource, packed);
	copy = kp_unpack(&kproxy__control__v1__resource__descriptor,
	    (struct kp_bytes){ packed, len },
	    len * KP_RPC_UNFOLD + KP_RPC_UNFOLD_MIN, err);
	free(packed);
	return (Kproxy__Control__V1__Resource *)copy;
}

static void
keep(struct merge *merge, const struct kp_news_item *item)
{
	merge->next[merge->num++] = *item;
	merge->len += item->len;
}

/* Keeps what was told as ours. */
static void
take(struct merge *merge, struct told *told)
{
	struct kp_news_item item = { .resource = told->resource };

	if (!told->is_copy)
		item.resource = copy_of(told->resource, merge->err);
	if (item.resource == NULL) {
		merge->has_failed = true;
		return;
	}
	told->resource = item.resource;
	told->is_copy = false;
	item.len =
	    kproxy__control__v1__resource__get_packed_size(item.resource);
	keep(merge, &item);
}

/* One resource: known, told, or both (else NULL). */
static void
settle(struct merge *merge, struct kp_news_item *known, struct told *told)
{
	bool is_gone = told == NULL ? merge->is_whole : told->is_gone;

	if (known != NULL && !is_gone &&
	    (told == NULL || known->resource->resource_version ==
				 told->resource->resource_version)) {
		keep(merge, known);
		return;
	}
	if (is_gone && known != NULL)
		add_event(merge, DELETED, known->resource);
	if (told != NULL && !is_gone) {
		add_event(
		    merge, known == NULL ? ADDED : MODIFIED, told->resource);
		take(merge, told);
	}
	if (known != NULL)
		kp_unpacked_free(&known->resource->base);
}

/* Both are sorted; what is told twice counts once. */
static void
settle_all(struct merge *merge, struct told *told, size_t num)
{
	const struct kp_news *news = merge->news;
	size_t a = 0, b = 0;

	while (a < news->num || b < num) {
		int order = a == news->num ? 1
			    : b == num     ? -1
					   : compare(news->known[a].resource,
						 told[b].resource);
		size_t same = b + 1;

		while (order >= 0 && same < num &&
		       compare_told(&told[b], &told[same]) == 0)
			same++;
		settle(merge, order <= 0 ? &news->known[a] : NULL,
		    order >= 0 ? &told[b] : NULL);
		a += order <= 0;
		b = order >= 0 ? same : b;
	}
}

static bool
is_within_bounds(const struct kp_news *news, struct kp_error *err)
{
	if (news->num <= KP_FETCH_MAX_RESOURCES &&
	    news->len <= KP_FETCH_MAX_LEN)
		return true;
	return kp_error_set(err, KP_ERR_LIMIT,
	    "there are more than %d resources or %u MiB: that is too much to "
	    "be watched",
	    KP_FETCH_MAX_RESOURCES, KP_FETCH_MAX_LEN >> 20);
}

/* Adds what is news in told, which is sorted and given back. */
static bool
tell(struct kp_news *news, struct kp_buf *out, struct told *told, size_t num,
    bool is_whole, struct kp_error *err)
{
	struct merge merge = { .news = news,
		.out = out,
		.is_whole = is_whole,
		.next = kp_alloc(news->num + num, sizeof(*merge.next)),
		.err = err };

	if (num > 0)
		qsort(told, num, sizeof(*told), compare_told);
	settle_all(&merge, told, num);
	free(news->known);
	news->known = merge.next;
	news->num = merge.num;
	news->len = merge.len;
	return !merge.has_failed && is_within_bounds(news, err);
}

bool
kp_news_list(struct kp_news *news, struct kp_buf *out,
    const struct kp_listed *listed, struct kp_error *err)
{
	struct told *told = kp_alloc(listed->num, sizeof(*told));
	size_t num = 0;
	bool is_ok;

	for (size_t i = 0; i < listed->num; i++) {
		Kproxy__Control__V1__Resource *resource = listed->list[i];

		if (is_wanted(news, resource->kind, resource->name))
			told[num++].resource = resource;
	}
	is_ok = tell(news, out, told, num, true, err);
	news->revision = listed->revision;
	free(told);
	return is_ok;
}

/* Labels of a document as pairs that are borrowed from it. */
static size_t
read_labels(struct kp_label out[KP_MAX_LABELS], const struct kp_yaml *document)
{
	const struct kp_yaml *map = NULL;
	size_t num = 0;

	if (document != NULL)
		map = kp_view_at(document, "metadata.labels");
	if (map == NULL || map->kind != KP_YAML_MAP)
		return 0;
	for (size_t i = 0; i < map->num_items && num < KP_MAX_LABELS; i++) {
		if (map->items[i]->kind != KP_YAML_SCALAR)
			continue;
		out[num].name = map->keys[i]->text;
		out[num++].value = map->items[i]->text;
	}
	return num;
}

static bool
is_selected(
    const struct kp_news *news, const struct kp_label *pairs, size_t num)
{
	struct kp_labels labels;
	bool is_selected;

	kp_labels_init(&labels, pairs, num);
	is_selected = kp_selector_matches(news->selector, &labels);
	kp_labels_fini(&labels);
	return is_selected;
}

/* Tells a resource with the labels of its document, if they are those that
 * were asked for. */
static void
tell_labelled(struct told *out, const struct kp_news *news,
    const Kproxy__Control__V1__Resource *resource,
    const struct kp_yaml *document, struct kp_error *err)
{
	Kproxy__Control__V1__Label labels[KP_MAX_LABELS], *list[KP_MAX_LABELS];
	Kproxy__Control__V1__Resource labelled = *resource;
	struct kp_label pairs[KP_MAX_LABELS];

	labelled.n_labels = read_labels(pairs, document);
	labelled.labels = list;
	for (size_t i = 0; i < labelled.n_labels; i++) {
		kproxy__control__v1__label__init(&labels[i]);
		labels[i].name = (char *)(uintptr_t)pairs[i].name;
		labels[i].value = (char *)(uintptr_t)pairs[i].value;
		list[i] = &labels[i];
	}
	out->is_gone |= !is_selected(news, pairs, labelled.n_labels);
	if (out->is_gone || kp_output_is(news->args, "name"))
		labelled.document = (char *)(uintptr_t) "";
	out->resource = copy_of(&labelled, err);
	out->is_copy = true;
}

/* A document that cannot be read has no labels: so its server finds it, too.
 * One that there is no memory for says nothing. */
static bool
tell_change(struct told *out, const struct kp_news *news, uint64_t revision,
    const Kproxy__Control__V1__Change *change, struct kp_error *err)
{
	Kproxy__Control__V1__Resource resource;
	const struct kp_yaml *document = NULL;
	struct kp_yaml_stream stream;

	if (!kp_yaml_parse(&stream, kp_bytes_of(change->document), err)) {
		if (err->kind == KP_ERR_SYSTEM)
			return false;
		stream = (struct kp_yaml_stream){ .num_documents = 0 };
	}
	if (stream.num_documents == 1)
		document = stream.documents[0];
	kproxy__control__v1__resource__init(&resource);
	resource.kind = change->kind;
	resource.name = change->name;
	resource.document = change->document;
	resource.resource_version = revision;
	out->is_gone =
	    change->outcome == KPROXY__CONTROL__V1__OUTCOME__OUTCOME_DELETED;
	tell_labelled(out, news, &resource, document, err);
	kp_yaml_stream_fini(&stream);
	return out->resource != NULL;
}

bool
kp_news_revision(struct kp_news *news, struct kp_buf *out,
    const Kproxy__Control__V1__Revision *revision, struct kp_error *err)
{
	struct told *told;
	size_t num = 0;
	bool is_ok = true;

	if (revision->number <= news->revision)
		return true;
	told = kp_alloc(revision->n_changes, sizeof(*told));
	for (size_t i = 0; is_ok && i < revision->n_changes; i++) {
		const Kproxy__Control__V1__Change *change =
		    revision->changes[i];

		if (is_wanted(news, change->kind, change->name))
			is_ok = tell_change(
			    &told[num++], news, revision->number, change, err);
	}
	if (is_ok)
		is_ok = tell(news, out, told, num, false, err);
	news->revision = revision->number;
	for (size_t i = 0; i < num; i++) {
		if (told[i].is_copy && told[i].resource != NULL)
			kp_unpacked_free(&told[i].resource->base);
	}
	free(told);
	return is_ok;
}
