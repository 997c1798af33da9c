# SPDX-License-Identifier: Apache-2.0
"""Judges what was recorded: pure functions, no I/O. README.md has the rules.

    verdict = Verdict()
    judge_log(verdict, history, log, committed)
    judge_reader(...) for each reader, judge_group(...) for each group
    assert not verdict.counts
"""
import array
import bisect
import collections

from history import record

LOST = "lost"                  # acknowledged, not in the log
DUPLICATED = "duplicated"      # in the log more than once
REORDERED = "reordered"        # not in the order in which it was sent
WRONG_BYTES = "wrong bytes"    # differs from what was sent
INVENTED = "invented"          # nobody sent it
MISPLACED = "misplaced"        # not where the acknowledgement said
REFUSED_STORED = "refused but stored"  # failed for certain, yet in the log
ABORTED_READ = "aborted read"  # read as committed, but it never was
EARLY_READ = "early read"      # read as committed before its commit was asked
TORN = "torn"                  # only a part of a transaction is committed
BEYOND = "read beyond"         # read at an offset that the log does not have
BACKWARDS = "nonmonotonic poll"  # a reader got an offset again, or an older
SKIPPED = "skipped"            # a reader went past records
UNREAD = "unread"              # a whole group never got it
DIFFERENT = "different"        # two readings of the log are not the same
KINDS = (LOST, DUPLICATED, REORDERED, WRONG_BYTES, INVENTED, MISPLACED,
         REFUSED_STORED, ABORTED_READ, EARLY_READ, TORN, BEYOND, BACKWARDS,
         SKIPPED, UNREAD, DIFFERENT)
EXAMPLES = 5


class Verdict:
    """How many violations of each kind, and the first few of each.

    sent_again counts what is no violation: more copies of what a client stored
    more than once itself.
    """

    def __init__(self):
        self.counts = collections.Counter()
        self.examples = []
        self.sent_again = 0
        self.read_again = 0  # records, as the reader had asked for it

    def add(self, kind, *what):
        self.counts[kind] += 1
        if self.counts[kind] <= EXAMPLES:
            self.examples.append(f"{kind}: {' '.join(map(str, what))}")


class View:
    """A log as one isolation level shows it, for looking up offsets."""

    def __init__(self, log):
        self.log = log
        self.offsets = {partition: array.array("q", (r.offset for r in records))
                        for partition, records in log.items()}

    def rank(self, partition, offset):
        """How many records stand before this one; None if it is not there."""
        offsets = self.offsets.get(partition, ())
        at = bisect.bisect_left(offsets, offset)
        return at if at < len(offsets) and offsets[at] == offset else None

    def first_rank(self, partition, offset):
        """That of the first record from offset on."""
        return bisect.bisect_left(self.offsets.get(partition, ()), offset)

    def record(self, partition, offset):
        rank = self.rank(partition, offset)
        return None if rank is None else self.log[partition][rank]

    def __len__(self):
        return sum(map(len, self.offsets.values()))


# -- the log against what producers saw

def judge_log(verdict, history, log, committed):
    """log is everything that is stored, committed what read_committed shows;
    both as record.Log."""
    places = judge_records(verdict, history, log)
    judge_outcomes(verdict, history, places)
    judge_transactions(verdict, history, View(log), committed, places)


def judge_records(verdict, history, log):
    """Each record was sent, is there once, and in the order in which it was
    sent. Returns where each is: {(producer, sequence): (partition, offset)};
    of one that its client sent again, at the offset of its acknowledgement if
    it is there."""
    places = {}
    for partition, records in log.items():
        newest = {}
        for one, epoch in zip(records, log.epochs[partition]):
            sent = identify(verdict, history, partition, one)
            if sent is None:
                continue
            key = one.producer, one.sequence
            if key in places:
                judge_copy(verdict, history, key, (partition, one.offset),
                           places)
                continue
            places[key] = partition, one.offset
            if keeps_order(history, one.producer, sent):
                judge_order(verdict, one, places[key], newest,
                            row_of(history, one.producer, epoch))
    return places


def judge_copy(verdict, history, key, place, places):
    """A record that is in the log already."""
    if history.kinds[key[0]] != record.RETRYING:
        verdict.add(DUPLICATED, *key, "at", places[key], "and", place)
        return
    verdict.sent_again += 1
    if place[1] == history.sends[key].offset:
        places[key] = place


def keeps_order(history, producer, sent):
    """A plain producer that gave a record up may see it stored later, one that
    retries may overtake itself."""
    kind = history.kinds[producer]
    return (kind in (record.IDEMPOTENT, record.TRANSACTIONAL)
            or kind == record.PLAIN and sent.outcome == record.ACKED)


def row_of(history, producer, epoch):
    """Within what a producer's records have to be in order. A plain one with
    several requests in flight goes on at a new leader while the old one still
    owes it answers; that one may be the leader again before it gets to them."""
    return (producer, epoch if history.kinds[producer] == record.PLAIN else None)


def judge_order(verdict, one, place, newest, row):
    """newest is {row: its highest sequence until now}."""
    before = newest.get(row, -1)
    if one.sequence < before:
        verdict.add(REORDERED, one.producer, one.sequence, "after", before,
                    "at", place)
    newest[row] = max(one.sequence, before)


