# SPDX-License-Identifier: Apache-2.0
"""Each check of scripts/ is red on a planted fault and green without it."""

import pathlib
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SCRIPTS = ROOT / "scripts"
SPDX = "/* SPDX-License-Identifier: Apache-2.0 */\n"


def function(num_lines, name="f"):
    body = "\tx++;\n" * num_lines
    return f"void\n{name}(void)\n{{\n{body}}}\n"


# A small tree that no check has anything against.
GOOD = {
    "base/a.h": SPDX + "int kp_a(void);\n",
    "base/a.c": SPDX + '#include "base/a.h"\n\n' + function(3),
    "base/mutex.h": SPDX,
    "proto/kafka/b.h": SPDX + '#include "base/a.h"\n',
    "rules/c.h": SPDX + '#include "proto/kafka/b.h"\n',
    "proxy/net/d.h": SPDX + "#include <openssl/ssl.h>\n#include <poll.h>\n",
    "proxy/session/e.h": SPDX + '#include "proxy/net/d.h"\n',
    "control/rpc/r.h": SPDX + '#include "base/a.h"\n#include <grpc/grpc.h>\n',
    "control/agent/f.h": SPDX + '#include "rules/c.h"\n#include "control/rpc/r.h"\n',
    "bench/h.c": SPDX + '#include "proto/kafka/b.h"\n#include <openssl/ssl.h>\n',
    "tests/g.c": SPDX + '#include "control/agent/f.h"\n#include "proxy/net/d.h"\n',
    "docs/h.md": "A document  \nwith a line break.\n",
}


