/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/args.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

#define MAX_WORDS 12

static enum kp_exit
run(const struct kp_args *args)
{
	(void)args;
	return KP_EXIT_OK;
}

static const char *const colors[] = { "red", "green", NULL };

static const struct kp_flag paint_flags[] = {
	{ .name = "filename",
	    .letter = 'f',
	    .type = KP_FLAG_FILE,
	    .is_repeated = true,
	    .is_required = true,
	    .value = "FILE",
	    .help = "A file." },
	{ .name = "recursive",
	    .letter = 'R',
	    .type = KP_FLAG_SWITCH,
	    .help = "Deep." },
	{ .name = "wet",
	    .letter = 'w',
	    .type = KP_FLAG_SWITCH,
	    .help = "Wet." },
	{ .name = "color",
	    .letter = 'c',
	    .type = KP_FLAG_WORD,
	    .words = colors,
	    .value = "COLOR",
	    .fallback = "red",
	    .help = "A color." },
	{ .type = KP_FLAG_END },
};

static const struct kp_command group[] = {
	{ .name = "paint",
	    .operands = "WALL",
	    .help = "Paints.",
	    .min_operands = 1,
	    .max_operands = 2,
	    .flags = paint_flags,
	    .run = run },
	{ .name = NULL },
};

static const struct kp_command commands[] = {
	{ .name = "house",
	    .operands = "",
	    .help = "House.",
	    .commands = group },
	{ .name = "secret", .operands = "", .is_hidden = true, .run = run },
	{ .name = NULL },
};

static const struct kp_flag global_flags[] = {
	{ .name = "help", .letter = 'h', .type = KP_FLAG_SWITCH, .help = "H." },
	{ .name = "config",
	    .type = KP_FLAG_FILE,
	    .value = "FILE",
	    .help = "C." },
	{ .type = KP_FLAG_END },
};

static const struct kp_command program = {
	.name = "prog",
	.operands = "",
	.flags = global_flags,
	.commands = commands,
};

/* Splits line at blanks; "''" stands for an empty word. */
static bool
parse(struct kp_args *out, const char *line, struct kp_error *err)
{
	static char copy[256];
	const char *words[MAX_WORDS];
	size_t num = 0;
	char *rest = copy, *word;

	(void)snprintf(copy, sizeof(copy), "%s", line);
	while ((word = strsep(&rest, " ")) != NULL && num < MAX_WORDS) {
		if (strcmp(word, "''") == 0)
			words[num++] = "";
		else if (word[0] != '\0')
			words[num++] = word;
	}
	return kp_args_parse(out, &program, words, num, err);
}

/* "paint: f=a,b R=1 w=0 c=red config=- WALL|..." */
static void
describe(const struct kp_args *args, struct kp_buf *out)
{
	const char *file, *config = kp_args_text(args, "config");
	size_t at = 0;

	kp_buf_printf(out, "%s:", kp_args_command(args)->name);
	while ((file = kp_args_next(args, "filename", &at)) != NULL)
		kp_buf_printf(out, " f=%s", file);
	if (kp_args_is(args, "recursive"))
		kp_buf_add_text(out, " R");
	if (kp_args_is(args, "wet"))
		kp_buf_add_text(out, " w");
	kp_buf_printf(out, " c=%s", kp_args_text(args, "color"));
	if (config != NULL)
		kp_buf_printf(out, " config=%s", config);
	for (size_t i = 0; i < args->num_operands; i++)
		kp_buf_printf(out, " %s", args->operands[i]);
	kp_buf_add(out, "", 1);
}

Test(args, flags_are_read_in_every_form)
{
	static const struct {
		const char *line;
		const char *read;
	} cases[] = {
		{ "house paint -f a wall", "paint: f=a c=red wall" },
		{ "house paint wall -f a", "paint: f=a c=red wall" },
		{ "house paint -fa -f=b --filename c --filename=d=e wall",
		    "paint: f=a f=b f=c f=d=e c=red wall" },
		{ "house paint --filename= x", "paint: f= c=red x" },
		{ "house paint --filename '' x", "paint: f= c=red x" },
		{ "house paint -Rwf a x", "paint: f=a R w c=red x" },
		{ "house paint -Rwfa x", "paint: f=a R w c=red x" },
		{ "house paint -f a --recursive=false -w=true x",
		    "paint: f=a w c=red x" },
		{ "house paint -f a -R --recursive=false x",
		    "paint: f=a c=red x" },
		{ "house paint -f a -c green -c=red -cgreen x",
		    "paint: f=a c=green x" },
		{ "house paint -f - x -", "paint: f=- c=red x -" },
		{ "house paint -f -- x", "paint: f=-- c=red x" },
		{ "house paint -f a -- -f --help",
		    "paint: f=a c=red -f --help" },
		{ "--config y house --config=z paint -f a x",
		    "paint: f=a c=red config=z x" },
		{ "house paint --config y -f a x",
		    "paint: f=a c=red config=y x" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kp_args args;
		struct kp_error err;
		struct kp_buf out;

		cr_assert(parse(&args, cases[i].line, &err), "%s: %s",
		    cases[i].line, err.text);
		kp_buf_init(&out, 1024);
		describe(&args, &out);
		cr_assert_str_eq((const char *)out.data, cases[i].read);
		kp_buf_fini(&out);
		kp_args_fini(&args);
	}
}

Test(args, what_is_wrong_gets_a_sentence_and_a_suggestion)
{
	static const struct {
		const char *line;
		const char *problem;
	} cases[] = {
		{ "", "a command is missing" },
		{ "house", "a command is missing" },
		{ "hose", "unknown command \"hose\"; did you mean \"house\"?" },
		{ "secre", "unknown command \"secre\"" },
		{ "house xyzzy", "unknown command \"xyzzy\"" },
		{ "house paint -f a --recursiv x",
		    "unknown flag \"--recursiv\"; did you mean --recursive?" },
		{ "house paint --confg=y x",
		    "unknown flag \"--confg\"; did you mean --config?" },
		{ "house paint --zzzzzz", "unknown flag \"--zzzzzz\"" },
		{ "--filename a", "unknown flag \"--filename\"" },
		{ "house paint -Rx", "unknown flag \"-x\" in \"-Rx\"" },
		{ "house paint x -f", "--filename needs a value" },
		{ "house paint x --filename", "--filename needs a value" },
		{ "house paint x", "--filename FILE is missing" },
		{ "house paint -f a", "WALL is missing" },
		{ "house paint -f a x y z", "unexpected argument \"z\"" },
		{ "house paint -f a x -c gren",
		    "--color: unknown word \"gren\"; did you mean \"green\"?" },
		{ "house paint -f a x -c octarine",
		    "--color: must be one of red, green, not \"octarine\"" },
		{ "house paint -f a x -R=maybe",
		    "--recursive: must be true or false, not \"maybe\"" },
		{ "secret x", "unexpected argument \"x\"" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kp_args args;
		struct kp_error err;

		cr_assert(
		    !parse(&args, cases[i].line, &err), "%s", cases[i].line);
		cr_assert_str_eq(err.text, cases[i].problem);
		kp_args_fini(&args);
	}
}

Test(args, who_asks_for_help_need_not_be_right)
{
	static const char *const lines[] = { "--help", "-h", "house --help",
		"house paint -h", "house paint -Rh a b c d",
		"house --help paint" };

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct kp_args args;
		struct kp_error err;

		cr_assert(parse(&args, lines[i], &err), "%s", lines[i]);
		cr_assert(args.is_help);
		kp_args_fini(&args);
	}
}
