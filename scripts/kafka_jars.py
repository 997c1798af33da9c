# SPDX-License-Identifier: Apache-2.0
"""Kafka's jars from Maven Central in the cache, and JVM command lines.

A version is usable once every jar has the checksum pinned in
integration/checksums/. Maven only moves bytes; trust comes from that file.
"""
import fcntl
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
CHECKSUMS = ROOT / "integration" / "checksums"
DEPENDENCY_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1"

# kafka-tools of 4.4.0 is not published; the tools of 4.3.1 talk to it.
WITH_TOOLS = {"4.3.1"}

# The published POMs name no logger binding.
LOG4J2 = [f"org.apache.logging.log4j:{name}:2.25.4" for name in (
    "log4j-api", "log4j-core", "log4j-slf4j-impl", "log4j-1.2-api")]
RELOAD4J = ["org.slf4j:slf4j-reload4j:1.7.36"]

# Never loaded by a broker or a command line tool.
BROKER_DROPS = ["org.scala-lang:scala-reflect"]
TOOLS_DROPS = ["org.apache.kafka:connect-runtime",
               "com.fasterxml.jackson.jaxrs:*",
               "com.fasterxml.jackson.jakarta.rs:*"]

SMALL_JVM = ["-Xms64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
             "-Xss512k", "-XX:-UsePerfData", "-Djava.awt.headless=true",
             "-Djava.net.preferIPv4Stack=true",
             "-Xlog:cds=off", "-Xlog:cds+dynamic=off"]

LOG4J2_CONFIG = """status=error
rootLogger.level={level}
rootLogger.appenderRef.o.ref=O
appender.o.type=Console
appender.o.name=O
appender.o.layout.type=PatternLayout
appender.o.layout.pattern=%d{{HH:mm:ss.SSS}} %p %c{{1}}: %m%n%ex
"""
RELOAD4J_CONFIG = """log4j.rootLogger={level}, O
log4j.appender.O=org.apache.log4j.ConsoleAppender
log4j.appender.O.layout=org.apache.log4j.PatternLayout
log4j.appender.O.layout.ConversionPattern=%d %p %c{{1}}: %m%n
"""


class KafkaError(Exception):
    """Something a user can act on; the text says what."""


def cache():
    base = os.environ.get("KP_CACHE")
    if base:
        return pathlib.Path(base)
    home = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(home) / "kproxy"


def home(version):
    return cache() / "kafka" / version


def is_modern(version):
    return int(version.split(".")[0]) >= 4


def dependency(coordinates, drops=()):
    group, artifact, version = coordinates.split(":")
    exclusions = "".join(
        "<exclusion><groupId>{}</groupId><artifactId>{}</artifactId>"
        "</exclusion>".format(*drop.split(":")) for drop in drops)
    return (f"<dependency><groupId>{group}</groupId>"
            f"<artifactId>{artifact}</artifactId><version>{version}</version>"
            f"<exclusions>{exclusions}</exclusions></dependency>")


def pom(version):
    parts = [dependency(f"org.apache.kafka:kafka_2.13:{version}",
                        BROKER_DROPS)]
    if version in WITH_TOOLS:
        parts.append(dependency(f"org.apache.kafka:kafka-tools:{version}",
                                TOOLS_DROPS))
    parts += map(dependency, LOG4J2 if is_modern(version) else RELOAD4J)
    return ("<project><modelVersion>4.0.0</modelVersion>"
            "<groupId>kproxy</groupId><artifactId>kafka</artifactId>"
            "<version>1</version><packaging>pom</packaging>"
            f"<dependencies>{''.join(parts)}</dependencies></project>")


def maven_copy(pom_file, folder):
    """Resolves a POM and copies its runtime jars into the folder."""
    command = ["mvn", "-q", "-B", "-ntp", "-Dstyle.color=never",
               "-f", str(pom_file), f"{DEPENDENCY_PLUGIN}:copy-dependencies",
               "-DincludeScope=runtime", f"-DoutputDirectory={folder}"]
    done = subprocess.run(command, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise KafkaError(f"maven could not resolve {pom_file}:\n"
                         f"{done.stdout}")


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def digests(folder):
    """The jar set as text in the format of sha256sum(1)."""
    return "".join(f"{sha256(jar)}  {jar.name}\n"
                   for jar in sorted(folder.glob("*.jar")))


def verify(folder, checksums):
    if not checksums.exists():
        raise KafkaError(f"no pinned checksums in {checksums}")
    wanted = set(checksums.read_text().splitlines())
    found = set(digests(folder).splitlines())
    if wanted != found:
        lines = "\n  ".join(sorted(wanted ^ found))
        raise KafkaError(
            f"jars differ from the checksums in {checksums}:\n  {lines}")


def fetch(version, pin=False):
    """Makes a version usable; does nothing when it already is.

    With pin the checksum file is written from what was downloaded: for the
    maintainer who adds a version, never for a user.
    """
    target = home(version)
    target.parent.mkdir(parents=True, exist_ok=True)
    with open(target.parent / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (target / "lib").is_dir():
            return target
        work = pathlib.Path(tempfile.mkdtemp(dir=target.parent))
        try:
            install(version, work, pin)
            work.chmod(0o755)
            work.rename(target)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return target


def install(version, folder, pin):
    (folder / "pom.xml").write_text(pom(version))
    maven_copy(folder / "pom.xml", folder / "lib")
    checksums = CHECKSUMS / f"kafka-{version}.sha256"
    if pin:
        checksums.write_text(digests(folder / "lib"))
    verify(folder / "lib", checksums)
    template = LOG4J2_CONFIG if is_modern(version) else RELOAD4J_CONFIG
    for level in ("INFO", "WARN"):
        (folder / f"log-{level}.properties").write_text(
            template.format(level=level))


def java():
    found = shutil.which("java")
    if os.environ.get("JAVA_HOME"):
        found = os.path.join(os.environ["JAVA_HOME"], "bin", "java")
    if not found:
        raise KafkaError("no java found; Kafka needs Java 17 or newer")
    return found


def archive(version):
    """Class-data archive of this version under this JVM: half the start."""
    text = subprocess.run([java(), "-version"], capture_output=True,
                          text=True).stderr
    build = re.search(r'version "([^"]+)"', text)
    return home(version) / f"classes-{build.group(1) if build else 'x'}.jsa"


def command(version, main_class, *arguments, heap="256m", level="INFO",
            options=()):
    """A small JVM that runs main_class on the jars of one version."""
    folder = home(version)
    jars = ":".join(map(str, sorted((folder / "lib").glob("*.jar"))))
    kind = ("-Dlog4j2.configurationFile=" if is_modern(version)
            else "-Dlog4j.configuration=file:")
    return [java(), f"-Xmx{heap}", *SMALL_JVM, *options,
            f"{kind}{folder}/log-{level}.properties",
            "-cp", jars, main_class, *map(str, arguments)]
