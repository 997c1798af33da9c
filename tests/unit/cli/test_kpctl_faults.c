/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each allocation of kpctl's commands is refused in turn, against a whole
 * policy server in the same process, whose allocations are among them. What is
 * answered is the whole answer; else kpctl says that there was no memory, and
 * ends with a code that is not 0.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "cli/args.h"
#include "cli/output.h"
#include "control/rpc/stream.h"
#include "proto/control/unpack.h"
#include "tests/support/server_world.h"

#define MAX_WORDS 20
#define MAX_LINE 512
/* Of one watch. */
#define MAX_SAID (64u << 10)
/* Nothing here needs as many. */
#define MANY 5000
/* Of commands that connect. */
#define STEP 37

#define CLUSTER(port) \
	"apiVersion: kproxy/v1\nkind: Cluster\n" \
	"metadata: {name: a, labels: {team: red}}\n" \
	"spec: {bootstrap: [\"127.0.0.1:" port "\"]}\n"
#define RESOURCES(port) \
	CLUSTER(port) \
	"---\n" \
	"apiVersion: kproxy/v1\nkind: Listener\nmetadata: {name: l}\n" \
	"spec: {bind: 127.0.0.1, advertisedHost: localhost,\n" \
	"  ports: {bootstrap: 19092, first: 19093, count: 4}}\n"

#define POLICY \
	"apiVersion: kproxy/v1\nkind: Policy\nmetadata: {name: p}\nspec:\n" \
	"  match: {apis: [DeleteTopics]}\n" \
	"  variables: [{name: v, expression: \"[topic.name, 'a' + 'b']\"}]\n" \
	"  validations: [{expression: \"variables.v.size() == 2\"}]\n"

/* A run of kpctl: its code, and what it wrote. */
struct run {
	int code;
	char *out, *err;
};

struct fixture {
	struct kp_test_server world;
	struct kp_rpc_stream *node; /* that has taken nothing yet */
	char folder[KP_TEST_PATH_LEN];
	int files[2]; /* in memory, in place of stdout and stderr */
	int streams[2];
};

/* What was written to a file in memory, which is empty then. */
static char *
take(int fd)
{
	off_t len = lseek(fd, 0, SEEK_END);
	char *text = kp_alloc(1, (size_t)len + 1);

	cr_assert_eq(pread(fd, text, (size_t)len, 0), len);
	cr_assert_eq(ftruncate(fd, 0), 0);
	cr_assert_eq(lseek(fd, 0, SEEK_SET), 0);
	return text;
}

/* As the main function of kpctl does. */
static int
run_words(const char *const *words, size_t num)
{
	enum kp_exit result = KP_EXIT_USAGE;
	struct kp_args args;
	struct kp_error err;

	if (kp_args_parse(&args, &kp_kpctl, words, num, &err))
		result = kp_args_command(&args)->run(&args);
	else
		kp_output_problem("%s", err.text);
	kp_args_fini(&args);
	return (int)kp_output_finish(result);
}

/* Runs line, whose words are separated by blanks. */
static int
run_line(const char *line)
{
	const char *words[MAX_WORDS];
	char copy[MAX_LINE], *rest = copy, *word;
	size_t num = 0;

	cr_assert(
	    (size_t)snprintf(copy, sizeof(copy), "%s", line) < sizeof(copy));
	while ((word = strsep(&rest, " ")) != NULL) {
		cr_assert(num < MAX_WORDS);
		words[num++] = word;
	}
	return run_words(words, num);
}

/* Runs line while the n-th allocation fails; returns how far away that one
 * still was. */
static unsigned
run(struct fixture *f, struct run *out, const char *line, unsigned n)
{
	unsigned left;

	(void)fflush(stdout);
	for (int i = 0; i < 2; i++)
		cr_assert(dup2(f->files[i], STDOUT_FILENO + i) >= 0);
	kp_alloc_fail_after(n);
	out->code = run_line(line);
	left = kp_alloc_fail_after(0);
	(void)fflush(stdout);
	for (int i = 0; i < 2; i++)
		cr_assert(dup2(f->streams[i], STDOUT_FILENO + i) >= 0);
	out->out = take(f->files[0]);
	out->err = take(f->files[1]);
	return left;
}

static void
run_fini(struct run *run)
{
	free(run->out);
	free(run->err);
}

