# SPDX-License-Identifier: Apache-2.0
"""Our implementation of CEL against cel-go and @bufbuild/cel, on expressions made by
chance; and what it estimates that they cost against what it counts.

KP_CEL_CONFORMANCE is the program that evaluates: kp_cel_conformance of the build
folder. KP_CEL_SEED and KP_CEL_EXPRESSIONS ask for others, or more. What stays
different and why is in cel/known.go.
"""

import functools
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOLCHAINS = ROOT / "scripts" / "toolchains.sh"


NUMBER = int(os.environ.get("KP_CEL_EXPRESSIONS", "10000"))


@functools.cache
def installed():
    install = ROOT / "tests" / "differential" / "cel" / "install.sh"
    result = subprocess.run(
        [TOOLCHAINS, install], check=True, stdout=subprocess.PIPE, text=True
    )
    return result.stdout.strip()


def compare(*options):
    command = [
        *(TOOLCHAINS, f"{installed()}/compare", *options),
        *("-seed", os.environ.get("KP_CEL_SEED", "1"), "-number", str(NUMBER)),
        *(os.environ["KP_CEL_CONFORMANCE"], "node", f"{installed()}/node/peer.mjs"),
    ]
    result = subprocess.run(
        command, stdout=subprocess.PIPE, text=True, timeout=600 + NUMBER / 20
    )
    assert result.returncode == 0, result.stdout[-5000:]
    return result.stdout


def test_expressions_are_worth_what_they_are_elsewhere():
    assert compare().endswith(" 0 differ\n")


def test_what_is_counted_is_within_what_was_estimated():
    assert compare("-costs").endswith(" 0 wrong\n")
