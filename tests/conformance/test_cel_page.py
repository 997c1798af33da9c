# SPDX-License-Identifier: Apache-2.0
"""docs/cel.md against rules/cel/: its examples are true, its names are all there
are, its limits are those of the headers."""

import os
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
CEL = ROOT / "rules" / "cel"
PAGE = (ROOT / "docs" / "cel.md").read_text()
# Cells of every row of every table but heads and rules.
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("| `")
]
LIMITS = {row[0].strip("`"): row[1] for row in ROWS if row[0].startswith("`KP_")}
EXAMPLES = [row[-1].strip("`") for row in ROWS if not row[0].startswith("`KP_")]


def names(path, pattern):
    found = re.findall(pattern, (CEL / path).read_text(), re.MULTILINE)
    assert found
    return set(found)


def headers():
    return "".join(path.read_text() for path in sorted(CEL.glob("*.h")))


def product(text):
    """What "(4 << 20)" or "32768" is."""
    number, _, shift = text.strip("()").partition("<<")
    return int(number) << int(shift or 0)


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_is_true(example):
    line = "check\t\t" + example.encode().hex() + "\n"
    answer = subprocess.run(
        [os.environ["KP_CEL_CONFORMANCE"]], input=line, stdout=subprocess.PIPE, text=True, check=True
    )
    assert answer.stdout == '["bool",true]\n'


def test_every_function_and_macro_has_a_row_and_nothing_else_has():
    there = names("functions.c", r'^\t\{ "([\w.]+)",')
    there |= names("macros.c", r'^\t\{ "(\w+)",') | {"has", "cel.bind"}
    cells = [row[0] for row in ROWS if re.match(r"`[a-z]", row[0])]
    rows = {name for cell in cells for name in re.findall(r"`([\w.]+)`", cell)} - {"in"}
    assert rows == there


def test_every_verb_of_format_has_a_row():
    verbs = re.search(r'strchr\("([a-zA-Z%]+)", verb\)', (CEL / "ext_format.c").read_text())[1]
    assert {row[0] for row in ROWS if row[0].startswith("`%")} == {f"`%{verb}`" for verb in verbs}


def test_limits_are_those_of_the_headers():
    pattern = r"^#define (KP_CEL_(?:MAX|DEFAULT|BYTES)_\w+) (\S.*)$"
    defined = dict(re.findall(pattern, headers(), re.MULTILINE))
    assert {name: int(value) for name, value in LIMITS.items()} == {
        name: product(value) for name, value in defined.items()
    }