static void
must(struct fixture *f, const char *line)
{
	struct run made;

	(void)run(f, &made, line, 0);
	cr_assert_eq(made.code, KP_EXIT_OK, "%s: %s", line, made.err);
	run_fini(&made);
}

static void
write_pem(const struct fixture *f, const char *name, struct kp_bytes pem)
{
	char *text = kp_strndup((const char *)pem.data, pem.len);

	kp_test_write(f->folder, name, text);
	free(text);
}

static void
join(struct fixture *f)
{
	static char node[] = "edge-1", name[] = "site", value[] = "fra";
	Kproxy__Control__V1__SyncRequest request;
	Kproxy__Control__V1__Hello hello;
	Kproxy__Control__V1__Label label, *labels = &label;
	ProtobufCMessage *welcome;
	struct kp_error err;

	kproxy__control__v1__sync_request__init(&request);
	kproxy__control__v1__hello__init(&hello);
	kproxy__control__v1__label__init(&label);
	label.name = name;
	label.value = value;
	hello.node = node;
	hello.labels = &labels;
	hello.n_labels = 1;
	request.body_case = KPROXY__CONTROL__V1__SYNC_REQUEST__BODY_HELLO;
	request.hello = &hello;
	f->node = kp_rpc_stream_new(f->world.edge, &kp_api_sync, KP_NEVER);
	cr_assert(kp_rpc_stream_write(f->node, &request.base, KP_NEVER, &err));
	cr_assert_eq(kp_rpc_stream_read(f->node, &welcome, KP_NEVER),
	    KP_RPC_READ_MESSAGE);
	kp_unpacked_free(welcome);
}

static void
set_up(struct fixture *f)
{
	char line[MAX_LINE];

	*f = (struct fixture){ .streams = {
				   dup(STDOUT_FILENO), dup(STDERR_FILENO) } };
	for (int i = 0; i < 2; i++)
		f->files[i] = memfd_create("kpctl", MFD_CLOEXEC);
	kp_test_server_start(&f->world);
	kp_test_folder(f->folder);
	cr_assert_eq(chdir(f->folder), 0);
	cr_assert_eq(setenv("KPCTL_CONFIG", "kpctl.yaml", 1), 0);
	cr_assert_eq(setenv("TMPDIR", f->folder, 1), 0);
	cr_assert_eq(setenv("EDITOR", "sed -i s/0.1:1/0.1:7/", 1), 0);
	write_pem(f, "ca.pem", kp_test_ca_pem(f->world.ca));
	write_pem(f, "me.pem", f->world.ada_pair.certificate_pem);
	write_pem(f, "me.key", f->world.ada_pair.key_pem);
	kp_test_write(f->folder, "a.yaml", RESOURCES("1"));
	kp_test_write(f->folder, "b.yaml", RESOURCES("2"));
	kp_test_write(f->folder, "c.yaml", CLUSTER("2"));
	kp_test_write(f->folder, "bad.yaml", CLUSTER("0"));
	kp_test_write(f->folder, "p.yaml", POLICY);
	(void)snprintf(line, sizeof(line),
	    "config set-context here --server %s --ca ca.pem --certificate "
	    "me.pem "
	    "--key me.key",
	    f->world.address);
	must(f, line);
	must(f, "config use-context here");
	must(f, "apply -f b.yaml");
	must(f, "apply -f a.yaml --reason because");
	join(f);
}

static void
tear_down(struct fixture *f)
{
	for (int i = 0; i < 2; i++) {
		(void)close(f->files[i]);
		(void)close(f->streams[i]);
	}
	cr_assert_eq(chdir("/"), 0);
	cr_assert_eq(unsetenv("TMPDIR"), 0);
	kp_rpc_stream_free(f->node);
	kp_test_server_stop(&f->world);
	kp_test_folder_remove(f->folder);
}

/* Is it the whole answer, or said that there was no memory for it? */
static bool
is_good(const struct run *made, const struct run *wanted)
{
	if (made->code == wanted->code && strcmp(made->err, wanted->err) == 0)
		return strcmp(made->out, wanted->out) == 0;
	if (made->code != KP_EXIT_OK &&
	    (strstr(made->err, "memory") != NULL ||
		strstr(made->out, "memory") != NULL))
		return true;
	/* a refusal may have lost its details */
	return made->code == KP_EXIT_REFUSED && wanted->code == made->code &&
	       strstr(made->err, "refused: 1 problem") != NULL;
}

