/* SPDX-License-Identifier: Apache-2.0 */
/* kpctl completion: a script for each shell, which asks kpctl itself. */
#include <stdio.h>
#include <string.h>

#include "cli/complete.h"
#include "cli/output.h"
#include "cli/run.h"

static const char bash_script[] =
    "# bash completion for kpctl. For this shell:\n"
    "#   source <(kpctl completion bash)\n"
    "_kpctl() {\n"
    "	local line end= cur=${COMP_WORDS[COMP_CWORD]}\n"
    "	COMPREPLY=()\n"
    "	while IFS= read -r line; do\n"
    "		case $line in\n"
    "		:*) end=$line ;;\n"
    "		*) COMPREPLY+=(\"${line%%$'\\t'*}\") ;;\n"
    "		esac\n"
    "	done < <(\"${COMP_WORDS[0]}\" __complete -- \\\n"
    "		\"${COMP_WORDS[@]:1:COMP_CWORD}\" 2>/dev/null)\n"
    "	case $end in\n"
    "	:files)\n"
    "		[ \"$cur\" != = ] || cur=\n"
    "		compopt -o filenames 2>/dev/null\n"
    "		mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
    "		;;\n"
    "	:nospace) compopt -o nospace 2>/dev/null ;;\n"
    "	esac\n"
    "}\n"
    "complete -F _kpctl kpctl\n";

static const char zsh_script[] =
    "#compdef kpctl\n"
    "# zsh completion for kpctl. For this shell:\n"
    "#   source <(kpctl completion zsh)\n"
    "_kpctl() {\n"
    "	local line end tab=$'\\t' cur=${words[CURRENT]}\n"
    "	local -a found\n"
    "	while IFS= read -r line; do\n"
    "		case $line in\n"
    "		:*) end=$line ;;\n"
    "		*) found+=(\"${${line%%$tab*}//:/\\\\:}:${line#*$tab}\") ;;\n"
    "		esac\n"
    "	done < <(\"${words[1]}\" __complete -- \\\n"
    "		\"${(@)words[2,CURRENT]}\" 2>/dev/null)\n"
    "	case $end in\n"
    "	:files)\n"
    "		[[ $cur != --*=* ]] || compset -P '*='\n"
    "		_files\n"
    "		;;\n"
    "	:nospace) _describe -t values kpctl found -S '' ;;\n"
    "	*) _describe -t values kpctl found ;;\n"
    "	esac\n"
    "}\n"
    "if [[ ${funcstack[1]-} = _kpctl ]]; then\n"
    "	_kpctl \"$@\"\n"
    "else\n"
    "	compdef _kpctl kpctl\n"
    "fi\n";

static const char fish_script[] =
    "# fish completion for kpctl. For this shell:\n"
    "#   kpctl completion fish | source\n"
    "function __kpctl_complete\n"
    "	set -l words (commandline -opc)\n"
    "	set -l cur (commandline -ct)\n"
    "	for line in ($words[1] __complete -- $words[2..-1] \"$cur\" "
    "2>/dev/null)\n"
    "		switch $line\n"
    "		case ':files'\n"
    "			set -l parts (string match -r -- '^(--[^=]*=)(.*)$' "
    "\"$cur\")\n"
    "			if set -q parts[1]\n"
    "				__fish_complete_path \"$parts[3]\" | "
    "string replace -r '^' -- $parts[2]\n"
    "			else\n"
    "				__fish_complete_path \"$cur\"\n"
    "			end\n"
    "		case ':*'\n"
    "		case '*'\n"
    "			echo -- $line\n"
    "		end\n"
    "	end\n"
    "end\n"
    "complete -c kpctl -f -a '(__kpctl_complete)'\n";

static const struct shell {
	const char *name;
	const char *script;
} shells[] = {
	{ "bash", bash_script },
	{ "zsh", zsh_script },
	{ "fish", fish_script },
};

#define NUM_SHELLS (sizeof(shells) / sizeof(shells[0]))

enum kp_exit
kp_run_completion(const struct kp_args *args)
{
	for (size_t i = 0; i < NUM_SHELLS; i++) {
		if (strcmp(shells[i].name, args->operands[0]) == 0) {
			(void)fputs(shells[i].script, stdout);
			return KP_EXIT_OK;
		}
	}
	kp_output_problem(
	    "there are bash, zsh and fish, not \"%s\"", args->operands[0]);
	return KP_EXIT_USAGE;
}

void
kp_complete_shell(
    struct kp_candidates *out, const struct kp_args *args, const char *begun)
{
	(void)args;
	(void)begun;
	for (size_t i = 0; i < NUM_SHELLS; i++)
		(void)kp_candidates_add(out, shells[i].name, "");
}
