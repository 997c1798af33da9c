#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fails on an #include that points up: the folders and their order are in
docs/ARCHITECTURE.md. Also: the folders inside proxy/ have no cycles, proto/kafka/
and rules/ know no sockets, threads or clocks, only those that need
it see BoringSSL, only control/rpc/ sees gRPC, and a .c file includes its
own header first."""

import pathlib
import re

import sources

# folder: what its files may include, besides their own folder
ALLOWED = {
    "base": set(),
    "proto": {"base"},
    "rules": {"base", "proto"},
    "kms": {"base", "proto", "rules"},
    "proxy": {"base", "proto", "rules"},
    "control/rpc": {"base", "proto"},
    "control/api": {"base", "proto", "rules", "control/rpc"},
    "control/host": {"base"},
    "control/agent": {
        *("base", "proto", "rules", "kms"),
        *("control/rpc", "control/api", "control/host"),
    },
    "control/server": {
        *("base", "proto", "rules"),
        *("control/rpc", "control/api", "control/host"),
    },
    "cli": {"base", "proto", "rules", "control/rpc", "control/api"},
    "bench": {"base", "proto", "control/rpc", "control/api", "control/server"},
}
# who may see BoringSSL: TLS of the data plane, hashes and certificates
CRYPTO = ("proxy", "kms", "bench", "control/api", "control/server")
# pure folders, and what makes a file impure
PURE = ("proto/kafka/", "rules/")
IMPURE = re.compile(
    r"^(sys/socket|sys/epoll|poll|netinet/in|pthread|threads|time|sys/time|"
    r"fcntl|unistd|dirent|sys/stat|base/mutex|base/clock)\.h$"
)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*["<]([^">]+)[">]', re.M)


def layer_of(path):
    for depth in (2, 1):
        layer = "/".join(path.parts[:depth])
        if layer in ALLOWED and len(path.parts) > depth:
            return layer
    return None


def faults_of_include(path, layer, header):
    if str(path).startswith(PURE) and IMPURE.match(header):
        yield f"{layer}/ does no I/O and knows no threads or clocks: {header}"
    if header.startswith("openssl/") and layer not in CRYPTO:
        yield f"only {', '.join(CRYPTO)} may include {header}"
    if header.startswith("grpc/") and layer != "control/rpc":
        yield f"only control/rpc/ may include {header}"
    target = layer_of(pathlib.PurePath(header)) or header.split("/")[0]
    known = set(ALLOWED) | {"control", "tests", "integration"}
    if target in known and target not in ALLOWED[layer] | {layer}:
        yield f"{layer}/ may not include {target}/: {header}"


def own_header_fault(top, path, headers):
    own = path.with_suffix(".h")
    if path.suffix != ".c" or not (top / own).is_file():
        return None
    if headers and headers[0] == str(own):
        return None
    return f"{path}: must include its own header first"


def proxy_folder(path):
    parts = str(path).split("/")
    return "/".join(parts[:2]) if parts[0] == "proxy" and len(parts) > 2 else None


def cycles(edges):
    """One line for each cycle of folders; edges: {folder: {folder: where}}."""
    found = []

    def visit(folder, trail):
        if folder in trail:
            ring = trail[trail.index(folder) :]
            if folder == min(ring):
                where = edges[ring[-1]][folder]
                found.append(f"{where}: cycle {' -> '.join(ring + [folder])}")
            return
        for target in sorted(edges.get(folder, {})):
            visit(target, trail + [folder])

    for folder in sorted(edges):
        visit(folder, [])
    return sorted(set(found))


def main():
    top = sources.root()
    faults, edges, num_files = [], {}, 0
    for path in sources.tracked(top, ".c", ".h"):
        layer = layer_of(path)
        if layer is None:
            continue
        num_files += 1
        headers = INCLUDE.findall((top / path).read_text())
        for header in headers:
            for fault in faults_of_include(path, layer, header):
                faults.append(f"{path}: {fault}")
            here, there = proxy_folder(path), proxy_folder(header)
            if here and there and here != there:
                edges.setdefault(here, {}).setdefault(there, path)
        fault = own_header_fault(top, path, headers)
        if fault:
            faults.append(fault)
    for there, path in edges.get("proxy/net", {}).items():
        faults.append(f"{path}: proxy/net is the lowest folder, not above {there}")
    sources.finish("check-layers", faults + cycles(edges), num_files)


main()
