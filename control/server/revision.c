/* SPDX-License-Identifier: Apache-2.0 */
/* A revision of the store as a message. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "control/server/resources_priv.h"

static bool
is_meant(
    const struct kp_store_change *change, const char *kind, const char *name)
{
	return (kind[0] == '\0' || strcmp(kind, change->kind) == 0) &&
	       (name[0] == '\0' || strcmp(name, change->name) == 0);
}

static bool
changes_any(const struct kp_store_revision *revision,
    const struct kp_revision_filter *filter)
{
	for (size_t i = 0; i < revision->num_changes; i++) {
		if (is_meant(&revision->changes[i], filter->kind, filter->name))
			return true;
	}
	return filter->kind[0] == '\0' && filter->name[0] == '\0';
}

static Kproxy__Control__V1__Outcome
outcome_of(const struct kp_store_change *change)
{
	if (change->text.data == NULL)
		return KPROXY__CONTROL__V1__OUTCOME__OUTCOME_DELETED;
	return change->is_new
		   ? KPROXY__CONTROL__V1__OUTCOME__OUTCOME_CREATED
		   : KPROXY__CONTROL__V1__OUTCOME__OUTCOME_CONFIGURED;
}

static Kproxy__Control__V1__Change *
change_new(const struct kp_store_change *from, bool with_documents)
{
	Kproxy__Control__V1__Change *change = kp_alloc(1, sizeof(*change));
	bool has_text = with_documents && from->text.data != NULL;

	kproxy__control__v1__change__init(change);
	change->kind = kp_strdup(from->kind);
	change->name = kp_strdup(from->name);
	change->outcome = outcome_of(from);
	change->document =
	    kp_strndup(has_text ? (const char *)from->text.data : "",
		has_text ? from->text.len : 0);
	return change;
}

Kproxy__Control__V1__Revision *
kp_revision_new(const struct kp_store_revision *from,
    const struct kp_revision_filter *filter)
{
	Kproxy__Control__V1__Revision *revision;

	if (!changes_any(from, filter))
		return NULL;
	revision = kp_alloc(1, sizeof(*revision));
	kproxy__control__v1__revision__init(revision);
	revision->number = from->number;
	revision->time_ms = from->note.time_ms;
	revision->identity = kp_strdup(from->note.identity);
	revision->reason = kp_strdup(from->note.reason);
	revision->changes =
	    kp_alloc(from->num_changes, sizeof(*revision->changes));
	for (size_t i = 0; i < from->num_changes; i++) {
		if (filter->is_only_kind &&
		    !is_meant(&from->changes[i], filter->kind, ""))
			continue;
		revision->changes[revision->n_changes++] =
		    change_new(&from->changes[i], filter->with_documents);
	}
	return revision;
}

void
kp_revision_free(Kproxy__Control__V1__Revision *revision)
{
	if (revision == NULL)
		return;
	for (size_t i = 0; i < revision->n_changes; i++) {
		free(revision->changes[i]->kind);
		free(revision->changes[i]->name);
		free(revision->changes[i]->document);
		free(revision->changes[i]);
	}
	free(revision->changes);
	free(revision->identity);
	free(revision->reason);
	free(revision);
}
