# SPDX-License-Identifier: Apache-2.0
"""kpctl as one runs it: every exit code, what goes to stdout and what to stderr,
pipes that break, terminals, files that cannot be read, hostile input."""
import json
import os
import pathlib
import pty
import re
import select
import signal
import stat
import subprocess
import threading
import time

import pytest
import yaml

from kproxy_rig import BUILD

ROOT = pathlib.Path(__file__).resolve().parent.parent
KPCTL = BUILD / "bin" / "kpctl"
QUICKSTART = ROOT / "examples" / "quickstart" / "resources"
CLUSTER = """apiVersion: kproxy/v1
kind: Cluster
metadata: {name: orders}
spec: {bootstrap: [broker:9092]}
"""
LISTENER = """apiVersion: kproxy/v1
kind: Listener
metadata: {name: l}
spec:
  bind: 127.0.0.1
  ports: {bootstrap: 19092, first: 19093, count: 2}
"""
VIRTUAL = """apiVersion: kproxy/v1
kind: VirtualCluster
metadata: {name: v}
spec: {cluster: orders, listener: l}
"""
POLICY = """apiVersion: kproxy/v1
kind: Policy
metadata: {name: hygiene}
spec:
  match: {apis: [CreateTopics]}
  validations:
    - {expression: topic.replicationFactor >= 3, message: at least 3}
"""
CASES = """cases:
- name: one is too few
  request: {api: CreateTopics}
  item: {name: t, replicationFactor: 1}
  expect: deny
  message: at least 3
- name: three are fine
  request: {api: CreateTopics}
  item: {name: t, replicationFactor: 3}
  expect: allow
"""
ESCAPE = "\x1b"


@pytest.fixture
def home(tmp_path):
    """A folder to work in, which is also HOME."""
    return tmp_path


def environment(home, **more):
    keep = {k: v for k, v in os.environ.items()
            if k.startswith(("ASAN", "UBSAN", "TSAN", "LSAN"))}
    return {"HOME": str(home), "PATH": f"{KPCTL.parent}:{os.environ['PATH']}",
            "TERM": "xterm", "LANG": "C.UTF-8", **keep, **more}


def run(home, *args, stdin=b"", text=True, **env):
    if text:
        stdin = stdin.decode() if isinstance(stdin, bytes) else stdin
    return subprocess.run([KPCTL, *map(str, args)], input=stdin, text=text,
                          capture_output=True, cwd=home, timeout=180,
                          env=environment(home, **env))


def good(home, *args, **more):
    result = run(home, *args, **more)
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout


def bad(home, code, *args, **more):
    """Ends with code and says why on stderr, and nothing else."""
    result = run(home, *args, **more)
    assert result.returncode == code, result
    assert result.stdout == "" and result.stderr != ""
    return result.stderr


# --- the command line ---------------------------------------------------------

def test_help_is_an_answer(home):
    for args in (["--help"], ["help"], ["help", "validate"], ["config", "-h"],
                 ["validate", "--help"], ["help", "config", "view"]):
        assert good(home, *args).startswith("usage: kpctl")
    assert "exit codes:" in good(home, "--help")
    assert "examples:" in good(home, "validate", "--help")


@pytest.mark.parametrize("args, hint", [
    ([], "a command is missing"),
    (["config"], "a command is missing"),
    (["valdate"], 'did you mean "validate"?'),
    (["config", "veiw"], 'did you mean "view"?'),
    (["help", "valdate"], 'did you mean "validate"?'),
    (["validate"], "--filename FILE is missing"),
    (["validate", "-f"], "--filename needs a value"),
    (["validate", "-f", "x", "--outptu=json"], "did you mean --output?"),
    (["validate", "-f", "x", "-o", "jsn"], 'did you mean "json"?'),
    (["validate", "-f", "x", "-o", "xyzzy"], "must be one of text, json"),
    (["validate", "x", "-f", "y"], 'unexpected argument "x"'),
    (["explain", "a", "b"], 'unexpected argument "b"'),
    (["format", "--diff", "-f", "-"], "--diff takes one file"),
    (["format", "--diff", "-f", QUICKSTART], "--diff takes one file"),
    (["format", "--diff", "-f", "a", "-f", "b"], "--diff takes one file"),
    (["completion"], "bash|zsh|fish is missing"),
    (["completion", "csh"], "there are bash, zsh and fish"),
    (["config", "set-context", "x"], "--server HOST:PORT is missing"),
    (["config", "set-context", "x", "--server=y"], "must be host:port"),
])
def test_usage_ends_with_2_and_a_hint(home, args, hint):
    said = bad(home, 2, *args)
    assert hint in said
    assert said.startswith("kpctl: ")
    assert not (home / ".config" / "kproxy" / "kpctl.yaml").exists()


def test_version(home):
    version = good(home, "version")
    number = re.fullmatch(r"kpctl (\d+\.\d+\.\d+)\n", version).group(1)
    wanted = {"client": {"version": number, "apiVersion": "kproxy/v1"}}
    assert json.loads(good(home, "version", "-o", "json")) == wanted
    assert yaml.safe_load(good(home, "version", "-oyaml")) == wanted


