/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

_Noreturn static void
print_help(const struct kp_option *options, const char *about)
{
	static const char *const values[] = {
		[KP_OPTION_TEXT] = "=TEXT",
		[KP_OPTION_COUNT] = "=N",
		[KP_OPTION_SIZE] = "=SIZE",
		[KP_OPTION_DURATION] = "=TIME",
		[KP_OPTION_FLAG] = "",
	};

	(void)printf("%s\n", about);
	for (const struct kp_option *o = options; o->name != NULL; o++)
		(void)printf(
		    "  --%s%s\t%s\n", o->name, values[o->kind], o->help);
	exit(fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}

static const struct kp_option *
find(const struct kp_option *options, const char *name, size_t len)
{
	for (const struct kp_option *o = options; o->name != NULL; o++) {
		if (strlen(o->name) == len && strncmp(o->name, name, len) == 0)
			return o;
	}
	return NULL;
}

static bool
set_count(uint64_t *out, const char *text)
{
	int64_t number;

	if (!kp_parse_int(text, &number) || number < 0)
		return false;
	*out = (uint64_t)number;
	return true;
}

static bool
set(const struct kp_option *option, const char *text)
{
	if ((option->kind == KP_OPTION_FLAG) != (text == NULL))
		return false;
	switch (option->kind) {
	case KP_OPTION_TEXT:
		*(const char **)option->value = text;
		return true;
	case KP_OPTION_COUNT:
		return set_count(option->value, text);
	case KP_OPTION_SIZE:
		return kp_parse_size(text, option->value);
	case KP_OPTION_DURATION:
		return kp_parse_duration(text, option->value);
	case KP_OPTION_FLAG:
		*(bool *)option->value = true;
		return true;
	}
	return false;
}

void
kp_options_parse(
    const struct kp_option *options, const char *about, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const char *name = argv[i], *equals = strchr(name, '=');
		const struct kp_option *option = NULL;

		if (strcmp(name, "--help") == 0)
			print_help(options, about);
		if (strncmp(name, "--", 2) == 0)
			option = find(options, name + 2,
			    equals != NULL ? (size_t)(equals - name - 2)
					   : strlen(name + 2));
		if (option != NULL &&
		    set(option, equals != NULL ? equals + 1 : NULL))
			continue;
		(void)fprintf(stderr, "%s: not an option: %s (see --help)\n",
		    argv[0], name);
		exit(2);
	}
}
