/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/upstream/names.h"

#include <stdlib.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/mutex.h"

struct name {
	struct name *next;
	char *host;
	size_t num_addresses;
	struct kp_address addresses[KP_NAMES_MAX_ADDRESSES];
};

struct kp_names {
	struct kp_reports reports;
	struct kp_mutex list_mutex; /* guards list */
	struct kp_cond changed;
	/* One entry for each broker of the clusters behind us: short. */
	struct name *list;
};

struct kp_names *
kp_names_new(const struct kp_reports *reports)
{
	struct kp_names *names = kp_alloc(1, sizeof(*names));

	names->reports = *reports;
	kp_mutex_init(&names->list_mutex, KP_RANK_TOPOLOGY);
	kp_cond_init(&names->changed);
	return names;
}

void
kp_names_free(struct kp_names *names)
{
	struct name *next;

	if (names == NULL)
		return;
	for (struct name *name = names->list; name != NULL; name = next) {
		next = name->next;
		free(name->host);
		free(name);
	}
	kp_cond_fini(&names->changed);
	kp_mutex_fini(&names->list_mutex);
	free(names);
}

static struct name *
find_locked(struct kp_names *names, const char *host)
{
	struct name *name = names->list;

	kp_mutex_assert_held(&names->list_mutex);
	while (name != NULL && strcasecmp(name->host, host) != 0)
		name = name->next;
	return name;
}

void
kp_names_set(struct kp_names *names, const char *host,
    const char *const *literals, size_t num_literals)
{
	struct name *name;

	kp_mutex_lock(&names->list_mutex);
	name = find_locked(names, host);
	if (name == NULL) {
		name = kp_alloc(1, sizeof(*name));
		name->host = kp_strdup(host);
		name->next = names->list;
		names->list = name;
	}
	name->num_addresses = 0;
	for (size_t i = 0;
	     i < num_literals && name->num_addresses < KP_NAMES_MAX_ADDRESSES;
	     i++) {
		if (kp_address_parse(
			&name->addresses[name->num_addresses], literals[i], 0))
			name->num_addresses++;
	}
	kp_mutex_unlock(&names->list_mutex);
	kp_cond_broadcast(&names->changed);
}

static void
set_port(struct kp_address *address, uint16_t port)
{
	if (address->sa.any.sa_family == AF_INET6)
		address->sa.v6.sin6_port = htons(port);
	else
		address->sa.v4.sin_port = htons(port);
}

static size_t
copy_locked(struct kp_names *names, const char *host, struct kp_address *out)
{
	const struct name *name = find_locked(names, host);

	if (name == NULL)
		return 0;
	kp_copy(out, name->addresses, name->num_addresses * sizeof(*out));
	return name->num_addresses;
}

size_t
kp_names_get(struct kp_names *names, const char *host, uint16_t port,
    int64_t deadline_ms, struct kp_address *out, struct kp_error *err)
{
	size_t num;

	if (kp_address_parse(out, host, port))
		return 1;
	kp_mutex_lock(&names->list_mutex);
	num = copy_locked(names, host, out);
	if (num == 0) {
		kp_mutex_unlock(&names->list_mutex);
		names->reports.want_host(names->reports.context, host);
		kp_mutex_lock(&names->list_mutex);
	}
	while ((num = copy_locked(names, host, out)) == 0 &&
	       kp_cond_wait(&names->changed, &names->list_mutex, deadline_ms))
		continue;
	kp_mutex_unlock(&names->list_mutex);
	for (size_t i = 0; i < num; i++)
		set_port(&out[i], port);
	if (num == 0)
		kp_error_set(err, KP_ERR_UNAVAILABLE,
		    "host name \"%s\" does not resolve", host);
	return num;
}
