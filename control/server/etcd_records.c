/* SPDX-License-Identifier: Apache-2.0 */
/* Records in etcd: a key each, put in transactions of a bounded size. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "control/server/etcd_priv.h"
#include "proto/control/unpack.h"

/* One transaction: well below etcd's 128 operations and 1.5 MiB. */
#define MAX_PUTS 64
#define MAX_PUTS_LEN (512u << 10)
/* One answer: that many of KP_STORE_MAX_RECORD_LEN fit. */
#define MAX_PAGE 64

/* A transaction without conditions. */
struct batch {
	size_t num, len;
	struct kp_etcd_key keys[MAX_PUTS];
	Etcdserverpb__PutRequest puts[MAX_PUTS];
	Etcdserverpb__DeleteRangeRequest removals[MAX_PUTS];
	Etcdserverpb__RequestOp ops[MAX_PUTS];
	Etcdserverpb__RequestOp *list[MAX_PUTS];
};

static ProtobufCBinaryData
binary(const void *data, size_t len)
{
	return (ProtobufCBinaryData){ .len = len,
		.data = (uint8_t *)(uintptr_t)data };
}

static void
add_put(struct batch *batch, size_t i, struct kp_bytes value)
{
	Etcdserverpb__PutRequest *put = &batch->puts[i];

	etcdserverpb__put_request__init(put);
	put->key = binary(batch->keys[i].text, strlen(batch->keys[i].text));
	put->value = binary(value.data, value.len);
	batch->ops[i].request_case =
	    ETCDSERVERPB__REQUEST_OP__REQUEST_REQUEST_PUT;
	batch->ops[i].request_put = put;
}

static void
add_removal(struct batch *batch, size_t i)
{
	Etcdserverpb__DeleteRangeRequest *removal = &batch->removals[i];

	etcdserverpb__delete_range_request__init(removal);
	removal->key = binary(batch->keys[i].text, strlen(batch->keys[i].text));
	batch->ops[i].request_case =
	    ETCDSERVERPB__REQUEST_OP__REQUEST_REQUEST_DELETE_RANGE;
	batch->ops[i].request_delete_range = removal;
}

static void
add(struct batch *batch, const char *prefix,
    const struct kp_store_record *record)
{
	size_t i = batch->num++;

	batch->keys[i] =
	    kp_etcd_key_record(prefix, record->bucket, record->name);
	batch->len += record->data.len;
	batch->list[i] = &batch->ops[i];
	etcdserverpb__request_op__init(&batch->ops[i]);
	if (record->data.data == NULL)
		add_removal(batch, i);
	else
		add_put(batch, i, record->data);
}

static bool
send(struct kp_etcd *etcd, struct batch *batch, struct kp_error *err)
{
	struct kp_etcd_txn txn;
	Etcdserverpb__TxnResponse *answer;

	kp_etcd_txn_init(&txn);
	txn.request.success = batch->list;
	txn.request.n_success = batch->num;
	answer = kp_etcd_txn_run(etcd, &txn, NULL, NULL, err);
	if (answer == NULL)
		return false;
	kp_unpacked_free(&answer->base);
	return true;
}

/* etcd refuses a key that is named twice in one transaction. */
static bool
has_name(const struct batch *batch, const char *prefix,
    const struct kp_store_record *record)
{
	struct kp_etcd_key key =
	    kp_etcd_key_record(prefix, record->bucket, record->name);

	for (size_t i = 0; i < batch->num; i++) {
		if (strcmp(batch->keys[i].text, key.text) == 0)
			return true;
	}
	return false;
}

enum kp_store_result
kp_etcd_store_put_records(struct kp_store *store,
    const struct kp_store_record *records, size_t num_records,
    struct kp_error *err)
{
	struct kp_etcd *etcd = (struct kp_etcd *)store;
	struct batch *batch = kp_alloc(1, sizeof(*batch));
	bool is_ok = true;

	for (size_t i = 0; is_ok && i < num_records; i++) {
		if (batch->num == MAX_PUTS || batch->len > MAX_PUTS_LEN ||
		    has_name(batch, etcd->prefix, &records[i])) {
			is_ok = send(etcd, batch, err);
			batch->num = batch->len = 0;
		}
		add(batch, etcd->prefix, &records[i]);
	}
	if (is_ok && batch->num > 0)
		is_ok = send(etcd, batch, err);
	free(batch);
	return is_ok ? KP_STORE_OK : KP_STORE_FAILED;
}

/* What a page of records is visited with. */
struct visit {
	const char *bucket;
	size_t prefix_len; /* of keys, before the name */
	kp_visit_record call;
	void *ctx;
};

/* Visits a page, and makes *last the key of its last one. */
static bool
visit_page(const struct visit *visit, const Etcdserverpb__RangeResponse *page,
    struct kp_etcd_key *last, struct kp_error *err)
{
	for (size_t i = 0; i < page->n_kvs; i++) {
		struct kp_bytes key = kp_etcd_bytes(page->kvs[i]->key);
		struct kp_store_record record = { .bucket = visit->bucket,
			.name = last->text + visit->prefix_len,
			.data = kp_etcd_bytes(page->kvs[i]->value) };

		if (key.len <= visit->prefix_len ||
		    key.len >= sizeof(last->text) - 1 ||
		    memchr(key.data, '\0', key.len) != NULL)
			return kp_error_set(err, KP_ERR_CONFIG,
			    "damaged: a strange key among records");
		kp_copy(last->text, key.data, key.len);
		last->text[key.len] = '\0';
		visit->call(visit->ctx, &record);
	}
	return true;
}

enum kp_store_result
kp_etcd_store_each_record(struct kp_store *store, const char *bucket,
    kp_visit_record call, void *ctx, struct kp_error *err)
{
	struct kp_etcd *etcd = (struct kp_etcd *)store;
	struct kp_etcd_key last = kp_etcd_key_record(etcd->prefix, bucket, "");
	const struct visit visit = { bucket, strlen(last.text), call, ctx };
	struct kp_etcd_span span = { .from = last,
		.to = last,
		.limit = MAX_PAGE,
		.is_serializable = true };
	bool is_ok = true, has_more = true;
	size_t len;

	/* the byte after '/' */
	span.to.text[visit.prefix_len - 1]++;
	while (is_ok && has_more) {
		Etcdserverpb__RangeResponse *page =
		    kp_etcd_read(etcd, &span, NULL, NULL, err);

		is_ok = page != NULL && visit_page(&visit, page, &last, err);
		has_more = is_ok && page->n_kvs == MAX_PAGE;
		/* no name goes on with so small a byte */
		span.from = last;
		len = strlen(last.text);
		span.from.text[len] = '\x01';
		span.from.text[len + 1] = '\0';
		if (page != NULL)
			kp_unpacked_free(&page->base);
	}
	return is_ok ? KP_STORE_OK : KP_STORE_FAILED;
}
