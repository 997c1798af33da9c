/* SPDX-License-Identifier: Apache-2.0 */
/* Which revisions there are. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "control/server/etcd_priv.h"
#include "proto/control/unpack.h"

#define MAX_STATE_KEYS 16
#define CUT_OFF_PATIENCE_MS 200

static bool
damaged(const char *name, struct kp_error *err)
{
	return kp_error_set(err, KP_ERR_CONFIG,
	    "damaged: state/%s; restore etcd from a backup", name);
}

static bool
take_leader(struct kp_bytes value, struct kp_etcd_state *out)
{
	if (value.len == KP_ETCD_ATTEMPT_LEN)
		(void)snprintf(out->leader, sizeof(out->leader), "%.*s",
		    (int)value.len, (const char *)value.data);
	return true; /* anything else is nobody we know */
}

/* What is after the prefix says which one it is; others do not matter. */
static bool
take_key(const Etcdserverpb__KeyValue *pair, size_t prefix_len,
    struct kp_etcd_state *out, struct kp_error *err)
{
	const struct {
		const char *name;
		uint64_t *number;
	} numbers[] = { { "form", &out->form }, { "newest", &out->newest },
		{ "oldest", &out->oldest } };
	struct kp_bytes name, value = kp_etcd_bytes(pair->value);

	if (pair->key.len < prefix_len)
		return damaged("", err);
	name = (struct kp_bytes){ pair->key.data + prefix_len,
		pair->key.len - prefix_len };
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (kp_bytes_equal(name, kp_bytes_of(numbers[i].name)) &&
		    !kp_etcd_number_parse(value, numbers[i].number))
			return damaged(numbers[i].name, err);
	}
	if (kp_bytes_equal(name, kp_bytes_of("leader")))
		return take_leader(value, out);
	return true;
}

static bool
check_state(const struct kp_etcd_state *state, struct kp_error *err)
{
	if (state->form > KP_ETCD_FORM)
		return kp_error_set(err, KP_ERR_CONFIG,
		    "written by a newer version of kpserver (form %llu, this "
		    "one reads %d); upgrade",
		    (unsigned long long)state->form, KP_ETCD_FORM);
	if ((state->form == 0) != (state->newest == 0) ||
	    state->oldest > state->newest)
		return damaged("newest", err);
	return true;
}

static bool
read_state(struct kp_etcd *etcd, bool is_serializable, int64_t deadline_ms,
    struct kp_rpc_cancel *cancel, struct kp_etcd_state *out,
    struct kp_error *err)
{
	struct kp_etcd_span span = {
		.from = kp_etcd_key_state(etcd->prefix, ""),
		.to = kp_etcd_key_state(etcd->prefix, "~"),
		.limit = MAX_STATE_KEYS,
		.is_serializable = is_serializable,
		.deadline_ms = deadline_ms,
	};
	Etcdserverpb__RangeResponse *answer =
	    kp_etcd_read(etcd, &span, cancel, NULL, err);
	bool is_ok = answer != NULL;

	*out = (struct kp_etcd_state){ .deadline_ms = deadline_ms };
	if (!is_ok)
		return false;
	if (answer->header == NULL)
		is_ok = damaged("", err);
	else
		out->revision = answer->header->revision;
	for (size_t i = 0; is_ok && i < answer->n_kvs; i++)
		is_ok =
		    take_key(answer->kvs[i], strlen(span.from.text), out, err);
	kp_unpacked_free(&answer->base);
	return is_ok && check_state(out, err);
}

bool
kp_etcd_state_read(struct kp_etcd *etcd, bool is_serializable,
    struct kp_rpc_cancel *cancel, struct kp_etcd_state *out,
    struct kp_error *err)
{
	return read_state(etcd, is_serializable, KP_NEVER, cancel, out, err);
}

enum kp_store_result
kp_etcd_read_failed(int64_t deadline_ms, struct kp_error *err)
{
	if (err->kind != KP_ERR_UNAVAILABLE || kp_now_ms() < deadline_ms)
		return KP_STORE_FAILED;
	err->kind = KP_ERR_TIMEOUT;
	(void)kp_error_prefix(err, "not before the deadline");
	return KP_STORE_LATE;
}

/*
 * Until when to wait for a quorum before a node is asked what it has itself,
 * for which there is to be time as well.
 */
static int64_t
quorum_deadline(struct kp_etcd *etcd, int64_t deadline_ms)
{
	int64_t now_ms = kp_now_ms(), left_ms = (deadline_ms - now_ms) / 2;
	int64_t patience_ms = atomic_load(&etcd->is_cut_off)
				  ? CUT_OFF_PATIENCE_MS
				  : etcd->timeout_ms / 2;

	return now_ms + (patience_ms < left_ms ? patience_ms : left_ms);
}

/* What this store says is not older than what it has known. */
static uint64_t
known(struct kp_etcd *etcd)
{
	return kp_store_wait(&etcd->store, 0, 0);
}

enum kp_store_result
kp_etcd_store_range(struct kp_store *store, struct kp_store_range *out,
    int64_t deadline_ms, struct kp_error *err)
{
	struct kp_etcd *etcd = (struct kp_etcd *)store;
	struct kp_etcd_state state;
	struct kp_error first = { 0 };
	uint64_t newest;
	bool is_ok;

	is_ok = read_state(etcd, false, quorum_deadline(etcd, deadline_ms),
	    NULL, &state, &first);
	if (!is_ok && first.kind != KP_ERR_CONFIG) {
		is_ok = read_state(etcd, true, deadline_ms, NULL, &state, err);
		/* a refusal says more than that nobody answered */
		if (!is_ok && err->kind == KP_ERR_CONFIG)
			first = *err;
	}
	if (!is_ok) {
		*err = first;
		return kp_etcd_read_failed(deadline_ms, err);
	}
	newest = known(etcd);
	*out = (struct kp_store_range){ .oldest = state.oldest,
		.newest = state.newest > newest ? state.newest : newest };
	return KP_STORE_OK;
}

static bool
has(const struct kp_etcd_state *state, uint64_t number, uint64_t last)
{
	return number >= state->oldest && number <= state->newest &&
	       last <= state->newest;
}

enum kp_store_result
kp_etcd_state_at(struct kp_etcd *etcd, uint64_t number, uint64_t last,
    int64_t deadline_ms, struct kp_etcd_state *out, struct kp_error *err)
{
	struct kp_error first = { 0 };

	/* what a node has of a revision is what all have */
	if (read_state(etcd, true, deadline_ms, NULL, out, &first) &&
	    has(out, number, last))
		return KP_STORE_OK;
	if (!read_state(etcd, false, deadline_ms, NULL, out, err))
		return kp_etcd_read_failed(deadline_ms, err);
	if (number < out->oldest) {
		(void)kp_error_set(err, KP_ERR_CONFIG,
		    "revision %llu has been compacted",
		    (unsigned long long)number);
		return KP_STORE_COMPACTED;
	}
	if (number > out->newest) {
		(void)kp_error_set(err, KP_ERR_CONFIG,
		    "there is no revision %llu yet",
		    (unsigned long long)number);
		return KP_STORE_INVALID;
	}
	return KP_STORE_OK;
}
