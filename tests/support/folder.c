/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/folder.h"

#include <ftw.h>
#include <stdlib.h>

#include "base/error.h"

void
kp_test_folder(char out[KP_TEST_PATH_LEN])
{
	const char *base = getenv("TMPDIR");

	(void)snprintf(out, KP_TEST_PATH_LEN, "%s/kproxy-test-XXXXXX",
	    base != NULL ? base : "/tmp");
	kp_assert(mkdtemp(out) != NULL);
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

void
kp_test_folder_remove(const char *path)
{
	kp_assert(nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0);
}

void
kp_test_path(char out[KP_TEST_PATH_LEN], const char *folder, const char *name)
{
	(void)snprintf(out, KP_TEST_PATH_LEN, "%s/%s", folder, name);
}

void
kp_test_write(const char *folder, const char *name, const char *text)
{
	char path[KP_TEST_PATH_LEN];
	FILE *file;

	kp_test_path(path, folder, name);
	file = fopen(path, "we");
	kp_assert(file != NULL);
	kp_assert(fputs(text, file) >= 0);
	kp_assert(fclose(file) == 0);
}