# --- validate -----------------------------------------------------------------

def test_what_is_valid_ends_with_0(home):
    assert good(home, "validate", "-f", QUICKSTART) == \
        "valid: 3 resources in 3 files\n"
    files = [x for f in sorted(QUICKSTART.iterdir()) for x in ("-f", f)]
    assert good(home, "validate", *files) == "valid: 3 resources in 3 files\n"
    assert good(home, "validate", "-f", "-", stdin=CLUSTER) == \
        "valid: 1 resource in 1 file\n"


def test_what_is_refused_ends_with_3_and_every_reason(home):
    (home / "a.yaml").write_text(CLUSTER.replace("bootstrap", "bootstrp"))
    (home / "b.yaml").write_text(VIRTUAL.replace("orders", "oders"))
    said = bad(home, 3, "validate", "-f", home)
    lines = said.splitlines()
    assert re.match(r'.*/a\.yaml:4:8: Cluster "orders": spec: unknown field '
                    r'"bootstrp"; did you mean "bootstrap"\?', lines[0])
    assert 'b.yaml:4:17: VirtualCluster "v": there is no Cluster "oders"; ' \
        'did you mean "orders"?' in said
    assert 'there is no Listener "l"' in said
    assert lines[-1] == "refused: 4 problems"


def test_json_of_problems_is_stable(home):
    (home / "b.yaml").write_text(VIRTUAL.replace("orders", "oders") + "---\n"
                                 + LISTENER + "---\n" + CLUSTER)
    result = run(home, "validate", "-f", "b.yaml", "-o", "json")
    assert (result.returncode, result.stderr) == (3, "")
    assert json.loads(result.stdout) == {
        "valid": False,
        "files": 1,
        "resources": 3,
        "problems": [{
            "file": "b.yaml", "line": 4, "column": 17,
            "kind": "VirtualCluster", "name": "v", "path": "spec.cluster",
            "message": 'there is no Cluster "oders"; did you mean "orders"?',
        }],
        "problemsLeftOut": 0,
    }
    again = run(home, "validate", "-f", "b.yaml", "-o", "yaml")
    assert yaml.safe_load(again.stdout) == json.loads(result.stdout)


def test_what_a_node_refuses_is_refused(home):
    """Word for word what kproxy --check says of the same files."""
    node = home / "node.yaml"
    folder = home / "resources"
    folder.mkdir()
    node.write_text(f"node: n\nadmin: {{listen: '127.0.0.1:1'}}\n"
                    f"control: {{files: {folder}}}\n")
    (folder / "all.yaml").write_text(
        CLUSTER + "---\n" + LISTENER + "---\n" + VIRTUAL + "---\n"
        + VIRTUAL.replace("name: v", "name: w") + "---\n"
        + LISTENER.replace("name: l", "name: m") + "---\n"
        + "kind: Polcy\n---\n" + CLUSTER.replace("broker:9092", "x:y"))
    (folder / "tls.yml").write_text(
        CLUSTER.replace("{name: orders}", "{name: d}").replace(
            "]}", "], tls: {key: {file: k.pem}}}"))
    (folder / ".hidden.yaml").write_text("nonsense")
    (folder / "README.md").write_text("nonsense")
    check = subprocess.run(
        [BUILD / "bin" / "kproxy", "--check", "--config", node],
        capture_output=True, text=True, timeout=60)
    ours = bad(home, 3, "validate", "-f", folder)
    assert check.returncode == 3
    assert check.stderr.splitlines()[:-1] == ours.splitlines()[:-1]
    assert len(ours.splitlines()) > 6


def test_folders_within_folders(home):
    deep = home / "a" / "b"
    deep.mkdir(parents=True)
    (deep / "c.yaml").write_text(CLUSTER)
    (home / "a" / "loop").symlink_to(home / "a")
    said = bad(home, 1, "validate", "-f", "a")
    assert "there is no *.yaml or *.yml in it; -R looks into" in said
    assert good(home, "validate", "-f", "a", "-R") == \
        "valid: 1 resource in 1 file\n"
    assert "a/b/c.yaml" in good(home, "format", "-Rf", "a/", "-o", "wide")


def test_files_that_cannot_be_read_end_with_1(home):
    (home / "good.yaml").write_text(VIRTUAL)
    said = bad(home, 1, "validate", "-f", "missing.yaml", "-f", "good.yaml")
    assert "missing.yaml: could not open: No such file" in said
    # nobody knows what the missing file declares
    assert "there is no Cluster" not in said
    assert said.endswith("not everything was read: 1 problem\n")
    result = run(home, "validate", "-f", "missing.yaml", "-o", "json")
    found = json.loads(result.stdout)
    assert result.returncode == 1 and found["valid"] is False
    assert found["problems"][0]["file"] == "missing.yaml"
    assert found["problems"][0]["line"] == 0


