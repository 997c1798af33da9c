# SPDX-License-Identifier: Apache-2.0
"""What the check scripts share: the tracked files, C text without comments and
literals, and how a check ends."""

import pathlib
import re
import subprocess
import sys

TOKEN = re.compile(
    r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S
)


def root():
    """The tree to check: the first argument, or the one this script is in."""
    if len(sys.argv) > 1:
        return pathlib.Path(sys.argv[1])
    return pathlib.Path(__file__).resolve().parent.parent


def tracked(top, *suffixes):
    """Relative paths of tracked files that exist, with one of the suffixes."""
    command = ["git", "-c", "safe.directory=*", "-C", str(top), "ls-files", "-z"]
    names = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    paths = [pathlib.PurePosixPath(n) for n in names.decode().split("\0") if n]
    return [
        p
        for p in paths
        if (not suffixes or p.suffix in suffixes) and (top / p).is_file()
    ]


def code_only(text):
    """C text with comments and literals blanked; lines keep their numbers."""
    return TOKEN.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def finish(name, faults, num_files, note=""):
    """Prints the faults and exits; a check that saw no file is red."""
    for fault in faults:
        print(fault)
    if num_files == 0:
        faults = ["no files"]
        print(f"{name}: found no files to check")
    if not faults:
        print(f"{name}: {num_files} files are fine{note}")
    sys.exit(1 if faults else 0)
