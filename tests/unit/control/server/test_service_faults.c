/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each allocation of a call to a whole policy server is refused in turn, on
 * either side. An answer is the whole one; else the call says that there was no
 * memory, and the next one is answered. A watch misses nothing unless it ends
 * so.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "control/api/methods.h"
#include "control/rpc/stream.h"
#include "proto/control/unpack.h"
#include "tests/support/server_world.h"

#define CLUSTER(name, port) \
	"apiVersion: kproxy/v1\nkind: Cluster\n" \
	"metadata: {name: " name ", labels: {team: red}}\n" \
	"spec: {bootstrap: [\"127.0.0.1:" port "\"]}\n"
/* No call here needs as many. */
#define MANY 2000

static int64_t
patience(void)
{
	return kp_now_ms() + KP_TEST_SERVER_PATIENCE_MS;
}

static void
expect_no_memory(const struct kp_rpc_status *status)
{
	cr_assert_not_null(strstr(status->sentence, "memory"), "%s: %s",
	    kp_rpc_code_name(status->code), status->sentence);
	cr_assert(status->code == KP_RPC_RESOURCE_EXHAUSTED ||
		      status->code == KP_RPC_FAILED_PRECONDITION,
	    "%s", kp_rpc_code_name(status->code));
}

/* A request to make resource name, of that text. */
struct apply {
	Kproxy__Control__V1__ApplyRequest request;
	Kproxy__Control__V1__File file, *files;
};

static void
make_apply(struct apply *out, const char *text)
{
	static char name[] = "f.yaml";

	kproxy__control__v1__apply_request__init(&out->request);
	kproxy__control__v1__file__init(&out->file);
	out->file.name = name;
	out->file.text =
	    (ProtobufCBinaryData){ strlen(text), (uint8_t *)(uintptr_t)text };
	out->files = &out->file;
	out->request.files = &out->files;
	out->request.n_files = 1;
}

/* The revision that it made. */
static uint64_t
apply(struct kp_test_server *world, const char *text)
{
	struct kp_rpc_result result;
	struct apply made;
	uint64_t revision;

	make_apply(&made, text);
	cr_assert(kp_test_server_call(
		      world, &kp_api_apply, &made.request.base, &result),
	    "%s", result.status.sentence);
	revision =
	    ((Kproxy__Control__V1__ApplyResponse *)result.answer)->revision;
	kp_rpc_result_fini(&result);
	return revision;
}

static void
set_up(struct kp_test_server *world)
{
	kp_test_server_start(world);
	cr_assert_eq(apply(world, CLUSTER("a", "1")), 1);
	cr_assert_eq(
	    apply(world, CLUSTER("a", "2") "---\n" CLUSTER("b", "2")), 2);
	cr_assert_eq(apply(world, CLUSTER("c", "3")), 3);
}

static void
pack(struct kp_buf *out, const ProtobufCMessage *message)
{
	kp_buf_init(out, KP_API_MAX_ANSWER);
	(void)protobuf_c_message_pack(message,
	    kp_buf_extend(out, protobuf_c_message_get_packed_size(message)));
}

/* Is answer what wanted is? */
static bool
is_same(const ProtobufCMessage *answer, const ProtobufCMessage *wanted)
{
	struct kp_buf a, b;
	bool is;

	pack(&a, answer);
	pack(&b, wanted);
	is = kp_bytes_equal(kp_buf_bytes(&a), kp_buf_bytes(&b));
	kp_buf_fini(&a);
	kp_buf_fini(&b);
	return is;
}

