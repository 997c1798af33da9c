/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/admit/sasl.h"

#include <criterion/criterion.h>

#include "proxy/admit/principal.h"
#include "tests/support/message.h"

static struct kp_sasl
after_handshake(const char *mechanism, int16_t version, int16_t error_code)
{
	struct kp_sasl sasl = { .phase = KP_SASL_NONE };
	struct kp_buf body;
	struct kp_error err;

	kp_buf_init(&body, 1024);
	put_string(&body, mechanism);
	cr_assert(
	    kp_sasl_on_handshake(&sasl, version, kp_buf_bytes(&body), &err));
	cr_assert_eq(sasl.phase, KP_SASL_ASKED);
	cr_assert(kp_sasl_is_pending(&sasl));
	kp_buf_clear(&body);
	put_int16(&body, error_code);
	put_int32(&body, 1);
	put_string(&body, mechanism);
	cr_assert(kp_sasl_on_handshake_answer(
	    &sasl, version, kp_buf_bytes(&body), &err));
	kp_buf_fini(&body);
	return sasl;
}

static void
authenticate(struct kp_sasl *sasl, struct kp_bytes token, int16_t error_code)
{
	struct kp_buf body;
	struct kp_error err;

	kp_buf_init(&body, 4096);
	put_bytes(&body, token.data, token.len);
	cr_assert(kp_sasl_on_authenticate(sasl, 0, kp_buf_bytes(&body), &err));
	kp_buf_clear(&body);
	put_int16(&body, error_code);
	put_int16(&body, -1);
	put_int32(&body, 0);
	cr_assert(
	    kp_sasl_on_authenticate_answer(sasl, 0, kp_buf_bytes(&body), &err));
	kp_buf_fini(&body);
}

static const uint8_t plain_token[] = "\0alice\0secret";
static const struct kp_bytes plain = { plain_token, sizeof(plain_token) - 1 };

Test(sasl, plain_inside_requests_names_the_principal)
{
	struct kp_sasl sasl = after_handshake("PLAIN", 1, 0);

	cr_assert_eq(sasl.phase, KP_SASL_REQUESTS);
	authenticate(&sasl, plain, 0);
	cr_assert_eq(sasl.phase, KP_SASL_DONE);
	cr_assert(!kp_sasl_is_pending(&sasl));
	cr_assert_str_eq(sasl.principal, "alice");
	cr_assert_str_eq(sasl.mechanism_name, "PLAIN");
}

Test(sasl, scram_takes_two_requests)
{
	struct kp_sasl sasl = after_handshake("SCRAM-SHA-512", 1, 0);

	authenticate(&sasl, kp_bytes_of("n,,n=bo=2Cb=3D,r=abc"), 0);
	cr_assert_eq(sasl.phase, KP_SASL_REQUESTS);
	authenticate(&sasl, kp_bytes_of("c=biws,r=abcdef,p=xyz"), 0);
	cr_assert_eq(sasl.phase, KP_SASL_DONE);
	cr_assert_str_eq(sasl.principal, "bo,b=");
}

Test(sasl, a_refused_handshake_or_token_leaves_nothing_pending)
{
	struct kp_sasl sasl = after_handshake("PLAIN", 1, 33);

	cr_assert_eq(sasl.phase, KP_SASL_NONE);
	sasl = after_handshake("PLAIN", 1, 0);
	authenticate(&sasl, plain, 58);
	cr_assert_eq(sasl.phase, KP_SASL_NONE);
}

Test(sasl, bare_tokens_end_after_as_many_as_the_mechanism_has)
{
	struct kp_sasl sasl = after_handshake("PLAIN", 0, 0);
	static const uint8_t metadata[] = { 0, 3, 0, 1, 0, 0, 0, 1, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff };
	const struct kp_bytes request = { metadata, sizeof(metadata) };
	struct kp_error err;

	cr_assert_eq(sasl.phase, KP_SASL_TOKENS);
	/* even if it looks like a request */
	cr_assert(kp_sasl_is_token(&sasl, request, request.len));
	cr_assert(kp_sasl_on_token(&sasl, plain, &err));
	cr_assert_str_eq(sasl.principal, "alice");
	cr_assert(!kp_sasl_is_token(&sasl, request, request.len));
	kp_sasl_on_token_answer(&sasl);
	cr_assert_eq(sasl.phase, KP_SASL_DONE);
}

Test(sasl, bare_gssapi_tokens_end_where_a_request_begins)
{
	struct kp_sasl sasl = after_handshake("GSSAPI", 0, 0);
	static const uint8_t metadata[] = { 0, 3, 0, 1, 0, 0, 0, 1, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff };
	static const uint8_t gss[] = { 0x60, 0x82, 2, 0x10, 6, 9, 0x2a, 0x86,
		0x48, 0x86, 0xf7, 0x12, 1, 2, 2 };
	struct kp_error err;

	for (int i = 0; i < 3; i++) {
		cr_assert(kp_sasl_is_token(
		    &sasl, (struct kp_bytes){ gss, sizeof(gss) }, sizeof(gss)));
		cr_assert(kp_sasl_on_token(
		    &sasl, (struct kp_bytes){ gss, sizeof(gss) }, &err));
		kp_sasl_on_token_answer(&sasl);
		cr_assert_eq(sasl.phase, KP_SASL_TOKENS);
	}
	cr_assert(!kp_sasl_is_token(&sasl,
	    (struct kp_bytes){ metadata, sizeof(metadata) }, sizeof(metadata)));
	kp_sasl_on_token_end(&sasl);
	cr_assert_eq(sasl.phase, KP_SASL_DONE);
}

