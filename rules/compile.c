/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/compile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "rules/compile_priv.h"

#define ENV_PREFIX "env:"

/* The caller's way to secrets. */
struct reader {
	kp_read_secret read_secret;
	void *ctx;
};

static bool
holds(const struct kp_buf *text, const char *wanted)
{
	return memmem(text->data, text->len, wanted, strlen(wanted)) != NULL;
}

/*
 * Certificates are parsed where they are used, in the worker; here only the
 * usual mistakes are found, early and with their place.
 */
static bool
check_pem(const struct kp_buf *text, enum kp_pem content, struct kp_error *err)
{
	if (content == KP_PEM_CERTIFICATE) {
		if (holds(text, "-----BEGIN CERTIFICATE-----"))
			return true;
		return kp_error_set(
		    err, KP_ERR_CONFIG, "does not hold a certificate in PEM");
	}
	if (holds(text, "-----BEGIN ENCRYPTED PRIVATE KEY-----") ||
	    holds(text, "Proc-Type: 4,ENCRYPTED"))
		return kp_error_set(err, KP_ERR_CONFIG,
		    "holds a private key with a passphrase, which nobody could "
		    "enter");
	if (holds(text, "PRIVATE KEY-----"))
		return true;
	return kp_error_set(
	    err, KP_ERR_CONFIG, "does not hold a private key in PEM");
}

static bool
read_checked(const struct reader *r, const struct kp_secret_ref *ref,
    enum kp_pem content, struct kp_buf *text, struct kp_error *err)
{
	bool ok = r->read_secret(r->ctx, ref, text, err);

	if (text->failed)
		return kp_error_set(err, KP_ERR_LIMIT,
		    "is too long, at most %u KiB are allowed",
		    KP_SECRET_MAX_LEN >> 10);
	return ok && check_pem(text, content, err);
}

static bool
read_pem(const struct reader *r, const struct kp_secret_ref *ref,
    enum kp_pem content, struct kp_bytes *out, struct kp_error *err)
{
	struct kp_buf text;
	uint8_t *copy;
	bool ok;

	kp_buf_init(&text, KP_SECRET_MAX_LEN);
	if (kp_buf_extend(&text, KP_SECRET_MAX_LEN) == NULL)
		return kp_error_set(err, KP_ERR_SYSTEM, "out of memory");
	kp_buf_clear(&text);
	ok = read_checked(r, ref, content, &text, err);
	if (ok) {
		copy = kp_alloc(1, text.len);
		kp_copy(copy, text.data, text.len);
		*out = (struct kp_bytes){ copy, text.len };
	} else {
		(void)kp_error_prefix(err, "%s \"%.120s\"",
		    ref->source == KP_SECRET_FILE ? "file" : "variable",
		    ref->name);
	}
	/* the rest, up to a mebibyte, was never written */
	explicit_bzero(text.data, text.len);
	kp_buf_fini(&text);
	return ok;
}

/* The form in which tables keep references; parse_ref reads it. */
static char *
format_ref(const struct kp_secret_ref *ref)
{
	char *text = NULL;
	int len = asprintf(&text, "%s%s",
	    ref->source == KP_SECRET_ENV ? ENV_PREFIX : "", ref->name);

	kp_assert(len >= 0);
	return text;
}

static struct kp_secret_ref
parse_ref(const char *text)
{
	size_t prefix_len = strlen(ENV_PREFIX);
	struct kp_secret_ref ref = { KP_SECRET_FILE, text };

	if (strncmp(text, ENV_PREFIX, prefix_len) == 0)
		ref =
		    (struct kp_secret_ref){ KP_SECRET_ENV, text + prefix_len };
	return ref;
}

void
kp_compile_secret(struct kp_compiler *compiler,
    const struct kp_resource *resource, const struct kp_value *value,
    enum kp_pem content, struct kp_bytes *out, char **out_ref)
{
	struct reader r = { compiler->input->read_secret,
		compiler->input->ctx };
	struct kp_secret_ref ref;
	struct kp_error err;

	if (value == NULL)
		return;
	ref = kp_value_secret(value);
	*out_ref = format_ref(&ref);
	if (!read_pem(&r, &ref, content, out, &err))
		kp_resource_problem(resource, &value->at, compiler->diagnostics,
		    "%s: %s", value->setting->name, err.text);
}

void
kp_compile_key_pair(struct kp_compiler *compiler,
    const struct kp_resource *resource, const struct kp_value *object,
    struct kp_key_pair *out)
{
	kp_compile_secret(compiler, resource,
	    kp_value_get(object, "certificate"), KP_PEM_CERTIFICATE,
	    &out->certificate_pem, &out->certificate_ref);
	kp_compile_secret(compiler, resource, kp_value_get(object, "key"),
	    KP_PEM_KEY, &out->key_pem, &out->key_ref);
}

static size_t
count_kind(const struct kp_resources *set, const char *kind)
{
	size_t num = 0;

	for (size_t i = 0; i < kp_resources_count(set); i++)
		num += strcmp(kp_resources_at(set, i)->kind->name, kind) == 0;
	return num;
}