def test_a_file_without_permission_ends_with_1(home):
    (home / "locked.yaml").write_text(CLUSTER)
    (home / "locked.yaml").chmod(0)
    (home / "shut").mkdir(0)
    # root may read everything unless it gives that up
    modest = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    for name, problem in (("locked.yaml", "could not open"),
                          ("shut", "could not read the folder")):
        result = subprocess.run(
            [*(modest if os.geteuid() == 0 else []), KPCTL, "validate", "-f",
             name], capture_output=True, text=True, timeout=60, cwd=home,
            env=environment(home))
        assert result.returncode == 1 and result.stdout == ""
        assert f"{name}: {problem}: Permission denied" in result.stderr


def test_pipes_are_read_to_their_end(home):
    read, write = os.pipe()
    os.write(write, CLUSTER.encode())
    os.close(write)
    result = subprocess.run([KPCTL, "validate", "-f", f"/dev/fd/{read}"],
                            pass_fds=[read], capture_output=True, text=True,
                            timeout=60, env=environment(home))
    os.close(read)
    assert result.stdout == "valid: 1 resource in 1 file\n", result


@pytest.mark.parametrize("content", [
    b"\x00" * 100, b"\xff\xfe\xfa", b"kind: \x1b[2J\n", b"a: &b c\n",
    b"[" * 10000, b"- " * 10000, b"{" * 40 + b"}" * 40, b"%YAML 9.9\n---\n",
    b"kind: " + b"x" * 100000 + b"\n", b"\"" * 99999, b"a: [\n", b"? ",
    CLUSTER.encode().replace(b"name: orders", b"name: \"\\u001b[2J\""),
    b"!!python/object:os.system x\n", b"a: *b\n", b"---\n" * 5000 + b"a",
])
def test_malformed_input_is_refused_and_escaped(home, content):
    (home / "x.yaml").write_bytes(content)
    result = run(home, "validate", "-f", "x.yaml", text=False)
    assert result.returncode == 3 and result.stdout == b""
    assert b"x.yaml:" in result.stderr and len(result.stderr) < 100000
    assert ESCAPE.encode() not in result.stderr
    result = run(home, "validate", "-f", "x.yaml", "-o", "json", text=False)
    assert result.returncode == 3
    assert json.loads(result.stdout)["problems"]


def test_more_than_a_file_may_be_is_not_read(home):
    big = home / "big.yaml"
    with big.open("wb") as f:
        f.truncate(1 << 40)
    assert bad(home, 1, "validate", "-f", "big.yaml").startswith(
        "big.yaml: 1099511627776 bytes are too many\n")
    # an endless stream
    with subprocess.Popen(["yes"], stdout=subprocess.PIPE) as endless:
        result = subprocess.run([KPCTL, "validate", "-f", "-"],
                                stdin=endless.stdout, capture_output=True,
                                text=True, timeout=60, env=environment(home))
        endless.kill()
    assert result.returncode == 1
    assert "more than 8388608 bytes are too many" in result.stderr


def test_many_problems_are_counted(home):
    (home / "x.yaml").write_text("kind: X\n---\n" * 3000)
    result = run(home, "validate", "-f", "x.yaml", "-o", "json")
    found = json.loads(result.stdout)
    assert len(found["problems"]) + found["problemsLeftOut"] == 3000
    assert found["problemsLeftOut"] > 2000
    assert "refused: 3000 problems" in bad(home, 3, "validate", "-f", "x.yaml")


def test_a_name_of_a_file_is_escaped(home):
    name = f"a{ESCAPE}[2J\n.yaml"
    (home / name).write_text("kind: X\n")
    said = bad(home, 3, "validate", "-f", home)
    assert ESCAPE not in said and "\\x1b[2J\\x0a.yaml:1:7" in said
    found = json.loads(run(home, "validate", "-f", home, "-ojson").stdout)
    assert found["problems"][0]["file"] == f"{home}/{name}"


# --- test ---------------------------------------------------------------------

@pytest.fixture
def policies(home):
    (home / "p.yaml").write_text(POLICY)
    (home / "c.yaml").write_text(CASES)
    return home


def test_cases_that_come_as_expected_end_with_0(policies):
    said = ("ok    c.yaml:2: one is too few\n"
            "ok    c.yaml:7: three are fine\n"
            "2 cases, all as expected\n")
    assert good(policies, "test", "-f", "p.yaml", "-f", "c.yaml") == said
    assert good(policies, "test", "-f", "c.yaml", "-f", "p.yaml") == said
    assert good(policies, "test", "-f", ".") == \
        said.replace("c.yaml", "./c.yaml")
    assert good(policies, "test", "-f", "p.yaml", "-f", "-", stdin=CASES) == \
        said.replace("c.yaml", "<stdin>")


def test_a_case_that_does_not_ends_with_1(policies):
    (policies / "c.yaml").write_text(
        CASES.replace("replicationFactor: 3", "replicationFactor: 2").replace(
            "at least 3", "at least 4\n  policies: [hygiene, other]"))
    result = run(policies, "test", "-f", "p.yaml", "-f", "c.yaml")
    assert (result.returncode, result.stderr) == (1, "")
    assert result.stdout == """FAIL  c.yaml:2: one is too few
      expected to say something: hygiene, other, and nobody else
      expected to be said: at least 4
      deny policy "hygiene": at least 3
FAIL  c.yaml:8: three are fine
      expected allow, found deny
      deny policy "hygiene": at least 3
2 cases, 2 not as expected
"""


