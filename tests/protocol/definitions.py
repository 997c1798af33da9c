# SPDX-License-Identifier: Apache-2.0
"""Kafka's message definitions, read from the kafka-clients jars, in the form
that the tables are printed in: for one version, the flat list of its fields."""

import json
import re
import subprocess
import zipfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
RELEASES = ("4.4.0", "4.3.1", "4.0.2", "3.9.2")  # newest first
OPEN = 32767  # the end of "3+"


class Field(NamedTuple):
    """One field as one version has it; struct fields come before their own."""

    path: str
    type: str
    nullable: bool
    tag: int  # -1 without
    default: str | None


def parse_range(text):
    """ "0-7", "3+", "5", "none" or None as (first, last), None if empty."""
    if text in (None, "", "none"):
        return None
    first, plus, last = re.fullmatch(r"(\d+)(\+|-\d+)?()", text).groups()
    if plus is None:
        return int(first), int(first)
    return int(first), OPEN if plus == "+" else int(plus[1:])


def versions(text):
    """Every version of a range with an end."""
    found = parse_range(text)
    return range(found[0], found[1] + 1) if found else range(0)


def is_in(version, text):
    found = parse_range(text)
    return found is not None and found[0] <= version <= found[1]


class Message:
    """A request or response of one release."""

    def __init__(self, text):
        self.json = json.loads(re.sub(r"^\s*//.*$", "", text, flags=re.M))
        self.structs = {s["name"]: s["fields"] for s in self.json.get("commonStructs", [])}

    def __getattr__(self, name):
        return self.json[name]

    def versions(self):
        return versions(self.validVersions)

    def fields(self, version):
        """The fields of a version, with the annotation of each: flat, in order."""
        return list(self._flatten(self.json["fields"], version, ""))

    def _flatten(self, fields, version, above):
        for f in fields:
            tagged = is_in(version, f.get("taggedVersions"))
            if not tagged and not is_in(version, f["versions"]):
                continue
            is_array = f["type"].startswith("[]")
            base = f["type"].removeprefix("[]")
            inner = f.get("fields", self.structs.get(base))
            path = above + f["name"]
            yield Field(
                path,
                ("[]" if is_array else "") + ("struct" if inner is not None else base),
                is_in(version, f.get("nullableVersions")),
                f["tag"] if tagged else -1,
                default_text(f),
            ), f.get("entityType")
            if inner is not None:
                yield from self._flatten(inner, version, path + ("[]." if is_array else "."))


def default_text(field):
    value = field.get("default")
    if isinstance(value, bool):
        return str(value).lower()
    return None if value is None else str(value)


def load():
    """{release: {(key, "request" | "response"): Message}} of all APIs."""
    fetch = subprocess.run(
        [ROOT / "scripts" / "fetch-definitions.sh"], check=True, stdout=subprocess.PIPE, text=True
    )
    folder = Path(fetch.stdout.strip())
    return {release: load_jar(folder / f"kafka-clients-{release}.jar") for release in RELEASES}


def load_jar(path):
    found = {}
    with zipfile.ZipFile(path) as jar:
        for name in jar.namelist():
            if re.fullmatch(r"common/message/\w+(Request|Response)\.json", name):
                message = Message(jar.read(name).decode())
                found[message.apiKey, message.type] = message
    return found


def broker_keys(definitions):
    """Keys of all APIs that a broker listener of any release speaks."""
    return {
        key
        for messages in definitions.values()
        for (key, kind), message in messages.items()
        if kind == "request" and "broker" in message.json.get("listeners", [])
    }
