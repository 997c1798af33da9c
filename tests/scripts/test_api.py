# SPDX-License-Identifier: Apache-2.0
"""check-api.py: the public interface of the policy server, its release record
and its page."""

import pathlib
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CHECK = ROOT / "scripts/check-api.py"
FILES = [
    "docs/api.md",
    "proto/control/health.proto",
    "proto/control/released.txt",
    "proto/control/v1/nodes.proto",
    "proto/control/v1/resources.proto",
    "proto/control/v1/types.proto",
]
RESOURCES = "proto/control/v1/resources.proto"


@pytest.fixture
def tree(tmp_path):
    """The interface as it is now, released."""
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    run(tmp_path, "--release")
    return tmp_path


def run(tree, *arguments):
    return subprocess.run(
        [CHECK, *arguments, tree],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def change(tree, name, before, after):
    path = tree / name
    text = path.read_text()
    assert text.count(before) == 1
    path.write_text(text.replace(before, after))


def test_interface_as_it_is(tree):
    result = run(tree)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    "before, after, complaint",
    [
        ("  bool dry_run = 4;\n  // Why", "  // Why", "now: nothing"),
        ("bytes text = 2;", "string text = 2;", "now: message"),
        ("bytes text = 2;", "bytes text = 3;", "released: message"),
        ("bytes text = 2;", "bytes content = 2;", "now: nothing"),
        ("repeated Difference differences = 3;", "Difference differences = 3;", "now: m"),
        ("returns (stream WatchResponse)", "returns (WatchResponse)", "now: service"),
        ("bytes text = 2;", "bytes text = 2;\n  bytes more = 2;", "its number is"),
        ("bytes text = 2;", "optional bytes text = 2;", "not understood"),
    ],
)
def test_break_of_what_was_released_is_red(tree, before, after, complaint):
    change(tree, RESOURCES, before, after)
    result = run(tree)
    assert result.returncode == 1
    assert complaint in result.stdout


def test_what_is_new_may_come_and_is_kept_from_then_on(tree):
    change(tree, RESOURCES, "bytes text = 2;", "bytes text = 2;\n  bool more = 3;")
    result = run(tree)
    assert "released:" not in result.stdout
    assert "is not what the proto files say" in result.stdout
    run(tree, "--release")
    change(tree, RESOURCES, "bool more = 3;", "bytes more = 3;")
    assert "released: message kproxy.control.v1.File.more" in run(tree).stdout
