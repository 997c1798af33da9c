/* SPDX-License-Identifier: Apache-2.0 */
/* Whose token is it? Of claims as JSON Web Tokens have them. */
#include <criterion/criterion.h>
#include <string.h>

#include "proxy/admit/jwt.h"

#define MAX_LEN 256
#define SIZE 16

/* As base64url without padding. */
static size_t
encode(const char *text, size_t len, uint8_t *out)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz0123456789-_";
	size_t num = 0;
	uint32_t bits = 0;
	unsigned num_bits = 0;

	for (size_t i = 0; i < len; i++) {
		bits = bits << 8 | (uint8_t)text[i];
		for (num_bits += 8; num_bits >= 6; num_bits -= 6)
			out[num++] =
			    (uint8_t)letters[bits >> (num_bits - 6) & 63];
	}
	if (num_bits > 0)
		out[num++] = (uint8_t)letters[bits << (6 - num_bits) & 63];
	return num;
}

/* What is found, as a text; longer is what did not fit. */
static size_t
subject_of(const char *json, size_t len, char *out)
{
	uint8_t claims[2 * MAX_LEN];
	size_t found;

	cr_assert(len < MAX_LEN);
	(void)memset(out, 0, SIZE + 1);
	found = kp_jwt_subject(
	    (struct kp_bytes){ claims, encode(json, len, claims) },
	    (uint8_t *)out, SIZE);
	return found;
}

static void
expect(const char *json, const char *subject)
{
	char found[SIZE + 1];

	cr_assert_eq(subject_of(json, strlen(json), found), strlen(subject),
	    "%s: %s", json, found);
	cr_assert_eq(
	    memcmp(found, subject, strlen(subject)), 0, "%s: %s", json, found);
}

Test(jwt, the_subject_is_that_of_the_object_itself)
{
	expect("{\"sub\":\"alice\"}", "alice");
	expect(" { \"sub\"\t:\r\n\"alice\" , \"x\" : 1 } ", "alice");
	expect("{\"act\":{\"sub\":\"bob\"},\"sub\":\"alice\"}", "alice");
	expect("{\"sub\":\"alice\",\"act\":{\"sub\":\"bob\"}}", "alice");
	expect("{\"x\":[\"sub\",{\"sub\":\"bob\"},[]],\"sub\":\"alice\"}",
	    "alice");
	expect("{\"sub\":\"bob\",\"sub\":\"alice\"}", "alice");
	expect("{\"sub\":\"bob\",\"sub\":[\"alice\"]}", "");
	expect(
	    "{\"x\":\"\\\"sub\\\":\\\"bob\\\"\",\"sub\":\"alice\"}", "alice");
	expect(
	    "{\"x\":-1.5e3,\"y\":null,\"z\":true,\"sub\":\"alice\"}", "alice");
	expect("{\"subs\":\"a\",\"su\":\"b\",\"Sub\":\"c\",\"\":\"d\"}", "");
	expect("{}", "");
}

Test(jwt, escapes_are_what_they_stand_for)
{
	expect("{\"s\\u0075b\":\"\\u0061\\u00e4\\u20AC\"}",
	    "a\xc3\xa4\xe2\x82\xac");
	expect("{\"sub\":\"\\ud83d\\ude00\"}", "\xf0\x9f\x98\x80");
	expect("{\"sub\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}", "\"\\/\b\f\n\r\t");
	expect("{\"sub\":\"\xc3\xa4\"}", "\xc3\xa4");
}

Test(jwt, what_is_no_object_has_no_subject)
{
	static const char *const texts[] = { "", "{", "[]", "\"sub\"", "null",
		"{\"sub\"", "{\"sub\":", "{\"sub\":\"alice",
		"{\"sub\":\"alice\"", "{\"sub\":\"alice\",",
		"{\"sub\" \"alice\"}", "{sub:\"alice\"}", "{\"sub\":\"alice\"]",
		"{\"sub\":\"alice\" \"x\":1}", "{\"x\":[1,\"sub\":\"alice\"",
		"{\"x\":]}", "{\"sub\":\"\\x\"}", "{\"sub\":\"\\u12g4\"}",
		"{\"sub\":\"\\ud83d\"}", "{\"sub\":\"\\ud83d\\u0041\"}",
		"{\"sub\":\"\\ude00\"}", "{\"sub\":\"a\nb\"}", "{\"x\":\"\\" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		expect(texts[i], "");
}

Test(jwt, a_long_name_is_counted)
{
	char found[SIZE + 1];
	const char whole[] = "{\"sub\":\"0123456789abcdef\"}";
	const char longer[] = "{\"sub\":\"0123456789abcdefg\"}";

	cr_assert_eq(subject_of(whole, sizeof(whole) - 1, found), SIZE);
	cr_assert_str_eq(found, "0123456789abcdef");
	cr_assert_eq(subject_of(longer, sizeof(longer) - 1, found), SIZE + 1);
	cr_assert_str_eq(found, "0123456789abcdef");
}

/* A name with a zero in it is not a shorter one. */
Test(jwt, zeros_are_part_of_the_name)
{
	char found[SIZE + 1];
	const char json[] = "{\"sub\":\"al\\u0000x\"}";

	cr_assert_eq(subject_of(json, sizeof(json) - 1, found), 4);
	cr_assert_eq(memcmp(found, "al\0x", 4), 0);
}

Test(jwt, end_where_base64_does)
{
	static const char text[] = "eyJzdWIiOiJkYXZlIn0.eyJzdWIiOiJib2IifQ";
	uint8_t out[SIZE];

	cr_assert_eq(kp_jwt_subject(kp_bytes_of(text), out, sizeof(out)), 4);
	cr_assert_eq(memcmp(out, "dave", 4), 0);
	cr_assert_eq(
	    kp_jwt_subject((struct kp_bytes){ (const uint8_t *)text, 0 }, out,
		sizeof(out)),
	    0);
}
