/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/input.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/files.h"
#include "base/yaml.h"
#include "cli/output.h"

#define MAX_DEPTH 64

struct loader {
	struct kp_input *input;
	bool is_recursive, is_raw;
	kp_input_take take; /* NULL: all are resources */
	void *ctx;          /* of take */
	size_t raw_len;
	unsigned depth;
};

static void load_folder(struct loader *l, const char *folder);

static void
complain(struct loader *l, const char *path, const char *reason)
{
	struct kp_origin at = { .file = path };

	l->input->has_read_all = false;
	kp_diagnostics_add(&l->input->diagnostics, &at, "%s", reason);
}

/* A pipe has no size to be asked for. */
static bool
read_open(struct kp_buf *out, int fd, const char *path, struct kp_error *err)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return kp_error_sys(err, "could not read");
	if (S_ISREG(st.st_mode))
		return kp_file_read(out, path, err);
	return kp_file_read_stream(out, fd, err);
}

bool
kp_input_read(struct kp_buf *out, const char *path, struct kp_error *err)
{
	bool is_ok;
	int fd;

	if (strcmp(path, "-") == 0)
		return kp_file_read_stream(out, STDIN_FILENO, err);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return kp_error_sys(err, "could not open");
	is_ok = read_open(out, fd, path, err);
	(void)close(fd);
	return is_ok;
}

static void
keep(struct loader *l, const char *name, struct kp_buf *text)
{
	struct kp_input *input = l->input;

	input->files = kp_realloc(
	    input->files, input->num_files + 1, sizeof(*input->files));
	input->files[input->num_files++] =
	    (struct kp_input_file){ kp_strdup(name), *text };
	l->raw_len += text->len;
	*text = (struct kp_buf){ 0 };
}

static void
take_text(struct loader *l, const char *name, struct kp_buf *text)
{
	struct kp_input *input = l->input;

	if (!l->is_raw) {
		input->num_files++;
		if (l->take != NULL &&
		    l->take(l->ctx, name, kp_buf_bytes(text)))
			return;
		kp_resources_add_file(input->resources, name,
		    kp_buf_bytes(text), &input->diagnostics);
		return;
	}
	if (text->len > KP_INPUT_MAX_RAW_LEN - l->raw_len)
		complain(l, name,
		    "this and the files before are more than 16 MiB, which no "
		    "server takes at once");
	else
		keep(l, name, text);
}

static void
load_file(struct loader *l, const char *path)
{
	const char *name = strcmp(path, "-") == 0 ? KP_INPUT_STDIN : path;
	struct kp_input *input = l->input;
	struct kp_error err;
	struct kp_buf text;

	if (input->num_files == KP_INPUT_MAX_FILES) {
		complain(l, path, "too many files");
		return;
	}
	kp_buf_init(&text, KP_YAML_MAX_BYTES);
	if (kp_input_read(&text, path, &err))
		take_text(l, name, &text);
	else
		complain(l, name, kp_file_reason(&err, path));
	kp_buf_fini(&text);
}

static bool
is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* A link to a folder could lead back to where we come from. */
static bool
is_link(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
}

static void
load_entry(struct loader *l, const char *folder, const char *name)
{
	bool has_slash = folder[strlen(folder) - 1] == '/';
	char *path = NULL;

	kp_assert(
	    asprintf(&path, "%s%s%s", folder, has_slash ? "" : "/", name) >= 0);
	if (!is_folder(path)) {
		if (kp_resource_is_file_name(name))
			load_file(l, path);
	} else if (l->is_recursive && !is_link(path)) {
		load_folder(l, path);
	}
	free(path);
}

static int
is_not_hidden(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void
load_folder(struct loader *l, const char *folder)
{
	struct dirent **entries;
	struct kp_error err;
	int num;

	if (l->depth == MAX_DEPTH) {
		complain(l, folder, "folders are nested too deeply");
		return;
	}
	num = scandir(folder, &entries, is_not_hidden, alphasort);
	if (num < 0) {
		kp_error_sys(&err, "could not read the folder");
		complain(l, folder, err.text);
		return;
	}
	l->depth++;
	for (int i = 0; i < num; i++) {
		load_entry(l, folder, entries[i]->d_name);
		free(entries[i]);
	}
	l->depth--;
	free(entries);
}

static void
load(struct loader *l, const char *path)
{
	size_t before = l->input->num_files;
	size_t problems = kp_diagnostics_count(&l->input->diagnostics);

	if (!is_folder(path)) {
		load_file(l, path);
		return;
	}
	load_folder(l, path);
	/* who names a folder expects something in it */
	if (l->input->num_files == before &&
	    kp_diagnostics_count(&l->input->diagnostics) == problems)
		complain(l, path,
		    l->is_recursive
			? "there is no *.yaml or *.yml in it"
			: "there is no *.yaml or *.yml in it; -R looks into "
			  "its folders, too");
}

static void
load_all(struct loader *l, const struct kp_args *args,
    struct kp_resources *resources)
{
	const char *path;
	size_t at = 0;

	*l->input =
	    (struct kp_input){ .resources = resources, .has_read_all = true };
	l->is_recursive = kp_args_is(args, "recursive");
	while ((path = kp_args_next(args, "filename", &at)) != NULL)
		load(l, path);
}

void
kp_input_load_raw(struct kp_input *out, const struct kp_args *args)
{
	struct loader l = { .input = out, .is_raw = true };

	load_all(&l, args, NULL);
}

void
kp_input_load(struct kp_input *out, const struct kp_args *args)
{
	kp_input_load_but(out, args, NULL, NULL);
}

void
kp_input_load_but(struct kp_input *out, const struct kp_args *args,
    kp_input_take take, void *ctx)
{
	struct loader l = { .input = out, .take = take, .ctx = ctx };

	load_all(&l, args, kp_resources_new());
}

enum kp_exit
kp_input_refuse(const struct kp_input *input)
{
	struct kp_buf text;

	kp_buf_init(&text, KP_OUTPUT_MAX_LEN);
	kp_diagnostics_print(&input->diagnostics, &text);
	kp_output_part(&text);
	if (text.len > 0)
		(void)fwrite(text.data, text.len, 1, stderr);
	kp_buf_fini(&text);
	return input->has_read_all ? KP_EXIT_REFUSED : KP_EXIT_FAILED;
}

void
kp_input_fini(struct kp_input *input)
{
	for (size_t i = 0; input->files != NULL && i < input->num_files; i++) {
		free(input->files[i].name);
		kp_buf_fini(&input->files[i].text);
	}
	free(input->files);
	kp_resources_free(input->resources);
	kp_diagnostics_fini(&input->diagnostics);
	*input = (struct kp_input){ 0 };
}
