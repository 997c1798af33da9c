#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Gets the peers that Debian does not have into the cache, at pinned versions.

    install.py              what can be had, and why the rest cannot
    install.py --pin        writes the checksum of an archive that has none

grepplabs is built by go, which compares it and all that it needs with Go's
checksum database. The archive of Kroxylicious comes through Maven and must have
the SHA-256 in checksums/; --pin writes that file, for somebody who has compared
it with the project's release.
"""

import functools
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent / "scripts"))
from kafka_jars import cache  # noqa: E402

GREPPLABS = "github.com/grepplabs/kafka-proxy"
GREPPLABS_VERSION = "0.4.3"
KROXYLICIOUS = "io.kroxylicious:kroxylicious-app"
KROXYLICIOUS_VERSION = "0.23.0"
KROXYLICIOUS_JAVA = 21
COPY_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"
CHECKSUM = (FOLDER / "checksums"
            / f"kroxylicious-app-{KROXYLICIOUS_VERSION}-bin.tar.gz.sha256")
DOWNLOAD_SECONDS = 600


class NotToBeHad(Exception):
    """A peer that is not here, and why."""


def run(command, **environment):
    """Runs a download; raises with the line that says why."""
    try:
        done = subprocess.run(
            [str(word) for word in command], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=DOWNLOAD_SECONDS, env={**os.environ, **environment})
    except subprocess.TimeoutExpired:
        raise NotToBeHad(f"{command[0]}: took longer than "
                         f"{DOWNLOAD_SECONDS} s") from None
    if done.returncode != 0:
        raise NotToBeHad(f"{command[0]}: {reason_of(done.stdout)}")


def reason_of(output):
    """The first line with an error in it, without addresses of servers."""
    output = re.sub(r"\x1b\[[0-9;]*m", "", output)  # colours
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    telling = [x for x in lines if re.search(r"ERROR|error|403|40[0-9] ", x)]
    line = (telling or lines or ["failed without a word"])[0]
    line = re.sub(r"\S*https?://\S*", "(address)", line)
    return line[:200]


@functools.cache
def grepplabs():
    """Path of kafka-proxy."""
    folder = cache() / "bench" / f"grepplabs-{GREPPLABS_VERSION}"
    program = folder / "kafka-proxy"
    if program.exists():
        return program
    if shutil.which("go") is None:
        raise NotToBeHad("go is not installed")
    checked = {"GOFLAGS": "-mod=mod", "GONOSUMDB": "", "GONOSUMCHECK": "",
               "GOINSECURE": "", "GOPRIVATE": ""}
    done = subprocess.run(["go", "env", "GOSUMDB"], stdout=subprocess.PIPE,
                          text=True, env={**os.environ, **checked})
    if done.stdout.strip() in ("", "off"):
        raise NotToBeHad("go's checksum database is off (GOSUMDB)")
    folder.mkdir(parents=True, exist_ok=True)
    run(["go", "install", f"{GREPPLABS}@v{GREPPLABS_VERSION}"],
        GOBIN=str(folder), CGO_ENABLED="0", **checked)
    return program


def java_version(home):
    """Major version of the Java there; 0 if there is none."""
    try:
        done = subprocess.run([home / "bin" / "java", "-version"],
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
    except OSError:
        return 0
    found = re.search(r'version "(?:1\.)?(\d+)', done.stdout)
    return int(found.group(1)) if found else 0


def find_java(least):
    """Home of a Java that is new enough, JAVA_HOME first."""
    homes = []
    if os.environ.get("JAVA_HOME"):
        homes.append(pathlib.Path(os.environ["JAVA_HOME"]))
    program = shutil.which("java")
    if program:
        homes.append(pathlib.Path(program).resolve().parent.parent)
    homes += sorted(pathlib.Path("/usr/lib/jvm").glob("*"))
    for home in homes:
        if java_version(home) >= least:
            return home
    raise NotToBeHad(f"no Java {least} or newer in JAVA_HOME, PATH or "
                     "/usr/lib/jvm")


def fetch_kroxylicious(folder):
    """Path of the archive, as Maven has it."""
    if shutil.which("mvn") is None:
        raise NotToBeHad("mvn is not installed")
    run(["mvn", "-q", "-B", "-ntp", "-Dstyle.color=never", COPY_PLUGIN,
         f"-Dartifact={KROXYLICIOUS}:{KROXYLICIOUS_VERSION}:tar.gz:bin",
         f"-DoutputDirectory={folder}"])
    return next(pathlib.Path(folder).glob("*.tar.gz"))


def check(archive):
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    if not CHECKSUM.exists():
        raise NotToBeHad(f"its archive has SHA-256 {digest}, and no checksum "
                         "is pinned: bench/install.py --pin")
    if CHECKSUM.read_text().split()[0] != digest:
        raise NotToBeHad(f"its archive has SHA-256 {digest}, which is not the "
                         f"one in {CHECKSUM.relative_to(FOLDER.parent)}")


@functools.cache
def kroxylicious():
    """(home of Kroxylicious, home of a Java for it)."""
    java_home = find_java(KROXYLICIOUS_JAVA)
    folder = cache() / "bench" / f"kroxylicious-{KROXYLICIOUS_VERSION}"
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as work:
            archive = fetch_kroxylicious(work)
            check(archive)
            unpacked = pathlib.Path(work) / "unpacked"
            unpacked.mkdir()
            run(["tar", "-xzf", archive, "--no-same-owner", "-C", unpacked])
            unpacked.rename(folder)
    starts = list(folder.glob("**/bin/kroxylicious-start.sh"))
    if not starts:
        raise NotToBeHad("its archive has no bin/kroxylicious-start.sh")
    return starts[0].parent.parent, java_home


def pin():
    with tempfile.TemporaryDirectory() as work:
        archive = fetch_kroxylicious(work)
        digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    CHECKSUM.parent.mkdir(exist_ok=True)
    name = CHECKSUM.name.removesuffix(".sha256")
    CHECKSUM.write_text(f"{digest}  {name}\n")
    print(f"{CHECKSUM}: {digest}")


def main():
    if sys.argv[1:] == ["--pin"]:
        pin()
        return
    for name, get in (("grepplabs", grepplabs), ("kroxylicious", kroxylicious)):
        try:
            print(f"{name}: {get()}")
        except NotToBeHad as error:
            print(f"{name}: not to be had: {error}")


if __name__ == "__main__":
    try:
        main()
    except NotToBeHad as error:
        sys.exit(f"install.py: {error}")