def test_json_of_cases_is_stable(policies):
    (policies / "c.yaml").write_text(CASES.replace("expect: allow",
                                                   "expect: warn"))
    result = run(policies, "test", "-f", ".", "-o", "json")
    assert (result.returncode, result.stderr) == (1, "")
    assert json.loads(result.stdout) == {
        "ok": False, "numCases": 2, "numFailed": 1,
        "cases": [
            {"file": "./c.yaml", "line": 2, "name": "one is too few",
             "ok": True, "expected": "deny", "found": "deny",
             "notAsExpected": [],
             "findings": [{"policy": "hygiene", "action": "deny",
                           "evaluated": True, "message": "at least 3"}],
             "overrides": []},
            {"file": "./c.yaml", "line": 7, "name": "three are fine",
             "ok": False, "expected": "warn", "found": "allow",
             "notAsExpected": ["expect"], "findings": [], "overrides": []}],
        "problems": [], "problemsLeftOut": 0,
    }
    again = run(policies, "test", "-f", ".", "-o", "yaml")
    assert yaml.safe_load(again.stdout) == json.loads(result.stdout)


def test_cases_say_what_is_set(home):
    (home / "p.yaml").write_text("""apiVersion: kproxy/v1
kind: Policy
metadata: {name: setting}
spec:
  match: {apis: [CreateTopics]}
  overrides:
    - {field: topic.partitions, expression: "6"}
    - {field: "topic.configs['a']", expression: "'b'"}
""")
    (home / "c.yaml").write_text("".join(
        ["cases:\n"] + [f"""- name: {name}
  request: {{api: CreateTopics}}
  item: {{name: t, partitions: 3}}
  expect: allow
  overrides: {{{expected}}}
""" for name, expected in (
            ("all of it", "topic.partitions: 6, \"topic.configs['a']\": b"),
            ("another value", "topic.partitions: 7, \"topic.configs['a']\": b"),
            ("not enough", "topic.partitions: 6"), ("nothing", ""))]))
    result = run(home, "test", "-f", ".")
    made = """      set  policy "setting": topic.partitions: 6, was 3
      set  policy "setting": topic.configs['a']: b
"""
    assert (result.returncode, result.stderr) == (1, "")
    assert result.stdout == f"""ok    ./c.yaml:2: all of it
FAIL  ./c.yaml:7: another value
      expected to be set: topic.partitions: 7, topic.configs['a']: b, and nothing else
{made}FAIL  ./c.yaml:12: not enough
      expected to be set: topic.partitions: 6, and nothing else
{made}FAIL  ./c.yaml:17: nothing
      expected to be set: nothing
{made}4 cases, 3 not as expected
"""
    said = json.loads(run(home, "test", "-f", ".", "-o", "json").stdout)
    assert said["cases"][1]["notAsExpected"] == ["overrides"]
    assert said["cases"][1]["overrides"] == [
        {"policy": "setting", "field": "topic.partitions", "before": "3",
         "value": "6"},
        {"policy": "setting", "field": "topic.configs['a']", "before": "",
         "value": "b"}]


@pytest.mark.parametrize("text, problem", [
    (CASES.replace("name: t,", "nme: t,"), "c.yaml:4:10: cases[0].item: "
     'unknown field "nme"; did you mean "name"?'),
    (CASES.replace("deny", "refuse"), "c.yaml:5:11: cases[0].expect: must "
     'be one of "allow", "warn", "deny", not "refuse"'),
    ("cases: [\n", "c.yaml:2:1: "),
    (POLICY.replace("hygiene", "other"), "no file that is named has cases"),
])
def test_wrong_cases_end_with_3(policies, text, problem):
    (policies / "c.yaml").write_text(text)
    assert problem in bad(policies, 3, "test", "-f", "p.yaml", "-f", "c.yaml")
    result = run(policies, "test", "-f", ".", "-o", "json")
    said = json.loads(result.stdout)
    assert (result.returncode, result.stderr) == (3, "")
    assert not said["ok"] and said["cases"] == [] and said["problems"]


def test_nothing_is_tested_with_wrong_policies(policies):
    """A case that nobody judges would be a test that cannot fail."""
    files = ["-f", "p.yaml", "-f", "c.yaml"]
    assert "no file that is named has a Policy" in \
        bad(policies, 3, "test", "-f", "c.yaml")
    assert "nix.yaml: could not open" in \
        bad(policies, 3, "test", *files, "-f", "nix.yaml")
    (policies / "p.yaml").write_text(POLICY.replace("topic.rep", "topic.req"))
    said = bad(policies, 3, "test", *files)
    assert said.startswith("p.yaml:7:20: Policy \"hygiene\": ")
    assert said.endswith("kpctl: nothing was tested: 1 problem\n")


def test_no_server_takes_cases(policies):
    said = bad(policies, 3, "validate", "-f", "c.yaml")
    assert '"kind" is missing' in said


# --- format -------------------------------------------------------------------

