#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fails on functions and files that are too long to be read at once. Tables
(proto/kafka/apis/) may be of any length."""

import sources

MAX_FUNCTION = 80
MAX_MEDIAN, MAX_P90 = 20, 50
MAX_FILE = 1000
TABLES = "proto/kafka/apis/"


def functions(text):
    """(line, name, number of body lines) of each function in KNF."""
    lines = text.splitlines()
    start = None
    for number, line in enumerate(lines):
        if line == "{":
            start = number
        elif line == "}" and start is not None:
            yield start, name_before(lines, start), number - start - 1
            start = None


def name_before(lines, start):
    for line in reversed(lines[max(0, start - 8) : start]):
        if "(" in line and not line[0].isspace():
            return line.split("(")[0]
    return "?"


def main():
    top = sources.root()
    faults, sizes, num_files = [], [], 0
    for path in sources.tracked(top, ".c", ".h", ".py", ".sh"):
        if str(path).startswith(TABLES):
            continue
        num_files += 1
        text = (top / path).read_text()
        length = len(text.splitlines())
        if length > MAX_FILE:
            faults.append(f"{path}: {length} lines, at most {MAX_FILE}")
        if path.suffix != ".c":
            continue
        for line, name, size in functions(sources.code_only(text)):
            sizes.append(size)
            if size > MAX_FUNCTION:
                faults.append(
                    f"{path}:{line}: {name}() has {size} lines, at most {MAX_FUNCTION}"
                )
    sizes.sort()
    median = sizes[len(sizes) // 2] if sizes else 0
    p90 = sizes[len(sizes) * 9 // 10] if sizes else 0
    if median > MAX_MEDIAN:
        faults.append(f"median function has {median} lines, at most {MAX_MEDIAN}")
    if p90 > MAX_P90:
        faults.append(f"one function in ten has {p90} lines, at most {MAX_P90}")
    note = f"; {len(sizes)} functions, median {median}, p90 {p90} lines"
    sources.finish("check-sizes", faults, num_files, note)


main()
