/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/alloc.h"
#include "control/server/sqlite.h"
#include "tests/support/store.h"

struct world {
	char folder[KP_TEST_PATH_LEN], path[KP_TEST_PATH_LEN];
};

static void
open_store(struct kp_test_store *f)
{
	const struct world *world = f->world;
	struct kp_error err = { 0 };

	f->store = kp_sqlite_open(world->path, &err);
	kp_assert(f->store != NULL);
}

void
kp_test_store_set_up(struct kp_test_store *out)
{
	struct world *world = kp_alloc(1, sizeof(*world));

	kp_test_folder(world->folder);
	kp_test_path(world->path, world->folder, "kproxy.db");
	out->world = world;
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
	struct world *world = f->world;

	kp_store_close(f->store);
	kp_test_folder_remove(world->folder);
	free(world);
}
