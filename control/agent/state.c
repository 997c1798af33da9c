/* SPDX-License-Identifier: Apache-2.0 */
#include "control/agent/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/files.h"
#include "base/log.h"
#include "proto/control/node.pb-c.h"

#define TABLES_FILE "tables.pb"
#define NODES_FILE "nodes.pb"
#define SET_FILE "resources.pb"
#define NEXT_SET_FILE "resources.next.pb"
#define LOCK_FILE "lock"
#define LOCK_TIMEOUT_MS 6000
#define LOCK_PAUSE_MS 20

struct kp_state {
	char *path;
	int dir_fd;
	int lock_fd;
	uint64_t generation, content_hash;
	struct kp_buf packed; /* the tables as they were found at the start */
};

/* mkdir -p: parents as usual, the folder itself for the owner only. */
static bool
make_folder(const char *path, struct kp_error *err)
{
	char *copy = kp_strdup(path);
	bool is_ok;

	for (char *at = copy + 1; (at = strchr(at, '/')) != NULL; at++) {
		*at = '\0';
		(void)mkdir(copy, 0755);
		*at = '/';
	}
	is_ok = mkdir(path, 0700) == 0 || errno == EEXIST ||
		kp_error_sys(err, "could not make \"%s\"", path);
	free(copy);
	return is_ok;
}

/* An agent that was killed a moment ago may still be ending: its threads do so
 * one by one, and the last one lets go of the lock. */
static bool
wait_for_lock(int fd)
{
	int64_t deadline_ms = kp_now_ms() + LOCK_TIMEOUT_MS;
	const struct timespec pause = { 0, LOCK_PAUSE_MS * 1000000 };

	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return true;
	if (errno != EWOULDBLOCK)
		return false;
	kp_log(
	    KP_LOG_WARN, "state_in_use", KP_INT("timeout_ms", LOCK_TIMEOUT_MS));
	while (kp_now_ms() < deadline_ms) {
		(void)nanosleep(&pause, NULL);
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return true;
	}
	return false;
}