/* Through all failures of one call that reads; how many there were. */
static unsigned
go_through(struct kp_test_server *world, const struct kp_rpc_method *method,
    const ProtobufCMessage *request)
{
	struct kp_rpc_result wanted, result;
	unsigned n = 0, num_refused = 0, left = 0;

	cr_assert(kp_test_server_call(world, method, request, &wanted),
	    "%s: %s", method->name, wanted.status.sentence);
	while (left == 0) {
		bool is_ok;

		cr_assert(++n < MANY);
		kp_alloc_fail_after(n);
		is_ok = kp_test_server_call(world, method, request, &result);
		left = kp_alloc_fail_after(0);
		cr_assert(is_ok || left == 0);
		if (is_ok)
			cr_assert(is_same(result.answer, wanted.answer),
			    "%s: %u", method->name, n);
		else
			expect_no_memory(&result.status);
		num_refused += !is_ok;
		kp_rpc_result_fini(&result);
		cr_assert(kp_test_server_call(world, method, request, &result));
		cr_assert(is_same(result.answer, wanted.answer));
		kp_rpc_result_fini(&result);
	}
	kp_rpc_result_fini(&wanted);
	return num_refused;
}

Test(service_faults, what_is_read_is_whole_or_refused)
{
	static char kind[] = "Cluster", name[] = "a", selector[] = "team=red";
	Kproxy__Control__V1__GetRequest get;
	Kproxy__Control__V1__ListRequest list;
	Kproxy__Control__V1__HistoryRequest history;
	Kproxy__Control__V1__DiffRequest diff;
	struct kp_test_server world;

	set_up(&world);
	kproxy__control__v1__get_request__init(&get);
	get.kind = kind;
	get.name = name;
	cr_assert(go_through(&world, &kp_api_get, &get.base) > 5);
	get.revision = 1;
	cr_assert(go_through(&world, &kp_api_get, &get.base) > 5);
	kproxy__control__v1__list_request__init(&list);
	list.selector = selector;
	list.page_size = 2;
	cr_assert(go_through(&world, &kp_api_list, &list.base) > 10);
	kproxy__control__v1__history_request__init(&history);
	history.with_documents = true;
	cr_assert(go_through(&world, &kp_api_history, &history.base) > 10);
	kproxy__control__v1__diff_request__init(&diff);
	diff.from = 1;
	cr_assert(go_through(&world, &kp_api_diff, &diff.base) > 5);
	kp_test_server_stop(&world);
}

/* States that are not kept are read, and parsed, anew. */
static void
forget(struct kp_test_server *world, uint64_t revision)
{
	static char kind[] = "Cluster", name[] = "a";
	Kproxy__Control__V1__GetRequest get;
	struct kp_rpc_result result;

	kproxy__control__v1__get_request__init(&get);
	get.kind = kind;
	get.name = name;
	for (uint64_t i = 1; i <= KP_DESK_OLD_STATES; i++) {
		get.revision = revision + i;
		cr_assert(kp_test_server_call(
		    world, &kp_api_get, &get.base, &result));
		kp_rpc_result_fini(&result);
	}
}

/* What cannot be parsed for want of memory is no resource without labels. */
Test(service_faults, a_selector_leaves_nothing_out_for_want_of_memory)
{
	static const char *const texts[] = { CLUSTER("c", "4"),
		CLUSTER("c", "5"), CLUSTER("c", "6"), CLUSTER("c", "7") };
	static char selector[] = "team=red";
	Kproxy__Control__V1__ListRequest list;
	struct kp_rpc_result wanted, result;
	struct kp_test_server world;
	unsigned n = 0, left = 0;

	set_up(&world);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		(void)apply(&world, texts[i]);
	kproxy__control__v1__list_request__init(&list);
	list.selector = selector;
	list.revision = 2;
	cr_assert(
	    kp_test_server_call(&world, &kp_api_list, &list.base, &wanted));
	while (left == 0) {
		bool is_ok;

		cr_assert(++n < MANY);
		forget(&world, 2);
		kp_alloc_fail_after(n);
		is_ok = kp_test_server_call(
		    &world, &kp_api_list, &list.base, &result);
		left = kp_alloc_fail_after(0);
		cr_assert(is_ok || left == 0);
		if (is_ok)
			cr_assert(
			    is_same(result.answer, wanted.answer), "%u", n);
		else
			expect_no_memory(&result.status);
		kp_rpc_result_fini(&result);
	}
	cr_assert(n > 20, "%u", n);
	kp_rpc_result_fini(&wanted);
	kp_test_server_stop(&world);
}

