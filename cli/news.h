/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a watch shows: the resources that have been shown, and what of a list,
 * or of a revision, is news beside them. Whether a changed resource is one of
 * those that were asked for is found out here, by its kind, its name and the
 * labels in its document. Knows no server. @thread main
 */
#ifndef KP_CLI_NEWS_H
#define KP_CLI_NEWS_H

#include "cli/fetch.h"
#include "cli/targets.h"
#include "rules/labels.h"

struct kp_news_item;

/* The zero state has nothing to end. */
struct kp_news {
	const struct kp_args *args;
	const struct kp_targets *targets;
	struct kp_selector *selector;
	uint64_t revision;          /* as of which it is known; 0: not yet */
	struct kp_news_item *known; /* sorted by kind and name */
	size_t num, len;            /* bounded as lists are (fetch.h) */
};

/*
 * kp_news_init borrows args and targets. False with KP_ERR_CONFIG if --selector
 * is none. To be ended with kp_news_fini either way.
 */
bool kp_news_init(struct kp_news *out, const struct kp_args *args,
    const struct kp_targets *targets, struct kp_error *err) KP_MUST_CHECK;
void kp_news_fini(struct kp_news *news);

/* kp_news_kind is that of all targets; NULL: they have more than one. */
const char *kp_news_kind(const struct kp_news *news);

/* kp_news_has_documents: do revisions have to come with documents? */
bool kp_news_has_documents(const struct kp_news *news);

/*
 * kp_news_list adds to out what differs between a whole list and what is known,
 * which is the list from then on. KP_ERR_LIMIT if that is too much to be
 * remembered.
 */
bool kp_news_list(struct kp_news *news, struct kp_buf *out,
    const struct kp_listed *listed, struct kp_error *err) KP_MUST_CHECK;

/*
 * kp_news_revision does the same with what a revision changed. One that is not
 * newer than what is known says nothing.
 */
bool kp_news_revision(struct kp_news *news, struct kp_buf *out,
    const Kproxy__Control__V1__Revision *revision,
    struct kp_error *err) KP_MUST_CHECK;

#endif
