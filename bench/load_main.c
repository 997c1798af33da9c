/* SPDX-License-Identifier: Apache-2.0 */
/* kp_bench_load: options and the report. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "bench/load.h"
#include "bench/options.h"

#define MAX_LINE_LEN ((size_t)64 << 10)
#define MAX_CONNECTIONS 100000
#define MAX_IN_FLIGHT 4096

static const char *const op_names[KP_NUM_LOAD_OPS] = {
	[KP_LOAD_PRODUCE] = "produce",
	[KP_LOAD_FETCH] = "fetch",
	[KP_LOAD_METADATA] = "metadata",
	[KP_LOAD_HEARTBEAT] = "heartbeat",
	[KP_LOAD_IDLE] = "idle",
	[KP_LOAD_CHURN] = "churn",
};

_Noreturn void
kp_load_die(const struct kp_error *err)
{
	(void)printf("{\"event\":\"failed\",\"reason\":\"%s\"}\n", err->text);
	(void)fflush(stdout);
	(void)fprintf(stderr, "kp_bench_load: %s\n", err->text);
	exit(EXIT_FAILURE);
}

static void
print_line(struct kp_buf *line)
{
	kp_buf_add_text(line, "}\n");
	kp_assert(!line->failed);
	if (fwrite(line->data, 1, line->len, stdout) != line->len ||
	    fflush(stdout) != 0)
		exit(EXIT_FAILURE);
	kp_buf_fini(line);
}

void
kp_load_say_ready(const struct kp_load *load)
{
	const struct kp_link *link = &load->connections[0].link;
	struct kp_buf line;

	kp_buf_init(&line, MAX_LINE_LEN);
	kp_buf_printf(&line,
	    "{\"event\":\"ready\",\"connections\":%lu,\"failed\":%lu,"
	    "\"port\":%u,\"frame_bytes\":%zu,\"tls\":\"%s\",\"cipher\":\"%s\","
	    "\"versions\":{",
	    load->num_ready, load->num_failed, ntohs(load->target.sin_port),
	    load->request.len, kp_link_tls_version(link),
	    kp_link_tls_cipher(link));
	for (unsigned i = 0; i < KP_NUM_BENCH_APIS; i++)
		kp_buf_printf(&line, "%s\"%s\":%d", i == 0 ? "" : ",",
		    kp_bench_apis[i].name, load->versions.version[i]);
	kp_buf_add_text(&line, "}");
	print_line(&line);
}

static void
add_histogram(
    struct kp_buf *line, const char *name, const struct kp_histogram *histogram)
{
	static const struct {
		const char *name;
		unsigned per_100000;
	} columns[] = { { "p50", 50000 }, { "p90", 90000 }, { "p99", 99000 },
		{ "p999", 99900 } };

	kp_buf_printf(line, ",\"%s\":{\"count\":%lu", name, histogram->count);
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		kp_buf_printf(line, ",\"%s\":%.3f", columns[i].name,
		    (double)kp_histogram_percentile(
			histogram, columns[i].per_100000) /
			1000);
	kp_buf_printf(line, ",\"max\":%.3f,\"mean\":%.3f}",
	    (double)histogram->max_ns / 1000,
	    (double)kp_histogram_mean(histogram) / 1000);
}

static double
cpu_seconds(void)
{
	struct rusage usage;

	kp_assert(getrusage(RUSAGE_SELF, &usage) == 0);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* How long answers were counted for. */
static double
measured_seconds(const struct kp_load *load)
{
	int64_t end_ns = load->end_ns == INT64_MAX ? kp_now_ns() : load->end_ns;

	return (double)(end_ns - load->measure_ns) / 1e9;
}

void
kp_load_say_done(const struct kp_load *load)
{
	bool has_probe = load->sample.len > 0;
	struct kp_buf line;

	kp_buf_init(&line, MAX_LINE_LEN);
	kp_buf_printf(&line,
	    "{\"event\":\"done\",\"op\":\"%s\",\"connections\":%lu,"
	    "\"failed\":%lu,\"requests\":%lu,\"request_bytes\":%lu,"
	    "\"answer_bytes\":%lu,\"measured\":%lu,\"seconds\":%.6f,"
	    "\"cpu_s\":%.6f",
	    op_names[load->options.op], load->num_ready, load->num_failed,
	    load->num_answered + (has_probe ? 1 : 0), load->request_bytes,
	    load->answer_bytes, load->num_measured, measured_seconds(load),
	    cpu_seconds());
	add_histogram(&line, "latency_us", &load->latency);
	add_histogram(&line, "lateness_us", &load->lateness);
	print_line(&line);
}

