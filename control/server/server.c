/* SPDX-License-Identifier: Apache-2.0 */
/* Start, loop and end of a policy server. */
#include "control/server/server.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/files.h"
#include "base/log.h"
#include "base/priority.h"
#include "base/yaml.h"
#include "control/api/problems.h"
#include "control/host/watch.h"
#include "control/server/admin.h"
#include "control/server/backup.h"
#include "control/server/compact.h"
#include "control/server/etcd.h"
#include "control/server/guard.h"
#include "control/server/health.h"
#include "control/server/hub.h"
#include "control/server/nodes_service.h"
#include "control/server/renewal.h"
#include "control/server/resources.h"
#include "control/server/server_metrics.h"
#include "control/server/store_open.h"
#include "control/server/watches.h"

/* Descriptors besides connections: files, and what the RPC layer keeps. */
#define OTHER_DESCRIPTORS 128
/* For those who watch health to hear that it ends. */
#define FAREWELL_MS 3000

struct server {
	const char *config_path;
	bool is_restored;
	struct kp_server_config config;
	int signals; /* a signalfd */
	struct kp_watch *files;
	struct kp_store *store;
	struct kp_audit *audit;
	struct kp_metrics *metrics;
	struct kp_services services;
	struct kp_server_facts facts;
	struct kp_rpc_server *rpc;
	struct kp_renewal own, for_etcd; /* certificates and keys */
	/* Why another password for etcd is not used; kind NONE: no other. */
	struct kp_error password_refused;
	struct kp_server_admin *admin;
	struct kp_compact *compact;
	struct kp_backups *backups;
};

static const struct kp_service_method *const services[] = {
	kp_resources_methods, kp_nodes_methods, kp_health_methods, NULL
};

bool
kp_server_load(
    struct kp_server_config *out, const char *path, const char *event)
{
	struct kp_diagnostics diagnostics = { 0 };
	const struct kp_origin at = { .file = path };
	struct kp_error err;
	struct kp_buf text;
	bool is_ok = false;

	*out = (struct kp_server_config){ 0 };
	kp_buf_init(&text, KP_YAML_MAX_BYTES);
	if (kp_file_read(&text, path, &err))
		is_ok = kp_server_config_parse(
		    out, path, kp_buf_bytes(&text), &diagnostics);
	else
		kp_diagnostics_add(
		    &diagnostics, &at, "%s", kp_file_reason(&err, path));
	kp_api_problems_log(&diagnostics, event);
	kp_diagnostics_fini(&diagnostics);
	kp_buf_fini(&text);
	return is_ok;
}

static bool
check_identity(const struct kp_server_config *config)
{
	struct kp_server_identity identity;
	struct kp_rpc_identity pem;
	struct kp_error err;
	bool is_ok = kp_server_identity_read(&identity, config, &err);

	pem = kp_server_identity_pem(&identity);
	is_ok = is_ok && (kp_rpc_identity_check(&pem, &err) ||
			     kp_error_prefix(&err, "tls"));
	if (!is_ok)
		kp_log(KP_LOG_ERROR, "config_refused",
		    KP_STR("problem", err.text));
	kp_server_identity_fini(&identity);
	return is_ok;
}

int
kp_server_check(const char *config_path)
{
	struct kp_server_config config;
	bool is_ok;

	kp_log_init("server", KP_LOG_AUTO, KP_LOG_INFO);
	is_ok = kp_server_load(&config, config_path, "config_refused") &&
		check_identity(&config);
	kp_server_config_fini(&config);
	if (!is_ok)
		return KP_SERVER_EXIT_REFUSED;
	kp_log(KP_LOG_INFO, "config_valid", KP_STR("file", config_path));
	return EXIT_SUCCESS;
}

/* After each revision, in its thread. */
static void
on_changed(void *ctx, const struct kp_items *items, int64_t committed_ms)
{
	struct server *server = ctx;

	kp_watches_changed(server->services.watches, items->revision);
	kp_hub_changed(server->services.hub, items, committed_ms);
}

