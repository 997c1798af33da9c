# SPDX-License-Identifier: Apache-2.0
"""Tables of what was measured: for people while it runs, for documents after.

A ratio is that of medians, beside the range of the ratios of single rounds;
where that range holds 1.0 the two are on a par. It is to HAProxy's default, or
without that to the first proxy.
"""

import statistics

REFERENCE = "haproxy"
BASELINE = "direct"
# CPU time of a point below which ticks of 10 ms are more than 1 %.
ENOUGH_CPU_SECONDS = 2.0
# Other load, in cores, from which on a machine is not quiet.
QUIET_CORES = 0.3


class Table:
    """Figures of one row: {peer: {round: {key: value}}}."""

    def __init__(self, row, peers):
        self.row = row
        self.peers = [peer.name for peer in peers]
        proxies = [name for name in self.peers if name != BASELINE]
        self.reference = None  # nothing to compare with
        if len(proxies) > 1:
            self.reference = REFERENCE if REFERENCE in proxies else proxies[0]
        self.rounds = {name: {} for name in self.peers}

    def add(self, peer, number, found):
        self.rounds[peer][number] = found

    def values(self, peer, metric):
        """{round: value}; an added value needs the round's baseline."""
        found = {}
        for number, raw in self.rounds.get(peer, {}).items():
            value = raw.get(metric.key)
            if value is not None and metric.is_added:
                base = self.rounds.get(BASELINE, {}).get(number)
                value = value - base[metric.key] if base else None
            if value is not None:
                found[number] = value
        return found

    def summary(self, peer, metric):
        """{min, median, max, ratio, low, high} or None."""
        values = self.values(peer, metric)
        if not values or (metric.is_added and peer == BASELINE):
            return None
        found = {"min": min(values.values()), "max": max(values.values()),
                 "median": statistics.median(values.values())}
        found.update(self.ratio(values, self.values(self.reference, metric)))
        return found

    @staticmethod
    def ratio(values, against):
        """Of {round: value} to the same rounds; none where noise has made an
        added value negative."""
        pairs = [(value, against[n]) for n, value in values.items()
                 if n in against]
        if not pairs or any(value < 0 or other <= 0 for value, other in pairs):
            return {}
        ratios = [value / other for value, other in pairs]
        return {"low": min(ratios), "high": max(ratios),
                "ratio": statistics.median(values.values())
                / statistics.median(against.values())}

    def notes(self):
        """What a reader has to know about this row."""
        found = []
        ciphers = {(raw["tls"], raw["cipher"]) for by in self.rounds.values()
                   for raw in by.values() if raw.get("tls")}
        found += [" ".join(pair) for pair in sorted(ciphers)]
        if len(ciphers) > 1:
            found.append("not the same TLS for all: not comparable")
        versions = {str(raw["versions"]) for by in self.rounds.values()
                    for raw in by.values() if raw.get("versions")}
        if len(versions) > 1:
            found.append("not the same API versions for all")
        methods = {raw["method"] for by in self.rounds.values()
                   for raw in by.values() if raw.get("method")}
        found += sorted(methods)
        return found + self.doubts()

    def doubts(self):
        every = [raw for by in self.rounds.values() for raw in by.values()]
        found = []
        is_of_cpu = self.row.is_of_cpu()
        few = sorted({name for name, by in self.rounds.items()
                      if by and is_of_cpu and is_short_of_cpu(by.values())})
        if few:
            found.append(f"less than {ENOUGH_CPU_SECONDS:.0f} s of CPU a "
                         f"point: {', '.join(few)}")
        others = [raw["other_cores"] for raw in every if "other_cores" in raw]
        if others and statistics.median(others) > QUIET_CORES:
            found.append(f"noisy: others used {statistics.median(others):.1f} "
                         "cores")
        return found


def is_short_of_cpu(every):
    """Does the median of these figures rest on too few ticks?"""
    used = [raw["cpu_s"] for raw in every if raw.get("cpu_s") is not None]
    return bool(used) and statistics.median(used) < ENOUGH_CPU_SECONDS


def number(value, digits):
    return f"{value:.{digits}f}"


def lines(table):
    """The row as text."""
    row = table.row
    yield f"{row.id}  {row.title}"
    for metric in row.metrics:
        head = f"    {metric.title:<34}{'min':>9}{'median':>9}"
        if table.reference and not metric.is_aside:
            head += f"   vs {table.reference}"
        yield head
        for peer in table.peers:
            found = table.summary(peer, metric)
            if found is None:
                continue
            text = (f"      {peer:<32}{number(found['min'], metric.digits):>9}"
                    f"{number(found['median'], metric.digits):>9}")
            if "ratio" in found and not metric.is_aside:
                text += (f"   {found['ratio']:.2f} "
                         f"({found['low']:.2f}-{found['high']:.2f})")
            yield text
    for note in table.notes():
        yield f"    note: {note}"


def cell(found, metric):
    if found is None:
        return "–"
    text = number(found["median"], metric.digits)
    if "ratio" in found and not metric.is_aside:
        text += f" ({found['ratio']:.2f}×)"
    return text


def markdown(tables, context):
    """Everything as one document, for docs/performance.md."""
    peers = context["peers"]
    machine = context["machine"]
    yield (f"{machine['cpu']}, {machine['cores']} cores, kernel "
           f"{machine['kernel']}, {context['date']}; {context['rounds']} rounds "
           f"of {context['seconds']} s, interleaved, medians; in brackets the "
           "ratio to HAProxy's default, or without that to the first proxy.")
    yield ""
    for name, about in peers.items():
        yield f"- {name}: {about}"
    for name, why in context["missing"].items():
        yield f"- {name}: not to be had: {why}"
    yield ""
    yield "| workload | figure | " + " | ".join(peers) + " |"
    yield "|---|---|" + "---|" * len(peers)
    for table in tables:
        title = f"{table.row.id}: {table.row.title}"
        for metric in table.row.metrics:
            cells = [cell(table.summary(name, metric), metric)
                     for name in peers]
            if any(text != "–" for text in cells):
                yield f"| {title} | {metric.title} | {' | '.join(cells)} |"
                title = ""
    notes = [f"- {t.row.id}: {note}" for t in tables for note in t.notes()]
    yield ""
    yield from notes


def summaries(tables):
    """The same as data."""
    return [{"row": table.row.id, "metric": metric.title, "peer": peer,
             **table.summary(peer, metric)}
            for table in tables for metric in table.row.metrics
            for peer in table.peers if table.summary(peer, metric)]
