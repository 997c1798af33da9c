/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/files.h"
#include "control/agent/edition.h"
#include "control/agent/state.h"
#include "tests/support/folder.h"

static char key_text[] = "-----BEGIN PRIVATE KEY-----";

/* One TLS listener with a secret in it. */
static struct kp_tables *
new_tables(uint64_t generation)
{
	struct kp_tables *tables = kp_alloc(1, sizeof(*tables));
	struct kp_tables_listener *listener = kp_alloc(1, sizeof(*listener));

	tables->generation = generation;
	kp_limits_default(&tables->limits);
	tables->listeners = listener;
	tables->num_listeners = 1;
	listener->name = kp_strdup("clients");
	listener->bind = kp_strdup("::1");
	listener->advertised_host = kp_strdup("proxy");
	listener->bootstrap_port = 9092;
	listener->first_port = 9093;
	listener->num_ports = 2;
	listener->has_tls = true;
	listener->certificates = kp_alloc(1, sizeof(*listener->certificates));
	listener->num_certificates = 1;
	listener->certificates[0].certificate_ref = kp_strdup("file:c.pem");
	listener->certificates[0].key_ref = kp_strdup("file:k.pem");
	listener->certificates[0].certificate_pem =
	    kp_bytes_of(kp_strdup("-----BEGIN CERTIFICATE-----"));
	listener->certificates[0].key_pem = kp_bytes_of(kp_strdup(key_text));
	return tables;
}

static struct kp_state *
open_state(const char *path)
{
	struct kp_error err = { 0 };
	struct kp_state *state = kp_state_open(path, &err);

	cr_assert_not_null(state, "%s", err.text);
	return state;
}

Test(state, tables_survive_without_their_secrets)
{
	char folder[KP_TEST_PATH_LEN], path[KP_TEST_PATH_LEN];
	struct kp_tables *tables = new_tables(7);
	struct kp_error err = { 0 };
	struct kp_state *state;
	struct kp_buf content;
	struct stat st;

	kp_test_folder(folder);
	kp_test_path(path, folder, "a/b/state");
	state = open_state(path);
	cr_assert_eq(stat(path, &st), 0);
	cr_assert_eq(st.st_mode & 0777, 0700);
	cr_assert_eq(kp_state_generation(state), 0);
	cr_assert_null(kp_state_load_tables(state, &err));
	cr_assert_eq(err.kind, KP_ERR_UNAVAILABLE);
	cr_assert(
	    kp_state_save_tables(state, tables, 42, &err), "%s", err.text);
	kp_tables_free(tables);
	kp_state_close(state);

	state = open_state(path);
	cr_assert_eq(kp_state_generation(state), 7);
	cr_assert_eq(kp_state_content_hash(state), 42);
	tables = kp_state_load_tables(state, &err);
	cr_assert_not_null(tables, "%s", err.text);
	cr_assert_str_eq(tables->listeners[0].name, "clients");
	cr_assert_str_eq(
	    tables->listeners[0].certificates[0].key_ref, "file:k.pem");
	cr_assert_eq(tables->listeners[0].certificates[0].key_pem.len, 0);
	kp_tables_free(tables);
	kp_state_close(state);

	kp_test_path(path, folder, "a/b/state/tables.pb");
	kp_buf_init(&content, 65536);
	cr_assert(kp_file_read(&content, path, &err));
	cr_assert_null(
	    memmem(content.data, content.len, key_text, strlen(key_text)));
	kp_buf_fini(&content);
	kp_test_folder_remove(folder);
}

Test(state, tables_that_are_only_noted_are_not_written)
{
	char folder[KP_TEST_PATH_LEN];
	struct kp_tables *tables = new_tables(7);
	struct kp_error err = { 0 };
	struct kp_state *state;

	kp_test_folder(folder);
	state = open_state(folder);
	cr_assert(kp_state_save_tables(state, tables, 42, &err));
	kp_state_note_tables(state, 8, 43);
	cr_assert_eq(kp_state_generation(state), 8);
	cr_assert_eq(kp_state_content_hash(state), 43);
	kp_state_close(state);

	state = open_state(folder);
	cr_assert_eq(kp_state_generation(state), 7);
	cr_assert_eq(kp_state_content_hash(state), 42);
	kp_state_close(state);
	kp_tables_free(tables);
	kp_test_folder_remove(folder);
}

Test(state, damaged_or_missing_files_are_as_good_as_none)
{
	static const char *const contents[] = { "", "\xff\xff\xff", "text" };
	char folder[KP_TEST_PATH_LEN];
	struct kp_error err = { 0 };

	kp_test_folder(folder);
	for (unsigned i = 0; i < 3; i++) {
		struct kp_state *state;

		kp_test_write(folder, "tables.pb", contents[i]);
		state = open_state(folder);
		cr_assert_eq(kp_state_generation(state), 0);
		cr_assert_null(kp_state_load_tables(state, &err));
		kp_state_close(state);
	}
	kp_test_folder_remove(folder);
}

static void
expect_set(struct kp_state *state, enum kp_state_set which, const char *text)
{
	struct kp_error err = { 0 };
	struct kp_buf content;

	kp_buf_init(&content, 100);
	cr_assert(
	    kp_state_load_set(state, which, &content, &err), "%s", err.text);
	cr_assert(kp_bytes_equal(kp_buf_bytes(&content), kp_bytes_of(text)) ||
		      (content.len == 0 && text[0] == '\0'),
	    "%.*s", (int)content.len, (const char *)content.data);
	kp_buf_fini(&content);
}