static bool
find_op(enum kp_load_op *out, const char *name)
{
	for (unsigned i = 0; i < KP_NUM_LOAD_OPS; i++) {
		if (name != NULL && strcmp(op_names[i], name) == 0) {
			*out = (enum kp_load_op)i;
			return true;
		}
	}
	return false;
}

static bool
are_sensible(const struct kp_load_options *o)
{
	return o->num_connections >= 1 &&
	       o->num_connections <= MAX_CONNECTIONS && o->max_in_flight >= 1 &&
	       o->max_in_flight <= MAX_IN_FLIGHT && o->bytes >= 128 &&
	       o->bytes <= (uint64_t)250 << 20 && o->rate <= 10000000 &&
	       (!o->is_tls || o->ca != NULL);
}

static void
parse(struct kp_load_options *o, int argc, char **argv)
{
	const char *bootstrap = "", *op = NULL;
	const struct kp_option options[] = {
		{ "bootstrap", KP_OPTION_TEXT, &bootstrap, "IPv4:port" },
		{ "op", KP_OPTION_TEXT, &op,
		    "produce, fetch, metadata, heartbeat, idle, churn" },
		{ "stay", KP_OPTION_FLAG, &o->is_staying,
		    "at the bootstrap address (a proxy that rewrites none)" },
		{ "connections", KP_OPTION_COUNT, &o->num_connections, "(1)" },
		{ "in-flight", KP_OPTION_COUNT, &o->max_in_flight,
		    "requests of each connection (1)" },
		{ "bytes", KP_OPTION_SIZE, &o->bytes,
		    "of records in a request or answer (1000)" },
		{ "rate", KP_OPTION_COUNT, &o->rate,
		    "requests/s of all connections, on a timetable" },
		{ "warmup", KP_OPTION_DURATION, &o->warmup_ms, "(200ms)" },
		{ "duration", KP_OPTION_DURATION, &o->duration_ms, "(1s)" },
		{ "requests", KP_OPTION_COUNT, &o->max_requests,
		    "so many instead of a duration" },
		{ "tls", KP_OPTION_FLAG, &o->is_tls, "with --ca" },
		{ "ca", KP_OPTION_TEXT, &o->ca, "file with certificates" },
		{ "verify", KP_OPTION_FLAG, &o->is_verifying,
		    "compare every byte of every answer with the first" },
		{ "stall-after", KP_OPTION_SIZE, &o->stall_after,
		    "read no more of an answer after that" },
		{ "until-still", KP_OPTION_DURATION, &o->still_ms,
		    "end when nothing has moved for that long (and all have "
		    "stalled)" },
		{ "steps", KP_OPTION_FLAG, &o->is_stepping,
		    "wait for a line on stdin when ready and when done; one "
		    "in between ends the traffic" },
		{ NULL, KP_OPTION_FLAG, NULL, NULL },
	};
	struct kp_error err;

	kp_options_parse(options,
	    "kp_bench_load: Kafka-framed load. Prints a line when ready and "
	    "one when done.",
	    argc, argv);
	if (!find_op(&o->op, op) || !are_sensible(o))
		kp_load_die(&(struct kp_error){
		    .text = "options do not fit together, see --help" });
	if (!kp_link_parse_address(&o->bootstrap, bootstrap, &err))
		kp_load_die(&err);
}

static void
prepare_process(void)
{
	struct rlimit limit;

	kp_assert(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
	/* wake up when asked to, not some 50 us later */
	kp_assert(prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0) == 0);
	kp_assert(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	limit.rlim_cur = limit.rlim_max;
	kp_assert(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

int
main(int argc, char **argv)
{
	static struct kp_load load = { .options = { .num_connections = 1,
					   .max_in_flight = 1,
					   .bytes = 1000,
					   .warmup_ms = 200,
					   .duration_ms = 1000 } };
	struct kp_error err;

	parse(&load.options, argc, argv);
	prepare_process();
	if (load.options.is_tls) {
		load.tls = kp_link_tls_new(load.options.ca, &err);
		if (load.tls == NULL)
			kp_load_die(&err);
	}
	if (!kp_load_run(&load, &err))
		kp_load_die(&err);
	return EXIT_SUCCESS;
}
