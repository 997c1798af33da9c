/* SPDX-License-Identifier: Apache-2.0 */
/* Writes seeds.h's seeds: `kp_make_seeds DIR` makes DIR/TARGET/NAME. */
#include "tests/fuzz/seeds.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static const char *folder;

static void
make_folder(const char *path)
{
	if (mkdir(path, 0777) == 0 || errno == EEXIST)
		return;
	perror(path);
	exit(1);
}

void
kp_seed(const char *target, const char *name, struct kp_bytes content)
{
	char path[4096];
	bool is_written;
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, target);
	make_folder(path);
	(void)snprintf(path, sizeof(path), "%s/%s/%s", folder, target, name);
	file = fopen(path, "wb");
	is_written = file != NULL &&
		     fwrite(content.data, 1, content.len, file) == content.len;
	if (file != NULL && fclose(file) != 0)
		is_written = false;
	if (is_written)
		return;
	perror(path);
	exit(1);
}

int
main(int argc, char **argv)
{
	if (argc != 2) {
		(void)fprintf(stderr, "usage: kp_make_seeds DIR\n");
		return 2;
	}
	folder = argv[1];
	make_folder(folder);
	kp_seed_messages();
	kp_seed_session();
	kp_seed_tls();
	return 0;
}