AWKWARD = ["", "~", "null", "yes", "Off", "y", "=", "<<", "1", "0x1f", "0o7",
           "1_0", "1e3", ".5", "-.inf", ".NaN", "1:30", "12:30:45.5", "1.0",
           "2001-12-14", "2001-12-14T21:59:43Z", "a: b", "a #b", "- a", "*a",
           "&a", "!a", "%a", "@a", "`a", "{a}", "[a]", "'a'", '"a"', " a ",
           "a\nb\n", "\t", "\\", "\x07", "\u0085", "\u2028", "\ufeff", "ä",
           "\U0001f9c0", "a,b", "# a", "a:", ":a", "?", "-", "---", "..."]


def test_other_readers_read_the_same(home):
    """Our YAML and our JSON, read by PyYAML and by Python's json."""
    wanted = {
        "apiVersion": "kproxy/v1", "kind": "Cluster",
        "metadata": {"name": "c", "annotations": {
            f"k{i}{x}": x for i, x in enumerate(AWKWARD)}},
        "spec": {"bootstrap": ["[::1]:9092", "10.0.0.1:30", "b:1"]},
    }
    for i, x in enumerate(AWKWARD[1:]):
        wanted["metadata"]["annotations"][x] = str(i)
    text = yaml.safe_dump(wanted)
    for _ in range(2):
        (home / "c.yaml").write_text(text)
        assert yaml.safe_load(good(home, "format", "-f", "c.yaml")) == wanted
        text = good(home, "format", "-f", "c.yaml", "-o", "json")
        assert json.loads(text) == wanted


def test_forms_of_resources(home):
    args = ["format", "-f", QUICKSTART]
    text = good(home, *args)
    assert good(home, "format", "-f", "-", stdin=text) == text
    kinds = [x["kind"] for x in yaml.safe_load_all(text)]
    listed = json.loads(good(home, *args, "-o", "json"))
    assert listed["kind"] == "List"
    assert [x["kind"] for x in listed["items"]] == kinds
    assert good(home, *args, "-o", "name").splitlines() == \
        [f"{x}/local" for x in kinds]
    rows = good(home, *args, "-o", "table").splitlines()
    assert rows[0].split() == ["KIND", "NAME"]
    assert [x.split() for x in rows[1:]] == [[x, "local"] for x in kinds]
    wide = good(home, *args, "-o", "wide")
    assert "FILE" in wide and "cluster.yaml" in wide


def test_format_refuses_what_has_no_form(home):
    assert "x.yaml:1:7" in bad(home, 3, "format", "-f", "-", stdin="kind: X\n"
                               ).replace("<stdin>", "x.yaml")
    assert "could not open" in bad(home, 1, "format", "-f", "missing")


def test_diff_ends_with_1_if_there_is_one(home):
    path = home / "c.yaml"
    path.write_text(CLUSTER)
    result = run(home, "format", "--diff", "-f", "c.yaml")
    assert (result.returncode, result.stderr) == (1, "")
    assert result.stdout.startswith("--- c.yaml\n+++ c.yaml\n@@ -1,4 +1,")
    assert ESCAPE not in result.stdout
    subprocess.run(["git", "apply", "-p0", "-"], input=result.stdout,
                   text=True, check=True, cwd=home)
    assert good(home, "format", "--diff", "-f", "c.yaml") == ""
    assert path.read_text() == good(home, "format", "-f", "c.yaml")


def test_an_answer_that_is_too_long_is_a_failure(home):
    """Each control character becomes six letters."""
    text = "\\x01" * 4000
    notes = "".join(f"    k{i}: \"{text}\"\n" for i in range(500))
    for i in range(6):
        (home / f"{i}.yaml").write_text(
            CLUSTER.replace("{name: orders}",
                            f"\n  name: c{i}\n  annotations:\n{notes}"))
    said = bad(home, 1, "format", "-f", home)
    assert said == "kpctl: the answer is longer than 64 MiB\n"


# --- explain ------------------------------------------------------------------

def test_explain(home):
    kinds = good(home, "explain")
    assert "Cluster\n" in kinds and "node\n" in kinds
    field = good(home, "explain", "Listener.ports.first")
    for part in ("<integer, 1 to 65535>", "DESCRIPTION", "EXAMPLE",
                 "first: 19093"):
        assert part in field
    tree = good(home, "explain", "node", "--recursive")
    assert "  limits\t<object>\n    connections\t<integer" in tree
    assert 'did you mean "Listener"?' in bad(home, 1, "explain", "Lisener")
    assert 'did you mean "ports"?' in bad(home, 1, "explain", "Listener.prots")
    for path in (".", "..", "Listener.", "Listener..", "." * 5000, "%s%n",
                 "Listener." + "x" * 5000):
        assert run(home, "explain", path).returncode in (0, 1)


# --- config -------------------------------------------------------------------

SET = ["config", "set-context", "prod", "--server=kp-1:9190",
       "--server=[::1]:9190", "--ca=ca.pem", "--key=/keys/me.key"]


def config_file(home):
    return home / ".config" / "kproxy" / "kpctl.yaml"