/* A text that is news, whatever the revision is. */
static const char *
fresh_text(struct kp_test_server *world)
{
	return kp_desk_revision(world->services.desk) % 2 == 0
		   ? CLUSTER("b", "8")
		   : CLUSTER("b", "9");
}

/* Applies text, of which the n-th allocation is about to fail; false if that
 * was refused. */
static bool
try_apply(struct kp_test_server *world, const char *text)
{
	uint64_t before = kp_desk_revision(world->services.desk);
	struct kp_rpc_result result;
	struct apply made;
	bool is_ok;

	make_apply(&made, text);
	is_ok = kp_test_server_call(
	    world, &kp_api_apply, &made.request.base, &result);
	if (!is_ok)
		expect_no_memory(&result.status);
	/* made, but the client had no memory for the answer */
	if (strstr(result.status.sentence, "answer") != NULL)
		is_ok = true;
	kp_rpc_result_fini(&result);
	cr_assert_eq(kp_desk_revision(world->services.desk), before + is_ok);
	return is_ok;
}

Test(service_faults, a_change_is_made_or_refused)
{
	struct kp_test_server world;
	unsigned n = 0, num_refused = 0, left = 0;

	set_up(&world);
	while (left == 0) {
		uint64_t before = kp_desk_revision(world.services.desk);

		bool is_ok;

		cr_assert(++n < MANY);
		kp_alloc_fail_after(n);
		is_ok = try_apply(&world, fresh_text(&world));
		left = kp_alloc_fail_after(0);
		cr_assert(is_ok || left == 0);
		if (is_ok)
			continue;
		num_refused++;
		cr_assert_eq(apply(&world, fresh_text(&world)), before + 1);
	}
	cr_assert(n > 15 && num_refused > 8, "%u, %u", n, num_refused);
	kp_test_server_stop(&world);
}

Test(service_faults, a_deletion_and_its_undoing_are_made_or_refused)
{
	static char kind[] = "Cluster", name[] = "a";
	Kproxy__Control__V1__ResourceName id, *ids = &id;
	Kproxy__Control__V1__DeleteRequest request;
	Kproxy__Control__V1__RollbackRequest back;
	struct kp_rpc_result result;
	struct kp_test_server world;
	unsigned n = 0, left = 0;

	set_up(&world);
	kproxy__control__v1__resource_name__init(&id);
	kproxy__control__v1__delete_request__init(&request);
	kproxy__control__v1__rollback_request__init(&back);
	id.kind = kind;
	id.name = name;
	request.names = &ids;
	request.n_names = 1;
	while (left == 0) {
		uint64_t before = kp_desk_revision(world.services.desk);
		bool is_ok;

		cr_assert(++n < MANY);
		back.to = before;
		kp_alloc_fail_after(n);
		is_ok = kp_test_server_call(
		    &world, &kp_api_delete, &request.base, &result);
		if (is_ok) {
			kp_rpc_result_fini(&result);
			is_ok = kp_test_server_call(
			    &world, &kp_api_rollback, &back.base, &result);
		}
		left = kp_alloc_fail_after(0);
		cr_assert(is_ok || left == 0);
		if (!is_ok)
			expect_no_memory(&result.status);
		kp_rpc_result_fini(&result);
		if (is_ok)
			continue;
		/* back to where it was, whatever of it was done */
		if (!kp_test_server_call(
			&world, &kp_api_rollback, &back.base, &result))
			cr_assert_eq(
			    kp_desk_revision(world.services.desk), before);
		kp_rpc_result_fini(&result);
	}
	cr_assert(n > 20, "%u", n);
	kp_test_server_stop(&world);
}

