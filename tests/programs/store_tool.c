/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A policy server reduced to its store in etcd, for integration/: each line on
 * stdout is a fact, written when it is one.
 *
 *	kp_store_tool [--KEY VALUE]... commit NAME [SIZE]
 *		commits on top of the newest revision until killed; texts of
 *		"NAME i" are filled up to SIZE bytes: "ok 12 MS NAME 7",
 *		"conflict", "failed KIND reason"
 *	... follow	"newest 12 MS" for each one it hears of, MS since 1970;
 *			"leads MS", a leader since then at the latest, and
 *			"follows MS", which led until then at least, or 0
 *	... dump	"range 0 12", "12 NAME 7" for each revision, "item NAME
 *			REVISION LENGTH" for each resource, "end"
 *	... states	loads every state, one after the other, then "end"
 *	... compact N	"ok"
 *
 * Keys: endpoints (with commas), ca, certificate, key (files), user, password,
 * timeout, lease (ms), prefix, snapshot (bytes), pause (ms after each commit).
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/files.h"
#include "base/log.h"
#include "control/server/etcd.h"

#define MAX_FILE (1u << 20)
#define NOTE_MS 50 /* how often it looks whether it leads */

struct options {
	const char *endpoints[KP_ETCD_MAX_ENDPOINTS];
	struct kp_etcd_config config;
	struct kp_buf ca, certificate, key;
	unsigned pause_ms;
};

static _Noreturn void
fail(const char *why)
{
	(void)printf("failed %s\n", why);
	exit(1);
}

static struct kp_bytes
read_file(struct kp_buf *out, const char *path)
{
	struct kp_error err = { 0 };

	kp_buf_init(out, MAX_FILE);
	if (!kp_file_read(out, path, &err))
		fail(err.text);
	return kp_buf_bytes(out);
}

static void
split_endpoints(struct options *options, char *list)
{
	struct kp_etcd_config *config = &options->config;

	config->endpoints = options->endpoints;
	while (list != NULL && config->num_endpoints < KP_ETCD_MAX_ENDPOINTS)
		options->endpoints[config->num_endpoints++] =
		    strsep(&list, ",");
}

static void
set_option(struct options *options, const char *key, char *value)
{
	struct kp_etcd_config *config = &options->config;
	struct kp_rpc_identity *identity = &config->identity;

	if (strcmp(key, "endpoints") == 0)
		split_endpoints(options, value);
	else if (strcmp(key, "ca") == 0)
		identity->ca_pem = read_file(&options->ca, value);
	else if (strcmp(key, "certificate") == 0)
		identity->certificate_pem =
		    read_file(&options->certificate, value);
	else if (strcmp(key, "key") == 0)
		identity->key_pem = read_file(&options->key, value);
	else if (strcmp(key, "user") == 0)
		config->user = value;
	else if (strcmp(key, "password") == 0)
		config->password = value;
	else if (strcmp(key, "timeout") == 0)
		config->timeout_ms = strtol(value, NULL, 10);
	else if (strcmp(key, "lease") == 0)
		config->lease_ms = strtol(value, NULL, 10);
	else if (strcmp(key, "prefix") == 0)
		config->prefix = value;
	else if (strcmp(key, "snapshot") == 0)
		config->snapshot_len = strtoul(value, NULL, 10);
	else if (strcmp(key, "pause") == 0)
		options->pause_ms = (unsigned)strtoul(value, NULL, 10);
	else
		fail(key);
}

static const char *
kind_of(enum kp_store_result result, const struct kp_error *err)
{
	if (result == KP_STORE_CONFLICT)
		return "conflict";
	return err->kind == KP_ERR_TIMEOUT ? "failed unknown" : "failed";
}

static void
commit_for_ever(
    struct kp_store *store, const char *name, size_t size, unsigned pause_ms)
{
	char *text = kp_alloc(1, size + 256);

	(void)memset(text, ' ', size);
	for (unsigned i = 0;;) {
		struct kp_store_range range;
		struct kp_error err = { 0 };
		struct kp_store_change changes[] = {
			{ "Cluster", name, { (const uint8_t *)text, size },
			    true },
			{ "Cluster", "both", { (const uint8_t *)text, size },
			    true },
		};
		enum kp_store_result result;
		uint64_t number;
		char reason[64];
		const struct kp_store_note note = { name, reason, 0 };
		int len = snprintf(reason, sizeof(reason), "%s %u", name, i);

		kp_copy(text, reason, (size_t)len);
		result = kp_store_range(store, &range, KP_NEVER, &err);
		if (result == KP_STORE_OK)
			result = kp_store_commit(store, range.newest, &note,
			    changes, 2, &number, &err);
		if (result == KP_STORE_OK)
			(void)printf("ok %llu %lld %s\n",
			    (unsigned long long)number, (long long)kp_wall_ms(),
			    reason);
		else
			(void)printf(
			    "%s %s\n", kind_of(result, &err), err.text);
		/* what is unknown is never tried again under the same name */
		i += result == KP_STORE_OK || err.kind == KP_ERR_TIMEOUT;
		(void)poll(NULL, 0, (int)pause_ms);
	}
}