def test_a_context_from_nothing_to_nothing(home):
    assert "no contexts in" in run(home, "config", "get-contexts").stderr
    assert "no context is current" in bad(home, 1, "config", "current-context")
    assert good(home, *SET) == 'context "prod" set\n'
    path = config_file(home)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert yaml.safe_load(path.read_text()) == {"contexts": [{
        "name": "prod", "server": {
            "addresses": ["kp-1:9190", "[::1]:9190"],
            "ca": f"{home}/ca.pem", "key": "/keys/me.key"}}]}
    assert 'did you mean "prod"?' in bad(home, 1, "config", "use-context",
                                         "prd")
    good(home, "config", "use-context", "prod")
    assert good(home, "config", "current-context") == "prod\n"
    good(home, "config", "set-context", "test", "--server", "t:1")
    good(home, "config", "set-context", "prod", "--key=", "--certificate=/c")
    view = json.loads(good(home, "config", "view", "-o", "json"))
    assert view["currentContext"] == "prod"
    assert view["contexts"][0]["server"] == {
        "addresses": ["kp-1:9190", "[::1]:9190"],
        "ca": f"{home}/ca.pem", "certificate": "/c"}
    assert good(home, "config", "view") == path.read_text()
    rows = good(home, "config", "get-contexts").splitlines()
    assert rows[1].split() == ["*", "prod", "kp-1:9190,[::1]:9190"]
    assert rows[2].split() == ["test", "t:1"]
    assert good(home, "config", "get-contexts", "-o", "name") == "prod\ntest\n"
    assert good(home, "config", "get-contexts", "test", "-oname") == "test\n"
    assert "there is no context" in bad(home, 1, "config", "get-contexts", "x")
    assert "CERTIFICATE" in good(home, "config", "get-contexts", "-o", "wide")
    good(home, "config", "delete-context", "prod")
    bad(home, 1, "config", "delete-context", "prod")
    bad(home, 1, "config", "current-context")
    good(home, "config", "delete-context", "test")
    assert yaml.safe_load(path.read_text()) == {"contexts": []}
    assert [x.name for x in path.parent.iterdir()] == ["kpctl.yaml"]


def test_which_file_is_used(home):
    good(home, *SET, KPCTL_CONFIG=str(home / "e.yaml"))
    good(home, "--kpctl-config", "f.yaml", *SET,
         KPCTL_CONFIG=str(home / "e2.yaml"))
    assert (home / "e.yaml").exists() and (home / "f.yaml").exists()
    assert not (home / "e2.yaml").exists() and not config_file(home).exists()
    assert "HOME is not set" in bad(home, 1, "config", "view", HOME="")


def test_a_file_of_contexts_that_is_wrong_is_refused_and_kept(home):
    path = home / "c.yaml"
    for text, problem in (
            ("contxts: []\n", 'did you mean "contexts"?'),
            ("contexts: [{name: a}]\n", '"server" is missing'),
            ("a: [", "c.yaml:"),
            ("contexts: []\n---\nx: y\n", "one YAML document"),
            ("contexts:\n" + "- {name: a, server: {addresses: [b:1]}}\n" * 2,
             'two contexts "a"')):
        path.write_text(text)
        for command in (["view"], ["get-contexts"], ["current-context"],
                        ["use-context", "a"],
                        ["set-context", "a", "--server=a:1"],
                        ["delete-context", "a"]):
            said = bad(home, 3, "config", *command, KPCTL_CONFIG=str(path))
            assert problem in said
        assert path.read_text() == text


def test_a_file_of_contexts_that_cannot_be_read(home):
    (home / "c.yaml").mkdir()
    for command in (["view"], SET[1:]):
        said = bad(home, 3, "--kpctl-config", "c.yaml", "config", *command)
        assert said == "c.yaml: not a file\n"


def test_a_name_that_could_not_be_read_again_is_not_written(home):
    for name in ("", "x" * 300):
        said = bad(home, 1, "config", "set-context", name, "--server=a:1")
        assert "contexts[0].name" in said
    assert not config_file(home).exists()
    good(home, "config", "set-context", "a: #\n\x1b", "--server=a:1")
    assert good(home, "config", "get-contexts", "-oname") == "a: #\n\x1b\n"
    assert ESCAPE not in good(home, "config", "get-contexts")


def test_a_link_stays_a_link(home):
    real = home / "real.yaml"
    real.write_text("contexts: []\n")
    link = home / "link.yaml"
    link.symlink_to(real)
    good(home, "--kpctl-config", link, *SET)
    assert link.is_symlink() and "prod" in real.read_text()


def test_where_it_cannot_be_written(home):
    (home / "file").write_text("")
    for path in ("file/x.yaml", "/proc/kpctl/x.yaml"):
        said = bad(home, 1, "--kpctl-config", path, *SET)
        assert said.startswith(f"kpctl: {path}: could not")


