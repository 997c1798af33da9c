# SPDX-License-Identifier: Apache-2.0
"""The published conformance cases of CEL against rules/cel/.

KP_CEL_CONFORMANCE is the program that evaluates: kp_cel_conformance of the build
folder. What fails and why: tests/conformance/cel.mjs PROGRAM PACKAGE --failures.
"""

import functools
import json
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "scripts"
CASES = ROOT / "tests" / "conformance" / "cel.mjs"

# file: cases that pass, that fail, that fail for want of protobuf messages, and
# that fail as they declare functions of their own. A case that wants a value and the
# type that checking has to find counts as two. Another figure is red, a better one
# as well: it belongs here.
FIGURES = {
    "basic": (43, 0, 0, 0),
    "bindings_ext": (5, 0, 0, 0),
    "block_ext": (0, 25, 12, 0),
    "comparisons": (334, 0, 72, 0),
    "conversions": (109, 0, 0, 0),
    "dynamic": (18, 0, 208, 0),
    "encoders_ext": (4, 0, 0, 0),
    "enums": (0, 0, 85, 0),
    "fields": (60, 0, 0, 0),
    "fp_math": (30, 0, 0, 0),
    "integer_math": (64, 0, 0, 0),
    "lists": (39, 0, 0, 0),
    "logic": (30, 0, 0, 0),
    "macros": (44, 0, 0, 0),
    "macros2": (46, 0, 0, 0),
    "math_ext": (199, 0, 0, 0),
    "namespace": (3, 0, 0, 0),
    "optionals": (59, 0, 11, 0),
    "parse": (193, 0, 26, 0),
    "plumbing": (5, 0, 0, 0),
    "proto2": (0, 0, 108, 0),
    "proto2_ext": (0, 0, 18, 0),
    "proto3": (0, 0, 75, 0),
    "string": (51, 0, 0, 0),
    "string_ext": (206, 0, 3, 0),
    "timestamps": (71, 5, 0, 0),
    "type_deductions": (33, 0, 31, 5),
    "wrappers": (0, 0, 36, 0),
}


def run(*command):
    result = subprocess.run(
        [SCRIPTS / "toolchains.sh", *command], check=True, stdout=subprocess.PIPE, text=True
    )
    return result.stdout


@functools.cache
def figures():
    package = run(SCRIPTS / "fetch-cel-spec.sh").strip()
    program = os.environ["KP_CEL_CONFORMANCE"]
    lines = run("node", CASES, program, package, "--json").splitlines()
    return {name: tuple(rest) for name, *rest in map(json.loads, lines)}


@pytest.mark.parametrize("name", FIGURES)
def test_as_many_cases_pass_as_are_recorded(name):
    assert figures()[name] == FIGURES[name]


def test_every_file_is_recorded():
    assert figures().keys() == FIGURES.keys()
