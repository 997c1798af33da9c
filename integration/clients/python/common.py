# SPDX-License-Identifier: Apache-2.0
"""What the Python programs share: arguments, records, output.

Usage of each: PROGRAM BOOTSTRAP NAME MODE...
The topics NAME-MODE, with three partitions, must be there already; for mode
governed NAME-MODE-grown, NAME-MODE-kept and NAME-MODE-gone, for named
NAME-MODE-old-bad.
Environment: CLIENT_SASL=MECHANISM:USER:PASSWORD, CLIENT_CA=FILE.
"""
import hashlib
import os
import sys

BOOTSTRAP, NAME, *MODES = sys.argv[1:]
CA = os.environ.get("CLIENT_CA")
SASL = (os.environ.get("CLIENT_SASL") or "").split(":")
HAS_SASL = SASL != [""]
PROTOCOL = ("SASL_" if HAS_SASL else "") + ("SSL" if CA else "PLAINTEXT")
PARTITIONS = 3
# For anything to happen, and for one call; machines are shared.
DEADLINE_S = 180
TIMEOUT_S = 120

LARGE = "".join(f"{number} " for number in range(100000))
RECORDS = [(f"k{i}", f"v{i}") for i in range(10)] + [("large", LARGE)]


def shown(value):
    if len(value) < 100:
        return value.decode()
    digest = hashlib.sha256(value).hexdigest()[:16]
    return f"{len(value)} characters, hash {digest}"


def produced(key, partition, offset):
    return f"produced {key} partition {partition} offset {offset}"


def consumed(key, value, partition, offset):
    return (f"consumed {key.decode()} = {shown(value)} partition {partition} "
            f"offset {offset}")


def committed(partition, offset):
    return f"committed partition {partition} offset {offset}"


def outcome(what, name, code=None, message=""):
    """The line for a part of a call; without a code it succeeded."""
    return f"{what} {name}: " + (f"{code}: {message}" if code else "ok")


def main(run):
    """Runs each mode with a topic of its own and prints its sorted lines."""
    for mode in MODES:
        print(f"== {mode}")
        for line in sorted(run(mode, f"{NAME}-{mode}")):
            print(line, flush=True)
