/* SPDX-License-Identifier: Apache-2.0 */
#include "control/server/page_token.h"

#include <criterion/criterion.h>
#include <stdio.h>

Test(page_token, comes_back_for_the_same_question_only)
{
	struct kp_page_token token = { .revision = UINT64_MAX }, out;
	char text[KP_PAGE_TOKEN_SIZE];
	struct kp_error err;

	memset(token.kind, 'k', KP_STORE_MAX_NAME_LEN);
	memset(token.name, 'n', KP_STORE_MAX_NAME_LEN);
	kp_page_token_write(&token, "Cluster\na=b", text);
	cr_assert(kp_page_token_read(&out, text, "Cluster\na=b", &err));
	cr_assert_eq(out.revision, token.revision);
	cr_assert_str_eq(out.kind, token.kind);
	cr_assert_str_eq(out.name, token.name);
	cr_assert(!kp_page_token_read(&out, text, "Cluster\na=c", &err));
	cr_assert_eq(err.kind, KP_ERR_PROTOCOL);
}

Test(page_token, any_change_of_it_is_found_out)
{
	const struct kp_page_token token = { 7, "Cluster", "a" };
	char text[KP_PAGE_TOKEN_SIZE], bad[2 * KP_PAGE_TOKEN_SIZE];
	struct kp_page_token out;
	struct kp_error err;
	size_t len;

	kp_page_token_write(&token, "", text);
	len = strlen(text);
	for (size_t i = 0; i < len; i++) {
		(void)snprintf(bad, sizeof(bad), "%s", text);
		bad[i] = bad[i] == '0' ? '1' : '0';
		cr_assert(!kp_page_token_read(&out, bad, "", &err), "%zu", i);
		bad[i] = 'G';
		cr_assert(!kp_page_token_read(&out, bad, "", &err), "%zu", i);
		bad[i] = '\0'; /* a prefix */
		cr_assert(!kp_page_token_read(&out, bad, "", &err), "%zu", i);
	}
	(void)snprintf(bad, sizeof(bad), "%s00", text);
	cr_assert(!kp_page_token_read(&out, bad, "", &err));
	memset(bad, 'a', sizeof(bad) - 1);
	bad[sizeof(bad) - 1] = '\0';
	cr_assert(!kp_page_token_read(&out, bad, "", &err));
}
