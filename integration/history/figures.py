# SPDX-License-Identifier: Apache-2.0
"""What a run came to, as text and as bounds that it has to keep."""
import collections

from history import checker, faults, memory, record, run

# How much the line through the second half may rise, where that is long enough
# for a line to mean something. The worker keeps up to 4 MiB of buffers, which
# fill bit by bit. Descriptors and threads follow the connections, which faults
# make come and go; idle, they must be exactly what they were.
JUDGED_FROM_S = 240
RISE = {"rss_kib": 1024, "fds": 40, "threads": 20}

# So that no run passes idle: records acknowledged and transactions ended in a
# second of faults, a third of what a busy machine with two cores brings.
ACKED_PER_S = {record.PLAIN: 10, record.RETRYING: 10, record.IDEMPOTENT: 10,
               record.TRANSACTIONAL: 1}
ENDED_PER_S = {record.COMMITTED: 0.15, record.ABORTED: 0.04}
HIDDEN_PER_S = 0.1  # stored records of transactions that were not committed

# What shows that each client is of the kind that it is said to be.
SEEN = (*((client, "Produce") for client in run.PRODUCERS),
        ("java-idempotent", "InitProducerId"),
        ("java-transactional", "EndTxn"),
        ("java-classic-0", "JoinGroup"), ("python-classic-0", "JoinGroup"),
        ("java-consumer-0", "ConsumerGroupHeartbeat"),
        ("python-consumer-0", "ConsumerGroupHeartbeat"))


def outcomes(one):
    """How many records of each outcome, by kind of producer."""
    found = collections.defaultdict(collections.Counter)
    for (producer, _), sent in one.history.sends.items():
        found[one.history.kinds[producer]][sent.outcome] += 1
    return found


def listed(counts, names=None):
    return ", ".join(f"{name} {counts[name]}" for name in names or counts)


def lines_of(one, seconds):
    """All figures of a run."""
    by_kind = outcomes(one)
    records = sum(by_kind.values(), collections.Counter())
    transactions = collections.Counter(
        found.outcome for found in one.history.transactions.values())
    counts = one.counts()
    yield (f"history of {seconds} s, seed {one.seed}: "
           f"{records.total() + transactions.total() + counts['read']} "
           f"operations, {one.faults.counts.total()} faults, "
           + listed(one.verdict.counts,
                    (checker.LOST, checker.DUPLICATED, checker.REORDERED)))
    yield f"other violations: {listed(one.verdict.counts, OTHERS)}"
    for kind, found in by_kind.items():
        yield (f"{kind}: sent {found.total()}, " + listed(
            found, (record.ACKED, record.FAILED, record.UNKNOWN)))
    yield "transactions: " + listed(transactions, (
        record.COMMITTED, record.ABORTED, record.UNDECIDED))
    yield (f"stored {one.stored}, of them {one.hidden} hidden from "
           f"read_committed and {one.verdict.sent_again} that the retrying "
           f"client sent again; read by groups {counts['read']}, of that "
           f"{one.verdict.read_again} again as the client asked for")
    yield from lines_of_requests(one.ledger)
    yield f"faults: {listed(one.faults.counts)}"
    yield (f"reloads taken {one.generation}, refused {one.refused}; "
           f"started anew: {listed(one.restarts)}")
    for name in memory.PROCESSES:
        yield line_of_memory(one, name)


OTHERS = [kind for kind in checker.KINDS if kind not in (
    checker.LOST, checker.DUPLICATED, checker.REORDERED)]


def lines_of_requests(ledger):
    yield (f"requests: {ledger.sent.total()} sent by clients, "
           f"{ledger.arrived.total()} arrived at brokers, "
           f"{len(ledger.invented)} that nobody sent")
    for api in ("Produce", "EndTxn"):
        yield f"  {api}: " + ", ".join(
            f"{client} {sent} sent {ledger.arrived[client, name]} arrived"
            for (client, name), sent in sorted(ledger.sent.items())
            if name == api)


def judged_samples(one, name):
    return memory.second_half(one.watch.samples[name], one.fault_began,
                              one.fault_ended)


def line_of_memory(one, name):
    found = judged_samples(one, name)
    if len(found) < 2:
        return f"{name}: too few samples"
    parts = []
    for field in memory.FIELDS:
        values = [getattr(each, field) for each in found]
        parts.append(f"{field} {values[0]} to {values[-1]}, at most "
                     f"{max(values)}, slope "
                     f"{memory.slope_per_hour(found, field):.1f}/h")
    span = found[-1].seconds - found[0].seconds
    return f"{name}, last {span:.0f} s: " + "; ".join(parts)


def faults_of(one, seconds):
    """What is wrong with a run; nothing if all is well."""
    yield from one.verdict.examples
    for invented in one.ledger.invented[:checker.EXAMPLES]:
        yield f"a request that no client sent: {invented}"
    for kind in faults.ALL:
        if one.faults.counts[kind] == 0:
            yield f"there was no fault of kind {kind}"
    yield from idleness(one, seconds)
    for broker in one.cluster.brokers:
        if broker.address in one.proxy.text():
            yield f"kproxy knows a way around the relays: {broker.address}"
    kills = {"worker": one.faults.counts[faults.WORKER_KILL],
             "agent": one.faults.counts[faults.AGENT_KILL]}
    if one.restarts != kills:
        yield f"started anew: {one.restarts}, killed: {kills}"
    for name in memory.PROCESSES:
        found = judged_samples(one, name)
        if found and found[-1].seconds - found[0].seconds >= JUDGED_FROM_S:
            yield from growth(name, found)


def idleness(one, seconds):
    """Whatever has not happened often enough to prove anything."""
    by_kind = outcomes(one)
    for kind, wanted in ACKED_PER_S.items():
        acked = by_kind[kind][record.ACKED]
        if acked < wanted * seconds:
            yield f"only {acked} records of {kind} producers acknowledged"
    if by_kind[record.PLAIN][record.FAILED] == 0:
        yield "no record was refused"
    yield from too_few_ended(one.counts(), seconds)
    if one.hidden < HIDDEN_PER_S * seconds:
        yield f"only {one.hidden} records were hidden from read_committed"
    for client, api in SEEN:
        if one.ledger.arrived[client, api] == 0:
            yield f"no {api} of {client} was seen at a broker"
    if one.generation < one.faults.counts[faults.RELOAD] / 2:
        yield f"only {one.generation} reloads were taken"
    if one.refused == 0:
        yield "no reload was refused"


def too_few_ended(counts, seconds):
    for outcome, wanted in ENDED_PER_S.items():
        if counts[outcome] < wanted * seconds:
            yield f"only {counts[outcome]} transactions {outcome}"


def growth(name, samples):
    hours = (samples[-1].seconds - samples[0].seconds) / 3600
    for field, bound in RISE.items():
        rise = memory.slope_per_hour(samples, field) * hours
        if rise > bound:
            yield f"{field} of {name} rose by {rise:.0f}, at most {bound}"
