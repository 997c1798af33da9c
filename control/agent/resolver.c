/* SPDX-License-Identifier: Apache-2.0 */
#include "control/agent/resolver.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mutex.h"
#include "control/agent/nodes.h"

struct host {
	char *name;
	char *addresses[KP_RESOLVER_MAX_ADDRESSES]; /* sorted */
	size_t num_addresses;
	int64_t due_ms;
	int64_t asked_ms;  /* when the last lookup began; 0: never */
	int64_t wanted_ms; /* when the worker asked last */
	bool is_kept, has_news, is_urgent;
};

struct kp_resolver {
	kp_lookup_fn lookup;
	void *ctx;
	pthread_t thread;
	int event_fd;
	struct kp_mutex lock; /* guards all below */
	struct kp_cond changed;
	struct host *hosts[KP_RESOLVER_MAX_HOSTS];
	size_t num_hosts;
	void *by_name; /* the same as a tree of tsearch(3) */
	bool is_stopping, is_looking_up;
	bool is_left; /* nobody waits: the thread frees everything */
};

static void
clear_addresses(char **addresses, size_t *num)
{
	for (size_t i = 0; i < *num; i++)
		free(addresses[i]);
	*num = 0;
}

static void
host_free(struct host *host)
{
	clear_addresses(host->addresses, &host->num_addresses);
	free(host->name);
	free(host);
}

static size_t
look_up(void *ctx, const char *name, char **out, size_t max)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_ADDRCONFIG };
	struct addrinfo *found = NULL;
	char literal[INET6_ADDRSTRLEN];
	size_t num = 0;
	int failed = getaddrinfo(name, NULL, &hints, &found);

	(void)ctx;
	if (failed != 0) {
		kp_log(KP_LOG_WARN, "name_not_resolved", KP_STR("host", name),
		    KP_STR("reason", gai_strerror(failed)));
		return 0;
	}
	for (struct addrinfo *i = found; i != NULL && num < max;
	     i = i->ai_next) {
		if (getnameinfo(i->ai_addr, i->ai_addrlen, literal,
			sizeof(literal), NULL, 0, NI_NUMERICHOST) == 0)
			out[num++] = kp_strdup(literal);
	}
	freeaddrinfo(found);
	return num;
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool
is_same(const struct host *host, char *const *addresses, size_t num)
{
	if (host->num_addresses != num)
		return false;
	for (size_t i = 0; i < num; i++) {
		if (strcmp(host->addresses[i], addresses[i]) != 0)
			return false;
	}
	return true;
}

static int
by_name(const void *a, const void *b)
{
	const struct host *left = a, *right = b;

	return strcmp(left->name, right->name);
}

static struct host *
find(struct kp_resolver *resolver, const char *name)
{
	struct host wanted = { .name = (char *)(uintptr_t)name };
	void *node = tfind(&wanted, &resolver->by_name, by_name);

	return node != NULL ? *(struct host **)node : NULL;
}

static struct host *
find_or_add(struct kp_resolver *resolver, const char *name)
{
	struct host *host = find(resolver, name);

	if (host != NULL || resolver->num_hosts == KP_RESOLVER_MAX_HOSTS)
		return host;
	host = kp_alloc(1, sizeof(*host));
	host->name = kp_strdup(name);
	host->due_ms = kp_now_ms();
	kp_assert(tsearch(host, &resolver->by_name, by_name) != NULL);
	resolver->hosts[resolver->num_hosts++] = host;
	return host;
}

static void
forget_old(struct kp_resolver *resolver, int64_t now_ms)
{
	size_t i = 0;

	while (i < resolver->num_hosts) {
		struct host *host = resolver->hosts[i];

		if (host->is_kept ||
		    now_ms - host->wanted_ms < KP_RESOLVER_FORGET_MS) {
			i++;
			continue;
		}
		(void)tdelete(host, &resolver->by_name, by_name);
		host_free(host);
		resolver->hosts[i] = resolver->hosts[--resolver->num_hosts];
	}
}

static struct host *
first_due(struct kp_resolver *resolver)
{
	struct host *first = NULL;

	for (size_t i = 0; i < resolver->num_hosts; i++) {
		if (first == NULL || resolver->hosts[i]->due_ms < first->due_ms)
			first = resolver->hosts[i];
	}
	return first;
}