def test_many_at_once_lose_nothing(home):
    def add(i):
        while True:
            done = run(home, "config", "set-context", f"c{i}",
                       f"--server=h:{i + 1}")
            # each gives up after a while, which is no loss, for who is told
            if "another program has been changing it" not in done.stderr:
                break
        said.append((done.returncode, done.stderr))
    said = []
    threads = [threading.Thread(target=add, args=(i,)) for i in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said == 20 * [(0, "")]
    names = good(home, "config", "get-contexts", "-o", "name").split()
    assert sorted(names) == sorted(f"c{i}" for i in range(20))


# --- where the answer goes ----------------------------------------------------

@pytest.mark.parametrize("args", [
    ["--help"], ["version"], ["explain"], ["completion", "bash"],
    ["format", "-f", QUICKSTART], ["validate", "-f", QUICKSTART],
    ["validate", "-f", QUICKSTART, "-o", "json"],
    ["explain", "node", "-R"], ["__complete", "--", ""]])
def test_an_answer_that_cannot_be_written_is_a_failure(home, args):
    with open("/dev/full", "wb") as full:
        result = subprocess.run([KPCTL, *args], stdout=full, text=True,
                                stderr=subprocess.PIPE, timeout=60,
                                env=environment(home))
    assert result.returncode == 1
    assert result.stderr == ("kpctl: could not write the answer: "
                             "No space left on device\n")


def test_a_reader_that_goes_away(home):
    for is_ignored in (False, True):
        def ignore():
            signal.signal(signal.SIGPIPE, signal.SIG_IGN if is_ignored
                          else signal.SIG_DFL)
        read, write = os.pipe()
        os.close(read)
        result = subprocess.run(
            [KPCTL, "explain", "node", "-R"], stdout=write, text=True,
            stderr=subprocess.PIPE, timeout=60, preexec_fn=ignore,
            restore_signals=False, env=environment(home))
        os.close(write)
        if is_ignored:
            assert result.returncode == 1
            assert "Broken pipe" in result.stderr
        else:
            assert result.returncode == -signal.SIGPIPE
            assert result.stderr == ""


def test_closed_descriptors(home):
    result = subprocess.run(
        ["sh", "-c", f"{KPCTL} version >&- 2>&-"], timeout=60,
        env=environment(home))
    assert result.returncode == 1
    result = subprocess.run(
        ["sh", "-c", f"{KPCTL} validate -f - <&-"], timeout=60, text=True,
        capture_output=True, env=environment(home))
    assert result.returncode == 1 and "Bad file descriptor" in result.stderr


def on_terminal(home, *args, **env):
    """Output of a run whose stdout and stderr are a terminal."""
    master, slave = pty.openpty()
    process = subprocess.Popen([KPCTL, *args], stdin=subprocess.DEVNULL,
                               stdout=slave, stderr=slave, cwd=home,
                               env=environment(home, **env))
    os.close(slave)
    text, deadline = b"", time.monotonic() + 60
    while time.monotonic() < deadline:
        if not select.select([master], [], [], 1)[0]:
            continue
        try:
            more = os.read(master, 65536)
        except OSError:
            break
        if not more:
            break
        text += more
    os.close(master)
    process.wait(60)
    return text.decode()


def test_colors_are_for_terminals(home):
    (home / "c.yaml").write_text(CLUSTER)
    args = ["format", "--diff", "-f", "c.yaml"]
    assert ESCAPE in on_terminal(home, *args)
    assert ESCAPE not in on_terminal(home, *args, NO_COLOR="1")
    assert ESCAPE in on_terminal(home, *args, NO_COLOR="")
    assert ESCAPE not in on_terminal(home, *args, TERM="dumb")
    assert ESCAPE not in run(home, *args).stdout
    assert f"{ESCAPE}[31mrefused" in on_terminal(home, "validate", "-f", "-")\
        or "valid: 0" in on_terminal(home, "validate", "-f", "-")


# --- documentation ------------------------------------------------------------

@pytest.mark.parametrize("page", ["kpctl.1", "kproxy.yaml.5", "kproxy.1",
                                  "kpagent.8", "kpserver.8"])
def test_manual_pages_are_well_formed(page):
    path = BUILD / "man" / page
    result = subprocess.run(["groff", "-ww", "-man", "-Tutf8", path],
                            capture_output=True, text=True, timeout=60)
    assert (result.returncode, result.stderr) == (0, "")
    shown = re.sub("\x1b\\[[0-9;]*m|.\b", "", result.stdout)
    for word in {"kpctl.1": ["kpctl config set-context NAME", "--recursive",
                             "EXIT STATUS", "KPCTL_CONFIG",
                             "kpctl rollback -t NUMBER"],
                 "kproxy.1": ["kproxy --check --config FILE", "SIGNALS",
                              "       -t, --check\n", "EXAMPLES"],
                 "kpagent.8": ["kpagent --check --config FILE"],
                 "kpserver.8": ["kpserver init DIR", "       --restored\n"],
                 "kproxy.yaml.5": ["limits.memory <size", "stateDir <path>",
                                   "node: edge-1"]}[page]:
        assert word in shown


def commands_of(page):
    """(command, what it prints) of each block ```console of a page."""
    for block in re.findall(r"^```console\n(.*?)^```", page, re.S | re.M):
        for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, _, output = part.partition("\n")
            yield command, output


def test_the_page_about_kpctl_shows_what_happens(home):
    """Every command of docs/kpctl.md, one after the other in one folder. Those
    that need a server are run in test_kpctl_server.py."""
    page = (ROOT / "docs" / "kpctl.md").read_text()
    page, with_server = page.split("\n## With a server\n")
    page += with_server[with_server.index("\n## "):]
    for name, text in re.findall(r"^`(\S+)`:\n\n```yaml\n(.*?)^```", page,
                                 re.S | re.M):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text)
    number = 0
    for number, (command, output) in enumerate(commands_of(page), 1):
        result = subprocess.run(["bash", "-c", command], cwd=home, text=True,
                                stdout=subprocess.PIPE, timeout=60,
                                stderr=subprocess.STDOUT,
                                env=environment(home))
        shown = result.stdout.replace(str(home), "/srv/ops")
        if output.endswith("...\n"):
            shown = shown[:len(output) - 4] + "...\n"
        assert shown == output, command
    assert number > 12


