#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fails when a proto file of the public interface breaks what was released, or
docs/api.md does not say what the files say. proto/control/released.txt has a line
for every method, field and value of the released versions: name, number, type.
Each must still be there; what is new may be added, and may change until it is
released. `check-api.py --release` adds all that is there now: part of making a
release."""

import sys

import api_docs
import protos
import sources

RELEASED = "proto/control/released.txt"


def name_of(fact):
    """"message kproxy.control.v1.File.name = 1 string": the third dot's word."""
    return fact.split(" ")[1]


def broken(released, now):
    by_name = {name_of(fact): fact for fact in now}
    for fact in released:
        if fact not in now:
            instead = by_name.get(name_of(fact), "nothing")
            yield f"{RELEASED}: released: {fact}; now: {instead}"


def repeated(now):
    """Two fields of one message with one number."""
    seen = {}
    for fact in now:
        name, _, rest = fact.partition(" = ")
        place = (name.rpartition(".")[0], rest.split(" ")[0])
        if rest and seen.setdefault(place, fact) != fact:
            yield f"{fact}: its number is that of {seen[place]}"


def stale(top, files):
    page = (top / api_docs.PAGE).read_text()
    if api_docs.render(page, files) != page:
        yield f"{api_docs.PAGE}: is not what the proto files say: make docs"


def faults_of(top, now, files):
    released = (top / RELEASED).read_text().splitlines()
    return [*broken(released, now), *repeated(now), *stale(top, files)]


def release(top, now):
    path = top / RELEASED
    before = path.read_text().splitlines() if path.is_file() else []
    path.write_text("\n".join(sorted({*before, *now})) + "\n")


def main():
    is_release = "--release" in sys.argv
    sys.argv = [word for word in sys.argv if word != "--release"]
    top = sources.root()
    try:
        files = protos.read_public(top)
        now = {fact for file in files.values() for fact in protos.facts(file)}
        if is_release:
            release(top, now)
        faults = faults_of(top, now, files)
    except protos.Fault as fault:
        faults = [str(fault)]
    sources.finish("check-api", faults, len(protos.PUBLIC))


main()
