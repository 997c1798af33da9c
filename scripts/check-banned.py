#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fails on functions that have no safe use here, on notes to do something later,
and on #if inside a function. Comments and literals may name them."""

import re

import sources

BANNED = [
    # (pattern, files it is allowed in, what to use)
    (r"\b(?:v?sprintf|strn?cpy|strn?cat|stpcpy)\s*\(", None, "snprintf or kp_copy"),
    (r"\b(?:strtok|gets|atoi|atol|atoll|alloca)\s*\(", None, "kp_parse_int etc."),
    (r"\b(?:memcpy|memmove|mempcpy)\s*\(", "base/", "kp_copy or kp_move"),
    (r"\bpthread_mutex_(?:lock|trylock|timedlock)\b", "base/mutex.c", "kp_mutex_lock"),
    (r"\bpthread_cancel\b", None, "a thread that is joined"),
    # getaddrinfo cannot be ended
    (r"\bpthread_detach\b", "control/agent/resolver.c", "a thread that is joined"),
    (r"(?<!_)\bassert\s*\(|<assert\.h>", None, "kp_assert"),
]
LATER = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b")
CONDITIONAL = re.compile(r"^[ \t]*#[ \t]*(?:if|ifdef|ifndef)\b")


def banned_calls(path, code):
    for pattern, home, instead in BANNED:
        if home and str(path).startswith(home):
            continue
        for match in re.finditer(pattern, code):
            line = sources.line_of(code, match.start())
            word = match.group().rstrip("( \t")
            yield f"{path}:{line}: {word} is banned, use {instead}"


def conditionals_in_functions(path, code):
    inside = False
    for number, line in enumerate(code.splitlines(), 1):
        if line == "{":
            inside = True
        elif line.startswith("}"):
            inside = False
        elif inside and CONDITIONAL.match(line):
            yield f"{path}:{number}: #if inside a function, make it two files"


def notes_for_later(path, text):
    for match in LATER.finditer(text):
        line = sources.line_of(text, match.start())
        yield f"{path}:{line}: {match.group()} belongs into an issue"


def main():
    top = sources.root()
    faults, num_files = [], 0
    for path in sources.tracked(top, ".c", ".h", ".py", ".sh", ".cmake"):
        text = (top / path).read_text()
        num_files += 1
        if path.name not in ("check-banned.py", "test_checks.py"):
            faults.extend(notes_for_later(path, text))
        if path.suffix in (".c", ".h"):
            code = sources.code_only(text)
            faults.extend(banned_calls(path, code))
            faults.extend(conditionals_in_functions(path, code))
    sources.finish("check-banned", faults, num_files)


main()
