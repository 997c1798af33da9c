# SPDX-License-Identifier: Apache-2.0
"""What producers and readers saw, from the JSON lines that they print.

Producers, in the order in which it happens:
    {"event": "producer", "name": P, "kind":
     "plain" | "retrying" | "idempotent" | "transactional"}
    {"event": "send", "producer": P, "sequence": n, "partition": p,
     "digest": D[, "transaction": t]}          before the library is asked
    {"event": "acked", "producer": P, "sequence": n, "offset": o}
    {"event": "failed" | "unknown", "producer": P, "sequence": n, "why": ...}
    {"event": "commit", "producer": P, "transaction": t, "ms": time}   asked
    {"event": "flushed", "producer": P, "transaction": t}   all answered, then
                                                            it is aborted
    {"event": "committed" | "aborted" | "undecided", "producer": P,
     "transaction": t}
Readers:
    {"event": "assigned", "reader": R, "partitions": [p, ...]}   added ones
    {"event": "poll", "reader": R, "ms": time,
     "records": [[p, offset, P, n, D[, epoch]], ...]}

A record nobody reported about is unknown, as is an offset of -1. Times are
milliseconds of the machine's monotonic clock. D is 16 hexadecimal digits over
key, value, headers and timestamp, made by the sender from what it sends and by
the reader from what it got. The epoch is of the partition's leader that stored
the record.
"""
import array
import collections
import json
import sys
from typing import NamedTuple

PLAIN, RETRYING = "plain", "retrying"
IDEMPOTENT, TRANSACTIONAL = "idempotent", "transactional"
ACKED, FAILED, UNKNOWN = "acked", "failed", "unknown"
COMMITTED, ABORTED, UNDECIDED = "committed", "aborted", "undecided"


class Sent:
    """One record as its producer saw it; transaction is None outside one."""
    __slots__ = ("partition", "digest", "transaction", "outcome", "offset")

    def __init__(self, partition, digest, transaction=None):
        self.partition, self.digest = partition, digest
        self.transaction = transaction
        self.outcome, self.offset = UNKNOWN, None


class Transaction:
    """asked_ms is when its commit was asked for, None if never."""
    __slots__ = ("asked_ms", "outcome")

    def __init__(self):
        self.asked_ms, self.outcome = None, UNDECIDED


class Record(NamedTuple):
    """One record as a reader saw it."""
    offset: int
    producer: str
    sequence: int
    digest: int


class History:
    """Everything that producers did."""

    def __init__(self):
        self.kinds = {}         # producer: kind
        self.sends = {}         # (producer, sequence): Sent
        self.transactions = {}  # (producer, transaction): Transaction

    def read(self, lines):
        """Adds the events of one program; those of readers are left out."""
        for line in lines:
            event = json.loads(line)
            note = NOTES.get(event["event"])
            if note:
                note(self, event)
        return self

    def transaction_of(self, producer, sent):
        """The Transaction a record belongs to, or None."""
        if sent.transaction is None:
            return None
        return self.transactions[producer, sent.transaction]

    # -- one function for each event

    def _note_producer(self, event):
        self.kinds[sys.intern(event["name"])] = event["kind"]

    def _note_send(self, event):
        producer, number = sys.intern(event["producer"]), event.get(
            "transaction")
        key = producer, event["sequence"]
        assert producer in self.kinds and key not in self.sends, event
        self.sends[key] = Sent(event["partition"], int(event["digest"], 16),
                               number)
        if number is not None:
            self.transactions.setdefault((producer, number), Transaction())

    def _note_acked(self, event):
        sent = self.sends[event["producer"], event["sequence"]]
        sent.outcome = ACKED
        if event["offset"] >= 0:
            sent.offset = event["offset"]

    def _note_failed(self, event):
        sent = self.sends[event["producer"], event["sequence"]]
        sent.outcome = event["event"]

    def _note_commit(self, event):
        self._transaction(event).asked_ms = event["ms"]

    def _note_end(self, event):
        self._transaction(event).outcome = event["event"]

    def _transaction(self, event):
        key = sys.intern(event["producer"]), event["transaction"]
        return self.transactions.setdefault(key, Transaction())


NOTES = {
    "producer": History._note_producer,
    "send": History._note_send,
    "acked": History._note_acked,
    "failed": History._note_failed,
    "unknown": History._note_failed,
    "commit": History._note_commit,
    "committed": History._note_end,
    "aborted": History._note_end,
    "undecided": History._note_end,
}


def record_of(entry):
    """(partition, Record) of an entry of a poll."""
    partition, offset, producer, sequence, digest = entry[:5]
    return partition, Record(offset, sys.intern(producer), sequence,
                             int(digest, 16))


def events_of(lines, reader):
    """The events of one reader."""
    for line in lines:
        event = json.loads(line)
        if event.get("reader") == reader:
            yield event


def epoch_of(entry):
    epoch = entry[5] if len(entry) > 5 else None
    return -1 if epoch is None else epoch


class Log(dict):
    """A whole log, {partition: [Record, ...]}. In epochs, in the same way, the
    epoch of each record's leader; -1 where the reader did not tell."""

    def __init__(self):
        super().__init__()
        self.epochs = collections.defaultdict(lambda: array.array("l"))


def log_of(events):
    """The Log that one reader's events come to."""
    log = Log()
    for event in events:
        for entry in event.get("records", ()):
            partition, record = record_of(entry)
            log.setdefault(partition, []).append(record)
            log.epochs[partition].append(epoch_of(entry))
    return log