static int64_t
limit(const struct server *server, enum kp_server_limit which)
{
	return server->config.limits.of[which];
}

static bool
open_hub(struct server *server, struct kp_error *err)
{
	char host[HOST_NAME_MAX + 1] = "";
	struct kp_hub_config config;

	kp_hub_config_default(&config);
	if (gethostname(host, sizeof(host)) != 0)
		return kp_error_sys(err, "the name of this host");
	host[HOST_NAME_MAX] = '\0';
	config.store = server->store;
	config.server_identity =
	    server->config.name != NULL ? server->config.name : host;
	config.version = KP_VERSION;
	config.is_restored = server->is_restored;
	server->services.hub = kp_hub_new(&config, err);
	return server->services.hub != NULL;
}

static bool
open_desk(struct server *server, struct kp_error *err)
{
	const struct kp_desk_config config = {
		.store = server->store,
		.max_changes = (size_t)limit(server, KP_SERVER_CHANGES),
		.changed = on_changed,
		.ctx = server,
	};

	server->services.desk = kp_desk_new(&config, err);
	if (server->services.desk == NULL)
		return false;
	server->services.watches = kp_watches_new(server->services.desk,
	    (size_t)limit(server, KP_SERVER_WATCHES),
	    limit(server, KP_SERVER_WATCH_TIMEOUT));
	server->services.health = kp_health_new();
	kp_desk_start(server->services.desk);
	return true;
}

static void
open_guard(struct server *server)
{
	const struct kp_guard_config config = {
		.services = services,
		.audit = server->audit,
		.metrics = server->metrics,
		.rate = limit(server, KP_SERVER_RATE),
		.rate_burst = limit(server, KP_SERVER_RATE_BURST),
		.max_message_len = (size_t)limit(server, KP_SERVER_MESSAGE),
	};
	struct kp_roles *roles =
	    kp_roles_new(&server->config.roles, server->config.num_roles);

	server->config.num_roles = 0;
	server->services.guard = kp_guard_new(&config, &roles);
}

static void
fill_limits(const struct server *server, struct kp_rpc_limits *out)
{
	kp_rpc_limits_default(out);
	out->calls = (size_t)limit(server, KP_SERVER_CALLS);
	out->calls_per_connection =
	    (size_t)limit(server, KP_SERVER_CALLS_PER_CONNECTION);
	out->memory = (size_t)limit(server, KP_SERVER_MEMORY);
	out->threads = (unsigned)limit(server, KP_SERVER_THREADS);
	out->timeout_ms = limit(server, KP_SERVER_TIMEOUT);
	out->handshake_timeout_ms = limit(server, KP_SERVER_HANDSHAKE_TIMEOUT);
	out->idle_timeout_ms = limit(server, KP_SERVER_IDLE_TIMEOUT);
	out->keepalive_ms = limit(server, KP_SERVER_KEEPALIVE);
	out->keepalive_timeout_ms = limit(server, KP_SERVER_KEEPALIVE_TIMEOUT);
	out->queued_len = KP_API_MAX_ANSWER;
}

static void
format_address(const struct kp_host_port *address, char out[64])
{
	(void)snprintf(out, 64,
	    strchr(address->host, ':') != NULL ? "[%s]:%u" : "%s:%u",
	    address->host, (unsigned)address->port);
}

static bool
listen_on(struct server *server, const struct kp_rpc_identity *identity,
    struct kp_error *err)
{
	size_t num = server->config.num_listen;
	char(*texts)[64] = kp_alloc(num, sizeof(*texts));
	const char **addresses = kp_alloc(num, sizeof(*addresses));
	struct kp_rpc_server_config config = { .addresses = addresses,
		.num_addresses = num,
		.identity = *identity,
		.refused = kp_guard_refused,
		.owner = &server->services };

