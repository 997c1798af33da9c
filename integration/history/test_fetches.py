# SPDX-License-Identifier: Apache-2.0
"""Fetch requests as clients send them, of old and of new versions."""
import struct

import pytest
import rig
from history import fetches


@pytest.fixture(scope="module")
def definitions():
    return rig.definitions(rig.NEWEST)


def frame(definitions, version, client, partition, offset):
    message = definitions.requests[fetches.FETCH]
    body = message.encode(version, {"Topics": [
        {"Partitions": [{"Partition": partition, "FetchOffset": offset}]}]})
    tags = b"\0" if message.is_flexible(version) else b""
    return struct.pack(">hhih", fetches.FETCH, version, 7, len(client)) + (
        client.encode() + tags + body)


@pytest.mark.parametrize("version", [4, 11, 12, 13, 17])
def test_who_asks_again_is_noted(definitions, version):
    found = fetches.Fetches(definitions)
    for partition, offset in ((0, 10), (1, 50), (0, 20), (0, 20), (0, 15)):
        found.note(frame(definitions, version, "python-x", partition, offset))
    assert found.of("python-x") == {0: {15}}
    assert found.of("python-y") == {}


def test_others_are_not(definitions):
    found = fetches.Fetches(definitions)
    for offset in (20, 10):
        found.note(frame(definitions, 12, "java-x", 0, offset))
    found.note(b"")
    found.note(b"\0\0" + frame(definitions, 12, "python-x", 0, 1)[2:])
    assert not found.back