static bool
lock(struct kp_state *state, struct kp_error *err)
{
	state->lock_fd = openat(state->dir_fd, LOCK_FILE,
	    O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (state->lock_fd < 0)
		return kp_error_sys(err, "could not lock");
	if (wait_for_lock(state->lock_fd))
		return true;
	if (errno != EWOULDBLOCK)
		return kp_error_sys(err, "could not lock");
	return kp_error_set(err, KP_ERR_UNAVAILABLE,
	    "another node uses it; each node needs a stateDir of its own");
}

static bool
read_state_file(const struct kp_state *state, const char *name,
    struct kp_buf *out, struct kp_error *err)
{
	char path[32];
	struct kp_buf full;
	bool is_ok;

	kp_buf_init(&full, 4096 + sizeof(path));
	kp_buf_printf(&full, "%s/%s", state->path, name);
	kp_buf_add(&full, "", 1);
	is_ok = full.failed
		    ? kp_buf_error(&full, err, "%s: too long a path", name)
		    : kp_file_read(out, (const char *)full.data, err);
	kp_buf_fini(&full);
	return is_ok;
}

/* A file that cannot be read is as good as none: it is written again. */
static void
find_last_good(struct kp_state *state)
{
	Kp__Node__LastKnownGood *last = NULL;
	struct kp_buf content;
	struct kp_error err;

	kp_buf_init(&content, KP_STATE_MAX_LEN);
	kp_buf_init(&state->packed, KP_STATE_MAX_LEN);
	if (!read_state_file(state, TABLES_FILE, &content, &err))
		goto out;
	last =
	    kp__node__last_known_good__unpack(NULL, content.len, content.data);
	if (last == NULL) {
		kp_log(
		    KP_LOG_WARN, "state_damaged", KP_STR("file", TABLES_FILE));
		goto out;
	}
	state->generation = last->generation;
	state->content_hash = last->content_hash;
	kp_buf_add(&state->packed, last->packed.data, last->packed.len);
out:
	if (last != NULL)
		kp__node__last_known_good__free_unpacked(last, NULL);
	kp_buf_fini(&content);
}

struct kp_state *
kp_state_open(const char *path, struct kp_error *err)
{
	struct kp_state *state = kp_alloc(1, sizeof(*state));

	state->path = kp_strdup(path);
	state->dir_fd = state->lock_fd = -1;
	if (!make_folder(path, err))
		goto failed;
	state->dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (state->dir_fd < 0) {
		kp_error_sys(err, "could not open");
		goto failed;
	}
	if (!lock(state, err))
		goto failed;
	find_last_good(state);
	return state;
failed:
	kp_error_prefix(err, "stateDir \"%s\"", path);
	kp_state_close(state);
	return NULL;
}

void
kp_state_close(struct kp_state *state)
{
	if (state == NULL)
		return;
	if (state->lock_fd >= 0)
		(void)close(state->lock_fd);
	if (state->dir_fd >= 0)
		(void)close(state->dir_fd);
	kp_buf_fini(&state->packed);
	free(state->path);
	free(state);
}

uint64_t
kp_state_generation(const struct kp_state *state)
{
	return state->generation;
}

uint64_t
kp_state_content_hash(const struct kp_state *state)
{
	return state->content_hash;
}

struct kp_tables *
kp_state_load_tables(struct kp_state *state, struct kp_error *err)
{
	if (state->packed.len == 0) {
		kp_error_set(
		    err, KP_ERR_UNAVAILABLE, "no tables were accepted before");
		return NULL;
	}
	return kp_tables_unpack(kp_buf_bytes(&state->packed), err);
}

static bool
save(struct kp_state *state, const Kp__Node__LastKnownGood *last,
    struct kp_error *err)
{
	size_t len = kp__node__last_known_good__get_packed_size(last);
	struct kp_buf content;
	uint8_t *to;
	bool is_ok;

	kp_buf_init(&content, KP_STATE_MAX_LEN);
	to = kp_buf_extend(&content, len);
	if (to != NULL)
		(void)kp__node__last_known_good__pack(last, to);
	is_ok = to != NULL ? kp_file_replace(state->dir_fd, TABLES_FILE,
				 kp_buf_bytes(&content), err)
			   : kp_buf_error(&content, err,
				 "tables of %zu bytes are too large", len);
	kp_buf_fini(&content);
	return is_ok;
}

void
kp_state_note_tables(
    struct kp_state *state, uint64_t generation, uint64_t content_hash)
{
	state->generation = generation;
	state->content_hash = content_hash;
}

bool
kp_state_save_tables(struct kp_state *state, const struct kp_tables *tables,
    uint64_t content_hash, struct kp_error *err)
{
	Kp__Node__LastKnownGood last;

	kp_state_note_tables(state, tables->generation, content_hash);
	kp_buf_clear(&state->packed);
	if (!kp_tables_pack(&state->packed, tables, false))
		return kp_buf_error(
		    &state->packed, err, "tables are too large to be kept");
	kp__node__last_known_good__init(&last);
	last.generation = tables->generation;
	last.content_hash = content_hash;
	last.packed.data = state->packed.data;
	last.packed.len = state->packed.len;
	return save(state, &last, err);
}

bool
kp_state_load_nodes(
    struct kp_state *state, struct kp_buf *out, struct kp_error *err)
{
	return read_state_file(state, NODES_FILE, out, err);
}

bool
kp_state_save_nodes(
    struct kp_state *state, struct kp_bytes packed, struct kp_error *err)
{
	return kp_file_replace(state->dir_fd, NODES_FILE, packed, err);
}

bool
kp_state_load_set(struct kp_state *state, enum kp_state_set which,
    struct kp_buf *out, struct kp_error *err)
{
	const char *name =
	    which == KP_STATE_SET_NEXT ? NEXT_SET_FILE : SET_FILE;

	if (faccessat(state->dir_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) != 0)
		return true;
	return read_state_file(state, name, out, err);
}

bool
kp_state_offer_set(
    struct kp_state *state, struct kp_bytes packed, struct kp_error *err)
{
	return kp_file_write(state->dir_fd, NEXT_SET_FILE, packed, err);
}

bool
kp_state_accept_set(struct kp_state *state, struct kp_error *err)
{
	return kp_file_promote(state->dir_fd, NEXT_SET_FILE, SET_FILE, err);
}

void
kp_state_drop_set(struct kp_state *state)
{
	(void)unlinkat(state->dir_fd, NEXT_SET_FILE, 0);
}