	for (size_t i = 0; i < num; i++) {
		format_address(&server->config.listen[i], texts[i]);
		addresses[i] = texts[i];
	}
	config.endpoints =
	    kp_guard_endpoints(server->services.guard, &config.num_endpoints);
	fill_limits(server, &config.limits);
	server->rpc = kp_rpc_server_new(&config, err);
	for (size_t i = 0; server->rpc != NULL && i < num; i++)
		kp_log(KP_LOG_INFO, "rpc_listening",
		    KP_STR("address", texts[i]),
		    KP_INT("port", kp_rpc_server_port(server->rpc, i)));
	free(addresses);
	free(texts);
	return server->rpc != NULL;
}

static bool
open_rpc(struct server *server, struct kp_error *err)
{
	struct kp_rpc_identity identity;

	if (!kp_server_identity_read(&server->own.files, &server->config, err))
		return false;
	identity = kp_server_identity_pem(&server->own.files);
	return listen_on(server, &identity, err);
}

static bool
open_metrics(struct server *server, struct kp_error *err)
{
	int fd = kp_metrics_new_segment(&kp_server_metrics, err);

	if (fd < 0)
		return false;
	server->metrics = kp_metrics_map(&kp_server_metrics, fd, err);
	(void)close(fd);
	return server->metrics != NULL;
}

static bool
open_admin(struct server *server, struct kp_error *err)
{
	server->facts.desk = server->services.desk;
	server->facts.hub = server->services.hub;
	server->facts.audit = server->audit;
	server->facts.metrics = server->metrics;
	server->facts.started_ms = kp_wall_ms();
	server->admin =
	    kp_server_admin_new(&server->config.admin, &server->facts, err);
	return server->admin != NULL;
}

/* More would end in the middle of somebody's handshake. */
static void
limit_connections(const struct server *server)
{
	rlim_t wanted =
	    (rlim_t)limit(server, KP_SERVER_CONNECTIONS) + OTHER_DESCRIPTORS;
	struct rlimit now;

	if (getrlimit(RLIMIT_NOFILE, &now) != 0)
		return;
	if (now.rlim_max < wanted)
		kp_log(KP_LOG_WARN, "descriptor_limit",
		    KP_INT("hard_limit", now.rlim_max),
		    KP_INT("wanted", wanted));
	else
		now.rlim_cur = now.rlim_max = wanted;
	(void)setrlimit(RLIMIT_NOFILE, &now);
}

static bool
open_store(struct server *server, struct kp_error *err)
{
	server->store =
	    kp_store_open(&server->config, &server->for_etcd.files, err);
	if (server->store == NULL)
		return false;
	if (server->config.sqlite == NULL)
		return true;
	server->backups =
	    kp_backups_new(server->store, server->config.sqlite, err);
	return server->backups != NULL;
}

static bool
take_own(
    void *owner, const struct kp_rpc_identity *identity, struct kp_error *err)
{
	struct server *server = owner;

	return kp_rpc_server_reload(server->rpc, identity, err);
}

static bool
take_for_etcd(
    void *owner, const struct kp_rpc_identity *identity, struct kp_error *err)
{
	struct server *server = owner;

	return kp_etcd_reload(server->store, identity, err);
}

static void
name_files(struct server *server)
{
	const struct kp_server_config *config = &server->config;

	server->own = (struct kp_renewal){ .ca = config->ca,
		.certificate = config->certificate,
		.key = config->key,
		.take = take_own,
		.owner = server };
	server->for_etcd = (struct kp_renewal){ .ca = config->etcd.ca,
		.certificate = config->etcd.certificate,
		.key = config->etcd.key,
		.take = take_for_etcd,
		.owner = server };
}

/* A variable of the environment stays as it is. */
static bool
has_password_file(const struct server *server)
{
	const struct kp_secret_ref *password = &server->config.etcd.password;

	return password->name != NULL && password->source == KP_SECRET_FILE;
}

static void
watch_files(struct server *server)
{
	kp_watch_begin(server->files);
	if (has_password_file(server))
		kp_watch_file(server->files, server->config.etcd.password.name);
	kp_renewal_watch(&server->own, server->files);
	kp_renewal_watch(&server->for_etcd, server->files);
	kp_watch_end(server->files);
}