/* Through the failures of a command that changes nothing, from the n-th on and
 * every step-th of them; how many allocations it makes. */
static unsigned
go_through(struct fixture *f, const char *line, unsigned n, unsigned step)
{
	struct run wanted, made;
	unsigned left = 0;

	(void)run(f, &wanted, line, 0);
	while (left == 0) {
		cr_assert(n < MANY);
		left = run(f, &made, line, n);
		cr_assert(is_good(&made, &wanted), "%s: %u: %d %s%s", line, n,
		    made.code, made.err, made.out);
		cr_assert(left == 0 || strcmp(made.err, wanted.err) == 0);
		run_fini(&made);
		n += step;
	}
	(void)run(f, &made, line, 0);
	cr_assert_eq(made.code, wanted.code);
	cr_assert_str_eq(made.out, wanted.out);
	run_fini(&made);
	run_fini(&wanted);
	return n - step - left;
}

/* A command, and how many allocations it makes at least. */
struct command {
	const char *line;
	unsigned least;
};

/* Where it takes thousands of runs, each command goes through every step-th
 * failure, from another one on: what they have in common is gone through. */
static void
go_through_all(const struct command *commands, size_t num, unsigned step)
{
	struct fixture f;

	set_up(&f);
	for (size_t i = 0; i < num; i++)
		cr_assert(
		    go_through(&f, commands[i].line, 1 + (unsigned)i % step,
			step) >= commands[i].least,
		    "%s", commands[i].line);
	tear_down(&f);
}

Test(kpctl_faults, what_needs_no_server_is_answered_or_refused)
{
	static const struct command commands[] = {
		{ "validate -f a.yaml", 10 },
		{ "validate -f a.yaml -o json", 10 },
		{ "format -f a.yaml", 10 },
		{ "format -f a.yaml -o json", 10 },
		{ "format -f a.yaml -o wide", 10 },
		{ "format -f a.yaml --diff", 10 },
		{ "explain Listener.spec.ports", 1 },
		{ "help get", 1 },
		{ "__complete get clu", 1 },
		{ "config view", 6 },
		{ "config get-contexts", 6 },
		{ "config current-context", 6 },
		{ "version", 1 },
		{ "trace --api DeleteTopics --topic t -f p.yaml", 10 },
		{ "trace --api DeleteTopics --topic t -o json -f p.yaml", 10 },
	};

	go_through_all(commands, sizeof(commands) / sizeof(commands[0]), 1);
}

Test(kpctl_faults, what_a_server_says_is_shown_or_refused)
{
	static const struct command commands[] = {
		{ "get all", 20 },
		{ "get clusters -o wide", 20 },
		{ "get clusters -l team=red -o json", 20 },
		{ "get cluster a -o yaml", 20 },
		{ "get clusters -o name", 10 },
		{ "get nodes -o json", 12 },
		{ "get nodes -l site=fra -o name", 10 },
		{ "describe cluster a", 20 },
		{ "history", 10 },
		{ "history -o json", 10 },
		{ "history --revision 1", 10 },
		{ "status -o yaml", 12 },
		{ "status --watch --timeout 1ms -o name", 12 },
		{ "version --server", 10 },
		{ "trace --api DeleteTopics --topic t", 10 },
		{ "trace --api DeleteTopics --topic t -o json", 10 },
	};

	go_through_all(commands, sizeof(commands) / sizeof(commands[0]), STEP);
}

/* Nothing is changed: each begins where the one before did. */
Test(kpctl_faults, what_would_be_changed_is_told_or_refused)
{
	static const struct command commands[] = {
		{ "validate -f b.yaml --server", 20 },
		{ "apply -f b.yaml --dry-run", 20 },
		{ "apply -f b.yaml --dry-run=client", 10 },
		{ "apply -f c.yaml --prune --all --dry-run", 30 },
		{ "apply -f bad.yaml --dry-run", 20 },
		{ "diff -f b.yaml", 20 },
		{ "delete cluster a --dry-run", 10 },
		{ "edit cluster a --dry-run", 20 },
		{ "rollback --to 1 --dry-run", 10 },
	};

	go_through_all(commands, sizeof(commands) / sizeof(commands[0]), STEP);
}