static void
notify(struct kp_resolver *resolver)
{
	uint64_t one = 1;

	/* a full counter is readable already */
	if (write(resolver->event_fd, &one, sizeof(one)) < 0)
		kp_assert(errno == EAGAIN);
}

/* Takes the addresses over, unless nothing was found. True if there is news. */
static bool
note_answer(struct host *host, char **addresses, size_t num)
{
	bool is_first = host->asked_ms == 0;
	bool is_news = num > 0 && !is_same(host, addresses, num);

	if (is_news) {
		clear_addresses(host->addresses, &host->num_addresses);
		kp_copy(host->addresses, addresses, num * sizeof(*addresses));
		host->num_addresses = num;
	} else {
		clear_addresses(addresses, &num);
	}
	host->has_news |= is_news || is_first || host->is_urgent;
	host->is_urgent = false;
	return host->has_news;
}

/* Called with the lock held, which is released while the lookup runs. */
static void
resolve_locked(struct kp_resolver *resolver, const char *due_name)
{
	char *addresses[KP_RESOLVER_MAX_ADDRESSES];
	char *name = kp_strdup(due_name);
	int64_t begin_ms = kp_now_ms();
	struct host *host;
	bool has_news;
	size_t num;

	resolver->is_looking_up = true;
	kp_mutex_unlock(&resolver->lock);
	num = resolver->lookup(
	    resolver->ctx, name, addresses, KP_RESOLVER_MAX_ADDRESSES);
	qsort(addresses, num, sizeof(addresses[0]), by_text);
	kp_mutex_lock(&resolver->lock);
	resolver->is_looking_up = false;
	kp_cond_broadcast(&resolver->changed);
	host = find(resolver, name);
	free(name);
	if (host == NULL) {
		clear_addresses(addresses, &num);
		return;
	}
	has_news = note_answer(host, addresses, num);
	host->asked_ms = begin_ms;
	host->due_ms = kp_now_ms() + KP_RESOLVER_REFRESH_MS;
	if (has_news)
		notify(resolver);
}

static void
destroy(struct kp_resolver *resolver)
{
	for (size_t i = 0; i < resolver->num_hosts; i++) {
		(void)tdelete(resolver->hosts[i], &resolver->by_name, by_name);
		host_free(resolver->hosts[i]);
	}
	kp_cond_fini(&resolver->changed);
	kp_mutex_fini(&resolver->lock);
	(void)close(resolver->event_fd);
	free(resolver);
}

static void *
run(void *arg)
{
	struct kp_resolver *resolver = arg;
	bool is_left;

	kp_mutex_lock(&resolver->lock);
	while (!resolver->is_stopping) {
		struct host *host;

		forget_old(resolver, kp_now_ms());
		host = first_due(resolver);
		if (host != NULL && host->due_ms <= kp_now_ms())
			resolve_locked(resolver, host->name);
		else
			(void)kp_cond_wait(&resolver->changed, &resolver->lock,
			    host != NULL ? host->due_ms : KP_NEVER);
	}
	is_left = resolver->is_left;
	kp_mutex_unlock(&resolver->lock);
	if (is_left)
		destroy(resolver);
	return NULL;
}

struct kp_resolver *
kp_resolver_new(kp_lookup_fn lookup, void *ctx, struct kp_error *err)
{
	struct kp_resolver *resolver;
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (fd < 0) {
		kp_error_sys(err, "could not make an event descriptor");
		return NULL;
	}
	resolver = kp_alloc(1, sizeof(*resolver));
	resolver->lookup = lookup != NULL ? lookup : look_up;
	resolver->ctx = ctx;
	resolver->event_fd = fd;
	kp_mutex_init(&resolver->lock, KP_RANK_TOPOLOGY);
	kp_cond_init(&resolver->changed);
	kp_must(pthread_create(&resolver->thread, NULL, run, resolver));
	return resolver;
}