static bool
open_all(struct server *server, struct kp_error *err)
{
	struct kp_compact_config compact = {
		.max_revisions = server->config.max_revisions,
		.max_age_ms = server->config.max_age_ms,
	};

	limit_connections(server);
	name_files(server);
	server->files = kp_watch_new(err);
	if (server->files == NULL || !open_metrics(server, err) ||
	    !open_store(server, err))
		return false;
	server->audit = kp_audit_open(server->config.audit_file, err);
	if (server->audit == NULL || !open_hub(server, err) ||
	    !open_desk(server, err))
		return false;
	open_guard(server);
	watch_files(server);
	compact.store = server->store;
	server->compact = kp_compact_new(&compact);
	return open_rpc(server, err) && open_admin(server, err);
}

static void
close_all(struct server *server, int64_t grace_ms)
{
	kp_rpc_server_free(server->rpc, grace_ms);
	kp_server_admin_free(server->admin);
	kp_compact_free(server->compact);
	if (server->services.desk != NULL)
		kp_desk_stop(server->services.desk);
	kp_watches_free(server->services.watches);
	kp_health_free(server->services.health);
	kp_guard_free(server->services.guard);
	kp_desk_free(server->services.desk);
	kp_hub_free(server->services.hub);
	kp_audit_close(server->audit);
	kp_backups_free(server->backups);
	if (server->store != NULL)
		kp_store_close(server->store);
	kp_metrics_free(server->metrics);
	kp_watch_free(server->files);
	kp_renewal_fini(&server->own);
	kp_renewal_fini(&server->for_etcd);
	kp_server_config_fini(&server->config);
}

static void
count_reload(
    struct server *server, const char *what, bool is_ok, struct kp_error *err)
{
	kp_metrics_add(server->metrics, 0, KP_SM_RELOADS, is_ok ? 0 : 1, 1);
	if (is_ok)
		kp_log(KP_LOG_INFO, "reloaded", KP_STR("what", what));
	else
		kp_log(KP_LOG_ERROR, "reload_failed", KP_STR("what", what),
		    KP_STR("reason", err->text));
}

/* Who asked for it hears of it in any case. */
static void
tell_renewal(struct server *server, const char *what,
    enum kp_renewal_result result, bool is_asked_for, struct kp_error *err)
{
	if (is_asked_for || result == KP_RENEWAL_TAKEN ||
	    result == KP_RENEWAL_REFUSED)
		count_reload(server, what,
		    result == KP_RENEWAL_SAME || result == KP_RENEWAL_TAKEN,
		    err);
}

static void
renew(struct server *server, struct kp_renewal *renewal, const char *what,
    bool is_asked_for)
{
	enum kp_renewal_result result;
	struct kp_error err;

	if (renewal->ca == NULL)
		return;
	result = kp_renewal_look(renewal, &err);
	tell_renewal(server, what, result, is_asked_for, &err);
}

static void
renew_password(struct server *server, bool is_asked_for)
{
	enum kp_renewal_result result;
	struct kp_error err;
	bool is_new, is_ok;

	if (!has_password_file(server))
		return;
	is_ok = kp_etcd_reload_password(server->store, &is_new, &err);
	result =
	    kp_renewal_judge(&server->password_refused, is_ok, !is_new, &err);
	tell_renewal(server, "password for etcd", result, is_asked_for, &err);
}

/* Something in the folder of a file changed, or somebody asked for it. */
static void
renew_all(struct server *server, bool is_asked_for)
{
	renew(server, &server->for_etcd, "certificates for etcd", is_asked_for);
	renew_password(server, is_asked_for);
	renew(server, &server->own, "certificates", is_asked_for);
	watch_files(server);
}

static void
reload_roles(struct server *server)
{
	struct kp_server_config config;
	struct kp_error err;
	bool is_ok =
	    kp_server_load(&config, server->config_path, "config_refused");

	(void)kp_error_set(&err, KP_ERR_CONFIG, "%s is refused, see above",
	    server->config_path);
	if (is_ok) {
		struct kp_roles *roles =
		    kp_roles_new(&config.roles, config.num_roles);

		config.num_roles = 0;
		kp_guard_set_roles(server->services.guard, &roles);
		kp_log_init(
		    "server", server->config.log_format, config.log_level);
	}
	kp_server_config_fini(&config);
	count_reload(server, "roles", is_ok, &err);
}

