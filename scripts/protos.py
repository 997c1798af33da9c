# SPDX-License-Identifier: Apache-2.0
"""Reads our own .proto files: the part of proto3 that they are written in, with
the comments that stand in front of things. Anything else is an error."""

import re

# The public interface, in the order of its documentation.
PUBLIC = [
    "proto/control/v1/resources.proto",
    "proto/control/v1/nodes.proto",
    "proto/control/v1/types.proto",
    "proto/control/health.proto",
]

COMMENT = re.compile(r"//\s?(.*)")
OPEN = re.compile(r"(message|enum|service|oneof) (\w+) \{(\})?$")
FIELD = re.compile(r"(repeated )?([\w.]+) (\w+) = (\d+);$")
VALUE = re.compile(r"(\w+) = (\d+);$")
RPC = re.compile(
    r"rpc (\w+)\((stream )?([\w.]+)\) returns \((stream )?([\w.]+)\);$"
)
RESERVED = re.compile(r"reserved [\d, to]+;$")
HEAD = re.compile(r'(syntax = "proto3"|package [\w.]+|import "[\w./]+");$')


class Fault(Exception):
    """What is not understood, with its line."""


class Block:
    """A message, enum or service: its comment and what is in it, in order."""

    def __init__(self, kind, name, comment):
        self.kind, self.name, self.comment = kind, name, comment
        self.entries = []  # dicts: name, number, type, comment, oneof


class File:
    def __init__(self):
        self.package, self.comment, self.blocks = "", "", []


def paragraph(lines):
    """Lines of a comment as one text; an empty line separates paragraphs."""
    parts = "\n".join(lines).split("\n\n")
    return "\n\n".join(" ".join(part.split()) for part in parts).strip()


def entry_of(line, block, oneof, comment):
    found = RPC.match(line) if block.kind == "service" else None
    if found:
        name, in_stream, request, out_stream, response = found.groups()
        return {
            "name": name,
            "type": f"{in_stream or ''}{request} → {out_stream or ''}{response}",
            "comment": comment,
        }
    found = VALUE.match(line) if block.kind == "enum" else None
    if found:
        return {"name": found[1], "number": found[2], "type": "", "comment": comment}
    found = FIELD.match(line) if block.kind == "message" else None
    if found:
        repeated, kind, name, number = found.groups()
        return {
            "name": name,
            "number": number,
            "type": (repeated or "") + kind,
            "comment": comment,
            "oneof": oneof,
        }
    return None


class Reader:
    """Goes through one file line by line."""

    def __init__(self, name):
        self.name, self.file = name, File()
        self.stack, self.oneof, self.comment = [], None, []

    def take_comment(self):
        text, self.comment = paragraph(self.comment), []
        return text

    def open(self, kind, name):
        if kind == "oneof":
            self.oneof, self.comment = name, []
            return
        if self.stack:
            name = f"{self.stack[-1].name}.{name}"
        block = Block(kind, name, self.take_comment())
        self.file.blocks.append(block)
        self.stack.append(block)

    def close(self):
        if self.oneof:
            self.oneof = None
        else:
            self.stack.pop()

    def head(self, line):
        if line.startswith("package "):
            self.file.package = line[len("package ") : -1]
        if line.startswith("syntax"):
            self.file.comment = self.take_comment()

    def line(self, number, line):
        comment = COMMENT.match(line)
        opened = OPEN.match(line)
        if comment:
            self.comment.append(comment[1])
        elif opened:
            self.open(opened[1], opened[2])
            if opened[3]:
                self.close()
        elif line == "}":
            self.close()
        elif HEAD.match(line):
            self.head(line)
        elif line and not RESERVED.match(line):
            entry = self.stack and entry_of(
                line, self.stack[-1], self.oneof, self.take_comment()
            )
            if not entry:
                raise Fault(f"{self.name}:{number}: not understood: {line}")
            self.stack[-1].entries.append(entry)


def read(name, text):
    reader = Reader(name)
    for number, line in enumerate(text.splitlines(), 1):
        if "SPDX-License-Identifier" not in line:
            reader.line(number, line.strip())
    return reader.file


def read_public(top):
    """name: File, for each of PUBLIC in the tree top."""
    return {name: read(name, (top / name).read_text()) for name in PUBLIC}


def facts(file):
    """One line for everything that peers of another version rely on."""
    for block in file.blocks:
        place = f"{file.package}.{block.name}"
        for entry in block.entries:
            number = f" = {entry['number']}" if "number" in entry else ""
            oneof = f" oneof {entry['oneof']}" if entry.get("oneof") else ""
            yield (
                f"{block.kind} {place}.{entry['name']}{number} "
                f"{entry['type']}{oneof}".rstrip()
            )
