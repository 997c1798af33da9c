/* SPDX-License-Identifier: Apache-2.0 */
#include "control/server/init.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "control/server/issue.h"

#define PORT "9190"
#define ADMIN "admin"
#define NODE "node-1"
#define MAX_NAME_LEN 64 /* of X.509's common name */
#define MAX_TEXT 8192

static const char *const made[] = { "ca.pem", "ca.key", "server.pem",
	"server.key", ADMIN ".pem", ADMIN ".key", NODE ".pem", NODE ".key",
	"kpserver.yaml", "kpctl.yaml", "node.yaml" };

static int
open_folder(const char *folder, struct kp_error *err)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		(void)kp_error_sys(err, "%s", folder);
	return fd;
}

/* Either all of it is made or nothing. */
static bool
check_empty(int dir_fd, struct kp_error *err)
{
	for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++) {
		if (faccessat(dir_fd, made[i], F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			return kp_error_set(err, KP_ERR_CONFIG,
			    "there is a file %s already, which is not "
			    "replaced",
			    made[i]);
	}
	return true;
}

static bool
check_name(const char *name, struct kp_error *err)
{
	if (kp_is_host(name) && strlen(name) <= MAX_NAME_LEN)
		return true;
	return kp_error_set(err, KP_ERR_CONFIG,
	    "\"%.64s\" is not a name: letters, digits, \"-\" and \".\" are "
	    "allowed, up to %d",
	    name, MAX_NAME_LEN);
}

static bool
check_names(const char *const *names, size_t num, struct kp_error *err)
{
	if (num > KP_ISSUE_MAX_NAMES)
		return kp_error_set(err, KP_ERR_LIMIT, "too many names");
	for (size_t i = 0; i < num; i++) {
		if (!kp_is_host(names[i]))
			return kp_error_set(err, KP_ERR_CONFIG,
			    "\"%.64s\" is not a host name or an IP address",
			    names[i]);
	}
	return true;
}

static bool
write_text(
    int dir_fd, const char *name, struct kp_buf *text, struct kp_error *err)
{
	struct kp_bytes bytes = kp_buf_bytes(text);
	bool is_ok = !text->failed
			 ? kp_issue_write(dir_fd, name, &bytes, false, err)
			 : kp_error_set(err, KP_ERR_LIMIT, "%s", name);

	kp_buf_fini(text);
	return is_ok;
}

static bool
write_server(int dir_fd, bool is_local, struct kp_error *err)
{
	struct kp_buf text;

	kp_buf_init(&text, MAX_TEXT);
	kp_buf_printf(&text,
	    "# Made by kpserver init, for development: ca.key lies beside it.\n"
	    "# Everything that may be said: kpctl explain server\n"
	    "listen: [\"%s:" PORT "\"]\n"
	    "admin: {listen: \"127.0.0.1:9191\"}\n"
	    "store: {sqlite: ./kpserver.db}\n"
	    "tls: {ca: ./ca.pem, certificate: ./server.pem, "
	    "key: ./server.key}\n"
	    "roles:\n"
	    "  - {role: admin, identities: [\"CN:" ADMIN "\"]}\n"
	    "  - {role: node, identities: [\"DNS:*\"]}\n"
	    "audit: {file: ./audit.jsonl}\n",
	    is_local ? "127.0.0.1" : "0.0.0.0");
	return write_text(dir_fd, "kpserver.yaml", &text, err);
}

/* The address by which others find the server. */
static void
add_address(struct kp_buf *out, const char *host)
{
	bool is_v6 = strchr(host, ':') != NULL;

	kp_buf_printf(
	    out, is_v6 ? "\"[%s]:" PORT "\"" : "\"%s:" PORT "\"", host);
}

static bool
write_context(int dir_fd, const char *host, struct kp_error *err)
{
	struct kp_buf text;

	kp_buf_init(&text, MAX_TEXT);
	kp_buf_add_text(&text, "# For kpctl: KPCTL_CONFIG names this file.\n"
			       "currentContext: development\n"
			       "contexts:\n"
			       "  - name: development\n"
			       "    server:\n"
			       "      addresses: [");
	add_address(&text, host);
	kp_buf_add_text(&text, "]\n"
			       "      ca: ./ca.pem\n"
			       "      certificate: ./" ADMIN ".pem\n"
			       "      key: ./" ADMIN ".key\n");
	return write_text(dir_fd, "kpctl.yaml", &text, err);
}

static bool
write_node(int dir_fd, const char *host, struct kp_error *err)
{
	struct kp_buf text;

	kp_buf_init(&text, MAX_TEXT);
	kp_buf_add_text(&text,
	    "# A node that gets its resources from the server.\n"
	    "node: " NODE "\n"
	    "control:\n"
	    "  server:\n"
	    "    addresses: [");
	add_address(&text, host);
	kp_buf_add_text(&text, "]\n"
			       "    ca: ./ca.pem\n"
			       "    certificate: ./" NODE ".pem\n"
			       "    key: ./" NODE ".key\n");
	return write_text(dir_fd, "node.yaml", &text, err);
}

static bool
issue_node(int dir_fd, const char *name, struct kp_error *err)
{
	const struct kp_issue what = {
		.common_name = name, .names = &name, .num_names = 1
	};

	return kp_issue(dir_fd, name, &what, err);
}

static bool
issue_user(int dir_fd, const char *name, struct kp_error *err)
{
	const struct kp_issue what = { .common_name = name };

	return kp_issue(dir_fd, name, &what, err);
}

static bool
issue_server(
    int dir_fd, const char *const *names, size_t num, struct kp_error *err)
{
	const char *all[KP_ISSUE_MAX_NAMES + 2] = { "localhost", "127.0.0.1" };
	struct kp_issue what = { .common_name = "kpserver",
		.names = all,
		.num_names = 2,
		.is_server = true };

	for (size_t i = 0; i < num; i++)
		all[what.num_names++] = names[i];
	return kp_issue(dir_fd, "server", &what, err);
}

static bool
make_all(int dir_fd, const char *const *names, size_t num_names,
    struct kp_error *err)
{
	const char *host = num_names > 0 ? names[0] : "localhost";

	return check_empty(dir_fd, err) && kp_issue_ca(dir_fd, err) &&
	       issue_server(dir_fd, names, num_names, err) &&
	       issue_user(dir_fd, ADMIN, err) &&
	       issue_node(dir_fd, NODE, err) &&
	       write_server(dir_fd, num_names == 0, err) &&
	       write_context(dir_fd, host, err) &&
	       write_node(dir_fd, host, err);
}

bool
kp_init(const char *folder, const char *const *names, size_t num_names,
    struct kp_error *err)
{
	bool is_ok;
	int dir_fd;

	if (!check_names(names, num_names, err))
		return false;
	if (mkdir(folder, S_IRWXU) != 0 && errno != EEXIST)
		return kp_error_sys(err, "could not make %s", folder);
	dir_fd = open_folder(folder, err);
	if (dir_fd < 0)
		return false;
	is_ok = make_all(dir_fd, names, num_names, err);
	(void)close(dir_fd);
	return is_ok;
}

static bool
add_certificate(const char *folder, const char *name,
    bool (*issue)(int dir_fd, const char *name, struct kp_error *err),
    struct kp_error *err)
{
	bool is_ok;
	int dir_fd;

	if (!check_name(name, err))
		return false;
	dir_fd = open_folder(folder, err);
	if (dir_fd < 0)
		return false;
	is_ok = issue(dir_fd, name, err);
	(void)close(dir_fd);
	return is_ok;
}

bool
kp_init_node(const char *folder, const char *name, struct kp_error *err)
{
	return add_certificate(folder, name, issue_node, err);
}

bool
kp_init_user(const char *folder, const char *name, struct kp_error *err)
{
	return add_certificate(folder, name, issue_user, err);
}
