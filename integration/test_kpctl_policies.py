# SPDX-License-Identifier: Apache-2.0
"""The policies of examples/policies and their cases, as kpctl test judges them:
they hold, together and each by itself, no validation is without a case that notices
if it says nothing, or refuses everything, and no override without one that notices
if it sets nothing, something else, or always."""
import pathlib
import subprocess

import pytest
import yaml

from kproxy_rig import BUILD

ROOT = pathlib.Path(__file__).resolve().parent.parent
KPCTL = BUILD / "bin" / "kpctl"
LIBRARY = ROOT / "examples" / "policies"
FILES = sorted(LIBRARY.glob("*.yaml"))


def judge(*files):
    args = [x for f in files for x in ("-f", str(f))]
    return subprocess.run([KPCTL, "test", "-R", *args], text=True,
                          capture_output=True, timeout=60)


def cases_of(path):
    return LIBRARY / "tests" / path.name


def parts(name):
    """(file, document, index) of all validations or overrides that there are."""
    for path in FILES:
        for d, policy in enumerate(yaml.safe_load_all(path.read_text())):
            for i in range(len(policy["spec"].get(name, ()))):
                yield pytest.param(path, d, i, id=f"{path.stem}-{d}-{i}")


def test_all_policies_together():
    result = judge(LIBRARY)
    assert (result.returncode, result.stderr) == (0, "")
    cases = [yaml.safe_load(cases_of(p).read_text())["cases"] for p in FILES]
    count = sum(map(len, cases))
    assert result.stdout.endswith(f"{count} cases, all as expected\n")
    assert [p.name for p in FILES] == \
        sorted(p.name for p in (LIBRARY / "tests").iterdir())


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_each_file_by_itself(path):
    result = judge(path, cases_of(path))
    assert (result.returncode, result.stderr) == (0, ""), result.stdout
    assert f"`{path.name}`" in (LIBRARY / "README.md").read_text()
    assert "# To adapt: " in path.read_text()


@pytest.mark.parametrize("path, document, validation", parts("validations"))
def test_no_validation_is_without_a_case(tmp_path, path, document, validation):
    for always in ("true", "false"):
        policies = list(yaml.safe_load_all(path.read_text()))
        one = policies[document]["spec"]["validations"][validation]
        if one["expression"] == always:
            continue
        one["expression"] = always
        (tmp_path / "p.yaml").write_text(yaml.safe_dump_all(policies))
        result = judge(tmp_path / "p.yaml", cases_of(path))
        assert (result.returncode, result.stderr) == (1, ""), always


@pytest.mark.parametrize("path, document, index", parts("overrides"))
def test_no_override_is_without_a_case(tmp_path, path, document, index):
    for changed in ({"when": "false"}, {"when": "true"}, {"expression": "'x'"}):
        policies = list(yaml.safe_load_all(path.read_text()))
        one = policies[document]["spec"]["overrides"][index]
        if changed == {"when": one.get("when", "true")}:
            continue
        one.update(changed)
        (tmp_path / "p.yaml").write_text(yaml.safe_dump_all(policies))
        result = judge(tmp_path / "p.yaml", cases_of(path))
        assert (result.returncode, result.stderr) == (1, ""), changed
