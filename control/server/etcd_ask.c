/* SPDX-License-Identifier: Apache-2.0 */
/* Single requests, as the rest of the store wants them. */
#include <string.h>

#include "base/clock.h"
#include "control/server/etcd_priv.h"
#include "proto/control/unpack.h"

static ProtobufCBinaryData
binary(const char *text)
{
	return (ProtobufCBinaryData){ .len = strlen(text),
		.data = (uint8_t *)(uintptr_t)text };
}

static ProtobufCBinaryData
binary_of(struct kp_bytes bytes)
{
	return (ProtobufCBinaryData){ .len = bytes.len,
		.data = (uint8_t *)(uintptr_t)bytes.data };
}

struct kp_bytes
kp_etcd_bytes(ProtobufCBinaryData data)
{
	return (struct kp_bytes){
		.data = data.len == 0 ? (const uint8_t *)"" : data.data,
		.len = data.len,
	};
}

int64_t
kp_etcd_deadline(const struct kp_etcd *etcd)
{
	return kp_now_ms() + etcd->timeout_ms;
}

static int64_t
read_deadline(const struct kp_etcd *etcd, const struct kp_etcd_span *span)
{
	int64_t usual_ms = kp_etcd_deadline(etcd);

	return span->deadline_ms > 0 && span->deadline_ms < usual_ms
		   ? span->deadline_ms
		   : usual_ms;
}

Etcdserverpb__RangeResponse *
kp_etcd_read(struct kp_etcd *etcd, const struct kp_etcd_span *span,
    struct kp_rpc_cancel *cancel, enum kp_rpc_code *out_code,
    struct kp_error *err)
{
	Etcdserverpb__RangeRequest request;
	struct kp_etcd_reply reply;
	const struct kp_etcd_ask ask = { .method = &kp_etcd_range,
		.request = &request.base,
		.deadline_ms = read_deadline(etcd, span),
		.needs_leader = !span->is_serializable,
		.cancel = cancel };

	etcdserverpb__range_request__init(&request);
	request.key = binary(span->from.text);
	request.range_end = binary(span->to.text);
	request.limit = span->limit;
	request.revision = span->revision;
	request.serializable = span->is_serializable;
	request.keys_only = span->is_keys_only;
	if (span->is_descending)
		request.sort_order =
		    ETCDSERVERPB__RANGE_REQUEST__SORT_ORDER__DESCEND;
	(void)!kp_etcd_ask(etcd->client, &ask, &reply, err);
	if (out_code != NULL)
		*out_code = reply.code;
	return (Etcdserverpb__RangeResponse *)reply.message;
}

bool
kp_etcd_write(struct kp_etcd *etcd, const struct kp_etcd_key *key,
    struct kp_bytes value, struct kp_rpc_cancel *cancel, struct kp_error *err)
{
	Etcdserverpb__PutRequest request;
	struct kp_etcd_reply reply;
	const struct kp_etcd_ask ask = { .method = &kp_etcd_put,
		.request = &request.base,
		.deadline_ms = kp_etcd_deadline(etcd),
		.needs_leader = true,
		.cancel = cancel };

	etcdserverpb__put_request__init(&request);
	request.key = binary(key->text);
	request.value = binary_of(value);
	if (!kp_etcd_ask(etcd->client, &ask, &reply, err))
		return false;
	kp_unpacked_free(reply.message);
	return true;
}

bool
kp_etcd_remove(struct kp_etcd *etcd, const struct kp_etcd_key *from,
    const struct kp_etcd_key *to, struct kp_error *err)
{
	Etcdserverpb__DeleteRangeRequest request;
	struct kp_etcd_reply reply;
	const struct kp_etcd_ask ask = { .method = &kp_etcd_delete,
		.request = &request.base,
		.deadline_ms = kp_etcd_deadline(etcd),
		.needs_leader = true };

	etcdserverpb__delete_range_request__init(&request);
	request.key = binary(from->text);
	request.range_end = binary(to->text);
	if (!kp_etcd_ask(etcd->client, &ask, &reply, err))
		return false;
	kp_unpacked_free(reply.message);
	return true;
}

