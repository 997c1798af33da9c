# SPDX-License-Identifier: Apache-2.0
"""Our regular expressions against Go's, on patterns and texts made by chance.

KP_REGEX_ANSWERS is kp_regex_answers of the build folder, KP_REGEX_SEED and
KP_REGEX_PATTERNS ask for others, or more.
"""

import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_matches_are_those_of_go():
    command = [
        *(ROOT / "scripts" / "toolchains.sh", "go", "run"),
        *(ROOT / "tests" / "differential" / "regex.go", os.environ["KP_REGEX_ANSWERS"]),
        os.environ.get("KP_REGEX_SEED", "1"),
        os.environ.get("KP_REGEX_PATTERNS", "20000"),
    ]
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=600)
    assert result.returncode == 0, result.stdout[-5000:]
    assert " 0 differ" in result.stdout