/* Runs a command that changes the file of contexts, and again if that had no
 * memory; how many allocations it makes. */
static unsigned
change_context(struct fixture *f, const char *line, unsigned n)
{
	struct run made;
	unsigned left = run(f, &made, line, n);

	cr_assert(made.code == KP_EXIT_OK || strstr(made.err, "memory") != NULL,
	    "%s: %u: %s", line, n, made.err);
	cr_assert(made.code == KP_EXIT_OK || left == 0);
	if (made.code != KP_EXIT_OK)
		must(f, line);
	run_fini(&made);
	return left;
}

Test(kpctl_faults, contexts_are_changed_or_as_they_were)
{
	struct fixture f;
	struct run before, after;
	unsigned n = 0;
	bool is_through = false;

	set_up(&f);
	(void)run(&f, &before, "config view", 0);
	while (!is_through) {
		unsigned left;

		cr_assert(++n < MANY);
		left = change_context(
		    &f, "config set-context other --server a:1", n);
		must(&f, "config use-context other");
		must(&f, "config use-context here");
		is_through =
		    left > 0 &&
		    change_context(&f, "config delete-context other", n) > 0;
		if (left == 0)
			must(&f, "config delete-context other");
		(void)run(&f, &after, "config view", 0);
		cr_assert_str_eq(after.out, before.out, "%u", n);
		run_fini(&after);
	}
	cr_assert(n > 10, "%u", n);
	run_fini(&before);
	tear_down(&f);
}

/* A kpctl that watches, in a thread of its own. */
struct watcher {
	struct fixture *f;
	const char *line;
	pthread_t thread;
	int reader; /* of its stdout */
	int code;
	char said[MAX_SAID];
	size_t len;
	bool has_ended;
};

static void *
watch(void *arg)
{
	struct watcher *w = arg;

	w->code = run_line(w->line);
	/* what nobody read is not for the next one */
	__fpurge(stdout);
	clearerr(stdout);
	for (int i = 0; i < 2; i++)
		kp_assert(dup2(w->f->streams[i], STDOUT_FILENO + i) >= 0);
	return NULL;
}

/* While it runs, nothing else writes to stdout and stderr. */
static void
watch_start(struct watcher *out, struct fixture *f, const char *line)
{
	int ends[2];

	*out = (struct watcher){ .f = f, .line = line };
	cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
	(void)fflush(stdout);
	cr_assert(dup2(ends[1], STDOUT_FILENO) >= 0);
	cr_assert(dup2(f->files[1], STDERR_FILENO) >= 0);
	(void)close(ends[1]);
	out->reader = ends[0];
	kp_must(pthread_create(&out->thread, NULL, watch, out));
}

/* Reads until it has said text; false if it ended before. */
static bool
watch_until(struct watcher *w, const char *text)
{
	while (!w->has_ended && strstr(w->said, text) == NULL) {
		struct pollfd item = { .fd = w->reader, .events = POLLIN };
		ssize_t n;

		cr_assert_eq(poll(&item, 1, KP_TEST_SERVER_PATIENCE_MS), 1,
		    "no %s: %s", text, w->said);
		n = read(
		    w->reader, w->said + w->len, sizeof(w->said) - 1 - w->len);
		cr_assert(n >= 0);
		w->has_ended = n == 0;
		w->len += (size_t)n;
	}
	return !w->has_ended;
}

/* A change of the cluster that is watched; is it made? */
static bool
change(struct fixture *f)
{
	uint64_t before = kp_desk_revision(f->world.services.desk);
	const char *text = before % 2 == 0 ? CLUSTER("2") : CLUSTER("1");

	(void)!kp_test_server_apply(&f->world, text);
	return kp_desk_revision(f->world.services.desk) > before;
}

/* How often it said that a resource is of that revision. */
static unsigned
num_said(const struct watcher *w, const char *mark)
{
	const char *at = w->said;
	unsigned num = 0;

	for (; (at = strstr(at, mark)) != NULL; at += strlen(mark))
		num++;
	return num;
}

/* Something to watch, and what stands around a revision. */
struct watched {
	const char *line, *before, *after;
};