void
kp_etcd_txn_init(struct kp_etcd_txn *txn)
{
	etcdserverpb__txn_request__init(&txn->request);
	txn->request.compare = txn->compare_list;
	txn->request.success = txn->put_list;
	txn->request.failure = txn->range_list;
}

void
kp_etcd_txn_if(
    struct kp_etcd_txn *txn, const struct kp_etcd_key *key, const char *value)
{
	size_t i = txn->request.n_compare++;
	Etcdserverpb__Compare *compare;

	kp_assert(i < KP_ETCD_MAX_OPS);
	compare = txn->compare_list[i] = &txn->compares[i];
	etcdserverpb__compare__init(compare);
	compare->key = binary(key->text);
	if (value == NULL) {
		compare->target = ETCDSERVERPB__COMPARE__COMPARE_TARGET__CREATE;
		compare->target_union_case =
		    ETCDSERVERPB__COMPARE__TARGET_UNION_CREATE_REVISION;
		return;
	}
	compare->target = ETCDSERVERPB__COMPARE__COMPARE_TARGET__VALUE;
	compare->target_union_case = ETCDSERVERPB__COMPARE__TARGET_UNION_VALUE;
	compare->value = binary(value);
}

void
kp_etcd_txn_put(struct kp_etcd_txn *txn, const struct kp_etcd_key *key,
    struct kp_bytes value, int64_t lease)
{
	size_t i = txn->request.n_success++;

	kp_assert(i < KP_ETCD_MAX_OPS);
	txn->put_list[i] = &txn->put_ops[i];
	etcdserverpb__request_op__init(&txn->put_ops[i]);
	etcdserverpb__put_request__init(&txn->puts[i]);
	txn->put_ops[i].request_case =
	    ETCDSERVERPB__REQUEST_OP__REQUEST_REQUEST_PUT;
	txn->put_ops[i].request_put = &txn->puts[i];
	txn->puts[i].key = binary(key->text);
	txn->puts[i].value = binary_of(value);
	txn->puts[i].lease = lease;
}

void
kp_etcd_txn_else_read(struct kp_etcd_txn *txn, const struct kp_etcd_key *key)
{
	size_t i = txn->request.n_failure++;

	kp_assert(i < KP_ETCD_MAX_OPS);
	txn->range_list[i] = &txn->range_ops[i];
	etcdserverpb__request_op__init(&txn->range_ops[i]);
	etcdserverpb__range_request__init(&txn->ranges[i]);
	txn->range_ops[i].request_case =
	    ETCDSERVERPB__REQUEST_OP__REQUEST_REQUEST_RANGE;
	txn->range_ops[i].request_range = &txn->ranges[i];
	txn->ranges[i].key = binary(key->text);
}

Etcdserverpb__TxnResponse *
kp_etcd_txn_run(struct kp_etcd *etcd, const struct kp_etcd_txn *txn,
    struct kp_rpc_cancel *cancel, bool *out_is_unknown, struct kp_error *err)
{
	struct kp_etcd_reply reply;
	const struct kp_etcd_ask ask = { .method = &kp_etcd_txn,
		.request = &txn->request.base,
		.deadline_ms = kp_etcd_deadline(etcd),
		.needs_leader = true,
		.cancel = cancel };

	(void)!kp_etcd_ask(etcd->client, &ask, &reply, err);
	if (out_is_unknown != NULL)
		*out_is_unknown = reply.is_unknown;
	return (Etcdserverpb__TxnResponse *)reply.message;
}

struct kp_bytes
kp_etcd_txn_found(const Etcdserverpb__TxnResponse *answer, size_t index)
{
	const Etcdserverpb__ResponseOp *op;

	if (index >= answer->n_responses)
		return (struct kp_bytes){ .data = NULL };
	op = answer->responses[index];
	if (op->response_case !=
		ETCDSERVERPB__RESPONSE_OP__RESPONSE_RESPONSE_RANGE ||
	    op->response_range->n_kvs == 0)
		return (struct kp_bytes){ .data = NULL };
	return kp_etcd_bytes(op->response_range->kvs[0]->value);
}