static struct kp_tables *
tables_new(const struct kp_compile_input *input)
{
	const struct kp_resources *set = input->resources;
	size_t num_shown = count_kind(set, "VirtualCluster");
	struct kp_tables *tables = kp_alloc(1, sizeof(*tables));

	tables->generation = input->generation;
	tables->log_level = input->log_level;
	tables->limits = *input->limits;
	tables->clusters =
	    kp_alloc(count_kind(set, "Cluster"), sizeof(*tables->clusters));
	tables->virtual_clusters =
	    kp_alloc(num_shown, sizeof(*tables->virtual_clusters));
	tables->policies =
	    kp_alloc(count_kind(set, "Policy"), sizeof(*tables->policies));
	/* one for each: of all nodes together some may share a listener */
	tables->listeners = kp_alloc(num_shown, sizeof(*tables->listeners));
	return tables;
}

/* The check saw to it that what a node gets refers only to what it gets. */
static bool
is_wanted(
    const struct kp_compiler *compiler, const struct kp_resource *resource)
{
	const struct kp_labels *node = compiler->input->node_labels;

	return node == NULL || kp_resource_reaches(resource, node);
}

static void
compile_kind(struct kp_compiler *compiler, const struct kp_resource_kind *kind)
{
	const struct kp_resources *set = compiler->input->resources;

	if (kind->compile == NULL)
		return;
	for (size_t i = 0; i < kp_resources_count(set); i++) {
		const struct kp_resource *resource = kp_resources_at(set, i);

		compiler->position = i;
		if (resource->kind == kind && is_wanted(compiler, resource))
			kind->compile(compiler, resource);
	}
}

static int
compare_policies(const void *a, const void *b)
{
	return strcmp(((const struct kp_tables_policy *)a)->name,
	    ((const struct kp_tables_policy *)b)->name);
}

struct kp_tables *
kp_compile(
    const struct kp_compile_input *input, struct kp_diagnostics *diagnostics)
{
	size_t before = kp_diagnostics_count(diagnostics);
	struct kp_compiler compiler = { .input = input,
		.diagnostics = diagnostics };

	kp_assert(kp_resources_is_valid(input->resources));
	compiler.tables = tables_new(input);
	compiler.index_of =
	    kp_alloc(kp_resources_count(input->resources), sizeof(uint32_t));
	for (size_t i = 0; kp_resource_kinds[i] != NULL; i++)
		compile_kind(&compiler, kp_resource_kinds[i]);
	free(compiler.index_of);
	/* what one sets the next one sees, wherever they were declared */
	qsort(compiler.tables->policies, compiler.tables->num_policies,
	    sizeof(*compiler.tables->policies), compare_policies);
	if (kp_diagnostics_count(diagnostics) == before)
		return compiler.tables;
	kp_tables_free(compiler.tables);
	return NULL;
}

/* Reads what the reference ref, of which there may be none, stands for. */
static bool
reread(const struct reader *r, const char *ref, enum kp_pem content,
    struct kp_bytes *out, struct kp_error *err)
{
	struct kp_secret_ref parsed;

	if (ref == NULL || out->len > 0)
		return true;
	parsed = parse_ref(ref);
	return read_pem(r, &parsed, content, out, err);
}

static bool
reread_key_pair(
    const struct reader *r, struct kp_key_pair *pair, struct kp_error *err)
{
	return reread(r, pair->certificate_ref, KP_PEM_CERTIFICATE,
		   &pair->certificate_pem, err) &&
	       reread(r, pair->key_ref, KP_PEM_KEY, &pair->key_pem, err);
}

static bool
reread_cluster(const struct reader *r, struct kp_tables_cluster *cluster,
    struct kp_error *err)
{
	if (reread(r, cluster->ca_ref, KP_PEM_CERTIFICATE, &cluster->ca_pem,
		err) &&
	    reread_key_pair(r, &cluster->client, err))
		return true;
	return kp_error_prefix(err, "cluster \"%s\"", cluster->name);
}

static bool
reread_listener(const struct reader *r, struct kp_tables_listener *listener,
    struct kp_error *err)
{
	bool ok = reread(r, listener->client_ca_ref, KP_PEM_CERTIFICATE,
	    &listener->client_ca_pem, err);

	for (size_t i = 0; i < listener->num_certificates && ok; i++)
		ok = reread_key_pair(r, &listener->certificates[i], err);
	if (!ok)
		(void)kp_error_prefix(err, "listener \"%s\"", listener->name);
	return ok;
}

bool
kp_tables_read_secrets(struct kp_tables *tables, kp_read_secret read_secret,
    void *ctx, struct kp_error *err)
{
	struct reader r = { read_secret, ctx };

	for (size_t i = 0; i < tables->num_clusters; i++) {
		if (!reread_cluster(&r, &tables->clusters[i], err))
			return false;
	}
	for (size_t i = 0; i < tables->num_listeners; i++) {
		if (!reread_listener(&r, &tables->listeners[i], err))
			return false;
	}
	return true;
}