/* A watch with the revisions that came of it. */
struct watch {
	struct kp_rpc_stream *stream;
	uint64_t last;
	bool has_ended;
};

static void
watch_start(struct watch *out, struct kp_test_server *world, uint64_t after)
{
	Kproxy__Control__V1__WatchRequest request;
	struct kp_error err;

	*out = (struct watch){ .last = after };
	out->stream = kp_rpc_stream_new(world->ada, &kp_api_watch, KP_NEVER);
	kproxy__control__v1__watch_request__init(&request);
	request.after = after;
	request.with_documents = true;
	/* how it ended, reading says */
	cr_assert(
	    kp_rpc_stream_write(out->stream, &request.base, patience(), &err) ||
	    err.kind == KP_ERR_CLOSED);
}

/* Takes all until that revision, or until it ends; none may be left out. */
static void
watch_until(struct watch *watch, uint64_t revision)
{
	ProtobufCMessage *message;

	while (watch->last < revision && !watch->has_ended) {
		enum kp_rpc_read result =
		    kp_rpc_stream_read(watch->stream, &message, patience());

		cr_assert_neq(result, KP_RPC_READ_NOTHING);
		watch->has_ended = result == KP_RPC_READ_END;
		if (watch->has_ended)
			break;
		cr_assert_eq(((Kproxy__Control__V1__WatchResponse *)message)
				 ->revision->number,
		    watch->last + 1);
		watch->last++;
		kp_unpacked_free(message);
	}
}

static void
watch_fini(struct watch *watch)
{
	if (watch->has_ended)
		expect_no_memory(kp_rpc_stream_status(watch->stream));
	kp_rpc_stream_free(watch->stream);
}

Test(service_faults, a_watch_says_all_or_ends)
{
	struct kp_test_server world;
	struct watch watch;
	unsigned n = 0, num_ended = 0, left = 0;

	set_up(&world);
	while (left == 0) {
		uint64_t seen;

		cr_assert(++n < MANY);
		kp_alloc_fail_after(n);
		watch_start(&watch, &world, 0);
		watch_until(&watch, 3);
		left = kp_alloc_fail_after(0);
		seen = watch.last;
		cr_assert_eq(watch.has_ended, seen < 3);
		cr_assert(!watch.has_ended || left == 0);
		num_ended += watch.has_ended;
		watch_fini(&watch);
		/* the rest, from where it ended */
		watch_start(&watch, &world, seen);
		watch_until(&watch, 3);
		cr_assert_eq(watch.last, 3);
		watch_fini(&watch);
	}
	cr_assert(n > 20 && num_ended > 15, "%u, %u", n, num_ended);
	kp_test_server_stop(&world);
}

/* While changes are made, whose calls may be what has no memory. */
Test(service_faults, a_watch_misses_no_change)
{
	struct kp_test_server world;
	struct watch watch;
	unsigned n = 0, num_ended = 0, left = 0;

	set_up(&world);
	watch_start(&watch, &world, 0);
	watch_until(&watch, 3);
	while (left == 0) {
		bool is_ok;

		cr_assert(++n < MANY);
		kp_alloc_fail_after(n);
		is_ok = try_apply(&world, fresh_text(&world));
		watch_until(&watch, kp_desk_revision(world.services.desk));
		left = kp_alloc_fail_after(0);
		cr_assert(is_ok || left == 0);
		if (!watch.has_ended)
			continue;
		num_ended++;
		cr_assert_eq(left, 0);
		watch_fini(&watch);
		watch_start(&watch, &world, watch.last);
	}
	watch_until(&watch, kp_desk_revision(world.services.desk));
	cr_assert(!watch.has_ended);
	cr_assert(n > 20 && num_ended > 5, "%u, %u", n, num_ended);
	watch_fini(&watch);
	kp_test_server_stop(&world);
}
