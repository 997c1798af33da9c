# SPDX-License-Identifier: Apache-2.0
"""Kafka's protocol from its own JSON definitions, for tests.

An implementation that shares nothing with kproxy's tables: it reads the
definitions from a kafka-clients jar and encodes or decodes any message of
any version. Values are dicts by field name; what is missing has its default.
"""
import json
import re
import socket
import struct
import uuid
import zipfile

API_VERSIONS = 18
INTEGERS = {"int8": ">b", "int16": ">h", "uint16": ">H", "int32": ">i",
            "uint32": ">I", "int64": ">q", "float64": ">d"}
ZERO_UUID = uuid.UUID(int=0)
TIMEOUT_S = 120


class WireError(Exception):
    """Bytes that do not fit the definition."""


class Closed(Exception):
    """The peer closed the connection instead of answering."""


def in_range(text, version):
    """Is a version inside "none", "3", "3+" or "3-5"?"""
    if not text or text == "none":
        return False
    first, separator, last = re.match(r"(\d+)([-+]?)(\d*)$", text).groups()
    if separator == "+":
        return version >= int(first)
    return int(first) <= version <= int(last or first)


def put_uvarint(out, value):
    while value >= 0x80:
        out.append(value & 0x7f | 0x80)
        value >>= 7
    out.append(value)


class Reader:
    def __init__(self, data):
        self.data = data
        self.at = 0

    def take(self, count):
        if count < 0 or count > len(self.data) - self.at:
            raise WireError(f"{count} bytes wanted at {self.at} of "
                            f"{len(self.data)}")
        self.at += count
        return self.data[self.at - count:self.at]

    def number(self, code):
        return struct.unpack(code, self.take(struct.calcsize(code)))[0]

    def uvarint(self):
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 0x7f) << shift
            if byte < 0x80:
                return value
            shift += 7