def examples_of(home):
    """Every example that the help of any command gives."""
    listed = good(home, "--help").split("commands:\n")[1].split("\n\n")[0]
    for name in [x.split()[0] for x in listed.splitlines()]:
        shown = good(home, "help", name)
        # those that talk to a server are run in test_kpctl_server.py
        if "--context NAME" in shown and name not in ("validate", "version"):
            continue
        for command in re.findall(r"^  (?!#)(\S.*kpctl .*|kpctl .*)$",
                                  shown.partition("examples:\n")[2], re.M):
            yield command


def test_the_examples_of_help_work(home):
    (home / "resources").mkdir()
    for path in QUICKSTART.iterdir():
        (home / "resources" / path.name).write_text(path.read_text())
    (home / "policies").mkdir()
    (home / "policies" / "hygiene.yaml").write_text(POLICY)
    for folder in (home / "tests", home / "policies" / "tests"):
        folder.mkdir()
        (folder / "topic-hygiene.yaml").write_text(CASES)
    (home / ".config" / "fish" / "completions").mkdir(parents=True)
    commands = list(examples_of(home))
    commands += re.findall(r"^  (kpctl .*)$",
                           good(home, "config", "set-context", "-h"), re.M)
    for command in commands:
        result = subprocess.run(["bash", "-c", command], cwd=home, text=True,
                                capture_output=True, timeout=60,
                                env=environment(home))
        wanted = 1 if "--diff" in command else 0
        assert (result.returncode, result.stderr) == (wanted, ""), command
    assert len(commands) > 12


# --- completion ---------------------------------------------------------------

def bash_completes(home, line):
    script = """
        source <(kpctl completion bash)
        read -ra COMP_WORDS <<<"$1"
        case $1 in *' ') COMP_WORDS+=('') ;; esac
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        _kpctl
        printf '%s\\n' "${COMPREPLY[@]}"
    """
    return subprocess.run(["bash", "-c", script, "bash", line], cwd=home,
                          capture_output=True, text=True, check=True,
                          timeout=60, env=environment(home)).stdout.split("\n")


def zsh_completes(home, line):
    script = """
        compdef() { :; }
        _describe() { print -rl -- ${(@P)4%%:*}; }
        _files() { print -rl -- ${words[CURRENT]}*(N); }
        source <(kpctl completion zsh)
        words=(${(s: :)1}); [[ $1 != *' ' ]] || words+=('')
        CURRENT=$#words
        _kpctl
    """
    return subprocess.run(["zsh", "-fc", script, "zsh", line], cwd=home,
                          capture_output=True, text=True, check=True,
                          timeout=60, env=environment(home)).stdout.split("\n")


def fish_completes(home, line):
    script = "kpctl completion fish | source; complete -C $argv[1]"
    out = subprocess.run(["fish", "--no-config", "-c", script, line], cwd=home,
                         capture_output=True, text=True, check=True,
                         timeout=60, env=environment(home)).stdout
    return [x.split("\t")[0] for x in out.split("\n")]


@pytest.mark.parametrize("completes", [bash_completes, zsh_completes,
                                       fish_completes])
def test_shells_complete(home, completes):
    good(home, *SET)
    (home / "some file.yaml").write_text(CLUSTER)
    for line, wanted, unwanted in (
            ("kpctl val", "validate", "version"),
            ("kpctl config use-context ", "prod", "validate"),
            ("kpctl explain Lis", "Listener", "Cluster"),
            ("kpctl explain Listener.spec.b", "Listener.spec.bind",
             "Listener.spec.tls"),
            ("kpctl validate --rec", "--recursive", "--output"),
            ("kpctl validate -o j", "json", "yaml"),
            ("kpctl validate -f so", "some file.yaml", "validate")):
        found = completes(home, line)
        assert wanted in found, (line, found)
        assert unwanted not in found, (line, found)
    if completes is not bash_completes:
        assert "--output=json" in completes(home, "kpctl validate --output=j")


def test_nothing_is_said_to_a_shell_when_something_is_wrong(home):
    config_file(home).parent.mkdir(parents=True)
    config_file(home).write_text("nonsense: [")
    for words in (["config", "use-context", ""], ["nothing", "x", ""],
                  ["validate", "--nothing", ""], [], [""], ["--", "", "--"]):
        result = run(home, "__complete", "--", *words)
        assert (result.returncode, result.stderr) == (0, "")
        assert result.stdout.splitlines()[-1] in (":none", ":files",
                                                  ":nospace")