Test(sasl, authenticating_again_begins_anew)
{
	struct kp_sasl sasl = after_handshake("PLAIN", 1, 0);
	struct kp_buf body;
	struct kp_error err;

	authenticate(&sasl, plain, 0);
	kp_buf_init(&body, 64);
	put_string(&body, "PLAIN");
	cr_assert(kp_sasl_on_handshake(&sasl, 1, kp_buf_bytes(&body), &err));
	cr_assert_eq(sasl.phase, KP_SASL_ASKED);
	cr_assert_eq(sasl.num_tokens, 0);
	kp_buf_fini(&body);
}

Test(principal, is_read_from_the_first_token_or_left_empty)
{
	static const struct {
		enum kp_sasl_mechanism mechanism;
		const char *token;
		size_t len;
		const char *principal;
	} cases[] = {
		{ KP_SASL_PLAIN, "\0bob\0pw", 7, "bob" },
		{ KP_SASL_PLAIN, "as\0bob\0pw", 9, "bob" },
		{ KP_SASL_PLAIN, "bob", 3, "" },
		{ KP_SASL_PLAIN, "\0bob", 4, "" },
		{ KP_SASL_PLAIN, "", 0, "" },
		{ KP_SASL_SCRAM, "n,,n=carol,r=x", 14, "carol" },
		{ KP_SASL_SCRAM, "n,a=x,n=carol", 13, "carol" },
		{ KP_SASL_SCRAM, "n,,r=x", 6, "" },
		{ KP_SASL_SCRAM, "n,,n==", 6, "=" },
		/* claims {"sub":"dave"} */
		{ KP_SASL_OAUTHBEARER,
		    "n,,\1auth=Bearer e30.eyJzdWIiOiJkYXZlIn0.\1\1", 43,
		    "dave" },
		{ KP_SASL_OAUTHBEARER, "n,,\1auth=Bearer e30\1\1", 21, "" },
		{ KP_SASL_OAUTHBEARER, "n,,\1auth=Bearer e30.e30.\1\1", 26,
		    "" },
		{ KP_SASL_OAUTHBEARER,
		    "n,a=dave,\1host=a\1auth=BEARER  "
		    "e30.eyJzdWIiOiJkYXZlIn0.\1\1",
		    57, "dave" },
		/* not the last "auth", and not that name */
		{ KP_SASL_OAUTHBEARER,
		    "n,,\1auth=Bearer e30.eyJzdWIiOiJkYXZlIn0.\1"
		    "auth=Bearer e30.e30.\1\1",
		    63, "" },
		{ KP_SASL_OAUTHBEARER,
		    "n,,\1x=auth=Bearer e30.eyJzdWIiOiJkYXZlIn0.\1\1", 45, "" },
		{ KP_SASL_OAUTHBEARER,
		    "n,,\1auth=Basic e30.eyJzdWIiOiJkYXZlIn0.\1\1", 42, "" },
		{ KP_SASL_OAUTHBEARER, "n,\1auth=Bearer", 14, "" },
		{ KP_SASL_OAUTHBEARER, "n,,", 3, "" },
		{ KP_SASL_OTHER, "\0bob\0pw", 7, "" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kp_bytes token = { (const uint8_t *)cases[i].token,
			cases[i].len };
		char principal[KP_PRINCIPAL_MAX + 1];
		struct kp_error err;

		cr_assert(kp_principal_of_token(cases[i].mechanism, token,
		    principal, sizeof(principal), &err));
		cr_assert_str_eq(principal, cases[i].principal, "%zu", i);
	}
}

Test(principal, is_refused_if_it_is_not_the_whole_name)
{
	uint8_t token[1000] = { 0 };
	char principal[16];
	struct kp_error err;

	/* a zero before the name and one after it */
	for (size_t len = 14; len < 17; len++) {
		(void)memset(token + 1, 'x', len);
		cr_assert_eq(kp_principal_of_token(KP_SASL_PLAIN,
				 (struct kp_bytes){ token, len + 2 }, principal,
				 sizeof(principal), &err),
		    len < sizeof(principal));
		cr_assert_eq(strlen(principal), len < 16 ? len : 0);
	}
	kp_copy(token, "n,,n=", 5);
	(void)memset(token + 5, 'x', 16);
	for (size_t len = 14; len < 17; len++)
		cr_assert_eq(kp_principal_of_token(KP_SASL_SCRAM,
				 (struct kp_bytes){ token, len + 5 }, principal,
				 sizeof(principal), &err),
		    len < sizeof(principal));
	token[7] = '\0';
	cr_assert(!kp_principal_of_token(KP_SASL_SCRAM,
	    (struct kp_bytes){ token, 10 }, principal, sizeof(principal),
	    &err));
	cr_assert_str_eq(principal, "");
}
