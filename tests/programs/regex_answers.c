/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Matches for tests/differential. A line of its input is a pattern and texts,
 * in hexadecimal and with tabs between them; an empty text is "-". The answer
 * is
 * "?" where the pattern is none, "#" where it is too large, else a digit for
 * each text: 1 there is a match, 2 the whole text is one, 3 both, 0 neither.
 * Each is asked in every way that there is, which have to agree: "!" if they do
 * not.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "rules/regex/regex.h"
#include "tests/support/hex.h"

#define MAX_LINE (1 << 20)
#define NUM_WAYS 4 /* flags of kp_regex_new */

struct way {
	struct kp_regex *regex;
	void *scratch;
};

/* False: a limit was reached. */
static bool
make(struct way ways[NUM_WAYS], struct kp_bytes pattern)
{
	struct kp_regex_fault fault;
	bool is_limit = false;

	for (unsigned i = 0; i < NUM_WAYS; i++) {
		ways[i].regex = kp_regex_new(pattern, i, NULL, &fault);
		ways[i].scratch = NULL;
		is_limit = is_limit || fault.kind == KP_REGEX_FAULT_LIMIT;
		if (ways[i].regex != NULL)
			ways[i].scratch = kp_alloc(
			    1, kp_regex_scratch_len(ways[i].regex) + 1);
	}
	return !is_limit;
}

static bool
is_match(const struct way *way, struct kp_bytes text)
{
	return kp_regex_match(way->regex, text, way->scratch, NULL) ==
	       KP_REGEX_MATCH;
}

static void
answer_text(const struct way ways[NUM_WAYS], struct kp_bytes text)
{
	bool is_found = is_match(&ways[0], text);
	bool is_whole = is_match(&ways[KP_REGEX_WHOLE], text);

	if (is_found != is_match(&ways[KP_REGEX_ONCE], text) ||
	    is_whole != is_match(&ways[KP_REGEX_WHOLE | KP_REGEX_ONCE], text))
		putchar('!');
	putchar('0' + is_found + 2 * is_whole);
}

static void
answer(char *line)
{
	struct way ways[NUM_WAYS];
	char *text;

	if (!make(ways, kp_unhex(strsep(&line, "\t"))))
		putchar('#');
	else if (ways[0].regex == NULL)
		putchar('?');
	else
		while ((text = strsep(&line, "\t")) != NULL)
			answer_text(ways, kp_unhex(text));
	putchar('\n');
	(void)fflush(stdout);
	for (unsigned i = 0; i < NUM_WAYS; i++) {
		kp_regex_free(ways[i].regex);
		free(ways[i].scratch);
	}
}

int
main(void)
{
	char *line = kp_alloc(1, MAX_LINE);

	while (fgets(line, MAX_LINE, stdin) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		answer(line);
	}
	free(line);
	return 0;
}