class Message:
    """One request or response: encodes and decodes its body."""

    def __init__(self, definition):
        self.name = definition["name"]
        self.fields = definition.get("fields", ())
        self.valid = definition["validVersions"]
        self.flexible = definition.get("flexibleVersions", "none")
        self.structs = {}
        self._collect(self.fields)
        for shared in definition.get("commonStructs", ()):
            self.structs[shared["name"]] = shared["fields"]
            self._collect(shared["fields"])

    def _collect(self, fields):
        for field in fields:
            if "fields" in field:
                self.structs[element(field["type"])] = field["fields"]
                self._collect(field["fields"])

    def is_flexible(self, version):
        return in_range(self.flexible, version)

    def fields_of(self, kind):
        return self.structs[element(kind)]

    # -- encoding

    def encode(self, version, values=None):
        out = bytearray()
        self._put_struct(out, self.fields, version, values or {})
        return bytes(out)

    def _put_struct(self, out, fields, version, values):
        unknown = values.keys() - {field["name"] for field in fields}
        if unknown:
            raise WireError(f"{self.name} has no {sorted(unknown)}")
        tagged = []
        for field in fields:
            if not in_range(field["versions"], version):
                continue
            value = values.get(field["name"], self.default(field))
            if in_range(field.get("taggedVersions"), version):
                if value != self.default(field):
                    tagged.append((field["tag"], field, value))
                continue
            self._put(out, field, field["type"], version, value)
        if self.is_flexible(version):
            self._put_uvarint(out, len(tagged))
            for tag, field, value in sorted(tagged, key=lambda t: t[0]):
                body = bytearray()
                self._put(body, field, field["type"], version, value)
                self._put_uvarint(out, tag)
                self._put_uvarint(out, len(body))
                out += body

    def _put(self, out, field, kind, version, value):
        if kind in INTEGERS:
            out += struct.pack(INTEGERS[kind], value)
        elif kind == "bool":
            out.append(bool(value))
        elif kind == "uuid":
            out += value.bytes
        elif kind.startswith("[]"):
            self._put_length(out, version, value, ">i")
            for item in value or ():
                self._put(out, field, kind[2:], version, item)
        elif kind == "string":
            raw = None if value is None else value.encode()
            self._put_length(out, version, raw, ">h")
            out += raw or b""
        elif kind in ("bytes", "records"):
            self._put_length(out, version, value, ">i")
            out += value or b""
        else:
            self._put_nested(out, field, kind, version, value)

    def _put_nested(self, out, field, kind, version, value):
        if self._is_nullable_struct(field, version):
            out += struct.pack(">b", -1 if value is None else 1)
            if value is None:
                return
        self._put_struct(out, self.fields_of(kind), version, value)

    def _put_length(self, out, version, value, code):
        if self.is_flexible(version):
            self._put_uvarint(out, 0 if value is None else len(value) + 1)
        else:
            self._put_fixed(out, -1 if value is None else len(value), code)

    # what a test replaces that wants it wrong

    def _put_uvarint(self, out, value):
        put_uvarint(out, value)

    def _put_fixed(self, out, value, code):
        out += struct.pack(code, value)

    @staticmethod
    def _is_nullable_struct(field, version):
        return (not field["type"].startswith("[]")
                and in_range(field.get("nullableVersions"), version))

    @staticmethod
    def default(field):
        kind, given = field["type"], field.get("default")
        if given == "null":
            return None
        if kind.startswith("[]"):
            return []
        if kind in ("bytes", "records"):
            return b""
        if kind == "string":
            return given or ""
        if kind == "uuid":
            return ZERO_UUID
        if kind == "bool":
            return given in (True, "true")
        if kind == "float64":
            return float(given or 0)
        if kind in INTEGERS:
            return int(str(given or 0), 0)
        return {}

    # -- decoding

    def decode(self, version, data):
        """The body as a dict; WireError unless it fits to the last byte."""
        reader = Reader(data)
        values = self._get_struct(reader, self.fields, version)
        if reader.at != len(data):
            raise WireError(f"{self.name} v{version}: "
                            f"{len(data) - reader.at} bytes left over")
        return values

    def _get_struct(self, reader, fields, version):
        values = {}
        tagged = {}
        for field in fields:
            if not in_range(field["versions"], version):
                continue
            if in_range(field.get("taggedVersions"), version):
                tagged[field["tag"]] = field
                values[field["name"]] = self.default(field)
                continue
            values[field["name"]] = self._get(reader, field, field["type"],
                                              version)
        if self.is_flexible(version):
            for _ in range(reader.uvarint()):
                tag = reader.uvarint()
                body = Reader(reader.take(reader.uvarint()))
                if tag in tagged:
                    field = tagged[tag]
                    values[field["name"]] = self._get(
                        body, field, field["type"], version)
        return values

    def _get(self, reader, field, kind, version):
        if kind in INTEGERS:
            return reader.number(INTEGERS[kind])
        if kind == "bool":
            return reader.take(1) != b"\0"
        if kind == "uuid":
            return uuid.UUID(bytes=bytes(reader.take(16)))
        if kind.startswith("[]"):
            count = self._get_length(reader, version, ">i")
            return None if count is None else [
                self._get(reader, field, kind[2:], version)
                for _ in range(count)]
        if kind in ("string", "bytes", "records"):
            count = self._get_length(reader, version,
                                     ">h" if kind == "string" else ">i")
            raw = None if count is None else reader.take(count)
            return raw if kind != "string" or raw is None else raw.decode()
        if self._is_nullable_struct(field, version):
            if reader.number(">b") < 0:
                return None
        return self._get_struct(reader, self.fields_of(kind), version)

    def _get_length(self, reader, version, code):
        if self.is_flexible(version):
            length = reader.uvarint() - 1
        else:
            length = reader.number(code)
        return None if length < 0 else length


def element(kind):
    return kind[2:] if kind.startswith("[]") else kind


class Definitions:
    """All APIs that clients may call, from one kafka-clients jar."""

    def __init__(self, jar):
        self.requests = {}
        self.responses = {}
        with zipfile.ZipFile(jar) as archive:
            for name in archive.namelist():
                if re.match(r"common/message/\w+\.json$", name):
                    self._add(archive.read(name).decode())
        self.keys = {message.name.removesuffix("Request"): key
                     for key, message in self.requests.items()}

    def _add(self, text):
        definition = json.loads(re.sub(r"(?m)(^|\s)//.*$", "", text))
        kind = definition["type"]
        if kind == "request" and "broker" in definition.get("listeners", ()):
            self.requests[definition["apiKey"]] = Message(definition)
        elif kind == "response":
            self.responses[definition["apiKey"]] = Message(definition)

    def name(self, key):
        return self.requests[key].name.removesuffix("Request")