/*
 * A process may be stopped at any moment. So whoever begins to lead takes the
 * time after it looked, and whoever stops to lead the last time before it
 * looked and led: only of two who really led at once do these overlap.
 */
struct leadership {
	int leads; /* -1: not known yet */
	int64_t led_ms;
};

static void
note_leads(struct leadership *was, struct kp_store *store)
{
	int64_t before_ms = kp_wall_ms();
	int leads = kp_store_leads(store);

	if (leads != was->leads)
		(void)printf("%s %lld\n", leads ? "leads" : "follows",
		    (long long)(leads ? kp_wall_ms() : was->led_ms));
	if (leads)
		was->led_ms = before_ms;
	was->leads = leads;
}

static void
follow(struct kp_store *store)
{
	struct leadership leadership = { .leads = -1 };
	uint64_t newest = 0;

	for (;;) {
		uint64_t next =
		    kp_store_wait(store, newest, kp_now_ms() + NOTE_MS);

		if (next > newest)
			(void)printf("newest %llu %lld\n",
			    (unsigned long long)next, (long long)kp_wall_ms());
		note_leads(&leadership, store);
		newest = next;
	}
}

static void
print_revision(void *ctx, const struct kp_store_revision *revision)
{
	(void)ctx;
	(void)printf("%llu %s\n", (unsigned long long)revision->number,
	    revision->note.reason);
	/* a revision is whole: both resources have the same text */
	if (revision->num_changes != 2 ||
	    !kp_bytes_equal(
		revision->changes[0].text, revision->changes[1].text))
		fail("half a commit");
}

static void
print_item(void *ctx, const struct kp_store_item *item)
{
	(void)ctx;
	(void)printf("item %s %llu %zu\n", item->name,
	    (unsigned long long)item->revision, item->text.len);
}

static void
dump(struct kp_store *store)
{
	struct kp_store_range range;
	struct kp_error err = { 0 };

	if (kp_store_range(store, &range, KP_NEVER, &err) != KP_STORE_OK)
		fail(err.text);
	(void)printf("range %llu %llu\n", (unsigned long long)range.oldest,
	    (unsigned long long)range.newest);
	if (kp_store_history(store, range.oldest, range.newest, print_revision,
		NULL, KP_NEVER, &err) != KP_STORE_OK ||
	    kp_store_load(store, range.newest, print_item, NULL, KP_NEVER,
		&err) != KP_STORE_OK)
		fail(err.text);
	(void)printf("end\n");
}

static void
count_item(void *ctx, const struct kp_store_item *item)
{
	(void)item;
	(*(size_t *)ctx)++;
}

/* Of all revisions but the first, which is before there is anything. */
static void
load_all(struct kp_store *store)
{
	struct kp_store_range range;
	struct kp_error err = { 0 };

	if (kp_store_range(store, &range, KP_NEVER, &err) != KP_STORE_OK)
		fail(err.text);
	for (uint64_t at = range.oldest + 1; at <= range.newest; at++) {
		size_t num = 0;

		if (kp_store_load(store, at, count_item, &num, KP_NEVER,
			&err) != KP_STORE_OK)
			fail(err.text);
		if (num == 0)
			fail("an empty state");
	}
	(void)printf("end\n");
}

static void
compact(struct kp_store *store, const char *number)
{
	struct kp_error err = { 0 };

	if (kp_store_compact(store, strtoull(number, NULL, 10), &err) !=
	    KP_STORE_OK)
		fail(err.text);
	(void)printf("ok\n");
}

int
main(int argc, char **argv)
{
	struct options options = { .config = { .num_endpoints = 0 } };
	struct kp_error err = { 0 };
	struct kp_store *store;
	int i = 1;

	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	kp_log_init("store", KP_LOG_JSON, KP_LOG_INFO);
	for (; i + 1 < argc && strncmp(argv[i], "--", 2) == 0; i += 2)
		set_option(&options, argv[i] + 2, argv[i + 1]);
	if (i >= argc)
		fail("no command");
	store = kp_etcd_open(&options.config, &err);
	if (store == NULL)
		fail(err.text);
	if (strcmp(argv[i], "commit") == 0 && i + 1 < argc)
		commit_for_ever(store, argv[i + 1],
		    i + 2 < argc ? strtoul(argv[i + 2], NULL, 10) : 64,
		    options.pause_ms);
	else if (strcmp(argv[i], "follow") == 0)
		follow(store);
	else if (strcmp(argv[i], "dump") == 0)
		dump(store);
	else if (strcmp(argv[i], "states") == 0)
		load_all(store);
	else if (strcmp(argv[i], "compact") == 0 && i + 1 < argc)
		compact(store, argv[i + 1]);
	else
		fail(argv[i]);
	kp_store_close(store);
	kp_buf_fini(&options.ca);
	kp_buf_fini(&options.certificate);
	kp_buf_fini(&options.key);
	return 0;
}
