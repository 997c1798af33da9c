# SPDX-License-Identifier: Apache-2.0
"""What the documents say of tests is so."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PAGE = (ROOT / "docs" / "operations.md").read_text()
TEST = re.compile(r"`(test_\w+)`")


def rows():
    """Of the table of what goes on without a part: its cells as texts."""
    section = PAGE.split("\n### When a part is down\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines[1:]]


def test_every_cell_about_a_part_that_is_down_names_its_test():
    found = rows()
    assert len(found) > 8
    for part, goes_on, does_not, _ in found:
        assert TEST.search(goes_on), part
        assert not does_not or TEST.search(does_not), part


def test_every_test_that_is_named_exists():
    names = {name for row in rows() for name in TEST.findall(" ".join(row))}
    assert len(names) > 5
    for name in names:
        assert (ROOT / "integration" / f"{name}.py").exists(), name