class Answer:
    def __init__(self, raw, body):
        self.raw = raw
        self.body = body


class Connection:
    """A client connection that can also misbehave on purpose."""

    def __init__(self, definitions, host, port, timeout=TIMEOUT_S):
        self.definitions = definitions
        self.socket = socket.create_connection((host, port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.correlation = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def encode(self, api, version, values=None, client_id="wire"):
        """A request frame; api is a name or a key."""
        key = self.definitions.keys.get(api, api)
        message = self.definitions.requests[key]
        return self.encode_raw(key, version, message.encode(version, values),
                               client_id, message.is_flexible(version))

    def encode_raw(self, key, version, body, client_id="wire", flexible=True):
        """A request frame with any key, version and body."""
        self.correlation += 1
        name = b"" if client_id is None else client_id.encode()
        head = struct.pack(">hhih", key, version, self.correlation,
                           -1 if client_id is None else len(name))
        tags = b"\0" if flexible else b""
        return frame(head + name + tags + body)

    def send(self, data):
        """Raw bytes; Closed when the peer is gone already."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError) as error:
            raise Closed(str(error)) from None

    def receive(self):
        """The next frame without its length."""
        size = struct.unpack(">i", self._take(4))[0]
        return self._take(size)

    def _take(self, count):
        data = bytearray()
        while len(data) < count:
            try:
                more = self.socket.recv(count - len(data))
            except ConnectionResetError as error:
                raise Closed(str(error)) from None
            if not more:
                raise Closed(f"{len(data)} of {count} bytes came")
            data += more
        return bytes(data)

    def decode(self, api, version, raw):
        """An answer's frame; checks the correlation id of the last request."""
        key = self.definitions.keys.get(api, api)
        message = self.definitions.responses[key]
        reader = Reader(raw)
        correlation = reader.number(">i")
        if correlation != self.correlation:
            raise WireError(f"answer to {correlation}, not to "
                            f"{self.correlation}")
        # ApiVersions answers have a plain header in every version.
        if message.is_flexible(version) and key != API_VERSIONS:
            if reader.uvarint() != 0:
                raise WireError("tagged fields in the answer's header")
        return message.decode(version, raw[reader.at:])

    def call(self, api, version, values=None):
        self.send(self.encode(api, version, values))
        raw = self.receive()
        return Answer(raw, self.decode(api, version, raw))

    def api_versions(self):
        """What the peer offers: {key: (first, last)}."""
        body = self.call("ApiVersions", 3, {
            "ClientSoftwareName": "wire",
            "ClientSoftwareVersion": "1"}).body
        return {one["ApiKey"]: (one["MinVersion"], one["MaxVersion"])
                for one in body["ApiKeys"]}

    def login(self, mechanism, token):
        """A login of one step; the answer to SaslAuthenticate."""
        self.call("SaslHandshake", 1, {"Mechanism": mechanism})
        return self.call("SaslAuthenticate", 2, {"AuthBytes": token}).body


def frame(data):
    return struct.pack(">i", len(data)) + data


def crc32c(data):
    value = 0xffffffff
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x82f63b78 if value & 1 else 0)
    return value ^ 0xffffffff


def record_batch(value, timestamp=1_700_000_000_000):
    """A v2 batch with one record that has no key."""
    record = bytearray(b"\0\0\0\x01")  # attributes, deltas, no key (-1)
    put_uvarint(record, len(value) << 1)
    record += value + b"\0"
    sized = bytearray()
    put_uvarint(sized, len(record) << 1)
    body = struct.pack(">hiqqqhii", 0, 0, timestamp, timestamp, -1, -1, -1,
                       1) + sized + record
    tail = struct.pack(">ibI", -1, 2, crc32c(body)) + body
    return struct.pack(">qi", 0, len(tail)) + tail