static const struct watched watched[] = {
	{ "get clusters -w", "   ", "\n" },
	{ "get clusters -w -l team=red -o json", "\"revision\": ", "," },
};

/* What is said of the newest revision. */
static void
make_mark(char out[MAX_LINE], struct fixture *f, const struct watched *what)
{
	(void)snprintf(out, MAX_LINE, "%s%llu%s", what->before,
	    (unsigned long long)kp_desk_revision(f->world.services.desk),
	    what->after);
}

/* Ends it, unless it has ended; it says why it did. */
static void
watch_end(struct watcher *w)
{
	bool was_over = w->has_ended;
	char *err;

	(void)close(w->reader);
	if (!was_over)
		(void)change(w->f);
	kp_must(pthread_join(w->thread, NULL));
	err = take(w->f->files[1]);
	cr_assert_neq(w->code, KP_EXIT_OK);
	cr_assert(strstr(err, "memory") != NULL ||
		      (!was_over && strstr(err, "the answer") != NULL),
	    "%d: %s", w->code, err);
	free(err);
}

static unsigned
fail_at(unsigned n, bool is_short)
{
	return is_short ? kp_alloc_fail_from(n) : kp_alloc_fail_after(n);
}

/* The list, and the begin of the stream after it. */
static void
go_through_start(struct fixture *f, const struct watched *what)
{
	char mark[MAX_LINE];
	unsigned n = 0, left = 0;

	while (left == 0) {
		struct watcher w;
		bool is_there;

		cr_assert(++n < MANY);
		make_mark(mark, f, what);
		(void)kp_alloc_fail_after(n);
		watch_start(&w, f, what->line);
		is_there = watch_until(&w, mark);
		left = kp_alloc_fail_after(0);
		cr_assert(is_there || left == 0, "%u", n);
		if (is_there) {
			cr_assert(change(f));
			make_mark(mark, f, what);
			/* what it showed it may not have kept */
			cr_assert(watch_until(&w, mark) || left == 0, "%u", n);
		}
		watch_end(&w);
	}
	cr_assert(n > 25, "%u", n);
}

Test(kpctl_faults, a_watch_begins_or_says_why_not)
{
	struct fixture f;

	cr_assert(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
	set_up(&f);
	for (size_t i = 0; i < sizeof(watched) / sizeof(watched[0]); i++)
		go_through_start(&f, &watched[i]);
	tear_down(&f);
}

/* One change while allocations fail, and one after them; how far away the first
 * that was to fail still was. */
static unsigned
change_twice(
    struct watcher *w, const struct watched *what, unsigned n, bool is_short)
{
	char mark[MAX_LINE];
	bool is_made, is_shown;
	unsigned left;

	(void)fail_at(n, is_short);
	is_made = change(w->f);
	left = is_short ? kp_alloc_fail_after(0) : 0;
	make_mark(mark, w->f, what);
	is_shown = is_made && watch_until(w, mark);
	left |= kp_alloc_fail_after(0);
	cr_assert(left == 0 || (is_made && (is_shown || is_short)), "%u", n);
	if (w->has_ended)
		return left;
	cr_assert(change(w->f));
	make_mark(mark, w->f, what);
	if (watch_until(w, mark))
		cr_assert_eq(num_said(w, mark), 1, "%u: %s", n, w->said);
	return left;
}

static void
go_through_changes(struct fixture *f, const struct watched *what, bool is_short)
{
	unsigned n = 0, num_ended = 0, left = 0;

	while (left == 0) {
		struct watcher w;
		char mark[MAX_LINE];

		cr_assert(++n < MANY);
		make_mark(mark, f, what);
		watch_start(&w, f, what->line);
		cr_assert(watch_until(&w, mark));
		left = change_twice(&w, what, n, is_short);
		num_ended += w.has_ended;
		watch_end(&w);
	}
	cr_assert(n > 20, "%u", n);
	cr_assert(is_short || num_ended > 3, "%u of %u", num_ended, n);
}

Test(kpctl_faults, a_watch_shows_each_change_once_or_ends)
{
	struct fixture f;

	cr_assert(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
	set_up(&f);
	for (size_t i = 0; i < sizeof(watched) / sizeof(watched[0]); i++) {
		go_through_changes(&f, &watched[i], false);
		go_through_changes(&f, &watched[i], true);
	}
	tear_down(&f);
}