Test(state, a_set_on_its_way_takes_the_others_place_when_it_is_accepted)
{
	char folder[KP_TEST_PATH_LEN], path[KP_TEST_PATH_LEN];
	struct kp_error err = { 0 };
	struct kp_state *state;
	struct kp_buf small;
	struct stat st;

	kp_test_folder(folder);
	state = open_state(folder);
	expect_set(state, KP_STATE_SET_NEXT, "");
	expect_set(state, KP_STATE_SET_ACCEPTED, "");
	cr_assert(!kp_state_accept_set(state, &err));
	cr_assert(kp_state_offer_set(state, kp_bytes_of("one"), &err));
	expect_set(state, KP_STATE_SET_NEXT, "one");
	cr_assert(kp_state_accept_set(state, &err), "%s", err.text);
	expect_set(state, KP_STATE_SET_NEXT, "");
	expect_set(state, KP_STATE_SET_ACCEPTED, "one");
	kp_test_path(path, folder, "resources.pb");
	cr_assert_eq(stat(path, &st), 0);
	cr_assert_eq(st.st_mode & 0777, 0600);

	cr_assert(kp_state_offer_set(state, kp_bytes_of("longer"), &err));
	cr_assert(kp_state_offer_set(state, kp_bytes_of("two"), &err));
	kp_state_close(state);
	state = open_state(folder);
	expect_set(state, KP_STATE_SET_NEXT, "two");
	expect_set(state, KP_STATE_SET_ACCEPTED, "one");
	kp_state_drop_set(state);
	expect_set(state, KP_STATE_SET_NEXT, "");
	expect_set(state, KP_STATE_SET_ACCEPTED, "one");
	kp_buf_init(&small, 2);
	cr_assert(
	    !kp_state_load_set(state, KP_STATE_SET_ACCEPTED, &small, &err));
	cr_assert_eq(err.kind, KP_ERR_LIMIT);
	kp_buf_fini(&small);
	kp_state_close(state);
	kp_test_folder_remove(folder);
}

Test(state, one_agent_at_a_time)
{
	char folder[KP_TEST_PATH_LEN], file[KP_TEST_PATH_LEN];
	struct kp_error err = { 0 };
	struct kp_state *state;

	kp_test_folder(folder);
	state = open_state(folder);
	cr_assert_null(kp_state_open(folder, &err));
	cr_assert_eq(err.kind, KP_ERR_UNAVAILABLE);
	cr_assert_not_null(strstr(err.text, folder));
	kp_state_close(state);
	kp_state_close(open_state(folder));
	kp_test_write(folder, "file", "");
	kp_test_path(file, folder, "file");
	cr_assert_null(kp_state_open(file, &err));
	cr_assert_eq(err.kind, KP_ERR_SYSTEM);
	kp_state_close(NULL);
	kp_test_folder_remove(folder);
}

Test(edition, its_hash_is_of_the_content_secrets_included)
{
	struct kp_error err = { 0 };
	struct kp_tables *a = new_tables(1), *b = new_tables(2),
			 *c = new_tables(1);
	struct kp_edition *editions[3];
	char *key = kp_strdup("another key");

	free((void *)(uintptr_t)c->listeners[0].certificates[0].key_pem.data);
	c->listeners[0].certificates[0].key_pem = kp_bytes_of(key);
	editions[0] = kp_edition_new(&a, &err);
	editions[1] = kp_edition_new(&b, &err);
	editions[2] = kp_edition_new(&c, &err);
	cr_assert_null(a);
	cr_assert_eq(editions[0]->content_hash, editions[1]->content_hash);
	cr_assert(editions[0]->content_hash != editions[2]->content_hash);
	for (unsigned i = 0; i < 3; i++)
		kp_edition_free(editions[i]);
	kp_edition_free(NULL);
}

Test(edition, its_addresses_are_all_ports_of_all_listeners)
{
	static const char *const expected[] = { "[::1]:9092", "[::1]:9093",
		"[::1]:9094" };
	struct kp_error err = { 0 };
	struct kp_tables *tables = new_tables(1), *sni = new_tables(1);
	struct kp_edition *a, *b;
	char **list;

	sni->listeners[0].strategy = KP_LISTEN_SNI;
	a = kp_edition_new(&tables, &err);
	b = kp_edition_new(&sni, &err);
	cr_assert_eq(a->num_addresses, 3);
	for (unsigned i = 0; i < 3; i++)
		cr_assert_str_eq(a->addresses[i], expected[i]);
	cr_assert_eq(b->num_addresses, 1);
	cr_assert_eq(kp_edition_addresses(&list, a, b), 4);
	cr_assert_str_eq(list[3], "[::1]:9092");
	free(list);
	cr_assert_eq(kp_edition_addresses(&list, NULL, b), 1);
	free(list);
	kp_edition_free(a);
	kp_edition_free(b);
}

Test(edition, its_addresses_are_the_same_only_if_each_is)
{
	struct kp_error err = { 0 };
	struct kp_edition *editions[4];

	for (unsigned i = 0; i < 4; i++) {
		struct kp_tables *tables = new_tables(1 + i);

		if (i == 2)
			tables->listeners[0].first_port++;
		if (i == 3)
			tables->listeners[0].num_ports++;
		editions[i] = kp_edition_new(&tables, &err);
	}
	cr_assert(kp_edition_same_addresses(editions[0], editions[1]));
	for (unsigned i = 2; i < 4; i++) {
		cr_assert(!kp_edition_same_addresses(editions[0], editions[i]));
		cr_assert(!kp_edition_same_addresses(editions[i], editions[0]));
	}
	for (unsigned i = 0; i < 4; i++)
		kp_edition_free(editions[i]);
}