static void
reload_all(struct server *server)
{
	struct kp_error err;

	reload_roles(server);
	renew_all(server, true);
	count_reload(
	    server, "audit file", kp_audit_reopen(server->audit, &err), &err);
}

/* The next signal that came; 0: none. */
static int
next_signal(const struct server *server)
{
	struct signalfd_siginfo info;

	if (read(server->signals, &info, sizeof(info)) != sizeof(info))
		return 0;
	return (int)info.ssi_signo;
}

/* One turn; false: it is to end. */
static bool
turn(struct server *server)
{
	struct pollfd items[] = {
		{ .fd = server->signals, .events = POLLIN },
		{ .fd = kp_watch_fd(server->files), .events = POLLIN },
	};
	int signal_number;

	if (poll(items, 2, kp_ms_left(kp_watch_due_ms(server->files))) < 0)
		kp_assert(errno == EINTR);
	while ((signal_number = next_signal(server)) != 0) {
		kp_log(KP_LOG_INFO, "signal", KP_INT("number", signal_number));
		if (signal_number != SIGHUP)
			return false;
		reload_all(server);
	}
	kp_watch_read(server->files, kp_now_ms());
	if (kp_watch_take(server->files, kp_now_ms()))
		renew_all(server, false);
	return true;
}

static void
drain(struct server *server)
{
	kp_log(KP_LOG_INFO, "draining",
	    KP_INT("timeout_ms", limit(server, KP_SERVER_DRAIN_TIMEOUT)));
	atomic_store(&server->facts.is_draining, true);
	kp_health_set(server->services.health, false);
	kp_health_flush(server->services.health, kp_now_ms() + FAREWELL_MS);
}

static int
run(struct server *server)
{
	struct kp_error err;

	if (!open_all(server, &err)) {
		kp_log(
		    KP_LOG_ERROR, "start_failed", KP_STR("reason", err.text));
		close_all(server, 0);
		return EXIT_FAILURE;
	}
	kp_log(KP_LOG_INFO, "serving",
	    KP_INT("revision", kp_desk_revision(server->services.desk)),
	    KP_STR("version", KP_VERSION));
	while (turn(server))
		;
	drain(server);
	close_all(server, limit(server, KP_SERVER_DRAIN_TIMEOUT));
	kp_log(KP_LOG_INFO, "stopped", KP_STR("reason", "signal"));
	return EXIT_SUCCESS;
}

/* Before any thread is there; a file that is too long is an error, not an end.
 */
static int
take_signals(void)
{
	sigset_t taken;
	int fd;

	(void)sigemptyset(&taken);
	(void)sigaddset(&taken, SIGTERM);
	(void)sigaddset(&taken, SIGINT);
	(void)sigaddset(&taken, SIGHUP);
	kp_must(pthread_sigmask(SIG_BLOCK, &taken, NULL));
	kp_assert(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
	kp_assert(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	fd = signalfd(-1, &taken, SFD_NONBLOCK | SFD_CLOEXEC);
	kp_assert(fd >= 0);
	return fd;
}

int
kp_server_main(const char *config_path, bool is_restored)
{
	struct server server = { .config_path = config_path,
		.is_restored = is_restored };
	int code = KP_SERVER_EXIT_REFUSED;

	kp_priority_yield();
	kp_log_init("server", KP_LOG_AUTO, KP_LOG_INFO);
	if (!kp_server_load(&server.config, config_path, "config_refused"))
		return code;
	kp_log_init(
	    "server", server.config.log_format, server.config.log_level);
	if (!check_identity(&server.config)) {
		kp_server_config_fini(&server.config);
		return code;
	}
	server.signals = take_signals();
	code = run(&server);
	(void)close(server.signals);
	return code;
}
