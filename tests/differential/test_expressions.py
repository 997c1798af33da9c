# SPDX-License-Identifier: Apache-2.0
"""Our implementation of CEL against cel-go and @bufbuild/cel, on expressions made by
chance.

KP_CEL_CONFORMANCE is the program that evaluates: kp_cel_conformance of the build
folder. KP_CEL_SEED and KP_CEL_EXPRESSIONS ask for others, or more. What stays
different and why is in cel/known.go.
"""

import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOLCHAINS = ROOT / "scripts" / "toolchains.sh"


def test_expressions_are_worth_what_they_are_elsewhere():
    installed = subprocess.run(
        [TOOLCHAINS, ROOT / "tests" / "differential" / "cel" / "install.sh"],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout.strip()
    number = int(os.environ.get("KP_CEL_EXPRESSIONS", "10000"))
    command = [
        *(TOOLCHAINS, f"{installed}/compare"),
        *("-seed", os.environ.get("KP_CEL_SEED", "1"), "-number", str(number)),
        *(os.environ["KP_CEL_CONFORMANCE"], "node", f"{installed}/node/peer.mjs"),
    ]
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=600 + number / 20)
    assert result.returncode == 0, result.stdout[-5000:]
    assert result.stdout.endswith(" 0 differ\n")