def identify(verdict, history, partition, one):
    """The Sent that a record is, None if it was never sent like this."""
    sent = history.sends.get((one.producer, one.sequence))
    where = (one.producer, one.sequence, "at", (partition, one.offset))
    if sent is None:
        verdict.add(INVENTED, *where)
        return None
    if sent.digest != one.digest:
        verdict.add(WRONG_BYTES, *where)
    if sent.partition != partition:
        verdict.add(MISPLACED, *where, "sent to", sent.partition)
    return sent


def judge_outcomes(verdict, history, places):
    for key, sent in history.sends.items():
        place = places.get(key)
        if sent.outcome == record.ACKED and place is None:
            verdict.add(LOST, *key, "acknowledged at",
                        (sent.partition, sent.offset))
        elif sent.outcome == record.FAILED and place is not None:
            verdict.add(REFUSED_STORED, *key, "at", place)
        elif (sent.offset is not None and place is not None
              and sent.offset != place[1]):
            verdict.add(MISPLACED, *key, "at", place, "acknowledged at",
                        sent.offset)


def judge_transactions(verdict, history, view, committed, places):
    """What read_committed shows is: all outside transactions, all of committed
    ones, nothing of aborted ones, all or nothing of those in doubt."""
    shown = {partition: {one.offset for one in records}
             for partition, records in committed.items()}
    parts = collections.defaultdict(list)  # (producer, number): shown or not
    for key, sent in history.sends.items():
        place = places.get(key)
        is_shown = place is not None and place[1] in shown.get(place[0], ())
        if sent.transaction is not None:
            parts[key[0], sent.transaction].append(is_shown)
        elif place is not None and not is_shown:
            verdict.add(LOST, *key, "from the committed view, at", place)
    for key, are_shown in parts.items():
        judge_parts(verdict, key, history.transactions[key], are_shown)
    for partition, records in committed.items():
        for one in records:
            if view.record(partition, one.offset) != one:
                verdict.add(DIFFERENT, "committed view", (partition, *one))


def judge_parts(verdict, key, transaction, are_shown):
    is_whole = all(are_shown)
    if transaction.outcome == record.COMMITTED and not is_whole:
        verdict.add(LOST if not any(are_shown) else TORN, "transaction", *key,
                    "is committed")
    elif (transaction.outcome == record.ABORTED
          or transaction.asked_ms is None) and any(are_shown):
        verdict.add(ABORTED_READ, "transaction", *key, "in the final log")
    elif any(are_shown) and not is_whole:
        verdict.add(TORN, "transaction", *key, "is in doubt")


# -- readers against the log

def judge_reader(verdict, history, views, name, is_committed, events,
                 back=None):
    """views are (everything stored, committed), back says to which offsets of
    a partition the reader asked to go back (fetches.py). Returns what the
    reader saw, as sets of ranks by partition, for judge_group."""
    seen = collections.defaultdict(set)
    back = {partition: {views[is_committed].first_rank(partition, offset)
                        for offset in offsets}
            for partition, offsets in (back or {}).items()}
    newest = {}  # partition: rank of what it got last in this assignment
    for event in events:
        for partition in event.get("partitions", ()):
            newest.pop(partition, None)
        for entry in event.get("records", ()):
            partition, one = record.record_of(entry)
            rank = judge_read(verdict, history, views, is_committed,
                              (name, partition), one, event["ms"])
            if rank is None:
                continue
            before = newest.get(partition)
            if before is not None and rank <= before and rank in back.get(
                    partition, ()):
                verdict.read_again += before + 1 - rank
            else:
                judge_step(verdict, name, partition, one.offset, rank, before)
            newest[partition] = rank
            seen[partition].add(rank)
    return seen


def judge_read(verdict, history, views, is_committed, where, one, read_ms):
    """One record that a reader got; its rank in the reader's view."""
    _, partition = where
    stored = views[0].record(partition, one.offset)
    sent = identify(verdict, history, partition, one)
    if stored is None:
        verdict.add(BEYOND, *where, one)
        return None
    if stored != one and sent is not None and sent.digest == one.digest:
        verdict.add(DIFFERENT, *where, one, "the log has", stored)
    if not is_committed:
        return views[0].rank(partition, one.offset)
    rank = views[1].rank(partition, one.offset)
    if rank is None:
        verdict.add(ABORTED_READ, *where, one)
    elif sent is not None and sent.transaction is not None:
        asked_ms = history.transaction_of(one.producer, sent).asked_ms
        if asked_ms is not None and read_ms < asked_ms:
            verdict.add(EARLY_READ, *where, one, "at", read_ms,
                        "commit asked at", asked_ms)
    return rank


def judge_step(verdict, name, partition, offset, rank, before):
    if before is None or rank == before + 1:
        return
    kind = BACKWARDS if rank <= before else SKIPPED
    verdict.add(kind, name, "at", (partition, offset), "rank", rank, "after",
                before)


def judge_group(verdict, name, view, seen):
    """All readers of a group together have read the whole view."""
    for partition, records in view.log.items():
        together = set().union(*(one.get(partition, ()) for one in seen))
        for rank in range(len(records)):
            if rank not in together:
                verdict.add(UNREAD, name, (partition, records[rank]))


def judge_same(verdict, name, expected, got):
    """Two readings of one log: {partition: [Record, ...]}."""
    for partition in expected.keys() | got.keys():
        ours, theirs = expected.get(partition, []), got.get(partition, [])
        if ours == theirs:
            continue
        at = next((i for i, (a, b) in enumerate(zip(ours, theirs)) if a != b),
                  min(len(ours), len(theirs)))
        verdict.add(DIFFERENT, name, "partition", partition, "from",
                    ours[at:at + 1], "against", theirs[at:at + 1])
