/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/alloc.h"
#include "control/server/etcd.h"
#include "tests/support/etcd.h"
#include "tests/support/store.h"

static void
open_store(struct kp_test_store *f)
{
	const struct kp_test_etcd *etcd = f->world;
	const char *endpoints[] = { etcd->endpoint };
	const struct kp_etcd_config config = {
		.endpoints = endpoints,
		.num_endpoints = 1,
		.timeout_ms = 60000,
	};
	struct kp_error err = { 0 };

	f->store = kp_etcd_open(&config, &err);
	if (f->store == NULL)
		(void)fprintf(stderr, "%s\n", err.text);
	kp_assert(f->store != NULL);
}

void
kp_test_store_set_up(struct kp_test_store *out)
{
	struct kp_test_etcd *etcd = kp_alloc(1, sizeof(*etcd));

	kp_test_etcd_start(etcd);
	out->world = etcd;
	open_store(out);
}

void
kp_test_store_open_again(struct kp_test_store *f)
{
	kp_store_close(f->store);
	open_store(f);
}

void
kp_test_store_tear_down(struct kp_test_store *f)
{
	kp_store_close(f->store);
	kp_test_etcd_stop(f->world);
	free(f->world);
}