void
kp_resolver_free(struct kp_resolver *resolver)
{
	int64_t deadline_ms = kp_now_ms() + KP_RESOLVER_STOP_MS;
	pthread_t thread;
	bool is_left;

	if (resolver == NULL)
		return;
	thread = resolver->thread;
	kp_mutex_lock(&resolver->lock);
	resolver->is_stopping = true;
	kp_cond_broadcast(&resolver->changed);
	while (resolver->is_looking_up &&
	       kp_cond_wait(&resolver->changed, &resolver->lock, deadline_ms))
		;
	is_left = resolver->is_left = resolver->is_looking_up;
	kp_mutex_unlock(&resolver->lock);
	if (is_left) { /* nothing ends getaddrinfo */
		kp_must(pthread_detach(thread));
		return;
	}
	kp_must(pthread_join(thread, NULL));
	destroy(resolver);
}

int
kp_resolver_fd(const struct kp_resolver *resolver)
{
	return resolver->event_fd;
}

/* Literals need no resolver: the worker reads them itself. */
static bool
is_literal(const char *host)
{
	struct in6_addr address;

	return inet_pton(AF_INET, host, &address) == 1 ||
	       inet_pton(AF_INET6, host, &address) == 1;
}

/* What is not kept again is forgotten as if the worker had asked for it. */
static void
keep_none(struct kp_resolver *resolver)
{
	for (size_t i = 0; i < resolver->num_hosts; i++) {
		if (resolver->hosts[i]->is_kept)
			resolver->hosts[i]->wanted_ms = kp_now_ms();
		resolver->hosts[i]->is_kept = false;
	}
}

void
kp_resolver_keep(
    struct kp_resolver *resolver, const char *const *hosts, size_t num)
{
	size_t num_left_out = 0;

	kp_mutex_lock(&resolver->lock);
	keep_none(resolver);
	for (size_t i = 0; i < num; i++) {
		struct host *host;

		if (is_literal(hosts[i]))
			continue;
		host = find_or_add(resolver, hosts[i]);
		if (host != NULL)
			host->is_kept = true;
		else
			num_left_out++;
	}
	kp_mutex_unlock(&resolver->lock);
	kp_cond_broadcast(&resolver->changed);
	if (num_left_out > 0)
		kp_log(KP_LOG_WARN, "too_many_hosts",
		    KP_INT("at_most", KP_RESOLVER_MAX_HOSTS),
		    KP_INT("left_out", num_left_out));
}

void
kp_resolver_want(struct kp_resolver *resolver, const char *name)
{
	struct host *host;

	if (!kp_is_host_name(name))
		return;
	kp_mutex_lock(&resolver->lock);
	host = find_or_add(resolver, name);
	if (host != NULL) {
		int64_t soon_ms = host->asked_ms + KP_RESOLVER_MIN_GAP_MS;

		host->wanted_ms = kp_now_ms();
		host->is_urgent = true;
		if (soon_ms < host->due_ms)
			host->due_ms = soon_ms;
	}
	kp_mutex_unlock(&resolver->lock);
	kp_cond_broadcast(&resolver->changed);
}

void
kp_resolver_tell_all(struct kp_resolver *resolver)
{
	kp_mutex_lock(&resolver->lock);
	for (size_t i = 0; i < resolver->num_hosts; i++)
		resolver->hosts[i]->has_news =
		    resolver->hosts[i]->asked_ms != 0;
	kp_mutex_unlock(&resolver->lock);
	notify(resolver);
}

/* A host with news, copied; false if there is none. */
static bool
take_one(struct kp_resolver *resolver, struct host *out)
{
	bool has_one = false;

	kp_mutex_lock(&resolver->lock);
	for (size_t i = 0; i < resolver->num_hosts && !has_one; i++) {
		struct host *host = resolver->hosts[i];

		if (!host->has_news)
			continue;
		has_one = true;
		host->has_news = false;
		out->name = kp_strdup(host->name);
		out->num_addresses = host->num_addresses;
		for (size_t j = 0; j < host->num_addresses; j++)
			out->addresses[j] = kp_strdup(host->addresses[j]);
	}
	kp_mutex_unlock(&resolver->lock);
	return has_one;
}

void
kp_resolver_take(struct kp_resolver *resolver, kp_resolved_fn visit, void *ctx)
{
	struct host host = { .name = NULL };
	uint64_t count;

	if (read(resolver->event_fd, &count, sizeof(count)) < 0)
		kp_assert(errno == EAGAIN);
	while (take_one(resolver, &host)) {
		visit(ctx, host.name, host.addresses, host.num_addresses);
		clear_addresses(host.addresses, &host.num_addresses);
		free(host.name);
	}
}
