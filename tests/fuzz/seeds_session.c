/* SPDX-License-Identifier: Apache-2.0 */
/* Scripts of play.h in which a client and a broker behave, more or less. */
#include "tests/fuzz/play.h"
#include "tests/fuzz/seeds.h"

#define MAX_LEN 500
#define ALL_TLS (0xe0 | KP_BRIDGE_CLIENT_TLS | KP_BRIDGE_BROKER_TLS)
#define TIGHT 0x10

/* Param of steps with records: 140000 bytes of them. */
#define LONG 7

#define PRODUCE 0
#define FETCH 1
#define METADATA 3
#define API_VERSIONS 18

static void
begin(struct kp_buf *out, uint8_t choice)
{
	kp_buf_init(out, MAX_LEN);
	kp_buf_add(out, &choice, 1);
}

static void
add_step(struct kp_buf *out, enum kp_step step, unsigned param, bool has_more)
{
	uint8_t first =
	    (uint8_t)((unsigned)step | param << KP_STEP_PARAM_SHIFT |
		      (has_more ? KP_STEP_MORE : 0u));

	kp_buf_add(out, &first, 1);
}

static void
add_bytes(struct kp_buf *out, unsigned a, unsigned b, unsigned c, size_t num)
{
	const uint8_t bytes[] = { (uint8_t)a, (uint8_t)b, (uint8_t)c };

	kp_buf_add(out, bytes, num);
}

static void
add_ask(struct kp_buf *out, unsigned key, unsigned version, unsigned param)
{
	add_step(out, KP_STEP_ASK, param, false);
	add_bytes(out, key, version, 3, 3);
}

static void
add_answer(struct kp_buf *out, unsigned param)
{
	add_step(out, KP_STEP_ANSWER, param, false);
	add_bytes(out, 2, 0, 0, 1);
}

static void
end(struct kp_buf *script, const char *name)
{
	kp_seed("session", name, kp_buf_bytes(script));
	kp_buf_fini(script);
}

/* Time for handshakes. */
static void
add_turns(struct kp_buf *out, unsigned num)
{
	while (num-- > 0)
		add_step(out, KP_STEP_HEARING, 0, false);
}

/* Versions first, then long records both ways. */
static void
seed_usual(const char *name, uint8_t choice)
{
	struct kp_buf script;

	begin(&script, choice);
	if ((choice & KP_BRIDGE_PROXY_HEADER) != 0)
		add_bytes(&script, 1, 0, 0, 1);
	add_turns(&script, choice >= 0xe0 ? 12 : 0);
	add_ask(&script, API_VERSIONS, 3, 0);
	add_step(&script, KP_STEP_VERSIONS, 0, false);
	add_bytes(&script, 19, 0, 0, 1);
	add_ask(&script, METADATA, 12, 0);
	add_answer(&script, 0);
	add_ask(&script, PRODUCE, 9, LONG);
	add_turns(&script, 4);
	add_answer(&script, 0);
	add_ask(&script, FETCH, 16, 0);
	add_answer(&script, LONG);
	end(&script, name);
}

/* Nobody reads for a while, and calls fail that could be repeated. */
static void
seed_slow(void)
{
	struct kp_buf script;

	begin(&script, 0);
	add_step(&script, KP_STEP_HEARING, 3, true);
	add_ask(&script, FETCH, 16, 0);
	add_ask(&script, FETCH, 12, 0);
	add_ask(&script, PRODUCE, 3, LONG);
	add_step(&script, KP_STEP_FAULT, 0, true);
	add_bytes(&script, 0, 2, 0, 2);
	add_step(&script, KP_STEP_HEARING, 1, false);
	add_answer(&script, LONG);
	add_answer(&script, LONG);
	add_step(&script, KP_STEP_FAULT, 2, true);
	add_bytes(&script, 1, 1, 0, 2);
	add_step(&script, KP_STEP_HEARING, 0, false);
	end(&script, "slow");
}

static void
add_raw(struct kp_buf *out, enum kp_step step, const void *data, size_t len)
{
	add_step(out, step, 0, false);
	add_bytes(out, (unsigned)len, 0, 0, 1);
	kp_buf_add(out, data, len);
}

/* Bare tokens, the second of which ends the exchange. */
static void
seed_tokens(unsigned mechanism, const char *name)
{
	static const char accepted[] =
	    "\0\0\0\x11\0\0\0\1\0\0\0\0\0\1\0\5PLAIN";
	static const char token[] = "\0\0\0\x09\0alice\0pw";
	static const char nothing[] = "\0\0\0\0";
	struct kp_buf script;

	begin(&script, 0);
	add_step(&script, KP_STEP_LOGIN, 0, false);
	add_bytes(&script, mechanism, 0, 0, 1);
	add_raw(&script, KP_STEP_BROKER_SENDS, accepted, sizeof(accepted) - 1);
	add_raw(&script, KP_STEP_CLIENT_SENDS, token, sizeof(token) - 1);
	add_raw(&script, KP_STEP_BROKER_SENDS, nothing, sizeof(nothing) - 1);
	add_raw(&script, KP_STEP_CLIENT_SENDS, token, sizeof(token) - 1);
	add_raw(&script, KP_STEP_BROKER_SENDS, nothing, sizeof(nothing) - 1);
	add_ask(&script, METADATA, 1, 0);
	end(&script, name);
}

static void
seed_worker(enum kp_step step, const char *name)
{
	struct kp_buf script;

	begin(&script, TIGHT);
	add_ask(&script, METADATA, 9, 0);
	add_ask(&script, METADATA, 9, 0);
	add_answer(&script, 0);
	add_step(&script, step, 0, false);
	add_ask(&script, METADATA, 9, 0);
	add_answer(&script, 0);
	end(&script, name);
}

void
kp_seed_session(void)
{
	seed_usual("plain", 0);
	seed_usual("tight", TIGHT);
	seed_usual("proxy", KP_BRIDGE_PROXY_HEADER);
	seed_usual("tls", ALL_TLS);
	seed_usual("sni", ALL_TLS | KP_BRIDGE_SNI);
	seed_slow();
	seed_tokens(0, "plain-tokens");
	seed_tokens(3, "gssapi-tokens");
	seed_worker(KP_STEP_RULES, "rules");
	seed_worker(KP_STEP_DRAIN, "drain");
	seed_worker(KP_STEP_EVICT, "evict");
	seed_worker(KP_STEP_BROKER_GOES, "gone");
	seed_worker(KP_STEP_TIME, "time");
}
