/* SPDX-License-Identifier: Apache-2.0 */
#include "control/server/store_open.h"

#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "control/server/etcd.h"
#include "control/server/sqlite.h"

#define MAX_PASSWORD 4096

/* As a C string. A file may end with a line's end, which is none of it. */
static bool
read_secret(
    struct kp_buf *out, const struct kp_secret_ref *ref, struct kp_error *err)
{
	const char *value = NULL;

	kp_buf_init(out, MAX_PASSWORD);
	if (ref->source == KP_SECRET_FILE) {
		if (!kp_file_read(out, ref->name, err))
			return false;
		while (out->len > 0 && out->data[out->len - 1] == '\n')
			out->len--;
	} else {
		value = getenv(ref->name);
		if (value == NULL)
			return kp_error_set(err, KP_ERR_CONFIG,
			    "environment variable \"%s\" is not set",
			    ref->name);
		kp_buf_add_text(out, value);
	}
	kp_buf_add(out, "", 1);
	return !out->failed || kp_error_set(err, KP_ERR_LIMIT,
				   "is longer than %d bytes", MAX_PASSWORD);
}

static bool
read_password(void *ctx, struct kp_buf *out, struct kp_error *err)
{
	return read_secret(out, ctx, err) || kp_error_prefix(err, "password");
}

static void
wipe(struct kp_buf *password)
{
	if (password->data != NULL)
		explicit_bzero(password->data, password->len);
	kp_buf_fini(password);
}

static struct kp_store *
open_with_password(const struct kp_server_etcd *etcd,
    struct kp_etcd_config *config, struct kp_error *err)
{
	struct kp_store *store = NULL;
	struct kp_buf password;

	config->read_password = read_password;
	config->password_ctx = (void *)(uintptr_t)&etcd->password;
	if (read_password(config->password_ctx, &password, err)) {
		config->password = (const char *)password.data;
		store = kp_etcd_open(config, err);
	}
	wipe(&password);
	return store;
}

static struct kp_store *
open_etcd(const struct kp_server_etcd *etcd, struct kp_server_identity *files,
    struct kp_error *err)
{
	struct kp_etcd_config config = {
		.endpoints = (const char *const *)etcd->endpoints,
		.num_endpoints = etcd->num_endpoints,
		.prefix = etcd->prefix,
		.server_name = etcd->server_name,
		.user = etcd->user,
	};
	struct kp_store *store = NULL;
	bool is_ok =
	    etcd->ca == NULL || kp_server_identity_read_files(files, etcd->ca,
				    etcd->certificate, etcd->key, err);

	if (etcd->ca != NULL)
		config.identity = kp_server_identity_pem(files);
	if (is_ok && etcd->user != NULL)
		store = open_with_password(etcd, &config, err);
	else if (is_ok)
		store = kp_etcd_open(&config, err);
	return store;
}

struct kp_store *
kp_store_open(const struct kp_server_config *config,
    struct kp_server_identity *files, struct kp_error *err)
{
	struct kp_store *store;

	if (config->sqlite != NULL) {
		store = kp_sqlite_open(config->sqlite, err);
		if (store == NULL)
			(void)kp_error_prefix(err, "store.sqlite");
		return store;
	}
	store = open_etcd(&config->etcd, files, err);
	if (store == NULL)
		(void)kp_error_prefix(err, "store.etcd");
	return store;
}
