#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fails on source files without an SPDX line, on paths of somebody's machine, on
names of package registries (a mirror must do), and on trailing blanks."""

import re

import sources

NEEDS_SPDX = {".c", ".h", ".py", ".sh", ".proto", ".java", ".go", ".js", ".mjs"}
SPDX = "SPDX-License-Identifier: Apache-2.0"
# In pieces, so that this file passes its own check.
FOLDERS = "|".join(["work", "root", "home"])
MACHINE = re.compile(rf"(?<![\w.$}}*~-])/(?:{FOLDERS})/")
REGISTRIES = re.compile(
    "|".join(
        [
            r"registry\." + r"npmjs\.org",
            r"(?:files\.)?pytho" + r"n(?:hosted)?\.org/(?:simple|packages)",
            r"proxy\.golang" + r"\.org",
            r"repo1?\.maven(?:\.apache)?" + r"\.org",
            r"(?:static|index)\.crates" + r"\.io",
            r"deb\.debian" + r"\.org",
        ]
    )
)
BINARY = {".png", ".jar", ".bin", ".p12", ".jks", ".der"}


def needs_spdx(path, text):
    return path.suffix in NEEDS_SPDX or text.startswith("#!")


def faults_of(path, text):
    if needs_spdx(path, text) and SPDX not in "".join(text.splitlines(True)[:3]):
        yield f"{path}:1: no line with {SPDX}"
    for number, line in enumerate(text.splitlines(), 1):
        if MACHINE.search(line):
            yield f"{path}:{number}: path of a machine: {line.strip()[:80]}"
        if REGISTRIES.search(line):
            yield f"{path}:{number}: name of a registry: {line.strip()[:80]}"
        if line != line.rstrip() and path.suffix != ".md":
            yield f"{path}:{number}: trailing blanks"


def main():
    top = sources.root()
    faults, num_files = [], 0
    for path in sources.tracked(top):
        if path.suffix in BINARY or "corpus" in path.parts:
            continue
        num_files += 1
        faults.extend(faults_of(path, (top / path).read_text()))
    sources.finish("check-text", faults, num_files)


main()
