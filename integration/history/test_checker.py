# SPDX-License-Identifier: Apache-2.0
"""The checker finds each kind of violation in a history made by hand, and
nothing in the same history without it."""
import json

import pytest

from history import checker, record

# What was sent: (producer, sequence, partition, transaction).
SENT = ([("plain-0", n, 0, None) for n in range(3)]
        + [("retry-0", n, 1, None) for n in range(2)]
        + [("idem-0", n, n % 2, None) for n in range(6)]
        + [("txn-0", n, n % 2, n // 2) for n in range(6)])
KINDS = {"plain-0": record.PLAIN, "retry-0": record.RETRYING,
         "idem-0": record.IDEMPOTENT, "txn-0": record.TRANSACTIONAL}
COMMIT, ABORT, DOUBT = 0, 1, 2  # transactions of txn-0
ASKED_MS = {COMMIT: 1000, DOUBT: 2000}
READ_MS = 5000


def digest(producer, sequence):
    return f"{hash((producer, sequence)) & (1 << 64) - 1:016x}"


class Hand:
    """A history in which all went well; a test changes one thing in it.

    entries  what the log holds: [partition, offset, producer, sequence,
             digest], all of it in order
    hidden   (producer, sequence) that read_committed does not show
    polls    what a reader of each isolation got
    """

    def __init__(self):
        self.events = [{"event": "producer", "name": name, "kind": kind}
                       for name, kind in KINDS.items()]
        self.entries = []
        self.hidden = {("txn-0", 2), ("txn-0", 3)}
        self.extra = []  # seen by readers, not in the log
        next_offset = {0: 0, 1: 0}
        for producer, sequence, partition, transaction in SENT:
            offset = next_offset[partition]
            next_offset[partition] += 3  # control records leave gaps
            sent = {"event": "send", "producer": producer,
                    "sequence": sequence, "partition": partition,
                    "digest": digest(producer, sequence)}
            if transaction is not None:
                sent["transaction"] = transaction
            self.events.append(sent)
            self.events.append({"event": "acked", "producer": producer,
                                "sequence": sequence, "offset": offset})
            self.entries.append([partition, offset, producer, sequence,
                                 digest(producer, sequence)])
        for number, asked_ms in ASKED_MS.items():
            self.events.append({"event": "commit", "producer": "txn-0",
                                "transaction": number, "ms": asked_ms})
        for number, outcome in ((COMMIT, "committed"), (ABORT, "aborted"),
                                (DOUBT, "undecided")):
            self.events.append({"event": outcome, "producer": "txn-0",
                                "transaction": number})
        self.read_ms = READ_MS

    def outcome(self, producer, sequence, outcome, **more):
        """Another outcome of one record."""
        for event in self.events:
            if (event["event"] == "acked" and event["producer"] == producer
                    and event["sequence"] == sequence):
                event.update(event=outcome, **more)

    def entry(self, producer, sequence):
        return next(entry for entry in self.entries
                    if entry[2:4] == [producer, sequence])

    def visible(self):
        return [entry for entry in self.entries
                if tuple(entry[2:4]) not in self.hidden]

    def polls(self, is_committed):
        entries = self.visible() if is_committed else self.entries
        return [{"event": "assigned", "reader": "r", "partitions": [0, 1]},
                {"event": "poll", "reader": "r", "ms": self.read_ms,
                 "records": entries + self.extra}]

    def judge(self, is_committed=True, polls=None, back=None):
        """The counts of the verdict on log, a reader and its group."""
        verdict = checker.Verdict()
        history = record.History().read(map(json.dumps, self.events))
        log = record.log_of([{"records": sorted(self.entries)}])
        committed = record.log_of([{"records": sorted(self.visible())}])
        checker.judge_log(verdict, history, log, committed)
        views = checker.View(log), checker.View(committed)
        polls = self.polls(is_committed) if polls is None else polls
        seen = checker.judge_reader(verdict, history, views, "r",
                                    is_committed, polls, back)
        checker.judge_group(verdict, "g", views[is_committed], [seen])
        assert len(verdict.examples) <= checker.EXAMPLES * len(verdict.counts)
        return dict(verdict.counts)


@pytest.mark.parametrize("is_committed", [True, False])
def test_nothing_is_wrong(is_committed):
    assert Hand().judge(is_committed) == {}


@pytest.mark.parametrize("producer,sequence,kind", [
    ("plain-0", 1, checker.LOST), ("idem-0", 3, checker.LOST),
    ("retry-0", 0, checker.LOST),
    ("txn-0", 2, checker.LOST), ("txn-0", 0, checker.TORN)])
def test_lost(producer, sequence, kind):
    hand = Hand()
    hand.entries.remove(hand.entry(producer, sequence))
    counts = hand.judge()
    assert counts.pop(checker.LOST) == 1
    assert counts == ({kind: 1} if kind != checker.LOST else {})


def test_lost_from_the_committed_view_alone():
    hand = Hand()
    hand.hidden.add(("idem-0", 3))
    assert hand.judge() == {checker.LOST: 1}


def test_a_committed_transaction_that_is_not_there():
    hand = Hand()
    hand.hidden |= {("txn-0", 0), ("txn-0", 1)}
    assert hand.judge() == {checker.LOST: 1}


@pytest.mark.parametrize("producer", ["plain-0", "idem-0", "txn-0"])
def test_duplicated(producer):
    hand = Hand()
    again = list(hand.entry(producer, 0))
    again[1] = 100
    hand.entries.append(again)
    assert hand.judge() == {checker.DUPLICATED: 1}


@pytest.mark.parametrize("acked", [0, 1])
def test_a_client_that_retries_may_store_twice(acked):
    hand = Hand()
    first = hand.entry("retry-0", 0)
    again = list(first)
    again[1] = 100
    hand.entries.append(again)
    hand.outcome("retry-0", 0, "acked", offset=(first, again)[acked][1])
    assert hand.judge() == {}


def test_its_acknowledgement_names_one_of_the_copies():
    hand = Hand()
    again = list(hand.entry("retry-0", 0))
    again[1] = 100
    hand.entries.append(again)
    hand.outcome("retry-0", 0, "acked", offset=99)
    assert hand.judge() == {checker.MISPLACED: 1}


def swap(hand, producer, first, second):
    """Two records of a partition take each other's place in the log."""
    one, other = hand.entry(producer, first), hand.entry(producer, second)
    one[1], other[1] = other[1], one[1]
    for entry in (one, other):
        hand.outcome(producer, entry[3], "acked", offset=entry[1])
    hand.entries.sort()


@pytest.mark.parametrize("producer,first,second", [
    ("plain-0", 0, 1), ("idem-0", 1, 3), ("txn-0", 1, 3)])
def test_reordered(producer, first, second):
    hand = Hand()
    swap(hand, producer, first, second)
    assert hand.judge() == {checker.REORDERED: 1}


def test_a_plain_producer_may_see_late_what_it_gave_up():
    hand = Hand()
    swap(hand, "plain-0", 0, 1)
    hand.outcome("plain-0", 0, "unknown")
    assert hand.judge() == {}


@pytest.mark.parametrize("producer,first,second,epochs,counts", [
    ("plain-0", 0, 1, (6, 7), {}),
    ("plain-0", 0, 1, (7, 7), {checker.REORDERED: 1}),
    ("plain-0", 0, 1, (None, None), {checker.REORDERED: 1}),
    ("idem-0", 1, 3, (6, 7), {checker.REORDERED: 1})])
def test_a_plain_producer_keeps_order_under_one_leader(
        producer, first, second, epochs, counts):
    hand = Hand()
    swap(hand, producer, first, second)
    for sequence, epoch in zip((second, first), epochs):
        hand.entry(producer, sequence).append(epoch)
    assert hand.judge() == counts


def test_a_client_that_retries_may_overtake_itself():
    hand = Hand()
    swap(hand, "retry-0", 0, 1)
    assert hand.judge() == {}


def test_an_idempotent_producer_may_not_see_late_what_it_gave_up():
    hand = Hand()
    swap(hand, "idem-0", 1, 3)
    hand.outcome("idem-0", 1, "unknown")
    assert hand.judge() == {checker.REORDERED: 1}


def test_wrong_bytes_in_the_log():
    hand = Hand()
    hand.entry("idem-0", 2)[4] = "0" * 16
    # once in the log, once by the reader
    assert hand.judge() == {checker.WRONG_BYTES: 2}


def test_wrong_bytes_for_one_reader():
    hand = Hand()
    polls = json.loads(json.dumps(hand.polls(True)))
    polls[1]["records"][4][4] = "0" * 16
    assert hand.judge(polls=polls) == {checker.WRONG_BYTES: 1}


def test_invented():
    hand = Hand()
    hand.entries.append([0, 100, "plain-0", 77, "0" * 16])
    assert hand.judge() == {checker.INVENTED: 2}
    hand = Hand()
    hand.entries.append([1, 100, "nobody", 0, "0" * 16])
    assert hand.judge() == {checker.INVENTED: 2}


def test_misplaced():
    hand = Hand()
    hand.outcome("idem-0", 0, "acked", offset=1)
    assert hand.judge() == {checker.MISPLACED: 1}


def test_in_another_partition_than_it_was_sent_to():
    hand = Hand()
    entry = hand.entry("txn-0", 5)
    entry[:2] = 0, 100
    hand.outcome("txn-0", 5, "unknown")
    # once in the log, once by the reader
    assert hand.judge() == {checker.MISPLACED: 2}


def test_an_acknowledgement_without_an_offset():
    hand = Hand()
    hand.outcome("idem-0", 0, "acked", offset=-1)
    assert hand.judge() == {}


def test_refused_but_stored():
    hand = Hand()
    hand.outcome("plain-0", 0, "failed")
    assert hand.judge() == {checker.REFUSED_STORED: 1}


def test_unknown_is_there_once_or_not_at_all():
    for is_there in (True, False):
        hand = Hand()
        hand.outcome("plain-0", 0, "unknown")
        if not is_there:
            hand.entries.remove(hand.entry("plain-0", 0))
        assert hand.judge() == {}


def test_aborted_transaction_in_the_committed_view():
    hand = Hand()
    hand.hidden = set()
    assert hand.judge() == {checker.ABORTED_READ: 1}


def test_aborted_records_for_one_reader():
    hand = Hand()
    polls = hand.polls(True)
    polls[1]["records"].append(hand.entry("txn-0", 2))
    assert hand.judge(polls=polls) == {checker.ABORTED_READ: 1}


def test_a_commit_that_was_never_asked_for():
    hand = Hand()
    hand.events = [event for event in hand.events if
                   (event["event"], event.get("transaction"))
                   != ("commit", DOUBT)]
    assert hand.judge() == {checker.ABORTED_READ: 1}


def test_read_before_the_commit_was_asked_for():
    hand = Hand()
    hand.read_ms = 1500  # between the two
    assert hand.judge() == {checker.EARLY_READ: 2}
    assert hand.judge(is_committed=False) == {}


@pytest.mark.parametrize("number,first", [(COMMIT, 0), (DOUBT, 4)])
def test_torn(number, first):
    hand = Hand()
    hand.hidden.add(("txn-0", first))
    assert hand.judge() == {checker.TORN: 1}, number


def test_a_transaction_in_doubt_that_is_not_there():
    hand = Hand()
    hand.hidden |= {("txn-0", 4), ("txn-0", 5)}
    assert hand.judge() == {}


def test_read_beyond_the_log():
    hand = Hand()
    hand.extra = [[0, 100, "idem-0", 0, digest("idem-0", 0)]]
    assert hand.judge() == {checker.BEYOND: 1}


def test_two_records_at_one_offset():
    hand = Hand()
    polls = json.loads(json.dumps(hand.polls(True)))
    polls[1]["records"][0][2:] = ["plain-0", 1, digest("plain-0", 1)]
    assert hand.judge(polls=polls) == {checker.DIFFERENT: 1}


def test_a_poll_that_goes_back():
    hand = Hand()
    polls = hand.polls(True)
    polls.append({**polls[1], "records": hand.visible()[-1:]})
    assert hand.judge(polls=polls) == {checker.BACKWARDS: 1}


def test_a_reader_may_go_back_to_where_it_asked_for():
    hand = Hand()
    polls = hand.polls(True)
    *_, late, last = [one for one in hand.visible() if one[0] == 0]
    polls.append({**polls[1], "records": [late, last]})
    assert hand.judge(polls=polls, back={0: {late[1]}}) == {}
    # what is not visible has no part in it
    assert hand.judge(polls=polls, back={0: {late[1] - 1}}) == {}
    assert hand.judge(polls=polls, back={1: {late[1]}}) == {
        checker.BACKWARDS: 1}
    assert hand.judge(polls=polls, back={0: {last[1]}}) == {
        checker.BACKWARDS: 1}
    polls[-1]["records"] = [late, late]
    assert hand.judge(polls=polls[:2] + polls[-1:], back={0: {last[1]}}) == {
        checker.BACKWARDS: 2}


def test_a_new_assignment_may_begin_before():
    hand = Hand()
    polls = hand.polls(True)
    assert hand.judge(polls=polls + polls) == {}


def test_skipped():
    hand = Hand()
    polls = hand.polls(True)
    polls[1]["records"] = [entry for entry in hand.visible()
                           if entry[2:4] != ["idem-0", 3]]
    assert hand.judge(polls=polls) == {checker.SKIPPED: 1, checker.UNREAD: 1}


def test_unread_by_the_whole_group():
    hand = Hand()
    polls = hand.polls(True)
    polls[1]["records"] = [entry for entry in hand.visible()
                           if entry[0] == 0]
    wanted = sum(entry[0] == 1 for entry in hand.visible())
    assert hand.judge(polls=polls) == {checker.UNREAD: wanted}


def test_members_of_a_group_read_together():
    hand = Hand()
    log = record.log_of([{"records": hand.entries}])
    view = checker.View(log)
    halves = [{0: set(range(len(log[0])))}, {1: set(range(len(log[1])))}]
    verdict = checker.Verdict()
    checker.judge_group(verdict, "g", view, halves)
    assert not verdict.counts and len(view) == len(hand.entries)
    checker.judge_group(verdict, "g", view, halves[:1])
    assert verdict.counts == {checker.UNREAD: len(log[1])}


def test_two_readings_of_a_log():
    log = record.log_of([{"records": Hand().entries}])
    verdict = checker.Verdict()
    checker.judge_same(verdict, "again", log, dict(log))
    assert not verdict.counts
    checker.judge_same(verdict, "again", log, {**log, 1: log[1][:-1]})
    checker.judge_same(verdict, "again", log, {0: log[0]})
    assert verdict.counts == {checker.DIFFERENT: 2}


def test_a_committed_view_that_differs_from_the_log():
    hand = Hand()
    log = record.log_of([{"records": hand.entries}])
    history = record.History().read(map(json.dumps, hand.events))
    committed = record.log_of([{"records": hand.visible()}])
    committed[0][0] = committed[0][0]._replace(sequence=2)
    verdict = checker.Verdict()
    checker.judge_log(verdict, history, log, committed)
    assert verdict.counts == {checker.DIFFERENT: 1}


def test_every_kind_has_a_test_here():
    with open(__file__) as file:
        text = file.read()
    names = {name for name, value in vars(checker).items()
             if value in checker.KINDS and name.isupper()}
    assert len(names) == len(checker.KINDS)
    for name in names:
        assert f"checker.{name}: " in text, name


def test_events_of_one_reader():
    lines = [json.dumps({"event": "poll", "reader": name, "records": []})
             for name in ("a", "b", "a")]
    assert len(list(record.events_of(lines, "a"))) == 2


def test_a_record_that_was_sent_twice_is_no_history():
    hand = Hand()
    hand.events.append(hand.events[len(KINDS)])
    with pytest.raises(AssertionError):
        hand.judge()