def run(check, tree, tmp_path, *arguments):
    for name, text in tree.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    subprocess.run(["git", "-C", tmp_path, "add", "-A"], check=True)
    return subprocess.run(
        [SCRIPTS / check, *(arguments or [tmp_path])],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.parametrize(
    "check", ["check-layers.py", "check-banned.py", "check-sizes.py", "check-text.py"]
)
def test_good_tree_is_green_and_empty_tree_is_red(check, tmp_path):
    result = run(check, GOOD, tmp_path / "good")
    assert result.returncode == 0, result.stdout
    assert "files are fine" in result.stdout
    assert run(check, {}, tmp_path / "empty").returncode == 1


FAULTS = [
    # check, file, its content, what the check says
    ("check-layers.py", "base/x.h", '#include "proto/kafka/b.h"', "may not include"),
    ("check-layers.py", "base/x.h", '#  include "rules/c.h"', "may not include"),
    ("check-layers.py", "proto/kafka/x.h", '#include "rules/c.h"', "may not include"),
    ("check-layers.py", "rules/x.h", '#include "proxy/net/d.h"', "may not include"),
    ("check-layers.py", "proxy/x.h", '#include "control/agent/f.h"', "may not include"),
    ("check-layers.py", "proxy/x.h", '#include "kms/k.h"', "may not include"),
    ("check-layers.py", "control/server/x.h", '#include "kms/k.h"', "may not include"),
    ("check-layers.py", "control/rpc/x.h", '#include "rules/c.h"', "may not include"),
    ("check-layers.py", "control/rpc/x.h", '#include "control/agent/f.h"', "may not"),
    ("check-layers.py", "control/agent/x.h", "#include <grpc/grpc.h>", "only control"),
    ("check-layers.py", "control/server/x.h", '#include "control/agent/f.h"', "may not"),
    ("check-layers.py", "rules/x.h", '#include "control/rpc/r.h"', "may not include"),
    ("check-layers.py", "cli/x.h", '#include "control/agent/f.h"', "may not include"),
    ("check-layers.py", "cli/x.h", '#include "proxy/net/d.h"', "may not include"),
    ("check-layers.py", "base/x.h", '#include "tests/g.h"', "may not include"),
    ("check-layers.py", "bench/x.c", '#include "proxy/net/d.h"', "may not include"),
    ("check-layers.py", "proxy/x.h", '#include "bench/h.h"', "may not include"),
    ("check-layers.py", "proto/kafka/x.h", "#include <pthread.h>", "no I/O"),
    ("check-layers.py", "rules/x.c", "#include <sys/socket.h>", "no I/O"),
    ("check-layers.py", "rules/x.c", '#include "base/mutex.h"', "no I/O"),
    ("check-layers.py", "rules/x.c", "#include <openssl/ssl.h>", "only proxy, kms"),
    ("check-layers.py", "proxy/net/x.h", '#include "proxy/session/e.h"', "lowest"),
    ("check-layers.py", "proxy/net/x.h", '#include "proxy/session/e.h"', "cycle"),
    ("check-layers.py", "rules/c.c", "#include <stdio.h>", "own header first"),
    ("check-banned.py", "proxy/x.c", "\tstrcpy(a, b);", "strcpy is banned"),
    ("check-banned.py", "proxy/x.c", "\tsprintf (a, b);", "sprintf is banned"),
    ("check-banned.py", "proxy/x.c", "\tx = atoi(a);", "atoi is banned"),
    ("check-banned.py", "tests/x.c", "\tmemcpy(a, b, 1);", "memcpy is banned"),
    ("check-banned.py", "proxy/x.c", "\tassert(a);", "assert is banned"),
    ("check-banned.py", "proxy/x.h", "#include <assert.h>", "is banned"),
    ("check-banned.py", "base/x.c", "\tpthread_mutex_lock(&m);", "is banned"),
    ("check-banned.py", "proxy/x.c", "\tpthread_detach(t);", "is banned"),
    ("check-banned.py", "proxy/x.c", "/* TO" + "DO: later */", "into an issue"),
    ("check-banned.py", "proxy/x.c", "{\n#ifdef X\n}", "#if inside a function"),
    ("check-sizes.py", "proxy/x.c", function(81), "has 81 lines"),
    ("check-sizes.py", "proxy/x.c", "int x;\n" * 1000, "1002 lines"),
    ("check-text.py", "docs/x.md", "see /ro" + "ot/x", "path of a machine"),
    ("check-text.py", "docs/x.md", '"/ho' + 'me/me/x"', "path of a machine"),
    ("check-text.py", "x.lock", "https://registry.npm" + "js.org/x", "registry"),
    ("check-text.py", "x.yaml", "a: b \n", "trailing blanks"),
]


@pytest.mark.parametrize(
    "check, name, content, complaint",
    FAULTS,
    ids=[f"{check}-{complaint}" for check, _, _, complaint in FAULTS],
)
def test_planted_fault_is_red(check, name, content, complaint, tmp_path):
    result = run(check, {**GOOD, name: SPDX + content + "\n"}, tmp_path)
    assert result.returncode == 1, result.stdout
    assert complaint in result.stdout
    assert name.split(".")[0] in result.stdout


@pytest.mark.parametrize("name", ["x.c", "x.py", "x.sh", "x.proto", "x.go", "x.mjs"])
def test_source_without_licence_line_is_red(name, tmp_path):
    result = run("check-text.py", {**GOOD, name: "x\n"}, tmp_path)
    assert result.returncode == 1
    assert f"{name}:1: no line with SPDX" in result.stdout


@pytest.mark.parametrize(
    "content",
    [
        "/* strcpy(a, b), assert(x) */",
        '\tf("strcpy(a)");',
        "\tkp_assert(a);",
        "\tcr_assert(a);",
        '_Static_assert(1, "x");',
        "\tx = a_strcpy(b);",
    ],
)
def test_what_only_looks_banned_is_green(content, tmp_path):
    tree = {**GOOD, "proxy/x.c": SPDX + content + "\n"}
    result = run("check-banned.py", tree, tmp_path)
    assert result.returncode == 0, result.stdout


def test_long_functions_on_average_are_red(tmp_path):
    tree = {f"base/x{i}.c": SPDX + function(21) for i in range(3)}
    result = run("check-sizes.py", tree, tmp_path)
    assert result.returncode == 1
    assert "median function has 21 lines" in result.stdout


def test_tables_may_be_long(tmp_path):
    tree = {**GOOD, "proto/kafka/apis/x.c": SPDX + "int x;\n" * 2000}
    assert run("check-sizes.py", tree, tmp_path).returncode == 0


def test_form_is_checked(tmp_path):
    shutil.copy(ROOT / ".clang-format", tmp_path)
    good, bad = tmp_path / "good.c", tmp_path / "bad.c"
    tree = {"good.c": SPDX + function(2), "bad.c": SPDX + "int  x ;\n"}
    assert run("check-format.sh", tree, tmp_path, good).returncode == 0
    result = run("check-format.sh", tree, tmp_path, good, bad)
    assert result.returncode == 1
    assert "bad.c:2" in result.stdout and "good.c" not in result.stdout


# -- programs

HARD = (
    "-O2 -fPIE -pie -D_FORTIFY_SOURCE=2 -fstack-protector-strong "
    "-Wl,-z,relro,-z,now,-z,noexecstack"
).split()
PROGRAM = """
#include <stdio.h>
#include <string.h>
int main(int argc, char **argv)
{
	char copy[64];
	strcpy(copy, argv[argc - 1]);
	return printf("%s", copy);
}
"""


def check_program(which, tmp_path, *flags, source=PROGRAM):
    (tmp_path / "p.c").write_text(source)
    program = tmp_path / "p"
    compiler = ["gcc", "-o", program, tmp_path / "p.c", *flags]
    subprocess.run(compiler, check=True)
    return subprocess.run(
        [SCRIPTS / "check-elf.sh", which, program],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_hardened_program_that_loads_nothing_is_green(tmp_path):
    for which in ("hardened", "alone", "light"):
        result = check_program(which, tmp_path, *HARD)
        assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    "flags, complaint",
    [
        (["-fno-pie", "-no-pie"], "not position independent"),
        (["-Wl,-z,norelro"], "no relro"),
        (["-Wl,-z,lazy"], "not bound at start"),
        (["-Wl,-z,execstack"], "executable stack"),
        (["-fno-stack-protector"], "no stack protector"),
        (["-U_FORTIFY_SOURCE"], "not fortified"),
        (["-Wl,-rpath,/opt/lib"], "run path"),
    ],
)
def test_softened_program_is_red(flags, complaint, tmp_path):
    result = check_program("hardened", tmp_path, *HARD, *flags)
    assert result.returncode == 1, result.stdout
    assert complaint in result.stdout


def test_program_that_loads_the_cpp_library_is_red(tmp_path):
    libraries = ["-Wl,--no-as-needed", "-lstdc++"]
    result = check_program("alone", tmp_path, *HARD, *libraries)
    assert result.returncode == 1
    assert "libstdc++" in result.stdout


def test_program_that_takes_long_to_load_is_red(tmp_path):
    result = check_program("light", tmp_path, *HARD)
    assert result.returncode == 0, result.stdout
    libraries = ["-Wl,--no-as-needed", "-lgpr"]
    result = check_program("light", tmp_path, *HARD, *libraries)
    assert result.returncode == 1
    assert "libgpr" in result.stdout


def test_program_that_exports_tls_is_red(tmp_path):
    source = "int kp_SSL_new(void) { return 0; }\n" + PROGRAM
    result = check_program("alone", tmp_path, "-rdynamic", source=source)
    assert result.returncode == 1
    assert "kp_SSL_new" in result.stdout
